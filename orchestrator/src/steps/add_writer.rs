//! Begins to give a restored cluster its writer, without which nobody can connect. An instance needs none.

use serde::Serialize;
use snapshots::Snapshots;
use workflow::StepError;

use crate::intent::Restored;
use crate::world::World;

#[derive(Serialize)]
pub struct Output {
    resource_id: String,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Restored) -> Result<Output, StepError> {
    let intent = input.intent(world).await?;
    world.snapshots.add_writer(&input.resource_id, &intent).await?;
    Ok(Output { resource_id: input.resource_id })
}
