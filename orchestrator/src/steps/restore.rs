//! Begins to restore a snapshot into isolation: own subnets, own key, own tags, no way out. Nothing is taken over from the
//! database that the snapshot was taken of.

use serde::{Deserialize, Serialize};
use snapshots::{Kind, SnapshotError, Snapshots};
use workflow::StepError;

use crate::world::World;
use crate::{intent, names, record};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
    arn: String,
    kind: Kind,
    key: String,
}

#[derive(Serialize)]
pub struct Output {
    resource_id: String,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { database, run, arn, kind, key } = &input;
    let server = world.server(database)?;
    let intent = intent::restore(&world.settings, server, database, run, *kind, key);
    let found = match world.snapshots.restore(arn, &intent).await {
        Err(SnapshotError::Exists(_)) => {
            let found = world.snapshots.database(&intent.name).await?.ok_or_else(|| {
                StepError::Retryable(format!("database {} exists and is not listed", intent.name))
            })?;
            // Left by an earlier run it would be masked and released as if it were new.
            if found.tags.get(names::RUN_TAG) != Some(run) {
                let name = &intent.name;
                let text = format!("database {name} exists and is not of this run");
                return Err(StepError::Refused(text));
            }
            found
        }
        begun => begun?,
    };
    record::restored(&world.documents, run, database, &found.resource_id).await?;
    Ok(Output { resource_id: found.resource_id })
}
