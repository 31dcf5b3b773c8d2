//! Triggers, rules and forced row security of a table: silent while it is rewritten, then exactly as they were.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::{ident, qualified, run};

/// The statements that undo [`silence`] or [`unforce`].
pub struct Silenced(Vec<String>);

/// A condition on `t` in `pg_trigger`: people made it. Before version 15 a partition's copy of such a trigger counts as internal.
pub const USERS_TRIGGER: &str = "(NOT t.tgisinternal OR t.tgparentid <> 0 AND (t.tgconstraint = 0
    OR EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = t.tgconstraint AND k.contype = 't')))";

/// Disables user triggers, rules (one may turn a DELETE into nothing) and forced row security; part of the caller's transaction.
pub async fn silence(conn: &mut PgConnection, table: &TableName) -> Result<Silenced, EngineError> {
    let task = format!("silence the triggers of {table}");
    let name = qualified(table);
    let enabled = format!(
        "SELECT 'TRIGGER', t.tgname::text AS name, t.tgenabled::text FROM pg_catalog.pg_trigger t
         WHERE t.tgrelid = $1::regclass AND {USERS_TRIGGER} AND t.tgenabled <> 'D'
         UNION ALL
         SELECT 'RULE', rulename::text, ev_enabled::text FROM pg_catalog.pg_rewrite
         WHERE ev_class = $1::regclass AND ev_enabled <> 'D' ORDER BY name"
    );
    let enabled = sqlx::query(AssertSqlSafe(enabled))
        .bind(&name)
        .fetch_all(&mut *conn)
        .await
        .map_err(|error| engine_error(&task, error))?;
    let Silenced(mut undo) = unforce(conn, table).await?;
    for row in &enabled {
        let thing = format!("{} {}", row.get::<&str, _>(0), ident(row.get(1)));
        let enable = match row.get::<&str, _>(2) {
            "R" => "ENABLE REPLICA",
            "A" => "ENABLE ALWAYS",
            _ => "ENABLE",
        };
        run(conn, &task, &format!("ALTER TABLE ONLY {name} DISABLE {thing}")).await?;
        undo.push(format!("ALTER TABLE ONLY {name} {enable} {thing}"));
    }
    Ok(Silenced(undo))
}

/// Frees the owner of row security, where it is forced on owners too; part of the caller's transaction.
pub async fn unforce(conn: &mut PgConnection, table: &TableName) -> Result<Silenced, EngineError> {
    let task = format!("lift the row security of {table}");
    let name = qualified(table);
    let forced: bool = sqlx::query_scalar(
        "SELECT relforcerowsecurity FROM pg_catalog.pg_class WHERE oid = $1::regclass",
    )
    .bind(&name)
    .fetch_one(&mut *conn)
    .await
    .map_err(|error| engine_error(&task, error))?;
    if !forced {
        return Ok(Silenced(Vec::new()));
    }
    run(conn, &task, &format!("ALTER TABLE ONLY {name} NO FORCE ROW LEVEL SECURITY")).await?;
    Ok(Silenced(vec![format!("ALTER TABLE ONLY {name} FORCE ROW LEVEL SECURITY")]))
}

/// Undoes it; part of the transaction that silenced.
pub async fn wake(
    conn: &mut PgConnection,
    table: &TableName,
    silenced: &Silenced,
) -> Result<(), EngineError> {
    let task = format!("restore the triggers of {table}");
    for statement in &silenced.0 {
        run(conn, &task, statement).await?;
    }
    Ok(())
}
