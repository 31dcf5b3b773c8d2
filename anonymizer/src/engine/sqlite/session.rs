//! One run on one database: the lock on the original, the copy that is worked on, and what was taken down in it.
//!
//! The original is the connection's `main` and is only read: its exclusive lock is held from the first look to the rename, so
//! that nobody writes what would be lost. The copy is attached as `work`. Dropped half-way, a session leaves the original as
//! it was and removes the copy.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, Result as SqlResult};

use super::cascade::Deleted;
use super::error::{self, during};
use super::files::{self, Copy};
use super::marker::{self, Binding, Found};
use super::sql::{self, quoted};
use super::stop::Stop;
use super::{catalog, content, sql::literal};
use crate::engine::{EngineError, RunOptions};
use crate::plan::{Action, Plan};

/// Page cache for the copy: enough to keep the inner pages of large indexes, whatever the database's size.
const CACHE_KIB: u32 = 64 * 1024;

/// One row of `sqlite_schema`: type, name, table, SQL. Where pages lie is left out.
pub(super) type SchemaRow = (String, String, String, Option<String>);

/// A run between `begin` and `finish`.
pub(super) struct Session {
    /// `main` is the original, `work` the copy.
    pub connection: Connection,
    /// The original's path.
    pub path: PathBuf,
    /// The original's owner and mode.
    pub metadata: Metadata,
    /// The copy.
    pub work: Copy,
    /// The original's schema, sorted.
    pub schema: Vec<SchemaRow>,
    /// CREATE INDEX statements of the indexes that were taken down in the copy.
    pub indexes: Vec<String>,
    /// The rows that go with a removed row of another table.
    pub deleted: Deleted,
    /// The original's journal mode is WAL.
    pub wal: bool,
    /// Ends what its connections are doing.
    pub stop: Stop,
}

/// What `begin` comes to.
pub(super) enum Start {
    /// Work to do.
    Session(Box<Session>),
    /// Nothing to do, and why.
    AlreadyDone(String),
}

/// Locks the original, makes the copy and clears the way in it.
pub(super) fn begin(
    path: &Path,
    plan: &Plan,
    options: &RunOptions,
    stop: &Stop,
) -> Result<Start, EngineError> {
    let metadata = files::inspect(path)?;
    if files::other_names(&metadata) > 0 {
        return Err(refused(
            "the file has another hard link, which would keep the originals",
            "remove the other links, or mask a copy of the file",
        ));
    }
    let connection = lock(path)?;
    stop.watch(&connection);
    if !files::is_same(path, &metadata) {
        return Err(EngineError::Temporary(
            "the file was replaced while it was being locked".to_owned(),
        ));
    }
    if !options.allow_connections {
        refuse_other_processes(path)?;
    }
    // Before anything else is decided: they hold originals, beside a finished database too.
    files::remove_leftovers(path)?;
    let wal = settle_journal(&connection)?;
    if let Some(marker) = Found::read(&connection).map_err(during("read the run marker"))? {
        let content = content::digest(&connection).map_err(during("read the rows"))?;
        return match marker.compare(&Binding::new(plan, options), &content) {
            Ok(sentence) => Ok(Start::AlreadyDone(sentence)),
            Err(difference) => Err(refused(
                &format!("already masked by {} with {difference}", marker.by()),
                &format!(
                    "start from a fresh copy of the original database; to mask the fakes once more, drop the \
                     table {} first",
                    marker::TABLE
                ),
            )),
        };
    }
    refuse_other_schema(&connection, plan)?;
    files::check_space(path, metadata.len())?;

    let work = Copy::create(path, &options.run_id, "")?;
    sql::register_now(&connection, sql::moment(&options.now)).map_err(during("register now()"))?;
    vacuum_into(&connection, work.path()).map_err(during("copy the database"))?;
    attach(&connection, work.path()).map_err(during("open the copy"))?;
    let schema = schema(&connection).map_err(during("read the schema"))?;
    let indexes = drop_indexes(&connection, plan).map_err(during("drop the copy's indexes"))?;
    let deleted = Deleted::collect(&connection, plan)?;
    let path = path.to_owned();
    let stop = stop.clone();
    let session = Session { connection, path, metadata, work, schema, indexes, deleted, wal, stop };
    Ok(Start::Session(Box::new(session)))
}

fn refused(what: &str, cure: &str) -> EngineError {
    EngineError::Refused(format!("{what}\n(hint: {cure})"))
}

