//! Decides what a container's failure means: an interruption, after which masking goes on where it was, or an end. It knows
//! the masking command's exit codes and the words for how a task stops; anything else is an end.

use contract::exit_codes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapshots::Snapshots;
use workflow::StepError;

use crate::world::World;

/// The container.
pub const CONTAINER: &str = "anonymizer";

/// Ended by a signal that asks, and by one that does not.
const KILLED: [i64; 2] = [143, 137];
/// Words for tasks that the platform stopped or could not start.
const INTERRUPTED: [&str; 5] = [
    "TaskFailedToStart",
    "SpotInterruption",
    "TerminationNotice",
    "InfrastructureHealth",
    "ServiceSchedulerInitiated",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    failure: Failure,
    /// Interruptions before this one.
    interruptions: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    cause: String,
}

#[derive(Serialize)]
pub struct Output {
    interruptions: u32,
    /// Seconds to wait before masking goes on.
    seconds: u64,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    judge(&input.failure.cause)?;
    let interruptions = input.interruptions + 1;
    if interruptions > world.settings.resumes {
        return Err(StepError::Fatal(format!(
            "masking was interrupted {interruptions} times\n(hint: `resumes` in the settings says how often it goes on)"
        )));
    }
    Ok(Output { interruptions, seconds: world.settings.pauses.then.max(1) })
}

/// `Ok` for an interruption.
fn judge(cause: &str) -> Result<(), StepError> {
    let task: Value = serde_json::from_str(cause)
        .map_err(|_| StepError::Fatal("the container could not be run".to_owned()))?;
    let code = exit_code(&task);
    let ended = |code: u8| code_is(code_of(code), &task);
    if ended(exit_codes::TEMPORARY) || code.is_some_and(|code| KILLED.contains(&code)) {
        return Ok(());
    }
    if code.is_none() && INTERRUPTED.contains(&task["StopCode"].as_str().unwrap_or_default()) {
        return Ok(());
    }
    if ended(exit_codes::USAGE) {
        let text = "the container cannot use the rules, the key or the login that it is told\n(hint: its log says which, and why)";
        return Err(StepError::Refused(text.to_owned()));
    }
    if ended(exit_codes::REFUSED) {
        return Err(StepError::Refused(format!(
            "masking was refused: the rules do not fit the database{}\n(hint: the container's log names every finding)",
            reason(&task)
        )));
    }
    if ended(exit_codes::VERIFY_FAILED) {
        let text = "the masked database did not pass verification\n(hint: the report and the container's log say where)";
        return Err(StepError::Refused(text.to_owned()));
    }
    let code = code.map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"));
    Err(StepError::Fatal(format!("the container ended with {code}")))
}

fn code_of(code: u8) -> i64 {
    code.into()
}

fn code_is(code: i64, task: &Value) -> bool {
    exit_code(task) == Some(code)
}

/// The exit code of the container of that name; a container that never ran has none.
pub fn exit_code(task: &Value) -> Option<i64> {
    container(task)?["ExitCode"].as_i64()
}

/// Why the container ended, where the platform says so.
fn reason(task: &Value) -> String {
    let reason = container(task).and_then(|ours| ours["Reason"].as_str());
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

fn container(task: &Value) -> Option<&Value> {
    let containers = task["Containers"].as_array()?;
    containers.iter().find(|container| container["Name"] == CONTAINER)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(task: Value) -> &'static str {
        judge(&task.to_string()).map_or_else(|error| error.name(), |()| "resume")
    }

    fn ended(code: i64) -> Value {
        json!({ "Containers": [{ "Name": "sidecar", "ExitCode": 75 }, { "Name": CONTAINER, "ExitCode": code }],
                "StopCode": "EssentialContainerExited" })
    }

    #[test]
    fn only_an_interruption_is_resumed() {
        for (code, meaning) in [
            (75, "resume"),
            (137, "resume"),
            (143, "resume"),
            (1, "Fatal"),
            (2, "Refused"),
            (3, "Refused"),
            (4, "Refused"),
            (139, "Fatal"),
        ] {
            assert_eq!(judged(ended(code)), meaning, "{code}");
        }
        let stopped =
            |word: &str| json!({ "Containers": [{ "Name": CONTAINER }], "StopCode": word });
        for word in INTERRUPTED {
            assert_eq!(judged(stopped(word)), "resume", "{word}");
        }
        assert_eq!(judged(stopped("UserInitiated")), "Fatal");
        assert_eq!(judged(stopped("EssentialContainerExited")), "Fatal");
        assert_eq!(judge("Capacity is unavailable at this time.").unwrap_err().name(), "Fatal");
    }
}
