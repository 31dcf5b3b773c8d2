//! Decides about development's wish for a new release. It believes nothing but what the bus itself says of the event, accepts
//! this one event from the configured accounts, and hands on three checked values. While a run goes on there is no second.

use account::Acquired;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapshots::Snapshots;
use workflow::StepError;

use crate::world::World;

/// Who sends it.
pub const SOURCE: &str = "anonymizer.refresh";
/// What it is.
pub const DETAIL_TYPE: &str = "RefreshRequested";

/// Letters of a reason.
const LONGEST_REASON: usize = 200;
const DAY: SignedDuration = SignedDuration::from_hours(24);
const MOMENT: SignedDuration = SignedDuration::from_mins(1);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    event: Event,
    /// The execution that asks.
    run: String,
}

/// An event as the bus delivers it: account and source are the bus's word, the detail is the sender's.
#[derive(Deserialize)]
struct Event {
    account: String,
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    detail: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Detail {
    database: String,
    reason: String,
    max_age_hours: u32,
}

#[derive(Serialize)]
pub struct Output {
    start: bool,
    /// The run that goes on already, where there is one.
    running: String,
    database: String,
    reason: String,
    max_age_hours: u32,
}

/// A wish that was granted.
#[derive(Serialize, Deserialize)]
struct Granted {
    by: String,
    at: Timestamp,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { event, run } = input;
    let Detail { database, reason, max_age_hours } = check(world, event)?;
    let running = world.locks.owner(&database).await?;
    let start = running.is_none();
    if start {
        grant(world, &database, &run).await?;
    }
    Ok(Output { start, running: running.unwrap_or_default(), database, reason, max_age_hours })
}

fn check<S: Snapshots>(world: &World<S>, event: Event) -> Result<Detail, StepError> {
    let refused = |why: &str| Err(StepError::Refused(format!("the request {why}")));
    if !world.settings.accounts.contains(&event.account) {
        return refused("is of an account that may not ask");
    }
    if event.source != SOURCE || event.detail_type != DETAIL_TYPE {
        return refused("is another event");
    }
    let Ok(detail) = serde_json::from_value::<Detail>(event.detail) else {
        return refused("does not have the form of one");
    };
    let Ok(server) = world.server(&detail.database) else {
        return refused("is for a database that there is not");
    };
    let length = detail.reason.chars().count();
    if length == 0 || length > LONGEST_REASON || detail.reason.chars().any(char::is_control) {
        return refused("has no reason of 1 to 200 letters");
    }
    if detail.max_age_hours == 0 || detail.max_age_hours > server.max_age_hours {
        return refused("has a maximum age beyond what is allowed");
    }
    Ok(detail)
}

/// Writes the wish down, unless there were too many. The same execution is counted once.
async fn grant<S: Snapshots>(world: &World<S>, database: &str, run: &str) -> Result<(), StepError> {
    // No database can be called so.
    let lease = format!("requests.{database}");
    if let Acquired::HeldBy(_) = world.locks.acquire(&lease, run, MOMENT).await? {
        return Err(StepError::Retryable("another request is being decided".to_owned()));
    }
    let granted = count(world, database, run).await;
    world.locks.release(&lease, run).await?;
    granted
}

async fn count<S: Snapshots>(world: &World<S>, database: &str, run: &str) -> Result<(), StepError> {
    let key = format!("requests/{database}.json");
    let now = Timestamp::now();
    let broken = |error| StepError::Fatal(format!("`{key}` cannot be read: {error}"));
    let mut all: Vec<Granted> = match world.documents.get(&key).await? {
        Some(bytes) => serde_json::from_slice(&bytes).map_err(broken)?,
        None => Vec::new(),
    };
    all.retain(|granted| now.duration_since(granted.at) < DAY);
    if all.iter().any(|granted| granted.by == run) {
        return Ok(());
    }
    let most = world.settings.requests_per_day;
    if all.len() >= most {
        return Err(StepError::Refused(format!(
            "{most} requests for {database} were granted within 24 hours"
        )));
    }
    all.push(Granted { by: run.to_owned(), at: now });
    let bytes = serde_json::to_vec_pretty(&all).expect("keys are strings");
    Ok(world.documents.put(&key, &bytes).await?)
}
