//! What proves that the rows of a masked table are those that its unit has loaded: the table itself, how many rows there are,
//! and the transactions that wrote them.
//!
//! PostgreSQL keeps the number of the transaction that wrote a row for as long as the row lives, frozen or moved by VACUUM FULL.
//! So one reading of a table, which looks at no value, tells every row that has come, gone or changed since.

use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Row as _};

use crate::catalog::TableName;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::{home_path, qualified, run};
use crate::engine::postgres::{quiet, relation, rights};
use crate::engine::{EngineError, TableOutcome};
use crate::scrub::names;

/// Makes the table of the ledger; part of the transaction that makes the ledger.
pub async fn make(conn: &mut PgConnection) -> Result<(), EngineError> {
    // `writers`: the sum of the numbers of the transactions that wrote its rows.
    let statement = "CREATE TABLE anonymizer.loaded (
        schema_name text, table_name text, relation oid NOT NULL, file oid NOT NULL, rows bigint NOT NULL, writers numeric NOT NULL,
        mended bool NOT NULL DEFAULT false, PRIMARY KEY (schema_name, table_name))";
    run(conn, "make the ledger", statement).await
}

/// Records what a unit has loaded; part of its transaction, which wrote every row.
pub async fn record(conn: &mut PgConnection, outcomes: &[TableOutcome]) -> Result<(), EngineError> {
    for outcome in outcomes {
        let Some(table) = &outcome.table else { continue };
        sqlx::query(
            "INSERT INTO anonymizer.loaded (schema_name, table_name, relation, file, rows, writers)
             SELECT $1, $2, c.oid, pg_catalog.pg_relation_filenode(c.oid), $3,
                    $3::numeric * (pg_catalog.pg_current_xact_id()::text::numeric % 4294967296)
             FROM pg_catalog.pg_class c WHERE c.oid = $4::regclass",
        )
        .bind(&table.schema)
        .bind(&table.name)
        .bind(i64::try_from(outcome.rows).unwrap_or(i64::MAX))
        .bind(qualified(table))
        .execute(&mut *conn)
        .await
        .map_err(|error| engine_error("write the ledger", error))?;
    }
    Ok(())
}

/// What a table holds, or should.
struct Rows {
    relation: Oid,
    file: Oid,
    rows: i64,
    writers: String,
}

/// Refuses a finished database that holds other rows than its run has left in it. The rights to look are taken for the look
/// only.
pub async fn refuse_changed(
    conn: &mut PgConnection,
    tables: &[TableName],
) -> Result<(), EngineError> {
    run(conn, "begin a transaction", "BEGIN").await?;
    let looked = async {
        rights::take(conn, tables).await?;
        changed(conn).await
    };
    let looked = looked.await;
    run(conn, "roll back", "ROLLBACK").await?;
    refuse(&looked?.into_iter().map(|(table, ..)| table).collect::<Vec<_>>())
}

/// Refuses to go on where rows have come since their unit was masked. After a failed verdict an operator may have changed or
/// removed rows, which is recorded as what the run has left. Part of the transaction that has taken the rights.
pub async fn take_over(conn: &mut PgConnection, may_be_mended: bool) -> Result<(), EngineError> {
    let (mut strange, mut mended) = (Vec::new(), Vec::new());
    for (table, left, now) in changed(conn).await? {
        let same_table = (left.relation, left.file) == (now.relation, now.file);
        if may_be_mended && same_table && now.rows <= left.rows {
            mended.push((table, now));
        } else {
            strange.push(table);
        }
    }
    refuse(&strange)?;
    for (table, now) in mended {
        sqlx::query(
            "UPDATE anonymizer.loaded SET rows = $3, writers = $4::numeric, mended = true WHERE schema_name = $1 AND table_name = $2",
        )
        .bind(&table.schema)
        .bind(&table.name)
        .bind(now.rows)
        .bind(now.writers)
        .execute(&mut *conn)
        .await
        .map_err(|error| engine_error("write the ledger", error))?;
    }
    Ok(())
}

fn refuse(tables: &[TableName]) -> Result<(), EngineError> {
    if tables.is_empty() {
        return Ok(());
    }
    let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
    Err(EngineError::Refused(format!(
        "since they were masked, rows have come, gone or changed in {}\n(hint: restore the copy again and mask that)",
        names(&tables)
    )))
}

