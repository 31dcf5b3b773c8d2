//! What a database engine must know how to do. Everything else is engine-neutral.
//!
//! The verbs follow a run: [`Engine::catalog`], then [`Engine::begin`] (guards, lock, ledger, foreign keys down), then
//! [`Engine::mask_unit`] for each unit that is left, several at a time, then [`Engine::finish`] (foreign keys up, views,
//! statistics). A failure between any two leaves each unit wholly original or wholly masked, and the same verbs from the
//! start finish the work. Only engines touch a database.

pub mod postgres;
pub mod sqlite;

use std::future::Future;
use std::path::PathBuf;

use crate::catalog::{Catalog, TableName};
use crate::mask::MaskError;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::value::Value;

/// What a run is told besides its plan.
#[derive(Clone, Debug)]
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

/// A few rows of a table, masked, as text.
pub struct Sample {
    /// The table.
    pub table: TableName,
    /// Column names with the function that wrote them.
    pub columns: Vec<(String, String)>,
    /// Masked values; a kept column's value is never shown, it reads `(kept)`.
    pub rows: Vec<Vec<Option<String>>>,
}

/// A connected database.
pub trait Engine: Send + Sync {
    /// Host and database, or file name; no user, no password.
    fn location(&self) -> String;
    /// Reads the catalog. Foreign keys that an interrupted run has taken down are in it.
    fn catalog(&self) -> impl Future<Output = Result<Catalog, EngineError>> + Send;
    /// What only the database can tell about a plan, read-only: predicates that do not parse, orphaned rows, rights that
    /// are missing, prepared transactions, a server that is read-only or recovering. Each a subject, message and cure.
    fn check(
        &self,
        plan: &Plan,
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
    /// A passing fault: the same command again may work.
    #[error("{0}")]
    Temporary(String),
    /// A value that a mask could not understand.
    #[error("mask {table}.{column} with `{function}`: {source}")]
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

/// Renders a masked value for `preview`.
pub fn render(value: &Value<'_>) -> Option<String> {
    let _ = value;
    todo!()
}
