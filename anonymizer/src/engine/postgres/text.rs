//! The text COPY format, for tables with a type that has no binary input or output: a line per row, fields parted by tabs,
//! NULL as `\N` (PostgreSQL manual, COPY, "Text Format").

use std::borrow::Cow;

use jiff::civil::{Date, DateTime, Time};

use crate::engine::EngineError;
use crate::engine::postgres::array_text;
use crate::engine::postgres::codec::Codec;
use crate::engine::postgres::fields::Rows;
use crate::engine::postgres::rows::{BATCH_BYTES, Format, RowMasker};
use crate::mask::MaskError;
use crate::value::{Value, hyphenated};

const UNREADABLE: MaskError = MaskError("a value in a text form that masking cannot read");
const UNFITTING: MaskError = MaskError("the function's answer does not fit the column's type");

/// The text format's fields. Fields are unescaped before they are decoded and escaped after they are encoded.
pub struct Text;

impl Format for Text {
    fn decode<'a>(codec: &Codec, field: &'a [u8]) -> Result<Option<Value<'a>>, MaskError> {
        let text = match unescape(field) {
            Cow::Borrowed(bytes) => {
                Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| UNREADABLE)?)
            }
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).map_err(|_| UNREADABLE)?),
        };
        if matches!(codec, Codec::Date | Codec::Timestamp) && text.ends_with("infinity") {
            return Ok(None);
        }
        match codec {
            Codec::Array(element) => decode_array(element, &text).map(Some),
            codec => decode_text(codec, text).map(Some),
        }
    }

    fn encode(
        codec: &Codec,
        value: &Value<'_>,
        original: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), MaskError> {
        if let (Codec::Array(element), Value::Array(items)) = (codec, value) {
            escape(encode_array(element, items, original)?.as_bytes(), out);
            return Ok(());
        }
        match encode_text(codec, value)? {
            Some(text) => escape(text.as_bytes(), out),
            None => out.extend_from_slice(b"\\N"),
        }
        Ok(())
    }

    fn start_row(_: usize, _: &mut Vec<u8>) {}

    fn separate(index: usize, out: &mut Vec<u8>) {
        if index > 0 {
            out.push(b'\t');
        }
    }

    fn end_row(out: &mut Vec<u8>) {
        out.push(b'\n');
    }

    fn holds(written: &[u8], field: &[u8]) -> bool {
        written == field
    }

    fn is_true(field: &[u8]) -> bool {
        field == b"t"
    }
}

fn decode_array(element: &Codec, text: &str) -> Result<Value<'static>, MaskError> {
    let item = |(_, item): array_text::Item| match item {
        None => Ok(Value::Null),
        Some(item) => decode_text(element, Cow::Owned(item)),
    };
    let items = array_text::items(text).ok_or(UNREADABLE)?;
    items.into_iter().map(item).collect::<Result<_, _>>().map(Value::Array)
}

