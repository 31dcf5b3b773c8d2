//! PostgreSQL's binary field formats to [`Value`] and back, for the types masking functions can look into.
//!
//! Formats are those of the types' `*_send` and `*_recv` functions in PostgreSQL's `src/backend/utils/adt`; they have not
//! changed since version 8.0 (jsonb: 9.4). A type that is not listed here is opaque: it is copied through, or set to NULL.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::engine::postgres::numeric;
use crate::mask::MaskError;
use crate::value::Value;

/// How one column's fields are read and written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// `boolean`.
    Bool,
    /// `smallint`, `integer`, `bigint` by width in bytes.
    Int(u8),
    /// `real`, `double precision` by width in bytes.
    Float(u8),
    /// `numeric`.
    Numeric,
    /// `text`, `varchar`, `name`, `citext`, enums: UTF-8 bytes.
    Text,
    /// `char(n)`: blank-padded on the wire.
    BlankPadded,
    /// `json`: UTF-8 bytes.
    Json,
    /// `jsonb`: a version byte, then UTF-8 bytes.
    Jsonb,
    /// `bytea`.
    Bytes,
    /// `date`: days since 2000-01-01.
    Date,
    /// `timestamp`, `timestamptz`: microseconds since 2000-01-01.
    Timestamp,
    /// `time`: microseconds since midnight.
    Time,
    /// `uuid`.
    Uuid,
    /// `inet` (false) or `cidr` (true).
    Inet(bool),
    /// `macaddr`, `macaddr8` by width in bytes.
    Mac(u8),
    /// An array of a type.
    Array(Box<Codec>),
    /// Anything else.
    Opaque,
}

/// Days from 1970-01-01 to 2000-01-01, PostgreSQL's epoch.
const EPOCH_DAYS: i32 = 10_957;
/// The same in microseconds.
const EPOCH_MICROSECONDS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;
/// The only version of jsonb's binary format.
const JSONB_VERSION: u8 = 1;
/// `PGSQL_AF_INET` and `PGSQL_AF_INET6` on the wire.
const FAMILY_V4: u8 = 2;
const FAMILY_V6: u8 = 3;

const MALFORMED: MaskError = MaskError("the server sent a field in a form this type does not have");
const UNREADABLE: MaskError = MaskError("no masking function can look into this type");
const UNFITTING: MaskError = MaskError("the function's answer does not fit the column's type");

impl Codec {
    /// The codec of a type by its catalog number, for the built-in types.
    pub fn of_type(oid: u32) -> Codec {
        match oid {
            16 => Codec::Bool,
            17 => Codec::Bytes,
            19 | 25 | 142 | 1043 => Codec::Text,
            20 => Codec::Int(8),
            21 => Codec::Int(2),
            23 => Codec::Int(4),
            114 => Codec::Json,
            650 => Codec::Inet(true),
            700 => Codec::Float(4),
            701 => Codec::Float(8),
            774 => Codec::Mac(8),
            829 => Codec::Mac(6),
            869 => Codec::Inet(false),
            1042 => Codec::BlankPadded,
            1082 => Codec::Date,
            1083 => Codec::Time,
            1114 | 1184 => Codec::Timestamp,
            1700 => Codec::Numeric,
            2950 => Codec::Uuid,
            3802 => Codec::Jsonb,
            _ => Codec::Opaque,
        }
    }

