//! Hits counted by place and kind, and when they are a leak.
//!
//! One certain hit is. Of numbers that are only digits as many are none as chance explains: where a place shows so many
//! numbers and so many of all numbers of that length are originals, that many must agree by accident. Of words that mean
//! something else too, a leak shows many different ones.

use std::collections::HashSet;

use super::normal::Weight;

/// A place shows so many different words that are originals before they are a leak, …
const MANY_WORDS: usize = 20;
/// … and one in so many of its values is one.
const ONE_IN: u64 = 100;
/// Different words that are remembered.
const MOST_WORDS: usize = 10_000;

/// The hits of one kind in one place.
#[derive(Debug, Default)]
pub struct Tally {
    /// Values with a hit that is a leak by itself.
    certain: u64,
    /// Values with an original's number that is only digits, and no certain hit.
    digits: u64,
    /// Originals' numbers that chance alone would give.
    pub by_chance: f64,
    /// Values that are an original's word, and no other hit.
    words: u64,
    different: HashSet<u64>,
}

impl Tally {
    /// Counts a value by its weightiest hit; `first` is the fingerprint's first half.
    pub fn count(&mut self, weight: Weight, first: u64) {
        match weight {
            Weight::Certain => self.certain += 1,
            Weight::Digits(_) => self.digits += 1,
            Weight::Word => {
                self.words += 1;
                if self.different.len() < MOST_WORDS {
                    self.different.insert(first);
                }
            }
        }
    }

    /// Values with a certain hit.
    pub fn certain(&self) -> u64 {
        self.certain
    }

    /// Values that leak, of so many values that the place has.
    pub fn leaks(&self, values: u64) -> u64 {
        let explained = self.by_chance + 4.0 * self.by_chance.sqrt() + 0.5;
        let digits = if self.digits as f64 > explained { self.digits } else { 0 };
        let different = self.different.len();
        let many = different >= MANY_WORDS
            && (different as u64 * ONE_IN >= values || different == MOST_WORDS);
        self.certain + digits + if many { self.words } else { 0 }
    }
}

/// The share of all numbers of so many digits that are originals, where there are so many of them.
pub fn chance(digits: u32, originals: u64) -> f64 {
    (originals as f64 / (0.9 * 10_f64.powi(digits as i32))).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(by_chance: f64, hits: u64, weight: impl Fn(u64) -> (Weight, u64)) -> Tally {
        let mut tally = Tally { by_chance, ..Tally::default() };
        for hit in 0..hits {
            let (weight, first) = weight(hit);
            tally.count(weight, first);
        }
        tally
    }

    #[test]
    fn one_certain_hit_is_a_leak() {
        assert_eq!(with(1e6, 1, |hit| (Weight::Certain, hit)).leaks(1_000_000), 1);
        assert_eq!(Tally::default().leaks(10), 0);
    }

    #[test]
    fn digits_leak_beyond_chance() {
        let digits = |by_chance, hits| {
            with(by_chance, hits, |hit| (Weight::Digits(9), hit)).leaks(1_000_000)
        };
        // One telephone number among a thousand numbers, of ten thousand originals.
        assert_eq!(digits(1_000.0 * chance(9, 10_000) / 10.0, 1), 1);
        // A million order numbers against a million originals: some thousand agree by accident, and a copied column is seen.
        let by_chance = 1e6 * chance(9, 1_000_000);
        assert_eq!(digits(by_chance, 1_150), 0);
        assert_eq!(digits(by_chance, 1_000_000), 1_000_000);
    }

    #[test]
    fn words_leak_in_numbers() {
        let words = |hits, different, values| {
            with(0.0, hits, |hit| (Weight::Word, hit % different)).leaks(values)
        };
        // A column of colours, of which five are somebody's user name.
        assert_eq!(words(1_000, 5, 1_000), 0);
        // A column of words for a million things.
        assert_eq!(words(1_000_000, 60, 1_000_000), 0);
        // A copied column of user names.
        assert_eq!(words(500, 500, 1_000), 500);
        assert_eq!(words(30, 30, 3_000), 30);
    }
}
