//! Begins to copy the release under this account's own key. The copy is this account's: what production does with its own
//! then makes no difference.

use serde::{Deserialize, Serialize};
use snapshots::{SnapshotError, Snapshots};
use workflow::StepError;

use crate::names;
use crate::poll::Poll;
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
    /// The copy.
    arn: String,
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { database, run, arn } = &input;
    let name = names::copy(database, run);
    let mut tags = names::tags(database, run, "copy");
    tags.insert(names::SOURCE_TAG.into(), arn.clone());
    let copy = match world.snapshots.copy(arn, &name, &world.settings.key, &tags).await {
        Err(SnapshotError::Exists(_)) => {
            let all = world.snapshots.snapshots().await?;
            let found = all.into_iter().find(|found| found.name == name).ok_or_else(|| {
                StepError::Retryable(format!("snapshot {name} exists and is not listed"))
            })?;
            let same = |key: &str| found.tags.get(key) == tags.get(key);
            if !same(names::RUN_TAG) || !same(names::SOURCE_TAG) {
                let text = format!("snapshot {name} exists and is not of this run");
                return Err(StepError::Refused(text));
            }
            found
        }
        begun => begun?,
    };
    Ok(Output { arn: copy.arn, poll: Poll::begin(&world.settings) })
}
