//! Rows that go because a row they reference goes. They are deleted before the first unit, while every key still has its
//! original value; what the deletes leave on the pages goes when the tables are rewritten.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::catalog::Catalog;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::{NO_PATH, qualified, run};
use crate::engine::postgres::spool::Spool;
use crate::engine::postgres::{keys, ledger, quiet, spool_dir, unit};
use crate::engine::{EngineError, RunOptions};
use crate::plan::{Plan, TablePlan};
use crate::verify::vault::Collector;

/// Deletes the rows that `delete_rows` names and, again and again, those that reference a deleted one; part of the
/// transaction that has taken the foreign keys down.
pub async fn delete(
    conn: &mut PgConnection,
    plan: &Plan,
    catalog: &Catalog,
    options: &RunOptions,
) -> Result<(), EngineError> {
    if !cascades(plan) {
        return Ok(());
    }
    let mut removal = Removal {
        collector: collects(plan).then(|| options.vault.collector()),
        spool: Spool::create(&spool_dir(options))?,
    };
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
            let condition = format!("((\n{predicate}\n)) IS TRUE");
            removal.delete_where(conn, table, "", &condition).await?;
        }
    }
    // Keys may form circles, so this goes on until a round deletes nothing.
    loop {
        let mut deleted = 0;
        for table in &tables {
            for key in &table.delete_orphans_of {
                let condition = keys::is_orphan(catalog, key);
                deleted += removal.delete_where(conn, table, "AS orphan", &condition).await?;
            }
        }
        if deleted == 0 {
            break;
        }
    }
    for (table, silenced) in &silenced {
        quiet::wake(conn, table, silenced).await?;
    }
    let Some(collector) = removal.collector else { return Ok(()) };
    collector.persist(COLLECTED)?;
    Ok(options.vault.keep(COLLECTED).await?)
}

/// The name under which the originals of the rows that go here are kept. The ledger's schema has no unit.
pub const COLLECTED: &str = "anonymizer.cascade_delete";

fn cascades(plan: &Plan) -> bool {
    plan.tables.iter().any(|table| !table.delete_orphans_of.is_empty())
}

/// True where rows go here and the leak gate has originals to look for.
pub fn collects(plan: &Plan) -> bool {
    cascades(plan) && plan.identifies()
}

/// What rows leave behind.
struct Removal {
    collector: Option<Collector>,
    /// Stays empty: no row is written back.
    spool: Spool,
}

impl Removal {
    /// Deletes the rows that meet a condition and answers how many.
    async fn delete_where(
        &mut self,
        conn: &mut PgConnection,
        table: &TablePlan,
        alias: &str,
        condition: &str,
    ) -> Result<u64, EngineError> {
        let name = &table.name;
        let task = format!("delete rows of {name}");
        let sql = format!("DELETE FROM ONLY {} {alias} WHERE {condition}", qualified(name));
        let deleted = if self.collector.is_some() && table.has_originals() {
            unit::collect_deleted(conn, table, &sql, &mut self.collector, &mut self.spool).await?
        } else {
            run(conn, &task, &unit::predicate_path(name)).await?;
            conn.execute(sqlx::query(AssertSqlSafe(sql)))
                .await
                .map_err(|error| engine_error(&task, error))?
                .rows_affected()
        };
        run(conn, &task, NO_PATH).await?;
        if deleted > 0 {
            ledger::record_cascade(conn, name, deleted).await?;
        }
        Ok(deleted)
    }
}
