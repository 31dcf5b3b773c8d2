//! After the last unit: everything that was derived from originals is derived again.

use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::connect::Server;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::{home_path, qualified, run};
use crate::engine::postgres::{indexes, keys, loaded, members, statistics, units};
use crate::plan::Plan;
use crate::scrub::names;

/// Puts back what the run took down. Answers with notes for the report.
pub async fn finish(
    conn: &mut PgConnection,
    plan: &Plan,
    server: &Server,
) -> Result<Vec<String>, EngineError> {
    let mut notes = Vec::new();
    let keys = keys::put_back(conn).await?;
    if keys > 0 {
        notes.push(format!("{keys} foreign keys were taken down and put back"));
    }
    let invalid = indexes::restore_invalid(conn, server).await?;
    if invalid > 0 {
        notes.push(format!("{invalid} indexes that were invalid before are invalid again"));
    }
    let views = materialized_views(conn).await?;
    for view in &views {
        // One transaction. Its owner sees what policies let him see, as ever.
        let sql = format!(
            "{1}; SET LOCAL row_security = on; REFRESH MATERIALIZED VIEW {0}; ANALYZE {0}",
            qualified(view),
            home_path([view])
        );
        run(conn, &format!("refresh {view}"), &sql).await?;
    }
    for parent in inheritance_parents(conn).await? {
        let sql = format!("{}; ANALYZE {}", home_path([&parent]), qualified(&parent));
        run(conn, &format!("analyze {parent}"), &sql).await?;
    }
    let mended = loaded::mended(conn).await?;
    if !mended.is_empty() {
        notes.push(format!(
            "rows were changed or removed by hand after a failed verdict in {}",
            names(&mended)
        ));
    }
    let masked = members(&units(conn, plan).await?);
    statistics::refuse_leftovers(conn, &masked).await?;
    Ok(notes)
}

/// Populated materialized views, each after those it reads.
async fn materialized_views(conn: &mut PgConnection) -> Result<Vec<TableName>, EngineError> {
    let rows = sqlx::query(
        "WITH RECURSIVE reads(reader, source) AS (
             SELECT DISTINCT r.ev_class, d.refobjid FROM pg_catalog.pg_rewrite r
             JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
              AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> r.ev_class
             JOIN pg_catalog.pg_class s ON s.oid = d.refobjid AND s.relkind IN ('v', 'm')),
         depth(oid, level) AS (
             SELECT c.oid, 0 FROM pg_catalog.pg_class c WHERE c.relkind IN ('v', 'm')
           UNION
             SELECT reads.reader, depth.level + 1 FROM depth JOIN reads ON reads.source = depth.oid WHERE depth.level < 1000)
         SELECT n.nspname::text, c.relname::text FROM depth
         JOIN pg_catalog.pg_class c ON c.oid = depth.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'm' AND c.relispopulated
         GROUP BY n.nspname, c.relname ORDER BY max(depth.level), 1, 2",
    )
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error("read the materialized views", error))?;
    Ok(rows
        .iter()
        .map(|row| TableName::new(row.get::<String, _>(0), row.get::<String, _>(1)))
        .collect())
}

/// Tables whose statistics span their children: these saw some children before they were masked.
async fn inheritance_parents(conn: &mut PgConnection) -> Result<Vec<TableName>, EngineError> {
    let rows = sqlx::query(
        "SELECT DISTINCT n.nspname::text, c.relname::text FROM pg_catalog.pg_inherits i
         JOIN pg_catalog.pg_class c ON c.oid = i.inhparent AND c.relkind IN ('r', 'p')
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2",
    )
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error("read the inheritance trees", error))?;
    Ok(rows
        .iter()
        .map(|row| TableName::new(row.get::<String, _>(0), row.get::<String, _>(1)))
        .collect())
}
