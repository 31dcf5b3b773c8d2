//! Rows and clients that have come since the tables were masked: looked for when everything else has been looked at.

use contract::report::ScrubCheck;
use sqlx::postgres::PgConnection;

use crate::engine::EngineError;
use crate::engine::postgres::{guard, loaded};
use crate::rules::ScrubRules;
use crate::scrub::{Found, check, names, settle};
use crate::switches;

/// The check's name.
pub const ID: &str = "postgres.arrivals";

/// Carries the check out.
pub async fn arrivals(
    conn: &mut PgConnection,
    rules: &ScrubRules,
    allow_connections: bool,
) -> Result<Vec<ScrubCheck>, EngineError> {
    let found = if switches::is_off(ID) {
        Ok(Found::nothing("switched off for a test"))
    } else {
        found(conn, allow_connections).await
    };
    check(ID).map(|check| settle(check, found, rules)).into_iter().collect()
}

async fn found(conn: &mut PgConnection, allow_connections: bool) -> Result<Found, EngineError> {
    let mut arrived = Vec::new();
    let tables = loaded::strange(conn).await?;
    if !tables.is_empty() {
        arrived.push(format!("rows have come, gone or changed in {}", names(&tables)));
    }
    if !allow_connections {
        match guard::other_clients(conn).await? {
            0 => {}
            1 => arrived.push("another client is connected".to_owned()),
            others => arrived.push(format!("{others} other clients are connected")),
        }
    }
    Ok(match arrived.is_empty() {
        true => Found::nothing("every row of a masked table is one that the run has loaded"),
        false => Found::failed(arrived.join("; ")),
    })
}
