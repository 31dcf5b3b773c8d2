//! Finds the newest snapshot that production has released. Anybody can share a snapshot of any name with this account: what
//! is not production's, exactly as agreed, is passed over, and the log says why.

use serde::{Deserialize, Serialize};
use snapshots::select::Release;
use snapshots::{Snapshot, Snapshots};
use workflow::StepError;

use crate::names;
use crate::world::World;

/// Reasons that are told: a history of executions has its limits.
const MOST_TOLD: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
}

#[derive(Serialize)]
pub struct Output {
    /// The newest.
    arn: String,
    /// Why others were passed over.
    passed_over: Vec<String>,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let database = &input.database;
    let (target, settings) = (world.target(database)?, &world.settings);
    let mut shared = world.snapshots.shared().await?;
    let mut passed_over = of_others(world, database, &mut shared).await?;
    let prefix = names::release_prefix(database);
    let release = Release {
        owner: &settings.producer,
        region: &settings.region,
        prefix: &prefix,
        engine: &target.engine,
        key: &settings.share_key,
    };
    let selection = release.select(&shared);
    let told = selection.passed_over.iter().map(|(name, reason)| format!("{name}: {reason}"));
    passed_over.extend(told);
    let Some(newest) = selection.newest else {
        return Err(StepError::Fatal(format!(
            "there is no release of {database} that may be let in, among {} shared snapshots\n(hint: {})",
            passed_over.len(),
            passed_over.first().map_or("production has shared none", String::as_str),
        )));
    };
    passed_over.truncate(MOST_TOLD);
    Ok(Output { arn: newest.arn.clone(), passed_over })
}

/// Takes away what was released as another database's: the names of `shop-archive` begin as those of `shop` do.
async fn of_others<S: Snapshots>(
    world: &World<S>,
    database: &str,
    shared: &mut Vec<Snapshot>,
) -> Result<Vec<String>, StepError> {
    let statements = world.handover.list("releases").await?;
    let is_of_other = |snapshot: &Snapshot| {
        let name = snapshot.arn.rsplit(':').next().unwrap_or_default();
        let of = |key: &String| {
            let parts: Vec<_> = key.split('/').collect();
            matches!(parts[..], [_, of, file] if of != database && file.strip_suffix(".json") == Some(name))
        };
        let own = format!("releases/{database}/{name}.json");
        snapshot.owner == world.settings.producer
            && statements.iter().any(of)
            && !statements.contains(&own)
    };
    let mut passed_over = Vec::new();
    shared.retain(|snapshot| {
        let other = is_of_other(snapshot);
        if other {
            passed_over.push(format!("{}: it is a release of another database", snapshot.name));
        }
        !other
    });
    Ok(passed_over)
}
