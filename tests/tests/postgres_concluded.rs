//! The end of a run on PostgreSQL: the marker, the rights that go, and what a later run makes of a verdict.

use std::path::Path;
use std::sync::Arc;

use anonymizer::engine::postgres::PostgresEngine;
use anonymizer::engine::{Engine as _, EngineError, Marker, RunOptions, Scope};
use anonymizer::execute::{self, Ended, Ready};
use anonymizer::kept::Kept;
use anonymizer::mask::key::Keyring;
use anonymizer::progress::Silent;
use anonymizer::report;
use anonymizer::verify::vault::Vault;
use anyhow::{Context as _, Result, bail, ensure};
use contract::report::Verdict;
use contract::statement::{Statement, sha256};
use e2e::command::{KEY, finish, with_rules};
use e2e::hostile::STRANGER;
use e2e::postgres::{Database, MASTER, Server};
use e2e::sqlite::{parsed, runtime};

const RULES: &str = "
version: 1
tables:
  public.people: { columns: { id: keep, email: email } }
  elsewhere.kept: { columns: { id: keep, who: keep } }
";

/// A table to mask, and one to keep whose owner only a run becomes a member of.
fn people(server: &Server) -> Result<Database<'_>> {
    let database = server.database("concluded")?;
    database.query_as_master(&format!(
        "DO $$ BEGIN CREATE ROLE {STRANGER}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
         CREATE TABLE people (id int PRIMARY KEY, email text);
         INSERT INTO people SELECT i, 'canary' || i || '@real.example' FROM generate_series(1, 50) i"
    ))?;
    // A publication of everything wants to tell whom each change is about.
    database.query(&format!(
        "CREATE SCHEMA elsewhere AUTHORIZATION {STRANGER}; SET ROLE {STRANGER};
         CREATE TABLE elsewhere.kept (id int, who text); INSERT INTO elsewhere.kept VALUES (1, 'somebody');
         RESET ROLE; CREATE PUBLICATION everything FOR ALL TABLES"
    ))?;
    Ok(database)
}

/// Everything of a run but its end.
struct Run {
    engine: Arc<PostgresEngine>,
    options: Arc<RunOptions>,
    ended: Ended,
}

impl Run {
    async fn to_the_verdict(url: &str, run_id: &str, state: &Path) -> Result<Self> {
        let keyring = Keyring::from_hex(KEY)?;
        let engine = Arc::new(PostgresEngine::connect(url).await?);
        let ready =
            execute::prepare(engine.as_ref(), &parsed(RULES), &keyring, Scope::Database).await;
        let Ok(Ready { plan, .. }) = ready else { bail!("refused: {:?}", ready.err()) };
        let options = Arc::new(RunOptions {
            run_id: run_id.to_owned(),
            key_check: keyring.check_value(),
            key_is_ephemeral: false,
            jobs: 2,
            spool_dir: None,
            allow_connections: false,
            now: "2024-06-01T12:00:00Z".to_owned(),
            scope: Scope::Database,
            vault: Arc::new(Vault::open(state, &keyring)?),
        });
        let run = execute::execute(
            Arc::clone(&engine),
            Arc::new(plan),
            Arc::clone(&options),
            Arc::new(Silent),
        );
        match run.await {
            Ok(ended) => Ok(Self { engine, options, ended }),
            Err(failure) => bail!("{}", failure.source),
        }
    }

    async fn conclude(&self, verdict: Verdict) -> Result<(), EngineError> {
        let marker = Marker {
            run_id: self.options.run_id.clone(),
            digest: "ab".repeat(32),
            verdict,
            finished_at: "2024-06-01T12:34:56Z".to_owned(),
            kept: Kept::default(),
        };
        self.engine.conclude(&self.options, &marker).await
    }

    fn resumed(&self) -> Result<Vec<bool>> {
        match &self.ended {
            Ended::Masked(outcome) => Ok(outcome.tables.iter().map(|done| done.resumed).collect()),
            Ended::AlreadyDone(when) => bail!("already done: {when}"),
        }
    }
}

fn is_member(database: &Database<'_>) -> Result<bool> {
    Ok(database.query(&format!("SELECT pg_has_role('{MASTER}', '{STRANGER}', 'USAGE')"))?.trim()
        == "t")
}

