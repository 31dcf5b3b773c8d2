//! Pieces of SQL text: quoted names, and connections set up so that nothing happens behind the engine's back.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};

/// A name as an SQL identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names as a comma-separated list of SQL identifiers.
pub(super) fn quoted_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// A text as an SQL literal.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A user's predicate in parentheses. The line break keeps a trailing `--` comment from swallowing the bracket.
pub(super) fn predicate(text: &str) -> String {
    format!("({text}\n) IS TRUE")
}

/// Opens a database that must exist. Triggers do not fire and foreign keys do not act; a misspelt column in double quotes
/// is an error and not a text.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    Ok(connection)
}

/// A moment in RFC 3339 in the form of SQLite's own `datetime('now')`; what is no such moment stays as it is.
pub(super) fn moment(rfc3339: &str) -> String {
    let form = |moment: jiff::Timestamp| moment.strftime("%Y-%m-%d %H:%M:%S").to_string();
    rfc3339.parse().map_or_else(|_| rfc3339.to_owned(), form)
}

/// Gives predicates `now()`: the run's, as UTC text in the form of SQLite's own `datetime('now')`.
pub(super) fn register_now(connection: &Connection, now: String) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("now", 0, flags, move |_| Ok(now.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(quoted_list(["a", "b c"]), "\"a\", \"b c\"");
    }

    #[test]
    fn moments_look_like_sqlites_own() {
        assert_eq!(moment("2024-02-29T12:34:56.789Z"), "2024-02-29 12:34:56");
    }

    #[test]
    fn a_trailing_comment_stays_inside_its_predicate() {
        let connection = Connection::open_in_memory().unwrap();
        let sql = format!("SELECT {} AND 0", predicate("1 -- always"));
        assert_eq!(connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }
}
