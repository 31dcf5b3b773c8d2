//! Making databases: from a file, or from a snapshot.

use std::path::Path;

use super::conditions::Limits;
use super::place::{self, Place};
use super::record::{DatabaseRecord, Task};
use super::{
    databases, engine, identifier, keys, postgres, quota, ready, snapshots, sqlite, tagged, work,
};
use crate::error::SnapshotError;
use crate::name;
use crate::port::{Database, Kind, Login, Restore, Settings, Snapshot, Tags};

/// What a new database is called and kept under.
#[derive(Clone, Debug)]
pub struct NewDatabase<'a> {
    /// Its name.
    pub name: &'a str,
    /// Instance or cluster.
    pub kind: Kind,
    /// The key its snapshots are encrypted under; under none they lie open.
    pub key: Option<&'a str>,
    /// Its tags.
    pub tags: Tags,
}

/// Makes a database of a copy of a SQLite file, and is done with it when it returns.
pub fn import_sqlite(
    place: &Place,
    new: &NewDatabase<'_>,
    from: &Path,
) -> Result<Database, SnapshotError> {
    let _lock = place.lock()?;
    let mut record = check_new(place, new, engine::SQLITE, sqlite::version())?;
    write_new(place, &record)?;
    let directory = place.database(new.name);
    databases::add_member(&mut record.database);
    let imported = sqlite::import(&directory, from).and_then(|()| {
        record.database.secret = Some(engine::new_secret(place, &record)?);
        record.database.status = "available".into();
        place.write_database(&record)
    });
    if let Err(error) = imported {
        databases::forget(place, &record.database)?;
        return Err(error);
    }
    let made = place.read_database(new.name)?;
    made.map(|record| record.database).ok_or_else(|| SnapshotError::NotFound(new.name.into()))
}

/// Begins to make an empty PostgreSQL server.
pub fn create_postgres(place: &Place, new: &NewDatabase<'_>) -> Result<Database, SnapshotError> {
    let version = postgres::version(place)?;
    let lock = place.lock()?;
    let mut record = check_new(place, new, engine::POSTGRES, version)?;
    databases::add_member(&mut record.database);
    record.task = Some(Task::Create);
    write_new(place, &record)?;
    drop(lock);
    work::begin(place, &record.database.resource_id)?;
    Ok(record.database)
}

/// Begins to restore a database.
pub fn restore(place: &Place, arn: &str, to: &Restore) -> Result<Database, SnapshotError> {
    let lock = place.lock()?;
    let source = snapshots::own(place, arn)?;
    let Snapshot { kind, engine, engine_version, key, status, .. } = &source.snapshot;
    tagged(&to.name, &to.tags)?;
    login_key(to)?;
    if let Some(setting) = to.settings.keys().next() {
        return Err(SnapshotError::Malformed(format!("setting `{setting}` is not known here")));
    }
    if *kind == Kind::Instance && key.as_ref() != Some(&to.key) {
        return Err(SnapshotError::Malformed(format!(
            "{arn} is not encrypted under {}, and an instance has its snapshot's key\n(hint: copy it under that key first)",
            to.key
        )));
    }
    ready(&format!("snapshot {arn}"), status)?;
    if let Some(key) = key {
        keys::secret(place, key)?;
    }
    let new =
        NewDatabase { name: &to.name, kind: *kind, key: Some(&to.key), tags: to.tags.clone() };
    let mut record = check_new(place, &new, engine, engine_version.clone())?;
    record.database.backup_days = match kind {
        Kind::Instance => to.backup_days,
        Kind::Cluster => to.backup_days.max(1),
    };
    record.task = Some(Task::Restore(source.content()));
    write_new(place, &record)?;
    drop(lock);
    work::begin(place, &record.database.resource_id)?;
    Ok(record.database)
}

/// The key of a password that is kept: there are no tokens here.
pub fn login_key(restore: &Restore) -> Result<&str, SnapshotError> {
    match &restore.login {
        Login::Managed { key } => Ok(key),
        Login::Iam => Err(SnapshotError::Malformed(
            "there are no tokens to log in with on one machine\n(hint: use a managed password)"
                .into(),
        )),
    }
}

/// Writes down a database that is being made.
fn write_new(place: &Place, record: &DatabaseRecord) -> Result<(), SnapshotError> {
    place::make(&place.database(&record.database.name), 0o711)?;
    place.write_database(record)
}

/// A database that can be made: its name is free, and there is room. Whoever calls holds the lock.
fn check_new(
    place: &Place,
    new: &NewDatabase<'_>,
    engine: &str,
    engine_version: String,
) -> Result<DatabaseRecord, SnapshotError> {
    name::check(new.name).map_err(|bad| SnapshotError::Malformed(bad.to_string()))?;
    let all = place.read_databases()?;
    databases::free(&all, new.name)?;
    let limit = Limits::of(place)?.databases;
    if all.len() >= limit {
        return Err(quota(format!("account {} has {limit} databases", place.account)));
    }
    if let Some(key) = new.key {
        keys::secret(place, key)?;
    }
    let prefix = match new.kind {
        Kind::Instance => "db",
        Kind::Cluster => "cluster",
    };
    let database = Database {
        resource_id: identifier(prefix)?,
        name: new.name.to_owned(),
        kind: new.kind,
        status: "creating".into(),
        engine: engine.to_owned(),
        engine_version,
        endpoint: String::new(),
        encrypted: new.key.is_some(),
        key: new.key.map(str::to_owned),
        public: false,
        backup_days: 0,
        pending: false,
        restart_needed: false,
        protected: false,
        secret: None,
        iam_login: false,
        members: Vec::new(),
        settings: Settings::new(),
        outlets: Vec::new(),
        tags: new.tags.clone(),
    };
    Ok(DatabaseRecord { database, task: None, failure: None })
}
