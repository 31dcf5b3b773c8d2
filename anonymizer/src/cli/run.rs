//! `anonymizer run`: masks a database in place and says what was done.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use contract::report::{Report, ScrubCheck, TableAction};
use jiff::Timestamp;
use serde::Serialize;

use super::destination::Destination;
use super::jobs::JobsArgument;
use super::print::{count, thousands};
use super::scope::ScopeArgument;
use super::sign::SignArguments;
use super::state::StateArguments;
use super::{
    Error, Format, KeyArguments, Target, again, ask, checks, cloud, conclude, draw, earlier, say,
};
use crate::engine::{Engine, EngineError, RunOptions};
use crate::execute::{self, Ended, Failure, Outcome, Ready, Refusal};
use crate::mask::key::Keyring;
use crate::report;
use crate::rules::RuleSet;
use crate::verify::vault::Vault;

/// The command's arguments.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) target: Target,
    #[command(flatten)]
    key: KeyArguments,
    /// Write report.json, and report.html to look at, to this directory, which is made where it is missing, or below an
    /// `s3://BUCKET/KEY`, where nothing is moved aside: name one of the run's own.
    #[arg(long, value_name = "DIR", env = "ANONYMIZER_REPORT", hide_env_values = true)]
    report: Option<PathBuf>,
    #[command(flatten)]
    sign: SignArguments,
    #[command(flatten)]
    jobs: JobsArgument,
    /// The run's name in the report and in the database's ledger; by default time and a random number.
    #[arg(long, value_name = "ID", value_parser = run_id, env = "ANONYMIZER_RUN_ID", hide_env_values = true)]
    run_id: Option<String>,
    /// Where masked rows wait to be loaded; by default the system's temporary directory. The file
    /// there has no name and holds no value that the rules mask.
    #[arg(long, value_name = "DIR")]
    spool_dir: Option<PathBuf>,
    #[command(flatten)]
    state: StateArguments,
    /// Go on although other clients are connected to the database.
    #[arg(long)]
    allow_connections: bool,
    #[command(flatten)]
    scope: ScopeArgument,
    /// Do not ask before writing, even on a terminal.
    #[arg(long)]
    yes: bool,
}

/// Letters, digits and `._-`: the name becomes part of messages and of the ledger.
fn run_id(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if text.is_empty() || text.len() > 64 || !text.chars().all(fits) {
        return Err("1 to 64 letters, digits, dots, hyphens or underscores".into());
    }
    Ok(text.to_owned())
}

/// What is printed at the end.
#[derive(Serialize)]
struct Summary {
    run_id: String,
    database: String,
    /// Set when there was nothing to do: since when.
    already_done: Option<String>,
    tables: u64,
    rows: u64,
    values_masked: u64,
    seconds: f64,
    report: Option<PathBuf>,
    /// What the scrub did, but for what was not needed.
    checks: Vec<ScrubCheck>,
    notes: Vec<String>,
}

/// Runs the command.
pub async fn run<E: Engine + 'static>(
    arguments: Arguments,
    rules: RuleSet,
    engine: Arc<E>,
    format: Format,
) -> Result<(), Error> {
    let start = Instant::now();
    let keyring = arguments.key.keyring(&rules).await?;
    let signing = arguments.sign.key(arguments.report.is_some())?;
    if let Some(report) = &arguments.report {
        arguments.state.refuse_within(report)?;
    }
    let destination = arguments.report.as_deref().map(Destination::new).transpose()?;
    let destination = destination.as_ref();
    let ready = execute::prepare(engine.as_ref(), &rules, &keyring, arguments.scope.scope()).await;
    let Ready { engine: engine_name, plan } =
        ready.map_err(|refusal| refused(refusal, "mask", engine.as_ref()))?;
    let checked = start.elapsed().as_secs_f64();
    let location = engine.location();
    if !arguments.yes {
        ask::confirm(&location, &plan).await?;
    }

    let plan = Arc::new(plan);
    let vault = arguments.state.vault(engine.as_ref(), &keyring).await?;
    let options = Arc::new(arguments.options(&keyring, vault));
    let progress = draw::progress();
    let ended =
        execute::execute(Arc::clone(&engine), Arc::clone(&plan), Arc::clone(&options), progress);
    let mut outcome = match ended.await {
        Err(failure) => return Err(stopped(failure, &location, engine.as_ref(), &keyring)),
        Ok(Ended::AlreadyDone(when)) => {
            let signing = signing.as_ref();
            let report =
                again::complete(engine.as_ref(), &options, &keyring, destination, signing).await?;
            return already_done(when, report, &options, location, format);
        }
        Ok(Ended::Masked(outcome)) => outcome,
    };
    outcome.phases.insert(0, contract::report::Phase { name: "check".into(), seconds: checked });

    // As finely as PostgreSQL keeps it.
    let now = format!("{:.6}", Timestamp::now());
    let document = report::report(&engine_name, location, &plan, &options, &outcome, now);
    let signing = signing.as_ref();
    let file =
        conclude::conclude(engine.as_ref(), &options, &keyring, &document, destination, signing)
            .await?;
    format.print(&summary(document, outcome, file, start), Summary::as_text)
}

