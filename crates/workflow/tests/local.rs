//! Executions and events on file: what one process writes and another reads.

#![cfg(feature = "local")]
#![allow(clippy::unwrap_used, reason = "tests fail as tests do")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use workflow::local::{Executions, Post, Scaled, Started, Status};
use workflow::machine::Resource;
use workflow::run::{Answer, Calls, Clock as _, Failure, Faultless, Virtual};

const MACHINE: &str = r#"{
  "StartAt": "One",
  "States": {
    "One": { "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "TimeoutSeconds": 5,
             "Parameters": { "FunctionName": "${One}", "Payload": {} }, "Next": "Pause" },
    "Pause": { "Type": "Wait", "Seconds": 60, "End": true }
  }
}"#;

/// Answers with what another process sees meanwhile.
struct Looking<'a>(&'a Executions, Result<(), Failure>);

impl Calls for Looking<'_> {
    async fn call(&mut self, _: &str, _: &Resource, _: &Value) -> Answer {
        let seen = self.0.get("run-1").unwrap().unwrap();
        let seen = json!([seen.status, seen.state, seen.history.len()]);
        self.1.clone().map(|()| (seen, Duration::ZERO))
    }
}

fn executions() -> (tempfile::TempDir, Executions) {
    let directory = tempfile::tempdir().unwrap();
    let executions = Executions { directory: directory.path().join("executions") };
    (directory, executions)
}

fn start(executions: &Executions) -> workflow::local::Recorder {
    match executions.start("run-1", "receiver", &json!({ "database": "shop" })).unwrap() {
        Started::Yes(recorder) => recorder,
        Started::Exists(record) => panic!("{record:?}"),
    }
}

#[tokio::test]
async fn others_see_an_execution_while_it_runs_and_afterwards() {
    let (_directory, executions) = executions();
    let machine = workflow::parse("machine", MACHINE).unwrap();
    let recorder = start(&executions);
    let mut calls = Looking(&executions, Ok(()));
    recorder.run(&machine, &mut calls, &mut Virtual, &mut Faultless).await.unwrap();
    let record = executions.get("run-1").unwrap().unwrap();
    assert_eq!(record.status, Status::Succeeded);
    assert_eq!(record.output, Some(json!(["RUNNING", "One", 1])));
    let lines: Vec<_> = record.history.iter().map(|l| format!("{} {}", l.state, l.what)).collect();
    assert_eq!(lines, ["One entered", "One exited", "Pause entered", "Pause exited"]);
    assert!(record.ended.unwrap() >= record.started);
    // A name is used once.
    let again = executions.start("run-1", "receiver", &json!({})).unwrap();
    assert!(matches!(again, Started::Exists(other) if other == record));
}

#[tokio::test]
async fn a_failure_keeps_its_name_and_cause() {
    let (_directory, executions) = executions();
    let machine = workflow::parse("machine", MACHINE).unwrap();
    let mut calls = Looking(&executions, Err(Failure::new("Refused", "no")));
    let recorder = start(&executions);
    recorder.run(&machine, &mut calls, &mut Virtual, &mut Faultless).await.unwrap();
    let record = executions.get("run-1").unwrap().unwrap();
    assert_eq!((record.status, record.state.as_deref()), (Status::Failed, Some("One")));
    assert_eq!((record.error.as_deref(), record.cause.as_deref()), (Some("Refused"), Some("no")));
}

#[test]
fn what_nobody_runs_any_more_is_aborted() {
    let (_directory, executions) = executions();
    let recorder = start(&executions);
    assert_eq!(executions.get("run-1").unwrap().unwrap().status, Status::Running);
    let twice = executions.start("run-1", "receiver", &json!({})).unwrap();
    assert!(matches!(twice, Started::Exists(record) if record.status == Status::Running));
    drop(recorder);
    assert_eq!(executions.list().unwrap()[0].status, Status::Aborted);
    assert!(executions.start("../x", "receiver", &json!({})).is_err());
}

#[test]
fn events_come_in_order_and_are_taken_once() {
    let (directory, _) = executions();
    let post = Post { directory: directory.path().join("events") };
    assert_eq!(post.list().unwrap(), []);
    let detail = json!({ "database": "shop" });
    let entry = |detail: Value| json!({ "Source": "s", "DetailType": "d", "Detail": detail });
    let entries = json!({ "Entries": [entry(detail.clone()), entry(detail.to_string().into())] });
    let answer = post.put_events("222222222222", &entries).unwrap();
    assert_eq!(answer["FailedEntryCount"], 0);
    post.publish("222222222222", &json!({ "TopicArn": "t", "Message": "m" })).unwrap();
    let all = post.list().unwrap();
    assert_eq!(
        all.iter().map(|item| &item.detail).collect::<Vec<_>>(),
        [&detail, &detail, &json!("m")]
    );
    assert_eq!((all[2].source.as_str(), all[0].account.as_str()), ("t", "222222222222"));
    post.remove(&all[0].id).unwrap();
    post.remove(&all[0].id).unwrap();
    assert_eq!(post.list().unwrap(), all[1..]);
}

#[tokio::test]
async fn a_scaled_clock_waits_a_part_of_it() {
    let begun = Instant::now();
    Scaled { speed: 1000 }.wait(Duration::from_secs(20)).await;
    assert!(begun.elapsed() >= Duration::from_millis(20));
    assert!(begun.elapsed() < Duration::from_secs(5));
}
