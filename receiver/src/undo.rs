//! Takes back what a run has begun: gives names back, deletes what it has made, and nothing else. The state machine calls it
//! after a failure, the reaper for runs that no longer run; called twice it does no harm.
//!
//! A swap is done when the secret leads to the new database, and is not taken back from then on. Everything follows from
//! names and tags: a run that was killed has told nobody how far it was.

use jiff::Timestamp;
use snapshots::status::Meaning;
use snapshots::{Database, SnapshotError, Snapshots};
use workflow::StepError;

use crate::pointer::Pointer;
use crate::record::Record;
use crate::world::{World, made_by};
use crate::{names, record};

/// The run's database is in use.
pub async fn is_done<S: Snapshots>(
    world: &World<S>,
    database: &str,
    run: &str,
) -> Result<bool, StepError> {
    let target = world.target(database)?;
    let pointer = Pointer::get(&world.secrets, &target.secret).await?;
    Ok(pointer.is_some_and(|pointer| pointer.run == run)
        || record::get(&world.documents, database, run).await?.is_some())
}

/// Writes down the swap of a run that has died right after it.
pub async fn settle<S: Snapshots>(
    world: &World<S>,
    database: &str,
    run: &str,
) -> Result<(), StepError> {
    let target = world.target(database)?;
    let pointer = Pointer::get(&world.secrets, &target.secret).await?;
    let Some(pointer) = pointer.filter(|pointer| pointer.run == run) else { return Ok(()) };
    if record::get(&world.documents, database, run).await?.is_some() {
        return Ok(());
    }
    let new = world.database(&pointer.resource_id).await?;
    let old = world.snapshots.database(&names::old(&target.name, run)).await?;
    let tag = |key: &str| new.tags.get(key).cloned().unwrap_or_default();
    let record = Record {
        run: run.to_owned(),
        swapped_at: Timestamp::now(),
        old: old.map(|old| old.resource_id),
        source: tag(names::SOURCE_TAG),
        data_as_of: tag(names::AS_OF_TAG),
        // Nobody is left who knows.
        rules: String::new(),
        outage_ms: 0,
        endpoint: new.endpoint.clone(),
        new: new.resource_id,
        retired: false,
    };
    record::put(&world.documents, database, &record).await
}

/// Gives names back. Answers with what is waited for.
pub async fn names<S: Snapshots>(
    world: &World<S>,
    database: &str,
    run: &str,
) -> Result<Option<String>, StepError> {
    if is_done(world, database, run).await? {
        return Ok(None);
    }
    let name = &world.target(database)?.name;
    let (new_name, old_name) = (names::new(name, run), names::old(name, run));
    let all = world.snapshots.databases().await?;
    let called = |name: &str| all.iter().find(|database| database.name == name);
    // What changes its name is listed under the old one until it has the new one.
    if let Some(changing) = [name.as_str(), &new_name, &old_name]
        .into_iter()
        .filter_map(called)
        .find(|database| database.pending || database.status == "renaming")
    {
        return Ok(Some(format!("database {} to be renamed", changing.name)));
    }
    if let Some(new) = called(name).filter(|database| made_by(database, run)) {
        return rename(world, new, &new_name).await.map(Some);
    }
    match (called(&old_name), called(name)) {
        (Some(old), None) => rename(world, old, name).await.map(Some),
        (Some(_), Some(_)) => Err(StepError::Fatal(format!(
            "database {old_name} cannot have its name back: another one is called {name}"
        ))),
        (None, _) => Ok(None),
    }
}

/// Not now is not never: it is asked again.
async fn rename<S: Snapshots>(
    world: &World<S>,
    database: &Database,
    to: &str,
) -> Result<String, StepError> {
    match world.snapshots.rename(&database.resource_id, to).await {
        Ok(()) | Err(SnapshotError::InvalidState(_)) => {
            Ok(format!("database {} to be called {to} again", database.name))
        }
        Err(error) => Err(error.into()),
    }
}

/// Deletes what the run has made and does not use. `seen` are databases that were found here before: their backups go with
/// them. Answers with what is waited for.
pub async fn things<S: Snapshots>(
    world: &World<S>,
    database: &str,
    run: &str,
    seen: &mut Vec<String>,
) -> Result<Option<String>, StepError> {
    let target = world.target(database)?;
    world.secrets.delete(&names::next_secret(&target.secret, run)).await?;
    if is_done(world, database, run).await? {
        return Ok(None);
    }
    // The new one is deleted when the old one is in its place again, and not before.
    let old = names::old(&target.name, run);
    if world.snapshots.database(&old).await?.is_some() {
        return Err(StepError::Fatal(format!("database {old} does not have its name back")));
    }
    let mut waiting = None;
    if let Some(new) = world.snapshots.database(&names::new(&target.name, run)).await?
        && made_by(&new, run)
    {
        if !seen.contains(&new.resource_id) {
            seen.push(new.resource_id.clone());
        }
        delete(world, &new).await?;
        waiting = Some(format!("database {} to be deleted", new.name));
    }
    let copy = names::copy(database, run);
    let copies = world.snapshots.snapshots().await?;
    let of_run = |tag: &String| tag == run;
    let copies = copies
        .iter()
        .filter(|found| found.name == copy)
        .filter(|found| found.tags.get(names::RUN_TAG).is_some_and(of_run));
    for copy in copies {
        delete_snapshot(world, &copy.arn).await?;
        waiting.get_or_insert(format!("snapshot {} to be deleted", copy.name));
    }
    for resource_id in seen {
        if waiting.is_none() && !no_backups(world, resource_id).await? {
            waiting = Some(format!("the backups of database {resource_id} to be deleted"));
        }
    }
    Ok(waiting)
}

/// Begins to delete a database. One that is being changed, or goes already, is asked again.
pub async fn delete<S: Snapshots>(world: &World<S>, database: &Database) -> Result<(), StepError> {
    if database.meaning() == Meaning::Going {
        return Ok(());
    }
    if database.protected {
        world.snapshots.protect(&database.resource_id, false).await?;
    }
    match world.snapshots.delete_database(&database.resource_id).await {
        Ok(()) | Err(SnapshotError::NotFound(_) | SnapshotError::InvalidState(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Begins to delete a snapshot.
pub async fn delete_snapshot<S: Snapshots>(world: &World<S>, arn: &str) -> Result<(), StepError> {
    match world.snapshots.delete_snapshot(arn).await {
        Ok(()) | Err(SnapshotError::NotFound(_) | SnapshotError::InvalidState(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Nothing is left of the backups of a database that is gone.
pub async fn no_backups<S: Snapshots>(
    world: &World<S>,
    resource_id: &str,
) -> Result<bool, StepError> {
    if world.snapshots.automatic_backups(resource_id).await?.is_empty() {
        return Ok(true);
    }
    world.snapshots.delete_automatic_backups(resource_id).await?;
    Ok(false)
}