impl Arguments {
    /// Leaves nothing in the report's directory that could be taken for this run's. Called before anything can fail.
    pub(super) fn clear_the_way(&self) -> Result<(), Error> {
        let directory = self.report.as_deref().filter(|report| !cloud::is_uri(report));
        directory.map_or(Ok(()), earlier::move_aside)
    }

    fn options(&self, keyring: &Keyring, vault: Vault) -> RunOptions {
        let now = Timestamp::now();
        RunOptions {
            run_id: self.run_id.clone().unwrap_or_else(|| random_run_id(now)),
            key_check: keyring.check_value(),
            key_is_ephemeral: keyring.is_ephemeral(),
            jobs: self.jobs.jobs(),
            spool_dir: self.spool_dir.clone(),
            allow_connections: self.allow_connections,
            now: now.to_string(),
            scope: self.scope.scope(),
            vault: Arc::new(vault),
        }
    }
}

/// Sorts by time, and two runs of one second still differ.
fn random_run_id(now: Timestamp) -> String {
    format!("{}-{:08x}", now.strftime("%Y%m%dT%H%M%SZ"), rand::random::<u32>())
}

/// A refusal before anything was written.
pub fn refused<E: Engine>(refusal: Refusal, verb: &str, engine: &E) -> Error {
    match refusal {
        Refusal::Findings(findings) => Error::Refused(findings),
        Refusal::Engine(source) => Error::engine(format!("{verb} {}", engine.location()), source),
    }
}

/// A run that stopped midway, with what that leaves.
fn stopped<E: Engine>(failure: Failure, location: &str, engine: &E, keyring: &Keyring) -> Error {
    let Failure { source, finished, units } = failure;
    let says_all = matches!(
        source,
        EngineError::Refused(_) | EngineError::Usage(_) | EngineError::Unverified(_)
    );
    let hint = if says_all || units == 0 {
        None
    } else if !engine.resumes() {
        Some("the database is as it was before the run".to_owned())
    } else {
        let names: Vec<String> = finished.iter().map(ToString::to_string).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let cure = if keyring.is_ephemeral() {
            "the key of this run is forgotten: restore the database and start again"
        } else {
            "the same command with the same key masks the rest"
        };
        Some(format!("{} of {units} units masked, none half: {names}; {cure}", finished.len()))
    };
    Error::Engine { task: format!("mask {location}"), source: Box::new(source), hint }
}

fn already_done(
    when: String,
    report: Option<PathBuf>,
    options: &RunOptions,
    database: String,
    format: Format,
) -> Result<(), Error> {
    let summary = Summary {
        run_id: options.run_id.clone(),
        database,
        already_done: Some(when),
        tables: 0,
        rows: 0,
        values_masked: 0,
        seconds: 0.0,
        report,
        checks: Vec::new(),
        notes: Vec::new(),
    };
    format.print(&summary, Summary::as_text)
}

fn summary(document: Report, outcome: Outcome, report: Option<PathBuf>, start: Instant) -> Summary {
    let resumed = outcome.tables.iter().filter(|done| done.resumed).count();
    if resumed > 0 {
        say(&format!(
            "{} finished by an earlier run, not masked again",
            count(resumed as u64, "table")
        ));
    }
    let written = || document.tables.iter().filter(|table| table.action != TableAction::Keep);
    let columns = || written().flat_map(|table| &table.columns);
    Summary {
        tables: written().count() as u64,
        rows: written().map(|table| table.rows).sum(),
        values_masked: columns()
            .filter(|column| column.class != "keep" && column.class != "generated")
            .map(|column| column.values - column.nulls.min(column.values))
            .sum(),
        run_id: document.run_id,
        database: document.database,
        already_done: None,
        seconds: start.elapsed().as_secs_f64(),
        report,
        checks: checks::of_interest(document.checks),
        notes: document.notes,
    }
}

impl Summary {
    fn as_text(&self) -> String {
        let report = self.report.as_ref().map(|report| format!("report: {}\n", report.display()));
        if let Some(when) = &self.already_done {
            let report = report.unwrap_or_default();
            return format!("{}: {when}; nothing to do\n{report}", self.database);
        }
        let (tables, rows) = (count(self.tables, "table"), count(self.rows, "row"));
        let values = thousands(self.values_masked);
        let (database, seconds) = (&self.database, self.seconds);
        let mut text =
            format!("{database}: masked {tables}, {rows}, {values} values in {seconds:.1} s\n");
        text.extend(self.checks.iter().map(checks::line));
        for note in &self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        text.extend(report);
        text
    }
}
