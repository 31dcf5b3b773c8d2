//! Taking, copying, sharing and deleting snapshots: each verb looks and writes under the account's lock, refuses what RDS
//! refuses, and returns.

use super::conditions::Limits;
use super::place::{self, Place};
use super::record::{SnapshotRecord, Task};
use super::{EVERYBODY, content, databases, identifier, is_account, keys, now, quota, ready, work};
use crate::error::SnapshotError;
use crate::name;
use crate::port::{Database, Kind, Snapshot, Tags};

/// Begins to take a snapshot.
pub fn take(place: &Place, id: &str, name: &str, tags: &Tags) -> Result<Snapshot, SnapshotError> {
    let lock = place.lock()?;
    let mut database = databases::find(place, id)?;
    check_new(place, name, tags)?;
    ready(&format!("database {}", database.database.name), &database.database.status)?;
    let Database { kind, key, engine, engine_version, resource_id, .. } = database.database.clone();
    if let Some(key) = &key {
        keys::secret(place, key)?;
    }
    let snapshot = Snapshot {
        arn: arn(place, kind, name),
        name: name.to_owned(),
        kind,
        status: "creating".into(),
        owner: place.account.clone(),
        source_id: resource_id,
        engine,
        engine_version,
        encrypted: key.is_some(),
        key,
        created_at: now(),
        data_as_of: now(),
        automatic: false,
        tags: tags.clone(),
    };
    let record = new_record(snapshot)?;
    // In this order: a task without its snapshot comes to its end, a snapshot without its task never would.
    database.database.status = "backing-up".into();
    database.task = Some(Task::Take(record.id.clone()));
    place.write_database(&database)?;
    place.write_snapshot(&record)?;
    drop(lock);
    work::begin(place, id)?;
    Ok(record.snapshot)
}

/// Begins to copy a snapshot under a key that this account may use.
pub fn copy(
    place: &Place,
    from: &str,
    name: &str,
    key: &str,
    tags: &Tags,
) -> Result<Snapshot, SnapshotError> {
    let lock = place.lock()?;
    let source = readable(place, from)?;
    check_new(place, name, tags)?;
    ready(&format!("snapshot {from}"), &source.snapshot.status)?;
    keys::secret(place, key)?;
    match &source.snapshot.key {
        Some(key) => drop(keys::secret(place, key)?),
        None if source.snapshot.kind == Kind::Cluster => {
            return Err(SnapshotError::Malformed(format!(
                "{from} is not encrypted, and copying encrypts no cluster's snapshot"
            )));
        }
        None => {}
    }
    let snapshot = Snapshot {
        arn: arn(place, source.snapshot.kind, name),
        name: name.to_owned(),
        status: "copying".into(),
        owner: place.account.clone(),
        encrypted: true,
        key: Some(key.to_owned()),
        created_at: now(),
        tags: tags.clone(),
        ..source.snapshot.clone()
    };
    let record = SnapshotRecord { copy_of: Some(source.content()), ..new_record(snapshot)? };
    place.write_snapshot(&record)?;
    drop(lock);
    work::begin(place, &record.id)?;
    Ok(record.snapshot)
}

/// Lets exactly these accounts read a snapshot.
pub fn share(place: &Place, arn: &str, accounts: &[String]) -> Result<(), SnapshotError> {
    let _lock = place.lock()?;
    let record = own(place, arn)?;
    ready(&format!("snapshot {arn}"), &record.snapshot.status)?;
    let known = |account: &&String| is_account(account) && **account != place.account;
    if let Some(other) = accounts.iter().find(|account| !known(account)) {
        return Err(SnapshotError::Malformed(format!("`{other}` is no other account")));
    }
    if !record.snapshot.encrypted && !accounts.is_empty() {
        return Err(SnapshotError::Denied(format!(
            "{arn} is not encrypted and is not shared\n(hint: copy it under a key)"
        )));
    }
    write_readers(place, record, accounts)
}

/// The same without looking what for: what a stranger may do who uses the platform without this program.
pub fn expose(place: &Place, arn: &str, accounts: &[String]) -> Result<(), SnapshotError> {
    let _lock = place.lock()?;
    let record = own(place, arn)?;
    write_readers(place, record, accounts)
}

