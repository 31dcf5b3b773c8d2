//! Ends the fleet badly where one of its executions did: one that fails keeps none of the others from its end.

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    results: Vec<Ended>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ended {
    database: String,
    ended_well: bool,
}

#[derive(Serialize)]
pub struct Output {
    databases: usize,
}

pub async fn step<S: Snapshots>(_: &World<S>, input: Input) -> Result<Output, StepError> {
    let badly = input.results.iter().filter(|ended| !ended.ended_well);
    let badly: Vec<&str> = badly.map(|ended| ended.database.as_str()).collect();
    if !badly.is_empty() {
        return Err(StepError::Fatal(format!("not refreshed: {}", badly.join(", "))));
    }
    Ok(Output { databases: input.results.len() })
}
