//! Runs of digits as people write numbers, in groups or in one: telephone numbers, cards, numbers of persons.

use super::normal::{Weight, account_weight};
use super::number::is_card;
use super::phone::{self, Spelling};
use super::token::{Found, Kinds};
use crate::identifier::Identifier;

/// Digits and groups of one run that are looked at; a longer run is looked at in pieces.
const MOST_DIGITS: usize = 64;
const MOST_GROUPS: usize = 24;

/// A run of groups of digits.
struct Run {
    digits: [u8; MOST_DIGITS],
    /// Where each group ends in `digits`.
    ends: [u8; MOST_GROUPS],
    groups: usize,
    /// Groups with a plus sign before them, as bits.
    plus: u32,
}

/// Gives every number in the text that may be of one of these kinds.
pub fn scan(text: &[u8], kinds: Kinds, found: &mut Found<'_>) {
    if !kinds.any(Kinds::of(&[Identifier::Phone, Identifier::Card, Identifier::NationalId])) {
        return;
    }
    let mut run = Run { digits: [0; MOST_DIGITS], ends: [0; MOST_GROUPS], groups: 0, plus: 0 };
    let mut at = 0;
    while let Some(next) = text[at..].iter().position(u8::is_ascii_digit) {
        let start = at + next;
        // Most digits are in the middle of a hash, a name of a file, a word.
        if start > 0 && text[start - 1].is_ascii_alphabetic() {
            at = start + text[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            continue;
        }
        at = run.read(text, start);
        if run.length(0, run.groups) >= 8 {
            run.numbers(kinds, found);
        }
    }
}

impl Run {
    /// Reads the run that begins at a digit; gives where to go on. A group that touches a letter is no number.
    fn read(&mut self, text: &[u8], start: usize) -> usize {
        (self.groups, self.plus) = (0, 0);
        let (mut at, mut filled) = (start, 0);
        let letter = |byte: Option<&u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        };
        loop {
            let length = text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let end = at + length;
            let before = at.checked_sub(1).and_then(|before| text.get(before));
            let torn = letter(before) || letter(text.get(end));
            if torn || filled + length > MOST_DIGITS || self.groups == MOST_GROUPS {
                return end;
            }
            self.digits[filled..filled + length].copy_from_slice(&text[at..end]);
            filled += length;
            if before == Some(&b'+') || plus_in_brackets(text, at) {
                self.plus |= 1 << self.groups;
            }
            self.ends[self.groups] = filled as u8;
            self.groups += 1;
            match gap(&text[end..]) {
                Some(gap) => at = end + gap,
                None => return end,
            }
        }
    }
}

/// `(+33) 6 …`, `+(33)6 …`.
fn plus_in_brackets(text: &[u8], at: usize) -> bool {
    at >= 2 && text[at - 1] == b'(' && text[at - 2] == b'+'
}

/// Length of what may stand between two groups: up to three signs, then a digit.
fn gap(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < 6 {
        match text.get(at)? {
            b'0'..=b'9' => return (at > 0).then_some(at),
            b' ' | b'.' | b'-' | b'/' | b'(' | b')' | b'+' => at += 1,
            // Blanks that do not break, and hyphens of typesetters.
            0xc2 if text.get(at + 1) == Some(&0xa0) => at += 2,
            0xe2 if matches!(text.get(at + 1..at + 3), Some([0x80, 0x90..=0x93 | 0xaf | 0x89])) => {
                at += 3
            }
            _ => return None,
        }
    }
    None
}

impl Run {
    fn start(&self, group: usize) -> usize {
        group.checked_sub(1).map_or(0, |before| self.ends[before].into())
    }

    fn length(&self, first: usize, end: usize) -> usize {
        end.checked_sub(1).map_or(0, |last| usize::from(self.ends[last])) - self.start(first)
    }

    /// Every sequence of groups that can be one number.
    fn numbers(&self, kinds: Kinds, found: &mut Found<'_>) {
        for first in 0..self.groups {
            for end in first + 1..=self.groups {
                let length = self.length(first, end);
                if length > 19 {
                    break;
                }
                if length >= 8 {
                    self.number(first, end, kinds, found);
                }
            }
        }
    }

    fn number(&self, first: usize, end: usize, kinds: Kinds, found: &mut Found<'_>) {
        let start = self.start(first);
        let digits = &self.digits[start..start + self.length(first, end)];
        let mut lengths = [0; MOST_GROUPS];
        for group in first..end {
            lengths[group - first] = self.length(group, group + 1) as u8;
        }
        let lengths = &lengths[..end - first];
        let plus = self.plus & 1 << first != 0;
        let alone = end - first == 1 || end - first == self.groups;
        if kinds.has(Identifier::Phone) {
            phone(digits, lengths, plus, alone, found);
        }
        if plus {
            return;
        }
        let card = matches!(lengths, [_] | [4, 4, 4, 1..=7] | [4, 6, 4 | 5] | [4, 4, 4, 4, 1..=3]);
        if kinds.has(Identifier::Card) && card && is_card(digits) {
            found(Identifier::Card, digits, Weight::Certain);
        }
        if kinds.has(Identifier::NationalId) && (alone || lengths.len() > 2) {
            match account_weight(digits) {
                Some(Weight::Digits(length)) => {
                    let bare = u32::from(lengths.len() == 1);
                    found(Identifier::NationalId, digits, Weight::Digits(length - bare));
                }
                Some(weight) => found(Identifier::NationalId, digits, weight),
                None => {}
            }
        }
    }
}

fn phone(digits: &[u8], groups: &[u8], plus: bool, alone: bool, found: &mut Found<'_>) {
    let spelling = phone::spelling(digits, groups, plus);
    if spelling == Spelling::Bare && !alone {
        return;
    }
    phone::forms(digits, plus, spelling, &mut |form| {
        let weight = match spelling {
            Spelling::International if form.is_international() => Weight::Certain,
            // Digits alone may be anything, so chance is given ten times as much.
            Spelling::Bare => Weight::Digits(form.digits() - 1),
            _ => Weight::Digits(form.digits()),
        };
        found(Identifier::Phone, form.as_bytes(), weight);
    });
}

/// A text that is one run: its digits, how many groups they are in, and how a telephone number is spelled like that.
pub fn whole(text: &[u8]) -> Option<(Vec<u8>, usize, Spelling)> {
    let first = text.iter().position(u8::is_ascii_digit)?;
    let mut run = Run { digits: [0; MOST_DIGITS], ends: [0; MOST_GROUPS], groups: 0, plus: 0 };
    let end = run.read(text, first);
    if text[end..].iter().any(u8::is_ascii_digit) || run.groups == 0 {
        return None;
    }
    let digits = run.digits[..run.length(0, run.groups)].to_vec();
    let lengths: Vec<u8> =
        (0..run.groups).map(|group| run.length(group, group + 1) as u8).collect();
    let spelling = phone::spelling(&digits, &lengths, run.plus & 1 != 0);
    Some((digits, run.groups, spelling))
}
