//! What is wrong with a rules file or with what it says about a database: position, place, message and cure.
//!
//! Parsing and planning collect every finding before they refuse. A finding names things; it never holds a row value.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// A place in the rules file, counted from 1. Line 0 means the file as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value with the place it was written at. Two are equal when their values are: rules that say the same in two places
/// are the same rule.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it starts.
    pub at: Position,
}

impl<T> Spanned<T> {
    /// A value and its place.
    pub fn new(value: T, at: Position) -> Self {
        Self { value, at }
    }
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Spanned<T> {}

/// One thing that refuses the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Where in the rules file.
    pub at: Position,
    /// What it is about: `public.orders.note (text)`, a table, or empty for the file.
    pub subject: String,
    /// What is wrong: a lower-case fragment without a full stop.
    pub message: String,
    /// What to do about it: an imperative fragment.
    pub cure: String,
}

/// All findings about one rules file; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// `read shop.yaml`, `plan rules/shop.yaml against shop`: completes “failed to …”.
    pub task: String,
    /// The rules file as the user named it.
    pub file: String,
    /// Sorted by position.
    pub findings: Vec<Finding>,
}

impl std::error::Error for Findings {}

impl fmt::Display for Findings {
    /// ```text
    /// failed to plan rules/shop.yaml: 2 findings
    ///   rules/shop.yaml:12:5: public.orders.note (text): undecided column
    ///     (hint: give it a function or `keep`)
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.findings.len();
        write!(f, "failed to {}: {count} finding{}", self.task, if count == 1 { "" } else { "s" })?;
        for Finding { at, subject, message, cure } in &self.findings {
            write!(f, "\n  {}", self.file)?;
            if at.line > 0 {
                write!(f, ":{at}")?;
            }
            if !subject.is_empty() {
                write!(f, ": {}", printable(subject))?;
            }
            write!(f, ": {}\n    (hint: {})", printable(message), printable(cure))?;
        }
        Ok(())
    }
}

/// Names come from files and databases: a line break or an escape sequence in one must not draw on a terminal.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Findings while they are being collected.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    findings: Vec<Finding>,
}

impl Collected {
    /// One more.
    pub fn add(
        &mut self,
        at: Position,
        subject: impl Into<String>,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) {
        let (subject, message, cure) = (subject.into(), message.into(), cure.into());
        self.findings.push(Finding { at, subject, message, cure });
    }

    /// Nothing was found.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// All of them, sorted and each once; `Ok(value)` where there are none.
    pub fn or<T>(mut self, value: T, task: String, file: &str) -> Result<T, Findings> {
        if self.findings.is_empty() {
            return Ok(value);
        }
        self.findings.sort();
        self.findings.dedup();
        Err(Findings { task, file: file.to_owned(), findings: self.findings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_in_names_are_shown_escaped() {
        let mut found = Collected::default();
        found.add(Position { line: 2, column: 3 }, "a\u{1b}[2J\nb", "unknown table", "remove it");
        let error = found.or((), "read x.yaml".into(), "x.yaml").unwrap_err();
        insta::assert_snapshot!(error, @r"
        failed to read x.yaml: 1 finding
          x.yaml:2:3: a\u{1b}[2J\nb: unknown table
            (hint: remove it)
        ");
    }
}
