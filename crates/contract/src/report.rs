//! What a run did, column by column: the predicate of `report.json`. Counts and names only, never a value.

use serde::{Deserialize, Serialize};

/// The version of this document's form; raised when a reader would have to change.
pub const FORMAT: u32 = 3;

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
    /// How far the scrub went.
    pub scope: Scope,
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
    /// RFC 3339, UTC, as the database's marker holds it.
    pub finished_at: String,
    /// Wall time by phase, in the order they ran.
    pub phases: Vec<Phase>,
    /// Every table of the database, by name.
    pub tables: Vec<TableReport>,
    /// What the reader should know, one sentence each: residues, resumed units, things taken down and put back.
    pub notes: Vec<String>,
    /// Every scrub check of the engine, in a fixed order.
    pub checks: Vec<ScrubCheck>,
    /// What the leak gate has found.
    pub gate: Gate,
    /// Passed where every scrub check and the gate did.
    pub verdict: Verdict,
}

/// How far a run's scrub goes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This database; what belongs to the server is reported.
    #[default]
    Database,
    /// The whole server, which is the run's own: roles, settings, slots, other databases.
    Instance,
}

impl Scope {
    /// As `--scope` has it.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Database => "database",
            Scope::Instance => "instance",
        }
    }
}

/// Whether a masked database may leave.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may.
    Passed,
    /// It may not.
    Failed,
}

/// One thing besides rows in which personal data could leave, and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ScrubCheck {
    /// Stable name, as rules accept it: `postgres.column-statistics`.
    pub id: String,
    /// What was looked at: a sentence for a reader who knows databases.
    pub title: String,
    /// What became of it.
    pub status: ScrubStatus,
    /// What was found or done, with names and counts, never a value.
    pub detail: String,
    /// Commands that enable again what was disabled.
    pub undo: Vec<String>,
    /// Why the rules accept it, where they do.
    pub reason: Option<String>,
}

/// What became of a scrub check.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ScrubStatus {
    /// There was something, and it is gone or disabled.
    Done,
    /// There was nothing.
    NotNeeded,
    /// The platform denies every tenant to look or to change: a documented residual risk. Not red.
    Residual,
    /// Belongs to the server, which `--scope database` leaves alone: reported, not changed. Not red.
    Reported,
    /// It could not be done, and the rules accept that, with a reason. Not red.
    Accepted,
    /// It could not be done. Red.
    Failed,
}

/// The leak gate: every value of every table searched for the originals.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// No leak was found that the rules do not allow.
    pub passed: bool,
    /// Distinct fingerprints of originals that were looked for.
    pub originals: u64,
    /// Values read.
    pub values: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Chance that a token that is no original passes the first filter. Each such hit is confirmed by 128 bits.
    pub false_positive_rate: f64,
    /// Wall seconds.
    pub seconds: f64,
    /// Originals that are still there.
    pub leaks: Vec<Leak>,
    /// Columns marked `keep` that look like identifiers.
    pub suspects: Vec<Suspect>,
    /// How alone the rows are in what is left of their quasi-identifiers: information, never red.
    pub anonymity: Vec<Anonymity>,
}

/// Originals found in one place.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Leak {
    /// `schema.table.column`, or what holds the metadata: `comment on public.customers`.
    pub place: String,
    /// Kind of identifier: `email`.
    pub kind: String,
    /// Values that hold at least one.
    pub count: u64,
    /// Why the rules allow it, where they do.
    pub reason: Option<String>,
}

/// A kept column whose values look like identifiers.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Suspect {
    /// `schema.table.column`.
    pub column: String,
    /// Kind of identifier.
    pub kind: String,
    /// Values looked at.
    pub sampled: u64,
    /// Of these, how many look like one.
    pub matched: u64,
    /// Why the rules allow it, where they do.
    pub reason: Option<String>,
}

/// k-anonymity of a table (Sweeney 2002) over the columns that are kept or coarsened.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Anonymity {
    /// `schema.table`.
    pub table: String,
    /// The quasi-identifiers.
    pub columns: Vec<String>,
    /// Rows looked at.
    pub rows: u64,
    /// Size of the smallest group of rows that agree in all of them.
    pub k: u64,
    /// Rows that are alone in their group.
    pub alone: u64,
}

/// How a column's values were spread before and after masking. Borders are round numbers and labels come from the schema,
/// so that no value of a row is told.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// `number`, `date` or `category`.
    pub sort: String,
    /// One per bar: a round range, a period, a label of the schema or a rank.
    pub labels: Vec<String>,
    /// Share of the values per bar before, in parts of a thousand.
    pub before: Vec<u16>,
    /// The same after.
    pub after: Vec<u16>,
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

impl TableReport {
    /// A sentence about a table of which `skip_rows` has left most rows as they were, or all.
    pub fn mostly_skipped(&self) -> Option<String> {
        let (skipped, rows, name) = (self.skipped_rows, self.rows, &self.name);
        if skipped * 2 <= rows {
            return None;
        }
        let left = if skipped == rows {
            format!("every row ({rows})")
        } else {
            format!("{skipped} of {rows} rows")
        };
        Some(format!(
            "{name}: `skip_rows` has left {left} unmasked; see whether the rule is what you meant"
        ))
    }
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
    /// The kind of direct identifier whose originals the gate looks for, where the column holds one.
    pub identifies: Option<String>,
    /// How its values were spread, for numbers, dates and categories.
    pub distribution: Option<Distribution>,
}