fn write_readers(
    place: &Place,
    mut record: SnapshotRecord,
    accounts: &[String],
) -> Result<(), SnapshotError> {
    let mut accounts = accounts.to_vec();
    accounts.sort();
    accounts.dedup();
    let limit = Limits::of(place)?.shared_accounts;
    if accounts.len() > limit {
        return Err(quota(format!("a snapshot is shared with {limit} accounts")));
    }
    record.shared_with = accounts;
    place.write_snapshot(&record)
}

/// The accounts that may read a snapshot.
pub fn shared_with(place: &Place, arn: &str) -> Result<Vec<String>, SnapshotError> {
    Ok(own(place, arn)?.shared_with)
}

/// Every snapshot that other accounts let this one read.
pub fn shared(place: &Place) -> Result<Vec<Snapshot>, SnapshotError> {
    let mut shared = Vec::new();
    for account in others(place)? {
        let theirs = place.of(&account).read_snapshots()?.into_iter();
        let theirs = theirs.filter(|record| record.shared_with.contains(&place.account));
        // Tags are the owner's.
        shared.extend(theirs.map(|record| Snapshot { tags: Tags::new(), ..record.snapshot }));
    }
    Ok(shared)
}

/// Puts tags on a snapshot.
pub fn tag(place: &Place, arn: &str, tags: &Tags) -> Result<(), SnapshotError> {
    let _lock = place.lock()?;
    super::tagged(arn, tags)?;
    let mut record = own(place, arn)?;
    record.snapshot.tags.extend(tags.clone());
    place.write_snapshot(&record)
}

/// Deletes a snapshot, complete or not.
pub fn delete(place: &Place, arn: &str) -> Result<(), SnapshotError> {
    let _lock = place.lock()?;
    let record = own(place, arn)?;
    // The record goes last: a process that dies on the way leaves something that is still known.
    content::remove(place, &record.id)?;
    place::remove(&place.work().join(&record.id))?;
    place::remove(&place.snapshot_file(&record.snapshot.name))
}

/// A snapshot of this account.
pub fn own(place: &Place, arn: &str) -> Result<SnapshotRecord, SnapshotError> {
    let mut all = place.read_snapshots()?.into_iter();
    let found = all.find(|record| record.snapshot.arn == arn);
    found.ok_or_else(|| SnapshotError::NotFound(format!("snapshot {arn}")))
}

/// A snapshot of this account, or one that another shares with it. Of the rest nobody learns whether they exist.
fn readable(place: &Place, arn: &str) -> Result<SnapshotRecord, SnapshotError> {
    let absent = match own(place, arn) {
        Err(absent @ SnapshotError::NotFound(_)) => absent,
        found => return found,
    };
    let may = |readers: &[String]| {
        readers.iter().any(|reader| *reader == place.account || reader == EVERYBODY)
    };
    for account in others(place)? {
        let mut theirs = place.of(&account).read_snapshots()?.into_iter();
        let is_it = |record: &SnapshotRecord| record.snapshot.arn == arn;
        if let Some(found) = theirs.find(|record| is_it(record) && may(&record.shared_with)) {
            return Ok(found);
        }
    }
    Err(absent)
}

fn others(place: &Place) -> Result<Vec<String>, SnapshotError> {
    let mut all = place.accounts()?;
    all.retain(|account| *account != place.account);
    Ok(all)
}

/// Refuses what no snapshot can be called here, and one more than there may be.
fn check_new(place: &Place, name: &str, tags: &Tags) -> Result<(), SnapshotError> {
    name::check(name).map_err(|bad| SnapshotError::Malformed(bad.to_string()))?;
    super::tagged(name, tags)?;
    let all = place.read_snapshots()?;
    if all.iter().any(|record| record.snapshot.name == name) {
        return Err(SnapshotError::Exists(format!("snapshot {name}")));
    }
    let limit = Limits::of(place)?.snapshots;
    if all.len() >= limit {
        return Err(quota(format!("account {} has {limit} snapshots", place.account)));
    }
    Ok(())
}

fn new_record(snapshot: Snapshot) -> Result<SnapshotRecord, SnapshotError> {
    Ok(SnapshotRecord {
        id: identifier("snapshot")?,
        snapshot,
        shared_with: Vec::new(),
        copy_of: None,
        failure: None,
    })
}

fn arn(place: &Place, kind: Kind, name: &str) -> String {
    let sort = match kind {
        Kind::Instance => "snapshot",
        Kind::Cluster => "cluster-snapshot",
    };
    format!("arn:aws:rds:{}:{}:{sort}:{name}", super::REGION, place.account)
}
