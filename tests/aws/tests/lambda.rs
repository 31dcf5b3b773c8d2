//! The program as AWS runs it: a process of its own that asks Lambda's runtime API for its next call, one call each.

use std::process::Command;

use e2e_aws::function::{called, outcome};
use serde_json::{Value, json};

fn input() -> Value {
    json!({ "database": "shop", "secret": "hunter2" })
}

/// What a state machine sees, and what a log would.
async fn called_with(
    handler: &str,
    arguments: &[&str],
) -> (Result<Value, (String, String)>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_function"));
    let (post, said) = called(command.args(arguments), handler, &input()).await;
    (outcome(&post), said)
}

async fn error(handler: &str, arguments: &[&str]) -> (String, String) {
    let (outcome, said) = called_with(handler, arguments).await;
    assert!(!said.contains("hunter2"), "{said}");
    outcome.expect_err("it fails")
}

fn pair(name: &str, cause: &str) -> (String, String) {
    (name.into(), cause.into())
}

#[tokio::test]
async fn the_handlers_step_answers() {
    let (outcome, said) = called_with("Answers", &[]).await;
    assert_eq!(outcome, Ok(json!({ "given": input() })));
    assert_eq!(said, "");
}

#[tokio::test]
async fn a_failure_bears_the_name_that_the_state_machine_matches_on() {
    assert_eq!(error("Waits", &[]).await, pair("Retryable", "the table is busy"));
    assert_eq!(error("Refuses", &[]).await, pair("Refused", "the snapshot is a stranger's"));
    assert_eq!(error("Fails", &[]).await, pair("Fatal", "the database is gone"));
}

#[tokio::test]
async fn no_text_of_a_panic_leaves_the_process() {
    assert_eq!(error("Panics", &[]).await, pair("Fatal", "the step `Panics` panicked: a bug"));
}

#[tokio::test]
async fn a_function_that_cannot_begin_says_why_to_the_state_machine() {
    let why = "the settings name no table";
    assert_eq!(error("Answers", &[why]).await, pair("Fatal", why));
    assert_eq!(error("Nothing", &[]).await, pair("Fatal", "there is no step `Nothing`"));
}
