//! `iban`: account numbers that check and belong to nobody.

use super::alphabet::push_pattern;
use super::key::Draw;
use super::parameter::IGNORE_CASE;
use super::source::{Source, Written};
use super::{Class, Function, Parameter, ParameterKind, Prepared, Rejection, Request};
use crate::catalog::Kind;
use crate::identifier::Identifier;

/// `iban`.
pub(super) static IBAN: Function = Function {
    name: "iban",
    class: Class::Pseudonymization,
    summary: "an IBAN with right check digits at a bank that does not exist",
    fits: "text",
    accepts: |kind| matches!(kind, Kind::Text { .. }),
    parameters: &[
        Parameter {
            name: "country",
            kind: ParameterKind::Text,
            required: false,
            summary: "AT, CH, DE, ES, FR, GB, IT, NL or PT; default: FR",
        },
        IGNORE_CASE,
    ],
    keyed: true,
    localized: false,
    identifies: Some(Identifier::Iban),
    uniqueness: "unique for FR (73 keyed bits) and IT (78)",
    normalisation: "none, unless the column ignores case or `ignore_case`",
    longest: "27 characters for FR and IT, 18 to 25 for the others",
    space: "10^9 (GB) to 10^23 (IT) by country",
    prepare: iban,
};

/// One country's account numbers.
struct Country {
    code: &'static str,
    /// What follows the check digits: a bank code that is assigned to nobody, then branch and account.
    pattern: &'static str,
    /// The national check characters for that, and where they go.
    check: fn(&str) -> (usize, String),
    /// The pattern carries 64 bits at least.
    unique: bool,
}

const COUNTRIES: [Country; 9] = [
    Country { code: "AT", pattern: "00000###########", check: unchecked, unique: false },
    Country { code: "CH", pattern: "00000$$$$$$$$$$$$", check: unchecked, unique: false },
    Country { code: "DE", pattern: "00000000##########", check: unchecked, unique: false },
    Country { code: "ES", pattern: "0000##############", check: spanish, unique: false },
    Country { code: "FR", pattern: "00000#####$$$$$$$$$$$", check: french, unique: true },
    Country { code: "GB", pattern: "XXXX00000#########", check: unchecked, unique: false },
    Country { code: "IT", pattern: "00000#####$$$$$$$$$$$$", check: italian, unique: true },
    Country { code: "NL", pattern: "XXXX##########", check: unchecked, unique: false },
    Country { code: "PT", pattern: "0000###############", check: portuguese, unique: false },
];

fn iban(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let code = request.text("country").unwrap_or("FR");
    let country = COUNTRIES.iter().find(|country| country.code == code).ok_or_else(|| {
        let codes: Vec<_> = COUNTRIES.iter().map(|country| country.code).collect();
        request.reject(
            "country",
            format!("unknown country `{code}`"),
            format!("use one of {}", codes.join(", ")),
        )
    })?;
    let write = |draw: &Draw, into: &mut String| country.push(draw, into);
    let longest = 4 + country.pattern.len() + (country.check)(country.pattern).1.len();
    Ok(Prepared::new(Written::new(Source::new(request, "iban"), write))
        .longest(longest)
        .unique(country.unique && request.tells_apart())
        .disjoint())
}

impl Country {
    fn push(&self, draw: &Draw, into: &mut String) {
        let mut account = String::with_capacity(32);
        push_pattern(self.pattern, draw.wide(0), &mut account);
        let (place, check) = (self.check)(&account);
        account.insert_str(place, &check);
        let check = 98 - remainder([&account, self.code, "00"]);
        into.push_str(self.code);
        push_two(check, into);
        into.push_str(&account);
    }
}

/// The remainder by 97 of the number that the characters of some texts stand for: a letter for two digits, from `A` for 10.
fn remainder<const TEXTS: usize>(texts: [&str; TEXTS]) -> u32 {
    let mut number = 0;
    for text in texts {
        for byte in text.bytes() {
            let value = u64::from(value(byte));
            number = room(number) * if value < 10 { 10 } else { 100 } + value;
        }
    }
    (number % 97) as u32
}

/// The number, or its remainder by 97 where two more digits may have no room behind it.
fn room(number: u64) -> u64 {
    if number < u64::MAX / 1_000 { number } else { number % 97 }
}

