//! `refresh`, as a developer calls it: real processes, and executions that go on in processes of their own.

use std::process::{Command, Output};

use serde_json::{Value, json};
use workflow::local::Started;
use workflow::run::{Faultless, Virtual};

use crate::world::*;

async fn ready() -> Both {
    let both = Both::new();
    let settings = serde_json::to_vec(&both.world.settings).unwrap();
    both.world.documents.put("receiver.json", &settings).await.unwrap();
    both
}

fn refresh(both: &Both, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refresh"));
    command.args(arguments.split(' ')).arg("--local").arg(both.root());
    command
}

fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn run(both: &Both, arguments: &str) -> (i32, String, String) {
    said(&refresh(both, arguments).output().unwrap())
}

fn document(both: &Both, arguments: &str) -> Value {
    let (code, answer, error) = run(both, arguments);
    assert_eq!(code, 0, "{error}");
    serde_json::from_str(&answer).unwrap()
}

#[tokio::test]
async fn a_developer_has_fresh_data_and_sees_how_it_came() {
    let both = ready().await;
    let (_, answer, _) = run(&both, "status");
    assert!(answer.contains("no release was brought yet"), "{answer}");
    let released = both.release("1", 11).await;
    let (code, answer, steps) = run(&both, "request --wait --reason testing");
    assert_eq!(code, 0, "{steps}");
    let shop = both.database("shop").await.unwrap();
    for told in ["the newest release is in use", &shop.endpoint, &released.data_as_of, "e2e2"] {
        assert!(answer.contains(told), "{told}: {answer}");
    }
    // Nobody's terminal: plain lines, each step with its time.
    for step in ["FindRelease", "VerifyRelease", "CopySnapshot", "Restore", "SmokeCheck"] {
        assert!(steps.lines().any(|line| line.contains(step) && line.ends_with(" s")), "{steps}");
    }
    assert!(!steps.contains('\u{1b}'), "{steps}");
    let (code, answer, _) = run(&both, "request --wait");
    assert_eq!((code, answer.contains("in use already")), (0, true), "{answer}");

    let status = document(&both, "status --format json");
    assert_eq!(status["data_as_of"], json!(released.data_as_of));
    assert_eq!((&status["secret"], &status["running"]), (&json!("shop/database"), &Value::Null));
    let history = document(&both, "history --format json");
    let outcomes: Vec<_> = history.as_array().unwrap().iter().map(|row| &row["outcome"]).collect();
    assert_eq!(outcomes, ["unchanged", "replaced"]);
    assert_eq!(history[1]["reason"], "testing");
}

#[tokio::test]
async fn what_is_refused_has_its_own_exit_code() {
    let both = ready().await;
    both.release_with("1", 11, &Flaws { signer: Some(7), ..FLAWLESS }).await;
    let (code, answer, error) = run(&both, "request --wait");
    assert_eq!((code, answer.as_str()), (3, ""), "{error}");
    assert!(error.contains("error: refresh-") && error.contains("Refused"), "{error}");
    let (_, history, _) = run(&both, "history");
    assert!(history.contains("failed: Refused"), "{history}");
}

#[tokio::test]
async fn a_second_developer_looks_on() {
    let both = ready().await;
    both.release("1", 11).await;
    let input = json!({ "database": "shop" });
    let Started::Yes(recorder) =
        both.account.executions().start("run-9", "receiver", &input).unwrap()
    else {
        panic!("it was started before")
    };
    let attached = document(&both, "request --format json");
    assert_eq!(attached, json!({ "run": "run-9", "attached": true }));
    assert_eq!(document(&both, "status --format json")["running"]["run"], "run-9");
    let watching = refresh(&both, "request --wait")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let machine = receiver::definitions::WORKFLOW.parse().unwrap();
    let mut calls = workflow::local::Local { steps: &both.world, services: &both.account };
    recorder.run(&machine, &mut calls, &mut Virtual, &mut Faultless).await.unwrap();
    let (code, answer, steps) = said(&watching.wait_with_output().unwrap());
    assert_eq!(code, 0, "{steps}");
    assert!(answer.contains("the newest release is in use"), "{answer}");
    assert_eq!(both.account.executions().list().unwrap().len(), 1, "nobody started another");
}

