//! Puts everything back in the copy, frees it of residue, and proves that it is whole. The original is not touched.

use std::collections::BTreeSet;

use rusqlite::{Connection, Result as SqlResult};

use super::check::existing_orphans;
use super::conclude::Masked;
use super::error::{self, during};
use super::files::Copy;
use super::marker::{self, Binding};
use super::session::{self, SchemaRow, Session};
use super::sql::{self, literal, quoted};
use super::virtual_table::{Storage, storage};
use crate::engine::{EngineError, RunOptions};
use crate::plan::Plan;
use crate::progress::Progress;
use crate::switches;

/// What the database as a whole is called in progress lines.
const WHOLE: &str = "database";

/// Page cache for building indexes: SQLite sorts in twice as much memory, and more makes it no faster.
const CACHE_KIB: u32 = 16 * 1024;

/// Statistics tables of any SQLite version; all but the first may hold values of rows.
pub(super) const STATISTICS: [&str; 4] =
    ["sqlite_stat1", "sqlite_stat2", "sqlite_stat3", "sqlite_stat4"];

/// Finishes the copy: what may take the original's place, with notes.
pub(super) fn finish(
    session: Session,
    plan: &Plan,
    options: &RunOptions,
    progress: &dyn Progress,
) -> Result<(Masked, Vec<String>), EngineError> {
    let mut notes = Vec::new();
    session.connection.execute_batch("DETACH DATABASE work").map_err(during("close the copy"))?;
    let work = sql::open(session.work.path()).map_err(during("open the copy"))?;
    session.stop.watch(&work);
    work.execute_batch(&format!(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{CACHE_KIB}"
    ))
    .map_err(during("open the copy"))?;

    progress.step(WHOLE, "building indexes");
    for index in &session.indexes {
        work.execute_batch(index).map_err(during("build an index"))?;
    }
    notes.extend(rebuild_full_text(&work, &session.schema)?);
    refuse_orphans(&work)?;
    if refresh_statistics(&work, &session.schema).map_err(during("refresh the statistics"))? {
        notes.push("statistics were computed again from the masked rows".to_owned());
    }
    // Empty until the verdict: what is written after the copy is free of residue must leave none.
    marker::make(&work).map_err(during("make room for the run marker"))?;

    progress.step(WHOLE, "writing it without residue");
    let masked = Copy::create(&session.path, &options.run_id, ".masked")?;
    if switches::is_off("sqlite.free-pages") {
        // Page by page, free ones included: what becomes of it is for a test to see.
        std::fs::copy(session.work.path(), masked.path())
            .map_err(error::file("copy".to_owned()))?;
    } else {
        session::vacuum_into(&work, masked.path()).map_err(during("write the masked copy"))?;
    }
    drop(work);
    // Its free pages hold originals: it must be gone before a finished database stands beside it.
    session.work.remove()?;
    progress.step(WHOLE, "checking its integrity");
    prove(&session, &masked)?;
    let binding = Binding::new(plan, options);
    Ok((Masked { session, copy: masked, binding }, notes))
}

/// Full-text indexes still hold the words of the original rows, whatever became of the rows.
fn rebuild_full_text(work: &Connection, schema: &[SchemaRow]) -> Result<Vec<String>, EngineError> {
    let mut notes = Vec::new();
    for (_, name, _, sql) in schema.iter().filter(|(sort, ..)| sort == "table") {
        let sql = sql.as_deref().unwrap_or_default();
        if !is_virtual(sql) {
            continue;
        }
        if let Storage::Rows { full_text: true } | Storage::Follows(_) = storage(sql) {
            let table = quoted(name);
            let rebuild = format!("INSERT INTO {table}({table}) VALUES ('rebuild')");
            work.execute_batch(&rebuild).map_err(during(format!("rebuild {name}")))?;
            notes.push(format!("the full-text index {name} was rebuilt from masked rows"));
        }
    }
    Ok(notes)
}

fn is_virtual(sql: &str) -> bool {
    sql.get(..14).is_some_and(|start| start.eq_ignore_ascii_case("create virtual"))
}

/// Masks that differ on the two sides of a key would break what `check` has found whole.
fn refuse_orphans(work: &Connection) -> Result<(), EngineError> {
    let orphans = existing_orphans(work).map_err(during("check the foreign keys"))?;
    match orphans.first() {
        None => Ok(()),
        Some((child, parent, count)) => Err(EngineError::Unexpected(format!(
            "after masking, {count} rows of {child} reference a row of {parent} that is not there; the original is untouched"
        ))),
    }
}

/// Computes statistics again where there were some, so that no sample of an original stays. Answers whether there were.
fn refresh_statistics(work: &Connection, schema: &[SchemaRow]) -> SqlResult<bool> {
    let had = |table: &str| schema.iter().any(|(_, name, ..)| name == table);
    for table in STATISTICS.into_iter().filter(|table| had(table)) {
        work.execute_batch(&format!("DELETE FROM {table}"))?;
    }
    if !STATISTICS.into_iter().any(had) {
        return Ok(false);
    }
    work.execute_batch("ANALYZE")?;
    // This SQLite may keep more statistics than the one that made the database did.
    for table in STATISTICS.into_iter().filter(|table| !had(table)) {
        work.execute_batch(&format!("DROP TABLE IF EXISTS {table}"))?;
    }
    Ok(true)
}

/// Refuses to hand over a copy that is damaged or shaped otherwise than the original.
fn prove(session: &Session, masked: &Copy) -> Result<(), EngineError> {
    let copy = sql::open(masked.path()).map_err(during("open the masked copy"))?;
    session.stop.watch(&copy);
    let mut schema = session::schema(&copy).map_err(during("read the masked schema"))?;
    schema.retain(|(_, name, ..)| name != marker::TABLE);
    if let Some(name) = difference(&session.schema, &schema) {
        return Err(EngineError::Unexpected(format!(
            "{name} differs in the masked copy; the original is untouched"
        )));
    }
    let complaints = integrity(&copy).map_err(during("check the masked copy"))?;
    if !complaints.is_empty() {
        // What was wrong with the original already is not ours to mend.
        let known = integrity(&session.connection).map_err(during("check the original"))?;
        if let Some(complaint) = complaints.difference(&known).next() {
            return Err(EngineError::Unexpected(format!(
                "the masked copy is damaged: {complaint}; the original is untouched"
            )));
        }
    }
    copy.close().map_err(|(_, error)| during("close the masked copy")(error))
}

/// The name of an object that only one schema has, or that differs.
fn difference<'a>(before: &'a [SchemaRow], after: &'a [SchemaRow]) -> Option<&'a str> {
    let (before, after) = (BTreeSet::from_iter(before), BTreeSet::from_iter(after));
    before.symmetric_difference(&after).next().map(|(_, name, ..)| name.as_str())
}

/// What SQLite finds wrong with a database. It names tables, columns, indexes and pages.
///
/// Every page, every row's form, NOT NULL and CHECK are looked at. The full check would also look every row up in every
/// index, in an order that takes longer than the masking did, although each index of a masked table was built a moment ago.
fn integrity(connection: &Connection) -> SqlResult<BTreeSet<String>> {
    let sql = format!("SELECT * FROM pragma_quick_check WHERE quick_check <> {}", literal("ok"));
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect()
}
