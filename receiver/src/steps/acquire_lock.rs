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
    Ok(match world.locks.acquire(&database, &run, span).await? {
        Acquired::Yes => Output { acquired: true, holder: run },
        // What a dead run has left must be taken back before another begins.
        Acquired::HeldBy(holder) if !world.executions.runs(&holder).await? => {
            return Err(StepError::Fatal(format!(
                "{holder} has the lease of {database} and does not run any more\n(hint: the reaper gives it back)"
            )));
        }
        Acquired::HeldBy(holder) => Output { acquired: false, holder },
    })
}
