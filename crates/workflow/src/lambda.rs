//! Steps as an AWS Lambda function: each function of a deployment runs the same program, and its handler is a step's name.
//!
//! What a step answers and how it fails goes to the state machine and nowhere else: nothing is logged, and of a panic no text
//! leaves the process, for it may quote a value.

use std::io::Write as _;
use std::panic::{self, AssertUnwindSafe};

use futures_util::FutureExt as _;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::Value;

use crate::step_error::StepError;
use crate::steps::{Steps, unknown};

/// Names the step: AWS takes it from the function's configuration.
const HANDLER: &str = "_HANDLER";

impl From<StepError> for Diagnostic {
    fn from(error: StepError) -> Self {
        Diagnostic { error_type: error.name().into(), error_message: error.cause().into() }
    }
}

/// Answers calls of the step that the function's handler names until the environment ends. Where the steps could not be set
/// up each call is answered with why, so that the state machine is told and not only a log.
pub async fn serve<S: Steps>(steps: Result<S, StepError>) -> Result<(), lambda_runtime::Error> {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // There is nobody left to tell.
        let _ = writeln!(std::io::stderr(), "internal error at {place}: a bug");
    }));
    #[expect(clippy::disallowed_methods, reason = "the runtime tells a function its handler so")]
    let step = std::env::var(HANDLER).unwrap_or_default();
    let (step, steps) = (step.as_str(), steps.as_ref());
    let handle = async |event: LambdaEvent<Value>| call(step, steps, event.payload).await;
    Runtime::new(service_fn(handle)).run().await
}

async fn call<S: Steps>(
    step: &str,
    steps: Result<&S, &StepError>,
    input: Value,
) -> Result<Value, StepError> {
    let steps = steps.map_err(Clone::clone)?;
    if !S::NAMES.contains(&step) {
        return Err(unknown(step));
    }
    let panicked = |_| Err(StepError::Fatal(format!("the step `{step}` panicked: a bug")));
    AssertUnwindSafe(steps.call(step, input)).catch_unwind().await.unwrap_or_else(panicked)
}