    /// A field's value; `None` for an infinite date or timestamp, which is passed through as it is.
    pub fn decode<'a>(&self, field: &'a [u8]) -> Result<Option<Value<'a>>, MaskError> {
        Ok(Some(match self {
            Codec::Bool => Value::Bool(fixed::<1>(field)?[0] != 0),
            Codec::Int(2) => Value::Int(i16::from_be_bytes(fixed(field)?).into()),
            Codec::Int(4) => Value::Int(i32::from_be_bytes(fixed(field)?).into()),
            Codec::Int(_) => Value::Int(i64::from_be_bytes(fixed(field)?)),
            Codec::Float(4) => Value::Float(f32::from_be_bytes(fixed(field)?).into()),
            Codec::Float(_) => Value::Float(f64::from_be_bytes(fixed(field)?)),
            Codec::Numeric => Value::Decimal(Cow::Owned(numeric::decode(field).ok_or(MALFORMED)?)),
            Codec::Text => Value::Text(Cow::Borrowed(text(field)?)),
            Codec::BlankPadded => Value::Text(Cow::Borrowed(text(field)?.trim_end_matches(' '))),
            Codec::Json => Value::Json(Cow::Borrowed(text(field)?)),
            Codec::Jsonb => match field.split_first() {
                Some((&JSONB_VERSION, document)) => Value::Json(Cow::Borrowed(text(document)?)),
                _ => return Err(MALFORMED),
            },
            Codec::Bytes => Value::Bytes(Cow::Borrowed(field)),
            Codec::Date => match i32::from_be_bytes(fixed(field)?) {
                i32::MIN | i32::MAX => return Ok(None),
                days => Value::Date(days.checked_add(EPOCH_DAYS).ok_or(MALFORMED)?),
            },
            Codec::Timestamp => match i64::from_be_bytes(fixed(field)?) {
                i64::MIN | i64::MAX => return Ok(None),
                us => Value::Timestamp(us.checked_add(EPOCH_MICROSECONDS).ok_or(MALFORMED)?),
            },
            Codec::Time => Value::Time(i64::from_be_bytes(fixed(field)?)),
            Codec::Uuid => Value::Uuid(fixed(field)?),
            Codec::Inet(_) => decode_inet(field)?,
            Codec::Mac(6) => Value::Mac(fixed(field)?),
            Codec::Mac(_) => Value::Mac8(fixed(field)?),
            Codec::Array(element) => decode_array(element, field)?,
            Codec::Opaque => return Err(UNREADABLE),
        }))
    }

    /// Appends a value's field: four bytes of length, then the bytes; length -1 for NULL. `original` is the field that the
    /// value replaces, whose array dimensions are kept.
    pub fn encode(
        &self,
        value: &Value<'_>,
        original: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), MaskError> {
        if value.is_null() {
            out.extend_from_slice(&(-1_i32).to_be_bytes());
            return Ok(());
        }
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        self.encode_body(value, original, out)?;
        let length = i32::try_from(out.len() - start - 4).map_err(|_| UNFITTING)?;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }

    fn encode_body(
        &self,
        value: &Value<'_>,
        original: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), MaskError> {
        match (self, value) {
            (Codec::Text | Codec::BlankPadded, Value::Text(t))
                if memchr::memchr(0, t.as_bytes()).is_none() =>
            {
                out.extend_from_slice(t.as_bytes());
            }
            (Codec::Bool, Value::Bool(b)) => out.push((*b).into()),
            (Codec::Int(2), Value::Int(i)) => {
                out.extend_from_slice(&i16::try_from(*i).map_err(|_| UNFITTING)?.to_be_bytes());
            }
            (Codec::Int(4), Value::Int(i)) => {
                out.extend_from_slice(&i32::try_from(*i).map_err(|_| UNFITTING)?.to_be_bytes());
            }
            (Codec::Int(_), Value::Int(i)) => out.extend_from_slice(&i.to_be_bytes()),
            (Codec::Float(4), Value::Float(f)) => out.extend_from_slice(&(*f as f32).to_be_bytes()),
            (Codec::Float(_), Value::Float(f)) => out.extend_from_slice(&f.to_be_bytes()),
            (Codec::Numeric, Value::Decimal(d)) => numeric::encode(d, out).ok_or(UNFITTING)?,
            (Codec::Numeric, Value::Int(i)) => {
                numeric::encode(&i.to_string(), out).ok_or(UNFITTING)?
            }
            (Codec::Json, Value::Json(t)) => out.extend_from_slice(t.as_bytes()),
            (Codec::Jsonb, Value::Json(t)) => {
                out.push(JSONB_VERSION);
                out.extend_from_slice(t.as_bytes());
            }
            (Codec::Bytes, Value::Bytes(b)) => out.extend_from_slice(b),
            (Codec::Date, Value::Date(d)) => {
                out.extend_from_slice(&d.checked_sub(EPOCH_DAYS).ok_or(UNFITTING)?.to_be_bytes());
            }
            (Codec::Timestamp, Value::Timestamp(t)) => {
                out.extend_from_slice(
                    &t.checked_sub(EPOCH_MICROSECONDS).ok_or(UNFITTING)?.to_be_bytes(),
                );
            }
            (Codec::Time, Value::Time(t)) => out.extend_from_slice(&t.to_be_bytes()),
            (Codec::Uuid, Value::Uuid(u)) => out.extend_from_slice(u),
            (Codec::Inet(cidr), Value::Inet(ip, prefix)) => encode_inet(*ip, *prefix, *cidr, out),
            (Codec::Mac(6), Value::Mac(m)) => out.extend_from_slice(m),
            (Codec::Mac(8), Value::Mac8(m)) => out.extend_from_slice(m),
            (Codec::Array(element), Value::Array(items)) => {
                encode_array(element, items, original, out)?
            }
            _ => return Err(UNFITTING),
        }
        Ok(())
    }
}

