//! Finds the rules of every database of a server, and pins them: what was masked by others is not released.
//!
//! The last one masks with the scope of the whole server: only then are all others masked, and what belongs to the server is
//! scrubbed when nobody needs it any more. A server without rules is refused.

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::names;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
}

#[derive(Serialize)]
pub struct Output {
    databases: Vec<Masking>,
}

/// What the container is told. All of it is places; nothing is secret.
#[derive(Serialize)]
struct Masking {
    name: String,
    scope: &'static str,
    rules: String,
    rules_digest: String,
    report: String,
    state: String,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { database, run } = &input;
    let rules = world.rules(database).await?;
    if rules.is_empty() {
        return Err(StepError::Refused(format!(
            "there are no rules for {database}\n(hint: put them at {}/NAME.yaml)",
            names::rules(database)
        )));
    }
    let last = rules.len() - 1;
    let masking = rules.into_iter().enumerate().map(|(index, rules)| Masking {
        scope: if index == last { "instance" } else { "database" },
        rules: world.documents.uri(&rules.key),
        rules_digest: rules.digest,
        report: world.reports.uri(&names::report(database, run, &rules.name)),
        state: world.documents.uri(&format!("{}/{}", names::state(database, run), rules.name)),
        name: rules.name,
    });
    Ok(Output { databases: masking.collect() })
}
