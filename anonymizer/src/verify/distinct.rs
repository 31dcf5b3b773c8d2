//! How many distinct fingerprints there are, from the smallest of them: exact while they are few, then within some three
//! per cent, in memory that does not grow.
//!
//! Of n evenly spread numbers the k-th smallest is near k/n of the way (Bar-Yossef and others 2002).

use std::collections::BTreeSet;

use super::fingerprint::Fingerprint;

/// How many of the smallest are kept; the relative error is one by the root of it.
const KEPT: usize = 4096;

/// Counts distinct fingerprints.
#[derive(Default)]
pub struct Distinct {
    smallest: BTreeSet<u64>,
}

impl Distinct {
    /// Takes in fingerprints in ascending order.
    pub fn add_sorted(&mut self, sorted: &[Fingerprint]) {
        for fingerprint in sorted {
            let first = fingerprint.first;
            if self.smallest.len() == KEPT {
                if self.smallest.last().is_some_and(|last| first >= *last) {
                    return;
                }
                if self.smallest.insert(first) {
                    self.smallest.pop_last();
                }
            } else {
                self.smallest.insert(first);
            }
        }
    }

    /// The number of distinct fingerprints, about.
    pub fn estimate(&self) -> u64 {
        match self.smallest.last() {
            Some(last) if self.smallest.len() == KEPT => {
                let share = (*last as f64 + 1.0) / 2_f64.powi(64);
                ((KEPT - 1) as f64 / share) as u64
            }
            _ => self.smallest.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identifier::Identifier;
    use crate::mask::key::Keyring;
    use crate::verify::fingerprint::Fingerprints;

    #[test]
    fn duplicates_count_once() {
        let fingerprints = Fingerprints::new(&Keyring::from_hex(&"1".repeat(64)).unwrap());
        for (distinct, error) in [(0_u64, 0.0), (1, 0.0), (4_000, 0.0), (300_000, 0.06)] {
            let mut sorted: Vec<Fingerprint> = (0..distinct)
                .map(|number| fingerprints.of(Identifier::Other, &number.to_le_bytes()))
                .collect();
            sorted.sort_unstable();
            let mut counted = Distinct::default();
            for _ in 0..5 {
                counted.add_sorted(&sorted);
            }
            let off = counted.estimate().abs_diff(distinct) as f64;
            assert!(off <= error * distinct as f64, "{} is not {distinct}", counted.estimate());
        }
    }
}