fn fixed<const N: usize>(field: &[u8]) -> Result<[u8; N], MaskError> {
    field.try_into().map_err(|_| MALFORMED)
}

fn text(field: &[u8]) -> Result<&str, MaskError> {
    std::str::from_utf8(field).map_err(|_| MaskError("text that is not valid UTF-8"))
}

fn decode_inet(field: &[u8]) -> Result<Value<'static>, MaskError> {
    let (head, address) = field.split_at_checked(4).ok_or(MALFORMED)?;
    let ip = match head[0] {
        FAMILY_V4 => IpAddr::V4(Ipv4Addr::from(fixed::<4>(address)?)),
        FAMILY_V6 => IpAddr::V6(Ipv6Addr::from(fixed::<16>(address)?)),
        _ => return Err(MALFORMED),
    };
    Ok(Value::Inet(ip, head[1]))
}

fn encode_inet(ip: IpAddr, prefix: u8, cidr: bool, out: &mut Vec<u8>) {
    match ip {
        IpAddr::V4(v4) => {
            out.extend_from_slice(&[FAMILY_V4, prefix, cidr.into(), 4]);
            out.extend_from_slice(&v4.octets());
        }
        IpAddr::V6(v6) => {
            out.extend_from_slice(&[FAMILY_V6, prefix, cidr.into(), 16]);
            out.extend_from_slice(&v6.octets());
        }
    }
}

/// An array's head: number of dimensions, a flag, the element's type, then length and lower bound of each dimension.
fn array_head(field: &[u8]) -> Result<(usize, &[u8]), MaskError> {
    let dimensions = i32::from_be_bytes(fixed(field.get(..4).ok_or(MALFORMED)?)?);
    // Six is PostgreSQL's MAXDIM.
    if !(0..=6).contains(&dimensions) {
        return Err(MALFORMED);
    }
    let length = 12 + 8 * dimensions as usize;
    Ok((length, field.get(..length).ok_or(MALFORMED)?))
}

