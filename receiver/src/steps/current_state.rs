//! Looks at the database that is in use: whether it has this release already, and how a new one can take its place.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use snapshots::status::Meaning;
use snapshots::{Database, Snapshots};
use workflow::StepError;

use crate::current::{self, Way};
use crate::names;
use crate::poll::Poll;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    /// The release.
    arn: String,
    data_as_of: String,
    poll: Poll,
}

#[derive(Serialize)]
pub struct Output {
    /// The release is in use, or newer data is.
    applied: bool,
    way: Way,
    /// What its status says, or `absent`.
    status: String,
    /// The database in use; empty where there is none.
    resource_id: String,
    endpoint: String,
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let target = world.target(&input.database)?;
    let current = current::database(world, target).await?;
    let named = world.snapshots.database(&target.name).await?;
    let applied = current.as_ref().is_some_and(|current| has(current, &input));
    let way = current::way(target.swap, current.as_ref(), named.as_ref());
    let status = current.as_ref().map_or("absent", |current| &current.status).to_owned();
    let poll = match way {
        _ if applied => input.poll.done(),
        Way::Wait => {
            let what = format!("database {} to be usable, which is {status}", target.name);
            input.poll.wait(&world.settings, world.settings.deadlines.change, &what)?
        }
        Way::Never => {
            return Err(StepError::Refused(format!(
                "database {} is {status} and cannot be renamed\n(hint: delete it, or let `swap` be `both` or `pointer`)",
                target.name
            )));
        }
        _ => input.poll.done(),
    };
    let (resource_id, endpoint) =
        current.map_or_else(Default::default, |current| (current.resource_id, current.endpoint));
    Ok(Output { applied, way, status, resource_id, endpoint, poll })
}

/// It has this release, or data that is newer. What is broken has nothing.
fn has(current: &Database, input: &Input) -> bool {
    let usable = matches!(current.meaning(), Meaning::Ready | Meaning::Stopped | Meaning::Wait);
    let same = current.tags.get(names::SOURCE_TAG) == Some(&input.arn);
    let moment = |text: &str| text.parse::<Timestamp>().ok();
    let as_of = current.tags.get(names::AS_OF_TAG).and_then(|text| moment(text));
    let newer = as_of.is_some_and(|as_of| moment(&input.data_as_of).is_some_and(|new| as_of > new));
    usable && (same || newer)
}
