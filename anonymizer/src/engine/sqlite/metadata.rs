//! Texts in the schema of a SQLite file that may hold values: defaults, CHECKs, conditions of indexes, bodies of views and
//! triggers. All of them stand in the CREATE statements.

use rusqlite::{Connection, Result};

use super::catalog::MAIN;
use super::marker;

/// Every CREATE statement with the name of what it makes.
pub(super) fn read(connection: &Connection) -> Result<Vec<(String, String)>> {
    let mut statement = connection.prepare(
        "SELECT type, name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL AND name <> ?1 ORDER BY type, name",
    )?;
    let rows = statement.query_map([marker::TABLE], |row| {
        let (sort, name): (String, String) = (row.get(0)?, row.get(1)?);
        Ok((format!("definition of {sort} {MAIN}.{name}"), row.get(2)?))
    })?;
    rows.collect()
}
