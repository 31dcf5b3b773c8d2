//! Gives the database that was in use its name back, where this run has taken it and not finished.

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
    poll: Poll,
}

#[derive(Serialize)]
pub struct Output {
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let poll = match undo::names(world, &input.database, &input.run).await? {
        Some(what) => input.poll.wait(&world.settings, world.settings.deadlines.change, &what)?,
        // A database says that nothing is being done with it for a moment after it was told to change.
        None => input.poll.found(&world.settings),
    };
    Ok(Output { poll })
}
