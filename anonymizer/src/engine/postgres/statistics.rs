//! Statistics of a table that ends up empty. ANALYZE leaves them alone there, with the most common original values in them.
//!
//! The way out needs no superuser: one row is loaded, analyzed, and removed again. Statistics of a single row hold counts but
//! no value, unless it is of arrays or words, which are therefore empty in it. Extended statistics would hold it, so those
//! objects are made anew. A row is made of zeros and NULLs; where a constraint refuses that, one of the table's own serves.

use futures_util::TryStreamExt as _;
use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use crate::catalog::TableName;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::{ident, literal, qualified, run};
use crate::engine::postgres::{text, unit};
use crate::engine::{EngineError, Unit};

/// Rows to try, in COPY's text format, in memory for the length of a transaction.
pub struct LoneRows {
    copy_in: String,
    rows: Vec<Vec<u8>>,
}

/// A column that can be loaded, and the least of its values: `None` for NULL.
struct Zero {
    name: String,
    value: Option<String>,
    has_elements: bool,
}

/// Types are told by their category, those of one category apart by name; what is not listed is tried as an empty text.
const ZEROS: &str = "
WITH RECURSIVE base(attnum, oid, not_null) AS (
    SELECT a.attnum, a.atttypid, a.attnotnull FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  UNION ALL
    SELECT b.attnum, t.typbasetype, b.not_null OR t.typnotnull
    FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.oid WHERE t.typtype = 'd')
SELECT a.attname::text,
       CASE WHEN b.not_null OR t.typnotnull THEN CASE
           WHEN t.typcategory = 'A' THEN '{}'
           WHEN t.typcategory = 'B' THEN 'false'
           WHEN t.typcategory = 'D' THEN '2000-01-01 00:00:00+00'
           WHEN t.typcategory = 'E' THEN (SELECT min(e.enumlabel)::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)
           WHEN t.typcategory = 'I' THEN '0.0.0.0'
           WHEN t.typtype = 'm' THEN '{}'
           WHEN t.typcategory = 'R' THEN 'empty'
           WHEN t.typcategory IN ('N', 'T') THEN '0'
           WHEN t.typname IN ('json', 'jsonb') THEN 'null'
           WHEN t.typname = 'uuid' THEN '00000000-0000-0000-0000-000000000000'
           ELSE '' END END,
       t.typcategory = 'A' OR t.typname = 'tsvector'
FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.oid AND t.typtype <> 'd'
JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::regclass AND a.attnum = b.attnum
ORDER BY b.attnum";

/// Rows for a table that may end up empty; part of the unit's transaction, before the table is emptied. Row filters play no
/// part: the row is never seen and does not stay.
pub async fn lone_rows(
    conn: &mut PgConnection,
    table: &TableName,
) -> Result<LoneRows, EngineError> {
    let fail = |error| engine_error(&format!("read {table}"), error);
    let rows =
        sqlx::query(ZEROS).bind(qualified(table)).fetch_all(&mut *conn).await.map_err(fail)?;
    let columns: Vec<Zero> = rows
        .iter()
        .map(|row| Zero { name: row.get(0), value: row.get(1), has_elements: row.get(2) })
        .collect();
    let own = columns.iter().map(|column| match &column.value {
        _ if !column.has_elements => ident(&column.name),
        Some(value) => literal(value),
        None => "NULL".to_owned(),
    });
    let own = own.collect::<Vec<_>>().join(", ");
    let copy_out = format!("COPY (SELECT {own} FROM ONLY {} LIMIT 1) TO STDOUT", qualified(table));
    let pieces = conn.copy_out_raw(&copy_out).await.map_err(fail)?;
    let pieces: Vec<_> = pieces.try_collect().await.map_err(fail)?;
    let names: Vec<String> = columns.iter().map(|column| ident(&column.name)).collect();
    let mut rows = vec![zero_row(&columns), pieces.concat()];
    rows.retain(|row| !row.is_empty());
    Ok(LoneRows { copy_in: unit::copy_in(table, &names, "FORMAT text"), rows })
}

fn zero_row(columns: &[Zero]) -> Vec<u8> {
    let mut row = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            row.push(b'\t');
        }
        match &column.value {
            Some(value) => text::escape(value.as_bytes(), &mut row),
            None => row.extend_from_slice(b"\\N"),
        }
    }
    row.push(b'\n');
    row
}

