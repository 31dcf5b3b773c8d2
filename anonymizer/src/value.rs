//! One cell's value in engine-neutral form, between an engine's codec and a masking function.
//!
//! A `Value` has no `Display`, and its `Debug` prints the type and the length only: a row value must not reach a message.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;
use std::net::IpAddr;

/// A value as a masking function sees it. Infinite dates and timestamps never get here: engines pass them through, for
/// they say nothing about anybody.
#[derive(Clone, PartialEq)]
pub enum Value<'a> {
    /// SQL NULL. As an input only inside an array or as a seed; as an output it is how `nullify` answers.
    Null,
    /// Boolean.
    Bool(bool),
    /// Any integer type.
    Int(i64),
    /// Any binary floating-point type.
    Float(f64),
    /// Exact decimal in plain notation, for instance `-12.50`; also `NaN`, `Infinity`, `-Infinity`.
    Decimal(Cow<'a, str>),
    /// Text of any string type, enum labels included; blank padding of fixed-length types is removed.
    Text(Cow<'a, str>),
    /// A JSON document as text.
    Json(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01 00:00, in UTC where the type has a zone.
    Timestamp(i64),
    /// Microseconds since midnight.
    Time(i64),
    /// A UUID's 16 bytes.
    Uuid([u8; 16]),
    /// An address with its prefix length.
    Inet(IpAddr, u8),
    /// A six-byte hardware address.
    Mac([u8; 6]),
    /// An eight-byte hardware address.
    Mac8([u8; 8]),
    /// An array's elements in storage order; its dimensions stay with the engine, for masks keep the shape.
    Array(Vec<Value<'a>>),
}

impl Value<'_> {
    /// Appends the form that fakes are derived from: the same text for the same value in whatever type or engine it is
    /// stored (integer 5 and text `5` agree). NULL appends nothing.
    pub fn canonical(&self, into: &mut Vec<u8>) {
        match self {
            Value::Null => {}
            Value::Bool(b) => into.extend_from_slice(if *b { b"true" } else { b"false" }),
            Value::Int(i) => into.extend_from_slice(itoa::Buffer::new().format(*i).as_bytes()),
            Value::Float(f) => write!(into, "{f}").expect("a Vec takes every write"),
            Value::Decimal(d) => into.extend_from_slice(normal_decimal(d).as_bytes()),
            Value::Text(t) | Value::Json(t) => into.extend_from_slice(t.as_bytes()),
            Value::Bytes(b) => into.extend_from_slice(b),
            Value::Date(days) => {
                into.extend_from_slice(itoa::Buffer::new().format(*days).as_bytes())
            }
            Value::Timestamp(us) | Value::Time(us) => {
                into.extend_from_slice(itoa::Buffer::new().format(*us).as_bytes())
            }
            Value::Uuid(bytes) => into.extend_from_slice(hyphenated(bytes).as_bytes()),
            Value::Inet(IpAddr::V4(ip), prefix) => {
                let mut buffer = itoa::Buffer::new();
                for (byte, after) in ip.octets().into_iter().zip(*b".../") {
                    into.extend_from_slice(buffer.format(byte).as_bytes());
                    into.push(after);
                }
                into.extend_from_slice(buffer.format(*prefix).as_bytes());
            }
            Value::Inet(ip, prefix) => {
                write!(into, "{ip}/{prefix}").expect("a Vec takes every write")
            }
            Value::Mac(bytes) => into.extend_from_slice(hex::encode(bytes).as_bytes()),
            Value::Mac8(bytes) => into.extend_from_slice(hex::encode(bytes).as_bytes()),
            Value::Array(items) => {
                for item in items {
                    item.canonical(into);
                    into.push(0x1f);
                }
            }
        }
    }

    /// True for [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The text of a string value, else `None`.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(t) => Some(t),
            _ => None,
        }
    }

    /// The same value, owning what it borrowed.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(b) => Value::Bool(b),
            Value::Int(i) => Value::Int(i),
            Value::Float(f) => Value::Float(f),
            Value::Decimal(d) => Value::Decimal(Cow::Owned(d.into_owned())),
            Value::Text(t) => Value::Text(Cow::Owned(t.into_owned())),
            Value::Json(t) => Value::Json(Cow::Owned(t.into_owned())),
            Value::Bytes(b) => Value::Bytes(Cow::Owned(b.into_owned())),
            Value::Date(d) => Value::Date(d),
            Value::Timestamp(t) => Value::Timestamp(t),
            Value::Time(t) => Value::Time(t),
            Value::Uuid(u) => Value::Uuid(u),
            Value::Inet(ip, p) => Value::Inet(ip, p),
            Value::Mac(m) => Value::Mac(m),
            Value::Mac8(m) => Value::Mac8(m),
            Value::Array(items) => Value::Array(items.into_iter().map(Value::into_owned).collect()),
        }
    }
}

/// `12.50` and `12.5` are the same number and must get the same fake.
fn normal_decimal(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// The usual lower-case form with hyphens.
pub fn hyphenated(bytes: &[u8; 16]) -> String {
    let hex = hex::encode(bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => write!(f, "null"),
            Value::Bool(_) => write!(f, "bool"),
            Value::Int(_) => write!(f, "int"),
            Value::Float(_) => write!(f, "float"),
            Value::Decimal(d) => write!(f, "decimal({} characters)", d.len()),
            Value::Text(t) => write!(f, "text({} bytes)", t.len()),
            Value::Json(t) => write!(f, "json({} bytes)", t.len()),
            Value::Bytes(b) => write!(f, "bytes({})", b.len()),
            Value::Date(_) => write!(f, "date"),
            Value::Timestamp(_) => write!(f, "timestamp"),
            Value::Time(_) => write!(f, "time"),
            Value::Uuid(_) => write!(f, "uuid"),
            Value::Inet(..) => write!(f, "inet"),
            Value::Mac(_) => write!(f, "mac"),
            Value::Mac8(_) => write!(f, "mac8"),
            Value::Array(items) => write!(f, "array({} elements)", items.len()),
        }
    }
}