fn decode_array<'a>(element: &Codec, field: &'a [u8]) -> Result<Value<'a>, MaskError> {
    let (head, _) = array_head(field)?;
    let mut rest = &field[head..];
    let mut items = Vec::new();
    while !rest.is_empty() {
        let (length, tail) = rest.split_at_checked(4).ok_or(MALFORMED)?;
        match i32::from_be_bytes(fixed(length)?) {
            -1 => {
                items.push(Value::Null);
                rest = tail;
            }
            length => {
                let length = usize::try_from(length).map_err(|_| MALFORMED)?;
                let (item, tail) = tail.split_at_checked(length).ok_or(MALFORMED)?;
                items.push(
                    element.decode(item)?.ok_or(MaskError("an infinite date inside an array"))?,
                );
                rest = tail;
            }
        }
    }
    Ok(Value::Array(items))
}

fn encode_array(
    element: &Codec,
    items: &[Value<'_>],
    original: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), MaskError> {
    let (_, head) = array_head(original)?;
    let start = out.len();
    out.extend_from_slice(head);
    let has_null = i32::from(items.iter().any(Value::is_null));
    out[start + 4..start + 8].copy_from_slice(&has_null.to_be_bytes());
    items.iter().try_for_each(|item| element.encode(item, &[], out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(codec: &Codec, field: &[u8]) {
        let value = codec.decode(field).expect("decodes").expect("is finite");
        let mut out = Vec::new();
        codec.encode(&value, field, &mut out).expect("encodes");
        assert_eq!(&out[..4], (field.len() as i32).to_be_bytes());
        assert_eq!(&out[4..], field, "{codec:?}");
    }

    #[test]
    fn every_type_survives_a_round_trip() {
        round_trip(&Codec::Bool, &[1]);
        round_trip(&Codec::Int(2), &(-7_i16).to_be_bytes());
        round_trip(&Codec::Int(4), &i32::MIN.to_be_bytes());
        round_trip(&Codec::Int(8), &i64::MAX.to_be_bytes());
        round_trip(&Codec::Float(4), &1.5_f32.to_be_bytes());
        round_trip(&Codec::Float(8), &(-0.25_f64).to_be_bytes());
        round_trip(&Codec::Text, "naïve".as_bytes());
        round_trip(&Codec::Jsonb, b"\x01{\"a\":1}");
        round_trip(&Codec::Bytes, &[0, 255]);
        round_trip(&Codec::Date, &8_000_i32.to_be_bytes());
        round_trip(&Codec::Timestamp, &(-5_i64).to_be_bytes());
        round_trip(&Codec::Uuid, &[7; 16]);
        round_trip(&Codec::Inet(false), &[2, 24, 0, 4, 10, 0, 0, 1]);
        round_trip(&Codec::Inet(true), &[&[3, 32, 1, 16][..], &[0x20; 16]].concat());
        round_trip(&Codec::Mac(6), &[1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn arrays_keep_their_dimensions_and_nulls() {
        let mut field = Vec::new();
        for word in [2, 1, 25, 2, 1, 2, 0] {
            field.extend_from_slice(&i32::to_be_bytes(word));
        }
        for item in [Some("a"), None, Some(""), Some("déjà")] {
            let length = item.map_or(-1, |item| item.len() as i32);
            field.extend_from_slice(&length.to_be_bytes());
            field.extend_from_slice(item.unwrap_or_default().as_bytes());
        }
        round_trip(&Codec::Array(Box::new(Codec::Text)), &field);
    }

    #[test]
    fn infinite_dates_are_passed_through() {
        assert_eq!(Codec::Date.decode(&i32::MAX.to_be_bytes()), Ok(None));
        assert_eq!(Codec::Timestamp.decode(&i64::MIN.to_be_bytes()), Ok(None));
    }

    #[test]
    fn malformed_fields_are_errors_not_panics() {
        let codecs =
            [16, 17, 20, 25, 114, 650, 829, 869, 1082, 1700, 2950, 3802].map(Codec::of_type);
        for codec in codecs.iter().cloned().chain([Codec::Array(Box::new(Codec::Text))]) {
            for length in 0..40 {
                let _ = codec.decode(&vec![0xff; length]);
                let _ = codec.decode(&vec![0; length]);
            }
        }
    }
}
