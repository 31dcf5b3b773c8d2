//! What stands on disk about a database and about a snapshot, and how it is found.
//!
//! A database is a directory called as the database is: renaming it is one step, and no two have one name.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::engine;
use super::place::{self, Place};
use crate::error::SnapshotError;
use crate::port::{Database, Snapshot};

/// A database.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseRecord {
    /// As it is described. Its name is its directory's, its endpoint follows from that.
    pub database: Database,
    /// What is being done with it.
    pub task: Option<Task>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// What is done with a database in the background.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Makes an empty one.
    Create,
    /// Fills it with what is in a snapshot.
    Restore(Content),
    /// Takes the snapshot with that identifier.
    Take(String),
    /// Makes a password of its own.
    TakeOver,
    /// Lets clients in again.
    Start,
    /// Sends clients away for good.
    Stop,
    /// Sends clients away and lets them in again.
    Restart,
    /// Gives it that name.
    Rename(String),
    /// Removes it.
    Delete,
}

/// The content of a snapshot: where it is and what opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Whose.
    pub account: String,
    /// Of the snapshot with this identifier.
    pub id: String,
    /// Under which key; under none it lies open.
    pub key: Option<String>,
}

/// A snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotRecord {
    /// Stays its own: another snapshot that gets the name later has another one.
    pub id: String,
    /// As it is described.
    pub snapshot: Snapshot,
    /// Accounts that may restore or copy it.
    pub shared_with: Vec<String>,
    /// What it is being copied from.
    pub copy_of: Option<Content>,
    /// Why it failed.
    pub failure: Option<String>,
}

impl SnapshotRecord {
    /// Where its content is.
    pub fn content(&self) -> Content {
        let Snapshot { owner, key, .. } = &self.snapshot;
        Content { account: owner.clone(), id: self.id.clone(), key: key.clone() }
    }
}

impl Place {
    /// The directory of a database.
    pub fn database(&self, name: &str) -> PathBuf {
        self.databases().join(name)
    }

    /// The database of that name.
    pub fn read_database(&self, name: &str) -> Result<Option<DatabaseRecord>, SnapshotError> {
        let directory = self.database(name);
        let record: Option<DatabaseRecord> = place::read(&record_file(&directory))?;
        record
            .map(|mut record| {
                record.database.name = name.to_owned();
                record.database.endpoint = engine::endpoint(self, &record)?;
                Ok(record)
            })
            .transpose()
    }

    /// Every database. Whoever calls holds the account's lock: one that is just being renamed would be missed.
    pub fn read_databases(&self) -> Result<Vec<DatabaseRecord>, SnapshotError> {
        let names = place::names(&self.databases())?;
        names.iter().filter_map(|name| self.read_database(name).transpose()).collect()
    }

    /// The database with that identifier. Whoever calls holds the account's lock.
    pub fn find_database(&self, id: &str) -> Result<Option<DatabaseRecord>, SnapshotError> {
        let all = self.read_databases()?;
        Ok(all.into_iter().find(|record| record.database.resource_id == id))
    }

    /// Keeps what is known of a database, whose directory is there.
    pub fn write_database(&self, record: &DatabaseRecord) -> Result<(), SnapshotError> {
        place::write(&record_file(&self.database(&record.database.name)), record)
    }

    /// The snapshot of that name.
    pub fn read_snapshot(&self, name: &str) -> Result<Option<SnapshotRecord>, SnapshotError> {
        place::read(&self.snapshot_file(name))
    }

    /// Every snapshot.
    pub fn read_snapshots(&self) -> Result<Vec<SnapshotRecord>, SnapshotError> {
        let names = place::names(&self.snapshots())?;
        let names = names.iter().filter_map(|name| name.strip_suffix(".json"));
        names.filter_map(|name| self.read_snapshot(name).transpose()).collect()
    }

    /// The snapshot with that identifier.
    pub fn find_snapshot(&self, id: &str) -> Result<Option<SnapshotRecord>, SnapshotError> {
        Ok(self.read_snapshots()?.into_iter().find(|record| record.id == id))
    }

    /// Keeps what is known of a snapshot.
    pub fn write_snapshot(&self, record: &SnapshotRecord) -> Result<(), SnapshotError> {
        place::write(&self.snapshot_file(&record.snapshot.name), record)
    }

    /// Where the record of a snapshot is.
    pub fn snapshot_file(&self, name: &str) -> PathBuf {
        self.snapshots().join(format!("{name}.json"))
    }

    /// Where the content of the snapshot with that identifier is.
    pub fn content_file(&self, id: &str) -> PathBuf {
        self.snapshots().join(format!("{id}.content"))
    }

    /// Where it is while it is being written.
    pub fn unfinished_file(&self, id: &str) -> PathBuf {
        self.snapshots().join(format!("{id}.unfinished"))
    }
}

/// Where the record of the database in that directory is.
pub fn record_file(directory: &Path) -> PathBuf {
    directory.join("database.json")
}
