//! The ledger: what a run has done and what it has taken down, in schema `anonymizer` of the database itself.
//!
//! It holds names, counts, definitions, check values and at its end the report; never a row value, never the key. It binds a database to one set of
//! rules, one function set, one schema and one key: another run with anything else is refused. It stays after the run, so
//! that a finished database is recognised as such.

use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use crate::catalog::{ForeignKey, TableName};
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::{literal, run};
use crate::engine::postgres::{loaded, marker};
use crate::engine::{EngineError, RunOptions, Scope, TableOutcome};
use crate::kept::Kept;
use crate::mask::FUNCTION_SET;
use crate::plan::Plan;

/// The ledger's schema.
pub const SCHEMA: &str = "anonymizer";

/// What a database remembers of its run.
pub struct Run {
    /// The identifier of the run that began.
    pub run_id: String,
    rules_digest: String,
    masking_digest: String,
    scope: String,
    function_set: i32,
    schema_fingerprint: String,
    key_check: String,
    key_is_ephemeral: bool,
    /// When it finished with a verdict that was passed, if it did.
    pub finished_at: Option<String>,
    /// It was concluded, and the verdict was failed.
    pub failed: bool,
}

/// Something taken down that must be put back, or put back so that it can be taken away: in the order they were recorded.
pub struct TakenDown {
    /// Identifies the entry.
    pub id: i64,
    /// Its name, for messages.
    pub name: String,
    /// The statements that put it back.
    pub restore: Vec<String>,
}

/// A foreign key.
pub const FOREIGN_KEY: &str = "foreign_key";
/// An index that was invalid before and must be so again.
pub const INVALID_INDEX: &str = "invalid_index";
/// An event trigger that the run has silenced.
pub const EVENT_TRIGGER: &str = "event_trigger";
/// Membership in an owner's role that the run granted itself.
pub const MEMBERSHIP: &str = "membership";

/// True where the database has a ledger.
pub async fn exists(conn: &mut PgConnection) -> Result<bool, EngineError> {
    sqlx::query_scalar("SELECT pg_catalog.to_regclass('anonymizer.run') IS NOT NULL")
        .fetch_one(conn)
        .await
        .map_err(|error| engine_error("read the ledger", error))
}

