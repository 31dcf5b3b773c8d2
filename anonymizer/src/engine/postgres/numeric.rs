//! PostgreSQL's binary `numeric`: base-10000 digits with a weight, a sign and a display scale (`numeric_send` in
//! `src/backend/utils/adt/numeric.c`), to decimal text and back.

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const POSITIVE_INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// Decimal text of a field: plain notation with exactly the display scale, or `NaN`, `Infinity`, `-Infinity`.
pub fn decode(field: &[u8]) -> Option<String> {
    let word = |index: usize| {
        Some(u16::from_be_bytes(field.get(index * 2..index * 2 + 2)?.try_into().ok()?))
    };
    let (count, weight, sign, scale) =
        (i32::from(word(0)?), i32::from(word(1)? as i16), word(2)?, word(3)?);
    match sign {
        NAN => return Some("NaN".to_owned()),
        POSITIVE_INFINITY => return Some("Infinity".to_owned()),
        NEGATIVE_INFINITY => return Some("-Infinity".to_owned()),
        POSITIVE | NEGATIVE => {}
        _ => return None,
    }
    // The digit that stands for 10000^exponent; those that are not sent are zero.
    let digit = |exponent: i32| match weight - exponent {
        index if (0..count).contains(&index) => {
            word(4 + index as usize).filter(|digit| *digit < 10_000)
        }
        _ => Some(0),
    };
    let mut text = String::from(if sign == NEGATIVE { "-" } else { "" });
    text.push_str(&digit(weight.max(0))?.to_string());
    for exponent in (0..weight.max(0)).rev() {
        text.push_str(&format!("{:04}", digit(exponent)?));
    }
    if scale > 0 {
        text.push('.');
        let end = text.len() + usize::from(scale);
        let mut exponent = -1;
        while text.len() < end {
            text.push_str(&format!("{:04}", digit(exponent)?));
            exponent -= 1;
        }
        text.truncate(end);
    }
    Some(text)
}

/// Appends the binary form of decimal text; `None` where the text is no number.
pub fn encode(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let special = match text {
        "NaN" => Some(NAN),
        "Infinity" => Some(POSITIVE_INFINITY),
        "-Infinity" => Some(NEGATIVE_INFINITY),
        _ => None,
    };
    if let Some(sign) = special {
        for word in [0, 0, sign, 0] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        return Some(());
    }
    let (sign, magnitude) =
        text.strip_prefix('-').map_or((POSITIVE, text), |rest| (NEGATIVE, rest));
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let (digits, weight) = base_10000(whole, fraction);
    let sign = if digits.is_empty() { POSITIVE } else { sign };
    let head = [
        u16::try_from(digits.len()).ok()?,
        weight as u16,
        sign,
        u16::try_from(fraction.len()).ok()?,
    ];
    for word in head.into_iter().chain(digits) {
        out.extend_from_slice(&word.to_be_bytes());
    }
    Some(())
}

/// Groups of four decimal digits around the point, zeros at both ends left out, and the first group's exponent.
fn base_10000(whole: &str, fraction: &str) -> (Vec<u16>, i16) {
    let lead = (4 - whole.len() % 4) % 4;
    let tail = (4 - fraction.len() % 4) % 4;
    let padded = format!("{}{whole}{fraction}{}", &"000"[..lead], &"000"[..tail]);
    let groups = padded.as_bytes().chunks(4);
    let mut digits: Vec<u16> = groups
        .map(|group| group.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
        .collect();
    let mut weight = (whole.len() + lead) as i64 / 4 - 1;
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    digits.drain(..zeros);
    weight -= zeros as i64;
    while digits.last() == Some(&0) {
        digits.pop();
    }
    if digits.is_empty() {
        weight = 0;
    }
    (digits, weight as i16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives_a_round_trip() {
        for text in [
            "0",
            "0.00",
            "1",
            "-1",
            "9999",
            "10000",
            "12345678.90",
            "0.0001",
            "0.00001",
            "-0.000000012",
            "100000000",
            "123456789012345678901234567890.123456789",
            "NaN",
            "Infinity",
            "-Infinity",
            "10000.0001",
            "0.5",
        ] {
            let mut field = Vec::new();
            encode(text, &mut field).expect(text);
            assert_eq!(decode(&field).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", "1e5", ".5", "1.2.3", "abc", "+1", " 1"] {
            assert_eq!(encode(text, &mut Vec::new()), None, "{text}");
        }
    }
}
