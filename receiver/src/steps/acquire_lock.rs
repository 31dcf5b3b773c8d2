//! Takes the lease of a database for this run. Where another run has it, says which: this one then ends well and has done
//! nothing.

use account::Acquired;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::names;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
}

#[derive(Serialize)]
pub struct Output {
    acquired: bool,
    /// Who has it.
    holder: String,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { database, run } = input;
    if !names::is_run(&run) {
        let text = format!("`{run}` is no name of a run: 1 to 40 letters, digits and hyphens");
        return Err(StepError::Refused(text));
    }
    world.target(&database)?;
    let seconds = i64::try_from(world.settings.deadlines.execution).unwrap_or(i64::MAX);
    let span = SignedDuration::from_secs(seconds);
    let acquired = world.locks.acquire(&database, &run, span).await?;
    let Acquired::HeldBy(holder) = acquired else {
        return Ok(Output { acquired: true, holder: run });
    };
    if world.executions.runs(&holder).await? {
        return Ok(Output { acquired: false, holder });
    }
    // It has ended: well, and then it has given the lease back before, or not, and then the reaper comes first.
    match world.locks.acquire(&database, &run, span).await? {
        Acquired::Yes => Ok(Output { acquired: true, holder: run }),
        Acquired::HeldBy(other) if other != holder => Ok(Output { acquired: false, holder: other }),
        Acquired::HeldBy(_) => Err(StepError::Fatal(format!(
            "{holder} has the lease of {database} and does not run any more\n(hint: the reaper gives it back)"
        ))),
    }
}
