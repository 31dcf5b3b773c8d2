//! Gives the lease back, where it is this run's.

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
}

#[derive(Serialize)]
pub struct Output {}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    world.locks.release(&input.database, &input.run).await?;
    Ok(Output {})
}
