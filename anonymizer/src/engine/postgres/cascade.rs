//! Rows that go because a row they reference goes. They are deleted before the first unit, while every key still has its
//! original value; what the deletes leave on the pages goes when the tables are rewritten.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::catalog::{Catalog, ForeignKey, TableKind, TableName};
use crate::engine::EngineError;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::{NO_PATH, ident, qualified, run};
use crate::engine::postgres::{ledger, quiet, unit};
use crate::plan::{Plan, TablePlan};

/// Deletes the rows that `delete_rows` names and, again and again, those that reference a deleted one; part of the
/// transaction that has taken the foreign keys down.
pub async fn delete(
    conn: &mut PgConnection,
    plan: &Plan,
    catalog: &Catalog,
) -> Result<(), EngineError> {
    if plan.tables.iter().all(|table| table.delete_orphans_of.is_empty()) {
        return Ok(());
    }
    let touched =
        |table: &&TablePlan| table.delete_rows.is_some() || !table.delete_orphans_of.is_empty();
    let tables: Vec<&TablePlan> = plan.tables.iter().filter(touched).collect();
    let mut silenced = Vec::new();
    for table in &tables {
        silenced.push((&table.name, quiet::silence(conn, &table.name).await?));
    }
    for table in &tables {
        if let Some(predicate) = &table.delete_rows {
            // Without an alias: a predicate may name its table.
            delete_where(conn, &table.name, "", &format!("((\n{predicate}\n)) IS TRUE")).await?;
        }
    }
    // Keys may form circles, so this goes on until a round deletes nothing.
    loop {
        let mut deleted = 0;
        for table in &tables {
            for key in &table.delete_orphans_of {
                deleted +=
                    delete_where(conn, &table.name, "AS orphan", &is_orphan(catalog, key)).await?;
            }
        }
        if deleted == 0 {
            break;
        }
    }
    for (table, silenced) in &silenced {
        quiet::wake(conn, table, silenced).await?;
    }
    Ok(())
}

async fn delete_where(
    conn: &mut PgConnection,
    table: &TableName,
    alias: &str,
    condition: &str,
) -> Result<u64, EngineError> {
    let task = format!("delete rows of {table}");
    run(conn, &task, &unit::predicate_path(table)).await?;
    let sql = format!("DELETE FROM ONLY {} {alias} WHERE {condition}", qualified(table));
    let deleted = conn
        .execute(sqlx::query(AssertSqlSafe(sql)))
        .await
        .map_err(|error| engine_error(&task, error))?
        .rows_affected();
    run(conn, &task, NO_PATH).await?;
    if deleted > 0 {
        ledger::record_cascade(conn, table, deleted).await?;
    }
    Ok(deleted)
}

/// True for a row whose key is complete and whose referenced row is gone.
fn is_orphan(catalog: &Catalog, key: &ForeignKey) -> String {
    let only = match catalog.table(&key.references).map(|table| table.kind) {
        Some(TableKind::Partitioned) => "",
        _ => "ONLY ",
    };
    let present: Vec<String> =
        key.columns.iter().map(|column| format!("orphan.{} IS NOT NULL", ident(column))).collect();
    let pairs = key.columns.iter().zip(&key.referenced_columns);
    let equal: Vec<String> = pairs
        .map(|(child, parent)| format!("parent.{} = orphan.{}", ident(parent), ident(child)))
        .collect();
    format!(
        "{} AND NOT EXISTS (SELECT 1 FROM {only}{} AS parent WHERE {})",
        present.join(" AND "),
        qualified(&key.references),
        equal.join(" AND ")
    )
}
