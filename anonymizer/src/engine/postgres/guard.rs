//! Who else is there: the lock that keeps a second run out, leftovers of a killed one, and other clients.

use std::path::Path;
use std::time::Duration;

use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use crate::engine::EngineError;
use crate::engine::postgres::error::engine_error;

/// How our sessions call themselves: this, the host and the process.
const APPLICATION: &str = "anonymizer";
/// The advisory lock of a run: the name's bytes as a number.
const LOCK: i64 = i64::from_be_bytes(*b"anonymiz");
/// A killed client's sessions end within a second (`client_connection_check_interval`); on PostgreSQL 13 they end when
/// their statement does, which may take longer than this.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(200);

/// The name our sessions show in `pg_stat_activity`.
pub fn application_name() -> String {
    format!("{APPLICATION} {} {}", host(), std::process::id())
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .unwrap_or_default()
}

/// Takes the run's lock for as long as the session lasts.
pub async fn lock(conn: &mut PgConnection) -> Result<(), EngineError> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        end_leftovers(conn).await?;
        let locked: bool = sqlx::query_scalar("SELECT pg_catalog.pg_try_advisory_lock($1)")
            .bind(LOCK)
            .fetch_one(&mut *conn)
            .await
            .map_err(|error| engine_error("take the run's lock", error))?;
        if locked && leftovers(conn).await?.is_empty() {
            return Ok(());
        }
        if tokio::time::Instant::now() > deadline {
            return Err(EngineError::Temporary(
                "another anonymizer run is at work on this database\n(hint: wait for it to end, then run again)".to_owned(),
            ));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Sessions of other processes of ours in this database: process id on the server, application name.
async fn leftovers(conn: &mut PgConnection) -> Result<Vec<(i32, String)>, EngineError> {
    let rows = sqlx::query(
        "SELECT pid, application_name FROM pg_catalog.pg_stat_activity
         WHERE datname = pg_catalog.current_database() AND usename = current_user AND backend_type = 'client backend'
           AND application_name LIKE $1 || ' %' AND application_name <> $2",
    )
    .bind(APPLICATION)
    .bind(application_name())
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error("read the connected clients", error))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Ends sessions whose process was on this host and is gone.
async fn end_leftovers(conn: &mut PgConnection) -> Result<(), EngineError> {
    let here = format!("{APPLICATION} {} ", host());
    for (pid, application) in leftovers(conn).await? {
        let process = application.strip_prefix(&here).and_then(|id| id.parse::<u32>().ok());
        if process.is_some_and(|id| !Path::new(&format!("/proc/{id}")).exists()) {
            sqlx::query("SELECT pg_catalog.pg_terminate_backend($1)")
                .bind(pid)
                .execute(&mut *conn)
                .await
                .map_err(|error| engine_error("end a session of a killed run", error))?;
        }
    }
    Ok(())
}

/// How many other clients are connected to this database. The platform's own sessions and background workers are none.
pub async fn other_clients(conn: &mut PgConnection) -> Result<i64, EngineError> {
    sqlx::query_scalar(
        // What sort of session another role's is, only some roles are told; background workers have no role.
        "SELECT count(*) FROM pg_catalog.pg_stat_activity
         WHERE datname = pg_catalog.current_database() AND coalesce(backend_type, 'client backend') = 'client backend'
           AND usename NOT IN ('rdsadmin', 'rdsrepladmin') AND coalesce(application_name, '') NOT LIKE $1 || ' %'",
    )
    .bind(APPLICATION)
    .fetch_one(conn)
    .await
    .map_err(|error| engine_error("read the connected clients", error))
}

/// Refuses a database that other clients are connected to.
pub async fn refuse_other_clients(conn: &mut PgConnection) -> Result<(), EngineError> {
    let others = other_clients(conn).await?;
    if others == 0 {
        return Ok(());
    }
    Err(EngineError::Refused(format!(
        "{others} other client{} connected to this database\n(hint: mask a restored copy, which has none, or say --allow-connections)",
        if others == 1 { " is" } else { "s are" }
    )))
}
