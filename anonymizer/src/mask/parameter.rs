//! Reading a rule's arguments, and the parameters that several functions share. The parser has checked shapes; here are
//! the meanings, and a [`Rejection`] at the argument's own position where one makes no sense.

use super::{Argument, Parameter, ParameterKind, Rejection, Request};

/// Fakes derive from the lower-case form.
pub(super) const IGNORE_CASE: Parameter = Parameter {
    name: "ignore_case",
    kind: ParameterKind::Flag,
    required: false,
    summary: "values that differ in case only get the same fake; default: as the column compares",
};

/// Nothing longer than this.
pub(super) const MAX_LENGTH: Parameter = Parameter {
    name: "max_length",
    kind: ParameterKind::Integer,
    required: false,
    summary: "longest fake in characters, for a narrow column; default: as long as the locale's words are",
};

impl Request<'_> {
    /// The argument's text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.argument(name)? {
            Argument::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The argument's number.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        match self.argument(name)? {
            Argument::Number(number) => Some(*number),
            Argument::Integer(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// Whether the flag is set.
    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.argument(name), Some(Argument::Flag(true)))
    }

    /// The argument's whole number within bounds.
    pub(super) fn integer(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<i64>,
    ) -> Result<Option<i64>, Rejection> {
        match self.argument(name) {
            Some(Argument::Integer(number)) if bounds.contains(number) => Ok(Some(*number)),
            Some(Argument::Integer(_)) => Err(self.reject(
                name,
                format!("`{name}` is out of range"),
                format!("write a whole number from {} to {}", bounds.start(), bounds.end()),
            )),
            _ => Ok(None),
        }
    }

    /// The shared parameter `max_length`.
    pub(super) fn max_length(&self) -> Result<Option<usize>, Rejection> {
        Ok(self.integer(MAX_LENGTH.name, 1..=1000)?.map(|length| length as usize))
    }

    /// Whether distinct values stay distinct after normalisation, under the column's equality.
    pub(super) fn tells_apart(&self) -> bool {
        self.ignore_case || !self.flag(IGNORE_CASE.name)
    }

    /// A rejection at the argument of that name, or at the function where there is none.
    pub(super) fn reject(
        &self,
        name: &str,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) -> Rejection {
        Rejection { at: self.position(name), message: message.into(), cure: cure.into() }
    }
}
