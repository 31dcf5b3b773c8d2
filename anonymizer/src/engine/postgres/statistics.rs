//! Statistics of a table that ends up empty. ANALYZE leaves them alone there, with the most common original values in them.
//!
//! The way out needs no superuser: one row of the table's own is loaded, analyzed, and removed again. Statistics of a single
//! row hold counts but no value. Extended statistics would hold it, so those objects are made anew.

use futures_util::TryStreamExt as _;
use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::relation::wire_columns;
use crate::engine::postgres::session::{ident, literal, qualified, run};

/// One row in COPY's format, in memory for the length of a transaction.
pub struct OneRow {
    copy_in: String,
    bytes: Vec<u8>,
}

/// Takes a row of a table that may end up empty; part of the unit's transaction, before the table is emptied. Row filters
/// play no part: the row is never seen and does not stay.
pub async fn one_row(conn: &mut PgConnection, table: &TableName) -> Result<OneRow, EngineError> {
    let task = format!("read {table}");
    let columns = wire_columns(conn, table).await?;
    let names: Vec<String> = columns.iter().map(|column| ident(&column.name)).collect();
    let format = if columns.iter().all(|column| column.has_binary) { "binary" } else { "text" };
    let (names, name) = (names.join(", "), qualified(table));
    let copy_out =
        format!("COPY (SELECT {names} FROM ONLY {name} LIMIT 1) TO STDOUT (FORMAT {format})");
    let pieces = conn.copy_out_raw(&copy_out).await.map_err(|error| engine_error(&task, error))?;
    let pieces: Vec<_> = pieces.try_collect().await.map_err(|error| engine_error(&task, error))?;
    Ok(OneRow {
        copy_in: format!("COPY {name} ({names}) FROM STDIN (FORMAT {format})"),
        bytes: pieces.concat(),
    })
}

/// Makes the statistics of an empty table forget its values; part of the unit's transaction.
pub async fn forget(
    conn: &mut PgConnection,
    table: &TableName,
    row: &OneRow,
) -> Result<(), EngineError> {
    let task = format!("clear the statistics of {table}");
    let fail = |error| engine_error(&task, error);
    recreate_extended(conn, table, &task).await?;
    let mut copy = conn.copy_in_raw(&row.copy_in).await.map_err(fail)?;
    copy.send(row.bytes.as_slice()).await.map_err(fail)?;
    copy.finish().await.map_err(fail)?;
    // Plain ANALYZE would fill the extended statistics again; a list of columns that they do not cover is not enough, so
    // their targets are zero while it runs.
    let statistics = extended(conn, table, &task).await?;
    for object in &statistics {
        run(conn, &task, &format!("ALTER STATISTICS {} SET STATISTICS 0", object.name)).await?;
    }
    run(conn, &task, &format!("ANALYZE {}", qualified(table))).await?;
    for object in &statistics {
        run(
            conn,
            &task,
            &format!("ALTER STATISTICS {} SET STATISTICS {}", object.name, object.target),
        )
        .await?;
    }
    run(conn, &task, &format!("TRUNCATE ONLY {}", qualified(table))).await
}

/// An extended statistics object.
struct Extended {
    name: String,
    target: i32,
    create: Vec<String>,
}

async fn extended(
    conn: &mut PgConnection,
    table: &TableName,
    task: &str,
) -> Result<Vec<Extended>, EngineError> {
    let rows = sqlx::query(
        "SELECT n.nspname::text, s.stxname::text, coalesce(s.stxstattarget, -1)::int, pg_catalog.pg_get_statisticsobjdef(s.oid),
                r.rolname::text, pg_catalog.obj_description(s.oid, 'pg_statistic_ext')
         FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
         JOIN pg_catalog.pg_roles r ON r.oid = s.stxowner WHERE s.stxrelid = $1::regclass ORDER BY 2",
    )
    .bind(qualified(table))
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error(task, error))?;
    let object = |row: &sqlx::postgres::PgRow| {
        let name = format!("{}.{}", ident(row.get(0)), ident(row.get(1)));
        let mut create =
            vec![row.get(3), format!("ALTER STATISTICS {name} OWNER TO {}", ident(row.get(4)))];
        if let Some(comment) = row.get::<Option<String>, _>(5) {
            create.push(format!("COMMENT ON STATISTICS {name} IS {}", literal(&comment)));
        }
        Extended { name, target: row.get(2), create }
    };
    Ok(rows.iter().map(object).collect())
}

async fn recreate_extended(
    conn: &mut PgConnection,
    table: &TableName,
    task: &str,
) -> Result<(), EngineError> {
    for object in extended(conn, table, task).await? {
        run(conn, task, &format!("DROP STATISTICS {}", object.name)).await?;
        for statement in &object.create {
            run(conn, task, statement).await?;
        }
        run(
            conn,
            task,
            &format!("ALTER STATISTICS {} SET STATISTICS {}", object.name, object.target),
        )
        .await?;
    }
    Ok(())
}
