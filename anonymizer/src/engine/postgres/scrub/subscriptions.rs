//! Logical replication: subscriptions with their connection strings, and publications.

use sqlx::Row as _;

use crate::engine::EngineError;
use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::attempt::{attempt, rows, texts};
use crate::engine::postgres::session::{ident, literal};
use crate::scrub::{Found, Tally, names};

/// Drops them, without a word to the publisher: its slot is left to it.
pub async fn subscriptions(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    const SQL: &str = "
        SELECT s.subname::text, s.subenabled, s.subslotname::text, s.subpublications FROM pg_catalog.pg_subscription s
        JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = pg_catalog.current_database() ORDER BY 1";
    let mut tally = Tally::default();
    for row in rows(scrub.conn, "read the subscriptions", SQL).await? {
        let name: String = row.get(0);
        let subscription = ident(&name);
        let disable = match row.get(1) {
            true => format!("ALTER SUBSCRIPTION {subscription} DISABLE; "),
            false => String::new(),
        };
        let sql = format!(
            "{disable}ALTER SUBSCRIPTION {subscription} SET (slot_name = NONE); DROP SUBSCRIPTION {subscription}"
        );
        let dropped = attempt(scrub.conn, &format!("drop the subscription {name}"), &sql).await?;
        if tally.note(name, dropped) {
            let publications: Vec<String> = row.get(3);
            let publications: Vec<String> =
                publications.iter().map(|publication| ident(publication)).collect();
            let slot = row.get::<Option<String>, _>(2);
            let slot = slot.map_or("NONE".to_owned(), |slot| literal(&slot));
            tally.undo(format!(
                "CREATE SUBSCRIPTION {subscription} CONNECTION '…' PUBLICATION {} WITH (create_slot = false, slot_name = {slot})",
                publications.join(", ")
            ));
        }
    }
    Ok(tally.found("dropped", "no subscription"))
}

/// Tells which there are.
pub async fn publications(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    let sql = "SELECT pubname::text FROM pg_catalog.pg_publication ORDER BY 1";
    let all = texts(scrub.conn, "read the publications", sql).await?;
    Ok(match all.is_empty() {
        true => Found::nothing("no publication"),
        false => Found::reported(format!("left: {}", names(&all))),
    })
}
