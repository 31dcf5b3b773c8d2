//! `hash`: identifiers that say nothing, unique where identifiers are.

use std::borrow::Cow;

use super::alphabet::push_hex;
use super::draws::{Draws, Ticket};
use super::network::version_4;
use super::parameter::IGNORE_CASE;
use super::permutation::Permutation;
use super::source::Source;
use super::{
    Cell, Class, Function, Mask, MaskError, Parameter, ParameterKind, Prepared, Rejection, Request,
};
use crate::catalog::Kind;
use crate::value::Value;

/// Hex digits, or half as many bytes, that carry 64 bits.
const UNIQUE_DIGITS: usize = 16;

/// `hash`.
pub(super) static HASH: Function = Function {
    name: "hash",
    class: Class::Pseudonymization,
    summary: "keyed bits: hex digits for text, bytes for bytes, a UUID for a UUID, for integers a permutation that keeps them about their size (a number below 16384 stays below it)",
    fits: "text, bytes, uuid and integers",
    accepts: |kind| {
        matches!(kind, Kind::Text { .. } | Kind::Bytes | Kind::Uuid | Kind::Int(16 | 32 | 64))
    },
    parameters: &[
        Parameter {
            name: "length",
            kind: ParameterKind::Integer,
            required: false,
            summary: "hex digits of text (8 to 64, default 32) or bytes of bytes (4 to 32, default 16)",
        },
        IGNORE_CASE,
    ],
    keyed: true,
    localized: false,
    uniqueness: "unique: a permutation of integers; otherwise from 16 hex digits or 8 bytes on",
    normalisation: "none, unless the column ignores case or `ignore_case`",
    longest: "`length`; 32 characters",
    space: "4 bits for each hex digit, 8 for each byte, 122 for a UUID; integers stay in bands that begin at 0, 2^14, 2^15, 2^30, 2^31 and 2^53, and keep their sign",
    prepare: hash,
};

fn hash(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let source = Source::new(request, "hash");
    match request.kind {
        Kind::Int(_) => integers(request, source),
        Kind::Uuid => {
            let mask = Hash { source, digits: 32, form: Form::Uuid, integers: None };
            Ok(Prepared::new(mask).unique(true).disjoint())
        }
        Kind::Bytes => {
            let bytes = request.integer("length", 4..=32)?.unwrap_or(16) as usize;
            Ok(bits(request, source, 2 * bytes, Form::Bytes))
        }
        _ => {
            let digits = request.integer("length", 8..=64)?.unwrap_or(32) as usize;
            Ok(bits(request, source, digits, Form::Hex).longest(digits))
        }
    }
}

fn bits(request: &Request<'_>, source: Source, digits: usize, form: Form) -> Prepared {
    let prepared = Prepared::new(Hash { source, digits, form, integers: None });
    if digits < UNIQUE_DIGITS {
        return prepared;
    }
    prepared.unique(request.tells_apart()).disjoint()
}

fn integers(request: &Request<'_>, source: Source) -> Result<Prepared, Rejection> {
    if let Some(seed) = &request.rule.seed {
        return Err(Rejection {
            at: seed.at,
            message: "a permutation of integers has no seed".into(),
            cure: "leave `seed` out".into(),
        });
    }
    if request.argument("length").is_some() {
        return Err(request.reject(
            "length",
            "`length` is for text and bytes",
            "leave it out: an integer stays about its size",
        ));
    }
    let integers = Some(Permutation::new(&request.subkey));
    Ok(Prepared::new(Hash { source, digits: 32, form: Form::Hex, integers }).unique(true))
}

enum Form {
    Hex,
    Bytes,
    Uuid,
}

struct Hash {
    source: Source,
    /// Hex digits, or twice the bytes.
    digits: usize,
    form: Form,
    integers: Option<Permutation>,
}

impl Mask for Hash {
    fn apply<'b>(&self, cell: &Cell<'_>, buffer: &'b mut String) -> Result<Value<'b>, MaskError> {
        if let Some(permutation) = &self.integers {
            return match cell.value {
                Value::Int(number) => Ok(Value::Int(permutation.apply(*number))),
                _ => Err(MaskError("value is not an integer")),
            };
        }
        let draw = self.source.draw(cell);
        Ok(match self.form {
            Form::Uuid => Value::Uuid(version_4(&draw)),
            Form::Bytes => Value::Bytes(draw.bits[..self.digits / 2].to_vec().into()),
            Form::Hex => {
                push_hex(&draw.bits[..self.digits.div_ceil(2)], buffer);
                buffer.truncate(self.digits);
                Value::Text(Cow::Borrowed(buffer))
            }
        })
    }

    fn ask(&self, cell: &Cell<'_>, draws: &mut Draws) -> Option<Ticket> {
        if self.integers.is_some() { None } else { self.source.ask(cell, draws) }
    }
}
