//! What a database engine must know how to do. Everything else is engine-neutral.
//!
//! The verbs follow a run: [`Engine::catalog`], then [`Engine::begin`] (guards, lock, ledger, foreign keys down), then
//! [`Engine::mask_unit`] for each unit that is left, several at a time, then [`Engine::finish`] (foreign keys up, views,
//! statistics). A failure between any two leaves each unit wholly original or wholly masked, and the same verbs from the
//! start finish the work. Only engines touch a database.

mod collect;
pub mod postgres;
pub mod sqlite;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

pub use contract::report::Scope;
use contract::report::{Distribution, ScrubCheck, Verdict};

use crate::catalog::{Catalog, TableName};
use crate::kept::Kept;
use crate::mask::civil::DAY;
use crate::mask::{MaskError, civil};
use crate::plan::Plan;
use crate::progress::Progress;
use crate::value::{Value, hyphenated};
use crate::verify::vault::{Vault, VaultError};

/// What a run is told besides its plan.
#[derive(Clone)]
pub struct RunOptions {
    /// The run's identifier.
    pub run_id: String,
    /// [`crate::mask::key::Keyring::check_value`].
    pub key_check: String,
    /// The key is forgotten after this run.
    pub key_is_ephemeral: bool,
    /// Units at a time.
    pub jobs: usize,
    /// Where masked rows are spooled; the system's temporary directory by default.
    pub spool_dir: Option<PathBuf>,
    /// Go on although other clients are connected.
    pub allow_connections: bool,
    /// The run's `now()`, RFC 3339, UTC.
    pub now: String,
    /// How far the scrub goes.
    pub scope: Scope,
    /// Keeps fingerprints of the originals for the gate.
    pub vault: Arc<Vault>,
}

/// What stands in the masked database for everybody who holds it to ask what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The run's identifier.
    pub run_id: String,
    /// SHA-256 of `report.json`, hex.
    pub digest: String,
    /// The verdict.
    pub verdict: Verdict,
    /// RFC 3339, UTC.
    pub finished_at: String,
    /// The report, for the next command.
    pub kept: Kept,
}

/// Columns of one table that the gate reads.
#[derive(Clone, Debug)]
pub struct Source {
    /// The table, or the materialized view.
    pub table: TableName,
    /// Column names, in the order in which [`Engine::read`] gives their values.
    pub columns: Vec<String>,
    /// Bytes on disk.
    pub bytes: u64,
}

/// What the gate is given of a field.
#[derive(Clone, Copy)]
pub enum Read<'a> {
    /// NULL.
    Null,
    /// Text, JSON, XML, or the text form of an array or composite value.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// Takes the rows the gate reads; called from one task at a time.
pub trait Reader: Send {
    /// A row: one field for each column of the source.
    fn row(&mut self, row: &[Read<'_>]);
}

/// What `begin` found.
pub enum Begun {
    /// Work to do: these units, largest first.
    Work(Vec<Unit>),
    /// An earlier run with the same rules and key has finished this database; the sentence says when.
    AlreadyDone(String),
}

/// What is masked in one transaction: a table, or a whole partition tree.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The table, or the tree's root.
    pub name: TableName,
    /// The tables in it that have rows of their own; the root too where it has.
    pub tables: Vec<TableName>,
    /// All tables of the tree from the root down, partitioned ones included; for a plain table, itself.
    pub members: Vec<TableName>,
    /// Set when an earlier, interrupted run has finished it: nothing is left to do but to report.
    pub done: Option<Vec<TableOutcome>>,
}

/// What happened to one table.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct TableOutcome {
    /// `schema`, `name`.
    pub table: Option<TableName>,
    /// Rows in it now.
    pub rows: u64,
    /// Rows left as they were.
    pub skipped: u64,
    /// Rows removed.
    pub deleted: u64,
    /// Wall seconds.
    pub seconds: f64,
    /// Per column of the plan, in its order.
    pub columns: Vec<ColumnOutcome>,
    /// How the values of columns of the plan were spread, by index.
    pub spreads: Vec<(usize, Distribution)>,
}

/// What happened to one column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ColumnOutcome {
    /// Values looked at.
    pub values: u64,
    /// Of these, NULL.
    pub nulls: u64,
    /// Of these, different now.
    pub changed: u64,
}

/// What a database remembers of the run that has masked it.
#[derive(Clone, Debug)]
pub struct Masked {
    /// The run's identifier.
    pub run_id: String,
    /// The units it has masked, by name.
    pub units: Vec<String>,
    /// What happened to their tables.
    pub tables: Vec<TableOutcome>,
}

