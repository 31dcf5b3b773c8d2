//! Looks whether a snapshot is there. What has failed or is going will not come; a word that nobody has heard of is no yes.

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use snapshots::status::{Meaning, meaning};
use workflow::StepError;

use crate::poll::Poll;
use crate::world::World;

/// What makes it.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Making {
    Take,
    Copy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    arn: String,
    making: Making,
    waited: u64,
}

#[derive(Serialize)]
pub struct Output {
    arn: String,
    #[serde(flatten)]
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { arn, making, waited } = input;
    let settings = &world.settings;
    let deadline = match making {
        Making::Take => settings.deadlines.take,
        Making::Copy => settings.deadlines.copy,
    };
    // What was begun a moment ago may not be listed yet.
    let status = world.snapshots.snapshot(&arn).await?.map(|snapshot| snapshot.status);
    let poll = match status.as_deref().map_or(Meaning::Wait, meaning) {
        Meaning::Ready => Poll::ready(waited),
        Meaning::Wait | Meaning::Unknown => {
            let what =
                format!("snapshot {arn}, which is {}", status.as_deref().unwrap_or("absent"));
            Poll::wait(waited, deadline, &settings.pauses, &what)?
        }
        Meaning::Stopped | Meaning::Going | Meaning::Broken => {
            let status = status.unwrap_or_default();
            return Err(StepError::Fatal(format!("snapshot {arn} is {status}")));
        }
    };
    Ok(Output { arn, poll })
}
