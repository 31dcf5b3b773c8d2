//! `refresh request`: starts the workflow in a process of its own, which goes on when this one ends, or attaches to the one
//! that runs; or puts the one event on production's bus that development may put there.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use workflow::local::{Record, Scaled, Status};
use workflow::run::Faultless;

use super::{Error, Execute, Format, Request, database, executions, show, watch};
use crate::Settings;
use crate::local::Account;

/// What production takes from development, and nothing else.
const SOURCE: &str = "anonymizer.refresh";
const DETAIL_TYPE: &str = "RefreshRequested";
/// Seconds of the state machine in one: what is waited for is done in moments on one machine.
const SPEED: u32 = 100;
/// Until a process that was started has written down that it runs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks production for a new release.
pub(super) fn ask_production(
    account: &Account,
    settings: &Settings,
    request: &Request,
    format: Format,
) -> Result<String, Error> {
    let database = database(settings, &request.which)?;
    let detail = json!({
        "database": database,
        "reason": request.reason,
        "max_age_hours": request.max_age,
    });
    let bus = account.events_of(&settings.producer);
    let item = bus.put(account.name(), SOURCE, DETAIL_TYPE, &detail)?;
    Ok(match format {
        Format::Json => show::json(&json!({ "event": item.id, "database": database })),
        Format::Text => format!(
            "production was asked for a new release of {database}: event {}\n\
             It decides whether and when. `refresh request` brings it once it is there.\n",
            item.id
        ),
    })
}

/// Brings the newest release.
pub(super) async fn bring(
    account: &Account,
    settings: &Settings,
    request: &Request,
    format: Format,
    root: &Path,
) -> Result<String, Error> {
    let database = database(settings, &request.which)?;
    let running = executions(account, &database)?;
    let running = running.into_iter().find(|record| record.status == Status::Running);
    let (name, attached) = match running {
        Some(record) => (record.name, true),
        None => (start(account, &database, request, root).await?, false),
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
    let record = watch::to_its_end(&account.executions(), &name).await?;
    match record.status {
        Status::Succeeded => Ok(show::result(&record, format)),
        _ => Err(Error::Ended(record.into())),
    }
}

/// Starts a process that runs the workflow; answers with the execution's name.
async fn start(
    account: &Account,
    database: &str,
    request: &Request,
    root: &Path,
) -> Result<String, Error> {
    let run = name();
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("execute").args(["--run", &run, "--database", database]);
    command.arg("--local").arg(root);
    if let Some(reason) = &request.reason {
        command.args(["--reason", reason]);
    }
    // What is typed on the terminal is for this process alone.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let begun = Instant::now();
    loop {
        if account.executions().get(&run)?.is_some() {
            return Ok(run);
        }
        if child.try_wait()?.is_some_and(|status| !status.success()) || begun.elapsed() > PATIENCE {
            return Err(Error::Broken(format!(
                "{run} did not begin\n(hint: `refresh execute --run {run} --database {database}` says why)"
            )));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Names sort as they were started; two that are started in one second are told apart by their processes.
fn name() -> String {
    let now = Timestamp::now().strftime("%Y%m%dt%H%M%Sz");
    format!("refresh-{now}-{}", std::process::id())
}

/// Runs the workflow in this process.
pub(super) async fn execute(account: &Account, execute: &Execute) -> Result<String, Error> {
    let world = account.open().await?;
    let mut input = json!({ "database": execute.database });
    if let Some(reason) = &execute.reason {
        input["reason"] = json!(reason);
    }
    let mut clock = Scaled { speed: SPEED };
    account.refresh(&world, &execute.run, &input, &mut clock, &mut Faultless).await?;
    let gone = || Error::Broken(format!("{} is not written down", execute.run));
    let record: Record = account.executions().get(&execute.run)?.ok_or_else(gone)?;
    match record.status {
        Status::Succeeded => Ok(show::result(&record, Format::Json)),
        _ => Err(Error::Ended(record.into())),
    }
}
