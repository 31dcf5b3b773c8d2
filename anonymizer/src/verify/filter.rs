//! A set of fingerprints in bounded memory that never forgets one and sometimes claims one too many.
//!
//! A blocked Bloom filter (Putze, Sanders and Singler 2007): a fingerprint's first half names a block of one cache line, its
//! second half one bit in each of the block's eight words, so that a look costs one access to memory. How often it claims
//! one too many is not estimated from a formula but computed from the bits that are set.

use super::fingerprint::Fingerprint;

/// Words of a block.
const WORDS: usize = 8;
/// Bits of a block: a cache line.
const BLOCK_BITS: u64 = WORDS as u64 * 64;
/// With 32 bits for each entry about one look-up in 80 000 is wrong.
const BITS_PER_ENTRY: u64 = 32;
/// 256 MiB, which 67 million entries fill to that degree.
const MOST_BLOCKS: u64 = (256 << 20) * 8 / BLOCK_BITS;

/// The filter.
pub struct Filter {
    blocks: Vec<[u64; WORDS]>,
}

impl Filter {
    /// A filter for about so many distinct fingerprints.
    pub fn new(entries: u64) -> Self {
        let blocks = entries.saturating_mul(BITS_PER_ENTRY).div_ceil(BLOCK_BITS);
        Self { blocks: vec![[0; WORDS]; blocks.clamp(1, MOST_BLOCKS) as usize] }
    }

    /// Adds a fingerprint; true where the filter did not claim to hold it already.
    pub fn insert(&mut self, fingerprint: Fingerprint) -> bool {
        let block = self.block(fingerprint);
        let mut is_new = false;
        for (at, word) in self.blocks[block].iter_mut().enumerate() {
            let bit = bit(fingerprint, at);
            is_new |= *word & bit == 0;
            *word |= bit;
        }
        is_new
    }

    /// False for certain.
    pub fn may_hold(&self, fingerprint: Fingerprint) -> bool {
        let words = self.blocks[self.block(fingerprint)].iter().enumerate();
        words.fold(true, |all, (at, word)| all & (word & bit(fingerprint, at) != 0))
    }

    /// The chance that a fingerprint which was never added is claimed to be held: for each block the chance to hit a set bit
    /// in all of its words, averaged over the blocks.
    pub fn false_positive_rate(&self) -> f64 {
        let share = |word: &u64| f64::from(word.count_ones()) / 64.0;
        let of_block = |block: &[u64; WORDS]| block.iter().map(share).product::<f64>();
        self.blocks.iter().map(of_block).sum::<f64>() / self.blocks.len() as f64
    }

    fn block(&self, fingerprint: Fingerprint) -> usize {
        ((u128::from(fingerprint.first) * self.blocks.len() as u128) >> 64) as usize
    }
}

/// The bit of a fingerprint in a word of its block.
fn bit(fingerprint: Fingerprint, word: usize) -> u64 {
    1 << (fingerprint.second >> (6 * word) & 63)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identifier::Identifier;
    use crate::mask::key::Keyring;
    use crate::verify::fingerprint::Fingerprints;

    fn numbered(range: std::ops::Range<u64>) -> impl Iterator<Item = Fingerprint> {
        let fingerprints = Fingerprints::new(&Keyring::from_hex(&"1".repeat(64)).unwrap());
        range.map(move |number| fingerprints.of(Identifier::Other, &number.to_le_bytes()))
    }

    #[test]
    fn nothing_is_forgotten_and_the_stated_rate_is_the_measured_one() {
        // Filled beyond what it was made for, so that the rate is large enough to be measured.
        for overfull in [3_u64, 6] {
            let mut filter = Filter::new(10_000);
            for fingerprint in numbered(0..10_000 * overfull) {
                filter.insert(fingerprint);
            }
            assert!(numbered(0..10_000 * overfull).all(|present| filter.may_hold(present)));
            let stated = filter.false_positive_rate();
            let others = 1_000_000;
            let wrong = numbered(1 << 40..(1 << 40) + others).filter(|f| filter.may_hold(*f));
            let measured = wrong.count() as f64 / others as f64;
            assert!((measured / stated - 1.0).abs() < 0.1, "{measured} is not {stated}");
        }
    }

    #[test]
    fn a_filter_of_the_right_size_is_wrong_less_than_once_in_fifty_thousand() {
        let mut filter = Filter::new(200_000);
        let new = numbered(0..200_000).filter(|added| filter.insert(*added)).count();
        assert!(new >= 199_990, "{new}");
        let rate = filter.false_positive_rate();
        assert!(rate > 0.0 && rate < 1.0 / 50_000.0, "{rate}");
        assert_eq!(Filter::new(0).false_positive_rate(), 0.0);
        assert!(!Filter::new(0).may_hold(Fingerprint::default()));
    }

    #[test]
    fn memory_is_bounded() {
        assert_eq!(Filter::new(10_000_000).blocks.len() * 64, 40_000_000);
        assert_eq!(MOST_BLOCKS * 64, 256 << 20);
    }
}