#[tokio::test]
async fn production_is_asked_for_a_new_one_with_one_event_and_no_more() {
    let both = ready().await;
    let (code, answer, error) = run(&both, "request --new --max-age 4 --reason demo");
    assert_eq!(code, 0, "{error}");
    assert!(answer.contains("production was asked"), "{answer}");
    let events = both.account.events_of(PRODUCTION).list().unwrap();
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(
        (event.source.as_str(), event.account.as_str()),
        ("anonymizer.refresh", DEVELOPMENT)
    );
    assert_eq!(event.detail_type, "RefreshRequested");
    assert_eq!(event.detail, json!({ "database": "shop", "reason": "demo", "max_age_hours": 4 }));
    assert_eq!(both.account.executions().list().unwrap(), []);
}

#[tokio::test]
async fn an_account_is_made_with_a_key_that_is_pinned() {
    let both = Both::new();
    let pem = both.directory.path().join("key.pem");
    std::fs::write(&pem, &both.world.settings.public_keys[1]).unwrap();
    let set_up = |share_key: &str, database: &str| {
        let line = format!(
            "set-up --account {DEVELOPMENT} --producer {PRODUCTION} --share-key {share_key} --database {database} --public-key {}",
            pem.display()
        );
        run(&both, &line)
    };
    assert_eq!(set_up("no-key", "shop").0, 1);
    assert!(both.account.settings().await.is_err(), "nothing was written");
    assert_eq!(set_up(&both.share_key, "shop").0, 0);
    both.release("1", 11).await;
    let (code, answer, error) = run(&both, "request --wait");
    assert_eq!((code, answer.contains("is in use")), (0, true), "{error}");
    // Another one does not take the first one's place.
    std::fs::write(&pem, &both.world.settings.public_keys[0]).unwrap();
    assert_eq!(set_up(&both.share_key, "crm").0, 0);
    let settings = both.account.settings().await.unwrap();
    assert_eq!(settings.public_keys, both.world.settings.public_keys[1..]);
    assert_eq!(settings.databases.len(), 2);
}

#[tokio::test]
async fn a_wrong_command_line_is_usage() {
    let both = ready().await;
    assert_eq!(run(&both, "status --database crm").0, 2);
    assert_eq!(run(&both, "request --max-age 4").0, 2);
    assert_eq!(run(&both, "request --new").0, 2);
    let no_account = Command::new(env!("CARGO_BIN_EXE_refresh")).arg("status").output().unwrap();
    assert_eq!(said(&no_account).0, 2);
}

#[tokio::test]
async fn two_developers_at_the_same_moment_replace_it_once() {
    let both = ready().await;
    both.release("1", 11).await;
    let ask = || {
        let mut command = refresh(&both, "request --wait");
        let quiet = std::process::Stdio::piped;
        command.stdout(quiet()).stderr(quiet()).spawn().unwrap()
    };
    let asked = [ask(), ask(), ask()];
    for one in asked {
        let (code, answer, steps) = said(&one.wait_with_output().unwrap());
        assert_eq!(code, 0, "{answer}{steps}");
    }
    let history = document(&both, "history --format json");
    let outcomes = history.as_array().unwrap().iter().map(|row| row["outcome"].clone());
    assert_eq!(outcomes.filter(|outcome| outcome == "replaced").count(), 1, "{history}");
    assert_eq!(both.customers().await, 11);
    assert_eq!(both.world.locks.owner("shop").await, Ok(None));
}

/// Built with the feature, the test of that asks a server.
#[cfg(not(feature = "aws"))]
#[test]
fn without_the_feature_an_account_on_aws_is_refused_with_the_cure() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refresh"));
    let machine = "arn:aws:states:eu-west-1:222222222222:stateMachine:dev-workflow";
    let output = command.args(["status", "--database", "shop", "--workflow", machine]).output();
    let (code, _, error) = said(&output.unwrap());
    assert_eq!((code, error.contains("--features aws")), (2, true), "{error}");
}
