//! Replication slots.

use sqlx::Row as _;

use crate::engine::EngineError;
use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::attempt::{alone, rows};
use crate::engine::postgres::session::literal;
use crate::scrub::{Found, Tally, names};

/// Drops the inactive ones.
pub async fn scrub(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    const SQL: &str =
        "SELECT slot_name::text, plugin::text, active, coalesce((pg_catalog.to_jsonb(s) ->> 'two_phase')::bool, false),
                coalesce((pg_catalog.to_jsonb(s) ->> 'failover')::bool, false)
         FROM pg_catalog.pg_replication_slots s WHERE NOT temporary ORDER BY 1";
    let slots = rows(scrub.conn, "read the replication slots", SQL).await?;
    if !scrub.whole_server() {
        let slots: Vec<String> = slots.iter().map(|row| row.get(0)).collect();
        return Ok(match slots.is_empty() {
            true => Found::nothing("no replication slot"),
            false => Found::reported(format!("left: {}", names(&slots))),
        });
    }
    let mut tally = Tally::default();
    for row in &slots {
        let (name, active): (String, bool) = (row.get(0), row.get(2));
        let slot = literal(&name);
        if active {
            tally.note(name, Err("it is in use".to_owned()));
            continue;
        }
        let drop = format!("SELECT pg_catalog.pg_drop_replication_slot({slot})");
        let dropped = alone(scrub.conn, &format!("drop the slot {name}"), &drop).await?;
        if tally.note(name, dropped) {
            tally.undo(match row.get::<Option<String>, _>(1) {
                Some(plugin) => {
                    // Older versions know fewer arguments.
                    let more = match (row.get::<bool, _>(3), row.get::<bool, _>(4)) {
                        (false, false) => String::new(),
                        (two_phase, false) => format!(", false, {two_phase}"),
                        (two_phase, failover) => format!(", false, {two_phase}, {failover}"),
                    };
                    let plugin = literal(&plugin);
                    format!("SELECT pg_create_logical_replication_slot({slot}, {plugin}{more})")
                }
                None => format!("SELECT pg_create_physical_replication_slot({slot})"),
            });
        }
    }
    Ok(tally.found("dropped", "no replication slot"))
}
