//! Carries a plan out: units largest first, several at a time, and what came of each.
//!
//! It knows no engine and draws nothing. After the first failure it starts no further unit but lets the running ones end:
//! each is a transaction of its own, and what it has masked need not be masked again.

use std::sync::Arc;
use std::time::Instant;

use contract::report::{Gate, Phase, ScrubCheck, ScrubStatus, Verdict};
use tokio::task::{JoinError, JoinSet};

use crate::catalog::TableName;
use crate::engine::{Begun, Engine, EngineError, RunOptions, Scope, TableOutcome, Unit};
use crate::finding::{Finding, Findings, Position};
use crate::mask::key::Keyring;
use crate::plan::{Plan, plan};
use crate::progress::Progress;
use crate::rules::RuleSet;
use crate::verify::{gate, unchanged};

/// What a run has done.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Wall time by phase.
    pub phases: Vec<Phase>,
    /// What happened to each table that was masked, and whether an earlier run had done it.
    pub tables: Vec<Done>,
    /// The engine's notes.
    pub notes: Vec<String>,
    /// What the scrub did.
    pub checks: Vec<ScrubCheck>,
    /// What the leak gate found.
    pub gate: Gate,
}

impl Outcome {
    /// Passed where the gate and every scrub check did.
    pub fn verdict(&self) -> Verdict {
        let failed = self.checks.iter().any(|check| check.status == ScrubStatus::Failed);
        if failed || !self.gate.passed { Verdict::Failed } else { Verdict::Passed }
    }
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
    scope: Scope,
) -> Result<Ready, Refusal> {
    let catalog = engine.catalog().await.map_err(Refusal::Engine)?;
    let plan = plan(rules, &catalog, keyring).map_err(Refusal::Findings)?;
    let told = engine.check(&plan, scope).await.map_err(Refusal::Engine)?;
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
    let collected = run.collected(&units)?;
    outcome.tables = outcome.time("mask", &run, run.mask(units)).await?;
    let finish = run.engine.finish(&run.plan, &run.options, run.progress.as_ref());
    let notes = outcome.time("finish", &run, finish).await;
    outcome.notes = notes.map_err(|source| Failure {
        source,
        finished: outcome.names(),
        units: outcome.tables.len(),
    })?;
    let scrub = run.engine.scrub(&run.plan, &run.options);
    let checks = outcome.time("scrub", &run, scrub).await;
    outcome.checks = checks.map_err(|source| run.late(source, &outcome))?;
    let originals = run.options.vault.originals(&collected);
    let originals = originals.map_err(|source| run.late(source.into(), &outcome))?;
    let look = gate::look(
        Arc::clone(&run.engine),
        &run.plan,
        Arc::new(originals),
        run.options.jobs,
        Arc::clone(&run.progress),
    );
    let gate = outcome.time("verify", &run, look).await;
    outcome.gate = gate.map_err(|source| run.late(source, &outcome))?;
    let arrivals = run.engine.arrivals(&run.plan, &run.options).await;
    outcome.checks.extend(arrivals.map_err(|source| run.late(source, &outcome))?);
    let masked = outcome.tables.iter().map(|done| &done.outcome);
    unchanged::add(&mut outcome.gate, &run.plan, masked);
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
    /// A failure after every unit was masked.
    fn late(&self, source: EngineError, outcome: &Outcome) -> Failure {
        Failure { source, finished: outcome.names(), units: outcome.tables.len() }
    }

    /// The units whose originals the gate looks for. Those that an earlier run has masked must have left theirs: without
    /// them there is no use in going on.
    fn collected(&self, units: &[Unit]) -> Result<Vec<String>, Failure> {
        if !self.plan.identifies() {
            return Ok(Vec::new());
        }
        let apart = self.engine.collected_by_begin(&self.plan);
        let done =
            units.iter().filter(|unit| unit.done.is_some()).map(|unit| unit.name.to_string());
        for name in apart.iter().cloned().chain(done) {
            self.options.vault.check(&name).map_err(EngineError::from)?;
        }
        Ok(apart.into_iter().chain(units.iter().map(|unit| unit.name.to_string())).collect())
    }

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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;
    use crate::catalog::Catalog;
    use crate::engine::{Marker, Reader, Sample, Source};
    use crate::progress::Silent;
    use crate::verify::vault::Vault;

    /// Units by name: `slow` takes a while, `bad` fails, `panics` does, `done` was masked before.
    struct Scripted {
        units: Vec<&'static str>,
        events: Mutex<Vec<String>>,
    }

    impl Scripted {
        fn log(&self, event: String) {
            self.events.lock().unwrap().push(event);
        }
    }

    fn masked(name: &TableName) -> Vec<TableOutcome> {
        vec![TableOutcome { table: Some(name.clone()), rows: 1, ..TableOutcome::default() }]
    }

    impl Engine for Scripted {
        fn location(&self) -> String {
            "nowhere".into()
        }
        async fn catalog(&self) -> Result<Catalog, EngineError> {
            Ok(Catalog::default())
        }
        async fn check(
            &self,
            _: &Plan,
            _: Scope,
        ) -> Result<Vec<(String, String, String)>, EngineError> {
            let complaint = |what: &str| (what.to_owned(), "is wrong".into(), "mend it".into());
            Ok(vec![complaint("b"), complaint("a")])
        }
        async fn preview(&self, _: &Plan, _: usize) -> Result<Vec<Sample>, EngineError> {
            Ok(Vec::new())
        }
        async fn begin(&self, _: &Plan, _: &RunOptions) -> Result<Begun, EngineError> {
            if self.units.is_empty() {
                return Ok(Begun::AlreadyDone("masked yesterday".into()));
            }
            let unit = |name: &&str| {
                let name = TableName::new("public", *name);
                let done = (name.name == "done").then(|| masked(&name));
                Unit { tables: vec![name.clone()], members: vec![name.clone()], name, done }
            };
            Ok(Begun::Work(self.units.iter().map(unit).collect()))
        }
        async fn mask_unit(
            &self,
            _: &Plan,
            _: &RunOptions,
            unit: &Unit,
            _: &dyn Progress,
        ) -> Result<Vec<TableOutcome>, EngineError> {
            let name = unit.name.name.as_str();
            self.log(format!("start {name}"));
            match name {
                "bad" => return Err(EngineError::Temporary("no space left".into())),
                "panics" => panic!("a row value"),
                "slow" => tokio::time::sleep(Duration::from_millis(50)).await,
                _ => {}
            }
            self.log(format!("end {name}"));
            Ok(masked(&unit.name))
        }
        async fn finish(
            &self,
            _: &Plan,
            _: &RunOptions,
            _: &dyn Progress,
        ) -> Result<Vec<String>, EngineError> {
            self.log("finish".into());
            Ok(vec!["a note".into()])
        }
        async fn scrub(&self, _: &Plan, _: &RunOptions) -> Result<Vec<ScrubCheck>, EngineError> {
            self.log("scrub".into());
            Ok(Vec::new())
        }
        async fn sources(&self) -> Result<Vec<Source>, EngineError> {
            Ok(Vec::new())
        }
        async fn read(&self, _: &Source, _: &mut dyn Reader) -> Result<(), EngineError> {
            Ok(())
        }
        async fn metadata(&self) -> Result<Vec<(String, String)>, EngineError> {
            Ok(Vec::new())
        }
        async fn conclude(&self, _: &RunOptions, _: &Marker) -> Result<(), EngineError> {
            Ok(())
        }
    }

    /// Runs these units, `jobs` at a time; answers with the end and with what happened, in order.
    fn run(units: &[&'static str], jobs: usize) -> (Result<Ended, Failure>, Vec<String>) {
        let engine = Arc::new(Scripted { units: units.to_vec(), events: Mutex::default() });
        let plan = Plan {
            rules_digest: String::new(),
            masking_digest: String::new(),
            schema_fingerprint: String::new(),
            tables: Vec::new(),
            allow: Vec::new(),
            scrub: crate::rules::ScrubRules::default(),
        };
        let options = RunOptions {
            run_id: "test".into(),
            key_check: String::new(),
            key_is_ephemeral: false,
            jobs,
            spool_dir: None,
            allow_connections: false,
            now: "2000-01-01T00:00:00Z".into(),
            scope: crate::engine::Scope::Database,
            vault: Arc::new(Vault::private(None, &Keyring::ephemeral()).unwrap()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let ended = runtime.block_on(execute(
            Arc::clone(&engine),
            Arc::new(plan),
            Arc::new(options),
            Arc::new(Silent),
        ));
        let events = engine.events.lock().unwrap().clone();
        (ended, events)
    }

    #[test]
    fn units_are_masked_in_order_and_a_resumed_one_is_not_touched() {
        let (ended, events) = run(&["a", "done", "b"], 1);
        let Ok(Ended::Masked(outcome)) = ended else { panic!("not masked") };
        assert_eq!(events, ["start a", "end a", "start b", "end b", "finish", "scrub"]);
        let resumed: Vec<(String, bool)> = outcome
            .tables
            .iter()
            .map(|done| (done.outcome.table.as_ref().unwrap().to_string(), done.resumed))
            .collect();
        let expected = [("public.done", true), ("public.a", false), ("public.b", false)];
        assert_eq!(resumed, expected.map(|(name, resumed)| (name.to_owned(), resumed)));
        assert_eq!(outcome.notes, ["a note"]);
        let phases: Vec<&str> = outcome.phases.iter().map(|phase| phase.name.as_str()).collect();
        assert_eq!(phases, ["prepare", "mask", "finish", "scrub", "verify"]);
    }

    #[test]
    fn after_a_failure_running_units_end_and_no_other_starts() {
        let (ended, events) = run(&["slow", "bad", "a", "b"], 2);
        let Err(failure) = ended else { panic!("no failure") };
        assert_eq!(failure.source.to_string(), "no space left");
        assert_eq!(failure.finished, [TableName::new("public", "slow")]);
        assert_eq!(failure.units, 4);
        assert_eq!(events, ["start slow", "start bad", "end slow"]);
    }

    #[test]
    fn no_more_units_run_at_a_time_than_jobs() {
        let (_, events) = run(&["slow", "slow", "slow", "slow"], 3);
        let mut running = 0;
        let mut most = 0;
        for event in events {
            running += i32::from(event.starts_with("start"));
            most = most.max(running);
            running -= i32::from(event.starts_with("end"));
        }
        assert_eq!(most, 3);
    }

    #[test]
    fn a_panic_is_a_failure_that_repeats_nothing() {
        let (ended, _) = run(&["panics"], 1);
        let Err(failure) = ended else { panic!("no failure") };
        assert_eq!(failure.source.to_string(), "a worker was stopped by a panic, which is a bug");
    }

    #[test]
    fn a_finished_database_is_not_begun_again() {
        let (ended, events) = run(&[], 1);
        assert!(matches!(ended, Ok(Ended::AlreadyDone(when)) if when == "masked yesterday"));
        assert!(events.is_empty());
    }

    #[test]
    fn what_the_database_complains_about_becomes_findings() {
        let engine = Scripted { units: Vec::new(), events: Mutex::default() };
        let rules = crate::rules::parse("x.yaml", b"version: 1\ntables: {}\n").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let refusal = runtime
            .block_on(prepare(&engine, &rules, &Keyring::ephemeral(), Scope::Database))
            .err()
            .unwrap();
        let Refusal::Findings(findings) = refusal else { panic!("no findings") };
        assert_eq!(
            findings.to_string(),
            "failed to check x.yaml against nowhere: 2 findings\n  x.yaml: a: is wrong\n    \
             (hint: mend it)\n  x.yaml: b: is wrong\n    (hint: mend it)"
        );
    }
}
