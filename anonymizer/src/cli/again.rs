//! A run that finds its database finished: what the run that finished it has left undone if it died right after.
//!
//! It writes the report that the database keeps, and removes the fingerprints that nobody needs any more. A database that says
//! that it is finished and keeps no report sealed with this run's key is refused: anybody may have written that.

use std::path::PathBuf;

use contract::key::SigningKey;
use contract::report::Verdict;
use contract::statement::Statement;

use super::Error;
use super::conclude::discard;
use super::destination::Destination;
use crate::engine::{Engine, EngineError, RunOptions};
use crate::kept::Kept;
use crate::mask::key::Keyring;

/// Completes what the run before has begun. Answers with the report's path, where a place is given.
pub async fn complete<E: Engine>(
    engine: &E,
    options: &RunOptions,
    keyring: &Keyring,
    destination: Option<&Destination>,
    key: Option<&SigningKey>,
) -> Result<Option<PathBuf>, Error> {
    let refused = |source| Error::engine(format!("mask {}", engine.location()), source);
    let kept = engine.kept().await.map_err(refused)?;
    let passed = |kept: Kept| {
        let report = kept.open(keyring)?;
        let statement = Statement::read(report.as_bytes()).ok()?;
        (statement.predicate.verdict == Verdict::Passed).then_some((report, statement))
    };
    let Some((report, statement)) = kept.and_then(passed) else {
        return Err(refused(EngineError::Refused(
            "it says that it is masked, and keeps no report that a run with this key has left\n(hint: restore the copy again)"
                .to_owned(),
        )));
    };
    discard(&options.vault).await;
    let Some(destination) = destination else { return Ok(None) };
    // Without a key a signature that is there must not get lost.
    if key.is_none()
        && let Some(path) = destination.bring_back(report.as_bytes())?
    {
        return Ok(Some(path));
    }
    let staged = destination.stage(&statement, report.as_bytes(), key)?;
    destination.show(staged).await.map(Some)
}
