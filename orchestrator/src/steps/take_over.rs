//! Begins to replace the password that was valid when the snapshot was taken, and to switch off what the snapshot may have
//! brought along.

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
    world.snapshots.take_over(&input.resource_id, &intent).await?;
    Ok(Output { resource_id: input.resource_id })
}
