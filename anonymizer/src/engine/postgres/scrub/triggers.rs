//! Triggers and rewrite rules that call out: disabled, with the command that enables each again.

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::quiet::USERS_TRIGGER;
use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::attempt::{as_owner, rows};
use crate::engine::postgres::session::{ident, qualified};
use crate::scrub::{Found, Tally};

/// Triggers whose function calls out.
pub async fn triggers(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, t.tgname::text, t.tgenabled::text, t.tgfoid::bigint
         FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE {USERS_TRIGGER} AND t.tgenabled <> 'D' ORDER BY 1, 2, 3"
    );
    let all = rows(scrub.conn, "read the triggers", &sql).await?;
    let calling: Vec<&PgRow> =
        all.iter().filter(|row| scrub.calls.function(row.get(4)).is_some()).collect();
    disable(scrub, "TRIGGER", &calling, "no enabled trigger calls out").await
}

/// Rules whose text calls out; those that make a view what it is cannot be disabled and are functions' business.
pub async fn rules(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    const SQL: &str = "
        SELECT n.nspname::text, c.relname::text, r.rulename::text, r.ev_enabled::text, lower(pg_catalog.pg_get_ruledef(r.oid))
        FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE r.ev_enabled <> 'D' AND r.ev_type <> '1' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, 3";
    let all = rows(scrub.conn, "read the rules", SQL).await?;
    let calling: Vec<&PgRow> = all.iter().filter(|row| scrub.calls.called_in(row.get(4))).collect();
    disable(scrub, "RULE", &calling, "no enabled rule calls out").await
}

/// What is done to a parent reaches its partitions, and a partition's own state would be lost: each is named by itself.
async fn disable(
    scrub: &mut Scrub<'_>,
    sort: &str,
    found: &[&PgRow],
    nothing: &str,
) -> Result<Found, EngineError> {
    let mut tally = Tally::default();
    for row in found {
        let table = TableName::new(row.get::<String, _>(0), row.get::<String, _>(1));
        let (name, alter) =
            (row.get::<String, _>(2), format!("ALTER TABLE ONLY {}", qualified(&table)));
        let thing = format!("{sort} {}", ident(&name));
        let label = format!("{name} of {table}");
        let disable = format!("{alter} DISABLE {thing}");
        let done = as_owner(scrub.conn, &table, &format!("disable {label}"), &disable).await?;
        if tally.note(label, done) {
            let enable = match row.get::<&str, _>(3) {
                "R" => "ENABLE REPLICA",
                "A" => "ENABLE ALWAYS",
                _ => "ENABLE",
            };
            tally.undo(format!("{alter} {enable} {thing}"));
        }
    }
    Ok(tally.found("disabled", nothing))
}