/// A few rows of a table, masked, as text.
pub struct Sample {
    /// The table.
    pub table: TableName,
    /// Column names with the function that wrote them.
    pub columns: Vec<(String, String)>,
    /// Masked values; a kept column's value is never shown, it reads `(kept)`.
    pub rows: Vec<Vec<Option<String>>>,
    /// False where this role cannot read the table before a run has taken its owner's rights; there are no rows then.
    pub readable: bool,
}

/// Makes blocking work fail soon; called again and again until the process ends.
pub type Stopper = Box<dyn Fn() + Send + Sync>;

/// A connected database.
pub trait Engine: Send + Sync {
    /// Host and database, or file name; no user, no password.
    fn location(&self) -> String;
    /// Units that were masked before a failure stay masked and the same command finishes the rest; false where a failure
    /// leaves the whole database as it was.
    fn resumes(&self) -> bool {
        true
    }
    /// What ends work that blocks a thread when the process is told to stop. Work that awaits is simply dropped.
    fn stopper(&self) -> Stopper {
        Box::new(|| {})
    }
    /// Reads the catalog. Foreign keys that an interrupted run has taken down are in it.
    fn catalog(&self) -> impl Future<Output = Result<Catalog, EngineError>> + Send;
    /// What only the database can tell about a plan, read-only: predicates that do not parse, orphaned rows, rights that
    /// are missing, prepared transactions, a server that is read-only or recovering, what the scrub would fail on. Each a
    /// subject, message and cure.
    fn check(
        &self,
        plan: &Plan,
        scope: Scope,
    ) -> impl Future<Output = Result<Vec<(String, String, String)>, EngineError>> + Send;
    /// A few masked rows per rewritten table; writes nothing.
    fn preview(
        &self,
        plan: &Plan,
        rows: usize,
    ) -> impl Future<Output = Result<Vec<Sample>, EngineError>> + Send;
    /// Takes the lock, opens or resumes the ledger, takes down what stands in the way.
    fn begin(
        &self,
        plan: &Plan,
        options: &RunOptions,
    ) -> impl Future<Output = Result<Begun, EngineError>> + Send;
    /// Masks one unit in one transaction.
    fn mask_unit(
        &self,
        plan: &Plan,
        options: &RunOptions,
        unit: &Unit,
        progress: &dyn Progress,
    ) -> impl Future<Output = Result<Vec<TableOutcome>, EngineError>> + Send;
    /// Puts everything back, refreshes what was derived from originals, marks the database as finished. Answers with notes
    /// for the report.
    fn finish(
        &self,
        plan: &Plan,
        options: &RunOptions,
        progress: &dyn Progress,
    ) -> impl Future<Output = Result<Vec<String>, EngineError>> + Send;
    /// Removes or disables what a snapshot would carry besides rows; one entry for each check, in a fixed order.
    fn scrub(
        &self,
        plan: &Plan,
        options: &RunOptions,
    ) -> impl Future<Output = Result<Vec<ScrubCheck>, EngineError>> + Send;
    /// After the last look: whether rows or clients have come since the tables were masked. Such rows nobody has masked, and
    /// the look may have missed them.
    fn arrivals(
        &self,
        _plan: &Plan,
        _options: &RunOptions,
    ) -> impl Future<Output = Result<Vec<ScrubCheck>, EngineError>> + Send {
        async { Ok(Vec::new()) }
    }
    /// Everything that can hold text, JSON, XML, arrays or bytes, of every table whether decided or not, largest first.
    fn sources(&self) -> impl Future<Output = Result<Vec<Source>, EngineError>> + Send;
    /// Reads all rows of a source; several sources are read at a time.
    fn read(
        &self,
        source: &Source,
        reader: &mut dyn Reader,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;
    /// Texts in the catalog that may hold values: comments, defaults, CHECK and index literals, enum labels, partition
    /// bounds, role names. Each with the name of what holds it.
    fn metadata(&self) -> impl Future<Output = Result<Vec<(String, String)>, EngineError>> + Send;
    /// Names under which [`Engine::begin`] keeps fingerprints of originals apart from those of the units: of rows that are
    /// gone before the first unit is read.
    fn collected_by_begin(&self, _plan: &Plan) -> Vec<String> {
        Vec::new()
    }
    /// The run that has masked all of this database, whose originals are still kept for another look. Reads only. An engine
    /// that keeps nothing after a run refuses.
    fn masked(
        &self,
        _plan: &Plan,
        _options: &RunOptions,
    ) -> impl Future<Output = Result<Masked, EngineError>> + Send {
        let refused = "a run here ends with its verdict, and nothing is kept of the originals after it\n(hint: run again)";
        async { Err(EngineError::Refused(refused.to_owned())) }
    }
    /// The report that the last run which has come to a verdict has left in this database.
    fn kept(&self) -> impl Future<Output = Result<Option<Kept>, EngineError>> + Send {
        async { Ok(None) }
    }
    /// Ends the run: leaves the marker, gives rights back, lets the masked database take the original's place. With a
    /// failed verdict an engine that works on a copy leaves the original as it was.
    fn conclude(
        &self,
        options: &RunOptions,
        marker: &Marker,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;
}

/// What can go wrong in an engine. No variant carries a row value: database errors keep the code and the names of table,
/// column and constraint, nothing else.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The URL cannot be understood.
    #[error("{0}")]
    Usage(String),
    /// The database is not in a state that may be masked; nothing was written.
    #[error("{0}")]
    Refused(String),
    /// The database is masked and cannot be verified.
    #[error("{0}")]
    Unverified(String),
    /// A passing fault: the same command again may work.
    #[error("{0}")]
    Temporary(String),
    /// A value that a mask could not understand.
    #[error("mask {table}.{column} with `{function}`")]
    Mask {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The function.
        function: String,
        /// What is wrong.
        source: MaskError,
    },
    /// The database refused a statement.
    #[error("{task}: {detail}")]
    Database {
        /// What was being done: `load public.orders`.
        task: String,
        /// SQLSTATE or result code with names, no values.
        detail: String,
    },
    /// Anything else.
    #[error("{0}")]
    Unexpected(String),
}

impl From<VaultError> for EngineError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Missing { .. } => EngineError::Unverified(format!(
                "{error}\n(hint: name the directory that the interrupted run kept them in with --state; where they are lost, restore the database and start again)"
            )),
            VaultError::Elsewhere { passing: false, text } => EngineError::Unexpected(text),
            VaultError::Io(text) | VaultError::Elsewhere { passing: true, text } => {
                EngineError::Temporary(text)
            }
        }
    }
}

