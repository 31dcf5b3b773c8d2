//! Compares every fact about a restored database with what was asked for. Nothing is assumed: whatever differs refuses the
//! run before a container can open it.

use serde::{Deserialize, Serialize};
use snapshots::{Kind, Snapshots};
use workflow::StepError;

use crate::intent;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
    resource_id: String,
    kind: Kind,
    key: String,
}

/// How the container gets in: places only.
#[derive(Serialize)]
pub struct Output {
    resource_id: String,
    engine: String,
    endpoint: String,
    secret: String,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { database, run, resource_id, kind, key } = &input;
    let server = world.server(database)?;
    let intent = intent::restore(&world.settings, server, database, run, *kind, key);
    let found = world.existing(resource_id).await?;
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
