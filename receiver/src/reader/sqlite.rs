//! SQLite's side of the reader: the file is opened for reading only.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use workflow::StepError;

use super::Marker;

const MARKER: &str = "anonymizer_statement";

pub(super) fn open(path: &Path) -> Result<Connection, StepError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|error| failed("open the database", &error))
}

pub(super) fn marker(connection: &Connection) -> Result<Option<Marker>, StepError> {
    let task = "read the marker";
    let there = connection.table_exists(Some("main"), MARKER);
    if !there.map_err(|error| failed(task, &error))? {
        return Ok(None);
    }
    let read = || {
        let sql = format!("SELECT run_id, digest, verdict FROM main.{MARKER}");
        let mut statement = connection.prepare(&sql)?;
        let row = |row: &rusqlite::Row<'_>| {
            Ok(Marker { run_id: row.get(0)?, digest: row.get(1)?, verdict: row.get(2)? })
        };
        statement.query_map([], row)?.collect::<Result<Vec<_>, _>>()
    };
    let mut markers = read().map_err(|error| failed(task, &error))?;
    Ok(if markers.len() == 1 { markers.pop() } else { None })
}

pub(super) fn value(
    connection: &Connection,
    query: &str,
    what: &str,
) -> Result<Option<String>, StepError> {
    let text = |row: &rusqlite::Row<'_>| {
        Ok(match row.get_ref(0)? {
            ValueRef::Null => None,
            ValueRef::Integer(number) => Some(number.to_string()),
            ValueRef::Real(number) => Some(number.to_string()),
            ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(_) => None,
        })
    };
    match connection.query_row(query, [], text) {
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        answer => answer.map_err(|error| failed(&format!("ask `{what}`"), &error)),
    }
}

/// The code alone.
fn failed(task: &str, error: &rusqlite::Error) -> StepError {
    let code = error.sqlite_error_code();
    let text = code.map_or_else(|| "unknown error".to_owned(), |code| format!("{code:?}"));
    let text = format!("could not {task}: {text}");
    match code {
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            StepError::Retryable(text)
        }
        _ => StepError::Fatal(text),
    }
}
