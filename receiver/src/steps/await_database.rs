//! Looks whether a database is ready: under its name, with its endpoint, nothing pending, and so in several looks in a row.
//! It goes by the identifier, for names change hands.

use serde::{Deserialize, Serialize};
use snapshots::status::Meaning;
use snapshots::{Database, Snapshots};
use workflow::StepError;

use crate::poll::Poll;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    resource_id: String,
    /// What it is called when it is ready.
    name: String,
    stage: Stage,
    poll: Poll,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    /// It is restored; a cluster has no writer yet, and nothing leads to it.
    Restored,
    /// One can connect to it.
    Reachable,
    /// Its password is this account's.
    TakenOver,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Poll, StepError> {
    let Input { resource_id, name, stage, poll } = input;
    let database = world.database(&resource_id).await?;
    let deadlines = &world.settings.deadlines;
    let deadline = if stage == Stage::Restored { deadlines.restore } else { deadlines.change };
    match database.meaning() {
        Meaning::Broken | Meaning::Going => {
            return Err(StepError::Fatal(format!(
                "database {} is {}",
                database.name, database.status
            )));
        }
        Meaning::Ready if database.restart_needed && stage == Stage::TakenOver => {
            world.snapshots.restart(&resource_id).await?;
        }
        Meaning::Ready if lacks(&database, &name, stage).is_none() => {
            return Ok(poll.found(&world.settings));
        }
        _ => {}
    }
    let lacks = lacks(&database, &name, stage).unwrap_or("rest");
    let what = format!("database {name}, which is {} and lacks its {lacks}", database.status);
    poll.wait(&world.settings, deadline, &what)
}

/// What it does not have yet.
fn lacks(database: &Database, name: &str, stage: Stage) -> Option<&'static str> {
    // RDS gives an endpoint the name, some time after the database itself has it.
    let led_to =
        |endpoint: &str| !endpoint.contains(".rds.") || endpoint.starts_with(&format!("{name}."));
    let secret = database.secret.as_ref();
    if database.name != name {
        Some("name")
    } else if stage != Stage::Restored
        && (database.endpoint.is_empty() || !led_to(&database.endpoint))
    {
        Some("endpoint")
    } else if stage == Stage::TakenOver && !secret.is_some_and(|secret| secret.active) {
        Some("password")
    } else {
        None
    }
}
