//! Event triggers, and functions that call out when somebody calls them.

use sqlx::Row as _;

use crate::engine::EngineError;
use crate::engine::postgres::ledger;
use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::attempt::{attempt, rows};
use crate::engine::postgres::scrub::calls::Calls;
use crate::engine::postgres::session::ident;
use crate::scrub::{Found, Tally, names};

/// Disables those that call out. The run has silenced those that it may alter: these stay so.
pub async fn event_triggers(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    const SQL: &str = "SELECT evtname::text, evtenabled::text, evtfoid::bigint FROM pg_catalog.pg_event_trigger ORDER BY 1";
    let silenced = ledger::taken_down(scrub.conn, ledger::EVENT_TRIGGER).await?;
    let all = rows(scrub.conn, "read the event triggers", SQL).await?;
    let by_run = |name: &str| silenced.iter().find(|entry| entry.name == name);
    let all: Vec<_> = all
        .iter()
        .filter(|row| row.get::<&str, _>(1) != "D" || by_run(row.get(0)).is_some())
        .collect();
    let (mut tally, mut left) = (Tally::default(), Vec::new());
    for row in &all {
        let name: String = row.get(0);
        if scrub.calls.function(row.get(2)).is_none() {
            left.push(name);
            continue;
        }
        if let Some(entry) = by_run(&name) {
            ledger::clear(scrub.conn, entry).await?;
            tally.note(name, Ok(()));
            tally.undo(entry.restore.join("; "));
            continue;
        }
        let alter = format!("ALTER EVENT TRIGGER {}", ident(&name));
        let task = format!("disable the event trigger {name}");
        let done = attempt(scrub.conn, &task, &format!("{alter} DISABLE")).await?;
        if tally.note(name, done) {
            let enable = match row.get::<&str, _>(1) {
                "R" => "ENABLE REPLICA",
                "A" => "ENABLE ALWAYS",
                _ => "ENABLE",
            };
            tally.undo(format!("{alter} {enable}"));
        }
    }
    if all.len() == left.len() && !left.is_empty() {
        return Ok(Found::reported(format!("none calls out; left: {}", names(&left))));
    }
    Ok(tally.found("disabled", "no enabled event trigger"))
}

/// Tells which there are.
pub fn functions(calls: &Calls) -> Found {
    match calls.own() {
        [] => Found::nothing("no function calls out"),
        own => Found::reported(format!("left: {}", names(own))),
    }
}
