//! Secondary indexes and key constraints of a table: down before the load, up again after it, with everything they carry.
//!
//! Loading into an indexed table costs more than twice as much as building the indexes afterwards. An index goes down only
//! where all of it can be put back: definition, constraint, tablespace, comments, statistics targets, CLUSTER mark and
//! REPLICA IDENTITY. The others (exclusion constraints, partitions' attached indexes, keys a view or an extension needs) stay
//! and are loaded in place. An index that was invalid becomes so again when the run finishes; see [`restore_invalid`].

use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::connect::Server;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::{self, ident, literal, qualified, run};
use crate::engine::postgres::{ledger, transaction};

/// The statements that put a table's indexes back, in order.
pub struct TakenDown {
    builds: Vec<String>,
    marks: Vec<String>,
}

const INDEXES: &str = r#"
SELECT n.nspname::text AS schema, i.relname::text AS name, x.indisvalid AS valid, x.indisclustered AS clustered,
       x.indisreplident AS replica_identity, pg_catalog.pg_get_indexdef(i.oid) AS definition, ts.spcname::text AS tablespace,
       con.conname::text AS constraint, con.contype::text AS constraint_type, con.condeferrable AS deferrable,
       con.condeferred AS deferred,
       pg_catalog.obj_description(i.oid, 'pg_class') AS comment,
       pg_catalog.obj_description(con.oid, 'pg_constraint') AS constraint_comment,
       ARRAY(SELECT a.attnum::int FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = i.oid AND coalesce(a.attstattarget, -1) >= 0 ORDER BY a.attnum) AS statistics_columns,
       ARRAY(SELECT a.attstattarget::int FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = i.oid AND coalesce(a.attstattarget, -1) >= 0 ORDER BY a.attnum) AS statistics_targets,
       x.indisexclusion OR i.relispartition
         OR EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.refclassid = 'pg_catalog.pg_constraint'::regclass
                    AND d.refobjid = con.oid AND d.deptype = 'n')
         OR EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                    AND d.objid = i.oid AND d.deptype IN ('x', 'e'))
         OR EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.refclassid = 'pg_catalog.pg_class'::regclass
                    AND d.refobjid = i.oid AND d.deptype = 'n' AND d.classid <> 'pg_catalog.pg_constraint'::regclass)
         AS stays
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace
LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = i.reltablespace
LEFT JOIN pg_catalog.pg_constraint con ON con.conindid = i.oid AND con.contype IN ('p', 'u', 'x') AND con.conrelid = x.indrelid
WHERE x.indrelid = $1::regclass
ORDER BY x.indisprimary DESC, i.relname"#;

/// Drops what may go down, and records invalid indexes in the ledger; part of the caller's transaction.
pub async fn take_down(
    conn: &mut PgConnection,
    table: &TableName,
) -> Result<TakenDown, EngineError> {
    let task = format!("take down the indexes of {table}");
    let rows = sqlx::query(INDEXES)
        .bind(qualified(table))
        .fetch_all(&mut *conn)
        .await
        .map_err(|error| engine_error(&task, error))?;
    let mut taken = TakenDown { builds: Vec::new(), marks: Vec::new() };
    for row in rows.iter().filter(|row| !row.get::<bool, _>("stays")) {
        let index = TableName::new(row.get::<String, _>("schema"), row.get::<String, _>("name"));
        let constraint: Option<String> = row.get("constraint");
        let drop = match &constraint {
            Some(name) => {
                format!("ALTER TABLE {} DROP CONSTRAINT {}", qualified(table), ident(name))
            }
            None => format!("DROP INDEX {}", qualified(&index)),
        };
        run(conn, &task, &drop).await?;
        let mut builds = builds(row, table, &index, constraint.as_deref());
        let mut marks = marks(row, table, &index, constraint.as_deref());
        if row.get::<bool, _>("valid") {
            taken.builds.append(&mut builds);
            taken.marks.append(&mut marks);
        } else {
            // TRUNCATE would make it valid, or fail on what made it invalid.
            builds.append(&mut marks);
            builds.insert(0, qualified(table));
            ledger::record(conn, ledger::INVALID_INDEX, &index.to_string(), &builds, None).await?;
        }
    }
    Ok(taken)
}

fn builds(
    row: &sqlx::postgres::PgRow,
    table: &TableName,
    index: &TableName,
    constraint: Option<&str>,
) -> Vec<String> {
    let definition: String = row.get("definition");
    let mut builds = match row.get::<Option<String>, _>("tablespace") {
        // `pg_get_indexdef` leaves the tablespace out.
        Some(tablespace) => vec![
            format!("SET default_tablespace = {}", literal(&tablespace)),
            definition,
            "SET default_tablespace = ''".to_owned(),
        ],
        None => vec![definition],
    };
    if let Some(name) = constraint {
        let sort =
            if row.get::<String, _>("constraint_type") == "p" { "PRIMARY KEY" } else { "UNIQUE" };
        let deferrable = match (row.get::<bool, _>("deferrable"), row.get::<bool, _>("deferred")) {
            (true, true) => " DEFERRABLE INITIALLY DEFERRED",
            (true, false) => " DEFERRABLE",
            _ => "",
        };
        builds.push(format!(
            "ALTER TABLE {} ADD CONSTRAINT {} {sort} USING INDEX {}{deferrable}",
            qualified(table),
            ident(name),
            ident(&index.name)
        ));
    }
    builds
}

