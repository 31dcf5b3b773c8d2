//! Changing and deleting databases: each verb looks and writes under the account's lock, refuses what RDS refuses, and
//! returns.

use super::conditions::Faults;
use super::place::{self, Place};
use super::record::{DatabaseRecord, Task};
use super::{engine, keys, ready, restore, work};
use crate::error::SnapshotError;
use crate::name;
use crate::port::{Database, Kind, Member, Restore};
use crate::status::{Meaning, meaning};

/// Begins to make a password of one's own.
pub fn take_over(place: &Place, id: &str, restore: &Restore) -> Result<(), SnapshotError> {
    keys::secret(place, restore::login_key(restore)?)?;
    change(place, id, |record| {
        let database = &record.database;
        if database.secret.is_some() || record.task == Some(Task::TakeOver) {
            return Ok(None);
        }
        ready(&format!("database {}", database.name), &database.status)?;
        if database.kind == Kind::Cluster && database.members.is_empty() {
            return Err(invalid(database, "has no writer yet"));
        }
        Ok(Some(("resetting-master-credentials", Task::TakeOver)))
    })
}

/// Begins to start a stopped database.
pub fn start(place: &Place, id: &str) -> Result<(), SnapshotError> {
    change(place, id, |record| match meaning(&record.database.status) {
        Meaning::Ready => Ok(None),
        Meaning::Stopped => Ok(Some(("starting", Task::Start))),
        _ if record.task == Some(Task::Start) => Ok(None),
        _ => Err(invalid(&record.database, &format!("is {}", record.database.status))),
    })
}

/// Begins to stop a database.
pub fn stop(place: &Place, id: &str) -> Result<(), SnapshotError> {
    change(place, id, |record| {
        ready(&format!("database {}", record.database.name), &record.database.status)?;
        Ok(Some(("stopping", Task::Stop)))
    })
}

/// Begins to restart a database.
pub fn restart(place: &Place, id: &str) -> Result<(), SnapshotError> {
    change(place, id, |record| {
        ready(&format!("database {}", record.database.name), &record.database.status)?;
        Ok(Some(("rebooting", Task::Restart)))
    })
}

/// Begins to rename a database.
pub fn rename(place: &Place, id: &str, to: &str) -> Result<(), SnapshotError> {
    name::check(to).map_err(|bad| SnapshotError::Malformed(bad.to_string()))?;
    change(place, id, |record| {
        let database = &record.database;
        let task = Task::Rename(to.to_owned());
        if (database.name == to && record.task.is_none()) || record.task.as_ref() == Some(&task) {
            return Ok(None);
        }
        ready(&format!("database {}", database.name), &database.status)?;
        free(&place.read_databases()?, to)?;
        if Faults::strikes(place, to, |faults| &mut faults.refused_renames)? {
            return Err(invalid(database, "cannot be renamed now"));
        }
        Ok(Some(("renaming", task)))
    })
}

/// Begins to delete a database; a second time it does nothing.
pub fn delete(place: &Place, id: &str) -> Result<(), SnapshotError> {
    let mut members = false;
    change(place, id, |record| {
        let database = &mut record.database;
        let status = meaning(&database.status);
        if status == Meaning::Going {
            return Ok(None);
        }
        if database.protected {
            return Err(SnapshotError::Denied(format!(
                "database {} is protected from deletion\n(hint: take the protection off first)",
                database.name
            )));
        }
        // One that is being made can be given up; any other work comes to its end soon.
        if status == Meaning::Wait && database.status != "creating" {
            return Err(invalid(database, &format!("is {}", database.status)));
        }
        members = !database.members.is_empty();
        if members {
            database.members.clear();
            place.write_database(record)?;
            return Ok(None);
        }
        Ok(Some(("deleting", Task::Delete)))
    })?;
    match members {
        true => Err(SnapshotError::InvalidState(format!(
            "the members of {id} are being deleted\n(hint: ask again)"
        ))),
        false => Ok(()),
    }
}

/// Begins something with a database where there is something to do: the status it has meanwhile, and the task.
fn change(
    place: &Place,
    id: &str,
    decide: impl FnOnce(&mut DatabaseRecord) -> Result<Option<(&'static str, Task)>, SnapshotError>,
) -> Result<(), SnapshotError> {
    let lock = place.lock()?;
    let mut record = find(place, id)?;
    let Some((status, task)) = decide(&mut record)? else { return Ok(()) };
    record.database.status = status.into();
    record.task = Some(task);
    place.write_database(&record)?;
    drop(lock);
    work::begin(place, id)
}

/// Gives a restored cluster its writer.
pub fn add_writer(place: &Place, id: &str) -> Result<(), SnapshotError> {
    let _lock = place.lock()?;
    let mut record = find(place, id)?;
    if record.database.kind == Kind::Instance || !record.database.members.is_empty() {
        return Ok(());
    }
    ready(&format!("database {}", record.database.name), &record.database.status)?;
    add_member(&mut record.database);
    place.write_database(&record)
}

/// The writer of a cluster; it is called after it. Nothing for anything else.
pub fn add_member(database: &mut Database) {
    database.members = match database.kind {
        Kind::Instance => Vec::new(),
        Kind::Cluster => {
            let name = format!("{}-w", database.name);
            vec![Member { name, status: "available".into(), writer: true }]
        }
    };
}

/// Keeps a database from being deleted, or no longer.
pub fn protect(place: &Place, id: &str, on: bool) -> Result<(), SnapshotError> {
    let _lock = place.lock()?;
    let mut record = find(place, id)?;
    record.database.protected = on;
    place.write_database(&record)
}

/// Makes a database say that of itself.
pub fn set_status(place: &Place, id: &str, status: &str) -> Result<(), SnapshotError> {
    let _lock = place.lock()?;
    let mut record = find(place, id)?;
    record.database.status = status.to_owned();
    place.write_database(&record)
}

/// What is left of a database that is gone.
pub fn backups(place: &Place, id: &str) -> Result<Vec<String>, SnapshotError> {
    let all = place::names(&place.backups())?;
    Ok(all.into_iter().filter(|name| name == id).collect())
}

/// Deletes what is left of a database that is gone.
pub fn delete_backups(place: &Place, id: &str) -> Result<(), SnapshotError> {
    backups(place, id)?.iter().try_for_each(|name| place::remove_all(&place.backups().join(name)))
}

/// Removes all that is known of a database.
pub fn forget(place: &Place, database: &Database) -> Result<(), SnapshotError> {
    place::remove(&engine::secret_file(place, database))?;
    place::remove(&place.work().join(&database.resource_id))?;
    place::remove_all(&place.database(&database.name))
}

/// The database with that identifier.
pub fn find(place: &Place, id: &str) -> Result<DatabaseRecord, SnapshotError> {
    let record = place.find_database(id)?;
    record.ok_or_else(|| SnapshotError::NotFound(format!("database {id}")))
}

/// Refuses a name that a database has or is about to get.
pub fn free(all: &[DatabaseRecord], name: &str) -> Result<(), SnapshotError> {
    let coming = Some(Task::Rename(name.to_owned()));
    if all.iter().any(|record| record.database.name == name || record.task == coming) {
        return Err(SnapshotError::Exists(format!("database {name}")));
    }
    Ok(())
}

fn invalid(database: &Database, what: &str) -> SnapshotError {
    SnapshotError::InvalidState(format!("database {} {what}", database.name))
}
