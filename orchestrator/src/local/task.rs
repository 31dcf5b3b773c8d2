//! A container as a process: the masking command with the environment of the overrides and nothing else of ours, ended when it
//! takes too long, and described as the container service describes a task.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;
use workflow::run::Failure;

use crate::steps::CONTAINER;

/// So many bytes of what was said are a reason.
const REASON: usize = 1000;
/// Signals count from here in exit codes.
const SIGNALS: i32 = 128;

/// Runs it to its end.
pub async fn run(
    command: &Path,
    parameters: &Value,
    masking_key: &Path,
    logs: &Path,
    limit: Duration,
) -> Result<Value, Failure> {
    let container = &parameters["Overrides"]["ContainerOverrides"][0];
    let mut process = Command::new(command);
    process.env_clear().stdin(Stdio::null()).kill_on_drop(true);
    // What the task definition has, not the execution: where the key is.
    process.env("ANONYMIZER_KEY_FILE", masking_key);
    for word in list(&container["Command"]) {
        process.arg(word.as_str().unwrap_or_default());
    }
    let mut run = "run";
    for variable in list(&container["Environment"]) {
        let text = |key: &str| variable[key].as_str().unwrap_or_default();
        process.env(text("Name"), text("Value"));
        if text("Name") == "ANONYMIZER_RUN_ID" {
            run = variable["Value"].as_str().unwrap_or(run);
        }
    }
    let earlier = said(logs, run).len();
    let started = log(logs, run).and_then(|log| {
        process.stdout(log.try_clone()?).stderr(log);
        process.spawn()
    });
    let not_started = |error: std::io::Error| {
        let task = json!({ "Containers": [{ "Name": CONTAINER }], "StopCode": "TaskFailedToStart",
                           "StoppedReason": error.kind().to_string() });
        Failure::new("States.TaskFailed", task.to_string())
    };
    let mut child = started.map_err(not_started)?;
    let Ok(ended) = tokio::time::timeout(limit, child.wait()).await else {
        // Nobody may go on masking what is about to be removed.
        let _ = child.kill().await;
        return Err(Failure::new("States.Timeout", format!("no end in {} s", limit.as_secs())));
    };
    let reason = said(logs, run).split_off(earlier);
    described(code(ended.map_err(not_started)?), &reason)
}

/// Of a failure, what the command said last is the reason; the rest is in the log.
fn described(code: i32, said: &[u8]) -> Result<Value, Failure> {
    let mut task = json!({
        "Containers": [{ "Name": CONTAINER, "ExitCode": code }],
        "LastStatus": "STOPPED",
        "StopCode": "EssentialContainerExited",
    });
    if code == 0 {
        return Ok(task);
    }
    let said = String::from_utf8_lossy(&said[said.len().saturating_sub(REASON)..]).into_owned();
    task["Containers"][0]["Reason"] = said.trim().into();
    Err(Failure::new("States.TaskFailed", task.to_string()))
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| SIGNALS + status.signal().unwrap_or_default())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// What the command has said in this run.
fn said(directory: &Path, run: &str) -> Vec<u8> {
    std::fs::read(directory.join(format!("{run}.log"))).unwrap_or_default()
}

/// What the command says is kept beside the executions, one file for each run.
fn log(directory: &Path, run: &str) -> std::io::Result<File> {
    std::fs::create_dir_all(directory)?;
    File::options().create(true).append(true).open(directory.join(format!("{run}.log")))
}
