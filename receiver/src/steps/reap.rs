//! Takes back what is left of runs that no longer run, gives their leases back, and deletes databases whose grace has ended.
//! Started when an execution has ended badly, and from time to time.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::poll::Poll;
use crate::world::World;
use crate::{names, record, retire, undo};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Databases that were found before.
    seen: Vec<String>,
    poll: Poll,
}

#[derive(Serialize)]
pub struct Output {
    seen: Vec<String>,
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { mut seen, poll } = input;
    let (mut waiting, mut failed) = (None, None);
    let mut note = |outcome: Result<Option<String>, StepError>| match outcome {
        Ok(what) => waiting = waiting.take().or(what),
        // One that cannot be taken back does not keep the others.
        Err(error) => failed = failed.take().or(Some(error)),
    };
    for database in world.settings.databases.keys() {
        for run in dead(world, database).await? {
            note(take_back(world, database, &run, &mut seen).await);
        }
        note(retire::due(world, database).await.map(|retired| retired.waiting));
    }
    let poll = match (waiting, failed) {
        (Some(what), _) => poll.wait(&world.settings, world.settings.deadlines.delete, &what)?,
        (None, Some(error)) => return Err(error),
        (None, None) => poll.found(&world.settings),
    };
    Ok(Output { seen, poll })
}

async fn take_back<S: Snapshots>(
    world: &World<S>,
    database: &str,
    run: &str,
    seen: &mut Vec<String>,
) -> Result<Option<String>, StepError> {
    undo::settle(world, database, run).await?;
    let mut waiting = undo::names(world, database, run).await?;
    if waiting.is_none() {
        waiting = undo::things(world, database, run, seen).await?;
    }
    // A lease is given back once nothing is left: the next run would find what is.
    if waiting.is_none() {
        world.locks.release(database, run).await?;
    }
    Ok(waiting)
}

/// Runs that have left something and no longer run.
async fn dead<S: Snapshots>(
    world: &World<S>,
    database: &str,
) -> Result<BTreeSet<String>, StepError> {
    let mut runs = BTreeSet::new();
    let mut note = |tags: &snapshots::Tags| {
        if tags.get(names::DATABASE_TAG).is_some_and(|tag| tag == database) {
            runs.extend(tags.get(names::RUN_TAG).cloned());
        }
    };
    let all = world.snapshots.databases().await?;
    all.iter().for_each(|found| note(&found.tags));
    world.snapshots.snapshots().await?.iter().for_each(|found| note(&found.tags));
    // Of a run whose own database is gone, the name of the one that it has replaced tells. Where the swap was made its record
    // does, and a long name is cut and would tell of a run that there never was.
    let swaps = record::list(&world.documents, database).await?;
    let replaced: BTreeSet<String> = swaps.into_iter().filter_map(|swap| swap.old).collect();
    let unknown = all.iter().filter(|found| !replaced.contains(&found.resource_id));
    let old = format!("{}-old-", world.target(database)?.name);
    runs.extend(unknown.filter_map(|found| found.name.strip_prefix(&old)).map(str::to_owned));
    runs.extend(world.locks.owner(database).await?);
    let mut dead = BTreeSet::new();
    for run in runs {
        if !world.executions.runs(&run).await? {
            dead.insert(run);
        }
    }
    Ok(dead)
}
