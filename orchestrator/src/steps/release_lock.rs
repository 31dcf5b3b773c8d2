//! Gives back whatever lease a run has, and forgets the run: it has come to its end.

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::record;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    run: String,
}

#[derive(Serialize)]
pub struct Output {}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    give_back(world, &input.run).await?;
    Ok(Output {})
}

/// What is somebody else's stays so, whatever this is called with.
pub async fn give_back<S: Snapshots>(world: &World<S>, run: &str) -> Result<(), StepError> {
    for database in world.settings.databases.keys() {
        world.locks.release(database, run).await?;
    }
    record::delete(&world.documents, run).await
}
