//! Columns that the rules keep and that look like identifiers nobody has thought of: a `keep` column full of e-mail
//! addresses.
//!
//! It looks at a sample and reports shares. A value counts only where it is written as nothing else is: digits alone are
//! order numbers, and what happens to check is one in ten of them.

use contract::report::Suspect;

use super::digits;
use super::number::{is_card, is_iban};
use super::persons::Persons;
use super::phone::Spelling;
use super::scope::Detect;
use super::token;
use crate::identifier::Identifier;
use crate::switches;

/// The first values are looked at, then one of every so many, up to so many.
const FIRST: u64 = 500;
const EVERY: u64 = 97;
const MOST: u64 = 20_000;
/// Values that look like one, unless the column has fewer.
const FEW: u64 = 3;

const DETECTED: [(Identifier, u64); 5] = [
    // The kind, and the share from which it is one, in percent.
    (Identifier::Email, 10),
    (Identifier::Phone, 50),
    (Identifier::Iban, 20),
    (Identifier::Card, 50),
    (Identifier::NationalId, 50),
];

/// What a sample of a column's values looks like.
#[derive(Debug, Default)]
pub struct Sampled {
    looked: u64,
    matched: [u64; DETECTED.len()],
    persons: Option<Persons>,
}

impl Sampled {
    /// For a column of a table, whose name says something too.
    pub fn of(table: &str, column: &str) -> Self {
        let persons = !switches::is_off("gate.persons");
        Self { persons: persons.then(|| Persons::of(table, column)), ..Self::default() }
    }

    /// Whether the `number`th value of the column is one of the sample.
    pub fn wants(&self, number: u64) -> bool {
        self.looked < MOST && (number <= FIRST || number.is_multiple_of(EVERY))
    }

    /// Looks at a value.
    pub fn look(&mut self, text: &str, detect: Detect) {
        if text.trim().is_empty() {
            return;
        }
        self.looked += 1;
        let kinds = if detect == Detect::Addresses { &DETECTED[..1] } else { &DETECTED };
        let looks: [bool; DETECTED.len()] = std::array::from_fn(|at| {
            kinds.get(at).is_some_and(|(kind, _)| looks_like(*kind, text))
        });
        for (matched, looks) in self.matched.iter_mut().zip(looks) {
            *matched += u64::from(looks);
        }
        // What counts as an e-mail address is not somebody's name as well, although its words may be.
        let persons = self.persons.as_mut();
        if let Some(persons) = persons.filter(|_| detect == Detect::Everything && !looks[0]) {
            persons.look(text);
        }
    }

    /// Kinds that a good share of the sample looks like.
    pub fn suspects<'a>(&'a self, column: &'a str) -> impl Iterator<Item = Suspect> + 'a {
        let counted = DETECTED.into_iter().zip(self.matched);
        let persons = self.persons.iter().flat_map(|persons| persons.found(self.looked));
        counted
            .filter(|((_, share), matched)| {
                *matched >= FEW.min(self.looked).max(1) && matched * 100 >= share * self.looked
            })
            .map(|((kind, _), matched)| (kind, matched))
            .chain(persons)
            .map(|(kind, matched)| Suspect {
                column: column.to_owned(),
                kind: kind.name().into(),
                sampled: self.looked,
                matched,
                reason: None,
            })
    }
}

fn looks_like(kind: Identifier, text: &str) -> bool {
    if kind == Identifier::Email {
        return has_address(text);
    }
    // A document or an array looks like what one of its strings looks like.
    text.split(['"', '{', '}', ',', ';'])
        .map(str::trim)
        .filter(|part| (8..=48).contains(&part.len()))
        .any(|part| match kind {
            Identifier::Phone => is_phone(part),
            Identifier::Iban => is_iban(&letters_and_digits(part)),
            Identifier::Card => is_card_in_groups(part),
            _ => is_national_id(part),
        })
}

/// An address that could reach somebody.
fn has_address(text: &str) -> bool {
    let mut any = false;
    token::addresses(text.as_bytes(), &mut |_, at, end| {
        let domain = text.get(at + 1..end).unwrap_or_default().to_ascii_lowercase();
        let last = domain.rsplit('.').next().unwrap_or_default();
        let reserved = ["test", "example", "invalid", "localhost", "local"].contains(&last)
            || ["example.com", "example.org", "example.net"].iter().any(|known| {
                domain
                    .strip_suffix(known)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            });
        // `sprite@2x.png` is a file.
        let file = ["png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js"].contains(&last);
        any |= !reserved && !file;
    });
    any
}

fn is_phone(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_digit() || " +.-/()\u{a0}".contains(c);
    text.chars().all(plain)
        && text.len() <= 24
        && digits::whole(text.as_bytes()).is_some_and(|(digits, groups, spelling)| match spelling {
            Spelling::International => digits.len() >= 9,
            Spelling::National => digits[0] == b'0' || (groups > 1 && digits.len() >= 10),
            Spelling::Bare => false,
        })
}

/// In groups, or sixteen digits that a card begins with.
fn is_card_in_groups(text: &str) -> bool {
    let number = letters_and_digits(text);
    let grouped = text.len() > number.len()
        && text.bytes().all(|byte| byte.is_ascii_digit() || b" -".contains(&byte));
    let alone = text.len() == number.len() && matches!(number.len(), 15 | 16);
    number.iter().all(u8::is_ascii_digit) && (grouped || alone) && is_card(&number)
}

