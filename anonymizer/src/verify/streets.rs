//! Street addresses in a text: words that begin or end with a house number next to another word.

use super::fold::fold_words;
use super::normal::{self, Weight};
use super::token::Found;
use crate::identifier::Identifier;

/// Words of a street address in a sentence: `25 avenue du Maréchal de Lattre de Tassigny`.
const MOST_WORDS: usize = 8;
/// Shorter texts hold no address that is looked for.
const SHORTEST: usize = 8;

/// Gives what may be an address in each part of a text: between quotes, tags, colons and the like, which no address has.
pub fn scan(text: &str, folded: &mut Vec<u8>, found: &mut Found<'_>) {
    let bytes = text.as_bytes();
    let (mut start, mut number) = (0, false);
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        match byte {
            b'"' | b'\t' | b'\n' | b'\r' | b'|' | b'<' | b'>' | b'{' | b'}' | b'[' | b']'
            | b':' | b'=' | b'\\' => {
                if number {
                    part(&text[start..place], folded, found);
                }
                (start, number) = (place + 1, false);
                place += 1;
            }
            b'0'..=b'9' => {
                let length = bytes[place..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                let at = |place: usize| bytes.get(place).copied().unwrap_or(b' ');
                let (after, next) = (at(place + length), at(place + length + 1));
                let suffix = after.is_ascii_alphabetic() && !next.is_ascii_alphanumeric();
                number |= length <= 5
                    && (place == 0 || !bytes[place - 1].is_ascii_alphanumeric())
                    && (suffix || !after.is_ascii_alphanumeric());
                place += length;
            }
            _ => place += 1,
        }
    }
    if number {
        part(&text[start..], folded, found);
    }
}

fn part(text: &str, folded: &mut Vec<u8>, found: &mut Found<'_>) {
    if text.len() < SHORTEST {
        return;
    }
    folded.clear();
    fold_words(text, folded);
    // The last words: where each begins, and whether it may be a house number.
    let mut words = [(0, false); MOST_WORDS];
    let (mut seen, mut start) = (0, 0);
    let mut numbers: u8 = 0;
    for word in folded.split(|byte| *byte == b' ') {
        let end = start + word.len();
        let here = is_house_number(word);
        numbers = numbers << 1 | u8::from(here);
        words[seen % MOST_WORDS] = (start, here);
        if numbers != 0 {
            let before = |back: usize| words[(seen - back) % MOST_WORDS];
            for back in 1..=seen.min(MOST_WORDS - 1) {
                let (begin, first) = before(back);
                let number_first = first && !before(back - 1).1;
                let number_last = here && !before(1).1;
                let address = &folded[begin..end];
                if (number_first || number_last) && normal::is_street(address) {
                    found(Identifier::StreetAddress, address, Weight::Certain);
                }
            }
        }
        (seen, start) = (seen + 1, end + 1);
    }
}

/// `7`, `12a`, `1204`.
fn is_house_number(word: &[u8]) -> bool {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=5).contains(&digits) && word.len() <= digits + 1
}
