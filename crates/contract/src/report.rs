//! `report.json`: what a run did, column by column. Counts and names only, never a value.

use serde::{Deserialize, Serialize};

/// The version of this document's form; raised when a reader would have to change.
pub const FORMAT: u32 = 1;

/// What one run did to one database.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`FORMAT`] of the writer.
    pub format: u32,
    /// The run's identifier: `--run-id`, or a random one.
    pub run_id: String,
    /// Version of the tool that ran.
    pub tool_version: String,
    /// Version of the set of masking functions: equal versions give equal fakes for equal keys.
    pub function_set: u32,
    /// `postgres` or `sqlite`.
    pub engine: String,
    /// Host and database name, or the file's name. No user, no password.
    pub database: String,
    /// SHA-256 of the rules file's bytes, hex.
    pub rules_digest: String,
    /// SHA-256 of the schema's tables, columns and types, hex.
    pub schema_fingerprint: String,
    /// A value that tells two keys apart and reveals neither, hex.
    pub key_check: String,
    /// True when the key was made for this run and forgotten.
    pub key_is_ephemeral: bool,
    /// RFC 3339, UTC: the run's `now()`.
    pub started_at: String,
    /// RFC 3339, UTC.
    pub finished_at: String,
    /// Wall time by phase, in the order they ran.
    pub phases: Vec<Phase>,
    /// Every table of the database, by name.
    pub tables: Vec<TableReport>,
    /// What the reader should know, one sentence each: residues, resumed units, things taken down and put back.
    pub notes: Vec<String>,
}

/// A named span of wall time.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// For instance `check`, `prepare`, `mask`, `finish`.
    pub name: String,
    /// Wall seconds.
    pub seconds: f64,
}

/// What happened to one table.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct TableReport {
    /// Qualified name, as stored.
    pub name: String,
    /// What the rules decided.
    pub action: TableAction,
    /// Rows in the table after the run (for `keep`, the server's estimate where counting would cost a scan).
    pub rows: u64,
    /// Rows left as they were by `skip_rows`.
    pub skipped_rows: u64,
    /// Rows removed by `delete_rows` or `truncate`, where the engine counts them.
    pub deleted_rows: u64,
    /// Wall seconds spent on the table.
    pub seconds: f64,
    /// True when an earlier, interrupted run had already finished this table.
    pub resumed: bool,
    /// Every column in the table's order.
    pub columns: Vec<ColumnReport>,
}

/// What the rules decided for a table.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum TableAction {
    /// Not written.
    Keep,
    /// Emptied.
    Truncate,
    /// Rewritten with at least one masked column or deleted row.
    Rewrite,
}

/// What happened to one column.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ColumnReport {
    /// Column name, as stored.
    pub name: String,
    /// Type as the database prints it.
    #[serde(rename = "type")]
    pub data_type: String,
    /// The masking function's name, or `generated` for a column the database computes.
    pub function: String,
    /// `keep`, `pseudonymization`, `generalization`, `noise`, `suppression` or `generated`.
    pub class: String,
    /// Values looked at (rows that were neither skipped nor deleted).
    pub values: u64,
    /// Of these, how many were NULL.
    pub nulls: u64,
    /// Of these, how many are different now.
    pub changed: u64,
}
