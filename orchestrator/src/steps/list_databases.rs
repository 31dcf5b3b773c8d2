//! Names every database that there are settings for, the largest first: one that takes two days and begins last would end the
//! fleet two days later.

use std::cmp::Reverse;

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
    at_a_time: u32,
}

pub async fn step<S: Snapshots>(world: &World<S>, _: Input) -> Result<Output, StepError> {
    let settings = &world.settings;
    let mut databases: Vec<String> = settings.databases.keys().cloned().collect();
    if databases.is_empty() {
        return Err(StepError::Fatal("there are settings for no database".to_owned()));
    }
    // Those of the same size stay in the order of their names.
    databases.sort_by_key(|name| Reverse(settings.databases[name].gigabytes));
    Ok(Output { databases, at_a_time: settings.at_a_time })
}
