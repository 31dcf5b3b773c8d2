//! What is remembered of a swap: a document for each run that has made one. It is written after the secret, so that what it
//! says has happened.

use account::Documents;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use workflow::StepError;

/// A swap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The run.
    pub run: String,
    /// When.
    pub swapped_at: Timestamp,
    /// The database that was put in place, by the identifier that names do not change.
    pub new: String,
    /// The one that was there, where there was one.
    pub old: Option<String>,
    /// The released snapshot.
    pub source: String,
    /// When production's data was as it is in it.
    pub data_as_of: String,
    /// SHA-256 of the rules it was masked by.
    pub rules: String,
    /// Where it is reached.
    pub endpoint: String,
    /// Milliseconds in which neither was reached as people reach it.
    pub outage_ms: u64,
    /// The old one is gone, or is not this product's to delete.
    pub retired: bool,
}

/// The record of a run's swap.
pub async fn get(
    documents: &Documents,
    database: &str,
    run: &str,
) -> Result<Option<Record>, StepError> {
    read(documents, &key(database, run)).await
}

/// Every swap of a database, the oldest first.
pub async fn list(documents: &Documents, database: &str) -> Result<Vec<Record>, StepError> {
    let mut records = Vec::new();
    for key in documents.list(&format!("swaps/{database}")).await? {
        records.extend(read(documents, &key).await?);
    }
    records.sort_by_key(|record| record.swapped_at);
    Ok(records)
}

/// Keeps it.
pub async fn put(documents: &Documents, database: &str, record: &Record) -> Result<(), StepError> {
    let bytes = serde_json::to_vec_pretty(record)
        .map_err(|_| StepError::Fatal("the record of a swap cannot be written".into()))?;
    Ok(documents.put(&key(database, &record.run), &bytes).await?)
}

async fn read(documents: &Documents, key: &str) -> Result<Option<Record>, StepError> {
    let Some(bytes) = documents.get(key).await? else { return Ok(None) };
    let broken = |_| StepError::Fatal(format!("`{key}` is no record of a swap"));
    serde_json::from_slice(&bytes).map(Some).map_err(broken)
}

fn key(database: &str, run: &str) -> String {
    format!("swaps/{database}/{run}.json")
}
