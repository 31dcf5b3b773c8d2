//! What the planner remembers of columns: it is gathered after the masking, and nothing older is left on its pages.

use sqlx::Row as _;

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::anew::{Horizon, write_anew};
use crate::engine::postgres::scrub::attempt::{attempt, rows};
use crate::engine::postgres::scrub::tables::regclasses;
use crate::scrub::{Found, names};

/// A catalog of statistics.
pub struct Statistics {
    catalog: &'static str,
    /// The view through which a role that is no superuser sees it, with its columns for a relation's schema and name.
    view: &'static str,
}

/// Of columns.
pub const COLUMNS: Statistics = Statistics { catalog: "pg_statistic", view: "pg_stats" };
/// Of several columns together, and of expressions.
pub const EXTENDED: Statistics =
    Statistics { catalog: "pg_statistic_ext_data", view: "pg_stats_ext" };

/// Gathers what was gathered before the masking once more, and writes the catalog anew: ANALYZE
/// replaces its rows, and the old ones would stay on their pages.
pub async fn scrub(scrub: &mut Scrub<'_>, statistics: &Statistics) -> Result<Found, EngineError> {
    let Statistics { catalog, view } = statistics;
    if scrub.masked.is_empty() {
        return Ok(Found::nothing("no table is masked"));
    }
    // An empty table's statistics cannot be gathered again; that none of its values are in them the run has made sure of.
    let sql = format!(
        "SELECT DISTINCT pg_catalog.format('%I.%I', s.schemaname, s.tablename)
         FROM pg_catalog.{view} s JOIN pg_catalog.pg_namespace n ON n.nspname = s.schemaname
         JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
         WHERE c.oid = ANY ({}) AND pg_catalog.pg_relation_size(c.oid) > 0
           AND coalesce(pg_catalog.pg_stat_get_last_analyze_time(c.oid)
                        < (SELECT now::timestamptz FROM anonymizer.run), true) ORDER BY 1",
        regclasses(&scrub.masked)
    );
    let old = rows(scrub.conn, "look at the statistics", &sql).await?;
    let old: Vec<String> = old.iter().map(|row| row.get(0)).collect();
    for table in &old {
        let task = format!("analyze {table}");
        if let Err(why) = attempt(scrub.conn, &task, &format!("ANALYZE {table}")).await? {
            return Ok(Found::failed(format!("not gathered again: {table} ({why})")));
        }
    }
    let name = TableName::new("pg_catalog", *catalog);
    let now = Horizon::now(scrub.conn).await?;
    if let Err(why) = write_anew(scrub.conn, &name, "pg_catalog", &now).await? {
        return Ok(Found::failed(format!("{catalog} was not written anew ({why})")));
    }
    Ok(Found::done(match old.is_empty() {
        true => format!("gathered after the masking; {catalog} was written anew"),
        false => format!("gathered again: {}; {catalog} was written anew", names(&old)),
    }))
}