/// What a digit or a capital letter stands for.
fn value(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'Z' => u32::from(byte - b'A') + 10,
        _ => 0,
    }
}

fn push_two(number: u32, into: &mut String) {
    for digit in [number / 10, number % 10] {
        into.push(char::from_digit(digit, 10).expect("a number of two digits"));
    }
}

fn unchecked(account: &str) -> (usize, String) {
    (account.len(), String::new())
}

/// The RIB key: letters stand for one digit, A to I and J to R for 1 to 9, S to Z for 2 to 9.
fn french(account: &str) -> (usize, String) {
    let digits = account.bytes().map(|byte| match value(byte) {
        digit @ 0..10 => digit,
        letter @ 10..28 => (letter - 10) % 9 + 1,
        letter => letter - 26,
    });
    let number = digits.fold(0, |number, digit| room(number) * 10 + u64::from(digit));
    let rest = (room(number) * 100 % 97) as u32;
    let mut key = String::new();
    push_two(97 - rest, &mut key);
    (account.len(), key)
}

/// Two digits, one for bank and branch, one for the account.
fn spanish(account: &str) -> (usize, String) {
    const WEIGHTS: [u32; 10] = [1, 2, 4, 8, 5, 10, 9, 7, 3, 6];
    let digit = |digits: &str| {
        let digits = digits.chars().rev().map(|digit| digit.to_digit(10).unwrap_or(0));
        let sum: u32 = digits.zip(WEIGHTS.iter().rev()).map(|(digit, weight)| digit * weight).sum();
        let check = match 11 - sum % 11 {
            11 => 0,
            10 => 1,
            digit => digit,
        };
        char::from_digit(check, 10).expect("a check digit is below ten")
    };
    let (bank, account) = account.split_at(8);
    (8, [digit(bank), digit(account)].iter().collect())
}

/// The control character: every other character by a table, the others by their value.
fn italian(account: &str) -> (usize, String) {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let values = account.chars().map(|character| match character.to_digit(36).unwrap_or(0) {
        digit @ 0..10 => digit,
        letter => letter - 10,
    });
    let sum: u32 = values
        .enumerate()
        .map(|(place, value)| if place % 2 == 0 { ODD[value as usize] } else { value })
        .sum();
    (0, char::from(b'A' + (sum % 26) as u8).into())
}

fn portuguese(account: &str) -> (usize, String) {
    let mut check = String::new();
    push_two(98 - remainder([account, "00"]), &mut check);
    (account.len(), check)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::fixture::{Case, text};

    #[test]
    fn every_number_checks() {
        for country in COUNTRIES {
            let case = Case::new("iban", text()).with("country", country.code);
            for value in 0..100 {
                let iban = case.mask_text(&value.to_string());
                let (head, account) = iban.split_at(4);
                assert_eq!(remainder([account, head]), 1, "{iban}");
                assert!(
                    head.starts_with(country.code) && Some(iban.len()) == case.prepared().longest
                );
                let given = country.pattern.len();
                let (place, check) = match country.code {
                    "IT" => (0, 1),
                    "ES" => (8, 2),
                    "FR" | "PT" => (given, 2),
                    _ => (0, 0),
                };
                let mut rest = account.to_owned();
                rest.replace_range(place..place + check, "");
                assert_eq!((country.check)(&rest).1, account[place..place + check], "{iban}");
            }
        }
        insta::assert_snapshot!(Case::new("iban", text()).with("country", "XX").rejection(), @r"
        unknown country `XX`
        (hint: use one of AT, CH, DE, ES, FR, GB, IT, NL, PT)
        ");
    }

    #[test]
    fn finds_the_national_check_characters_of_published_examples() {
        assert_eq!(french("20041010050500013M026"), (21, "06".into()));
        assert_eq!(spanish("210004180200051332"), (8, "45".into()));
        assert_eq!(italian("0542811101000000123456"), (0, "X".into()));
        assert_eq!(portuguese("0002012312345678901"), (19, "54".into()));
    }

    #[test]
    fn divides_published_numbers_to_one() {
        for iban in [
            "FR1420041010050500013M02606",
            "DE89370400440532013000",
            "GB29NWBK60161331926819",
            "IT60X0542811101000000123456",
        ] {
            let (head, account) = iban.split_at(4);
            assert_eq!(remainder([account, head]), 1, "{iban}");
        }
    }
}
