//! Begins to restart a database where settings hold only after that. Otherwise it does nothing.

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    resource_id: String,
}

#[derive(Serialize)]
pub struct Output {
    resource_id: String,
    restarted: bool,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let restarted = world.existing(&input.resource_id).await?.restart_needed;
    if restarted {
        world.snapshots.restart(&input.resource_id).await?;
    }
    Ok(Output { resource_id: input.resource_id, restarted })
}