fn marks(
    row: &sqlx::postgres::PgRow,
    table: &TableName,
    index: &TableName,
    constraint: Option<&str>,
) -> Vec<String> {
    let (table, name) = (qualified(table), qualified(index));
    let mut marks = Vec::new();
    if let Some(comment) = row.get::<Option<String>, _>("comment") {
        marks.push(format!("COMMENT ON INDEX {name} IS {}", literal(&comment)));
    }
    if let (Some(comment), Some(constraint)) =
        (row.get::<Option<String>, _>("constraint_comment"), constraint)
    {
        marks.push(format!(
            "COMMENT ON CONSTRAINT {} ON {table} IS {}",
            ident(constraint),
            literal(&comment)
        ));
    }
    let columns: Vec<i32> = row.get("statistics_columns");
    let targets: Vec<i32> = row.get("statistics_targets");
    for (column, target) in columns.iter().zip(targets) {
        marks.push(format!("ALTER INDEX {name} ALTER COLUMN {column} SET STATISTICS {target}"));
    }
    if row.get::<bool, _>("clustered") {
        marks.push(format!("ALTER TABLE {table} CLUSTER ON {}", ident(&index.name)));
    }
    if row.get::<bool, _>("replica_identity") {
        marks.push(format!(
            "ALTER TABLE {table} REPLICA IDENTITY USING INDEX {}",
            ident(&index.name)
        ));
    }
    marks
}

/// Builds everything again; part of the transaction that took it down.
pub async fn put_back(
    conn: &mut PgConnection,
    table: &TableName,
    taken: &TakenDown,
) -> Result<(), EngineError> {
    let task = format!("rebuild the indexes of {table}");
    for statement in taken.builds.iter().chain(&taken.marks) {
        run(conn, &task, statement).await?;
    }
    Ok(())
}

/// Makes the indexes that were invalid before the run, invalid: `CREATE INDEX CONCURRENTLY` commits its catalog entry, then
/// waits for whoever holds the table, and is cancelled while it waits for us.
pub async fn restore_invalid(
    conn: &mut PgConnection,
    server: &Server,
) -> Result<usize, EngineError> {
    let entries = ledger::taken_down(conn, ledger::INVALID_INDEX).await?;
    for entry in &entries {
        let task = format!("restore invalid index {}", entry.name);
        let Some((table, statements)) = entry.restore.split_first() else { continue };
        let mut builder = session::open(server).await?;
        // Longer than the catalog entry takes to commit, which is all that this waits for.
        run(&mut builder, &task, "SET statement_timeout = '2s'").await?;
        for statement in statements {
            match build_invalid(statement) {
                Some(build) => {
                    if !is_there(conn, statement, table).await? {
                        create_invalid(conn, &mut builder, table, &build, &task).await?;
                    }
                    if !is_there(conn, statement, table).await? {
                        return Err(EngineError::Temporary(format!("{task}: it was not created")));
                    }
                }
                // The tablespace.
                None if statement.starts_with("SET ") => {
                    run(&mut builder, &task, statement).await?;
                }
                None => run(conn, &task, statement).await?,
            }
        }
        transaction(conn, async |conn| ledger::clear(conn, entry).await).await?;
    }
    Ok(entries.len())
}

/// The concurrent form of an index definition; `None` for any other statement.
fn build_invalid(statement: &str) -> Option<String> {
    let (head, rest) = statement.split_once("INDEX ")?;
    matches!(head, "CREATE " | "CREATE UNIQUE ").then(|| format!("{head}INDEX CONCURRENTLY {rest}"))
}

/// True where the table already has an index with that definition, from a run that was interrupted right here.
async fn is_there(
    conn: &mut PgConnection,
    definition: &str,
    table: &str,
) -> Result<bool, EngineError> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_index
         WHERE indrelid = $1::regclass AND pg_catalog.pg_get_indexdef(indexrelid) = $2)",
    )
    .bind(table)
    .bind(definition)
    .fetch_one(conn)
    .await
    .map_err(|error| engine_error("read the indexes", error))
}

async fn create_invalid(
    conn: &mut PgConnection,
    builder: &mut PgConnection,
    table: &str,
    build: &str,
    task: &str,
) -> Result<(), EngineError> {
    transaction(conn, async |conn| {
        run(conn, task, &format!("LOCK TABLE {table} IN ROW EXCLUSIVE MODE")).await?;
        // It fails by design: the lock above is held until it is cancelled.
        let _ = run(builder, task, build).await;
        Ok(())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_index_definitions_have_a_concurrent_form() {
        let unique = build_invalid("CREATE UNIQUE INDEX i ON public.t USING btree (a)");
        assert_eq!(
            unique.as_deref(),
            Some("CREATE UNIQUE INDEX CONCURRENTLY i ON public.t USING btree (a)")
        );
        assert_eq!(build_invalid("COMMENT ON INDEX public.i IS 'x'"), None);
        assert_eq!(build_invalid("ALTER INDEX public.i ALTER COLUMN 1 SET STATISTICS 5"), None);
    }
}
