//! Foreign keys around rewritten tables: down before the first unit, up again after the last.
//!
//! A table that a foreign key references cannot be emptied, and two units that dropped keys inside their own transactions
//! would deadlock. So all keys go down in one transaction, recorded in the ledger, and come back one by one, each validated
//! unless it was NOT VALID before.

use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use crate::catalog::{Catalog, ForeignKey, TableKind, TableName};
use crate::engine::EngineError;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::{home_path, ident, literal, qualified, run};
use crate::engine::postgres::{ledger, transaction};

/// Drops every foreign key that touches one of the tables, and records it; part of the caller's transaction.
pub async fn take_down(
    conn: &mut PgConnection,
    catalog: &Catalog,
    tables: &[TableName],
) -> Result<usize, EngineError> {
    let keys: Vec<_> = catalog
        .foreign_keys
        .iter()
        .filter(|key| tables.contains(&key.table) || tables.contains(&key.references))
        .collect();
    for key in &keys {
        let row = sqlx::query(
            "SELECT pg_catalog.pg_get_constraintdef(oid), pg_catalog.obj_description(oid, 'pg_constraint')
             FROM pg_catalog.pg_constraint WHERE conrelid = $1::regclass AND conname = $2 AND contype = 'f'",
        )
        .bind(qualified(&key.table))
        .bind(&key.name)
        .fetch_one(&mut *conn)
        .await
        .map_err(|error| engine_error(&format!("read foreign key {} of {}", key.name, key.table), error))?;
        let (table, name) = (qualified(&key.table), ident(&key.name));
        let mut restore =
            vec![format!("ALTER TABLE {table} ADD CONSTRAINT {name} {}", row.get::<String, _>(0))];
        if let Some(comment) = row.get::<Option<String>, _>(1) {
            restore
                .push(format!("COMMENT ON CONSTRAINT {name} ON {table} IS {}", literal(&comment)));
        }
        // Validation reads both tables, and forced row security would refuse that.
        for forced in with_forced_row_security(conn, key).await? {
            let forced = qualified(&forced);
            restore.insert(0, format!("ALTER TABLE ONLY {forced} NO FORCE ROW LEVEL SECURITY"));
            restore.push(format!("ALTER TABLE ONLY {forced} FORCE ROW LEVEL SECURITY"));
        }
        let detail = serde_json::to_string(key).expect("a foreign key is plain data");
        let label = format!("{} of {}", key.name, key.table);
        ledger::record(conn, ledger::FOREIGN_KEY, &label, &restore, Some(detail)).await?;
        run(
            conn,
            &format!("drop foreign key {label}"),
            &format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
        )
        .await?;
    }
    Ok(keys.len())
}

/// SQL that is true for a row `orphan` whose key is complete and that references no row. Of a period every moment has to be
/// in one of those that are referenced.
pub fn is_orphan(catalog: &Catalog, key: &ForeignKey) -> String {
    let present = key.columns.iter().map(|column| format!("orphan.{} IS NOT NULL", ident(column)));
    let present: Vec<String> = present.collect();
    let side = |of: &str, column: &String| format!("{of}.{}", ident(column));
    let pairs = key.columns.iter().zip(&key.referenced_columns);
    let mut pairs: Vec<(String, String)> =
        pairs.map(|(child, parent)| (side("orphan", child), side("parent", parent))).collect();
    let period = key.period.then(|| pairs.pop()).flatten();
    let covered = period.map(|(child, parent)| {
        format!(" HAVING {child} OPERATOR(pg_catalog.<@) pg_catalog.range_agg({parent})")
    });
    let equal: Vec<String> =
        pairs.into_iter().map(|(child, parent)| format!("{parent} = {child}")).collect();
    format!(
        "{} AND NOT EXISTS (SELECT 1 FROM {} AS parent WHERE {}{})",
        present.join(" AND "),
        rows_of(catalog, &key.references),
        equal.join(" AND "),
        covered.unwrap_or_default()
    )
}

/// A table in FROM, without the tables that inherit from it.
pub fn rows_of(catalog: &Catalog, table: &TableName) -> String {
    match catalog.table(table).map(|table| table.kind) {
        Some(TableKind::Partitioned) => qualified(table),
        _ => format!("ONLY {}", qualified(table)),
    }
}

/// The tables at both ends of a key, partitions included, whose row security is forced on their owners.
async fn with_forced_row_security(
    conn: &mut PgConnection,
    key: &ForeignKey,
) -> Result<Vec<TableName>, EngineError> {
    let rows = sqlx::query(
        "SELECT n.nspname::text, c.relname::text
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relforcerowsecurity AND c.oid IN (
             SELECT $1::regclass UNION SELECT $2::regclass
             UNION SELECT relid FROM pg_catalog.pg_partition_tree($1::regclass))
         ORDER BY 1, 2",
    )
    .bind(qualified(&key.table))
    .bind(qualified(&key.references))
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error(&format!("read the row security of {}", key.table), error))?;
    let name = |row: &sqlx::postgres::PgRow| {
        TableName::new(row.get::<String, _>(0), row.get::<String, _>(1))
    };
    Ok(rows.iter().map(name).collect())
}

/// Puts back what is still down, one transaction each.
pub async fn put_back(conn: &mut PgConnection) -> Result<usize, EngineError> {
    let entries = ledger::taken_down(conn, ledger::FOREIGN_KEY).await?;
    let keys = ledger::foreign_keys_down(conn).await?;
    for (entry, key) in entries.iter().zip(&keys) {
        let task = format!("restore foreign key {}", entry.name);
        transaction(conn, async |conn| {
            run(conn, &task, &home_path([&key.table, &key.references])).await?;
            for statement in &entry.restore {
                run(conn, &task, statement).await?;
            }
            ledger::clear(conn, entry).await
        })
        .await?;
    }
    Ok(entries.len())
}
