//! What an earlier run has left in the directory for the report: moved aside before anything else is done, so that a run that
//! fails before its own report leaves none, whatever it fails of.
//!
//! The files keep their names, in the directory `earlier`, where those of the run before them were. Nothing else is touched.

use std::io::{Error as IoError, ErrorKind};
use std::path::Path;

use super::Error;
use crate::{page, report};

/// Where they go.
const DIRECTORY: &str = "earlier";
/// What a run leaves.
const FILES: [&str; 3] = [report::FILE_NAME, report::SIGNED_NAME, page::FILE_NAME];

/// Moves the files of an earlier run aside.
pub fn move_aside(directory: &Path) -> Result<(), Error> {
    away(directory).map_err(|source| failed(directory, "aside", source))
}

/// Moves them back where the report among them is this one. Answers whether it is.
pub fn move_back(directory: &Path, report: &[u8]) -> Result<bool, Error> {
    let aside = directory.join(DIRECTORY);
    if std::fs::read(aside.join(report::FILE_NAME)).ok().as_deref() != Some(report) {
        return Ok(false);
    }
    let moved = files_in(&aside)
        .try_for_each(|name| std::fs::rename(aside.join(name), directory.join(name)));
    moved.map(|()| true).map_err(|source| failed(directory, "back", source))
}

fn files_in(directory: &Path) -> impl Iterator<Item = &'static str> {
    FILES.into_iter().filter(|name| directory.join(name).symlink_metadata().is_ok())
}

fn away(directory: &Path) -> Result<(), IoError> {
    if files_in(directory).next().is_none() {
        return Ok(());
    }
    let aside = directory.join(DIRECTORY);
    match std::fs::create_dir(&aside) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    for name in FILES {
        // No file of one run beside those of another.
        match std::fs::remove_file(aside.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    files_in(directory).try_for_each(|name| std::fs::rename(directory.join(name), aside.join(name)))
}

fn failed(directory: &Path, whither: &str, source: IoError) -> Error {
    let task = format!("move the earlier report in {} {whither}", directory.display());
    Error::Io { task, source }
}
