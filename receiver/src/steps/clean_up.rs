//! Deletes what a run that failed has made, and proves that it is gone. What is in use stays.

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::poll::Poll;
use crate::undo;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
    /// Databases that were found before.
    seen: Vec<String>,
    poll: Poll,
}

#[derive(Serialize)]
pub struct Output {
    seen: Vec<String>,
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { database, run, mut seen, poll } = input;
    let poll = match undo::things(world, &database, &run, &mut seen).await? {
        Some(what) => poll.wait(&world.settings, world.settings.deadlines.delete, &what)?,
        None => poll.done(),
    };
    Ok(Output { seen, poll })
}
