//! Begins to take a snapshot of the masked database, under the key of everything raw: development cannot use it.

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::names::{self, STAGE};
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
    arn: String,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { database, run, resource_id } = &input;
    let (name, tags) = (names::of(STAGE, database, run), names::tags(STAGE, database, run));
    let begun = world.snapshots.take(resource_id, &name, &tags).await;
    Ok(Output { arn: world.begun(begun, &name, run).await?.arn })
}
