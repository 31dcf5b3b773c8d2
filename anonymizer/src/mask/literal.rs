//! Values written in a rules file, read as a column's type.

use std::net::IpAddr;

use super::civil::{DAY, days};
use crate::catalog::Kind;
use crate::value::Value;

/// The value that a text means for a column of that kind, or what should have been written.
pub(super) fn parse(written: &str, kind: &Kind) -> Result<Value<'static>, String> {
    let text = || written.to_owned().into();
    let value = match kind {
        Kind::Bool => written.parse().ok().map(Value::Bool),
        Kind::Int(_) => integer(written, kind).map(Value::Int),
        Kind::Float => {
            written.parse().ok().filter(|float: &f64| float.is_finite()).map(Value::Float)
        }
        Kind::Decimal(shape) => fits(written, *shape).then(|| Value::Decimal(text())),
        Kind::Text { .. } | Kind::Xml | Kind::Other(_) => Some(Value::Text(text())),
        Kind::Enum(labels) => {
            labels.iter().any(|label| label == written).then(|| Value::Text(text()))
        }
        Kind::Json => serde_json::from_str::<serde::de::IgnoredAny>(written)
            .is_ok()
            .then(|| Value::Json(text())),
        Kind::Bytes => written
            .strip_prefix("\\x")
            .and_then(|digits| hex::decode(digits).ok())
            .map(|bytes| Value::Bytes(bytes.into())),
        Kind::Date => date(written).map(Value::Date),
        Kind::Timestamp => timestamp(written).map(Value::Timestamp),
        Kind::Time => time(written).map(Value::Time),
        Kind::Uuid => uuid(written).map(Value::Uuid),
        Kind::Inet => inet(written).map(|(ip, prefix)| Value::Inet(ip, prefix)),
        Kind::Mac(6) => mac(written).map(Value::Mac),
        Kind::Mac(_) => mac(written).map(Value::Mac8),
        Kind::Array(_) => None,
    };
    value.ok_or_else(|| format!("write {}", expected(kind)))
}

fn expected(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "`true` or `false`".into(),
        Kind::Int(bits) => format!("a whole number of {bits} bits"),
        Kind::Float => "a finite number".into(),
        Kind::Decimal(Some((precision, scale))) => {
            format!("a number of at most {precision} digits, {scale} of them after the point")
        }
        Kind::Decimal(None) => "a number such as `-12.50`".into(),
        Kind::Enum(labels) => format!("one of {}", labels.join(", ")),
        Kind::Json => "JSON".into(),
        Kind::Bytes => "hex digits after `\\x`".into(),
        Kind::Date => "a date such as `2000-01-31`".into(),
        Kind::Timestamp => "a time such as `2000-01-31 12:00:00`, in UTC".into(),
        Kind::Time => "a time of day such as `12:00:00`".into(),
        Kind::Uuid => "a UUID".into(),
        Kind::Inet => "an address such as `198.18.0.1` or `2001:db8::/32`".into(),
        Kind::Mac(bytes) => format!("a hardware address of {bytes} bytes"),
        Kind::Array(_) => "an element with `array`".into(),
        Kind::Text { .. } | Kind::Xml | Kind::Other(_) => "text".into(),
    }
}

/// Least and most that an integer column of that kind holds.
pub(super) fn integer_range(kind: &Kind) -> (i64, i64) {
    match kind {
        Kind::Int(bits @ 1..64) => (-1 << (bits - 1), (1 << (bits - 1)) - 1),
        _ => (i64::MIN, i64::MAX),
    }
}

fn integer(written: &str, kind: &Kind) -> Option<i64> {
    let (least, most) = integer_range(kind);
    written.parse().ok().filter(|number| (least..=most).contains(number))
}

fn fits(written: &str, shape: Option<(u32, u32)>) -> bool {
    let digits = written.strip_prefix('-').unwrap_or(written);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = !whole.is_empty()
        && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
        && !digits.ends_with('.');
    let whole = whole.trim_start_matches('0').len();
    is_number
        && shape.is_none_or(|(precision, scale)| {
            whole <= precision.saturating_sub(scale) as usize && fraction.len() <= scale as usize
        })
}

