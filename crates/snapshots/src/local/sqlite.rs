//! SQLite: a database is one file, and its snapshot a copy of all its pages, the free ones included.
//!
//! The copy is taken with SQLite's backup, so clients may go on reading and writing; it has no server and no credentials.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::place::{self, failed};
use crate::error::SnapshotError;

/// The file of the database in that directory.
pub fn file(directory: &Path) -> PathBuf {
    directory.join("data").join("database.sqlite")
}

/// The version of the library.
pub fn version() -> String {
    rusqlite::version().to_owned()
}

/// Fills a directory with a copy of a database file.
pub fn import(directory: &Path, from: &Path) -> Result<(), SnapshotError> {
    let to = file(directory);
    place::make(&directory.join("data"), 0o700)?;
    copy(from, &to)
}

/// Writes all pages as they are at one moment.
pub fn capture(directory: &Path, to: &mut dyn Write) -> Result<(), SnapshotError> {
    // Within the database's own directory: what a killed process leaves goes with the database.
    let pages = directory.join("data").join("pages.unfinished");
    place::remove(&pages)?;
    let captured = copy(&file(directory), &pages).and_then(|()| {
        let read = File::open(&pages).and_then(|mut pages| io::copy(&mut pages, to));
        read.map(drop).map_err(failed("capture", &pages))
    });
    place::remove(&pages)?;
    captured
}

/// Fills a directory with what was captured; half of it has no name.
pub fn unpack(directory: &Path, from: &mut dyn Read) -> Result<(), SnapshotError> {
    let data = directory.join("data");
    place::remove_all(&data)?;
    place::make(&data, 0o700)?;
    let (unfinished, to) = (data.join("database.unfinished"), file(directory));
    let mut options = File::options();
    let unpacked = options.write(true).create_new(true).open(&unfinished).and_then(|mut file| {
        io::copy(from, &mut file)?;
        fs::rename(&unfinished, &to)
    });
    unpacked.map_err(failed("unpack", &to))
}

fn copy(from: &Path, to: &Path) -> Result<(), SnapshotError> {
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE);
    let copied = source.and_then(|source| {
        source.busy_timeout(Duration::from_secs(5))?;
        let mut copy = Connection::open(to)?;
        copy.pragma_update(None, "synchronous", "off")?;
        let backup = Backup::new(&source, &mut copy)?;
        // All pages under one lock: however much is being written, the copy is of one moment and comes to an end.
        backup.step(-1)
    });
    let failed = |why: &str| format!("failed to copy {}: {why}", from.display());
    match copied {
        Ok(StepResult::Done) => Ok(()),
        Ok(_) => Err(SnapshotError::Passing(failed("somebody holds its lock"))),
        Err(error) => {
            // The code alone: SQLite's texts may quote what is in the file.
            let code = error.sqlite_error_code().map(|code| format!("{code:?}"));
            Err(SnapshotError::Other(failed(code.as_deref().unwrap_or("unknown error"))))
        }
    }
}
