//! Every function of the development account on AWS: the handler names the step.

use std::error::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    receiver::aws::serve().await
}
