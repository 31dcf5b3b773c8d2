//! Begins to start the database that is in use: a stopped one cannot be renamed.

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::poll::Poll;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    resource_id: String,
}

#[derive(Serialize)]
pub struct Output {
    name: String,
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let name = world.target(&input.database)?.name.clone();
    world.snapshots.start(&input.resource_id).await?;
    Ok(Output { name, poll: Poll::begin(&world.settings) })
}
