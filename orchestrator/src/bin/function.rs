//! Every function of the production account on AWS: the handler names the step.

use std::error::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    orchestrator::aws::serve().await
}
