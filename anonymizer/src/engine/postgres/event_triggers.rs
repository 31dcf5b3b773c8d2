//! Event triggers: silent while a run works, then exactly as they were.
//!
//! They fire for whatever the run takes down and puts back, and from version 17 on whenever one of its sessions logs in. What
//! they write would come to tables that are masked already. One that this role may not alter stays as it is, and where it
//! fires at a login the run is refused. After a failed verdict they stay silent for whoever mends the leak.

use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use crate::engine::EngineError;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::ledger;
use crate::engine::postgres::session::{ident, run};

const ENABLED: &str =
    "SELECT evtname::text, evtenabled::text, evtevent = 'login', pg_catalog.pg_has_role(evtowner, 'USAGE')
     FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D' ORDER BY 1";

struct EventTrigger {
    name: String,
    enable: &'static str,
    at_login: bool,
    ours: bool,
}

async fn enabled(conn: &mut PgConnection) -> Result<Vec<EventTrigger>, EngineError> {
    let rows = sqlx::query(ENABLED)
        .fetch_all(conn)
        .await
        .map_err(|error| engine_error("read the event triggers", error))?;
    let trigger = |row: &sqlx::postgres::PgRow| EventTrigger {
        name: row.get(0),
        enable: match row.get::<&str, _>(1) {
            "R" => "ENABLE REPLICA",
            "A" => "ENABLE ALWAYS",
            _ => "ENABLE",
        },
        at_login: row.get(2),
        ours: row.get(3),
    };
    Ok(rows.iter().map(trigger).collect())
}

/// Those that would fire for every session of a run: subject, message, cure.
pub async fn findings(
    conn: &mut PgConnection,
) -> Result<Vec<(String, String, String)>, EngineError> {
    let finding = |trigger: EventTrigger| {
        (
            format!("event trigger {}", trigger.name),
            "fires for every session of a run, and this role may not disable it".to_owned(),
            format!("ALTER EVENT TRIGGER {} DISABLE, as its owner", ident(&trigger.name)),
        )
    };
    let enabled = enabled(conn).await?.into_iter();
    Ok(enabled.filter(|trigger| trigger.at_login && !trigger.ours).map(finding).collect())
}

/// Disables those that this role may alter; part of the caller's transaction. One that was enabled again since a run before
/// has silenced it is silenced again, and how it was then is what it comes back to.
pub async fn silence(conn: &mut PgConnection) -> Result<(), EngineError> {
    let known = ledger::taken_down(conn, ledger::EVENT_TRIGGER).await?;
    for trigger in enabled(conn).await?.into_iter().filter(|trigger| trigger.ours) {
        let alter = format!("ALTER EVENT TRIGGER {}", ident(&trigger.name));
        let task = format!("silence the event trigger {}", trigger.name);
        run(conn, &task, &format!("{alter} DISABLE")).await?;
        if known.iter().any(|entry| entry.name == trigger.name) {
            continue;
        }
        let restore = vec![format!("{alter} {}", trigger.enable)];
        ledger::record(conn, ledger::EVENT_TRIGGER, &trigger.name, &restore, None).await?;
    }
    Ok(())
}

/// Enables them again; part of the transaction that concludes the run. One that is gone, as whoever mended a leak may have
/// dropped it, is only forgotten.
pub async fn wake(conn: &mut PgConnection) -> Result<(), EngineError> {
    for entry in ledger::taken_down(conn, ledger::EVENT_TRIGGER).await? {
        let restore = if exists(conn, &entry.name).await? { &entry.restore[..] } else { &[] };
        for statement in restore {
            run(conn, &format!("restore the event trigger {}", entry.name), statement).await?;
        }
        ledger::clear(conn, &entry).await?;
    }
    Ok(())
}

async fn exists(conn: &mut PgConnection, name: &str) -> Result<bool, EngineError> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtname = $1::name)",
    )
    .bind(name)
    .fetch_one(conn)
    .await
    .map_err(|error| engine_error("read the event triggers", error))
}
