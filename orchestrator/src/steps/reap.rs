//! Removes what is left of executions that no longer run: stopped, timed out, or gone in a way that no state machine sees. It
//! is called when an execution has ended badly, and every hour.
//!
//! It leaves alone what runs, and the release of whatever has come to its end.

use std::collections::BTreeSet;

use serde::Deserialize;
use snapshots::Snapshots;
use workflow::StepError;

use super::release_lock;
use crate::clean::{self, Left};
use crate::names::{self, RAW, SHARE, STAGE, TEMPORARY};
use crate::record::{self, Record};
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    waited: u64,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Left, StepError> {
    let (mut left, mut failed) = (Vec::new(), None);
    for run in runs(world).await? {
        // What is wrong with one must not keep the others from being removed.
        match reap(world, &run).await {
            Ok(more) => left.extend(more),
            Err(error) => drop(failed.get_or_insert(error)),
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    Left::new(left, input.waited, &world.settings)
}

/// Every run that is remembered or has left anything.
async fn runs<S: Snapshots>(world: &World<S>) -> Result<BTreeSet<String>, StepError> {
    let mut runs = record::all(&world.documents).await?;
    for database in world.snapshots.databases().await? {
        let maker = names::maker(&[TEMPORARY], &database.name, &database.tags);
        runs.extend(maker.map(str::to_owned));
    }
    for snapshot in world.snapshots.snapshots().await? {
        let maker = names::maker(&[RAW, STAGE, SHARE], &snapshot.name, &snapshot.tags);
        runs.extend(maker.map(str::to_owned));
    }
    Ok(runs)
}

async fn reap<S: Snapshots>(world: &World<S>, run: &str) -> Result<Vec<String>, StepError> {
    if world.executions.runs(run).await? {
        return Ok(Vec::new());
    }
    // Its last step forgets a run that ended well. What is remembered did not, and what it released goes too.
    let record = record::get(&world.documents, run).await?;
    let left = clean::clean(world, run, record.is_some()).await?;
    // The lease and the record stay until nothing else does: whoever looks next finds the run again.
    if left.is_empty() {
        // Its database may have gone from the settings.
        if let Some(Record { database, .. }) = record {
            world.locks.release(&database, run).await?;
        }
        release_lock::give_back(world, run).await?;
    }
    Ok(left)
}