fn encode_array(
    element: &Codec,
    items: &[Value<'_>],
    original: &[u8],
) -> Result<String, MaskError> {
    let original = String::from_utf8(unescape(original).into_owned()).map_err(|_| UNREADABLE)?;
    let texts = items.iter().map(|item| Ok(encode_text(element, item)?.map(Cow::into_owned)));
    let texts = texts.collect::<Result<Vec<_>, MaskError>>()?;
    array_text::replace(&original, &texts).ok_or(UNFITTING)
}

fn decode_text<'a>(codec: &Codec, text: Cow<'a, str>) -> Result<Value<'a>, MaskError> {
    Ok(match codec {
        Codec::Bool => Value::Bool(text == "t"),
        Codec::Int(_) => Value::Int(text.parse().map_err(|_| UNREADABLE)?),
        Codec::Float(_) => Value::Float(text.parse().map_err(|_| UNREADABLE)?),
        Codec::Numeric => Value::Decimal(text),
        Codec::Text => Value::Text(text),
        Codec::BlankPadded => Value::Text(Cow::Owned(text.trim_end_matches(' ').to_owned())),
        Codec::Json | Codec::Jsonb => Value::Json(text),
        Codec::Bytes => {
            let digits = text.strip_prefix("\\x").ok_or(UNREADABLE)?;
            Value::Bytes(Cow::Owned(hex::decode(digits).map_err(|_| UNREADABLE)?))
        }
        Codec::Date => Value::Date(days(text.parse().map_err(|_| UNREADABLE)?)),
        Codec::Timestamp => {
            let civil = text
                .strip_suffix("+00")
                .unwrap_or(&text)
                .parse::<DateTime>()
                .map_err(|_| UNREADABLE)?;
            let midnight = i64::from(days(civil.date())) * 86_400_000_000;
            Value::Timestamp(midnight + microseconds(civil.time()))
        }
        Codec::Time if text == END_OF_DAY.0 => Value::Time(END_OF_DAY.1),
        Codec::Time => Value::Time(microseconds(text.parse().map_err(|_| UNREADABLE)?)),
        Codec::Uuid => {
            let mut bytes = [0; 16];
            hex::decode_to_slice(text.replace('-', ""), &mut bytes).map_err(|_| UNREADABLE)?;
            Value::Uuid(bytes)
        }
        Codec::Inet(_) => {
            let (address, prefix) = match text.split_once('/') {
                Some((address, prefix)) => (address, Some(prefix.parse().map_err(|_| UNREADABLE)?)),
                None => (&*text, None),
            };
            let ip: std::net::IpAddr = address.parse().map_err(|_| UNREADABLE)?;
            Value::Inet(ip, prefix.unwrap_or(if ip.is_ipv4() { 32 } else { 128 }))
        }
        Codec::Mac(width) => {
            let digits = text.replace(':', "");
            match width {
                6 => Value::Mac(hex_bytes(&digits)?),
                _ => Value::Mac8(hex_bytes(&digits)?),
            }
        }
        Codec::Array(_) | Codec::Opaque => return Err(UNREADABLE),
    })
}

fn encode_text<'a>(codec: &Codec, value: &'a Value<'_>) -> Result<Option<Cow<'a, str>>, MaskError> {
    Ok(Some(match (codec, value) {
        (_, Value::Null) => return Ok(None),
        (Codec::Bool, Value::Bool(b)) => Cow::Borrowed(if *b { "t" } else { "f" }),
        (Codec::Int(_) | Codec::Numeric, Value::Int(i)) => Cow::Owned(i.to_string()),
        (Codec::Float(_), Value::Float(f)) => Cow::Owned(f.to_string()),
        (Codec::Numeric, Value::Decimal(d)) => Cow::Borrowed(d),
        (Codec::Text | Codec::BlankPadded | Codec::Opaque, Value::Text(t)) => Cow::Borrowed(t),
        (Codec::Json | Codec::Jsonb, Value::Json(t)) => Cow::Borrowed(t),
        (Codec::Bytes, Value::Bytes(b)) => Cow::Owned(format!("\\x{}", hex::encode(b))),
        (Codec::Date, Value::Date(d)) => Cow::Owned(date(*d)?.to_string()),
        (Codec::Timestamp, Value::Timestamp(t)) => {
            let day = i32::try_from(t.div_euclid(86_400_000_000)).map_err(|_| UNFITTING)?;
            Cow::Owned(format!("{} {}+00", date(day)?, time(t.rem_euclid(86_400_000_000))?))
        }
        (Codec::Time, Value::Time(t)) if *t == END_OF_DAY.1 => Cow::Borrowed(END_OF_DAY.0),
        (Codec::Time, Value::Time(t)) => Cow::Owned(time(*t)?.to_string()),
        (Codec::Uuid, Value::Uuid(u)) => Cow::Owned(hyphenated(u)),
        (Codec::Inet(_), Value::Inet(ip, prefix)) => Cow::Owned(format!("{ip}/{prefix}")),
        (Codec::Mac(6), Value::Mac(m)) => Cow::Owned(hex::encode(m)),
        (Codec::Mac(8), Value::Mac8(m)) => Cow::Owned(hex::encode(m)),
        _ => return Err(UNFITTING),
    }))
}

fn hex_bytes<const N: usize>(digits: &str) -> Result<[u8; N], MaskError> {
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| UNREADABLE)?;
    Ok(bytes)
}

fn days(date: Date) -> i32 {
    date.duration_since(Date::constant(1970, 1, 1)).as_hours() as i32 / 24
}

fn date(days: i32) -> Result<Date, MaskError> {
    Date::constant(1970, 1, 1)
        .checked_add(jiff::Span::new().try_days(days).map_err(|_| UNFITTING)?)
        .map_err(|_| UNFITTING)
}

