//! What is wrong with a definition: where, what, and what to do.

use std::fmt;

/// A place in a file; lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    /// Where.
    pub at: Position,
    /// The state it is about; empty for the machine as a whole.
    pub state: String,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What to do: an imperative fragment.
    pub cure: String,
}

/// Everything that is wrong with a definition, in the file's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defects {
    /// The file's name.
    pub file: String,
    /// At least one.
    pub defects: Vec<Defect>,
}

impl fmt::Display for Defects {
    /// ```text
    /// failed to read workflow.asl.json: 1 defect
    ///   workflow.asl.json:12:9: state `Copy`: `Next` leads to `Sahre`, which does not exist
    ///     (hint: did you mean `Share`?)
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.defects.len();
        write!(
            f,
            "failed to read {}: {count} defect{}",
            self.file,
            if count == 1 { "" } else { "s" }
        )?;
        for Defect { at, state, message, cure } in &self.defects {
            write!(f, "\n  {}:{}:{}: ", self.file, at.line, at.column)?;
            if !state.is_empty() {
                write!(f, "state `{state}`: ")?;
            }
            write!(f, "{message}\n    (hint: {cure})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Defects {}

/// Collects defects while reading goes on.
#[derive(Default)]
pub(crate) struct Found {
    defects: Vec<Defect>,
    /// The state that is being read.
    state: String,
}

impl Found {
    /// Names the state that what follows is about; answers with the one before.
    pub(crate) fn enter(&mut self, state: &str) -> String {
        std::mem::replace(&mut self.state, state.to_owned())
    }

    pub(crate) fn add(
        &mut self,
        at: Position,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) {
        let (message, cure) = (message.into(), cure.into());
        self.defects.push(Defect { at, state: self.state.clone(), message, cure });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.defects.is_empty()
    }

    pub(crate) fn or<T>(mut self, value: Option<T>, file: &str) -> Result<T, Defects> {
        self.defects.sort();
        self.defects.dedup();
        match value {
            Some(value) if self.defects.is_empty() => Ok(value),
            _ => Err(Defects { file: file.to_owned(), defects: self.defects }),
        }
    }
}
