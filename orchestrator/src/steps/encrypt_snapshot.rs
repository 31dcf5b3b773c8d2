//! Begins to copy a snapshot that is not encrypted under the key of everything raw: raw data never lies on a volume that is
//! not encrypted.

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::names::{self, RAW};
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
    arn: String,
}

#[derive(Serialize)]
pub struct Output {
    arn: String,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { database, run, arn } = &input;
    let (name, tags) = (names::of(RAW, database, run), names::tags(RAW, database, run));
    let begun = world.snapshots.copy(arn, &name, &world.settings.work_key, &tags).await;
    Ok(Output { arn: world.begun(begun, &name, run).await?.arn })
}
