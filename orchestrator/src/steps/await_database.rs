//! Looks whether a database is ready: with its writer where it is a cluster, without pending changes, the new password valid.
//! What has just been asked for may not be seen yet, so that one look is not enough after a change.

use serde::{Deserialize, Serialize};
use snapshots::status::Meaning;
use snapshots::{Database, Kind, Snapshots};
use workflow::StepError;

use crate::poll::Poll;
use crate::world::World;

/// What it is waited for.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Until {
    /// It is restored.
    Restored,
    /// It has its writer.
    Written,
    /// It is taken over.
    TakenOver,
    /// It has come back.
    Restarted,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    resource_id: String,
    until: Until,
    waited: u64,
    /// Looks in a row at which it was ready.
    steady: u32,
}

#[derive(Serialize)]
pub struct Output {
    resource_id: String,
    steady: u32,
    #[serde(flatten)]
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { resource_id, until, waited, steady } = input;
    let found = world.snapshots.by_resource_id(&resource_id).await?;
    let steady = match found.as_ref().map_or(Meaning::Wait, Database::meaning) {
        Meaning::Ready if found.as_ref().is_some_and(|found| until.holds(found)) => steady + 1,
        Meaning::Ready | Meaning::Wait | Meaning::Unknown => 0,
        Meaning::Stopped | Meaning::Going | Meaning::Broken => {
            let status = found.map_or_else(String::new, |found| found.status);
            return Err(StepError::Fatal(format!("database {resource_id} is {status}")));
        }
    };
    if steady >= until.looks() {
        return Ok(Output { resource_id, steady, poll: Poll::ready(waited) });
    }
    let settings = &world.settings;
    let deadline = match until {
        Until::Restored => settings.deadlines.restore,
        _ => settings.deadlines.change,
    };
    let status = found.map_or_else(|| "absent".to_owned(), |found| found.status);
    let what = format!("database {resource_id}, which is {status}");
    let poll = Poll::wait(waited, deadline, &settings.pauses, &what)?;
    Ok(Output { resource_id, steady, poll })
}

impl Until {
    fn looks(self) -> u32 {
        match self {
            Until::Restored | Until::Written => 1,
            Until::TakenOver | Until::Restarted => 2,
        }
    }

    fn holds(self, found: &Database) -> bool {
        let written = found.kind == Kind::Instance || found.members.iter().any(|one| one.writer);
        let known = found.secret.as_ref().is_none_or(|secret| secret.active);
        match self {
            Until::Restored => true,
            Until::Written => written,
            Until::TakenOver => written && known,
            Until::Restarted => written && known && !found.restart_needed,
        }
    }
}
