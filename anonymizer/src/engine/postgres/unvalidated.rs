//! Constraints that are NOT VALID: what violates one was there before it, and could not be loaded again.
//!
//! Of CHECKs only those are looked at whose columns all keep their values: what a fake does to one shows when it is loaded, as with
//! any other CHECK. Reads only.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::{ident, qualified, run};
use crate::engine::postgres::{relation, unit};
use crate::plan::{Action, Plan, TablePlan};

/// What only version 18 has is read as JSON: constraints that are not enforced, and NOT NULL.
const UNVALIDATED: &str = "
SELECT n.nspname::text, t.relname::text, c.conname::text, pg_catalog.pg_get_expr(c.conbin, c.conrelid),
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey))
  FROM pg_catalog.pg_constraint c
  JOIN pg_catalog.pg_class t ON t.oid = c.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
 WHERE c.conrelid = ANY ($1) AND c.contype IN ('c', 'n') AND NOT c.convalidated
   AND pg_catalog.to_jsonb(c) ->> 'conenforced' IS DISTINCT FROM 'false'
 ORDER BY 1, 2, 3";

/// Those with rows that the run would fail to load: subject, message, cure. Part of a transaction of the caller's.
pub async fn findings(
    conn: &mut PgConnection,
    plan: &Plan,
    of: impl Fn(&TableName) -> bool,
) -> Result<Vec<(String, String, String)>, EngineError> {
    let loaded = |table: &&TablePlan| table.action == Action::Rewrite && of(&table.name);
    let tables: Vec<&TablePlan> = plan.tables.iter().filter(loaded).collect();
    let names: Vec<TableName> = tables.iter().map(|table| table.name.clone()).collect();
    let oids = relation::oids(conn, &names).await?;
    let constraints = sqlx::query(UNVALIDATED)
        .bind(oids)
        .fetch_all(&mut *conn)
        .await
        .map_err(|error| engine_error("read the constraints that are not valid", error))?;
    let mut findings = Vec::new();
    for row in &constraints {
        let name = TableName::new(row.get::<String, _>(0), row.get::<String, _>(1));
        let Some(table) = tables.iter().find(|table| table.name == name) else { continue };
        let constraint: String = row.get(2);
        let condition = match row.get::<Option<String>, _>(3) {
            Some(check) if keeps(table, &row.get::<Vec<String>, _>(4)) => format!("NOT ({check})"),
            Some(_) => continue,
            None => {
                let columns: Vec<String> = row.get(4);
                let null = columns.iter().map(|column| format!("{} IS NULL", ident(column)));
                null.collect::<Vec<_>>().join(" OR ")
            }
        };
        if any(conn, table, &constraint, &condition).await? {
            findings.push((
                format!("{constraint} of {name}"),
                "is NOT VALID, and rows that violate it could not be loaded again".to_owned(),
                "repair them, or drop the constraint for the run".to_owned(),
            ));
        }
    }
    Ok(findings)
}

/// None of the columns is masked.
fn keeps(table: &TablePlan, columns: &[String]) -> bool {
    let masked = |name: &String| {
        table.columns.iter().any(|column| column.name == *name && column.mask.is_some())
    };
    !columns.iter().any(masked)
}

/// A row that stays meets the condition.
async fn any(
    conn: &mut PgConnection,
    table: &TablePlan,
    constraint: &str,
    condition: &str,
) -> Result<bool, EngineError> {
    let task = format!("look for rows that violate {constraint} of {}", table.name);
    // The line breaks end a comment that the predicate may end with.
    let stays = table.delete_rows.as_ref().map(|gone| format!(" AND ((\n{gone}\n)) IS NOT TRUE"));
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM ONLY {} WHERE ({condition}){})",
        qualified(&table.name),
        stays.unwrap_or_default()
    );
    run(conn, &task, &format!("SAVEPOINT violations; {}", unit::predicate_path(&table.name)))
        .await?;
    let row = sqlx::query(AssertSqlSafe(sql))
        .fetch_one(&mut *conn)
        .await
        .map_err(|error| engine_error(&task, error))?;
    run(conn, &task, "ROLLBACK TO violations").await?;
    Ok(row.get(0))
}
