//! A digest of every row: what tells that a finished file still holds what its run has left in it, and nothing else.
//!
//! Rows are read in the order in which they lie, so that no index and no statistics change it, nor does VACUUM. What SQLite
//! keeps for itself and the run's own mark are left out.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result as SqlResult};
use sha2::{Digest as _, Sha256};

use super::sources;
use super::sql::{quoted, quoted_list};

/// The digest of all rows of `main`, hex.
pub(super) fn digest(connection: &Connection) -> SqlResult<String> {
    let mut digest = Sha256::new();
    for (table, _, is_virtual) in sources::tables(connection)? {
        if is_virtual || table.starts_with("sqlite_") {
            continue;
        }
        add(&mut digest, b't', table.as_bytes());
        rows(connection, &table, &mut digest)?;
    }
    Ok(hex::encode(digest.finalize()))
}

fn rows(connection: &Connection, table: &str, digest: &mut Sha256) -> SqlResult<()> {
    let mut stored = connection.prepare(
        "SELECT name FROM pragma_table_xinfo(?1, 'main') WHERE hidden IN (0, 3) ORDER BY cid",
    )?;
    let names = stored.query_map([table], |row| row.get(0))?.collect::<SqlResult<Vec<String>>>()?;
    let columns = quoted_list(names.iter().map(String::as_str));
    let sql = format!("SELECT {columns} FROM main.{} NOT INDEXED", quoted(table));
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        add(digest, b'r', &[]);
        for at in 0..names.len() {
            match row.get_ref(at)? {
                ValueRef::Null => add(digest, b'0', &[]),
                ValueRef::Integer(number) => add(digest, b'i', &number.to_be_bytes()),
                ValueRef::Real(number) => add(digest, b'f', &number.to_be_bytes()),
                ValueRef::Text(bytes) => add(digest, b's', bytes),
                ValueRef::Blob(bytes) => add(digest, b'b', bytes),
            }
        }
    }
    Ok(())
}

/// Sort and length come first, so that no two sequences of values read the same.
fn add(digest: &mut Sha256, sort: u8, bytes: &[u8]) {
    digest.update([sort]);
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_moves_rows_changes_nothing_and_any_value_does() {
        let connection = Connection::open_in_memory().unwrap();
        let run = |sql: &str| connection.execute_batch(sql).unwrap();
        run(
            "CREATE TABLE a (x, y); INSERT INTO a VALUES (1, 'b'), (2, 'a'), (3, NULL); DELETE FROM a WHERE x = 1",
        );
        let before = digest(&connection).unwrap();
        run("VACUUM; CREATE INDEX i ON a (y, x); ANALYZE");
        assert_eq!(digest(&connection).unwrap(), before);
        for change in [
            "UPDATE a SET y = 'b' WHERE x = 2",
            "UPDATE a SET y = x'61' WHERE x = 2",
            "DELETE FROM a WHERE x = 3",
            "INSERT INTO a VALUES (4, NULL)",
            "CREATE TABLE b (x)",
        ] {
            run("BEGIN");
            run(change);
            assert_ne!(digest(&connection).unwrap(), before, "{change}");
            run("ROLLBACK");
        }
    }
}
