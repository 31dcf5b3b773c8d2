//! What only the database can tell about a plan. Reads only.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use crate::catalog::{Catalog, ForeignKey, TableName};
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::{qualified, run};
use crate::engine::postgres::{
    altered_tables, event_triggers, keys, ledger, members, quiet, rights, unit, units, unvalidated,
};
use crate::engine::{EngineError, Unit};
use crate::plan::Plan;

/// Subject, message and cure.
type Finding = (String, String, String);

/// Everything that is wrong; part of a read-only transaction of the caller's.
pub async fn findings(
    conn: &mut PgConnection,
    plan: &Plan,
    catalog: &Catalog,
) -> Result<Vec<Finding>, EngineError> {
    let mut findings = ledger_schema(conn).await?;
    let units = units(conn, plan).await?;
    if units.is_empty() {
        return Ok(findings);
    }
    findings.extend(encoding(conn).await?);
    findings.extend(prepared_transactions(conn).await?);
    let altered = altered_tables(&units, catalog);
    findings.extend(rights::findings(conn, &altered).await?);
    let unread = rights::unreadable(conn, &altered).await?;
    findings.extend(event_triggers::findings(conn).await?);
    findings.extend(predicates(conn, plan, |table| !unread.contains(table)).await?);
    findings.extend(unvalidated::findings(conn, plan, |table| !unread.contains(table)).await?);
    let down = if ledger::exists(conn).await? {
        ledger::foreign_keys_down(conn).await?
    } else {
        Vec::new()
    };
    for key in keys_to_look_at(catalog, &units) {
        let read = !unread.contains(&key.table) && !unread.contains(&key.references);
        if read && !down.contains(key) {
            findings.extend(orphans(conn, catalog, key).await?);
        }
    }
    Ok(findings)
}

/// Valid foreign keys that a run takes down.
fn keys_to_look_at<'a>(
    catalog: &'a Catalog,
    units: &[Unit],
) -> impl Iterator<Item = &'a ForeignKey> {
    let affected = members(units);
    catalog.foreign_keys.iter().filter(move |key| {
        key.validated && (affected.contains(&key.table) || affected.contains(&key.references))
    })
}

/// Looks at what [`findings`] could not: tables that the role reads only since it has taken its rights. Part of the
/// transaction that has taken them, before anything goes down.
pub async fn refuse_unread(
    conn: &mut PgConnection,
    plan: &Plan,
    catalog: &Catalog,
    units: &[Unit],
    unread: &[TableName],
) -> Result<(), EngineError> {
    let mut unforced = Vec::new();
    for table in unread {
        unforced.push((table, quiet::unforce(conn, table).await?));
    }
    let mut findings = predicates(conn, plan, |table| unread.contains(table)).await?;
    findings.extend(unvalidated::findings(conn, plan, |table| unread.contains(table)).await?);
    for key in keys_to_look_at(catalog, units) {
        if unread.contains(&key.table) || unread.contains(&key.references) {
            findings.extend(orphans(conn, catalog, key).await?);
        }
    }
    for (table, unforced) in &unforced {
        quiet::wake(conn, table, unforced).await?;
    }
    match findings.first() {
        None => Ok(()),
        Some((subject, message, cure)) => {
            Err(EngineError::Refused(format!("{subject}: {message}\n(hint: {cure})")))
        }
    }
}

/// No rule speaks about the ledger's schema and predicates look in it first, so that nothing else may be in it.
async fn ledger_schema(conn: &mut PgConnection) -> Result<Vec<Finding>, EngineError> {
    let is_foreign: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace n WHERE n.nspname = $1 AND (
             NOT pg_catalog.pg_has_role(n.nspowner, 'USAGE') OR pg_catalog.to_regclass('anonymizer.run') IS NULL
             OR EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'm', 'f')
                        AND c.relname <> ALL (ARRAY['run', 'unit', 'loaded', 'taken_down', 'cascade_delete', 'statement']))))",
    )
    .bind(ledger::SCHEMA)
    .fetch_one(conn)
    .await
    .map_err(|error| engine_error("look for the ledger", error))?;
    let finding = || {
        (
            format!("schema {}", ledger::SCHEMA),
            "holds what no run has put there, and a run needs it for itself".to_owned(),
            "rename it, or drop it where it is empty".to_owned(),
        )
    };
    Ok(is_foreign.then(finding).into_iter().collect())
}

