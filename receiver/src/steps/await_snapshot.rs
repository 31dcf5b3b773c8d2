//! Looks whether the copy is complete, and under this account's own key.

use serde::Deserialize;
use snapshots::status::{Meaning, meaning};
use snapshots::{SnapshotError, Snapshots};
use workflow::StepError;

use crate::poll::Poll;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    arn: String,
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Poll, StepError> {
    let Input { arn, poll } = input;
    let found = world.snapshots.snapshot(&arn).await?;
    let found = found.ok_or_else(|| SnapshotError::NotFound(format!("snapshot {arn}")))?;
    match meaning(&found.status) {
        Meaning::Ready if found.key.as_ref() != Some(&world.settings.key) => {
            Err(StepError::Refused(format!("{arn} is not encrypted under this account's key")))
        }
        Meaning::Ready => Ok(poll.done()),
        Meaning::Wait | Meaning::Unknown => {
            let what = format!("snapshot {}, which is {}", found.name, found.status);
            poll.wait(&world.settings, world.settings.deadlines.copy, &what)
        }
        Meaning::Broken | Meaning::Going | Meaning::Stopped => {
            Err(StepError::Fatal(format!("snapshot {} is {}", found.name, found.status)))
        }
    }
}