fn letters_and_digits(text: &str) -> Vec<u8> {
    let mut number = Vec::with_capacity(text.len());
    super::normal::account(text, &mut number);
    number
}

/// Numbers that states give to persons and that show it: by their groups, or by a check digit of their own.
fn is_national_id(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| match c {
            '0'..='9' => '9',
            'A'..='Z' | 'a'..='z' => 'A',
            c => c,
        })
        .collect();
    let number = letters_and_digits(text);
    match shape.as_str() {
        // United States: neither 000, 666 nor 9xx.
        "999-99-9999" => {
            !text.starts_with("000") && !text.starts_with("666") && !text.starts_with('9')
        }
        // Brazil.
        "999.999.999-99" => true,
        // Spain.
        "99999999A" | "99999999-A" => spanish(&number),
        // Italy.
        "AAAAAA99A99A999A" => true,
        // United Kingdom.
        "AA 99 99 99 A" => true,
        "AA999999A" => matches!(number.last(), Some(b'A'..=b'D')),
        _ => french(&number),
    }
}

fn spanish(number: &[u8]) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let Some((letter, digits)) = number.split_last() else { return false };
    let value = digits.iter().fold(0_usize, |value, digit| value * 10 + usize::from(digit - b'0'));
    LETTERS[value % 23] == *letter
}

/// Fifteen digits, the last two 97 less the remainder of the others, and a sex, a month.
fn french(number: &[u8]) -> bool {
    if number.len() != 15
        || !number.iter().all(u8::is_ascii_digit)
        || !matches!(number[0], b'1' | b'2')
    {
        return false;
    }
    let value = |digits: &[u8]| {
        digits.iter().fold(0_u64, |value, digit| value * 10 + u64::from(digit - b'0'))
    };
    let month = value(&number[3..5]);
    (1..=12).contains(&month) && 97 - value(&number[..13]) % 97 == value(&number[13..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suspects(values: &[&str]) -> Vec<String> {
        looked_at(Sampled::default(), values)
    }

    fn looked_at(mut sampled: Sampled, values: &[&str]) -> Vec<String> {
        for value in values {
            sampled.look(value, Detect::Everything);
        }
        sampled
            .suspects("t.c")
            .map(|suspect| format!("{} {}/{}", suspect.kind, suspect.matched, suspect.sampled))
            .collect()
    }

    #[test]
    fn an_address_is_nobodys_name_and_an_at_sign_no_address() {
        let of = |column| Sampled::of("t", column);
        let addresses = ["andrew.adams@shop.fr", "nancy@shop.fr", "jane.peacock@shop.fr"];
        assert_eq!(looked_at(of("label"), &addresses), ["email 3/3"]);
        assert_eq!(looked_at(of("first_name"), &addresses), ["email 3/3"]);
        assert_eq!(looked_at(of("username"), &["@kim7", "@ada.b", "@joe_x"]), ["username 3/3"]);
        let names = ["Kim Lee <kim@example.org>", "Ada Byron <ada@example.org>", "Jo Roe"];
        assert_eq!(looked_at(of("contact_name"), &names), ["full_name 3/3"]);
    }

    #[test]
    fn columns_of_identifiers_are_seen() {
        for (values, expected) in [
            (&["a@shop.fr", "b@shop.fr", "none", "write to c@shop.fr"][..], "email 3/4"),
            (&["+33 6 12 34 56 78", "06 12 34 56 79", "(202) 555-0143", "n/a"], "phone 3/4"),
            (&["030/1234567", "030/23125012", "0171 1234567"], "phone 3/3"),
            (
                &[
                    "DE89370400440532013000",
                    "FR14 2004 1010 0505 0001 3M02 606",
                    "GB82 WEST 1234 5698 7654 32",
                ],
                "iban 3/3",
            ),
            (&["4111 1111 1111 1111", "5500000000000004", "378282246310005"], "card 3/3"),
            (&["123-45-6789", "078-05-1120", "219-09-9998"], "national_id 3/3"),
            (&["12345678Z", "1 85 05 78 006 084 91", "RSSMRA85T10A562S"], "national_id 3/3"),
            (
                &["{\"a\":\"x\",\"tel\":\"+33612345678\"}", "{\"tel\":\"+33612345679\"}"],
                "phone 2/2",
            ),
            (&["joe@shop.fr"], "email 1/1"),
        ] {
            assert_eq!(suspects(values), [expected], "{values:?}");
        }
    }

    #[test]
    fn columns_of_other_things_are_not() {
        for values in [
            &["active", "on hold", "done"][..],
            &["2024-01-02 10:00:00", "2024-01-03", "20240103101500"],
            &["1000000001", "1000000002", "0000012345"],
            &["ORD-2024-000001", "ORD-2024-000002"],
            &["192.168.100.200", "10.0.0.1", "203.0.113.199"],
            &["550e8400-e29b-41d4-a716-446655440000"],
            &["a@example.com", "b@mail.example.org", "c@shop.test"],
            &["sprite@2x.png", "logo@3x.png", "icon@2x.png"],
            &["12.50", "1 250.00", "99,95"],
            &["4006381333931", "0012345678905", "9780306406157"],
            &["1.2.3", "10.20.30-rc.1"],
            &[],
        ] {
            assert_eq!(suspects(values), Vec::<String>::new(), "{values:?}");
        }
    }
}
