//! The port on one machine: accounts are folders below one root, and what AWS does by itself is done here, really.
//!
//! As with RDS: a database keeps its identifier when its name changes, and its endpoint goes with the name. What a verb begins
//! goes on in the background, through `creating`, `copying`, `backing-up`, `renaming`, … to `available`, `failed` or absence. A name
//! that exists, a database or a snapshot that is not available, a key that the account may not use, a limit that is reached, a
//! name that is none, a setting that is not known and the absence of tags are refused. A snapshot is encrypted under its database's
//! key, a copy under the one it is given, and a restored instance has its snapshot's. Another account's snapshot is copied before
//! it is restored. Sharing names accounts, anybody may share anything with anybody, and tags stay with the owner. A copy's data
//! keeps its moment, and free pages are part of it. A cluster needs a writer, and loses it before it is deleted.
//!
//! Not as with RDS: all accounts belong to one user of the machine, so what keeps them apart is this code and not the operating
//! system. The files of a running database are not encrypted, only snapshots are: `encrypted` says what its snapshots will be. The
//! platform takes no snapshots of its own, keeps no automatic backups unless it is told to, and stops nothing by itself. There is
//! one region, there are no settings, no tokens to log in with and no outlets. A database can be deleted while it is `creating`; in
//! any other passing state it cannot. What is said of a secret is where its file is: it holds the whole URL. What a killed process has
//! left undone goes on when the next one describes the account, and a snapshot's moment is then that of the second try. A power cut
//! may take the records, and PostgreSQL's data. On RDS the source's password lets one in until the restored database is taken over;
//! here nobody has the password of the master user until then, though other roles have theirs. A PostgreSQL server is stopped
//! while its snapshot is taken and while its password is changed, and started again by whoever describes the account where it was killed.
//! A restored server begins a new write-ahead log; on RDS it has the segments of its source, which wait to be used again.
//!
//! It refuses to show a half-written snapshot as `available`, and to open one of which a bit has changed.

mod conditions;
mod content;
mod databases;
mod engine;
mod keys;
mod place;
mod postgres;
mod record;
mod restore;
mod sealed;
mod snapshots;
mod sqlite;
mod work;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

pub use self::conditions::{Faults, Limits};
use self::place::Place;
pub use self::restore::NewDatabase;
use crate::error::SnapshotError;
use crate::port::{Database, Restore, Snapshot, Snapshots, Tags};
use crate::status::{Meaning, meaning};

/// The one region.
pub const REGION: &str = "local";
/// The word for everybody in a list of accounts.
const EVERYBODY: &str = "all";

/// One account.
#[derive(Clone, Debug)]
pub struct Local {
    place: Place,
    patience: Duration,
}

impl Local {
    /// An account below a root that several share; what is missing is made.
    pub fn open(root: &Path, account: &str) -> Result<Self, SnapshotError> {
        if !is_account(account) {
            return Err(SnapshotError::Malformed(format!(
                "`{account}` is no account: 1 to 63 lower-case letters, digits and hyphens"
            )));
        }
        let root = std::path::absolute(root).map_err(place::failed("find", root))?;
        let place = Place { root, account: account.to_owned(), postgres: None };
        place.prepare()?;
        Ok(Self { place, patience: Duration::ZERO })
    }

    /// Lets describing wait so long for work that goes on. For a state machine whose time is virtual: it would have asked a
    /// thousand times before anything could happen.
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Takes PostgreSQL's server programs from that directory, in place of the newest that are installed.
    pub fn with_postgres(mut self, directory: &Path) -> Self {
        self.place.postgres = Some(directory.to_owned());
        self
    }

    /// The account's folder.
    pub fn home(&self) -> PathBuf {
        self.place.home()
    }

    /// Makes a key, or gives the one of that alias these users; answers with its ARN.
    pub fn key(&self, alias: &str, users: &[String]) -> Result<String, SnapshotError> {
        keys::create(&self.place, alias, users)
    }

    /// Disables a key of this account, or enables it again.
    pub fn enable_key(&self, arn: &str, enabled: bool) -> Result<(), SnapshotError> {
        keys::enable(&self.place, arn, enabled)
    }

    /// Makes a database of a copy of a SQLite file.
    pub fn import_sqlite(
        &self,
        new: &NewDatabase<'_>,
        file: &Path,
    ) -> Result<Database, SnapshotError> {
        restore::import_sqlite(&self.place, new, file)
    }

    /// Begins to make an empty PostgreSQL server, which is stopped and removed when it is deleted.
    pub fn create_postgres(&self, new: &NewDatabase<'_>) -> Result<Database, SnapshotError> {
        restore::create_postgres(&self.place, new)
    }

    /// Sets what the account may have.
    pub fn set_limits(&self, limits: &Limits) -> Result<(), SnapshotError> {
        let _lock = self.place.lock()?;
        limits.set(&self.place)
    }

    /// Sets what goes wrong in the account.
    pub fn set_faults(&self, faults: &Faults) -> Result<(), SnapshotError> {
        let _lock = self.place.lock()?;
        faults.set(&self.place)
    }

    /// Makes a database `storage-full`, `failed` or whatever else it is to say of itself.
    pub fn set_status(&self, resource_id: &str, status: &str) -> Result<(), SnapshotError> {
        databases::set_status(&self.place, resource_id, status)
    }

    /// Begins to stop a database.
    pub fn stop(&self, resource_id: &str) -> Result<(), SnapshotError> {
        databases::stop(&self.place, resource_id)
    }

