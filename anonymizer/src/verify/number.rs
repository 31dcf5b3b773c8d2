//! Numbers that carry their own proof: payment cards (Luhn) and IBANs (ISO 13616). It reads digits and knows no person.

/// Length of an IBAN by country (SWIFT IBAN registry).
const LENGTHS: &[(&[u8; 2], u8)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// The longest IBAN there is.
pub const LONGEST_IBAN: usize = 34;

/// How long an IBAN that begins with these capital letters is.
pub fn iban_length(country: &[u8]) -> Option<usize> {
    LENGTHS.iter().find(|(code, _)| code.as_slice() == country).map(|(_, length)| (*length).into())
}

/// A hundred times this, and 99 more, has room in 64 bits.
const MUCH: u64 = u64::MAX / 1_000;

/// True for an IBAN without blanks, in capital letters, of its country's length and with right check digits.
pub fn is_iban(text: &[u8]) -> bool {
    let Some((head, account)) = text.split_at_checked(4) else { return false };
    if iban_length(&head[..2]) != Some(text.len()) {
        return false;
    }
    let value = |byte: &u8| match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'A'..=b'Z' => Some(u32::from(byte - b'A') + 10),
        _ => None,
    };
    let rest = account.iter().chain(head).try_fold(0, |rest: u64, byte| {
        // Divided only when the next character may not have room.
        let rest = if rest < MUCH { rest } else { rest % 97 };
        value(byte).map(|value| rest * if value < 10 { 10 } else { 100 } + u64::from(value))
    });
    rest.is_some_and(|rest| rest % 97 == 1)
}

/// True for 13 to 19 digits as payment cards have them: a known first digit, and a right last one (ISO/IEC 7812).
pub fn is_card(digits: &[u8]) -> bool {
    (13..=19).contains(&digits.len()) && (b'2'..=b'6').contains(&digits[0]) && luhn(digits)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            match place % 2 {
                0 => digit,
                _ if digit > 4 => 2 * digit - 9,
                _ => 2 * digit,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// True where all digits are one, or each is its neighbour's plus or minus one: what people type in place of a number.
pub fn is_filler(digits: &[u8]) -> bool {
    let steps =
        |by: u8| digits.windows(2).all(|two| (two[1] - b'0') == ((two[0] - b'0') + by) % 10);
    steps(0) || steps(1) || steps(9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_prove_themselves() {
        assert!(is_iban(b"FR1420041010050500013M02606") && is_iban(b"DE89370400440532013000"));
        assert!(
            !is_iban(b"DE89370400440532013001")
                && !is_iban(b"DE8937040044053201300")
                && !is_iban(b"XX")
        );
        assert!(is_card(b"4111111111111111") && is_card(b"378282246310005"));
        assert!(
            !is_card(b"4111111111111112") && !is_card(b"0000000000000000") && !is_card(b"41111")
        );
        assert!(is_filler(b"0000000000") && is_filler(b"0123456789") && is_filler(b"987654321"));
        assert!(!is_filler(b"0612345678"));
    }
}
