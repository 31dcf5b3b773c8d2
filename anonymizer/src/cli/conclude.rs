//! The end of `run`: the report is on the disk before the database refers to it, and gets its name after.
//!
//! A failed verdict is an error with an exit code of its own. It names places and counts, never a value.

use std::path::{Path, PathBuf};

use contract::key::SigningKey;
use contract::report::{Report, ScrubStatus, Verdict};
use contract::statement::{Statement, sha256};

use super::destination::Destination;
use super::{Error, say, verify};
use crate::engine::{Engine, EngineError, Marker, RunOptions};
use crate::kept::Kept;
use crate::mask::key::Keyring;
use crate::verify::vault::Vault;

/// Places that are named one by one; the report names them all.
const NAMED: usize = 20;

/// Writes the report where a place is given, signed where there is a key, and ends the run with the report's digest as its
/// mark. Answers with the report's path; an error where the verdict is failed.
pub async fn conclude<E: Engine>(
    engine: &E,
    options: &RunOptions,
    keyring: &Keyring,
    document: &Report,
    destination: Option<&Destination>,
    key: Option<&SigningKey>,
) -> Result<Option<PathBuf>, Error> {
    let statement = Statement::new(document.clone());
    let bytes = statement.to_bytes();
    let staged = destination.map(|destination| {
        destination.stage(&statement, &bytes, key).map(|staged| (destination, staged))
    });
    let staged = staged.transpose()?;
    let marker = Marker {
        run_id: document.run_id.clone(),
        digest: sha256(&bytes),
        verdict: document.verdict,
        finished_at: document.finished_at.clone(),
        kept: Kept::new(String::from_utf8(bytes).expect("JSON is text"), keyring),
    };
    let concluded = engine.conclude(options, &marker).await;
    concluded.map_err(|source| Error::engine(format!("conclude {}", document.database), source))?;
    if document.verdict == Verdict::Passed {
        discard(&options.vault).await;
    }
    let report = match staged {
        Some((destination, staged)) => Some(destination.show(staged).await?),
        None => None,
    };
    if document.verdict == Verdict::Passed {
        return Ok(report);
    }
    for note in &document.notes {
        say(&format!("note: {note}"));
    }
    Err(failed(document, engine.resumes(), report.as_deref()))
}

/// After a passed verdict nobody needs the fingerprints. With a failed one they stay for another look.
pub async fn discard(vault: &Vault) {
    if let Err(error) = vault.discard().await {
        say(&format!("{error}; remove its files by hand, they are needed no more"));
    }
}

/// Why the database must not leave.
fn failed(document: &Report, resumes: bool, report: Option<&Path>) -> Error {
    let mut lines = verify::open(&document.gate);
    let undone = document.checks.iter().filter(|check| check.status == ScrubStatus::Failed);
    lines.extend(undone.map(|check| format!("{}: {}", check.id, check.detail)));
    let more = lines.len().saturating_sub(NAMED);
    lines.truncate(NAMED);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    let said = lines.iter().map(|line| format!("\n  {line}")).collect::<String>();
    let state = if resumes {
        "the database is masked and must not leave; mend the cause and run the same command again"
    } else {
        "the file is as it was before the run; mend the cause and run again"
    };
    let seen = report.map_or(String::new(), |path| format!("; see {}", path.display()));
    Error::Engine {
        task: format!("verify {}", document.database),
        source: Box::new(EngineError::Unverified(format!("the verdict is failed{said}"))),
        hint: Some(format!("{state}{seen}")),
    }
}
