//! Pairs of adjacent words, which is how a person's name stands in a text.

use super::fold::fold;
use super::normal::{self, Weight};
use super::token::Found;
use crate::identifier::Identifier;

/// Bytes between two words of a name: `Müller, Jürgen`, `"Marie","Dupont"`.
const MOST_BETWEEN: usize = 3;
/// Titles, particles and initials that may stand between the words of a name: `Jean de la Tour`, `John F. Kennedy`.
const MOST_PASSED: usize = 2;

/// Scratch.
#[derive(Default)]
pub struct Pair {
    before: Vec<u8>,
    word: Vec<u8>,
    normal: Vec<u8>,
}

/// Gives every pair of adjacent words that can be a name.
pub fn scan(text: &str, pair: &mut Pair, found: &mut Found<'_>) {
    let bytes = text.as_bytes();
    pair.before.clear();
    let (mut passed, mut at) = (0, 0);
    while at < bytes.len() {
        let gap = bytes[at..].iter().take_while(|byte| !is_letter(**byte)).count();
        let start = at + gap;
        let length = bytes[start..].iter().take_while(|byte| is_letter(**byte)).count();
        if length == 0 {
            return;
        }
        let near = gap <= MOST_BETWEEN
            && !bytes[at..start].iter().any(|byte| *byte == b'\n' || byte.is_ascii_digit());
        at = start + length;
        if !near {
            pair.before.clear();
        }
        pair.word.clear();
        let word = &text[start..at];
        if word.is_ascii() {
            pair.word.extend(word.bytes().map(|byte| byte.to_ascii_lowercase()));
        } else {
            fold(word, &mut pair.word);
        }
        passed = pair.take(passed, found);
    }
}

/// Text is cut between letters and other ASCII alone, so that the pieces are valid UTF-8.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || !byte.is_ascii()
}

impl Pair {
    fn take(&mut self, passed: usize, found: &mut Found<'_>) -> usize {
        if normal::is_whole_name(&self.word) {
            found(Identifier::FullName, &self.word, Weight::Certain);
        }
        if !normal::is_name(&self.word) {
            if passed == MOST_PASSED {
                self.before.clear();
            }
            return passed + 1;
        }
        if !self.before.is_empty() && normal::pair(&self.before, &self.word, &mut self.normal) {
            found(Identifier::FullName, &self.normal, Weight::Certain);
        }
        std::mem::swap(&mut self.before, &mut self.word);
        0
    }
}
