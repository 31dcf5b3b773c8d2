//! Compares every fact about a restored database with what was asked for. Nothing is assumed: whatever differs refuses the
//! run before a container can open it.

use serde::Serialize;
use snapshots::Snapshots;
use workflow::StepError;

use crate::intent::{self, Restored};
use crate::world::World;

/// How the container gets in: places only.
#[derive(Serialize)]
pub struct Output {
    resource_id: String,
    engine: String,
    endpoint: String,
    secret: String,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Restored) -> Result<Output, StepError> {
    let intent = input.intent(world).await?;
    let found = world.existing(&input.resource_id).await?;
    let deviations = intent::deviations(&intent, &found);
    if !deviations.is_empty() {
        return Err(StepError::Refused(format!(
            "database {} is not isolated: {}",
            found.name,
            deviations.join("; ")
        )));
    }
    Ok(Output {
        resource_id: found.resource_id,
        engine: found.engine,
        endpoint: found.endpoint,
        secret: found.secret.map_or_else(String::new, |secret| secret.arn),
    })
}
