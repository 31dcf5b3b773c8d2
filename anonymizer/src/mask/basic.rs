//! Decisions that look at no value: `keep`, `nullify`, `constant` and `redact`.

use std::borrow::Cow;

use super::literal::parse;
use super::{
    Cell, Class, Function, Mask, MaskError, Parameter, ParameterKind, Prepared, Rejection, Request,
};
use crate::catalog::Kind;
use crate::value::Value;

/// `keep`.
pub(super) static KEEP: Function = Function {
    name: "keep",
    class: Class::Keep,
    summary: "leaves the value as it is: a decision like any other",
    fits: "every type",
    accepts: |_| true,
    parameters: &[],
    keyed: false,
    localized: false,
    identifies: None,
    uniqueness: "unique where the column is",
    normalisation: "none",
    longest: "as the original",
    space: "the originals",
    prepare: |_| Ok(Prepared::new(Keep).unique(true)),
};

/// `nullify`.
pub(super) static NULLIFY: Function = Function {
    name: "nullify",
    class: Class::Suppression,
    summary: "replaces the value by NULL",
    fits: "every type",
    accepts: |_| true,
    parameters: &[],
    keyed: false,
    localized: false,
    identifies: None,
    uniqueness: "unique where the database counts NULLs as distinct, which is the rule",
    normalisation: "none",
    longest: "nothing",
    space: "NULL",
    prepare: |_| {
        Ok(Prepared { may_return_null: true, ..constant_of(Value::Null) }.unique(true).disjoint())
    },
};

/// `constant`.
pub(super) static CONSTANT: Function = Function {
    name: "constant",
    class: Class::Suppression,
    summary: "replaces every value that is not NULL by one value",
    fits: "every type but arrays",
    accepts: |kind| !matches!(kind, Kind::Array(_)),
    parameters: &[Parameter {
        name: "value",
        kind: ParameterKind::Text,
        required: true,
        summary: "the value, written as the column's type is: `2000-01-31`, `true`, `\"{}\"`, `\\xdeadbeef`",
    }],
    keyed: false,
    localized: false,
    identifies: None,
    uniqueness: "never unique",
    normalisation: "none",
    longest: "as written",
    space: "one value",
    prepare: constant,
};

/// `redact`.
pub(super) static REDACT: Function = Function {
    name: "redact",
    class: Class::Suppression,
    summary: "replaces text by `[redacted]`, JSON by `{}`, XML by `<redacted/>`, bytes by none",
    fits: "text, JSON, XML and bytes",
    accepts: |kind| matches!(kind, Kind::Text { .. } | Kind::Json | Kind::Xml | Kind::Bytes),
    parameters: &[Parameter {
        name: "with",
        kind: ParameterKind::Text,
        required: false,
        summary: "another text; default: `[redacted]`",
    }],
    keyed: false,
    localized: false,
    identifies: None,
    uniqueness: "never unique",
    normalisation: "none",
    longest: "10 characters, or as written",
    space: "one value",
    prepare: redact,
};

fn constant(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let written = request.text("value").unwrap_or_default();
    let value = parse(written, request.kind)
        .map_err(|expected| request.reject("value", "`value` does not fit the type", expected))?;
    Ok(constant_of(value))
}

fn redact(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let value = match (request.kind, request.text("with")) {
        (Kind::Text { .. }, with) => Value::Text(with.unwrap_or("[redacted]").to_owned().into()),
        (_, Some(_)) => {
            return Err(request.reject(
                "with",
                "`with` is for text columns",
                "leave it out, or use `constant`",
            ));
        }
        (Kind::Json, None) => Value::Json("{}".into()),
        (Kind::Bytes, None) => Value::Bytes(Cow::Borrowed(&[])),
        (_, None) => Value::Text("<redacted/>".into()),
    };
    Ok(constant_of(value))
}

/// A mask that always returns one value.
pub(super) fn constant_of(value: Value<'static>) -> Prepared {
    let longest = value.as_text().map_or(0, |text| text.chars().count());
    let prepared = Prepared::new(Constant(value.clone())).longest(longest);
    Prepared { constant: Some(value), ..prepared }
}

struct Constant(Value<'static>);

impl Mask for Constant {
    fn apply<'b>(&self, _: &Cell<'_>, buffer: &'b mut String) -> Result<Value<'b>, MaskError> {
        Ok(lend(&self.0, buffer))
    }
}

struct Keep;

impl Mask for Keep {
    fn apply<'b>(&self, cell: &Cell<'_>, buffer: &'b mut String) -> Result<Value<'b>, MaskError> {
        Ok(lend(cell.value, buffer))
    }
}

/// The same value, its text in the buffer.
pub(super) fn lend<'b>(value: &Value<'_>, buffer: &'b mut String) -> Value<'b> {
    match value {
        Value::Text(text) => {
            buffer.push_str(text);
            Value::Text(Cow::Borrowed(buffer))
        }
        Value::Json(text) => {
            buffer.push_str(text);
            Value::Json(Cow::Borrowed(buffer))
        }
        other => other.clone().into_owned(),
    }
}
