//! `refresh request`: starts the workflow, or attaches to the execution that runs; or puts the one event on production's bus
//! that development may put there.

use std::io::Write as _;

use serde_json::json;
use workflow::local::{Record, Scaled, Status};
use workflow::run::Faultless;

use super::place::{Place, input};
use super::{Error, Execute, Format, Request, show, watch};
use crate::local::Account;

/// What production takes from development, and nothing else.
const SOURCE: &str = "anonymizer.refresh";
const DETAIL_TYPE: &str = "RefreshRequested";
/// Seconds of the state machine in one: what is waited for is done in moments on one machine.
const SPEED: u32 = 100;

/// Asks production for a new release.
pub(super) async fn ask_production(
    place: &Place,
    request: &Request,
    format: Format,
) -> Result<String, Error> {
    let database = place.database(&request.which)?;
    let detail = json!({
        "database": database,
        "reason": request.reason,
        "max_age_hours": request.max_age,
    });
    let id = place.ask(SOURCE, DETAIL_TYPE, &detail).await?;
    Ok(match format {
        Format::Json => show::json(&json!({ "event": id, "database": database })),
        Format::Text => format!(
            "production was asked for a new release of {database}: event {id}\n\
             It decides whether and when. `refresh request` brings it once it is there.\n"
        ),
    })
}

/// Brings the newest release.
pub(super) async fn bring(
    place: &Place,
    request: &Request,
    format: Format,
) -> Result<String, Error> {
    let database = place.database(&request.which)?;
    let (name, attached) = match place.running(&database).await? {
        Some(record) => (record.name, true),
        None => (place.start(&database, request.reason.as_deref()).await?, false),
    };
    if !request.wait {
        return Ok(match format {
            Format::Json => show::json(&json!({ "run": name, "attached": attached })),
            Format::Text if attached => {
                format!("{name} is at it already; `refresh request --wait` shows its steps\n")
            }
            Format::Text => format!("{name} has begun; `refresh request --wait` shows its steps\n"),
        });
    }
    if attached {
        let _ = writeln!(std::io::stderr(), "{name} is at it already");
    }
    let record = watch::to_its_end(place.follow(&name), &name).await?;
    match record.status {
        Status::Succeeded => Ok(show::result(&record, format)),
        _ => Err(Error::Ended(record.into())),
    }
}

/// Runs the workflow in this process.
pub(super) async fn execute(account: &Account, execute: &Execute) -> Result<String, Error> {
    let world = account.open().await?;
    let input = input(&execute.database, execute.reason.as_deref());
    let mut clock = Scaled { speed: SPEED };
    account.refresh(&world, &execute.run, &input, &mut clock, &mut Faultless).await?;
    let gone = || Error::Broken(format!("{} is not written down", execute.run));
    let record: Record = account.executions().get(&execute.run)?.ok_or_else(gone)?;
    match record.status {
        Status::Succeeded => Ok(show::result(&record, Format::Json)),
        _ => Err(Error::Ended(record.into())),
    }
}
