//! Sequences behind identity and serial columns whose integers were masked: moved past the largest fake, so that the next
//! row the application inserts gets a key of its own.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};

use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::{ident, literal, qualified, run};
use crate::engine::{EngineError, Unit};
use crate::plan::TablePlan;

/// Advances the sequences of a table; part of the caller's transaction. A sequence that counts down is left alone.
pub async fn advance(
    conn: &mut PgConnection,
    unit: &Unit,
    table: &TablePlan,
) -> Result<(), EngineError> {
    for column in table.columns.iter().filter(|column| column.advance_sequence) {
        let task = format!("advance the sequence of {}.{}", table.name, column.name);
        // A partition's column draws from its root's sequence.
        let row = sqlx::query(
            "SELECT n.nspname::text, c.relname::text, s.seqincrement > 0
             FROM (SELECT coalesce(pg_catalog.pg_get_serial_sequence($1, $3), pg_catalog.pg_get_serial_sequence($2, $3))::regclass AS oid) q
             JOIN pg_catalog.pg_class c ON c.oid = q.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             JOIN pg_catalog.pg_sequence s ON s.seqrelid = q.oid",
        )
        .bind(qualified(&table.name))
        .bind(qualified(&unit.name))
        .bind(&column.name)
        .fetch_optional(&mut *conn)
        .await
        .map_err(|error| engine_error(&task, error))?;
        let Some(row) = row.filter(|row| row.get(2)) else { continue };
        let sequence = format!("{}.{}", ident(row.get(0)), ident(row.get(1)));
        let last: i64 =
            sqlx::query_scalar(AssertSqlSafe(format!("SELECT last_value FROM {sequence}")))
                .fetch_one(&mut *conn)
                .await
                .map_err(|error| engine_error(&task, error))?;
        let sql = format!(
            "SELECT pg_catalog.setval({}::regclass, largest) FROM (SELECT max({}) AS largest FROM ONLY {}) m WHERE largest > {last}",
            literal(&sequence),
            ident(&column.name),
            qualified(&table.name)
        );
        run(conn, &task, &sql).await?;
    }
    Ok(())
}
