//! What is remembered of a run until it has ended and left nothing: its database, and what it restored.
//!
//! Names and tags find what a run has made as long as it exists. The record is for what they cannot find: the automatic
//! backups of a database that is gone. A run whose record is still there has not come to its end.

use std::collections::BTreeSet;

use account::Documents;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use workflow::StepError;

/// A run.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The database it is about.
    pub database: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The databases that it restored, by the identifier that names do not change.
    pub restored: BTreeSet<String>,
}

const FOLDER: &str = "runs";

fn key(run: &str) -> String {
    format!("{FOLDER}/{run}.json")
}

/// The record of a run.
pub async fn get(documents: &Documents, run: &str) -> Result<Option<Record>, StepError> {
    let Some(bytes) = documents.get(&key(run)).await? else { return Ok(None) };
    let broken = |error| StepError::Fatal(format!("the record of run {run} is none: {error}"));
    serde_json::from_slice(&bytes).map(Some).map_err(broken)
}

/// Writes it.
pub async fn put(documents: &Documents, run: &str, record: &Record) -> Result<(), StepError> {
    let bytes = serde_json::to_vec_pretty(record).expect("keys are strings");
    Ok(documents.put(&key(run), &bytes).await?)
}

/// Removes it.
pub async fn delete(documents: &Documents, run: &str) -> Result<(), StepError> {
    Ok(documents.delete(&key(run)).await?)
}

/// Remembers a database that the run has restored.
pub async fn restored(
    documents: &Documents,
    run: &str,
    database: &str,
    resource_id: &str,
) -> Result<(), StepError> {
    let fresh = || Record {
        database: database.to_owned(),
        started_at: Timestamp::now(),
        restored: BTreeSet::new(),
    };
    let mut record = get(documents, run).await?.unwrap_or_else(fresh);
    if record.restored.insert(resource_id.to_owned()) {
        put(documents, run, &record).await?;
    }
    Ok(())
}

/// The runs that have a record.
pub async fn all(documents: &Documents) -> Result<BTreeSet<String>, StepError> {
    let keys = documents.list(FOLDER).await?;
    let run = |key: &String| {
        let name = key.strip_prefix(FOLDER)?.strip_prefix('/')?.strip_suffix(".json")?;
        Some(name.to_owned())
    };
    Ok(keys.iter().filter_map(run).collect())
}
