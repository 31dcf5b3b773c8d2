//! Begins to replace the master user's password: until then the one that was valid in production's copy is.

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::intent;
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
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    world.own(&input.resource_id, &input.run).await?;
    let intent = intent::restore(world, &input.database, &input.run).await?;
    world.snapshots.take_over(&input.resource_id, &intent).await?;
    Ok(Output { poll: Poll::begin(&world.settings) })
}
