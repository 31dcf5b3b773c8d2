//! Begins to take the name from the database that has it. From here on nobody reaches it by its name.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use snapshots::{Snapshots, status::Meaning};
use workflow::StepError;

use crate::names;
use crate::poll::Poll;
use crate::world::{World, made_by};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
    /// The one that is in use.
    resource_id: String,
    /// The one that takes its place.
    new: String,
}

#[derive(Serialize)]
pub struct Output {
    /// What it is called from then on.
    name: String,
    /// When it lost its name.
    began: Timestamp,
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { database, run, resource_id, new } = &input;
    let began = Timestamp::now();
    let old = world.database(resource_id).await?;
    // The new one must be there and whole before the old one gives up anything.
    let new = world.own(new, run).await?;
    if made_by(&old, run) || new.meaning() != Meaning::Ready {
        return Err(StepError::Refused(format!("database {} is not ready", new.name)));
    }
    let name = names::old(&world.target(database)?.name, run);
    world.snapshots.rename(resource_id, &name).await?;
    Ok(Output { name, began, poll: Poll::begin(&world.settings) })
}
