//! A keyed permutation of the 64-bit integers that keeps numbers about their size.
//!
//! Numbers are permuted within bands whose borders are powers of two, so that a number that fits a column has a fake that
//! fits it too, the same number has the same fake in a column of any width, and a sequence keeps room above the fakes:
//!
//! | band | numbers | permutation |
//! |---|---|---|
//! | 0 | 0 to 2^14 - 1 | the numbers ranked by their keyed bits |
//! | 1 | 2^14 to 2^15 - 1 | the same |
//! | 2 | 2^15 to 2^30 - 1 | FF1 on 30 bits, walking the cycle |
//! | 3 | 2^30 to 2^31 - 1 | FF1 on 30 bits |
//! | 4 | 2^31 to 2^53 - 1 | FF1 on 54 bits, walking the cycle |
//! | 5 | 2^53 to 2^63 - 1 | FF1 on 63 bits, walking the cycle |
//!
//! A negative number `n` mirrors `-1 - n`, under a tweak of its own. FF1 (NIST SP 800-38G) asks for a million numbers at
//! least, which the two small bands do not have. What a permutation cannot hide: how many numbers there are, and the band
//! that each is in; a number below 2^14 stays below 2^14.

use std::sync::OnceLock;

use aes::Aes256;
use fpe::ff1::{FF1, FlexibleNumeralString};

use super::key::Subkey;
use crate::value::Value;

/// Where bands begin; the last one ends at 2^63.
const BANDS: [u64; 6] = [0, 1 << 14, 1 << 15, 1 << 30, 1 << 31, 1 << 53];
/// Numbers in each of the two small bands.
const SMALL: u16 = 1 << 14;

/// The tag of the bits that rank the small bands.
const RANKS: &str = "permutation/rank";

/// The permutation of one subkey.
pub(super) struct Permutation {
    subkey: Subkey,
    /// Numerals of 15 bits: two make 30.
    medium: FF1<Aes256>,
    /// Numerals of 9 bits: six make 54, seven make 63.
    large: FF1<Aes256>,
    /// By sign and band, made when first needed.
    small: [[OnceLock<Box<[u16]>>; 2]; 2],
}

impl Permutation {
    /// The permutation for that subkey.
    pub(super) fn new(subkey: &Subkey) -> Self {
        let key = subkey.cipher_key("permutation");
        let cipher = |radix| FF1::new(key.as_slice(), radix).expect("the radix is below 2^16");
        Self {
            subkey: subkey.clone(),
            medium: cipher(1 << 15),
            large: cipher(1 << 9),
            small: Default::default(),
        }
    }

    /// The number's fake.
    pub(super) fn apply(&self, number: i64) -> i64 {
        let negative = number < 0;
        let magnitude = (if negative { !number } else { number }) as u64;
        let fake = self.magnitude(magnitude, negative) as i64;
        if negative { !fake } else { fake }
    }

    fn magnitude(&self, number: u64, negative: bool) -> u64 {
        let band = BANDS.partition_point(|start| *start <= number) - 1;
        let (start, end) = (BANDS[band], BANDS.get(band + 1).copied().unwrap_or(1 << 63));
        if band < 2 {
            return start + u64::from(self.ranks(band, negative)[(number - start) as usize]);
        }
        // The cycle through the number returns to the band at last, if only to the number itself.
        let mut fake = number - start;
        loop {
            fake = self.encrypt(fake, band, negative);
            if fake < end - start {
                return start + fake;
            }
        }
    }

    fn encrypt(&self, number: u64, band: usize, negative: bool) -> u64 {
        let (cipher, bits, numerals) = match band {
            2 | 3 => (&self.medium, 15, 2),
            4 => (&self.large, 9, 6),
            _ => (&self.large, 9, 7),
        };
        let mask = (1 << bits) - 1;
        let text: Vec<u16> =
            (0..numerals).rev().map(|place| (number >> (place * bits) & mask) as u16).collect();
        let tweak = [band as u8, u8::from(negative)];
        let text: Vec<u16> = cipher
            .encrypt(&tweak, &FlexibleNumeralString::from(text))
            .expect("numerals are below the radix and enough")
            .into();
        text.into_iter().fold(0, |number, numeral| number << bits | u64::from(numeral))
    }

    /// The small band's numbers by the rank of their keyed bits: a permutation, and as random as the bits are.
    fn ranks(&self, band: usize, negative: bool) -> &[u16] {
        self.small[usize::from(negative)][band].get_or_init(|| {
            let keyed = |number: u16| {
                let number = i64::from(number) + BANDS[band] as i64;
                let number = if negative { !number } else { number };
                (self.subkey.draw(RANKS, &Value::Int(number)).word(0), number)
            };
            let mut order: Vec<u16> = (0..SMALL).collect();
            order.sort_by_cached_key(|number| keyed(*number));
            let mut ranks = vec![0; order.len()];
            for (rank, number) in (0..).zip(order) {
                ranks[usize::from(number)] = rank;
            }
            ranks.into()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::mask::key::Keyring;

    fn permutation(digit: &str) -> Permutation {
        let keyring = Keyring::from_hex(&digit.repeat(64)).unwrap();
        Permutation::new(&keyring.subkey(""))
    }

    #[test]
    fn permutes_the_whole_of_every_small_band() {
        let permutation = permutation("1");
        for band in [0..16_384, 16_384..32_768, -16_384..0, -32_768..-16_384] {
            let fakes: HashSet<i64> =
                band.clone().map(|number| permutation.apply(number)).collect();
            assert_eq!(fakes, band.clone().collect());
            let unmoved = band.filter(|number| permutation.apply(*number) == *number).count();
            assert!(unmoved < 20, "{unmoved} numbers stay where they are");
        }
    }

    #[test]
    fn keeps_each_number_in_its_band() {
        let permutation = permutation("1");
        let mut borders: Vec<i64> = BANDS.iter().map(|start| *start as i64).collect();
        borders.push(i64::MAX);
        for (band, border) in borders.iter().enumerate() {
            for number in [border.saturating_sub(1).max(0), *border, border.saturating_add(1)] {
                for number in [number, !number] {
                    let fake = permutation.apply(number);
                    assert_eq!(fake < 0, number < 0, "sign at band {band}");
                    let of = |number: i64| {
                        let magnitude = if number < 0 { !number } else { number } as u64;
                        BANDS.partition_point(|start| *start <= magnitude)
                    };
                    assert_eq!(of(fake), of(number), "border {border}");
                }
            }
        }
    }

    #[test]
    fn is_injective_in_the_large_bands_and_depends_on_the_key() {
        let (one, other) = (permutation("1"), permutation("2"));
        for start in [1_i64 << 15, 1 << 30, 1 << 31, 1 << 53, -(1 << 31), -(1 << 53)] {
            let numbers = start..start + 300;
            let fakes: HashSet<i64> = numbers.clone().map(|number| one.apply(number)).collect();
            assert_eq!(fakes.len(), 300);
            assert!(
                numbers.filter(|number| one.apply(*number) == other.apply(*number)).count() < 3
            );
        }
    }
}
