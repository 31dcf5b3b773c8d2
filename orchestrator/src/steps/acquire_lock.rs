//! Takes the lease of a database for this execution. Where another execution has it, says which: this one then ends well and
//! has done nothing.

use account::Acquired;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::record::{self, Record};
use crate::world::World;

/// Names of runs become parts of the names of everything they make.
const LONGEST_RUN: usize = 40;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What the execution was started with.
    request: Request,
    run: String,
}

/// All that an execution can be told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    database: String,
    /// Why, in somebody's words: it stands in the execution's input and is used for nothing.
    #[serde(default)]
    #[expect(dead_code, reason = "it is there to be read in the execution's input")]
    reason: Option<String>,
    #[serde(default)]
    max_age_hours: Option<u32>,
}

#[derive(Serialize)]
pub struct Output {
    database: String,
    acquired: bool,
    /// Who has it.
    holder: String,
    max_age_hours: u32,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { request, run } = input;
    check(&run)?;
    let server = world.server(&request.database)?;
    // A wish can only be stricter than the settings.
    let max_age_hours = request.max_age_hours.unwrap_or(u32::MAX).min(server.max_age_hours);
    // The record comes first: whoever dies holding the lease can be told from somebody who runs.
    if record::get(&world.documents, &run).await?.is_none() {
        let record = Record {
            database: request.database.clone(),
            started_at: Timestamp::now(),
            restored: Default::default(),
        };
        record::put(&world.documents, &run, &record).await?;
    }
    let seconds = i64::try_from(world.settings.deadlines.execution).unwrap_or(i64::MAX);
    let span = SignedDuration::from_secs(seconds);
    let acquired = world.locks.acquire(&request.database, &run, span).await?;
    let holder = match acquired {
        Acquired::Yes => run.clone(),
        Acquired::HeldBy(other) => {
            record::delete(&world.documents, &run).await?;
            other
        }
    };
    Ok(Output { acquired: holder == run, database: request.database, holder, max_age_hours })
}

fn check(run: &str) -> Result<(), StepError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if run.is_empty() || run.len() > LONGEST_RUN || !run.chars().all(fits) {
        return Err(StepError::Refused(format!(
            "`{run}` is no name of an execution\n(hint: 1 to {LONGEST_RUN} letters, digits and hyphens)"
        )));
    }
    Ok(())
}
