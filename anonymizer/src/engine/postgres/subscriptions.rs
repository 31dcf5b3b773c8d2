//! Subscriptions that bring rows from elsewhere while a run masks: stopped before the first unit, or refused.
//!
//! What a publisher sends after a table's unit would never be masked. Dropping them is the scrub's business.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use tokio::time::{Instant, sleep};

use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::{ident, run};
use crate::engine::{EngineError, Scope};

/// How long a subscription's worker may take to end: it ends between two transactions.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);

const CURE: &str = "ALTER SUBSCRIPTION … DISABLE, as its owner, or mask with --scope instance";

/// Subscriptions that would go on: subject, message, cure.
pub async fn findings(
    conn: &mut PgConnection,
    scope: Scope,
) -> Result<Vec<(String, String, String)>, EngineError> {
    if scope == Scope::Instance {
        return Ok(Vec::new());
    }
    let finding = |name: String| {
        let message = "is enabled, and brings rows that nobody masks while the run masks";
        (format!("subscription {name}"), message.to_owned(), CURE.to_owned())
    };
    Ok(enabled(conn).await?.into_iter().map(finding).collect())
}

/// Disables them where the server is the run's own, and waits for their workers to end; elsewhere one that is enabled is
/// refused.
pub async fn stop(conn: &mut PgConnection, scope: Scope) -> Result<(), EngineError> {
    for name in enabled(conn).await? {
        if scope == Scope::Database {
            return Err(EngineError::Refused(format!(
                "subscription {name} is enabled, and brings rows that nobody masks\n(hint: {CURE})"
            )));
        }
        let disable = format!("ALTER SUBSCRIPTION {} DISABLE", ident(&name));
        match run(conn, &format!("disable the subscription {name}"), &disable).await {
            Err(EngineError::Database { task, detail }) => {
                return Err(EngineError::Refused(format!(
                    "{task}: {detail}\n(hint: disable or drop it as its owner)"
                )));
            }
            answer => answer?,
        }
    }
    let deadline = Instant::now() + PATIENCE;
    while at_work(conn).await? {
        if Instant::now() > deadline {
            return Err(EngineError::Temporary(
                "a subscription that is disabled still applies rows\n(hint: run again)".to_owned(),
            ));
        }
        sleep(POLL).await;
    }
    Ok(())
}

async fn enabled(conn: &mut PgConnection) -> Result<Vec<String>, EngineError> {
    sqlx::query_scalar(
        "SELECT s.subname::text FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
         WHERE d.datname = pg_catalog.current_database() AND s.subenabled ORDER BY 1",
    )
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error("read the subscriptions", error))
}

/// A worker of a subscription of this database runs. Version 13 shows the numbers of subscriptions to superusers only; there one
/// of another database that has the same name is waited for too.
async fn at_work(conn: &mut PgConnection) -> Result<bool, EngineError> {
    let fail = |error| engine_error("look for the workers of subscriptions", error);
    let may_look =
        "SELECT pg_catalog.has_column_privilege('pg_catalog.pg_subscription', 'oid', 'SELECT')";
    let numbers: bool = sqlx::query_scalar(may_look).fetch_one(&mut *conn).await.map_err(fail)?;
    let same = if numbers { "s.oid = w.subid" } else { "s.subname = w.subname" };
    let sql = format!(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_subscription w JOIN pg_catalog.pg_subscription s ON {same}
         JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = pg_catalog.current_database() AND w.pid IS NOT NULL)"
    );
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(conn).await.map_err(fail)
}
