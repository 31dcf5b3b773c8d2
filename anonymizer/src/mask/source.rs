//! Where fakes come from: a subkey, a tag and a normalisation, joined to a cell's origin.
//!
//! Functions that must agree with each other share a tag. Case is folded character by character, without regard to
//! context or language, as `lower()` does it in a database.

use std::borrow::Cow;

use super::draws::{Draws, Ticket};
use super::key::{Draw, Subkey};
use super::parameter::IGNORE_CASE;
use super::{Cell, Mask, MaskError, Request};
use crate::value::Value;

/// Draws keyed bits for cells.
pub(super) struct Source {
    subkey: Subkey,
    tag: &'static str,
    ignore_case: bool,
}

impl Source {
    /// The source of a function with that tag.
    pub(super) fn new(request: &Request<'_>, tag: &'static str) -> Self {
        let ignore_case = request.ignore_case || request.flag(IGNORE_CASE.name);
        Self { subkey: request.subkey.clone(), tag, ignore_case }
    }

    /// The bits of a cell: those that were drawn ahead, where they were.
    pub(super) fn draw(&self, cell: &Cell<'_>) -> Draw {
        match (cell.draw, cell.origin()) {
            (Some(draw), _) => *draw,
            (None, Value::Text(text)) if self.ignore_case => {
                self.subkey.draw(self.tag, &Value::Text(lower_case(text)))
            }
            (None, value) => self.subkey.draw(self.tag, value),
        }
    }

    /// Asks for the bits of a cell ahead of [`Source::draw`].
    pub(super) fn ask(&self, cell: &Cell<'_>, draws: &mut Draws) -> Option<Ticket> {
        Some(match cell.origin() {
            Value::Text(text) if self.ignore_case => {
                draws.ask(&self.subkey, self.tag, &Value::Text(lower_case(text)))
            }
            value => draws.ask(&self.subkey, self.tag, value),
        })
    }
}

fn lower_case(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().flat_map(char::to_lowercase).collect())
}

/// A mask that writes text from a cell's bits and looks at nothing else of it.
pub(super) struct Written<W> {
    source: Source,
    write: W,
}

impl<W: Fn(&Draw, &mut String) + Send + Sync> Written<W> {
    /// Draws from `source`, writes with `write`.
    pub(super) fn new(source: Source, write: W) -> Self {
        Self { source, write }
    }
}

impl<W: Fn(&Draw, &mut String) + Send + Sync> Mask for Written<W> {
    fn apply<'b>(&self, cell: &Cell<'_>, buffer: &'b mut String) -> Result<Value<'b>, MaskError> {
        (self.write)(&self.source.draw(cell), buffer);
        Ok(Value::Text(Cow::Borrowed(buffer)))
    }

    fn ask(&self, cell: &Cell<'_>, draws: &mut Draws) -> Option<Ticket> {
        self.source.ask(cell, draws)
    }
}