const STATEMENT: &str =
    "SELECT run_id, digest, verdict, tool_version <> '', finished_at AT TIME ZONE 'UTC',
    rules_digest = (SELECT rules_digest FROM anonymizer.run) FROM anonymizer.statement";

#[test]
fn a_run_that_dies_before_its_end_is_looked_at_again_and_concluded() -> Result<()> {
    let server = Server::private(e2e::postgres::FAST)?;
    let database = people(&server)?;
    let state = tempfile::tempdir()?;
    runtime().block_on(async {
        let first = Run::to_the_verdict(&database.url(), "first", state.path()).await?;
        ensure!(first.resumed()? == [false]);
        ensure!(database.query("SELECT count(*) FROM anonymizer.statement")?.trim() == "0");
        ensure!(is_member(&database)?, "the gate read a kept table that only its owner may read");
        // Dropped here: as a kill would, it leaves the masked database without a verdict.
        drop(first);
        let masked = database.query("SELECT * FROM people ORDER BY id")?;

        let second = Run::to_the_verdict(&database.url(), "second", state.path()).await?;
        ensure!(second.resumed()? == [true], "masked rows are not masked again");
        second.conclude(Verdict::Passed).await?;
        let digest = "ab".repeat(32);
        ensure!(
            database.query(STATEMENT)?.trim()
                == format!("second|{digest}|passed|t|2024-06-01 12:34:56|t"),
        );
        ensure!(!is_member(&database)?, "rights were not given back");
        ensure!(database.query("SELECT * FROM people ORDER BY id")? == masked);
        drop(second);

        let third = Run::to_the_verdict(&database.url(), "third", state.path()).await?;
        ensure!(matches!(third.ended, Ended::AlreadyDone(_)), "a concluded run is done again");
        Ok(())
    })
}

/// The run dies when the database says that it has passed, and before it has written its report.
#[test]
fn a_run_that_dies_right_after_its_end_leaves_its_report_to_the_next() -> Result<()> {
    let server = Server::private(e2e::postgres::FAST)?;
    let database = people(&server)?;
    let directory = tempfile::tempdir()?;
    let (rules, report, state) = (
        directory.path().join("rules.yaml"),
        directory.path().join("report"),
        directory.path().join("state"),
    );
    std::fs::write(&rules, RULES)?;
    let text = runtime().block_on(async {
        let engine = PostgresEngine::connect(&database.url()).await?;
        let own = &sha256(engine.location().as_bytes())[..32];
        drop(engine);
        let run = Run::to_the_verdict(&database.url(), "first", &state.join(own)).await?;
        let Ended::Masked(outcome) = &run.ended else { bail!("already done") };
        let (rules, keyring) = (parsed(RULES), Keyring::from_hex(KEY)?);
        let ready = execute::prepare(run.engine.as_ref(), &rules, &keyring, Scope::Database).await;
        let Ok(Ready { plan, .. }) = ready else { bail!("refused") };
        let at = "2024-06-01T12:34:56Z".to_owned();
        let location = run.engine.location();
        let document = report::report("postgres", location, &plan, &run.options, outcome, at);
        let text = String::from_utf8(Statement::new(document).to_bytes())?;
        let marker = Marker {
            run_id: "first".to_owned(),
            digest: sha256(text.as_bytes()),
            verdict: Verdict::Passed,
            finished_at: "2024-06-01T12:34:56Z".to_owned(),
            kept: Kept::new(text.clone(), &keyring),
        };
        run.engine.conclude(&run.options, &marker).await?;
        ensure!(state.join(own).read_dir()?.next().is_some(), "nothing is kept of the originals");
        anyhow::Ok(text)
    })?;
    let mut command = with_rules("run", &database.url(), &rules)?;
    command.args(["--yes", "--state"]).arg(&state).arg("--report").arg(&report);
    let again = finish(&mut command)?;
    ensure!(again.code == Some(0) && again.stdout.contains("nothing to do"), "{again:?}");
    ensure!(std::fs::read_to_string(report.join("report.json"))? == text);
    ensure!(state.read_dir()?.next().is_none(), "fingerprints of the originals are left");

    database.query("UPDATE anonymizer.run SET report = replace(report, 'first', 'other')")?;
    let forged = finish(&mut command)?;
    ensure!(forged.code == Some(3), "{forged:?}");
    ensure!(!report.join("report.json").exists());
    Ok(())
}

