//! Begins to restore the copy beside the database that is in use.

use serde::{Deserialize, Serialize};
use snapshots::{SnapshotError, Snapshots};
use workflow::StepError;

use crate::poll::Poll;
use crate::world::{World, made_by};
use crate::{intent, names};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
    /// The copy.
    copy: String,
    /// The release.
    arn: String,
    data_as_of: String,
}

#[derive(Serialize)]
pub struct Output {
    resource_id: String,
    /// Its name until it has that of the one that is in use.
    name: String,
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let mut intent = intent::restore(world, &input.database, &input.run).await?;
    intent.tags.insert(names::SOURCE_TAG.into(), input.arn);
    intent.tags.insert(names::AS_OF_TAG.into(), input.data_as_of);
    let database = match world.snapshots.restore(&input.copy, &intent).await {
        Err(SnapshotError::Exists(_)) => {
            let found = world.snapshots.database(&intent.name).await?.ok_or_else(|| {
                StepError::Retryable(format!("database {} exists and is not listed", intent.name))
            })?;
            if !made_by(&found, &input.run) {
                let text = format!("database {} exists and is not of this run", intent.name);
                return Err(StepError::Refused(text));
            }
            found
        }
        begun => begun?,
    };
    let poll = Poll::begin(&world.settings);
    Ok(Output { resource_id: database.resource_id, name: intent.name, poll })
}
