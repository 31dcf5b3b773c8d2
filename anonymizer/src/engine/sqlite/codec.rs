//! Between what SQLite stores and what masks see.
//!
//! SQLite types values, not columns: what is stored decides, and the column's declared kind only says how to read it. A fake
//! goes back in the storage class its original had, wherever it can. What fits no reading is handed over as it is: the mask
//! then fails, and nothing passes unmasked.

use std::borrow::Cow;

use rusqlite::types::{Value as Stored, ValueRef};

use crate::catalog::Kind;
use crate::engine::render;
use crate::mask::MaskError;
use crate::value::Value;

/// The Julian day of 1970-01-01 00:00, which is what SQLite's date functions make of a REAL.
const UNIX_EPOCH_JULIAN: f64 = 2_440_587.5;
const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: f64 = 86_400e6;

/// What a mask sees of a stored value.
pub(super) fn decode<'a>(kind: &Kind, stored: ValueRef<'a>) -> Value<'a> {
    match (kind, stored) {
        (_, ValueRef::Null) => Value::Null,
        (Kind::Bool, ValueRef::Integer(bit @ (0 | 1))) => Value::Bool(bit == 1),
        (Kind::Date | Kind::Timestamp, ValueRef::Integer(count)) => {
            let micros = count.checked_mul(Unit::of(count).micros());
            micros.map_or(Value::Int(count), Value::Timestamp)
        }
        (Kind::Date | Kind::Timestamp, ValueRef::Real(real)) => {
            Value::Timestamp(RealTime::of(real).to_micros(real))
        }
        (Kind::Decimal(_), ValueRef::Integer(i)) => Value::Decimal(Cow::Owned(i.to_string())),
        (Kind::Decimal(_), ValueRef::Real(real)) => Value::Decimal(Cow::Owned(decimal(real))),
        (Kind::Decimal(_), ValueRef::Text(text)) => match std::str::from_utf8(text) {
            Ok(digits) if is_decimal(digits) => Value::Decimal(Cow::Borrowed(digits)),
            _ => Value::Text(text_of(text)),
        },
        (Kind::Uuid, ValueRef::Text(text)) => {
            parse_uuid(text).map_or_else(|| Value::Text(text_of(text)), Value::Uuid)
        }
        (Kind::Uuid, ValueRef::Blob(bytes)) => {
            bytes.try_into().map_or(Value::Bytes(Cow::Borrowed(bytes)), Value::Uuid)
        }
        (Kind::Json, ValueRef::Text(text)) => Value::Json(text_of(text)),
        (Kind::Json, ValueRef::Integer(i)) => Value::Json(Cow::Owned(i.to_string())),
        (Kind::Json, ValueRef::Real(real)) => Value::Json(Cow::Owned(real.to_string())),
        (Kind::Bytes, ValueRef::Text(text)) => Value::Bytes(Cow::Borrowed(text)),
        (Kind::Text { .. }, ValueRef::Integer(i)) => Value::Text(Cow::Owned(i.to_string())),
        (Kind::Text { .. }, ValueRef::Real(real)) => Value::Text(Cow::Owned(real.to_string())),
        (Kind::Text { .. }, ValueRef::Blob(bytes)) => Value::Text(text_of(bytes)),
        (_, ValueRef::Integer(i)) => Value::Int(i),
        (_, ValueRef::Real(real)) => Value::Float(real),
        (_, ValueRef::Text(text)) => Value::Text(text_of(text)),
        (_, ValueRef::Blob(bytes)) => Value::Bytes(Cow::Borrowed(bytes)),
    }
}

/// What is stored for a mask's answer, in the class of the original where that can hold it.
pub(super) fn encode(original: ValueRef<'_>, masked: Value<'_>) -> Result<Stored, MaskError> {
    let was_blob = matches!(original, ValueRef::Blob(_));
    let was_text = matches!(original, ValueRef::Text(_));
    Ok(match masked {
        Value::Null => Stored::Null,
        Value::Bool(bit) if was_text => Stored::Text(bit.to_string()),
        Value::Bool(bit) => Stored::Integer(bit.into()),
        Value::Int(i) => Stored::Integer(i),
        Value::Float(real) => Stored::Real(real),
        Value::Decimal(digits) => encode_decimal(original, &digits),
        Value::Text(text) | Value::Json(text) if was_blob => {
            Stored::Blob(text.into_owned().into_bytes())
        }
        Value::Text(text) | Value::Json(text) => Stored::Text(text.into_owned()),
        Value::Bytes(bytes) if was_text => String::from_utf8(bytes.into_owned())
            .map_or_else(|error| Stored::Blob(error.into_bytes()), Stored::Text),
        Value::Bytes(bytes) => Stored::Blob(bytes.into_owned()),
        Value::Date(days) => {
            let midnight = i64::from(days) * 86_400 * MICROS_PER_SECOND;
            encode_moment(original, midnight).map_or_else(|| as_text(&masked), Ok)?
        }
        Value::Timestamp(micros) => {
            encode_moment(original, micros).map_or_else(|| as_text(&masked), Ok)?
        }
        Value::Uuid(bytes) if was_blob => Stored::Blob(bytes.to_vec()),
        Value::Time(_) | Value::Uuid(_) | Value::Inet(..) | Value::Mac(_) | Value::Mac8(_) => {
            as_text(&masked)?
        }
        Value::Array(_) => return Err(MaskError("SQLite stores no arrays")),
    })
}

fn as_text(value: &Value<'_>) -> Result<Stored, MaskError> {
    render(value).map(Stored::Text).ok_or(MaskError("the masked value has no text"))
}

/// The units in which applications count the time since 1970, told apart by size: seconds reach the year 5138 before they
/// look like milliseconds, and milliseconds of a year after 1973 do not look like seconds.
#[derive(Clone, Copy)]
enum Unit {
    Seconds,
    Millis,
    Micros,
}

