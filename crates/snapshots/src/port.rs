//! The port: what a step can do with databases and snapshots of one account in one region.

use std::collections::BTreeMap;
use std::future::Future;

use serde::{Deserialize, Serialize};

use crate::error::SnapshotError;
use crate::status::{Meaning, meaning};

/// An instance or a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A database instance.
    Instance,
    /// An Aurora cluster with its members.
    Cluster,
}

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// A database as it is described.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Stays the same when the name changes: what waiting goes by.
    pub resource_id: String,
    /// Its name now.
    pub name: String,
    /// Instance or cluster.
    pub kind: Kind,
    /// Its own word.
    pub status: String,
    /// `postgres`, `aurora-postgresql`, `sqlite`, …
    pub engine: String,
    /// Version of the engine.
    pub engine_version: String,
    /// Host and port, or a path; empty until there is one.
    pub endpoint: String,
    /// Its storage is encrypted.
    pub encrypted: bool,
    /// Under which key.
    pub key: Option<String>,
    /// It can be reached from outside its network.
    pub public: bool,
    /// Days of automatic backups.
    pub backup_days: u32,
    /// Changes are waiting to be made.
    pub pending: bool,
    /// Its tags.
    pub tags: Tags,
}

impl Database {
    /// What its status means. Pending changes are something to wait for.
    pub fn meaning(&self) -> Meaning {
        match meaning(&self.status) {
            Meaning::Ready if self.pending => Meaning::Wait,
            other => other,
        }
    }
}

/// A snapshot as it is described.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Full name: what a statement is bound to, and how another account calls it.
    pub arn: String,
    /// Its name in its own account.
    pub name: String,
    /// Of an instance or of a cluster.
    pub kind: Kind,
    /// Its own word.
    pub status: String,
    /// The account that owns it.
    pub owner: String,
    /// The database it was taken of, by the identifier that names do not change.
    pub source_id: String,
    /// `postgres`, …
    pub engine: String,
    /// Version of the engine.
    pub engine_version: String,
    /// Encrypted.
    pub encrypted: bool,
    /// Under which key.
    pub key: Option<String>,
    /// When it was made, RFC 3339; a copy's is that of the copy.
    pub created_at: String,
    /// When the data was as it is in it, RFC 3339; survives copying.
    pub data_as_of: String,
    /// Made by the platform: it cannot be shared and goes by itself.
    pub automatic: bool,
    /// Its tags; empty for one that another account has shared.
    pub tags: Tags,
}

/// How a database is restored. Nothing is taken over from the database the snapshot was taken of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// Its name.
    pub name: String,
    /// Its tags: always given, for RDS copies the source's where there are none.
    pub tags: Tags,
    /// What else the adapter needs to be told: instance class, subnet group, security groups, parameter group.
    pub settings: BTreeMap<String, String>,
}

/// Databases and snapshots of one account in one region. Every verb begins something and returns; none waits for its end.
pub trait Snapshots: Send + Sync {
    /// The account.
    fn account(&self) -> &str;
    /// The database of that name.
    fn database(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Option<Database>, SnapshotError>> + Send;
    /// The database with that identifier, whatever its name is now.
    fn by_resource_id(
        &self,
        resource_id: &str,
    ) -> impl Future<Output = Result<Option<Database>, SnapshotError>> + Send;
    /// Every database, all pages.
    fn databases(&self) -> impl Future<Output = Result<Vec<Database>, SnapshotError>> + Send;
    /// Every snapshot of this account's own, all pages.
    fn snapshots(&self) -> impl Future<Output = Result<Vec<Snapshot>, SnapshotError>> + Send;
    /// Every snapshot that other accounts share with this one, all pages. Anybody can share anything: trust none of it.
    fn shared(&self) -> impl Future<Output = Result<Vec<Snapshot>, SnapshotError>> + Send;
    /// Begins to take a snapshot of a database.
    fn take(
        &self,
        resource_id: &str,
        name: &str,
        tags: &Tags,
    ) -> impl Future<Output = Result<Snapshot, SnapshotError>> + Send;
    /// Begins to copy a snapshot under a key of one's own.
    fn copy(
        &self,
        arn: &str,
        name: &str,
        key: &str,
        tags: &Tags,
    ) -> impl Future<Output = Result<Snapshot, SnapshotError>> + Send;
    /// Lets exactly these accounts restore a snapshot; none takes it back.
    fn share(
        &self,
        name: &str,
        accounts: &[String],
    ) -> impl Future<Output = Result<(), SnapshotError>> + Send;
    /// The accounts that may restore a snapshot, as the platform says.
    fn shared_with(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Vec<String>, SnapshotError>> + Send;
    /// Begins to restore a database from a snapshot, into isolation.
    fn restore(
        &self,
        snapshot: &str,
        restore: &Restore,
    ) -> impl Future<Output = Result<Database, SnapshotError>> + Send;
    /// Begins to rename a database.
    fn rename(
        &self,
        resource_id: &str,
        name: &str,
    ) -> impl Future<Output = Result<(), SnapshotError>> + Send;
    /// Begins to delete a database, with its automatic backups and without a last snapshot.
    fn delete_database(
        &self,
        resource_id: &str,
    ) -> impl Future<Output = Result<(), SnapshotError>> + Send;
    /// Deletes a snapshot; cancels it where it is not complete.
    fn delete_snapshot(&self, name: &str)
    -> impl Future<Output = Result<(), SnapshotError>> + Send;
}
