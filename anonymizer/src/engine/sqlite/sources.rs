//! What the leak gate reads of a SQLite file: every table with rows of its own, SQLite's and the full-text indexes' too, and
//! the words of every full-text index.
//!
//! Any column may hold any text, whatever it declares: all are read, but for rowids, which are numbers, and columns that
//! are computed when they are looked at. Of the numbers
//! among the values, whole ones of nine digits or more come as text: shorter ones are nobody's, and come as NULL. Nothing is written.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Result as SqlResult, Rows};

use super::catalog::{MAIN, Shape};
use super::error::during;
use super::sql::{quoted, quoted_list};
use super::{ddl, marker};
use crate::catalog::TableName;
use crate::engine::{EngineError, Read, Reader, Source};

/// The column of a full-text index's words, as SQLite's own vocabulary tables call it.
const TERM: &str = "term";
/// The least number of nine digits.
const NINE_DIGITS: i64 = 100_000_000;

/// A connection that cannot write to the file.
pub(super) fn open(path: &Path) -> Result<Connection, EngineError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.execute_batch("PRAGMA temp_store = MEMORY")?;
        Ok(connection)
    });
    opened.map_err(during("open the database to look at it"))
}

/// Everything to read, largest first.
pub(super) fn list(connection: &Connection) -> SqlResult<Vec<Source>> {
    let sizes = sizes(connection)?;
    let mut sources = Vec::new();
    for (table, sql, is_virtual) in tables(connection)? {
        let columns = match is_virtual {
            true if vocabulary(&sql).is_some() => vec![TERM.to_owned()],
            true => continue,
            false => columns(connection, &table)?,
        };
        let bytes = sizes.iter().find(|(name, _)| *name == table).map_or(0, |(_, bytes)| *bytes);
        if !columns.is_empty() {
            sources.push(Source { table: TableName::new(MAIN, table), columns, bytes });
        }
    }
    sources.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.table.cmp(&b.table)));
    Ok(sources)
}

/// Name, CREATE statement and sort of every table but the run's own; a virtual table's rows lie in tables beside it.
pub(super) fn tables(connection: &Connection) -> SqlResult<Vec<(String, String, bool)>> {
    let mut statement = connection.prepare(
        "SELECT name, coalesce(sql, ''), rootpage = 0 FROM main.sqlite_schema \
         WHERE type = 'table' AND name <> ?1 ORDER BY name",
    )?;
    let rows =
        statement.query_map([marker::TABLE], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

fn columns(connection: &Connection, table: &str) -> SqlResult<Vec<String>> {
    let shape = Shape::read(connection, MAIN, table)?;
    let mut statement = connection.prepare(
        "SELECT name FROM pragma_table_xinfo(?1, 'main') WHERE hidden IN (0, 3) ORDER BY cid",
    )?;
    let names = statement.query_map([table], |row| row.get(0))?.collect::<SqlResult<Vec<_>>>()?;
    Ok(names.into_iter().filter(|name| shape.rowid_column.as_ref() != Some(name)).collect())
}

/// Bytes on disk by table.
fn sizes(connection: &Connection) -> SqlResult<Vec<(String, u64)>> {
    let mut statement =
        connection.prepare("SELECT name, pgsize FROM dbstat('main') WHERE aggregate = 1")?;
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
    rows.collect()
}

/// The module that shows the words of a full-text index.
fn vocabulary(create_virtual_table: &str) -> Option<&'static str> {
    match ddl::module(create_virtual_table)?.0.to_ascii_lowercase().as_str() {
        "fts5" => Some("fts5vocab"),
        "fts3" | "fts4" => Some("fts4aux"),
        _ => None,
    }
}

/// Reads all rows of a source.
pub(super) fn read(
    connection: &Connection,
    source: &Source,
    reader: &mut dyn Reader,
) -> Result<(), EngineError> {
    let read = rows(connection, source, reader);
    read.map_err(during(format!("read {}", source.table)))
}

fn rows(connection: &Connection, source: &Source, reader: &mut dyn Reader) -> SqlResult<()> {
    let table = &source.table.name;
    let found = tables(connection)?.into_iter().find(|(name, ..)| name == table);
    let query = match found {
        Some((_, sql, true)) => words(connection, table, vocabulary(&sql).unwrap_or_default())?,
        _ => {
            let columns = quoted_list(source.columns.iter().map(String::as_str));
            format!("SELECT {columns} FROM main.{}", quoted(table))
        }
    };
    hand_on(&mut connection.prepare(&query)?.query([])?, source.columns.len(), reader)
}

/// Shows the words of a full-text index in a table that only this connection has; answers with the query for them.
fn words(connection: &Connection, table: &str, module: &str) -> SqlResult<String> {
    let arguments = match module {
        "fts5vocab" => format!("main, {}, row", quoted(table)),
        _ => format!("main, {}", quoted(table)),
    };
    let once = if module == "fts4aux" { " WHERE col = '*'" } else { "" };
    connection.execute_batch(&format!(
        "CREATE VIRTUAL TABLE temp.anonymizer_words USING {module}({arguments})"
    ))?;
    Ok(format!("SELECT {TERM} FROM temp.anonymizer_words{once}"))
}

fn hand_on(rows: &mut Rows<'_>, width: usize, reader: &mut dyn Reader) -> SqlResult<()> {
    while let Some(row) = rows.next()? {
        let digits = |at| match row.get_ref(at)? {
            ValueRef::Integer(number) if number >= NINE_DIGITS => Ok(Some(number.to_string())),
            _ => Ok(None),
        };
        let numbers: Vec<Option<String>> = (0..width).map(digits).collect::<SqlResult<_>>()?;
        let mut fields = Vec::with_capacity(width);
        for (at, number) in numbers.iter().enumerate() {
            fields.push(match row.get_ref(at)? {
                ValueRef::Integer(_) => number.as_deref().map_or(Read::Null, Read::Text),
                ValueRef::Null | ValueRef::Real(_) => Read::Null,
                ValueRef::Blob(bytes) => Read::Bytes(bytes),
                // What is no valid text is looked at all the same.
                ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                    Ok(text) => Read::Text(text),
                    Err(_) => Read::Bytes(bytes),
                },
            });
        }
        reader.row(&fields);
    }
    Ok(())
}
