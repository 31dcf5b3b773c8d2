//! Values of a column that were looked at a moment ago and hold nothing: a state, a country, a note that is in every row.
//!
//! It keeps hashes in a fixed number of slots, under a seed of its own, and forgets. A value whose hash is another's by chance is passed
//! over, which happens once in 2^64 times.

use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;

const SLOTS: usize = 512;
/// A longer value is seldom there twice.
const LONGEST: usize = 256;

/// What was looked at.
#[derive(Default)]
pub struct Seen {
    hasher: RandomState,
    slots: Vec<u64>,
}

impl Seen {
    /// The value's hash, where it is worth one.
    pub fn hash(&self, text: &str) -> Option<u64> {
        (text.len() <= LONGEST).then(|| self.hasher.hash_one(text) | 1)
    }

    /// It was looked at and held nothing.
    pub fn holds(&self, hash: u64) -> bool {
        self.slots.get(slot(hash)) == Some(&hash)
    }

    /// Notes a value that holds nothing.
    pub fn note(&mut self, hash: u64) {
        if self.slots.is_empty() {
            self.slots = vec![0; SLOTS];
        }
        self.slots[slot(hash)] = hash;
    }
}

fn slot(hash: u64) -> usize {
    (hash >> 48) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_known_until_another_takes_its_place() {
        let mut seen = Seen::default();
        let known = |seen: &Seen, text: &str| seen.hash(text).is_some_and(|hash| seen.holds(hash));
        assert!(!known(&seen, "paid"));
        seen.note(seen.hash("paid").unwrap());
        assert!(known(&seen, "paid") && !known(&seen, "sent") && !known(&seen, ""));
        for number in 0..100 * SLOTS {
            seen.note(seen.hash(&number.to_string()).unwrap());
        }
        assert!(!known(&seen, "paid") && seen.slots.len() == SLOTS);
        assert_eq!(seen.hash(&"x".repeat(LONGEST + 1)), None);
    }
}
