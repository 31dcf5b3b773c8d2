//! Carries a plan out: units largest first, several at a time, and what came of each.
//!
//! It knows no engine and draws nothing. After the first failure it starts no further unit but lets the running ones end:
//! each is a transaction of its own, and what it has masked need not be masked again.

use std::sync::Arc;
use std::time::Instant;

use contract::report::Phase;
use tokio::task::{JoinError, JoinSet};

use crate::catalog::TableName;
use crate::engine::{Begun, Engine, EngineError, RunOptions, TableOutcome, Unit};
use crate::finding::{Finding, Findings, Position};
use crate::mask::key::Keyring;
use crate::plan::{Plan, plan};
use crate::progress::Progress;
use crate::rules::RuleSet;

/// What a run has done.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Wall time by phase.
    pub phases: Vec<Phase>,
    /// What happened to each table that was masked, and whether an earlier run had done it.
    pub tables: Vec<Done>,
    /// The engine's notes.
    pub notes: Vec<String>,
}

/// A table that is masked.
#[derive(Clone, Debug)]
pub struct Done {
    /// What was counted.
    pub outcome: TableOutcome,
    /// An earlier, interrupted run had finished it.
    pub resumed: bool,
}

/// How a run ended.
pub enum Ended {
    /// The database is masked.
    Masked(Outcome),
    /// It already was; the sentence says since when.
    AlreadyDone(String),
}

/// Why nothing can be done.
#[derive(Debug)]
pub enum Refusal {
    /// The rules do not fit the database, or it is in no state to be masked.
    Findings(Findings),
    /// The database could not be asked.
    Engine(EngineError),
}

/// A run that stopped midway.
#[derive(Debug)]
pub struct Failure {
    /// The first thing that went wrong.
    pub source: EngineError,
    /// Units that are masked, by name.
    pub finished: Vec<TableName>,
    /// Units there were to mask; 0 where the run did not get that far.
    pub units: usize,
}

impl From<EngineError> for Failure {
    fn from(source: EngineError) -> Self {
        Self { source, finished: Vec::new(), units: 0 }
    }
}

/// A plan that can be carried out.
pub struct Ready {
    /// [`crate::catalog::Catalog::engine`].
    pub engine: String,
    /// The plan.
    pub plan: Plan,
}

/// Asks the database what it has and what it can tell about the rules; writes nothing.
pub async fn prepare<E: Engine>(
    engine: &E,
    rules: &RuleSet,
    keyring: &Keyring,
) -> Result<Ready, Refusal> {
    let catalog = engine.catalog().await.map_err(Refusal::Engine)?;
    let plan = plan(rules, &catalog, keyring).map_err(Refusal::Findings)?;
    let told = engine.check(&plan).await.map_err(Refusal::Engine)?;
    if told.is_empty() {
        return Ok(Ready { engine: catalog.engine, plan });
    }
    let mut findings: Vec<Finding> = told
        .into_iter()
        .map(|(subject, message, cure)| Finding { at: Position::default(), subject, message, cure })
        .collect();
    findings.sort();
    let task = format!("check {} against {}", rules.file, engine.location());
    Err(Refusal::Findings(Findings { task, file: rules.file.clone(), findings }))
}

/// What every unit of a run shares.
struct Run<E> {
    engine: Arc<E>,
    plan: Arc<Plan>,
    options: Arc<RunOptions>,
    progress: Arc<dyn Progress>,
}

/// Carries the plan out.
pub async fn execute<E: Engine + 'static>(
    engine: Arc<E>,
    plan: Arc<Plan>,
    options: Arc<RunOptions>,
    progress: Arc<dyn Progress>,
) -> Result<Ended, Failure> {
    let run = Run { engine, plan, options, progress };
    let mut outcome = Outcome::default();

    let begun = outcome.time("prepare", &run, run.engine.begin(&run.plan, &run.options)).await?;
    let units = match begun {
        Begun::AlreadyDone(when) => return Ok(Ended::AlreadyDone(when)),
        Begun::Work(units) => units,
    };
    outcome.tables = outcome.time("mask", &run, run.mask(units)).await?;
    let finish = run.engine.finish(&run.plan, &run.options, run.progress.as_ref());
    let notes = outcome.time("finish", &run, finish).await;
    outcome.notes = notes.map_err(|source| Failure {
        source,
        finished: outcome.names(),
        units: outcome.tables.len(),
    })?;
    Ok(Ended::Masked(outcome))
}

impl Outcome {
    async fn time<E, T>(&mut self, name: &str, run: &Run<E>, work: impl Future<Output = T>) -> T {
        run.progress.phase(name);
        let start = Instant::now();
        let result = work.await;
        self.phases.push(Phase { name: name.into(), seconds: start.elapsed().as_secs_f64() });
        result
    }

    fn names(&self) -> Vec<TableName> {
        self.tables.iter().filter_map(|done| done.outcome.table.clone()).collect()
    }
}

impl<E: Engine + 'static> Run<E> {
    async fn mask(&self, units: Vec<Unit>) -> Result<Vec<Done>, Failure> {
        let total = units.len();
        let (resumed, left): (Vec<Unit>, Vec<Unit>) =
            units.into_iter().partition(|unit| unit.done.is_some());
        let mut finished: Vec<TableName> = resumed.iter().map(|unit| unit.name.clone()).collect();
        let mut tables: Vec<Done> = resumed
            .into_iter()
            .flat_map(|unit| unit.done.unwrap_or_default())
            .map(|outcome| Done { outcome, resumed: true })
            .collect();

        let mut waiting = left.into_iter();
        let mut running = JoinSet::new();
        let mut failed = None;
        loop {
            while failed.is_none() && running.len() < self.options.jobs.max(1) {
                let Some(unit) = waiting.next() else { break };
                self.start(unit, &mut running);
            }
            let Some(ended) = running.join_next().await else { break };
            match ended.map_err(died).and_then(|result| result) {
                Ok((name, outcomes)) => {
                    finished.push(name);
                    tables.extend(
                        outcomes.into_iter().map(|outcome| Done { outcome, resumed: false }),
                    );
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            None => Ok(tables),
            Some(source) => Err(Failure { source, finished, units: total }),
        }
    }

    fn start(&self, unit: Unit, running: &mut JoinSet<Result<Masked, EngineError>>) {
        let engine = Arc::clone(&self.engine);
        let plan = Arc::clone(&self.plan);
        let options = Arc::clone(&self.options);
        let progress = Arc::clone(&self.progress);
        running.spawn(async move {
            let outcomes = engine.mask_unit(&plan, &options, &unit, progress.as_ref()).await?;
            Ok((unit.name, outcomes))
        });
    }
}

type Masked = (TableName, Vec<TableOutcome>);

/// A unit's task that panicked. The panic's own text may quote a value, so it is not repeated.
fn died(error: JoinError) -> EngineError {
    let how = if error.is_panic() { "by a panic, which is a bug" } else { "before its end" };
    EngineError::Unexpected(format!("a worker was stopped {how}"))
}
