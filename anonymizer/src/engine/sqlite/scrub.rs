//! What a SQLite file carries besides rows, looked at in the masked copy before it takes the original's place.
//!
//! A file has no roles, no jobs and no log of statements: what there is to do the run has done by writing the copy, and here it
//! is looked at once more.

use std::path::{Path, PathBuf};

use contract::report::ScrubCheck;
use rusqlite::{Connection, Result as SqlResult};

use super::conclude::Masked;
use super::error::during;
use super::finish::STATISTICS;
use super::sql::quoted;
use crate::engine::EngineError;
use crate::rules::ScrubRules;
use crate::scrub::{Found, checks_of, names, settle};
use crate::switches;

/// Carries out every check, on a connection to the masked copy.
pub(super) fn scrub(
    copy: &Connection,
    masked: &Masked,
    rules: &ScrubRules,
) -> Result<Vec<ScrubCheck>, EngineError> {
    let mut checks = Vec::new();
    for check in checks_of("sqlite") {
        let found = match check.id {
            _ if switches::is_off(check.id) => Ok(Found::nothing("switched off for a test")),
            "sqlite.free-pages" => free_pages(copy).map_err(during("count the free pages")),
            "sqlite.side-files" => Ok(side_files(&masked.session.path, masked.copy.path())),
            "sqlite.statistics" => statistics(copy).map_err(during("look for statistics")),
            "sqlite.triggers" => triggers(copy).map_err(during("look at the triggers")),
            id => Err(EngineError::Unexpected(format!("{id} is not carried out"))),
        };
        checks.push(settle(check, found, rules)?);
    }
    Ok(checks)
}

fn free_pages(copy: &Connection) -> SqlResult<Found> {
    let free: i64 = copy.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
    Ok(match free {
        0 => Found::done("written into an empty file; no page is free"),
        free => Found::failed(format!("{free} pages are free and may hold originals")),
    })
}

/// The original's own go with it, when the copy takes its place; what cannot be removed then leaves the original as it was.
fn side_files(original: &Path, copy: &Path) -> Found {
    let (go, left) = (holding(original), holding(copy));
    if !left.is_empty() {
        return Found::failed(format!("not empty: {}", names(&left)));
    }
    if go.is_empty() {
        return Found::done("no journal and no log holds anything");
    }
    Found::done(format!("gone with the original: {}", names(&go)))
}

/// Journals and logs beside a file that are not empty.
fn holding(file: &Path) -> Vec<String> {
    let beside = ["-journal", "-wal"].map(|suffix| {
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(suffix);
        file.with_file_name(name)
    });
    let holds = |file: &&PathBuf| std::fs::metadata(file).is_ok_and(|file| file.len() > 0);
    let name = |file: &PathBuf| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    beside.iter().filter(holds).map(name).collect()
}

fn statistics(copy: &Connection) -> SqlResult<Found> {
    let mut statement =
        copy.prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table' ORDER BY 1")?;
    let tables = statement.query_map([], |row| row.get(0))?.collect::<SqlResult<Vec<String>>>()?;
    let found: Vec<String> =
        tables.into_iter().filter(|table| STATISTICS.contains(&table.as_str())).collect();
    Ok(match found.is_empty() {
        true => Found::nothing("no statistics"),
        false => Found::done(format!("gathered again: {}", names(&found))),
    })
}

/// A trigger's functions are looked up when a statement on its table is prepared.
fn triggers(copy: &Connection) -> SqlResult<Found> {
    let mut statement = copy.prepare(
        "SELECT DISTINCT t.tbl_name, (SELECT name FROM pragma_table_info(t.tbl_name) LIMIT 1)
         FROM main.sqlite_schema t WHERE t.type = 'trigger' ORDER BY 1",
    )?;
    let tables = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<SqlResult<Vec<(String, Option<String>)>>>()?;
    let mut strange = Vec::new();
    for (table, column) in tables {
        let name = quoted(&table);
        let mut written =
            vec![format!("INSERT INTO {name} DEFAULT VALUES"), format!("DELETE FROM {name}")];
        written.extend(column.map(|column| {
            let column = quoted(&column);
            format!("UPDATE {name} SET {column} = {column}")
        }));
        let mut missing: Vec<String> =
            written.iter().filter_map(|sql| missing_function(copy, sql)).collect();
        missing.dedup();
        strange.extend(missing.into_iter().map(|function| format!("{function} at {table}")));
    }
    Ok(match strange.is_empty() {
        true => Found::nothing("no trigger calls a function that SQLite does not have"),
        false => Found::reported(format!("left: {}", names(&strange))),
    })
}

/// The name in SQLite's complaint about a statement that is prepared and not run.
fn missing_function(copy: &Connection, sql: &str) -> Option<String> {
    let complaint = copy.prepare(sql).err()?.to_string();
    let (_, rest) = complaint.split_once("no such function: ")?;
    rest.split([' ', '\n']).next().map(str::to_owned)
}
