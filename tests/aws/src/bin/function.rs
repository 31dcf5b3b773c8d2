//! A Lambda function with a step for each way a step can end.

use serde_json::{Value, json};
use workflow::steps::{Steps, unknown};
use workflow::{StepError, lambda};

struct Ways;

impl Steps for Ways {
    const NAMES: &'static [&'static str] = &["Answers", "Waits", "Refuses", "Fails", "Panics"];

    async fn call(&self, step: &str, input: Value) -> Result<Value, StepError> {
        match step {
            "Answers" => Ok(json!({ "given": input })),
            "Waits" => Err(StepError::Retryable("the table is busy".into())),
            "Refuses" => Err(StepError::Refused("the snapshot is a stranger's".into())),
            "Fails" => Err(StepError::Fatal("the database is gone".into())),
            "Panics" => panic!("{} is not a date", input["secret"]),
            _ => Err(unknown(step)),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let broken = std::env::args().nth(1);
    lambda::serve(broken.map_or(Ok(Ways), |why| Err(StepError::Fatal(why)))).await
}
