//! A function as AWS runs it: a process of its own that asks Lambda's runtime API for its next call. It gets one.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::endpoint::{Answer, Asked, Endpoint};

/// The call's number.
const CALL: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

/// Ends the process with the test.
struct Function(Child);

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What is posted for one call, and what the process says on its standard error.
pub async fn called(command: &mut Command, handler: &str, input: &Value) -> (Asked, String) {
    let (posted, mut posts) = mpsc::unbounded_channel();
    let (first, input) = (AtomicBool::new(true), input.clone());
    let endpoint = Endpoint::new(move |asked: &Asked| {
        if asked.method == "POST" {
            posted.send(asked.clone()).expect("somebody waits");
            return Some(Answer::new(202, r#"{"status":"OK"}"#));
        }
        assert_eq!(asked.path, "/2018-06-01/runtime/invocation/next");
        first.swap(false, Ordering::SeqCst).then(|| invocation(&input))
    });
    let endpoint = endpoint.await.expect("a free port");
    let child = command
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
    stderr.read_to_string(&mut said).expect("it is text");
    (post, said)
}

/// What a state machine sees: what the step answers, or the error's type and what is said of it.
pub fn outcome(post: &Asked) -> Result<Value, (String, String)> {
    let body: Value = serde_json::from_slice(&post.body).expect("it is JSON");
    if post.path == path("response") {
        return Ok(body);
    }
    assert_eq!(post.path, path("error"));
    assert_eq!(post.header("lambda-runtime-function-error-type"), "unhandled");
    let field = |name: &str| body[name].as_str().expect("it is a text").to_owned();
    Err((field("errorType"), field("errorMessage")))
}

fn invocation(input: &Value) -> Answer {
    let headers = vec![
        ("content-type", "application/json".into()),
        ("lambda-runtime-aws-request-id", CALL.into()),
        ("lambda-runtime-deadline-ms", "4102444800000".into()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:111111111111:function:find-snapshot".into(),
        ),
    ];
    Answer { status: 200, headers, body: json!(input).to_string().into() }
}

fn path(end: &str) -> String {
    format!("/2018-06-01/runtime/invocation/{CALL}/{end}")
}
