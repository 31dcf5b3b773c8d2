//! Calls answered on one machine: functions by the steps themselves, everything else by the account's services.
//!
//! The names of functions are the definitions' own placeholders, `${FindSnapshot}`: on AWS a deployment puts identifiers in
//! their place, here they are looked up.

#[cfg(feature = "local")]
mod clock;
#[cfg(feature = "local")]
mod executions;
#[cfg(feature = "local")]
mod file;
#[cfg(feature = "local")]
mod post;

use std::future::Future;
use std::time::Instant;

use serde_json::{Value, json};

#[cfg(feature = "local")]
pub use self::{
    clock::Scaled,
    executions::{Executions, Line, Record, Recorder, Started, Status},
    post::{Item, Post},
};
use crate::machine::Resource;
use crate::run::{Answer, Calls, Failure};
use crate::steps::Steps;

/// What an account does besides its steps.
pub trait Services {
    /// Runs a container to its end and answers as `ecs:runTask.sync` does: with the task, or with `States.TaskFailed` and the
    /// task as its cause.
    fn run_task(&self, parameters: &Value) -> impl Future<Output = Result<Value, Failure>>;
    /// Runs another machine to its end and answers as `states:startExecution.sync:2` does.
    fn start_execution(&self, parameters: &Value) -> impl Future<Output = Result<Value, Failure>>;
    /// Takes a message to a topic.
    fn publish(&self, parameters: &Value) -> impl Future<Output = Result<Value, Failure>>;
    /// Takes events to a bus.
    fn put_events(&self, parameters: &Value) -> impl Future<Output = Result<Value, Failure>>;
}

/// An account on this machine.
pub struct Local<'a, S, V> {
    /// Its steps.
    pub steps: &'a S,
    /// The rest.
    pub services: &'a V,
}

/// What an execution is told of itself: `$$`. Times are RFC 3339.
pub fn context(machine: &str, execution: &str, started_at: &str, input: &Value) -> Value {
    json!({
        "Execution": {
            "Id": format!("arn:aws:states:local:000000000000:execution:{machine}:{execution}"),
            "Name": execution,
            "StartTime": started_at,
            "Input": input,
        },
        "StateMachine": {
            "Id": format!("arn:aws:states:local:000000000000:stateMachine:{machine}"),
            "Name": machine,
        },
    })
}

impl<S: Steps, V: Services> Calls for Local<'_, S, V> {
    async fn call(&mut self, _: &str, resource: &Resource, parameters: &Value) -> Answer {
        let begun = Instant::now();
        let answer = match resource {
            Resource::Lambda => self.invoke(parameters).await,
            Resource::RunTask => self.services.run_task(parameters).await,
            Resource::StartExecution => self.services.start_execution(parameters).await,
            Resource::Publish => self.services.publish(parameters).await,
            Resource::PutEvents => self.services.put_events(parameters).await,
        };
        answer.map(|answer| (answer, begun.elapsed()))
    }
}

impl<S: Steps, V> Local<'_, S, V> {
    async fn invoke(&self, parameters: &Value) -> Result<Value, Failure> {
        let name = parameters["FunctionName"].as_str().unwrap_or_default();
        let step = name.strip_prefix("${").and_then(|name| name.strip_suffix('}'));
        let Some(step) = step.filter(|step| S::NAMES.contains(step)) else {
            let cause = format!("there is no function `{name}`");
            return Err(Failure::new("Lambda.ResourceNotFoundException", cause));
        };
        let answer = self.steps.call(step, parameters["Payload"].clone()).await;
        let payload = answer.map_err(|error| Failure::new(error.name(), error.cause()))?;
        Ok(json!({ "StatusCode": 200, "Payload": payload }))
    }
}
