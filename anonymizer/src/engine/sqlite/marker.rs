//! The mark that a finished run leaves in the database: one row in a table of its own, which no catalog shows.

use rusqlite::{Connection, OptionalExtension as _, Result};

use crate::engine::RunOptions;
use crate::mask::FUNCTION_SET;
use crate::plan::Plan;

/// The table it is kept in.
pub(super) const TABLE: &str = "anonymizer_run";

/// What a finished run says about itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Marker {
    run_id: String,
    finished_at: String,
    rules_digest: String,
    function_set: u32,
    schema_fingerprint: String,
    key_check: String,
}

impl Marker {
    /// The mark this run will leave.
    pub(super) fn new(plan: &Plan, options: &RunOptions, finished_at: String) -> Self {
        Self {
            run_id: options.run_id.clone(),
            finished_at,
            rules_digest: plan.rules_digest.clone(),
            function_set: FUNCTION_SET,
            schema_fingerprint: plan.schema_fingerprint.clone(),
            key_check: options.key_check.clone(),
        }
    }

    /// The mark of an earlier run, where there is one.
    pub(super) fn read(connection: &Connection) -> Result<Option<Self>> {
        if !connection.table_exists(Some("main"), TABLE)? {
            return Ok(None);
        }
        let sql = format!(
            "SELECT run_id, finished_at, rules_digest, function_set, schema_fingerprint, key_check \
             FROM main.{TABLE}"
        );
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Self {
                run_id: row.get(0)?,
                finished_at: row.get(1)?,
                rules_digest: row.get(2)?,
                function_set: row.get(3)?,
                schema_fingerprint: row.get(4)?,
                key_check: row.get(5)?,
            })
        };
        connection.query_row(&sql, [], read).optional()
    }

    /// Leaves the mark.
    pub(super) fn write(&self, connection: &Connection) -> Result<()> {
        connection.execute_batch(&format!(
            "DROP TABLE IF EXISTS main.{TABLE};
             CREATE TABLE main.{TABLE}(run_id TEXT NOT NULL, finished_at TEXT NOT NULL, \
             rules_digest TEXT NOT NULL, function_set INTEGER NOT NULL, \
             schema_fingerprint TEXT NOT NULL, key_check TEXT NOT NULL)"
        ))?;
        connection.execute(
            &format!("INSERT INTO main.{TABLE} VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
            (
                &self.run_id,
                &self.finished_at,
                &self.rules_digest,
                self.function_set,
                &self.schema_fingerprint,
                &self.key_check,
            ),
        )?;
        Ok(())
    }

    /// `Ok` with a sentence where the earlier run did what this one would do; else what tells them apart.
    pub(super) fn compare(&self, run: &Self) -> std::result::Result<String, &'static str> {
        if self.key_check != run.key_check {
            return Err("another key");
        }
        if self.rules_digest != run.rules_digest {
            return Err("other rules");
        }
        if self.function_set != run.function_set {
            return Err("another version of the masking functions");
        }
        if self.schema_fingerprint != run.schema_fingerprint {
            return Err("another schema");
        }
        Ok(format!("run {} finished this database at {}", self.run_id, self.finished_at))
    }

    /// When and by whom, for a message.
    pub(super) fn by(&self) -> String {
        format!("run {} at {}", self.run_id, self.finished_at)
    }
}
