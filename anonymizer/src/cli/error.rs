//! What a command can end with, its exit code, and the one message that is printed.
//!
//! Every error becomes an exit code here and nowhere else.

use std::io;

use contract::exit_codes;
use contract::report::Gate;
use serde::Serialize;

use super::print::say;
use super::{Format, verify};
use crate::engine::EngineError;
use crate::finding::{Finding, Findings};

/// Why a command did not do what was asked. Each text completes “failed to …”.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line, the environment or a file it names cannot be understood.
    #[error("{0}")]
    Usage(String),
    /// The rules file is invalid.
    #[error("{0}")]
    Rules(Findings),
    /// The rules do not fit the database, or it is in no state to be masked.
    #[error("{0}")]
    Refused(Findings),
    /// The question on the terminal was not answered with yes.
    #[error("mask {0}: not confirmed, nothing was written")]
    Declined(String),
    /// What was to be verified was not.
    #[error("{0}")]
    Unverified(String),
    /// A file could not be written, or standard output was closed.
    #[error("{task}")]
    Io {
        /// What was being done.
        task: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The engine stopped.
    #[error("{task}")]
    Engine {
        /// What was being done.
        task: String,
        /// What went wrong.
        source: Box<EngineError>,
        /// What state that leaves, and what to do: a sentence for the hint.
        hint: Option<String>,
    },
    /// The leak gate found originals.
    #[error("verify {database}: originals or what looks like them are still there{}", lines(.gate))]
    Leaks {
        /// The database.
        database: String,
        /// What was found.
        gate: Box<Gate>,
    },
    /// A bug. Its own text may quote a value, so only its place is printed, by the panic hook.
    #[error("go on: a worker panicked, which is a bug")]
    Panicked,
    /// SIGINT or SIGTERM.
    #[error(
        "finish: interrupted by {0}\n(hint: no table is left half masked; run the same command with the same key again)"
    )]
    Interrupted(&'static str),
}

impl Error {
    /// An engine's error with what was being done.
    pub fn engine(task: impl Into<String>, source: EngineError) -> Self {
        Error::Engine { task: task.into(), source: Box::new(source), hint: None }
    }

    /// The exit code, from [`contract::exit_codes`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Usage(_) | Error::Rules(_) => exit_codes::USAGE,
            Error::Refused(_) | Error::Declined(_) => exit_codes::REFUSED,
            Error::Unverified(_) => exit_codes::VERIFY_FAILED,
            Error::Interrupted(_) => exit_codes::TEMPORARY,
            Error::Leaks { .. } => exit_codes::VERIFY_FAILED,
            Error::Io { .. } | Error::Panicked => exit_codes::UNEXPECTED,
            Error::Engine { source, .. } => match **source {
                EngineError::Usage(_) => exit_codes::USAGE,
                EngineError::Refused(_) => exit_codes::REFUSED,
                EngineError::Unverified(_) => exit_codes::VERIFY_FAILED,
                EngineError::Temporary(_) => exit_codes::TEMPORARY,
                EngineError::Mask { .. }
                | EngineError::Database { .. }
                | EngineError::Unexpected(_) => exit_codes::UNEXPECTED,
            },
        }
    }

    /// The findings, where there are any.
    pub fn findings(&self) -> Option<&Findings> {
        match self {
            Error::Rules(findings) | Error::Refused(findings) => Some(findings),
            _ => None,
        }
    }

    fn hint(&self) -> Option<&str> {
        match self {
            Error::Engine { hint, .. } => hint.as_deref(),
            _ => None,
        }
    }
}

fn lines(gate: &Gate) -> String {
    verify::open(gate).iter().map(|line| format!("\n  {line}")).collect()
}

/// The error as a document, for `--format json`.
#[derive(Serialize)]
struct Document<'a> {
    error: &'a str,
    exit_code: u8,
    findings: &'a [Finding],
    #[serde(skip_serializing_if = "Option::is_none")]
    gate: Option<&'a Gate>,
}

/// Prints the error once on standard error, and as the result too where a document is asked for.
pub fn print(error: &Error, format: Format) {
    let text = explain(error);
    say(&text);
    if format == Format::Json {
        let findings = error.findings().map_or(&[][..], |found| &found.findings);
        let gate = match error {
            Error::Leaks { gate, .. } => Some(gate.as_ref()),
            _ => None,
        };
        let document = Document { error: &text, exit_code: error.exit_code(), findings, gate };
        // Standard output may be what failed; the exit code says it all the same.
        let _ = format.print(&document, |_| String::new());
    }
}

/// Makes a panic print its place alone: the text of one about a string or a number quotes it, and that may be a row value.
pub fn hide_panic_values() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        say(&format!("internal error at {place}: a bug"));
    }));
}

/// The whole chain, once: `failed to`, what was being done, each cause after a colon, hints on lines of their own.
pub fn explain(error: &Error) -> String {
    if let Some(findings) = error.findings() {
        return findings.to_string();
    }
    let mut text = String::from("failed to ");
    let mut below = String::new();
    let mut next: Option<&dyn std::error::Error> = Some(error);
    let mut first = true;
    while let Some(cause) = next {
        let said = cause.to_string();
        let (line, rest) = said.split_once('\n').unwrap_or((&said, ""));
        if !first {
            text.push_str(": ");
        }
        text.push_str(line);
        if !rest.is_empty() {
            below.push('\n');
            below.push_str(rest);
        }
        first = false;
        next = cause.source();
    }
    text.push_str(&below);
    if let Some(hint) = error.hint() {
        text.push_str(&format!("\n(hint: {hint})"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::MaskError;

    #[test]
    fn a_chain_is_printed_once_with_hints_below() {
        let source = EngineError::Mask {
            table: "public.people".into(),
            column: "born".into(),
            function: "date_shift".into(),
            source: MaskError("not a date"),
        };
        let hint = Some("2 of 3 units masked".into());
        let error = Error::Engine { task: "mask shop".into(), source: Box::new(source), hint };
        assert_eq!(
            explain(&error),
            "failed to mask shop: mask public.people.born with `date_shift`: not a date\n\
             (hint: 2 of 3 units masked)"
        );
    }

    #[test]
    fn a_cause_keeps_its_own_hint_at_the_end() {
        let source = EngineError::Refused("2 clients are connected\n(hint: end them)".into());
        assert_eq!(
            explain(&Error::engine("mask shop", source)),
            "failed to mask shop: 2 clients are connected\n(hint: end them)"
        );
    }

    #[test]
    fn every_error_has_its_exit_code() {
        let engine = |source| Error::engine("mask", source).exit_code();
        assert_eq!(engine(EngineError::Usage("x".into())), exit_codes::USAGE);
        assert_eq!(engine(EngineError::Refused("x".into())), exit_codes::REFUSED);
        assert_eq!(engine(EngineError::Temporary("x".into())), exit_codes::TEMPORARY);
        assert_eq!(engine(EngineError::Unexpected("x".into())), exit_codes::UNEXPECTED);
        assert_eq!(Error::Interrupted("SIGINT").exit_code(), exit_codes::TEMPORARY);
        assert_eq!(Error::Declined("shop".into()).exit_code(), exit_codes::REFUSED);
        assert_eq!(Error::Unverified("x".into()).exit_code(), exit_codes::VERIFY_FAILED);
        let findings = Findings { task: "plan x".into(), file: "x".into(), findings: Vec::new() };
        assert_eq!(Error::Rules(findings.clone()).exit_code(), exit_codes::USAGE);
        assert_eq!(Error::Refused(findings).exit_code(), exit_codes::REFUSED);
    }
}