/// Makes the ledger and its one run; part of the caller's transaction.
pub async fn create(
    conn: &mut PgConnection,
    plan: &Plan,
    options: &RunOptions,
) -> Result<(), EngineError> {
    let now = literal(&options.now);
    let statements = format!(
        "CREATE SCHEMA anonymizer;
         COMMENT ON SCHEMA anonymizer IS 'What the anonymizer did to this database. Holds no personal data.';
         CREATE TABLE anonymizer.run (
             run_id text PRIMARY KEY, tool_version text NOT NULL, rules_digest text NOT NULL, function_set int NOT NULL,
             schema_fingerprint text NOT NULL, key_check text NOT NULL, key_is_ephemeral bool NOT NULL,
             now text NOT NULL, masking_digest text NOT NULL, scope text NOT NULL, finished_at timestamptz, report text, seal text);
         CREATE TABLE anonymizer.unit (
             schema_name text, table_name text, outcomes text NOT NULL, PRIMARY KEY (schema_name, table_name));
         CREATE TABLE anonymizer.taken_down (
             id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, name text NOT NULL,
             restore text[] NOT NULL, detail text);
         CREATE TABLE anonymizer.cascade_delete (schema_name text, table_name text, rows bigint NOT NULL);
         CREATE FUNCTION anonymizer.now() RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
             AS {}; ",
        literal(&format!("SELECT timestamptz {now}"))
    );
    run(conn, "make the ledger", &statements).await?;
    loaded::make(conn).await?;
    marker::make(conn).await?;
    sqlx::query("INSERT INTO anonymizer.run VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
        .bind(&options.run_id)
        .bind(env!("CARGO_PKG_VERSION"))
        .bind(&plan.rules_digest)
        .bind(FUNCTION_SET as i32)
        .bind(&plan.schema_fingerprint)
        .bind(&options.key_check)
        .bind(options.key_is_ephemeral)
        .bind(&options.now)
        .bind(&plan.masking_digest)
        .bind(options.scope.name())
        .execute(conn)
        .await
        .map(drop)
        .map_err(|error| engine_error("write the ledger", error))
}

/// Reads the run.
pub async fn read(conn: &mut PgConnection) -> Result<Run, EngineError> {
    let row = sqlx::query(
        "SELECT rules_digest, function_set, schema_fingerprint, key_check, key_is_ephemeral,
                pg_catalog.to_char(finished_at, 'YYYY-MM-DD HH24:MI') || ' UTC' AS finished_at, run_id,
                EXISTS (SELECT FROM anonymizer.statement WHERE verdict = 'failed'), masking_digest, scope
         FROM anonymizer.run",
    )
    .fetch_one(conn)
    .await
    .map_err(|error| engine_error("read the ledger", error))?;
    Ok(Run {
        rules_digest: row.get(0),
        function_set: row.get(1),
        schema_fingerprint: row.get(2),
        key_check: row.get(3),
        key_is_ephemeral: row.get(4),
        finished_at: row.get(5),
        run_id: row.get(6),
        failed: row.get(7),
        masking_digest: row.get(8),
        scope: row.get(9),
    })
}

/// Notes the rules file and the scope that a run goes on with: what they say about the look afterwards may be new.
pub async fn renew(conn: &mut PgConnection, plan: &Plan, scope: Scope) -> Result<(), EngineError> {
    sqlx::query("UPDATE anonymizer.run SET rules_digest = $1, scope = $2")
        .bind(&plan.rules_digest)
        .bind(scope.name())
        .execute(conn)
        .await
        .map(drop)
        .map_err(|error| engine_error("write the ledger", error))
}

impl Run {
    /// Refuses a run that differs in anything that would give other fakes or other decisions.
    pub fn must_match(&self, plan: &Plan, options: &RunOptions) -> Result<(), EngineError> {
        let masked = self.finished_at.is_some() || self.failed;
        let state = if masked { "has been masked" } else { "is partly masked" };
        let refuse = |what: &str, cure: &str| {
            Err(EngineError::Refused(format!("this database {state} {what}\n(hint: {cure})")))
        };
        let restore = "restore the copy again, or mask it with what the first run was given";
        if self.masking_digest != plan.masking_digest && self.failed {
            return refuse(
                "by a run with other rules, whose verdict was failed",
                "mend the leak and run again with the same rules, of which `verify` and `scrub` may change; for \
                 other rules restore the copy again",
            );
        }
        if self.masking_digest != plan.masking_digest {
            return refuse("by a run with other rules", restore);
        }
        // A verdict that was passed is that of the whole file.
        if self.rules_digest != plan.rules_digest && self.finished_at.is_some() {
            return refuse("by a run with another rules file", restore);
        }
        if self.function_set != FUNCTION_SET as i32 {
            return refuse("by a version with another set of masking functions", restore);
        }
        if self.schema_fingerprint != plan.schema_fingerprint {
            return refuse("and its tables have changed since", "restore the copy again");
        }
        if self.key_check != options.key_check && self.key_is_ephemeral {
            return refuse(
                "by a run whose key was made for that run only",
                "restore the copy again, and give a key to be able to resume",
            );
        }
        if self.key_check != options.key_check {
            return refuse("with another key", restore);
        }
        let wider = options.scope == Scope::Instance && self.scope != Scope::Instance.name();
        // After a passed verdict nothing is kept of the originals that another look would need.
        if wider && self.finished_at.is_some() {
            return refuse(
                "with --scope database, which leaves the rest of the server as it was",
                "restore the copy again and run with --scope instance",
            );
        }
        Ok(())
    }
}

/// Records something taken down; part of the caller's transaction.
pub async fn record(
    conn: &mut PgConnection,
    kind: &str,
    name: &str,
    restore: &[String],
    detail: Option<String>,
) -> Result<(), EngineError> {
    sqlx::query(
        "INSERT INTO anonymizer.taken_down (kind, name, restore, detail) VALUES ($1, $2, $3, $4)",
    )
    .bind(kind)
    .bind(name)
    .bind(restore)
    .bind(detail)
    .execute(conn)
    .await
    .map(drop)
    .map_err(|error| engine_error("write the ledger", error))
}

/// What is still down, of one kind.
pub async fn taken_down(
    conn: &mut PgConnection,
    kind: &str,
) -> Result<Vec<TakenDown>, EngineError> {
    let rows = sqlx::query(
        "SELECT id, name, restore FROM anonymizer.taken_down WHERE kind = $1 ORDER BY id",
    )
    .bind(kind)
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error("read the ledger", error))?;
    let entry = |row: &sqlx::postgres::PgRow| TakenDown {
        id: row.get(0),
        name: row.get(1),
        restore: row.get(2),
    };
    Ok(rows.iter().map(entry).collect())
}

/// Forgets an entry that was put back; part of the caller's transaction.
pub async fn clear(conn: &mut PgConnection, entry: &TakenDown) -> Result<(), EngineError> {
    let sql = format!("DELETE FROM anonymizer.taken_down WHERE id = {}", entry.id);
    run(conn, "write the ledger", &sql).await
}

