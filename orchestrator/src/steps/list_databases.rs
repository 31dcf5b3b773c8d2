//! Names every database that there are settings for.

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {}

#[derive(Serialize)]
pub struct Output {
    databases: Vec<String>,
}

pub async fn step<S: Snapshots>(world: &World<S>, _: Input) -> Result<Output, StepError> {
    let databases: Vec<String> = world.settings.databases.keys().cloned().collect();
    if databases.is_empty() {
        return Err(StepError::Fatal("there are settings for no database".to_owned()));
    }
    Ok(Output { databases })
}
