//! `anonymizer verify-statement`: whether a signed statement is by a key, and what it says.
//!
//! It looks at two files and at no database. Without a good signature it repeats nothing of what the file says.

use std::path::PathBuf;

use clap::Args;
use contract::dsse::EnvelopeError;
use contract::report::{Report, Verdict};
use contract::statement::{Statement, StatementError, Subject, sha256};
use serde::Serialize;

use super::print::{count, thousands};
use super::{Error, Format, sign};

/// The command's arguments.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The signed statement, statement.dsse.json.
    file: PathBuf,
    /// The signer's public key, ed25519 or ECDSA P-256, in a PEM file.
    #[arg(long, value_name = "FILE")]
    public_key: PathBuf,
    /// The run that it must be the statement of.
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
    /// What the statement's SHA-256 must be: the one in the database's marker, which tells whether this is its statement.
    #[arg(long, value_name = "SHA256")]
    digest: Option<String>,
}

/// What is printed.
#[derive(Serialize)]
struct Signed<'a> {
    verdict: Verdict,
    run_id: &'a str,
    database: &'a str,
    engine: &'a str,
    subject: Subject,
    /// SHA-256 of the statement's bytes, which are `report.json`: the database's marker holds it.
    statement_sha256: String,
    started_at: &'a str,
    finished_at: &'a str,
    tool_version: &'a str,
    function_set: u32,
    rules_digest: &'a str,
    schema_fingerprint: &'a str,
    key_check: &'a str,
    tables: u64,
    originals: u64,
    leaks: u64,
    /// Fingerprint of the key that the signature is by.
    key: &'a str,
}

/// Runs the command.
pub fn verify(arguments: &Arguments, format: Format) -> Result<(), Error> {
    let name = arguments.file.display().to_string();
    let bytes = std::fs::read(&arguments.file)
        .map_err(|error| Error::Usage(format!("read {name}: {}", error.kind())))?;
    let key = sign::public_key(&arguments.public_key)?;
    let (payload, statement) = Statement::open(&bytes, &key).map_err(|error| {
        let hint = match error {
            StatementError::Envelope(EnvelopeError::Form) => {
                "\n(hint: the signed statement is statement.dsse.json; report.json is not signed)"
            }
            _ => "",
        };
        Error::Unverified(format!("verify {name}: {error}{hint}"))
    })?;
    let report = &statement.predicate;
    let digest = sha256(&payload);
    let other_run = arguments.run_id.as_ref().is_some_and(|given| *given != report.run_id);
    let other_digest =
        arguments.digest.as_ref().is_some_and(|given| !given.eq_ignore_ascii_case(&digest));
    format.print(&signed(report, digest, key.id()), Signed::as_text)?;
    if other_run || other_digest {
        let what = if other_run { "run id" } else { "SHA-256" };
        return Err(Error::Unverified(format!(
            "verify {name}: the signature is good, and it is the statement of another run: its {what} is not the one given"
        )));
    }
    match report.verdict {
        Verdict::Passed => Ok(()),
        Verdict::Failed => Err(Error::Unverified(format!(
            "verify {name}: the signature is good, and it says that the database failed verification"
        ))),
    }
}

fn signed<'a>(report: &'a Report, statement_sha256: String, key: &'a str) -> Signed<'a> {
    Signed {
        verdict: report.verdict,
        run_id: &report.run_id,
        database: &report.database,
        engine: &report.engine,
        subject: Subject::of(report),
        statement_sha256,
        started_at: &report.started_at,
        finished_at: &report.finished_at,
        tool_version: &report.tool_version,
        function_set: report.function_set,
        rules_digest: &report.rules_digest,
        schema_fingerprint: &report.schema_fingerprint,
        key_check: &report.key_check,
        tables: report.tables.len() as u64,
        originals: report.gate.originals,
        leaks: report.gate.leaks.iter().filter(|leak| leak.reason.is_none()).count() as u64,
        key,
    }
}

impl Signed<'_> {
    fn as_text(&self) -> String {
        let verdict = match self.verdict {
            Verdict::Passed => "passed",
            Verdict::Failed => "FAILED",
        };
        let gate = format!(
            "{} looked for, {} with leaks",
            count(self.originals, "original"),
            count(self.leaks, "place")
        );
        let lines = [
            ("verdict", verdict.to_owned()),
            ("database", format!("{} ({})", self.database, self.engine)),
            ("run", self.run_id.to_owned()),
            ("masked", format!("{} to {}", self.started_at, self.finished_at)),
            ("tables", thousands(self.tables)),
            ("gate", gate),
            ("rules", format!("sha256 {}", self.rules_digest)),
            ("schema", format!("sha256 {}", self.schema_fingerprint)),
            ("subject", format!("sha256 {}", self.subject.digest.sha256)),
            ("statement", format!("sha256 {}", self.statement_sha256)),
            ("masked by", format!("anonymizer {}", self.tool_version)),
            ("functions", format!("set {}, key check {}", self.function_set, self.key_check)),
            ("signed by", format!("key {}", self.key)),
        ];
        // Names of databases may hold anything.
        let rows: Vec<Vec<String>> =
            lines.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
        super::print::columns(&rows)
    }
}
