//! Deletes databases that were replaced and whose grace has ended.

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::poll::Poll;
use crate::retire;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    poll: Poll,
}

#[derive(Serialize)]
pub struct Output {
    poll: Poll,
    /// Databases that this product did not make and does not delete.
    kept: Vec<String>,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let retired = retire::due(world, &input.database).await?;
    let poll = match retired.waiting {
        Some(what) => input.poll.wait(&world.settings, world.settings.deadlines.delete, &what)?,
        None => input.poll.done(),
    };
    Ok(Output { poll, kept: retired.kept })
}