/// The tables whose rows were changed or removed by hand after a failed verdict.
pub async fn mended(conn: &mut PgConnection) -> Result<Vec<String>, EngineError> {
    let sql =
        "SELECT schema_name || '.' || table_name FROM anonymizer.loaded WHERE mended ORDER BY 1";
    let names = sqlx::query_scalar(sql).fetch_all(conn).await;
    names.map_err(|error| engine_error("read the ledger", error))
}

/// The masked tables that hold other rows than the run has left in them.
pub async fn strange(conn: &mut PgConnection) -> Result<Vec<String>, EngineError> {
    run(conn, "begin a transaction", "BEGIN").await?;
    let changed = changed(conn).await;
    run(conn, "roll back", "ROLLBACK").await?;
    Ok(changed?.iter().map(|(table, ..)| table.to_string()).collect())
}

/// Notes the file that a table has been written anew to.
pub async fn note_file(conn: &mut PgConnection, table: &TableName) -> Result<(), EngineError> {
    sqlx::query(
        "UPDATE anonymizer.loaded SET file = pg_catalog.pg_relation_filenode(relation) WHERE schema_name = $1 AND table_name = $2",
    )
    .bind(&table.schema)
    .bind(&table.name)
    .execute(conn)
    .await
    .map(drop)
    .map_err(|error| engine_error("write the ledger", error))
}

/// Every masked table that is not as it was left: what it held and holds. Part of a transaction of the caller's.
async fn changed(conn: &mut PgConnection) -> Result<Vec<(TableName, Rows, Rows)>, EngineError> {
    let mut changed = Vec::new();
    for (table, left) in recorded(conn).await? {
        let now = look(conn, &table).await?;
        let same = |now: &Rows| {
            (left.relation, left.rows, &left.writers) == (now.relation, now.rows, &now.writers)
        };
        match now {
            Some(now) if same(&now) => {}
            Some(now) => changed.push((table, left, now)),
            None => {
                let gone = Rows { relation: Oid(0), file: Oid(0), rows: 0, writers: String::new() };
                changed.push((table, left, gone));
            }
        }
    }
    Ok(changed)
}

async fn recorded(conn: &mut PgConnection) -> Result<Vec<(TableName, Rows)>, EngineError> {
    let rows = sqlx::query(
        "SELECT relation, file, rows, writers::text, schema_name, table_name FROM anonymizer.loaded ORDER BY 5, 6",
    )
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error("read the ledger", error))?;
    let name = |row: &PgRow| TableName::new(row.get::<String, _>(4), row.get::<String, _>(5));
    Ok(rows.iter().map(|row| (name(row), held(row))).collect())
}

/// Reads which transactions wrote a table's rows; `None` where there is no such table. Part of a transaction of the caller's.
async fn look(conn: &mut PgConnection, table: &TableName) -> Result<Option<Rows>, EngineError> {
    if relation::oids(conn, std::slice::from_ref(table)).await?.is_empty() {
        return Ok(None);
    }
    let unforced = quiet::unforce(conn, table).await?;
    // The planner looks into functions of the table's indexes.
    run(conn, "set the search path", &home_path([table])).await?;
    let name = qualified(table);
    let sql = format!(
        "SELECT c.oid, pg_catalog.pg_relation_filenode(c.oid), seen.rows, seen.writers FROM pg_catalog.pg_class c,
             (SELECT coalesce(pg_catalog.sum(rows), 0)::bigint AS rows,
                     coalesce(pg_catalog.sum(writer::text::numeric * rows), 0)::text AS writers
              FROM (SELECT xmin AS writer, count(*) AS rows FROM ONLY {name} GROUP BY xmin) AS written) AS seen
         WHERE c.oid = $1::regclass"
    );
    let seen = sqlx::query(AssertSqlSafe(sql)).bind(&name).fetch_one(&mut *conn).await;
    let seen = seen.map_err(|error| engine_error(&format!("count the rows of {table}"), error))?;
    quiet::wake(conn, table, &unforced).await?;
    Ok(Some(held(&seen)))
}

fn held(row: &PgRow) -> Rows {
    Rows { relation: row.get(0), file: row.get(1), rows: row.get(2), writers: row.get(3) }
}
