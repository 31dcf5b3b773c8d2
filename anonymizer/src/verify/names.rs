//! Pairs of adjacent words, which is how a person's name stands in a text.

use super::fold::fold;
use super::normal::{self, Weight};
use super::token::Found;
use crate::identifier::Identifier;

/// Bytes between two words of a name: `Müller, Jürgen`, `"Marie","Dupont"`.
const MOST_BETWEEN: usize = 3;
/// Titles, particles and initials that may stand between the words of a name: `Jean de la Tour`, `John F. Kennedy`.
const MOST_PASSED: usize = 2;
/// The longest name of a document's member that is looked at.
const LONGEST_KEY: usize = 40;
/// How names of members end that hold part of a person's name.
const PARTS: [&[u8]; 6] = [b"name", b"nom", b"last", b"first", b"nome", b"llido"];

/// Scratch.
#[derive(Default)]
pub struct Pair {
    before: Vec<u8>,
    /// How `before` stands in the text.
    stands: Stands,
    word: Vec<u8>,
    normal: Vec<u8>,
    /// A pair across a comma that is none if the text goes on as a list of people does.
    pending: Vec<u8>,
    /// A value that the next member's goes with.
    value: Vec<u8>,
}

/// How a word stands in the text.
#[derive(Clone, Copy, Default)]
struct Stands {
    /// Not between a pair of signs, a line's end, digits.
    near: bool,
    /// A comma, a slash or the like is before it.
    listed: bool,
    /// It has a capital.
    capital: bool,
    /// A word with a capital is before it, with a blank between them.
    joined: bool,
}

/// Gives every pair of adjacent words that can be a name.
pub fn scan(text: &str, pair: &mut Pair, found: &mut Found<'_>) {
    let bytes = text.as_bytes();
    pair.before.clear();
    pair.pending.clear();
    let (mut passed, mut at, mut member) = (0, 0, 0);
    while at < bytes.len() {
        let gap = bytes[at..].iter().take_while(|byte| !is_letter(**byte)).count();
        let start = at + gap;
        let length = bytes[start..].iter().take_while(|byte| is_letter(**byte)).count();
        if length == 0 {
            break;
        }
        let between = &bytes[at..start];
        if member == 0
            && !pair.before.is_empty()
            && between.last() == Some(&b'"')
            && let Some(end) = next_part(bytes, between, start)
        {
            (member, passed) = (end, 0);
            std::mem::swap(&mut pair.value, &mut pair.before);
            pair.before.clear();
        } else if member > 0 && start >= member {
            std::mem::swap(&mut pair.value, &mut pair.before);
            pair.stands = Stands::default();
            (at, member) = (member, 0);
            continue;
        }
        let word = &text[start..start + length];
        pair.word.clear();
        if word.is_ascii() {
            pair.word.extend(word.bytes().map(|byte| byte.to_ascii_lowercase()));
        } else {
            fold(word, &mut pair.word);
        }
        passed = pair.take(passed, stands(word, between), found);
        at = start + length;
    }
    pair.settle(found);
}

/// Text is cut between letters and other ASCII alone, so that the pieces are valid UTF-8.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || !byte.is_ascii()
}

fn stands(word: &str, between: &[u8]) -> Stands {
    let far = |byte: &u8| *byte == b'\n' || byte.is_ascii_digit();
    let near = between.len() <= MOST_BETWEEN && !between.iter().any(far);
    let first = word.as_bytes().first().copied().unwrap_or_default();
    Stands {
        near,
        listed: near && between.iter().any(|byte| b",/;&|".contains(byte)),
        capital: first.is_ascii_uppercase() || !first.is_ascii(),
        joined: false,
    }
}

/// Where the value begins of the document's member whose name begins at `start`, where it comes right after another and
/// holds part of a person's name: `"first": "Ada", "last": "Byron"`.
fn next_part(text: &[u8], between: &[u8], start: usize) -> Option<usize> {
    let is_next = between.first() == Some(&b'"')
        && between.contains(&b',')
        && between.iter().all(|byte| b"\", \n".contains(byte));
    if !is_next {
        return None;
    }
    let key = text[start..].get(..LONGEST_KEY).unwrap_or(&text[start..]);
    let key = &key[..memchr::memchr(b'"', key)?];
    let ends = |part: &&[u8]| {
        key.len() >= part.len() && key[key.len() - part.len()..].eq_ignore_ascii_case(part)
    };
    let colon = start + key.len() + 1;
    let blanks = text[colon..].iter().take_while(|byte| **byte == b' ').count();
    let colon = colon + blanks;
    (text.get(colon) == Some(&b':') && PARTS.iter().any(ends)).then_some(colon + 1)
}

impl Pair {
    fn take(&mut self, passed: usize, mut stands: Stands, found: &mut Found<'_>) -> usize {
        if !stands.near {
            self.before.clear();
        }
        if normal::is_whole_name(&self.word) {
            found(Identifier::FullName, &self.word, Weight::Certain);
        }
        if !normal::is_name(&self.word) {
            self.settle(found);
            if passed == MOST_PASSED {
                self.before.clear();
            }
            return passed + 1;
        }
        let blank = !self.before.is_empty() && !stands.listed;
        stands.joined = blank && self.stands.capital;
        if !self.pending.is_empty() {
            // `Dave Murray, Steve Harris`: Murray Steve is nobody.
            if blank && stands.capital {
                self.pending.clear();
            }
            self.settle(found);
        }
        if !self.before.is_empty() && normal::pair(&self.before, &self.word, &mut self.normal) {
            if stands.listed && stands.capital && self.stands.capital && self.stands.joined {
                std::mem::swap(&mut self.pending, &mut self.normal);
            } else {
                found(Identifier::FullName, &self.normal, Weight::Certain);
            }
        }
        std::mem::swap(&mut self.before, &mut self.word);
        self.stands = stands;
        0
    }

    /// Gives the pair that waits.
    fn settle(&mut self, found: &mut Found<'_>) {
        if !self.pending.is_empty() {
            found(Identifier::FullName, &self.pending, Weight::Certain);
            self.pending.clear();
        }
    }
}
