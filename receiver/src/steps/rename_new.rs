//! Begins to give the new database the name.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use snapshots::{SnapshotError, Snapshots};
use workflow::StepError;

use crate::poll::Poll;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
    resource_id: String,
}

#[derive(Serialize)]
pub struct Output {
    name: String,
    began: Timestamp,
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let began = Timestamp::now();
    world.own(&input.resource_id, &input.run).await?;
    let name = world.target(&input.database)?.name.clone();
    match world.snapshots.rename(&input.resource_id, &name).await {
        // The old one's name is free a moment after it has another.
        Err(SnapshotError::Exists(what)) => {
            return Err(StepError::Retryable(format!("{what} exists already")));
        }
        begun => begun?,
    }
    Ok(Output { name, began, poll: Poll::begin(&world.settings) })
}
