//! The program as AWS runs it: a process of its own that asks Lambda's runtime API for its next call, one call each.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use e2e_aws::endpoint::{Answer, Asked, Endpoint};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

const INPUT: &str = r#"{"database":"shop","secret":"hunter2"}"#;

/// Ends the process with the test.
struct Function(Child);

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What is posted for one call, and what the process says on its standard error.
async fn called(handler: &str, arguments: &[&str]) -> (Asked, String) {
    let (posted, mut posts) = mpsc::unbounded_channel();
    let first = AtomicBool::new(true);
    let endpoint = Endpoint::new(move |asked: &Asked| {
        if asked.method == "POST" {
            posted.send(asked.clone()).expect("somebody waits");
            return Some(Answer::new(202, r#"{"status":"OK"}"#));
        }
        assert_eq!(asked.path, "/2018-06-01/runtime/invocation/next");
        first.swap(false, Ordering::SeqCst).then(invocation)
    });
    let endpoint = endpoint.await.expect("a free port");
    let child = Command::new(env!("CARGO_BIN_EXE_function"))
        .args(arguments)
        .env("_HANDLER", handler)
        .env("AWS_LAMBDA_RUNTIME_API", endpoint.address())
        .env("AWS_LAMBDA_FUNCTION_NAME", "find-snapshot")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "7")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .stderr(Stdio::piped())
        .spawn();
    let mut function = Function(child.expect("the function starts"));
    let post = timeout(Duration::from_secs(60), posts.recv()).await;
    let post = post.expect("the function answers in time").expect("the server runs");
    let mut stderr = function.0.stderr.take().expect("it is piped");
    drop(function);
    let mut said = String::new();
    std::io::Read::read_to_string(&mut stderr, &mut said).expect("it is text");
    (post, said)
}

fn invocation() -> Answer {
    let headers = vec![
        ("content-type", "application/json".into()),
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd".into()),
        ("lambda-runtime-deadline-ms", "4102444800000".into()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:111111111111:function:find-snapshot".into(),
        ),
    ];
    Answer { status: 200, headers, body: INPUT.into() }
}

fn path(end: &str) -> String {
    format!("/2018-06-01/runtime/invocation/8476a536-e9f4-11e8-9739-2dfe598c3fcd/{end}")
}

/// What a state machine sees: the error's type and what is said of it.
async fn error(handler: &str, arguments: &[&str]) -> (String, String) {
    let (post, said) = called(handler, arguments).await;
    assert_eq!(post.path, path("error"));
    assert!(!said.contains("hunter2"), "{said}");
    let body: Value = serde_json::from_slice(&post.body).expect("it is JSON");
    let field = |name: &str| body[name].as_str().expect("it is a text").to_owned();
    assert_eq!(post.header("lambda-runtime-function-error-type"), "unhandled");
    (field("errorType"), field("errorMessage"))
}

fn pair(name: &str, cause: &str) -> (String, String) {
    (name.into(), cause.into())
}

#[tokio::test]
async fn the_handlers_step_answers() {
    let (post, said) = called("Answers", &[]).await;
    assert_eq!(post.path, path("response"));
    let given: Value = serde_json::from_str(INPUT).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&post.body).unwrap(), json!({ "given": given }));
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
