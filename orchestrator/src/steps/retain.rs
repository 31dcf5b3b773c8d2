//! Keeps the newest releases of a database and takes the older ones back, and with them their statements. Never fewer than
//! two are kept: the one before may be being copied.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use snapshots::{Snapshot, Snapshots};
use workflow::StepError;

use crate::clean;
use crate::names::{self, SHARE};
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
}

#[derive(Serialize)]
pub struct Output {
    kept: usize,
    retired: Vec<String>,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let database = &input.database;
    let mut releases = world.snapshots.snapshots().await?;
    releases.retain(|snapshot| is_release(snapshot, database));
    // As texts, moments of one second would not compare.
    releases.sort_by_key(|snapshot| Reverse(snapshot.created_at.parse::<Timestamp>().ok()));
    let old = releases.split_off(world.settings.keep.min(releases.len()));
    for snapshot in &old {
        clean::take_back(world, database, snapshot).await?;
    }
    statements_without_snapshot(world, database, &releases).await?;
    let retired = old.into_iter().map(|snapshot| snapshot.name).collect();
    Ok(Output { kept: releases.len(), retired })
}

fn is_release(snapshot: &Snapshot, database: &str) -> bool {
    names::maker(&[SHARE], &snapshot.name, &snapshot.tags).is_some()
        && snapshot.tags.get(names::DATABASE_TAG).is_some_and(|of| of == database)
}

async fn statements_without_snapshot<S: Snapshots>(
    world: &World<S>,
    database: &str,
    releases: &[Snapshot],
) -> Result<(), StepError> {
    let kept: Vec<_> =
        releases.iter().map(|snapshot| names::statement(database, &snapshot.name)).collect();
    for key in world.handover.list(&format!("releases/{database}")).await? {
        if !kept.contains(&key) {
            world.handover.delete(&key).await?;
        }
    }
    Ok(())
}
