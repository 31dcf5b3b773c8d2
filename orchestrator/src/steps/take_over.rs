//! Begins to replace the password that was valid when the snapshot was taken, and to switch off what the snapshot may have
//! brought along.

use serde::{Deserialize, Serialize};
use snapshots::{Kind, Snapshots};
use workflow::StepError;

use crate::intent;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
    resource_id: String,
    kind: Kind,
    key: String,
}

#[derive(Serialize)]
pub struct Output {
    resource_id: String,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { database, run, resource_id, kind, key } = input;
    let server = world.server(&database)?;
    let intent = intent::restore(&world.settings, server, &database, &run, kind, &key);
    world.snapshots.take_over(&resource_id, &intent).await?;
    Ok(Output { resource_id })
}