impl Unit {
    fn of(count: i64) -> Self {
        match count.unsigned_abs() {
            0..100_000_000_000 => Unit::Seconds,
            100_000_000_000..100_000_000_000_000 => Unit::Millis,
            _ => Unit::Micros,
        }
    }

    fn micros(self) -> i64 {
        match self {
            Unit::Seconds => MICROS_PER_SECOND,
            Unit::Millis => 1_000,
            Unit::Micros => 1,
        }
    }
}

/// How a REAL tells a moment: as a Julian day, or as seconds since 1970 with a fraction.
enum RealTime {
    JulianDay,
    Seconds,
}

impl RealTime {
    fn of(real: f64) -> Self {
        // SQLite's dates run to the year 9999, which is Julian day 5 373 484.5.
        if (0.0..5_373_485.0).contains(&real) { RealTime::JulianDay } else { RealTime::Seconds }
    }

    fn to_micros(&self, real: f64) -> i64 {
        (match self {
            RealTime::JulianDay => (real - UNIX_EPOCH_JULIAN) * MICROS_PER_DAY,
            RealTime::Seconds => real * MICROS_PER_SECOND as f64,
        }) as i64
    }

    fn of_micros(&self, micros: i64) -> f64 {
        match self {
            RealTime::JulianDay => micros as f64 / MICROS_PER_DAY + UNIX_EPOCH_JULIAN,
            RealTime::Seconds => micros as f64 / MICROS_PER_SECOND as f64,
        }
    }
}

/// A moment as the number the original was; `None` where that was none.
fn encode_moment(original: ValueRef<'_>, micros: i64) -> Option<Stored> {
    match original {
        ValueRef::Integer(count) => {
            Some(Stored::Integer(micros.div_euclid(Unit::of(count).micros())))
        }
        ValueRef::Real(real) => Some(Stored::Real(RealTime::of(real).of_micros(micros))),
        _ => None,
    }
}

fn encode_decimal(original: ValueRef<'_>, digits: &str) -> Stored {
    let real = || digits.parse::<f64>().ok().map(Stored::Real);
    let stored = match original {
        ValueRef::Integer(_) => digits.parse().ok().map(Stored::Integer).or_else(real),
        ValueRef::Real(_) => real(),
        _ => None,
    };
    stored.unwrap_or_else(|| Stored::Text(digits.to_owned()))
}

/// Plain notation, as [`Value::Decimal`] wants it.
fn decimal(real: f64) -> String {
    match real {
        _ if real.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        _ => real.to_string(),
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    is_number(whole) && is_number(fraction)
}

/// Bytes as text. SQLite does not check that a TEXT is UTF-8: stray bytes become `\xNN`, so that two values which differ
/// stay different.
fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    Cow::Owned(text)
}

/// A UUID in the usual form, with or without hyphens or braces.
fn parse_uuid(text: &[u8]) -> Option<[u8; 16]> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let text = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let mut bytes = [0; 16];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: Kind = Kind::Text { max_chars: None, ignore_case: false };

    /// What comes back when a mask answers with what it was given.
    fn round_trip(kind: &Kind, stored: Stored) -> Stored {
        let original = ValueRef::from(&stored);
        encode(original, decode(kind, original)).unwrap()
    }

    #[test]
    fn an_untouched_value_keeps_its_class() {
        for (kind, stored) in [
            (TEXT, Stored::Text("é".into())),
            (TEXT, Stored::Blob(b"abc".to_vec())),
            (TEXT, Stored::Null),
            (Kind::Bool, Stored::Integer(1)),
            (Kind::Int(64), Stored::Integer(i64::MIN)),
            (Kind::Float, Stored::Real(0.1)),
            (Kind::Decimal(None), Stored::Integer(12)),
            (Kind::Decimal(None), Stored::Real(12.5)),
            (Kind::Decimal(None), Stored::Text("12.50".into())),
            (Kind::Json, Stored::Text("{}".into())),
            (Kind::Bytes, Stored::Blob(vec![255, 0])),
            (Kind::Bytes, Stored::Text("abc".into())),
            (Kind::Date, Stored::Text("2024-02-29".into())),
            (Kind::Timestamp, Stored::Integer(1_700_000_000)),
            (Kind::Timestamp, Stored::Integer(1_700_000_000_123)),
            (Kind::Timestamp, Stored::Integer(1_700_000_000_123_456)),
            (Kind::Timestamp, Stored::Integer(-5)),
            (Kind::Timestamp, Stored::Real(2_460_000.5)),
            (Kind::Timestamp, Stored::Real(1_700_000_000.5)),
            (Kind::Uuid, Stored::Blob(vec![7; 16])),
            (Kind::Uuid, Stored::Text("01234567-89ab-cdef-0123-456789abcdef".into())),
        ] {
            assert_eq!(round_trip(&kind, stored.clone()), stored, "{kind:?}");
        }
    }

    #[test]
    fn moments_are_written_as_text_where_text_was() {
        let text = || ValueRef::Text(b"x");
        let encoded = |value| encode(text(), value).unwrap();
        assert_eq!(encoded(Value::Date(0)), Stored::Text("1970-01-01".into()));
        assert_eq!(
            encoded(Value::Timestamp(1_500_000)),
            Stored::Text("1970-01-01 00:00:01.500000".into())
        );
        assert_eq!(encoded(Value::Time(3_600_000_000)), Stored::Text("01:00:00".into()));
    }

    #[test]
    fn malformed_texts_stay_different() {
        assert_eq!(text_of(b"a\xffb"), "a\\xffb");
        assert_ne!(text_of(b"a\xff"), text_of(b"a\xfe"));
    }
}
