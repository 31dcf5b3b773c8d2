//! Asks for what a run has made to go, and says whether anything is left. It is asked again until nothing is.

use serde::Deserialize;
use snapshots::Snapshots;
use workflow::StepError;

use crate::clean::{self, Left};
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    run: String,
    /// The release goes too.
    withdraw: bool,
    waited: u64,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Left, StepError> {
    let left = clean::clean(world, &input.run, input.withdraw).await?;
    Left::new(left, input.waited, &world.settings)
}
