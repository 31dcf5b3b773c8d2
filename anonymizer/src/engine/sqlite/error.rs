//! SQLite errors on their way out. One door: what passes it names tables, columns and constraints, never a row value.

use rusqlite::{Error, ErrorCode, ffi};

use crate::engine::EngineError;

/// Beginnings of run-time messages that SQLite makes of names alone. Any other message may quote data (a JSON path, a
/// full-text query) and is replaced by its code's description.
const MADE_OF_NAMES: &[&str] = &[
    "UNIQUE constraint failed",
    "NOT NULL constraint failed",
    "CHECK constraint failed",
    "FOREIGN KEY constraint failed",
    "foreign key mismatch",
    "cannot store ",
    "no such table",
    "no such column",
    "no such function",
    "no such module",
    "no such collation",
];

/// Turns a SQLite error into the engine's, with what was being done.
pub(super) fn during(task: impl Into<String>) -> impl FnOnce(Error) -> EngineError {
    let task = task.into();
    move |error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            EngineError::Temporary(format!("{task}: the database is locked by another client"))
        }
        Some(ErrorCode::DiskFull) => EngineError::Temporary(format!("{task}: no space left")),
        _ => EngineError::Database { task, detail: detail(&error) },
    }
}

/// Turns the error of a connection's first steps into the engine's.
pub(super) fn opening(error: Error) -> EngineError {
    let refused = |what: &str, cure: &str| EngineError::Refused(format!("{what}\n(hint: {cure})"));
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => refused(
            "not a SQLite database, or an encrypted one",
            "give the path of a plain SQLite file",
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => refused(
            "cannot be opened for writing",
            "check the rights on the file and its directory",
        ),
        _ => during("open the database")(error),
    }
}

/// What may be said about an error.
pub(super) fn detail(error: &Error) -> String {
    match error {
        // Raised while a statement is parsed: the message quotes the statement, which holds no row values.
        Error::SqlInputError { msg, .. } => msg.clone(),
        Error::SqliteFailure(_, Some(message)) if is_made_of_names(message) => message.clone(),
        Error::SqliteFailure(code, _) => ffi::code_to_str(code.extended_code).to_owned(),
        _ => "unexpected answer".to_owned(),
    }
}

fn is_made_of_names(message: &str) -> bool {
    MADE_OF_NAMES.iter().any(|beginning| message.starts_with(beginning))
}

/// Turns a failed file operation into the engine's error. Names the task, not the path's content.
pub(super) fn file(task: impl Into<String>) -> impl FnOnce(std::io::Error) -> EngineError {
    let task = task.into();
    move |error| match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            EngineError::Temporary(format!("{task}: no space left"))
        }
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            EngineError::Refused(format!("{task}: {}", error.kind()))
        }
        kind => EngineError::Unexpected(format!("{task}: {kind}")),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn a_constraint_is_named_and_a_value_is_not() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE t(a UNIQUE); INSERT INTO t VALUES ('secret')")
            .unwrap();
        let unique = connection.execute("INSERT INTO t VALUES ('secret')", []).unwrap_err();
        assert_eq!(detail(&unique), "UNIQUE constraint failed: t.a");

        let path = connection.query_row("SELECT json_extract('{}', a) FROM t", [], |_| Ok(()));
        let text = during("read t")(path.unwrap_err()).to_string();
        assert!(!text.contains("secret"), "{text}");
    }
}