    /// Shares a snapshot whatever it is: anybody may, who uses the platform without this program.
    pub fn expose(&self, arn: &str, accounts: &[String]) -> Result<(), SnapshotError> {
        snapshots::expose(&self.place, arn, accounts)
    }

    /// Goes on with everything that has been begun, and waits for its end as long as describing does.
    pub fn settle(&self) -> Result<(), SnapshotError> {
        work::advance(&self.place, self.patience)
    }
}

impl Snapshots for Local {
    fn account(&self) -> &str {
        &self.place.account
    }

    async fn database(&self, name: &str) -> Result<Option<Database>, SnapshotError> {
        Ok(self.databases().await?.into_iter().find(|database| database.name == name))
    }

    async fn by_resource_id(&self, resource_id: &str) -> Result<Option<Database>, SnapshotError> {
        let all = self.databases().await?;
        Ok(all.into_iter().find(|database| database.resource_id == resource_id))
    }

    async fn databases(&self) -> Result<Vec<Database>, SnapshotError> {
        self.settle()?;
        let _lock = self.place.lock()?;
        let all = self.place.read_databases()?;
        Ok(all.into_iter().map(|record| record.database).collect())
    }

    async fn snapshot(&self, arn: &str) -> Result<Option<Snapshot>, SnapshotError> {
        let all = self.snapshots().await?;
        Ok(all.into_iter().find(|snapshot| snapshot.arn == arn))
    }

    async fn snapshots(&self) -> Result<Vec<Snapshot>, SnapshotError> {
        self.settle()?;
        let all = self.place.read_snapshots()?;
        Ok(all.into_iter().map(|record| record.snapshot).collect())
    }

    async fn shared(&self) -> Result<Vec<Snapshot>, SnapshotError> {
        snapshots::shared(&self.place)
    }

    async fn take(
        &self,
        resource_id: &str,
        name: &str,
        tags: &Tags,
    ) -> Result<Snapshot, SnapshotError> {
        snapshots::take(&self.place, resource_id, name, tags)
    }

    async fn copy(
        &self,
        arn: &str,
        name: &str,
        key: &str,
        tags: &Tags,
    ) -> Result<Snapshot, SnapshotError> {
        snapshots::copy(&self.place, arn, name, key, tags)
    }

    async fn share(&self, arn: &str, accounts: &[String]) -> Result<(), SnapshotError> {
        snapshots::share(&self.place, arn, accounts)
    }

    async fn shared_with(&self, arn: &str) -> Result<Vec<String>, SnapshotError> {
        snapshots::shared_with(&self.place, arn)
    }

    async fn tag(&self, arn: &str, tags: &Tags) -> Result<(), SnapshotError> {
        snapshots::tag(&self.place, arn, tags)
    }

    async fn delete_snapshot(&self, arn: &str) -> Result<(), SnapshotError> {
        snapshots::delete(&self.place, arn)
    }

    async fn restore(&self, arn: &str, restore: &Restore) -> Result<Database, SnapshotError> {
        restore::restore(&self.place, arn, restore)
    }

    async fn add_writer(&self, resource_id: &str, _: &Restore) -> Result<(), SnapshotError> {
        databases::add_writer(&self.place, resource_id)
    }

    async fn take_over(&self, resource_id: &str, restore: &Restore) -> Result<(), SnapshotError> {
        databases::take_over(&self.place, resource_id, restore)
    }

    async fn start(&self, resource_id: &str) -> Result<(), SnapshotError> {
        databases::start(&self.place, resource_id)
    }

    async fn restart(&self, resource_id: &str) -> Result<(), SnapshotError> {
        databases::restart(&self.place, resource_id)
    }

    async fn rename(&self, resource_id: &str, name: &str) -> Result<(), SnapshotError> {
        databases::rename(&self.place, resource_id, name)
    }

    async fn protect(&self, resource_id: &str, on: bool) -> Result<(), SnapshotError> {
        databases::protect(&self.place, resource_id, on)
    }

    async fn delete_database(&self, resource_id: &str) -> Result<(), SnapshotError> {
        databases::delete(&self.place, resource_id)
    }

    async fn automatic_backups(&self, resource_id: &str) -> Result<Vec<String>, SnapshotError> {
        databases::backups(&self.place, resource_id)
    }

    async fn delete_automatic_backups(&self, resource_id: &str) -> Result<(), SnapshotError> {
        databases::delete_backups(&self.place, resource_id)
    }
}

/// An account's name can be a folder's.
fn is_account(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(plain) && text != EVERYBODY
}

fn now() -> String {
    Timestamp::now().to_string()
}

fn ready(what: &str, status: &str) -> Result<(), SnapshotError> {
    match meaning(status) {
        Meaning::Ready => Ok(()),
        _ => Err(SnapshotError::InvalidState(format!("{what} is {status}, not available"))),
    }
}

/// RDS would give what has no tags those of its source.
fn tagged(name: &str, tags: &Tags) -> Result<(), SnapshotError> {
    match tags.is_empty() {
        true => Err(SnapshotError::Malformed(format!("{name} is given no tags"))),
        false => Ok(()),
    }
}

fn quota(what: String) -> SnapshotError {
    SnapshotError::Quota(format!("{what}, and there may be no more"))
}

fn identifier(prefix: &str) -> Result<String, SnapshotError> {
    let random = sealed::random::<10>();
    let random = random.map_err(|error| SnapshotError::Other(error.to_string()))?;
    Ok(format!("{prefix}-{}", hex::encode_upper(random)))
}
