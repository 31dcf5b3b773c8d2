//! Begins to give a restored cluster its writer; anything else has none and needs none.

use serde::Serialize;
use snapshots::Snapshots;
use workflow::StepError;

use crate::intent::Restored;
use crate::poll::Poll;
use crate::world::World;

#[derive(Serialize)]
pub struct Output {
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Restored) -> Result<Output, StepError> {
    let intent = input.intent(world).await?;
    world.snapshots.add_writer(&input.resource_id, &intent).await?;
    Ok(Output { poll: Poll::begin(&world.settings) })
}