/// Opens the original under an exclusive lock that lasts as long as the connection.
fn lock(path: &Path) -> Result<Connection, EngineError> {
    let locked = sql::open(path).and_then(|connection| {
        connection.busy_timeout(std::time::Duration::ZERO)?;
        connection.execute_batch(
            "PRAGMA main.locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT; \
             PRAGMA temp_store = MEMORY",
        )?;
        let writable = !connection.is_readonly("main")?;
        Ok((connection, writable))
    });
    match locked {
        Ok((connection, true)) => Ok(connection),
        Ok((_, false)) => Err(refused("the file is read-only", "give yourself the right to write")),
        Err(error) => Err(match error.sqlite_error_code() {
            // A copy beside the database belongs to a run that is alive, for it holds the lock.
            Some(ErrorCode::DatabaseBusy) if !files::leftovers(path)?.is_empty() => {
                EngineError::Temporary("another run holds the lock".to_owned())
            }
            Some(ErrorCode::DatabaseBusy) => refused("in use by another client", "close it first"),
            _ => error::opening(error),
        }),
    }
}

fn refuse_other_processes(path: &Path) -> Result<(), EngineError> {
    match files::other_processes(path).as_slice() {
        [] => Ok(()),
        processes => {
            let list: Vec<String> = processes.iter().map(u32::to_string).collect();
            Err(refused(
                &format!("open in process {}", list.join(", ")),
                "close it, or go on with --allow-connections: it will keep reading the original",
            ))
        }
    }
}

fn refuse_other_schema(connection: &Connection, plan: &Plan) -> Result<(), EngineError> {
    let catalog = catalog::read(connection).map_err(during("read the catalog"))?;
    if catalog.fingerprint() == plan.schema_fingerprint {
        return Ok(());
    }
    Err(EngineError::Temporary("the schema has changed since it was planned for".to_owned()))
}

/// Brings everything that a write-ahead log holds into the database file. Answers whether there is such a log.
fn settle_journal(connection: &Connection) -> Result<bool, EngineError> {
    let read = |pragma: &str| {
        connection.query_row(pragma, [], |row| row.get::<_, rusqlite::types::Value>(0))
    };
    let mode = read("PRAGMA main.journal_mode").map_err(during("read the journal mode"))?;
    if mode != "wal".to_owned().into() {
        return Ok(false);
    }
    let busy =
        read("PRAGMA main.wal_checkpoint(TRUNCATE)").map_err(during("write back the log"))?;
    if busy != 0.into() {
        return Err(EngineError::Temporary("write back the log: another client reads it".into()));
    }
    Ok(true)
}

/// Copies a database into an empty file: rows with their rowids, no free pages, no residue.
pub(super) fn vacuum_into(connection: &Connection, into: &Path) -> SqlResult<()> {
    connection.execute_batch("PRAGMA main.synchronous = OFF")?;
    connection.execute("VACUUM main INTO ?1", [into.to_string_lossy()])?;
    Ok(())
}

/// Attaches the copy without a journal: if the run dies, the copy is thrown away.
fn attach(connection: &Connection, path: &Path) -> SqlResult<()> {
    connection.execute("ATTACH DATABASE ?1 AS work", [path.to_string_lossy()])?;
    connection.execute_batch(&format!(
        "PRAGMA work.journal_mode = OFF; PRAGMA work.synchronous = OFF; \
         PRAGMA work.cache_size = -{CACHE_KIB}; PRAGMA work.foreign_keys = OFF"
    ))
}

/// The schema of `main`, sorted.
pub(super) fn schema(connection: &Connection) -> SqlResult<Vec<SchemaRow>> {
    let mut statement = connection.prepare(
        "SELECT type, name, tbl_name, sql FROM main.sqlite_schema ORDER BY type, name, tbl_name",
    )?;
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    rows.collect()
}

/// Takes down the indexes of the tables that will be written, and answers with their statements. Those behind a constraint
/// cannot be taken down.
fn drop_indexes(connection: &Connection, plan: &Plan) -> SqlResult<Vec<String>> {
    let written = |table: &str| {
        plan.tables
            .iter()
            .any(|t| t.action != Action::Keep && t.name.name.eq_ignore_ascii_case(table))
    };
    let mut statement = connection.prepare(
        "SELECT name, tbl_name, sql FROM work.sqlite_schema \
         WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid",
    )?;
    let indexes = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<SqlResult<Vec<(String, String, String)>>>()?;
    let mut dropped = Vec::new();
    for (name, _, sql) in indexes.into_iter().filter(|(_, table, _)| written(table)) {
        connection.execute_batch(&format!("DROP INDEX work.{}", quoted(&name)))?;
        dropped.push(sql);
    }
    Ok(dropped)
}

/// The CREATE statement of a virtual table of the original; `None` for an ordinary table.
pub(super) fn virtual_table(connection: &Connection, table: &str) -> SqlResult<Option<String>> {
    let sql = format!(
        "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND rootpage = 0 AND name = {}",
        literal(table)
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}
