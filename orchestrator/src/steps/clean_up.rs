//! Asks for what a run has made to go, and says whether anything is left. It is asked again until nothing is.

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::clean;
use crate::poll::Poll;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    run: String,
    /// The release goes too.
    withdraw: bool,
    waited: u64,
}

#[derive(Serialize)]
pub struct Output {
    left: Vec<String>,
    #[serde(flatten)]
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { run, withdraw, waited } = input;
    let left = clean::clean(world, &run, withdraw).await?;
    let poll = if left.is_empty() {
        Poll::ready(waited)
    } else {
        let what = format!("{} to be gone", left.join(", "));
        let settings = &world.settings;
        Poll::wait(waited, settings.deadlines.delete, &settings.pauses, &what)?
    };
    Ok(Output { left, poll })
}