/// The foreign keys that are down, as the catalog would show them.
pub async fn foreign_keys_down(conn: &mut PgConnection) -> Result<Vec<ForeignKey>, EngineError> {
    let details: Vec<String> =
        sqlx::query_scalar("SELECT detail FROM anonymizer.taken_down WHERE kind = $1 ORDER BY id")
            .bind(FOREIGN_KEY)
            .fetch_all(conn)
            .await
            .map_err(|error| engine_error("read the ledger", error))?;
    let parse = |detail: &String| {
        serde_json::from_str(detail).map_err(|_| {
            EngineError::Unexpected("the ledger holds an entry it should not".to_owned())
        })
    };
    details.iter().map(parse).collect()
}

/// Records a finished unit; part of the unit's transaction.
pub async fn finish_unit(
    conn: &mut PgConnection,
    unit: &TableName,
    outcomes: &[TableOutcome],
) -> Result<(), EngineError> {
    let counted = serde_json::to_string(outcomes).expect("outcomes are plain data");
    sqlx::query("INSERT INTO anonymizer.unit VALUES ($1, $2, $3)")
        .bind(&unit.schema)
        .bind(&unit.name)
        .bind(counted)
        .execute(&mut *conn)
        .await
        .map_err(|error| engine_error("write the ledger", error))?;
    loaded::record(conn, outcomes).await
}

/// The units that are finished, with what happened to their tables.
pub async fn finished_units(
    conn: &mut PgConnection,
) -> Result<Vec<(TableName, Vec<TableOutcome>)>, EngineError> {
    let rows = sqlx::query("SELECT schema_name, table_name, outcomes FROM anonymizer.unit")
        .fetch_all(conn)
        .await
        .map_err(|error| engine_error("read the ledger", error))?;
    let unit = |row: &sqlx::postgres::PgRow| {
        let outcomes = serde_json::from_str(row.get(2)).map_err(|_| {
            EngineError::Unexpected("the ledger holds an entry it should not".to_owned())
        })?;
        Ok((TableName::new(row.get::<String, _>(0), row.get::<String, _>(1)), outcomes))
    };
    rows.iter().map(unit).collect()
}

/// Records rows that a cascade removed before the table's own unit; part of the caller's transaction.
pub async fn record_cascade(
    conn: &mut PgConnection,
    table: &TableName,
    rows: u64,
) -> Result<(), EngineError> {
    sqlx::query("INSERT INTO anonymizer.cascade_delete VALUES ($1, $2, $3)")
        .bind(&table.schema)
        .bind(&table.name)
        .bind(rows as i64)
        .execute(conn)
        .await
        .map(drop)
        .map_err(|error| engine_error("write the ledger", error))
}

/// Rows that cascades removed from a table.
pub async fn cascaded(conn: &mut PgConnection, table: &TableName) -> Result<u64, EngineError> {
    let rows: i64 = sqlx::query_scalar(
        "SELECT coalesce(sum(rows), 0)::bigint FROM anonymizer.cascade_delete WHERE schema_name = $1 AND table_name = $2",
    )
    .bind(&table.schema)
    .bind(&table.name)
    .fetch_one(conn)
    .await
    .map_err(|error| engine_error("read the ledger", error))?;
    Ok(rows as u64)
}

/// Keeps the report of a run that ends; part of the caller's transaction.
pub async fn keep(conn: &mut PgConnection, kept: &Kept) -> Result<(), EngineError> {
    sqlx::query("UPDATE anonymizer.run SET report = $1, seal = $2")
        .bind(&kept.report)
        .bind(&kept.seal)
        .execute(conn)
        .await
        .map(drop)
        .map_err(|error| engine_error("write the ledger", error))
}

/// The report of the last run that has ended.
pub async fn kept(conn: &mut PgConnection) -> Result<Option<Kept>, EngineError> {
    let row = sqlx::query(
        "SELECT report, seal FROM anonymizer.run WHERE report IS NOT NULL AND seal IS NOT NULL",
    )
    .fetch_optional(conn)
    .await
    .map_err(|error| engine_error("read the ledger", error))?;
    Ok(row.map(|row| Kept { report: row.get(0), seal: row.get(1) }))
}

/// Marks the run as finished.
pub async fn finish(conn: &mut PgConnection) -> Result<(), EngineError> {
    let sql = "UPDATE anonymizer.run SET finished_at = pg_catalog.now() WHERE finished_at IS NULL";
    run(conn, "write the ledger", sql).await
}
