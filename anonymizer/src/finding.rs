//! What is wrong with a rules file or with what it says about a database: position, place, message and cure.
//!
//! Parsing and planning collect every finding before they refuse. A finding names things; it never holds a row value.

use std::fmt;

/// A place in the rules file, counted from 1. Line 0 means the file as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A value with the place it was written at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it starts.
    pub at: Position,
}

/// One thing that refuses the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
                write!(f, ":{}:{}", at.line, at.column)?;
            }
            if !subject.is_empty() {
                write!(f, ": {subject}")?;
            }
            write!(f, ": {message}\n    (hint: {cure})")?;
        }
        Ok(())
    }
}
