//! Puts the new credentials under the name that applications read by. With this the new database is in use, and the run is
//! not taken back any more.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::names;
use crate::pointer::Pointer;
use crate::record::{self, Record};
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
    resource_id: String,
    /// The one that was in use; empty where there was none.
    old: String,
    /// When the old one lost its name; empty where it has kept it.
    began: String,
    /// The release.
    arn: String,
    data_as_of: String,
    rules: String,
}

#[derive(Serialize)]
pub struct Output {
    endpoint: String,
    data_as_of: String,
    rules: String,
    outage_ms: u64,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let target = world.target(&input.database)?;
    let new = world.own(&input.resource_id, &input.run).await?;
    let (secret, next) = (&target.secret, names::next_secret(&target.secret, &input.run));
    // Where there was none, there is nothing to ask for.
    let old = match input.old.is_empty() {
        true => None,
        false => world.snapshots.by_resource_id(&input.old).await?,
    };
    let protected = old.map_or(target.protect, |old| old.protected);
    if protected && !new.protected {
        world.snapshots.protect(&new.resource_id, true).await?;
    }
    match Pointer::get(&world.secrets, &next).await? {
        Some(pointer) => pointer.moved(&new.endpoint).put(&world.secrets, secret).await?,
        None => already(world, secret, &input.run).await?,
    }
    let record = match record::get(&world.documents, &input.database, &input.run).await? {
        Some(record) => record,
        None => {
            let now = Timestamp::now();
            let record = Record {
                run: input.run,
                swapped_at: now,
                new: new.resource_id,
                old: Some(input.old).filter(|old| !old.is_empty()),
                source: input.arn,
                data_as_of: input.data_as_of,
                rules: input.rules,
                endpoint: new.endpoint,
                outage_ms: outage(&input.began, now),
                retired: false,
            };
            record::put(&world.documents, &input.database, &record).await?;
            record
        }
    };
    world.secrets.delete(&next).await?;
    let Record { endpoint, data_as_of, rules, outage_ms, .. } = record;
    Ok(Output { endpoint, data_as_of, rules, outage_ms })
}

/// This very run has put it there before.
async fn already<S: Snapshots>(world: &World<S>, secret: &str, run: &str) -> Result<(), StepError> {
    match Pointer::get(&world.secrets, secret).await? {
        Some(pointer) if pointer.run == run => Ok(()),
        _ => Err(StepError::Fatal("the new credentials are not there".into())),
    }
}

/// Milliseconds since the old one lost its name.
fn outage(began: &str, now: Timestamp) -> u64 {
    let began = began.parse::<Timestamp>().unwrap_or(now);
    u64::try_from(now.duration_since(began).as_millis()).unwrap_or(0)
}
