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

/// What an adapter is told, or tells, about a database beside what every adapter knows: `class`, `subnet_group`, … Lists are
/// sorted and joined by commas. Which keys there are says the adapter; it refuses those it does not know.
pub type Settings = BTreeMap<String, String>;

/// One instance of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name now.
    pub name: String,
    /// Its own word.
    pub status: String,
    /// It takes the writes.
    pub writer: bool,
}

/// The secret in which the platform keeps the master user's password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Where it is. It goes with its database.
    pub arn: String,
    /// The password in it is the one that is valid.
    pub active: bool,
}

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
    /// Changes are waiting to be made, whatever the status says: a new name, a password, a setting.
    pub pending: bool,
    /// Some of its settings hold only after a restart.
    pub restart_needed: bool,
    /// It cannot be deleted until this is taken off.
    pub protected: bool,
    /// Who has the master user's password; none: whoever knew it when the snapshot was taken.
    pub secret: Option<Secret>,
    /// Users can log in with a token of the platform's.
    pub iam_login: bool,
    /// The instances of a cluster; none for anything else.
    pub members: Vec<Member>,
    /// Its settings, under the keys that a [`Restore`] has: another database can be restored with them.
    pub settings: Settings,
    /// Ways in which data can leave it beside a connection from within its network, each a fragment of a sentence.
    pub outlets: Vec<String>,
    /// Its tags.
    pub tags: Tags,
}

impl Database {
    /// What its status means, and that of its members. Pending changes are something to wait for.
    pub fn meaning(&self) -> Meaning {
        let members = self.members.iter().map(|member| meaning(&member.status));
        let own = meaning(&self.status);
        match members.fold(own, worse) {
            Meaning::Ready if self.pending => Meaning::Wait,
            other => other,
        }
    }
}

/// The one of two meanings that is further from being ready.
fn worse(one: Meaning, other: Meaning) -> Meaning {
    let order = [
        Meaning::Ready,
        Meaning::Wait,
        Meaning::Unknown,
        Meaning::Stopped,
        Meaning::Going,
        Meaning::Broken,
    ];
    let place = |meaning| order.iter().position(|known| *known == meaning);
    if place(one) >= place(other) { one } else { other }
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

/// How one logs in to a restored database as the master user. Until this is done, the password of the database that the
/// snapshot was taken of is valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Login {
    /// With a password that the platform makes, keeps under this key and never shows.
    Managed {
        /// The key.
        key: String,
    },
    /// With a token of the platform's; there is no password. A description does not tell whether this is done.
    Iam,
}

/// A database as it shall be. Nothing is taken over from the database that the snapshot was taken of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// Its name.
    pub name: String,
    /// The key its storage is encrypted under. Where the snapshot's own key cannot be changed, another one is refused.
    pub key: String,
    /// How one logs in.
    pub login: Login,
    /// Days of automatic backups; a cluster keeps those of one day at least.
    pub backup_days: u32,
    /// Its tags: never none, for RDS copies the source's then.
    pub tags: Tags,
    /// What else the adapter needs to be told.
    pub settings: Settings,
}

