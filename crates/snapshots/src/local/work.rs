//! What a verb has begun, done in the background.
//!
//! Whoever works on a thing holds its lock, and a process that dies lets go of it. What a dead process has left undone is
//! done again from its beginning by whoever describes the account next. Nothing is called `available` before all of it is
//! there: a snapshot's content gets its name when it is whole, and only then does its record change.

use std::fs::File;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::conditions::Faults;
use super::place::{self, Place, failed};
use super::record::{Content, DatabaseRecord, SnapshotRecord, Task};
use super::{content, databases, engine};
use crate::error::SnapshotError;
use crate::port::Database;
use crate::status::{Meaning, meaning};

/// Between two looks at work that goes on.
const PAUSE: Duration = Duration::from_millis(3);

/// Goes on with everything that has been begun in this account, and waits so long for its end.
pub fn advance(place: &Place, patience: Duration) -> Result<(), SnapshotError> {
    let begun = Instant::now();
    loop {
        let undone = undone(place)?;
        for id in &undone {
            begin(place, id)?;
        }
        if undone.is_empty() || begun.elapsed() >= patience {
            return Ok(());
        }
        #[expect(clippy::disallowed_methods, reason = "waiting is what it was asked to do")]
        thread::sleep(PAUSE);
    }
}

/// Begins to work on the thing with that identifier, unless somebody does already.
pub fn begin(place: &Place, id: &str) -> Result<(), SnapshotError> {
    let Some(lock) = place.try_work(id)? else { return Ok(()) };
    let (place, id) = (place.clone(), id.to_owned());
    let name = format!("work on {id}");
    let spawned = thread::Builder::new().name(name).spawn(move || work(&place, &id, lock));
    spawned.map(drop).map_err(|error| SnapshotError::Passing(format!("no thread: {error}")))
}

/// The identifiers of everything that is not done and can be.
fn undone(place: &Place) -> Result<Vec<String>, SnapshotError> {
    let _lock = place.lock()?;
    content::sweep(place)?;
    pick_up(place)?;
    let faults = Faults::of(place)?;
    let databases = place.read_databases()?.into_iter();
    let databases =
        databases.filter(|record| record.task.is_some()).map(|record| record.database.resource_id);
    let mut undone: Vec<String> = databases.collect();
    for record in place.read_snapshots()? {
        let name = &record.snapshot.name;
        if next_step(place, &record).is_some() && !faults.stuck_snapshots.contains(name) {
            undone.push(record.id);
        }
    }
    Ok(undone)
}

/// What a dead process or a dead server has left that is nobody's task: a database that should be open is opened again, and
/// one that was never filled has failed. Whoever would still fill it held the account's lock.
fn pick_up(place: &Place) -> Result<(), SnapshotError> {
    for mut record in place.read_databases()?.into_iter().filter(|record| record.task.is_none()) {
        if record.database.status == "creating" {
            record.database.status = "failed".into();
        } else if meaning(&record.database.status) == Meaning::Ready
            && engine::is_down(place, &record)
        {
            record.database.status = "starting".into();
            record.task = Some(Task::Start);
        } else {
            continue;
        }
        place.write_database(&record)?;
    }
    Ok(())
}

/// What a snapshot needs that is not its database's task.
enum Step {
    Copy(Content),
    /// Its content is there.
    Finish,
}

fn next_step(place: &Place, record: &SnapshotRecord) -> Option<Step> {
    if meaning(&record.snapshot.status) != Meaning::Wait {
        None
    } else if place.content_file(&record.id).exists() {
        Some(Step::Finish)
    } else {
        record.copy_of.clone().map(Step::Copy)
    }
}

/// Does one thing after the other until nothing is left to do. What cannot be written down is tried by the next who asks.
fn work(place: &Place, id: &str, _lock: File) {
    while let Ok(true) = work_once(place, id) {}
}

