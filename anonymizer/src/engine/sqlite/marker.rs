//! The mark that a finished run leaves in the database: one row in a table of its own, which no catalog shows.
//!
//! It says what `anonymizer.statement` says in PostgreSQL, and beside it what binds the database to one set of rules, one set
//! of functions, one schema, one key and the rows that the run has left in it. A database whose verdict is not `passed` never takes the original's place.

use contract::report::Verdict;
use rusqlite::{Connection, OptionalExtension as _, Result};

use super::content;
use crate::engine::{Marker, RunOptions};
use crate::kept::Kept;
use crate::mask::FUNCTION_SET;
use crate::plan::Plan;

/// The table it is kept in.
pub(super) const TABLE: &str = "anonymizer_statement";

/// What a run must agree in with an earlier one to have nothing left to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Binding {
    rules_digest: String,
    function_set: u32,
    schema_fingerprint: String,
    key_check: String,
}

/// What an earlier run says about itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    run_id: String,
    finished_at: String,
    binding: Binding,
    content: String,
}

impl Binding {
    /// What binds this run.
    pub(super) fn new(plan: &Plan, options: &RunOptions) -> Self {
        Self {
            rules_digest: plan.rules_digest.clone(),
            function_set: FUNCTION_SET,
            schema_fingerprint: plan.schema_fingerprint.clone(),
            key_check: options.key_check.clone(),
        }
    }
}

/// Makes the table, without a row.
pub(super) fn make(connection: &Connection) -> Result<()> {
    connection.execute_batch(&format!(
        "DROP TABLE IF EXISTS main.{TABLE};
         CREATE TABLE main.{TABLE}(run_id TEXT NOT NULL PRIMARY KEY, digest TEXT NOT NULL, \
         verdict TEXT NOT NULL, rules_digest TEXT NOT NULL, tool_version TEXT NOT NULL, \
         finished_at TEXT NOT NULL, function_set INTEGER NOT NULL, schema_fingerprint TEXT NOT NULL, \
         key_check TEXT NOT NULL, content TEXT NOT NULL, report TEXT NOT NULL, seal TEXT NOT NULL) WITHOUT ROWID"
    ))
}

/// Leaves the mark in the table, with a digest of the rows beside it.
pub(super) fn write(connection: &Connection, marker: &Marker, binding: &Binding) -> Result<()> {
    let content = content::digest(connection)?;
    connection.execute(
        &format!(
            "INSERT INTO main.{TABLE} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
        ),
        (
            &marker.run_id,
            &marker.digest,
            verdict(marker.verdict),
            &binding.rules_digest,
            env!("CARGO_PKG_VERSION"),
            &marker.finished_at,
            binding.function_set,
            &binding.schema_fingerprint,
            &binding.key_check,
            &content,
            &marker.kept.report,
            &marker.kept.seal,
        ),
    )?;
    Ok(())
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
    }
}

/// The report of an earlier run, where it has left one.
pub(super) fn kept(connection: &Connection) -> Result<Option<Kept>> {
    if !connection.column_exists(Some("main"), TABLE, "seal")? {
        return Ok(None);
    }
    let read = |row: &rusqlite::Row<'_>| Ok(Kept { report: row.get(0)?, seal: row.get(1)? });
    connection.query_row(&format!("SELECT report, seal FROM main.{TABLE}"), [], read).optional()
}

impl Found {
    /// The mark of an earlier run, where there is one.
    pub(super) fn read(connection: &Connection) -> Result<Option<Self>> {
        if !connection.table_exists(Some("main"), TABLE)? {
            return Ok(None);
        }
        let sql = format!(
            "SELECT run_id, finished_at, rules_digest, function_set, schema_fingerprint, key_check, content \
             FROM main.{TABLE}"
        );
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Self {
                run_id: row.get(0)?,
                finished_at: row.get(1)?,
                binding: Binding {
                    rules_digest: row.get(2)?,
                    function_set: row.get(3)?,
                    schema_fingerprint: row.get(4)?,
                    key_check: row.get(5)?,
                },
                content: row.get(6)?,
            })
        };
        connection.query_row(&sql, [], read).optional()
    }

    /// `Ok` with a sentence where the earlier run did what this one would do; else what tells them apart.
    /// `content` is the digest of the rows as they are now.
    pub(super) fn compare(
        &self,
        run: &Binding,
        content: &str,
    ) -> std::result::Result<String, &'static str> {
        if self.binding.key_check != run.key_check {
            return Err("another key");
        }
        if self.binding.rules_digest != run.rules_digest {
            return Err("other rules");
        }
        if self.binding.function_set != run.function_set {
            return Err("another version of the masking functions");
        }
        if self.binding.schema_fingerprint != run.schema_fingerprint {
            return Err("another schema");
        }
        if self.content != content {
            return Err("other rows than are in it now");
        }
        Ok(format!("run {} finished this database at {}", self.run_id, self.finished_at))
    }

    /// When and by whom, for a message.
    pub(super) fn by(&self) -> String {
        format!("run {} at {}", self.run_id, self.finished_at)
    }
}