/// PostgreSQL's `time` goes up to and including midnight at the end of the day.
const END_OF_DAY: (&str, i64) = ("24:00:00", 86_400_000_000);

fn microseconds(time: Time) -> i64 {
    time.duration_since(Time::midnight()).as_micros() as i64
}

fn time(microseconds: i64) -> Result<Time, MaskError> {
    Time::midnight()
        .checked_add(jiff::SignedDuration::from_micros(microseconds))
        .map_err(|_| UNFITTING)
}

/// Undoes COPY's backslashes.
fn unescape(field: &[u8]) -> Cow<'_, [u8]> {
    if !field.contains(&b'\\') {
        return Cow::Borrowed(field);
    }
    let mut plain = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(&byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'b') => 0x08,
                Some(b'f') => 0x0c,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'v') => 0x0b,
                Some(&other) => other,
                None => b'\\',
            },
            other => other,
        });
    }
    Cow::Owned(plain)
}

/// Puts COPY's backslashes into a field.
pub fn escape(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => out.push(other),
        }
    }
}

/// Splits a text COPY stream into rows, whatever pieces it comes in, and masks them, many at a time.
pub struct TextStream {
    pending: Vec<u8>,
    rows: Rows,
}

impl TextStream {
    /// A stream of rows of that many fields, at its start.
    pub fn start(width: usize) -> Self {
        Self { pending: Vec::new(), rows: Rows::new(width) }
    }

    /// Takes a piece; masks the rows that are complete with it once there are many.
    pub fn feed(
        &mut self,
        piece: &[u8],
        masker: &mut RowMasker,
        out: &mut Vec<u8>,
    ) -> Result<(), EngineError> {
        self.pending.extend_from_slice(piece);
        if self.pending.len() < BATCH_BYTES { Ok(()) } else { self.mask(masker, out) }
    }

    /// The stream has ended: masks what is left.
    pub fn end(mut self, masker: &mut RowMasker, out: &mut Vec<u8>) -> Result<(), EngineError> {
        self.mask(masker, out)?;
        if self.pending.is_empty() { Ok(()) } else { Err(malformed()) }
    }

    fn mask(&mut self, masker: &mut RowMasker, out: &mut Vec<u8>) -> Result<(), EngineError> {
        let mut used = 0;
        self.rows.clear();
        while let Some(length) = memchr::memchr(b'\n', &self.pending[used..]) {
            self.split(used..used + length)?;
            used += length + 1;
        }
        masker.batch::<Text>(&self.pending, &self.rows, out)?;
        self.pending.drain(..used);
        Ok(())
    }

    fn split(&mut self, line: std::ops::Range<usize>) -> Result<(), EngineError> {
        let start = line.start;
        let mut at = start;
        for field in self.pending[line].split(|byte| *byte == b'\t') {
            let range = at..at + field.len();
            at = range.end + 1;
            match field {
                b"\\N" => self.rows.null(range.end),
                _ => self.rows.field(range),
            }
        }
        if self.rows.end(start) { Ok(()) } else { Err(malformed()) }
    }
}

fn malformed() -> EngineError {
    EngineError::Unexpected(
        "the server sent a COPY stream that is not in the documented format".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_done_again() {
        let plain = b"a\tb\nc\\d\re";
        let mut escaped = Vec::new();
        escape(plain, &mut escaped);
        assert_eq!(escaped, b"a\\tb\\nc\\\\d\\re");
        assert_eq!(&*unescape(&escaped), plain);
    }

    #[test]
    fn every_type_survives_a_round_trip() {
        for (oid, text) in [
            (16, "t"),
            (21, "-5"),
            (1700, "12.50"),
            (25, "a b"),
            (17, "\\\\x00ff"),
            (1082, "1969-12-31"),
            (1184, "2001-02-03 04:05:06.789+00"),
            (1083, "23:59:59.5"),
            (1083, "24:00:00"),
            (2950, "00112233-4455-6677-8899-aabbccddeeff"),
            (869, "10.0.0.1/24"),
            (650, "2001:db8::/32"),
            (3802, "{\"a\": 1}"),
        ] {
            let codec = Codec::of_type(oid);
            let value = Text::decode(&codec, text.as_bytes()).expect(text).expect("is finite");
            let mut out = Vec::new();
            Text::encode(&codec, &value, &[], &mut out).expect("encodes");
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }
}