#[test]
fn after_a_failed_verdict_the_next_run_looks_again() -> Result<()> {
    let server = Server::private(e2e::postgres::FAST)?;
    let database = people(&server)?;
    let state = tempfile::tempdir()?;
    runtime().block_on(async {
        let first = Run::to_the_verdict(&database.url(), "first", state.path()).await?;
        first.conclude(Verdict::Failed).await?;
        drop(first);
        ensure!(database.query(STATEMENT)?.starts_with("first|"));
        ensure!(database.query("SELECT verdict FROM anonymizer.statement")?.trim() == "failed");
        ensure!(!is_member(&database)?, "rights were not given back");

        let second = Run::to_the_verdict(&database.url(), "second", state.path()).await?;
        ensure!(second.resumed()? == [true], "scrub and gate are passed over");
        ensure!(is_member(&database)?, "the rights to look are not taken again");
        second.conclude(Verdict::Passed).await?;
        ensure!(
            database.query("SELECT run_id, verdict FROM anonymizer.statement")?
                == "second|passed\n"
        );
        ensure!(!is_member(&database)?, "rights were not given back");
        Ok(())
    })
}

#[test]
fn after_a_failed_verdict_other_rules_are_refused() -> Result<()> {
    let server = Server::private(e2e::postgres::FAST)?;
    let database = people(&server)?;
    let directory = tempfile::tempdir()?;
    runtime().block_on(async {
        let run = Run::to_the_verdict(&database.url(), "first", directory.path()).await?;
        run.conclude(Verdict::Failed).await?;
        anyhow::Ok(())
    })?;
    let rules = directory.path().join("rules.yaml");
    std::fs::write(&rules, format!("{RULES}locale: fr_FR\n"))?;
    let finished = finish(with_rules("run", &database.url(), &rules)?.arg("--yes"))?;
    let said = "masked by a run with other rules, whose verdict was failed";
    ensure!(finished.code == Some(3) && finished.stderr.contains(said), "{finished:?}");
    Ok(())
}

#[test]
fn everybody_may_read_the_marker_and_nothing_else_of_the_ledger() -> Result<()> {
    let server = Server::private(e2e::postgres::FAST)?;
    let database = people(&server)?;
    database.query(&format!(
        "CREATE ROLE passer_by LOGIN; ALTER DEFAULT PRIVILEGES FOR ROLE {MASTER} GRANT SELECT ON TABLES TO PUBLIC"
    ))?;
    let directory = tempfile::tempdir()?;
    let rules = directory.path().join("rules.yaml");
    std::fs::write(&rules, RULES)?;
    let report = directory.path().join("report");
    let finished = finish(
        with_rules("run", &database.url(), &rules)?.args(["--yes", "--report"]).arg(&report),
    )?;
    ensure!(finished.code == Some(0), "{finished:?}");
    let as_passer_by = |sql: &str| database.query(&format!("SET ROLE passer_by; {sql}"));
    let marker = as_passer_by("SELECT digest, verdict FROM anonymizer.statement")?;
    let bytes = std::fs::read(report.join("report.json"))?;
    ensure!(marker.trim() == format!("{}|passed", sha256(&bytes)), "{marker}");
    let tables = database.query(
        "SELECT relname FROM pg_class WHERE relnamespace = 'anonymizer'::regnamespace AND relkind IN ('r', 'v', 'm')",
    )?;
    ensure!(tables.lines().count() > 3, "{tables}");
    for table in tables.lines().filter(|table| *table != "statement") {
        let error = as_passer_by(&format!("SELECT * FROM anonymizer.{table}")).err();
        let error = error.with_context(|| format!("{table} is open to everybody"))?.to_string();
        ensure!(error.contains("permission denied"), "{error}");
    }
    let write =
        as_passer_by("DELETE FROM anonymizer.statement").err().context("it can be written")?;
    ensure!(write.to_string().contains("permission denied"), "{write}");
    Ok(())
}

#[test]
fn an_unconcluded_run_holds_the_lock() -> Result<()> {
    let server = Server::private(e2e::postgres::FAST)?;
    let database = people(&server)?;
    let state = tempfile::tempdir()?;
    runtime().block_on(async {
        let first = Run::to_the_verdict(&database.url(), "first", state.path()).await?;
        let others = database
            .query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")?;
        ensure!(others.trim() == "1", "the run has let its lock go before its end");
        let begun = first.resumed()?;
        ensure!(begun.len() == 1);
        Ok(())
    })
}
