//! Believes a masking run only by what it left: the container of that name ended with 0, and its report is of this very run,
//! by the rules that the run began with, passed. An exit code alone proves nothing.

use contract::release::Reported;
use serde::Deserialize;
use serde_json::Value;
use snapshots::Snapshots;
use workflow::StepError;

use super::resume::{CONTAINER, exit_code};
use crate::report::{self, Expected};
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
    name: String,
    rules_digest: String,
    /// The task, as the service answers with it.
    task: Value,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Reported, StepError> {
    let Input { database, run, name, rules_digest, task } = &input;
    match exit_code(task) {
        Some(0) => {}
        Some(code) => {
            let text = format!("the container `{CONTAINER}` ended with exit code {code}");
            return Err(StepError::Refused(text));
        }
        None => {
            let text = format!("there is no exit code of a container `{CONTAINER}`");
            return Err(StepError::Refused(text));
        }
    }
    if task["StopCode"] != "EssentialContainerExited" {
        return Err(StepError::Refused("the task did not end by itself".to_owned()));
    }
    report::read(world, &Expected { database, run, name, rules_digest }).await
}
