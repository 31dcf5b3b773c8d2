//! What an earlier run has left in the directory for the report: moved aside before anything else is done, so that a run that
//! fails before its own report leaves none.
//!
//! The files keep their names, in the directory `earlier`, where those of the run before them were. Nothing else is touched.

use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf};

use super::Error;
use crate::{page, report};

/// Where they go.
const DIRECTORY: &str = "earlier";
/// What a run leaves.
const FILES: [&str; 3] = [report::FILE_NAME, report::SIGNED_NAME, page::FILE_NAME];

/// Files of an earlier run that were moved aside.
pub struct Earlier {
    directory: PathBuf,
    files: Vec<&'static str>,
}

impl Earlier {
    /// Moves the files of an earlier run aside.
    pub fn move_aside(directory: &Path) -> Result<Self, Error> {
        let there = |name: &&str| directory.join(name).symlink_metadata().is_ok();
        let files: Vec<&'static str> = FILES.into_iter().filter(there).collect();
        let moved = Self { directory: directory.to_owned(), files };
        moved.away().map_err(|source| failed(directory, "aside", source))?;
        Ok(moved)
    }

    /// Moves them back: they belong to the run that masked the database.
    pub fn move_back(self) -> Result<(), Error> {
        let (here, aside) = (&self.directory, self.directory.join(DIRECTORY));
        let mut files = self.files.iter();
        let moved = files.try_for_each(|name| std::fs::rename(aside.join(name), here.join(name)));
        moved.map_err(|source| failed(here, "back", source))
    }

    fn away(&self) -> Result<(), IoError> {
        if self.files.is_empty() {
            return Ok(());
        }
        let aside = self.directory.join(DIRECTORY);
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
        self.files
            .iter()
            .try_for_each(|name| std::fs::rename(self.directory.join(name), aside.join(name)))
    }
}

fn failed(directory: &Path, whither: &str, source: IoError) -> Error {
    let task = format!("move the earlier report in {} {whither}", directory.display());
    Error::Io { task, source }
}