fn work_once(place: &Place, id: &str) -> Result<bool, SnapshotError> {
    if let Some(record) = locked(place, |place| place.find_database(id))? {
        let Some(task) = record.task.clone() else { return Ok(false) };
        let done = perform(place, record, &task);
        return done.or_else(|error| database_failed(place, id, &task, &error)).map(|()| true);
    }
    let Some(record) = place.find_snapshot(id)? else { return Ok(false) };
    let name = &record.snapshot.name;
    match next_step(place, &record) {
        Some(_) if Faults::of(place)?.stuck_snapshots.contains(name) => return Ok(false),
        Some(Step::Copy(from)) => copy(place, &record, &from)
            .or_else(|error| snapshot_failed(place, id, &error.to_string()))?,
        Some(Step::Finish) => finish_snapshot(place, id)?,
        None => return Ok(false),
    }
    Ok(true)
}

fn locked<T>(
    place: &Place,
    look: impl FnOnce(&Place) -> Result<T, SnapshotError>,
) -> Result<T, SnapshotError> {
    let _lock = place.lock()?;
    look(place)
}

fn perform(place: &Place, record: DatabaseRecord, task: &Task) -> Result<(), SnapshotError> {
    let id = record.database.resource_id.clone();
    match task {
        Task::Create => {
            engine::create(place, &record)?;
            return new_secret(place, &record, task);
        }
        Task::Restore(from) => restore(place, &record, from)?,
        Task::Take(snapshot) => take(place, &record, snapshot)?,
        Task::TakeOver => return new_secret(place, &record, task),
        Task::Start => engine::open(place, &record)?,
        Task::Stop => {
            engine::close(place, &record)?;
            let stopped = |record: &mut DatabaseRecord| record.database.status = "stopped".into();
            return change_database(place, &id, task, stopped);
        }
        Task::Restart => {
            engine::close(place, &record).and_then(|()| engine::open(place, &record))?
        }
        Task::Rename(to) => return rename(place, record, to),
        Task::Delete => return delete(place, &record),
    }
    database_ready(place, &id, task)
}

/// Says that a database can be used, unless it has another task by now.
fn database_ready(place: &Place, id: &str, task: &Task) -> Result<(), SnapshotError> {
    change_database(place, id, task, |record| record.database.status = "available".into())
}

fn database_failed(
    place: &Place,
    id: &str,
    task: &Task,
    error: &SnapshotError,
) -> Result<(), SnapshotError> {
    change_database(place, id, task, |record| {
        record.database.status = "failed".into();
        record.failure = Some(error.to_string());
    })
}

fn change_database(
    place: &Place,
    id: &str,
    task: &Task,
    change: impl FnOnce(&mut DatabaseRecord),
) -> Result<(), SnapshotError> {
    let _lock = place.lock()?;
    match place.find_database(id)? {
        Some(mut record) if record.task.as_ref() == Some(task) => {
            record.task = None;
            change(&mut record);
            place.write_database(&record)
        }
        _ => Ok(()),
    }
}

fn restore(place: &Place, record: &DatabaseRecord, from: &Content) -> Result<(), SnapshotError> {
    let name = &record.database.name;
    if Faults::of(place)?.failing_restores.contains(name) {
        return Err(SnapshotError::Other("a fault was asked for".into()));
    }
    engine::close(place, record)?;
    content::read(place, from, |bytes| engine::unpack(place, record, bytes))?;
    engine::open(place, record)
}

fn new_secret(place: &Place, record: &DatabaseRecord, task: &Task) -> Result<(), SnapshotError> {
    let secret = engine::new_secret(place, record)?;
    change_database(place, &record.database.resource_id, task, |record| {
        record.database.secret = Some(secret);
        record.database.status = "available".into();
    })
}

/// Takes a snapshot, and lets clients in again however that ends.
fn take(place: &Place, record: &DatabaseRecord, id: &str) -> Result<(), SnapshotError> {
    let taken = take_content(place, record, id);
    engine::open(place, record)?;
    taken.or_else(|error| snapshot_failed(place, id, &error.to_string()))
}

