//! `anonymizer verify`: looks again for the originals of a run whose verdict was failed, or that was stopped after it had
//! masked everything. It reads the database and writes nothing to it; a verdict is given by a run alone.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use contract::report::{Gate, ScrubCheck, ScrubStatus};
use contract::statement::Statement;
use jiff::Timestamp;
use serde::Serialize;

use super::jobs::JobsArgument;
use super::print::{count, thousands};
use super::report::{prepare, remove};
use super::state::StateArguments;
use super::{Error, Format, KeyArguments, Target, draw};
use crate::engine::{Engine, EngineError, RunOptions, Scope};
use crate::kept::Kept;
use crate::mask::key::Keyring;
use crate::plan::{Plan, plan};
use crate::report;
use crate::rules::{RuleSet, ScrubRules};
use crate::verify::{gate, unchanged, vault::Vault};

/// Where the result is written.
const FILE_NAME: &str = "verify.json";

/// The command's arguments.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) target: Target,
    #[command(flatten)]
    key: KeyArguments,
    #[command(flatten)]
    state: StateArguments,
    /// Write verify.json to this directory, which is made where it is missing.
    #[arg(long, value_name = "DIR", value_parser = super::destination::directory)]
    report: Option<PathBuf>,
    #[command(flatten)]
    jobs: JobsArgument,
}

/// What was looked for and found.
#[derive(Serialize)]
struct Look<'a> {
    run_id: &'a str,
    database: String,
    gate: &'a Gate,
}

/// Runs the command.
pub async fn verify<E: Engine + 'static>(
    arguments: Arguments,
    rules: RuleSet,
    engine: Arc<E>,
    format: Format,
) -> Result<(), Error> {
    let keyring = arguments.key.given("verify", &rules).await?;
    if let Some(directory) = &arguments.report {
        arguments.state.refuse_within(directory)?;
        prepare(directory)?;
        remove(&directory.join(FILE_NAME))?;
    }
    let location = engine.location();
    let task = format!("verify {location}");
    let failed = |source| Error::engine(task.clone(), source);
    let catalog = engine.catalog().await.map_err(failed)?;
    let plan = plan(&rules, &catalog, &keyring).map_err(Error::Refused)?;
    let vault = Arc::new(arguments.state.vault(engine.as_ref(), &keyring).await?);
    let options = arguments.options(&keyring, Arc::clone(&vault));
    let (run_id, found) = look(&engine, &plan, &vault, &options).await.map_err(failed)?;
    let look = Look { run_id: &run_id, database: location, gate: &found };
    if let Some(directory) = &arguments.report {
        let mut bytes = serde_json::to_vec_pretty(&look).expect("keys are strings");
        bytes.push(b'\n');
        report::write(directory, FILE_NAME, &bytes).map_err(|source| Error::Io {
            task: format!("write {}", directory.join(FILE_NAME).display()),
            source,
        })?;
    }
    if found.passed {
        format.print(&look, as_text)?;
        let kept = engine.kept().await.map_err(failed)?;
        return scrubbed(&look.database, kept, &keyring, &plan.scrub);
    }
    Err(Error::Leaks { database: look.database, gate: Box::new(found) })
}

/// That nothing was found does not undo a failed scrub: only the next run carries it out again.
fn scrubbed(
    database: &str,
    kept: Option<Kept>,
    keyring: &Keyring,
    rules: &ScrubRules,
) -> Result<(), Error> {
    let report = kept.and_then(|kept| kept.open(keyring));
    let statement = report.and_then(|report| Statement::read(report.as_bytes()).ok());
    let checks = statement.map(|statement| statement.predicate.checks).unwrap_or_default();
    let failed = |check: &&ScrubCheck| {
        check.status == ScrubStatus::Failed && rules.reason(&check.id).is_none()
    };
    let undone = checks.iter().filter(failed);
    let said: String = undone.map(|check| format!("\n  {}: {}", check.id, check.detail)).collect();
    if said.is_empty() {
        return Ok(());
    }
    Err(Error::Unverified(format!(
        "verify {database}: the scrub of its run has failed{said}\n(hint: mend the cause and run the same command again)"
    )))
}

impl Arguments {
    fn options(&self, keyring: &Keyring, vault: Arc<Vault>) -> RunOptions {
        RunOptions {
            run_id: String::new(),
            key_check: keyring.check_value(),
            key_is_ephemeral: false,
            jobs: self.jobs.jobs(),
            spool_dir: None,
            allow_connections: true,
            now: Timestamp::now().to_string(),
            scope: Scope::Database,
            vault,
        }
    }
}

/// Looks for what the database's run has kept. Answers with the run's name.
async fn look<E: Engine + 'static>(
    engine: &Arc<E>,
    plan: &Plan,
    vault: &Vault,
    options: &RunOptions,
) -> Result<(String, Gate), EngineError> {
    let masked = engine.masked(plan, options).await?;
    vault.bind(&masked.run_id)?;
    let mut units = Vec::new();
    if plan.identifies() {
        units.extend(engine.collected_by_begin(plan));
        units.extend(masked.units);
    }
    let originals = Arc::new(vault.originals(&units)?);
    let progress = draw::progress();
    progress.phase("verify");
    let mut found = gate::look(Arc::clone(engine), plan, originals, options.jobs, progress).await?;
    unchanged::add(&mut found, plan, masked.tables.iter());
    Ok((masked.run_id, found))
}

/// Everything that was found and not allowed, a line each: place, kind, count.
pub fn open(gate: &Gate) -> Vec<String> {
    let leaks = gate.leaks.iter().filter(|leak| leak.reason.is_none());
    let suspects = gate.suspects.iter().filter(|suspect| suspect.reason.is_none());
    leaks
        .map(|leak| {
            format!("{}: originals ({}) in {}", leak.place, leak.kind, count(leak.count, "value"))
        })
        .chain(suspects.map(|suspect| {
            let (matched, sampled) = (suspect.matched, suspect.sampled);
            let (column, kind) = (&suspect.column, &suspect.kind);
            format!("{column}: kept, and {matched} of {sampled} values look like {kind}")
        }))
        .collect()
}

fn as_text(look: &Look<'_>) -> String {
    let Gate { originals, values, seconds, .. } = look.gate;
    let mut text = format!(
        "{}: none of {} originals of run {} found in {} values, {seconds:.1} s\n",
        look.database,
        thousands(*originals),
        look.run_id,
        thousands(*values)
    );
    let allowed = |place: &str, kind: &str, reason: &Option<String>| {
        reason.as_ref().map(|reason| format!("allowed: {place} ({kind}): {reason}\n"))
    };
    for leak in &look.gate.leaks {
        text.extend(allowed(&leak.place, &leak.kind, &leak.reason));
    }
    for suspect in &look.gate.suspects {
        text.extend(allowed(&suspect.column, &suspect.kind, &suspect.reason));
    }
    text
}
