//! Deletes this account's copies of releases but the newest.

use serde::{Deserialize, Serialize};
use snapshots::status::{Meaning, meaning};
use snapshots::{Snapshot, Snapshots};
use workflow::StepError;

use crate::world::World;
use crate::{names, undo};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
}

#[derive(Serialize)]
pub struct Output {
    deleted: usize,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let target = world.target(&input.database)?;
    let mut copies = world.snapshots.snapshots().await?;
    copies.retain(|copy| is_copy(copy, &input.database));
    copies.sort_by(|one, other| other.created_at.cmp(&one.created_at));
    let surplus = copies.get(target.keep..).unwrap_or_default();
    for copy in surplus {
        undo::delete_snapshot(world, &copy.arn).await?;
    }
    Ok(Output { deleted: surplus.len() })
}

fn is_copy(copy: &Snapshot, database: &str) -> bool {
    let tagged = |key: &str, value: &str| copy.tags.get(key).is_some_and(|tag| tag == value);
    copy.name.starts_with("dev-anon-")
        && tagged(names::DATABASE_TAG, database)
        && tagged(names::STAGE_TAG, "copy")
        && meaning(&copy.status) == Meaning::Ready
}