fn take_content(place: &Place, record: &DatabaseRecord, id: &str) -> Result<(), SnapshotError> {
    {
        let _lock = place.lock()?;
        let Some(mut snapshot) = place.find_snapshot(id)? else {
            return content::remove(place, id);
        };
        snapshot.snapshot.data_as_of = super::now();
        place.write_snapshot(&snapshot)?;
    }
    engine::close(place, record)?;
    let key = record.database.key.as_deref();
    content::write(place, id, key, |to| engine::capture(place, record, to))?;
    finish_snapshot(place, id)
}

fn copy(place: &Place, record: &SnapshotRecord, from: &Content) -> Result<(), SnapshotError> {
    content::write(place, &record.id, record.snapshot.key.as_deref(), |to| {
        content::read(place, from, |bytes| {
            io::copy(bytes, to).map(drop).map_err(failed("copy to", &place.snapshots()))
        })
    })?;
    finish_snapshot(place, &record.id)
}

/// Names the content and says that the snapshot can be used, unless it has been deleted meanwhile.
fn finish_snapshot(place: &Place, id: &str) -> Result<(), SnapshotError> {
    let _lock = place.lock()?;
    let Some(mut record) = place.find_snapshot(id)? else {
        return content::remove(place, id);
    };
    if !place.content_file(id).exists() {
        content::finish(place, id)?;
    }
    let (faults, name) = (Faults::of(place)?, &record.snapshot.name);
    if faults.failing_snapshots.contains(name) {
        return fail(place, record, "a fault was asked for");
    }
    if !faults.stuck_snapshots.contains(name) {
        record.snapshot.status = "available".into();
        record.copy_of = None;
        place.write_snapshot(&record)?;
    }
    Ok(())
}

fn snapshot_failed(place: &Place, id: &str, why: &str) -> Result<(), SnapshotError> {
    let _lock = place.lock()?;
    match place.find_snapshot(id)? {
        Some(record) => fail(place, record, why),
        None => content::remove(place, id),
    }
}

/// A failed snapshot has no content.
fn fail(place: &Place, mut record: SnapshotRecord, why: &str) -> Result<(), SnapshotError> {
    content::remove(place, &record.id)?;
    record.snapshot.status = "failed".into();
    record.failure = Some(why.to_owned());
    record.copy_of = None;
    place.write_snapshot(&record)
}

fn rename(place: &Place, mut record: DatabaseRecord, to: &str) -> Result<(), SnapshotError> {
    engine::close(place, &record)?;
    {
        let _lock = place.lock()?;
        let lost = record.database.name != to
            && Faults::strikes(place, to, |faults| &mut faults.lost_renames)?;
        if record.database.name != to && !lost {
            let (old, new) = (place.database(&record.database.name), place.database(to));
            std::fs::rename(&old, &new).map_err(failed("rename", &old))?;
            record.database.name = to.to_owned();
            if !record.database.members.is_empty() {
                databases::add_member(&mut record.database);
            }
            place.write_database(&record)?;
        }
    }
    engine::open(place, &record)?;
    database_ready(place, &record.database.resource_id, &Task::Rename(to.to_owned()))
}

/// Removes the data before the record: a process that dies on the way leaves something that is still known.
fn delete(place: &Place, record: &DatabaseRecord) -> Result<(), SnapshotError> {
    let Database { name, resource_id, .. } = &record.database;
    engine::close(place, record)?;
    let data = place.database(name).join("data");
    if Faults::of(place)?.kept_backups.contains(name) && data.exists() {
        let kept = place.backups().join(resource_id);
        std::fs::rename(&data, &kept).map_err(failed("keep", &kept))?;
    }
    place::remove_all(&data)?;
    let _lock = place.lock()?;
    databases::forget(place, &record.database)
}
