//! Begins to copy the snapshot of the masked database under the key that development may use. Nothing but a snapshot that
//! this run has staged is ever copied there.

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::names::{self, SHARE, STAGE};
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
    let staged = world.snapshots.snapshot(arn).await?;
    let staged =
        staged.ok_or_else(|| StepError::Fatal(format!("snapshot {arn} does not exist")))?;
    if names::maker(&[STAGE], &staged.name, &staged.tags) != Some(run) {
        let name = staged.name;
        return Err(StepError::Refused(format!("snapshot {name} is not one that this run staged")));
    }
    let (name, tags) = (names::of(SHARE, database, run), names::tags(SHARE, database, run));
    let begun = world.snapshots.copy(arn, &name, &world.settings.share_key, &tags).await;
    Ok(Output { arn: world.begun(begun, &name, run).await?.arn })
}