/// Makes the statistics of an empty table, and of the partitioned tables above it, forget its values; part of the unit's
/// transaction. `forgotten` names the partitioned tables that need not be looked at again.
pub async fn forget(
    conn: &mut PgConnection,
    unit: &Unit,
    table: &TableName,
    rows: &LoneRows,
    forgotten: &mut Vec<TableName>,
) -> Result<(), EngineError> {
    let task = format!("clear the statistics of {table}");
    let mut tables = vec![table.clone()];
    tables.extend(partitioned_above(conn, unit, table, &task).await?);
    tables.retain(|table| !forgotten.contains(table));
    for table in &tables {
        recreate_extended(conn, table, &task).await?;
    }
    if !load_one(conn, rows, &task).await? {
        // What stays behind is looked for when the run finishes.
        return Ok(());
    }
    // ANALYZE would fill the extended statistics again; a list of columns that they do not cover is not enough, and that of
    // a partitioned table reaches its partitions, so that all targets are zero while it runs.
    let mut statistics = Vec::new();
    for name in &tables {
        statistics.append(&mut extended(conn, name, &task).await?);
    }
    for object in &statistics {
        run(conn, &task, &format!("ALTER STATISTICS {} SET STATISTICS 0", object.name)).await?;
    }
    for name in &tables {
        run(conn, &task, &format!("ANALYZE {}", qualified(name))).await?;
    }
    for object in &statistics {
        run(conn, &task, &object.set_target()).await?;
    }
    forgotten.append(&mut tables);
    run(conn, &task, &format!("TRUNCATE ONLY {}", qualified(table))).await
}

/// Loads the first row that the table's constraints accept; false where there is none.
async fn load_one(
    conn: &mut PgConnection,
    rows: &LoneRows,
    task: &str,
) -> Result<bool, EngineError> {
    for row in &rows.rows {
        run(conn, task, "SAVEPOINT lone_row").await?;
        let loaded = async {
            let mut copy = conn.copy_in_raw(&rows.copy_in).await?;
            copy.send(row.as_slice()).await?;
            copy.finish().await
        };
        match loaded.await {
            Ok(_) => {
                run(conn, task, "RELEASE lone_row").await?;
                return Ok(true);
            }
            Err(sqlx::Error::Database(_)) => run(conn, task, "ROLLBACK TO lone_row").await?,
            Err(error) => return Err(engine_error(task, error)),
        }
    }
    Ok(false)
}

/// The partitioned tables of the unit that a partition belongs to.
async fn partitioned_above(
    conn: &mut PgConnection,
    unit: &Unit,
    table: &TableName,
    task: &str,
) -> Result<Vec<TableName>, EngineError> {
    let rows = sqlx::query(
        "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_partition_ancestors($1::regclass) a
         JOIN pg_catalog.pg_class c ON c.oid = a.relid AND c.relkind = 'p'
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace",
    )
    .bind(qualified(table))
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error(task, error))?;
    let names =
        rows.iter().map(|row| TableName::new(row.get::<String, _>(0), row.get::<String, _>(1)));
    Ok(names.filter(|name| unit.members.contains(name)).collect())
}

/// Refuses to call a run finished while the statistics of something empty hold values: of one of these tables, or of one
/// above them in a tree, or of a materialized view.
pub async fn refuse_leftovers(
    conn: &mut PgConnection,
    tables: &[TableName],
) -> Result<(), EngineError> {
    let left: Vec<String> = sqlx::query_scalar(
        "WITH RECURSIVE below(top, oid) AS (
             SELECT oid, oid FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'm')
           UNION
             SELECT b.top, i.inhrelid FROM below b JOIN pg_catalog.pg_inherits i ON i.inhparent = b.oid)
         SELECT DISTINCT s.schemaname || '.' || s.tablename FROM pg_catalog.pg_stats s
         JOIN pg_catalog.pg_namespace n ON n.nspname = s.schemaname
         JOIN pg_catalog.pg_class c ON c.relname = s.tablename AND c.relnamespace = n.oid
         WHERE coalesce(s.most_common_vals::text, s.histogram_bounds::text, s.most_common_elems::text) IS NOT NULL
           AND (c.relkind = 'm' OR EXISTS (SELECT 1 FROM below b WHERE b.top = c.oid
                AND b.oid = ANY (SELECT x::regclass FROM pg_catalog.unnest($1::text[]) x)))
           AND NOT EXISTS (SELECT 1 FROM below b WHERE b.top = c.oid AND (s.inherited OR b.oid = c.oid)
                           AND pg_catalog.pg_relation_size(b.oid) > 0)
         ORDER BY 1",
    )
    .bind(tables.iter().map(qualified).collect::<Vec<_>>())
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error("look at the statistics", error))?;
    if left.is_empty() {
        return Ok(());
    }
    Err(EngineError::Refused(format!(
        "empty now, but with statistics that still hold original values: {}\n(hint: drop it, or delete its rows from pg_statistic as a superuser, then run again)",
        left.join(", ")
    )))
}

/// An extended statistics object.
struct Extended {
    name: String,
    target: i32,
    create: Vec<String>,
}

impl Extended {
    fn set_target(&self) -> String {
        format!("ALTER STATISTICS {} SET STATISTICS {}", self.name, self.target)
    }
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

/// Makes a table's extended statistics anew: they hold nothing then.
pub async fn recreate_extended(
    conn: &mut PgConnection,
    table: &TableName,
    task: &str,
) -> Result<(), EngineError> {
    for object in extended(conn, table, task).await? {
        run(conn, task, &format!("DROP STATISTICS {}", object.name)).await?;
        for statement in &object.create {
            run(conn, task, statement).await?;
        }
        run(conn, task, &object.set_target()).await?;
    }
    Ok(())
}
