//! The gate: reads back what there is, signs that it may leave, and tags it so. It refuses a snapshot that is not encrypted under exactly
//! the agreed key, that was not taken of the database which this run has masked, that anybody has access to already, or for
//! which one report is missing.

use contract::dsse::{Envelope, pre_authentication};
use contract::release::{Release, Reported};
use contract::statement::PAYLOAD_TYPE;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use snapshots::status::{Meaning, meaning};
use snapshots::{Snapshot, Snapshots};
use workflow::StepError;

use crate::names::{self, SHARE};
use crate::report::{self, Expected};
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
    /// The snapshot that shall leave.
    arn: String,
    /// The database that was masked.
    resource_id: String,
    data_as_of: String,
    reports: Vec<Reported>,
}

#[derive(Serialize)]
pub struct Output {
    arn: String,
    statement: String,
    data_as_of: String,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let snapshot = world
        .snapshots
        .snapshot(&input.arn)
        .await?
        .ok_or_else(|| StepError::Refused(format!("snapshot {} does not exist", input.arn)))?;
    if let Some(why) = against(world, &input, &snapshot) {
        return Err(StepError::Refused(format!("snapshot {} {why}", snapshot.name)));
    }
    let shared = world.snapshots.shared_with(&snapshot.arn).await?;
    if !shared.is_empty() {
        let text = format!("snapshot {} is shared before it is released", snapshot.name);
        return Err(StepError::Refused(text));
    }
    reports(world, &input).await?;
    let release = statement(world, &input, &snapshot);
    let payload = release.to_bytes();
    let message = pre_authentication(PAYLOAD_TYPE, &payload);
    let signature = world.signer.sign(&message).await?;
    let key_id = world.signer.key_id().await?;
    let envelope = Envelope::new(PAYLOAD_TYPE, &payload, &key_id, &signature);
    let key = names::statement(&input.database, &snapshot.name);
    world.handover.put(&key, &envelope.to_bytes()).await?;
    // On AWS nobody but the gate may put this tag there, and nothing without it may be shared.
    let released = (names::STAGE_TAG.to_owned(), names::RELEASED.to_owned());
    world.snapshots.tag(&snapshot.arn, &[released].into()).await?;
    Ok(Output { arn: snapshot.arn, statement: key, data_as_of: input.data_as_of })
}

fn against<S: Snapshots>(
    world: &World<S>,
    input: &Input,
    snapshot: &Snapshot,
) -> Option<&'static str> {
    if names::maker(&[SHARE], &snapshot.name, &snapshot.tags) != Some(&input.run)
        || snapshot.name != names::of(SHARE, &input.database, &input.run)
    {
        Some("is not one that this run made for others")
    } else if snapshot.owner != world.snapshots.account() {
        Some("is another account's")
    } else if meaning(&snapshot.status) != Meaning::Ready {
        Some("is not available")
    } else if !snapshot.encrypted || snapshot.key.as_ref() != Some(&world.settings.share_key) {
        Some("is not encrypted under the key for others")
    } else if snapshot.source_id != input.resource_id {
        Some("was not taken of the database that was masked")
    } else {
        None
    }
}

/// Looks at every report once more: what the state says of them was checked hours ago.
async fn reports<S: Snapshots>(world: &World<S>, input: &Input) -> Result<(), StepError> {
    let Input { database, run, reports, .. } = input;
    let rules = world.rules(database).await?;
    let same = rules.len() == reports.len()
        && rules.iter().zip(reports).all(|(rules, report)| {
            rules.name == report.name && rules.digest == report.rules_digest
        });
    if !same {
        let text = "the reports are not one for each database with rules";
        return Err(StepError::Refused(text.to_owned()));
    }
    for told in reports {
        let (name, rules_digest) = (&told.name, &told.rules_digest);
        let found = report::read(world, &Expected { database, run, name, rules_digest }).await?;
        if found != *told {
            return Err(StepError::Refused(format!("the report on {name} is another one now")));
        }
    }
    Ok(())
}

fn statement<S: Snapshots>(world: &World<S>, input: &Input, snapshot: &Snapshot) -> Release {
    let now = Timestamp::now();
    let days = SignedDuration::from_hours(24 * i64::from(world.settings.release_days));
    Release {
        database: input.database.clone(),
        snapshot: snapshot.arn.clone(),
        resource_id: snapshot.source_id.clone(),
        created_at: snapshot.created_at.clone(),
        data_as_of: input.data_as_of.clone(),
        engine: snapshot.engine.clone(),
        key: world.settings.share_key.clone(),
        run_id: input.run.clone(),
        reports: input.reports.clone(),
        signed_at: now.to_string(),
        expires_at: now.checked_add(days).unwrap_or(Timestamp::MAX).to_string(),
    }
}
