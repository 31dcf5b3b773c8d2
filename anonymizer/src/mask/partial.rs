//! `partial`: characters covered, a few left to see.

use std::borrow::Cow;

use super::{
    Cell, Class, Function, Mask, MaskError, Parameter, ParameterKind, Prepared, Rejection, Request,
};
use crate::catalog::Kind;
use crate::value::Value;

/// `partial`.
pub(super) static PARTIAL: Function = Function {
    name: "partial",
    class: Class::Suppression,
    summary: "covers characters and leaves a few at the ends to see, never more than half of a value: `J*******`",
    fits: "text",
    accepts: |kind| matches!(kind, Kind::Text { .. }),
    parameters: &[
        Parameter {
            name: "keep_first",
            kind: ParameterKind::Integer,
            required: false,
            summary: "characters left at the beginning; default: 1",
        },
        Parameter {
            name: "keep_last",
            kind: ParameterKind::Integer,
            required: false,
            summary: "characters left at the end; default: 0",
        },
        Parameter {
            name: "with",
            kind: ParameterKind::Text,
            required: false,
            summary: "the character that covers; default: `*`",
        },
    ],
    keyed: false,
    localized: false,
    uniqueness: "never unique",
    normalisation: "none",
    longest: "as the original: the length stays",
    space: "the originals' lengths and what is left to see",
    prepare: partial,
};

fn partial(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let first = request.integer("keep_first", 0..=1000)?.unwrap_or(1) as usize;
    let last = request.integer("keep_last", 0..=1000)?.unwrap_or(0) as usize;
    let mut with = request.text("with").unwrap_or("*").chars();
    match (with.next(), with.next()) {
        (Some(cover), None) => Ok(Prepared::new(Partial { first, last, cover })),
        _ => Err(request.reject("with", "`with` is not one character", "write one character")),
    }
}

struct Partial {
    first: usize,
    last: usize,
    cover: char,
}

impl Mask for Partial {
    fn apply<'b>(&self, cell: &Cell<'_>, buffer: &'b mut String) -> Result<Value<'b>, MaskError> {
        let Value::Text(text) = cell.value else {
            return Err(MaskError("value is not text"));
        };
        let length = text.chars().count();
        let first = self.first.min(length / 2);
        let last = self.last.min(length / 2 - first);
        for (index, character) in text.chars().enumerate() {
            let seen = index < first || index >= length - last;
            buffer.push(if seen { character } else { self.cover });
        }
        Ok(Value::Text(Cow::Borrowed(buffer)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_shows_more_than_half() {
        let mask = Partial { first: 2, last: 4, cover: '*' };
        let shown = |text: &str| {
            let value = Value::Text(text.into());
            let mut buffer = String::new();
            mask.apply(&Cell { value: &value, seed: None, draw: None }, &mut buffer).unwrap();
            buffer
        };
        assert_eq!(shown("4111111111111234"), "41**********1234");
        assert_eq!(shown("abcdef"), "ab***f");
        assert_eq!(shown("éa"), "é*");
        assert_eq!(shown("a"), "*");
        assert_eq!(shown(""), "");
    }
}