/// Renders a masked value for `preview`: dates and times in ISO 8601, bytes in hex; `None` for NULL.
pub fn render(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Decimal(text) | Value::Text(text) | Value::Json(text) => text.to_string(),
        Value::Bytes(bytes) => format!("\\x{}", hex::encode(bytes)),
        Value::Date(days) => render_date(i64::from(*days)),
        Value::Timestamp(micros) => {
            let date = render_date(micros.div_euclid(DAY));
            format!("{date} {}", render_time(micros.rem_euclid(DAY)))
        }
        Value::Time(micros) => render_time(*micros),
        Value::Uuid(bytes) => hyphenated(bytes),
        Value::Inet(ip, prefix) if *prefix == if ip.is_ipv4() { 32 } else { 128 } => ip.to_string(),
        Value::Inet(ip, prefix) => format!("{ip}/{prefix}"),
        Value::Mac(bytes) => render_mac(bytes),
        Value::Mac8(bytes) => render_mac(bytes),
        Value::Array(items) => {
            let items = items.iter().map(|item| render(item).unwrap_or_else(|| "NULL".into()));
            format!("{{{}}}", items.collect::<Vec<_>>().join(","))
        }
    })
}

fn render_date(days: i64) -> String {
    let (year, month, day) = civil::date(days);
    format!("{year:04}-{month:02}-{day:02}")
}

fn render_time(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let time = format!("{hour:02}:{minute:02}:{second:02}");
    if fraction == 0 { time } else { format!("{time}.{fraction:06}") }
}

fn render_mac(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_times_in_iso_form() {
        let shown = |value: Value<'_>| render(&value).unwrap();
        assert_eq!(shown(Value::Date(-1)), "1969-12-31");
        assert_eq!(shown(Value::Timestamp(951_782_400_000_000)), "2000-02-29 00:00:00");
        assert_eq!(shown(Value::Timestamp(-1)), "1969-12-31 23:59:59.999999");
        assert_eq!(shown(Value::Time(45_296_500_000)), "12:34:56.500000");
    }

    #[test]
    fn renders_nothing_for_null_and_braces_for_arrays() {
        assert_eq!(render(&Value::Null), None);
        let array = Value::Array(vec![Value::Int(1), Value::Null, Value::Text("a".into())]);
        assert_eq!(render(&array).unwrap(), "{1,NULL,a}");
        assert_eq!(render(&Value::Bytes(vec![0, 255].into())).unwrap(), "\\x00ff");
        let inet = |text: &str| Value::Inet(text.parse().unwrap(), 24);
        assert_eq!(render(&inet("198.18.1.0")).unwrap(), "198.18.1.0/24");
        assert_eq!(render(&Value::Mac([2, 0, 0, 0, 0, 1])).unwrap(), "02:00:00:00:00:01");
    }
}
