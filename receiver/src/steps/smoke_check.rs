//! Connects to the restored database as applications will and looks: the marker is that of the signed statement, tables have
//! rows, questions have the answers they must have. Whatever is otherwise keeps it out of use.

use serde::{Deserialize, Serialize};
use snapshots::{Database, Snapshots};
use workflow::StepError;

use super::verify_release::Reported;
use crate::names;
use crate::pointer::Pointer;
use crate::reader::{Access, Marker, Session};
use crate::settings::Checks;
use crate::world::World;

/// Databases that a server has of its own.
const PLATFORM: [&str; 2] = ["postgres", "rdsadmin"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
    resource_id: String,
    reports: Vec<Reported>,
}

#[derive(Serialize)]
pub struct Output {
    /// Databases that were looked into.
    databases: usize,
    /// Tables and questions.
    checks: usize,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { database, run, resource_id, reports } = &input;
    let target = world.target(database)?;
    let new = world.own(resource_id, run).await?;
    closed(&new, &world.settings.key)?;
    let secret = names::next_secret(&target.secret, run);
    let none = || StepError::Fatal(format!("the secret `{secret}` is not there"));
    let pointer = Pointer::get(&world.secrets, &secret).await?.ok_or_else(none)?;
    let access = Access::of(&world.secrets, world.authorities.as_deref(), &pointer).await?;
    for name in access.databases().await? {
        let known = reports.iter().any(|report| report.name == name);
        if !known && !PLATFORM.contains(&name.as_str()) {
            return Err(refused(&name, "is in no report"));
        }
    }
    let one_file = matches!(access, Access::Sqlite(_));
    if one_file && reports.len() != 1 {
        return Err(refused(&new.name, "is one database and has several reports"));
    }
    let mut checks = 0;
    for report in reports {
        let mut session = access.open(&report.name).await?;
        marker(report, session.marker().await?)?;
        let of_report = |name: &&String| one_file || **name == report.name;
        for name in target.checks.keys().filter(of_report) {
            checks += look(&mut session, &target.checks[name]).await?;
        }
    }
    Ok(Output { databases: reports.len(), checks })
}

/// Nobody reaches it from outside, and its storage is under this account's key.
fn closed(new: &Database, key: &str) -> Result<(), StepError> {
    if new.public {
        return Err(refused(&new.name, "can be reached from outside its network"));
    }
    if !new.encrypted || new.key.as_deref() != Some(key) {
        return Err(refused(&new.name, "is not encrypted under this account's key"));
    }
    Ok(())
}

/// The statement speaks of the very run that has masked what is here.
fn marker(report: &Reported, marker: Option<Marker>) -> Result<(), StepError> {
    let Some(marker) = marker else {
        return Err(refused(&report.name, "has no marker of a masking run"));
    };
    if marker.run_id != report.run_id || marker.digest != report.digest {
        return Err(refused(&report.name, "was masked by another run than its statement says"));
    }
    if marker.verdict != "passed" {
        return Err(refused(&report.name, "has not passed"));
    }
    Ok(())
}

async fn look(session: &mut Session, checks: &Checks) -> Result<usize, StepError> {
    for table in &checks.tables {
        if !session.has_rows(table).await? {
            return Err(StepError::Refused(format!("table {table} has no rows")));
        }
    }
    for canary in &checks.canaries {
        // What it answered is not told: it may be a row's value.
        if session.value(&canary.query, &canary.name).await?.as_ref() != Some(&canary.expect) {
            let text = format!("question `{}` has another answer than it must have", canary.name);
            return Err(StepError::Refused(text));
        }
    }
    Ok(checks.tables.len() + checks.canaries.len())
}

fn refused(name: &str, reason: &str) -> StepError {
    StepError::Refused(format!("database {name} {reason}"))
}
