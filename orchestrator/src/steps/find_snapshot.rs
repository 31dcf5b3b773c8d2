//! Finds the newest snapshot of a database that may be used: of this very database and no earlier one of its name, available,
//! fresh, not made by this product. Where there is none, it says what is wrong with each.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use snapshots::select::{Selection, Source};
use snapshots::{Kind, Snapshots};
use workflow::StepError;

use crate::names;
use crate::world::World;

/// Reasons that are told one by one.
const TOLD: usize = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    max_age_hours: u32,
}

#[derive(Serialize)]
pub struct Output {
    arn: String,
    kind: Kind,
    data_as_of: String,
    /// It must be copied before it is restored, to be encrypted.
    copy_first: bool,
    /// The key of the database that will be restored.
    key: String,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let server = world.server(&input.database)?;
    let source = world.snapshots.database(&server.source).await?.ok_or_else(|| {
        StepError::Fatal(format!("the database {} does not exist", server.source))
    })?;
    let all = world.snapshots.snapshots().await?;
    let question = Source {
        source_id: &source.resource_id,
        kind: source.kind,
        own_tag: names::RUN_TAG,
        max_age: SignedDuration::from_hours(input.max_age_hours.into()),
        now: Timestamp::now(),
    };
    let selection = question.select(&all);
    let Some(newest) = selection.newest else { return Err(none(&source.name, &selection)) };
    if newest.key.as_deref() == Some(&world.settings.share_key) {
        return Err(StepError::Refused(format!(
            "snapshot {} is raw and under the key that other accounts can use",
            newest.name
        )));
    }
    // A cluster can be restored under a key; an instance has its snapshot's.
    let key = match (&newest.key, newest.kind) {
        (Some(key), Kind::Instance) if newest.encrypted => key.clone(),
        _ => world.settings.work_key.clone(),
    };
    Ok(Output {
        arn: newest.arn.clone(),
        kind: newest.kind,
        data_as_of: newest.data_as_of.clone(),
        copy_first: !newest.encrypted && newest.kind == Kind::Instance,
        key,
    })
}

fn none(source: &str, selection: &Selection<'_>) -> StepError {
    let mut text = format!("no snapshot of {source} can be used");
    for (name, why) in selection.passed_over.iter().take(TOLD) {
        text.push_str(&format!("\n  {name}: {why}"));
    }
    let more = selection.passed_over.len().saturating_sub(TOLD);
    if more > 0 {
        text.push_str(&format!("\n  and {more} more"));
    }
    StepError::Fatal(text)
}