/// Without an encoding, text is bytes that nobody can read for sure.
async fn encoding(conn: &mut PgConnection) -> Result<Option<Finding>, EngineError> {
    let encoding: String =
        sqlx::query_scalar("SELECT pg_catalog.current_setting('server_encoding')")
            .fetch_one(conn)
            .await
            .map_err(|error| engine_error("read the encoding", error))?;
    Ok((encoding == "SQL_ASCII").then(|| {
        (
            "the database".to_owned(),
            "has no encoding (SQL_ASCII)".to_owned(),
            "load a dump of it into a database with an encoding, and mask that".to_owned(),
        )
    }))
}

/// A prepared transaction may hold a lock, or originals, beyond our reach.
async fn prepared_transactions(conn: &mut PgConnection) -> Result<Vec<Finding>, EngineError> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database() ORDER BY gid",
    )
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error("read the prepared transactions", error))?;
    let finding = |name| {
        (
            format!("prepared transaction {name}"),
            "is neither committed nor rolled back".to_owned(),
            "COMMIT PREPARED or ROLLBACK PREPARED it".to_owned(),
        )
    };
    Ok(names.into_iter().map(finding).collect())
}

/// Whether the server understands the predicates. Its answer may quote them, so it is not repeated.
async fn predicates(
    conn: &mut PgConnection,
    plan: &Plan,
    of: impl Fn(&TableName) -> bool,
) -> Result<Vec<Finding>, EngineError> {
    let mut findings = Vec::new();
    for table in plan.tables.iter().filter(|table| of(&table.name)) {
        for (what, predicate) in
            [("skip_rows", &table.skip_rows), ("delete_rows", &table.delete_rows)]
        {
            let Some(predicate) = predicate else { continue };
            run(
                conn,
                "check a predicate",
                &format!("SAVEPOINT predicate; {}", unit::predicate_path(&table.name)),
            )
            .await?;
            let sql = format!(
                "SELECT 1 FROM ONLY {} WHERE ((\n{predicate}\n)) IS TRUE LIMIT 0",
                qualified(&table.name)
            );
            // One statement and no more: the extended protocol refuses a second one.
            let answer = conn.execute(sqlx::query(AssertSqlSafe(sql))).await;
            run(conn, "check a predicate", "ROLLBACK TO predicate").await?;
            if let Err(error) = answer {
                let detail = match engine_error(what, error) {
                    EngineError::Database { detail, .. } => detail,
                    other => return Err(other),
                };
                findings.push((
                    format!("{} {what}", table.name),
                    format!("the server does not accept the predicate: {detail}"),
                    "write a condition over this table's columns, as in WHERE".to_owned(),
                ));
            }
        }
    }
    Ok(findings)
}

/// A key that is marked as valid can still be broken, by a load with triggers off. It could not be put back.
async fn orphans(
    conn: &mut PgConnection,
    catalog: &Catalog,
    key: &ForeignKey,
) -> Result<Vec<Finding>, EngineError> {
    // Operators of a column's type may live in any schema of the two tables, or in public with its extension.
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM {} AS orphan WHERE {})",
        keys::rows_of(catalog, &key.table),
        keys::is_orphan(catalog, key)
    );
    let task = format!("look for orphans of {} of {}", key.name, key.table);
    run(conn, &task, &format!("SAVEPOINT orphans; {}", unit::predicate_path(&key.table))).await?;
    let row = sqlx::query(AssertSqlSafe(sql))
        .fetch_one(&mut *conn)
        .await
        .map_err(|error| engine_error(&task, error))?;
    run(conn, &task, "ROLLBACK TO orphans").await?;
    if !row.get::<bool, _>(0) {
        return Ok(Vec::new());
    }
    Ok(vec![(
        format!("{} of {}", key.name, key.table),
        format!("has rows that reference no row of {}", key.references),
        "repair them, or mark the key as NOT VALID".to_owned(),
    )])
}
