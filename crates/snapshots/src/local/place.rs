//! Where an account keeps what it has below the shared root, and how its records are read and written.
//!
//! A record is replaced by renaming, so that a reader sees the old or the new one whole, and whoever changes one holds the
//! account's lock. It survives a killed process; it is not forced to the disk, so a power cut may take it.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::SnapshotError;

/// How the names of files begin that have not got their own yet.
const UNFINISHED: &str = ".";

/// One account's folder.
#[derive(Clone, Debug)]
pub struct Place {
    /// Of all accounts.
    pub root: PathBuf,
    /// The account's name.
    pub account: String,
    /// The directory of PostgreSQL's server programs, where it was named.
    pub postgres: Option<PathBuf>,
}

impl Place {
    /// Makes the folders that are missing.
    pub fn prepare(&self) -> Result<(), SnapshotError> {
        // A server's own user has to come through here to its data, and sees nothing on its way.
        for directory in [self.root.clone(), self.home(), self.databases()] {
            make(&directory, 0o711)?;
        }
        for directory in
            [self.keys(), self.secrets(), self.snapshots(), self.backups(), self.work()]
        {
            make(&directory, 0o700)?;
        }
        Ok(())
    }

    /// The same root, seen by another account.
    pub fn of(&self, account: &str) -> Place {
        Place { account: account.to_owned(), ..self.clone() }
    }

    /// Every account there is.
    pub fn accounts(&self) -> Result<Vec<String>, SnapshotError> {
        names(&self.root)
    }

    /// The account's folder.
    pub fn home(&self) -> PathBuf {
        self.root.join(&self.account)
    }

    /// One directory for each database, called as the database is.
    pub fn databases(&self) -> PathBuf {
        self.home().join("databases")
    }

    /// Records of snapshots by name, contents by identifier.
    pub fn snapshots(&self) -> PathBuf {
        self.home().join("snapshots")
    }

    /// Keys and who may use them.
    pub fn keys(&self) -> PathBuf {
        self.home().join("keys")
    }

    /// The URLs of databases, by identifier.
    pub fn secrets(&self) -> PathBuf {
        self.home().join("secrets")
    }

    /// What was kept of databases that are gone, by identifier.
    pub fn backups(&self) -> PathBuf {
        self.home().join("backups")
    }

    /// A lock for each thing that is being worked on.
    pub fn work(&self) -> PathBuf {
        self.home().join("work")
    }

    /// Holds the account's lock until it is dropped: for looking and writing, never for long work.
    pub fn lock(&self) -> Result<File, SnapshotError> {
        let path = self.home().join("lock");
        let file = open_lock(&path)?;
        file.lock().map_err(failed("lock", &path))?;
        Ok(file)
    }

    /// The lock of whoever works on the thing with that identifier; none while somebody else does.
    pub fn try_work(&self, id: &str) -> Result<Option<File>, SnapshotError> {
        let path = self.work().join(id);
        let file = open_lock(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
        }
    }
}

fn open_lock(path: &Path) -> Result<File, SnapshotError> {
    let opened = File::options().create(true).truncate(false).write(true).open(path);
    opened.map_err(failed("open", path))
}

/// Turns an error of the operating system into one that says what was tried on which file.
pub fn failed<'a>(verb: &'a str, path: &'a Path) -> impl Fn(io::Error) -> SnapshotError + use<'a> {
    move |error| SnapshotError::Other(format!("failed to {verb} {}: {error}", path.display()))
}

/// Makes a directory that is missing, with exactly these permissions.
pub fn make(directory: &Path, mode: u32) -> Result<(), SnapshotError> {
    if directory.is_dir() {
        return Ok(());
    }
    let made = DirBuilder::new().recursive(true).mode(mode).create(directory);
    let made = made.and_then(|()| fs::set_permissions(directory, fs::Permissions::from_mode(mode)));
    made.map_err(failed("make", directory))
}

/// Names of what is in a directory, sorted, without what is still being written; none where there is no directory.
pub fn names(directory: &Path) -> Result<Vec<String>, SnapshotError> {
    let mut names = all_names(directory)?;
    names.retain(|name| !name.starts_with(UNFINISHED));
    names.sort();
    Ok(names)
}

/// What is still being written into a directory, or was by a process that is gone.
pub fn unfinished(directory: &Path) -> Result<Vec<PathBuf>, SnapshotError> {
    let mut names = all_names(directory)?;
    names.retain(|name| name.starts_with(UNFINISHED));
    Ok(names.iter().map(|name| directory.join(name)).collect())
}

fn all_names(directory: &Path) -> Result<Vec<String>, SnapshotError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("list", directory)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed("list", directory))?.file_name();
        names.extend(name.into_string().ok());
    }
    Ok(names)
}

/// A record, where there is one.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, SnapshotError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path)(error)),
    };
    let record = serde_json::from_slice(&text);
    record
        .map(Some)
        .map_err(|error| SnapshotError::Other(format!("{} is no record: {error}", path.display())))
}

/// Writes a record in one step.
pub fn write<T: Serialize>(path: &Path, record: &T) -> Result<(), SnapshotError> {
    let text = serde_json::to_string_pretty(record).expect("records have text for keys");
    write_text(path, &(text + "\n"))
}

/// Writes a file for its owner alone, in one step.
pub fn write_text(path: &Path, text: &str) -> Result<(), SnapshotError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(directory);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.persist(path).map_err(|error| error.error)
    });
    written.map(drop).map_err(failed("write", path))
}

/// Removes a file; it may be gone already.
pub fn remove(path: &Path) -> Result<(), SnapshotError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Removes a directory with all that is in it; it may be gone already.
pub fn remove_all(path: &Path) -> Result<(), SnapshotError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}
