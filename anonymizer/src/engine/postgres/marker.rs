//! The end of a run: the marker, the ledger's last entry and the rights go in one transaction.
//!
//! `anonymizer.statement` is there for everybody who may connect, and says what the database is; the rest of the ledger is its
//! owner's. A failed verdict does not finish the run: the next one looks again.

use contract::report::Verdict;
use sqlx::postgres::PgConnection;

use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::run;
use crate::engine::postgres::{event_triggers, ledger, rights, transaction};
use crate::engine::{EngineError, Marker};

/// Makes the table, without a row; part of the transaction that makes the ledger. What a default privilege has opened is
/// closed again.
pub async fn make(conn: &mut PgConnection) -> Result<(), EngineError> {
    let statements = "
        CREATE TABLE anonymizer.statement (
            run_id text PRIMARY KEY, digest text NOT NULL, verdict text NOT NULL CHECK (verdict IN ('passed', 'failed')),
            rules_digest text NOT NULL, tool_version text NOT NULL, finished_at timestamptz NOT NULL);
        COMMENT ON TABLE anonymizer.statement IS 'The run that masked this database: SHA-256 of its report, and its verdict.';
        REVOKE ALL ON ALL TABLES IN SCHEMA anonymizer FROM PUBLIC;
        GRANT USAGE ON SCHEMA anonymizer TO PUBLIC;
        GRANT SELECT ON anonymizer.statement TO PUBLIC";
    run(conn, "make room for the run's marker", statements).await
}

/// Ends the run.
pub async fn conclude(conn: &mut PgConnection, marker: &Marker) -> Result<(), EngineError> {
    transaction(conn, async |conn| {
        write(conn, marker).await?;
        ledger::keep(conn, &marker.kept).await?;
        if marker.verdict == Verdict::Passed {
            event_triggers::wake(conn).await?;
            ledger::finish(conn).await?;
        }
        rights::give_back(conn).await
    })
    .await
}

/// A database has one statement, the last.
async fn write(conn: &mut PgConnection, marker: &Marker) -> Result<(), EngineError> {
    let verdict = match marker.verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
    };
    run(conn, "leave the run's marker", "DELETE FROM anonymizer.statement").await?;
    sqlx::query(
        "INSERT INTO anonymizer.statement (run_id, digest, verdict, rules_digest, tool_version, finished_at)
         SELECT $1, $2, $3, rules_digest, $4, $5::timestamptz FROM anonymizer.run",
    )
    .bind(&marker.run_id)
    .bind(&marker.digest)
    .bind(verdict)
    .bind(env!("CARGO_PKG_VERSION"))
    .bind(&marker.finished_at)
    .execute(conn)
    .await
    .map(drop)
    .map_err(|error| engine_error("leave the run's marker", error))
}