/// Databases and snapshots of one account in one region. Every verb begins something and returns; none waits for its end.
/// Databases go by their resource identifier, snapshots by their ARN.
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
    /// A snapshot of this account's own.
    fn snapshot(
        &self,
        arn: &str,
    ) -> impl Future<Output = Result<Option<Snapshot>, SnapshotError>> + Send;
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
    /// Begins to copy a snapshot, also one that is shared with this account, under a key of one's own.
    fn copy(
        &self,
        arn: &str,
        name: &str,
        key: &str,
        tags: &Tags,
    ) -> impl Future<Output = Result<Snapshot, SnapshotError>> + Send;
    /// Lets exactly these accounts restore a snapshot; none takes it back. One that is not encrypted is refused.
    fn share(
        &self,
        arn: &str,
        accounts: &[String],
    ) -> impl Future<Output = Result<(), SnapshotError>> + Send;
    /// The accounts that may restore a snapshot, as the platform says; `all` is everybody.
    fn shared_with(
        &self,
        arn: &str,
    ) -> impl Future<Output = Result<Vec<String>, SnapshotError>> + Send;
    /// Puts tags on a snapshot of this account's own, each in place of one of its key.
    fn tag(&self, arn: &str, tags: &Tags)
    -> impl Future<Output = Result<(), SnapshotError>> + Send;
    /// Deletes a snapshot; cancels it where it is not complete.
    fn delete_snapshot(&self, arn: &str) -> impl Future<Output = Result<(), SnapshotError>> + Send;

    /// Begins to restore a database from a snapshot of this account's own, into isolation.
    fn restore(
        &self,
        arn: &str,
        restore: &Restore,
    ) -> impl Future<Output = Result<Database, SnapshotError>> + Send;
    /// Begins to give a restored cluster its writer, once the cluster is ready; success where there is one, and for anything
    /// that needs none.
    fn add_writer(
        &self,
        resource_id: &str,
        restore: &Restore,
    ) -> impl Future<Output = Result<(), SnapshotError>> + Send;
    /// Begins to replace the master user's password and to switch off what a snapshot may have brought along. Done twice, it
    /// changes nothing.
    fn take_over(
        &self,
        resource_id: &str,
        restore: &Restore,
    ) -> impl Future<Output = Result<(), SnapshotError>> + Send;
    /// Begins to start a stopped database.
    fn start(&self, resource_id: &str) -> impl Future<Output = Result<(), SnapshotError>> + Send;
    /// Begins to restart a database, for the settings that hold only then.
    fn restart(&self, resource_id: &str) -> impl Future<Output = Result<(), SnapshotError>> + Send;
    /// Begins to rename a database, and the members of a cluster that are named after it. Success where it has the name.
    fn rename(
        &self,
        resource_id: &str,
        name: &str,
    ) -> impl Future<Output = Result<(), SnapshotError>> + Send;
    /// Keeps a database from being deleted, or no longer.
    fn protect(
        &self,
        resource_id: &str,
        on: bool,
    ) -> impl Future<Output = Result<(), SnapshotError>> + Send;
    /// Begins to delete a database, with its automatic backups and without a last snapshot. A cluster's members go first: it
    /// answers that the state is wrong until they are gone, and is asked again. A protected one is refused.
    fn delete_database(
        &self,
        resource_id: &str,
    ) -> impl Future<Output = Result<(), SnapshotError>> + Send;
    /// What is left of the automatic backups of a database that may be gone, by name.
    fn automatic_backups(
        &self,
        resource_id: &str,
    ) -> impl Future<Output = Result<Vec<String>, SnapshotError>> + Send;
    /// Begins to delete what is left of the automatic backups of a database that is gone.
    fn delete_automatic_backups(
        &self,
        resource_id: &str,
    ) -> impl Future<Output = Result<(), SnapshotError>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(status: &str, members: &[&str], pending: bool) -> Database {
        Database {
            resource_id: "cluster-A".into(),
            name: "shop".into(),
            kind: Kind::Cluster,
            status: status.into(),
            engine: "aurora-postgresql".into(),
            engine_version: "16.4".into(),
            endpoint: String::new(),
            encrypted: true,
            key: None,
            public: false,
            backup_days: 1,
            pending,
            restart_needed: false,
            protected: false,
            secret: None,
            iam_login: false,
            members: members
                .iter()
                .map(|status| Member {
                    name: "shop-w".into(),
                    status: (*status).into(),
                    writer: true,
                })
                .collect(),
            settings: Settings::new(),
            outlets: Vec::new(),
            tags: Tags::new(),
        }
    }

    #[test]
    fn a_cluster_is_as_ready_as_its_least_ready_member() {
        let meaning = |status, members: &[&str]| cluster(status, members, false).meaning();
        assert_eq!(meaning("available", &[]), Meaning::Ready);
        assert_eq!(meaning("available", &["available", "available"]), Meaning::Ready);
        assert_eq!(meaning("available", &["available", "creating"]), Meaning::Wait);
        assert_eq!(meaning("creating", &["available"]), Meaning::Wait);
        assert_eq!(meaning("available", &["storage-full", "creating"]), Meaning::Broken);
        assert_eq!(meaning("stopped", &["stopped"]), Meaning::Stopped);
        assert_eq!(meaning("available", &["deleting"]), Meaning::Going);
        assert_eq!(meaning("available", &["unheard-of"]), Meaning::Unknown);
    }

    #[test]
    fn what_is_pending_is_waited_for_and_does_not_hide_what_is_broken() {
        assert_eq!(cluster("available", &["available"], true).meaning(), Meaning::Wait);
        assert_eq!(cluster("failed", &["available"], true).meaning(), Meaning::Broken);
    }
}
