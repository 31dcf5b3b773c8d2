//! Standard output for results, standard error for the rest, and text in columns.

use std::io::{self, Write as _};

use serde::Serialize;

use super::Error;
pub(super) use crate::digits::{count, thousands};
use crate::finding::printable;

/// The form of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

impl Format {
    /// Prints a result: the document as JSON, or as the text that `text` makes of it.
    pub fn print<T: Serialize>(
        self,
        document: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Error> {
        let mut text = match self {
            Format::Text => tame(&text(document)),
            Format::Json => serde_json::to_string_pretty(document).expect("keys are strings"),
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|source| Error::Io { task: "write to standard output".into(), source })
    }
}

/// A line of log on standard error. That nobody reads it is no reason to stop masking.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", tame(line));
}

/// The lines of a text, whose names may hold anything, without what would draw on a terminal.
fn tame(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// Rows in columns of equal width, two spaces apart; characters that would draw on a terminal are escaped.
pub fn columns(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| printable(cell).into_owned()).collect())
        .collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|i| {
            rows.iter().filter_map(|row| row.get(i)).map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, &wide) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', wide - width(cell) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_line_up_and_cannot_draw() {
        let rows = [vec!["é".into(), "b".into()], vec!["long".into(), "\u{1b}[2J".into()]];
        assert_eq!(columns(&rows), "é     b\nlong  \\u{1b}[2J\n");
    }
}