fn date(written: &str) -> Option<i32> {
    let date: jiff::civil::Date = written.parse().ok()?;
    days(date.year().into(), date.month().into(), date.day().into()).try_into().ok()
}

fn timestamp(written: &str) -> Option<i64> {
    if let Ok(instant) = written.parse::<jiff::Timestamp>() {
        return Some(instant.as_microsecond());
    }
    let moment: jiff::civil::DateTime = written.parse().ok()?;
    let date = moment.date();
    let days = days(date.year().into(), date.month().into(), date.day().into());
    Some(days * DAY + microseconds(moment.time()))
}

fn time(written: &str) -> Option<i64> {
    written.parse().ok().map(microseconds)
}

fn microseconds(time: jiff::civil::Time) -> i64 {
    let seconds =
        i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    seconds * 1_000_000 + i64::from(time.subsec_nanosecond()) / 1000
}

fn uuid(written: &str) -> Option<[u8; 16]> {
    let digits: String = written.chars().filter(|character| *character != '-').collect();
    hex::decode(digits).ok()?.try_into().ok()
}

/// An address, with its prefix or that of a single host.
pub(super) fn inet(written: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = match written.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (written, None),
    };
    let ip: IpAddr = address.parse().ok()?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= most)?,
        None => most,
    };
    Some((ip, prefix))
}

fn mac<const N: usize>(written: &str) -> Option<[u8; N]> {
    let digits: String =
        written.chars().filter(|character| !matches!(character, ':' | '-' | '.')).collect();
    hex::decode(digits).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::render;
    use crate::mask::fixture::text;

    #[test]
    fn reads_values_as_the_type_writes_them() {
        let shown = |written: &str, kind: Kind| match parse(written, &kind) {
            Ok(value) => render(&value).unwrap(),
            Err(expected) => expected,
        };
        for (written, kind) in [
            ("true", Kind::Bool),
            ("-32768", Kind::Int(16)),
            ("9223372036854775807", Kind::Int(64)),
            ("0.25", Kind::Float),
            ("-999.50", Kind::Decimal(Some((5, 2)))),
            ("", text()),
            ("paid", Kind::Enum(vec!["paid".into()])),
            ("{\"a\": [1.50]}", Kind::Json),
            ("\\x00ff", Kind::Bytes),
            ("1999-12-31", Kind::Date),
            ("1999-12-31 23:59:59.500000", Kind::Timestamp),
            ("23:59:59", Kind::Time),
            ("00000000-0000-4000-8000-00000000000a", Kind::Uuid),
            ("198.18.0.0/15", Kind::Inet),
            ("2001:db8::1", Kind::Inet),
            ("02:00:00:00:00:0a", Kind::Mac(6)),
            ("02:00:00:00:00:00:00:0a", Kind::Mac(8)),
            ("anything", Kind::Other("tsvector".into())),
        ] {
            assert_eq!(shown(written, kind), written);
        }
        assert_eq!(shown("2000-01-31T12:00:00+02:00", Kind::Timestamp), "2000-01-31 10:00:00");
        let wrong = [
            ("yes", Kind::Bool),
            ("32768", Kind::Int(16)),
            ("NaN", Kind::Float),
            ("1000", Kind::Decimal(Some((5, 2)))),
            ("1.", Kind::Decimal(None)),
            ("lost", Kind::Enum(vec!["new".into(), "paid".into()])),
            ("{", Kind::Json),
            ("00ff", Kind::Bytes),
            ("31.12.1999", Kind::Date),
            ("198.18.0.0/33", Kind::Inet),
            ("02:00", Kind::Mac(6)),
        ];
        let wrong = wrong.map(|(written, kind)| shown(written, kind)).join("\n");
        insta::assert_snapshot!(wrong, @r"
        write `true` or `false`
        write a whole number of 16 bits
        write a finite number
        write a number of at most 5 digits, 2 of them after the point
        write a number such as `-12.50`
        write one of new, paid
        write JSON
        write hex digits after `\x`
        write a date such as `2000-01-31`
        write an address such as `198.18.0.1` or `2001:db8::/32`
        write a hardware address of 6 bytes
        ");
    }
}
