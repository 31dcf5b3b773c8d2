//! Originals of which neither rule, function nor column name says what they are: those that show it by their form as a whole.
//!
//! What stands inside a sentence is not taken: a note quotes the shop's own address as well as a customer's.

use super::digits;
use super::normal;
use super::number::{is_card, is_iban};
use super::phone::Spelling;
use super::token;
use crate::identifier::Identifier;

/// No identifier with a form of its own is shorter or longer.
const LENGTHS: std::ops::RangeInclusive<usize> = 6..=254;
/// Digits of a card; others that have right check digits are one number in ten.
const CARD: std::ops::RangeInclusive<usize> = 15..=16;

/// Emits the normal forms of a value that is one e-mail address, IBAN, card or telephone number with its country, and
/// nothing else.
pub fn original(text: &str, emit: &mut dyn FnMut(Identifier, &[u8])) {
    let text = text.trim();
    if !LENGTHS.contains(&text.len()) {
        return;
    }
    let kind = match text.as_bytes() {
        [b'+', ..] if is_phone(text) => Identifier::Phone,
        [b'0'..=b'9', ..] if is_number(text, is_plain_card) => Identifier::Card,
        [b'A'..=b'Z' | b'a'..=b'z', _, b'0'..=b'9', b'0'..=b'9', ..]
            if is_number(text, is_iban) =>
        {
            Identifier::Iban
        }
        bytes if is_address(bytes) => Identifier::Email,
        _ => return,
    };
    normal::original(kind, text, emit);
}

fn is_phone(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_digit() || " +.-/()\u{a0}".contains(c);
    text.len() <= 24
        && text.chars().all(plain)
        && digits::whole(text.as_bytes()).is_some_and(|(digits, _, spelling)| {
            spelling == Spelling::International && digits.len() >= 9
        })
}

fn is_number(text: &str, is_one: fn(&[u8]) -> bool) -> bool {
    if text.len() > 48
        || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -.".contains(&byte))
    {
        return false;
    }
    let mut number = Vec::with_capacity(text.len());
    normal::account(text, &mut number);
    is_one(&number)
}

fn is_plain_card(number: &[u8]) -> bool {
    CARD.contains(&number.len()) && number.iter().all(u8::is_ascii_digit) && is_card(number)
}

/// One address from the first byte to the last.
fn is_address(text: &[u8]) -> bool {
    let mut whole = false;
    if memchr::memchr(b'@', text).is_some() {
        token::addresses(text, &mut |start, _, end| whole |= start == 0 && end == text.len());
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(text: &str) -> String {
        let mut forms = Vec::new();
        original(text, &mut |kind, form| {
            forms.push(format!("{} {}", kind.name(), String::from_utf8_lossy(form)));
        });
        forms.join("|")
    }

    #[test]
    fn what_shows_what_it_is_is_taken() {
        for (text, expected) in [
            (" Ada.Byron@Shop.FR ", "email ada.byron@shop.fr"),
            ("+33 6 12 34 56 79", "phone +33612345679|phone 0612345679"),
            ("fr14 2004 1010 0505 0001 3M02 606", "iban FR1420041010050500013M02606"),
            ("4111 1111 1111 1111", "card 4111111111111111"),
            ("378282246310005", "card 378282246310005"),
        ] {
            assert_eq!(forms(text), expected, "{text}");
        }
    }

    #[test]
    fn everything_else_is_not() {
        for text in [
            "",
            "Ada Byron",
            "0612345679",
            "612345679",
            "ask ada@shop.fr",
            "ada@shop.fr, joe@shop.fr",
            "noreply@shop.fr",
            "FR1420041010050500013M02607",
            "4111111111111112",
            "2024-01-02 10:00:00",
            "4006381333931",
            "550e8400-e29b-41d4-a716-446655440000",
            "+1",
        ] {
            assert_eq!(forms(text), "", "{text}");
        }
    }
}
