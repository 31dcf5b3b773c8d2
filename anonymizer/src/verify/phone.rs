//! Telephone numbers: what of a spelling says which number is meant.
//!
//! A number has two forms, because a national spelling does not say its country. The international form is `+`, country
//! code and national number; the national form is `0` and the national number without trunk zeros. An original gives both,
//! as far as its spelling tells; what is read afterwards is looked up in whichever its spelling can mean.

/// Shortest and longest national number that is looked for: shorter ones are anybody's.
const NATIONAL: std::ops::RangeInclusive<usize> = 8..=13;
/// Shortest and longest number with its country (ITU-T E.164).
const WHOLE: std::ops::RangeInclusive<usize> = 8..=15;

/// How a number is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// With `+` or `00`: it names its country.
    International,
    /// With a trunk zero, or in groups as people write numbers: a national number.
    National,
    /// Digits alone, which may be anything.
    Bare,
}

/// One form of a number, without allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    bytes: [u8; 18],
    length: u8,
}

impl Form {
    fn new(tag: u8, digits: &[u8]) -> Self {
        let mut bytes = [0; 18];
        bytes[0] = tag;
        bytes[1..=digits.len()].copy_from_slice(digits);
        Self { bytes, length: digits.len() as u8 + 1 }
    }

    /// The form as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Digits in it.
    pub fn digits(&self) -> u32 {
        u32::from(self.length) - 1
    }

    /// It names its country.
    pub fn is_international(&self) -> bool {
        self.bytes[0] == b'+'
    }
}

/// The forms that these digits can mean. Digits of a number with `+` come without it, those with `00` with it.
pub fn forms(digits: &[u8], plus: bool, spelling: Spelling, emit: &mut dyn FnMut(Form)) {
    let whole = match digits {
        [b'0', b'0', rest @ ..] if !plus => rest,
        digits => digits,
    };
    if plus || whole.len() < digits.len() {
        with_country(whole, emit);
        return;
    }
    national(digits, emit);
    match digits {
        [b'1', rest @ ..] if rest.len() == 10 => national(rest, emit),
        [b'1'..=b'9', ..] if spelling == Spelling::Bare && digits.len() > 10 => {
            with_country(digits, emit);
        }
        _ => {}
    }
}

/// Country code and national number, with or without a trunk zero between them.
fn with_country(digits: &[u8], emit: &mut dyn FnMut(Form)) {
    let code = country_code(digits);
    let (country, rest) = digits.split_at(code.min(digits.len()));
    let rest = without_zeros(rest);
    let length = country.len() + rest.len();
    if !WHOLE.contains(&length) || filler(rest) {
        return;
    }
    let mut whole = [0; 15];
    whole[..country.len()].copy_from_slice(country);
    whole[country.len()..length].copy_from_slice(rest);
    emit(Form::new(b'+', &whole[..length]));
    national(rest, emit);
}

fn national(digits: &[u8], emit: &mut dyn FnMut(Form)) {
    let digits = without_zeros(digits);
    if NATIONAL.contains(&digits.len()) && !filler(digits) {
        emit(Form::new(b'0', digits));
    }
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

/// `06 00 00 00 00`, `5555555555`, `12345678`: a number that ends in seven like digits is nobody's either.
fn filler(digits: &[u8]) -> bool {
    let Some(last) = digits.last() else { return true };
    let alike = digits.iter().rev().take_while(|digit| *digit == last).count();
    alike >= 7 || alike + 1 >= digits.len() || super::number::is_filler(digits)
}

/// Digits of the country code that a number begins with (ITU-T E.164 list of assigned codes: one digit for zones 1 and 7, two
/// for those below, three for all others).
fn country_code(digits: &[u8]) -> usize {
    match digits {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0' | b'1' | b'2' | b'3' | b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    }
}

/// How a run of digits in groups is spelled. `groups` are the lengths of the groups.
pub fn spelling(digits: &[u8], groups: &[u8], plus: bool) -> Spelling {
    match (digits, groups) {
        _ if plus => Spelling::International,
        ([b'0', b'0', b'1'..=b'9', ..], _) if digits.len() >= 11 => Spelling::International,
        ([b'0', b'1'..=b'9', ..], _) if (9..=12).contains(&digits.len()) => Spelling::National,
        // North America: 202-555-0123, 1 202 555 0123.
        ([b'2'..=b'9', ..], [3, 3, 4]) | ([b'1', b'2'..=b'9', ..], [1, 3, 3, 4]) => {
            Spelling::National
        }
        ([b'2'..=b'9', ..], [2 | 3, 2 | 3, 2 | 3]) if digits.len() == 9 => Spelling::National,
        _ => Spelling::Bare,
    }
}

/// The forms of an original, however it is spelled. What stands behind the first letter (an extension) is left out.
pub fn original(text: &str, emit: &mut dyn FnMut(Form)) {
    let text = text.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '+');
    let end = text
        .find(|c: char| c.is_alphabetic() || matches!(c, ',' | ';' | '#'))
        .unwrap_or(text.len());
    let text = &text[..end];
    let mut digits = [0; 24];
    let mut length = 0;
    for byte in text.bytes().filter(u8::is_ascii_digit) {
        if length == digits.len() {
            return;
        }
        digits[length] = byte;
        length += 1;
    }
    // As an original, digits alone may be either.
    forms(&digits[..length], text.starts_with('+'), Spelling::Bare, emit);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn original_forms(text: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        original(text, &mut |form| {
            found.insert(String::from_utf8(form.as_bytes().to_vec()).unwrap());
        });
        found
    }

    #[test]
    fn every_spelling_of_a_number_meets() {
        let whole = original_forms("+33 6 12 34 56 78");
        assert_eq!(whole, BTreeSet::from(["+33612345678".into(), "0612345678".into()]));
        for other in
            ["0612345678", "06.12.34.56.78", "0033612345678", "+33 (0)6 12 34 56 78", "33612345678"]
        {
            assert!(!original_forms(other).is_disjoint(&whole), "{other}");
        }
        let american = original_forms("+1 (202) 555-0123 ext. 9");
        for other in
            ["202-555-0123", "12025550123", "2025550123", "001 202 555 0123", "1 202 555 0123"]
        {
            assert!(!original_forms(other).is_disjoint(&american), "{other}");
        }
        let german = original_forms("+49 30 23125012");
        assert!(!original_forms("030/23125012").is_disjoint(&german));
        // The same national number in another country is another number.
        assert!(!original_forms("+49 612345678").contains("+33612345678"));
    }

    #[test]
    fn what_is_nobodys_is_not_looked_for() {
        for text in [
            "",
            "n/a",
            "0000000000",
            "1234567",
            "555-1234",
            "+33 0 00 00 00 00",
            "0123456789",
            "112",
            "9999999999",
            "123456789012345678901234567",
        ] {
            assert_eq!(original_forms(text), BTreeSet::new(), "{text}");
        }
    }
}
