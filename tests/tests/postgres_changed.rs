//! Masked tables whose rows are no longer those that the run has loaded, whoever changed them and whenever.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anonymizer::engine::postgres::PostgresEngine;
use anonymizer::engine::{Begun, Engine as _, RunOptions, Scope};
use anonymizer::execute::{self, Ready};
use anonymizer::mask::key::Keyring;
use anonymizer::verify::vault::Vault;
use anyhow::{Context as _, Result, bail, ensure};
use contract::exit_codes;
use contract::report::ScrubStatus;
use e2e::command::{Finished, KEY, ends_with, finish, with_rules};
use e2e::postgres::{Database, MASTER, Server};
use e2e::scrub::{Attack, files_with};
use e2e::sqlite::{parsed, runtime};

const SCHEMA: &str = "
CREATE TABLE customer (id int PRIMARY KEY, email text, note text);
INSERT INTO customer SELECT i, 'canary' || i || '@corp.test', 'nothing' FROM generate_series(1, 500) i;
ALTER TABLE customer ENABLE ROW LEVEL SECURITY; ALTER TABLE customer FORCE ROW LEVEL SECURITY;
CREATE TABLE visit (id int, email text, day date) PARTITION BY RANGE (id);
CREATE TABLE visit_1 PARTITION OF visit FOR VALUES FROM (0) TO (100);
INSERT INTO visit SELECT i, 'canary' || i || '@corp.test', '2024-01-01' FROM generate_series(1, 50) i;
CREATE TABLE last (document text); INSERT INTO last VALUES ('{}')";

const TABLES: &str = "  customer: { columns: { id: keep, email: email, note: keep } }
  visit: { columns: { email: email, '*': keep } }
  last: { columns: { document: { function: json, paths: { '$.email': email } } } }
";

struct Setting {
    database: Database<'static>,
    directory: tempfile::TempDir,
}

impl Setting {
    fn new(more: &str) -> Result<Self> {
        let database = Server::shared()?.database("changed")?;
        database.query_as_master(SCHEMA)?;
        if !more.is_empty() {
            database.query(more)?;
        }
        let directory = tempfile::tempdir()?;
        std::fs::write(
            directory.path().join("rules.yaml"),
            format!("version: 1\ntables:\n{TABLES}"),
        )?;
        Ok(Self { database, directory })
    }

    fn run_with(&self, more: &[&str]) -> Result<Finished> {
        let rules = self.directory.path().join("rules.yaml");
        let mut command = with_rules("run", &self.database.url(), &rules)?;
        command.args(["--yes", "--state"]).arg(self.directory.path().join("state"));
        finish(command.args(more))
    }

    fn run(&self) -> Result<Finished> {
        self.run_with(&[])
    }

    /// The next run names the table and writes nothing.
    fn is_refused(&self, table: &str) -> Result<()> {
        let ledger = "SELECT s, (SELECT verdict FROM anonymizer.statement) FROM anonymizer.run s";
        let before = self.database.query(ledger)?;
        let said =
            format!("rows have come, gone or changed in {table}\n(hint: restore the copy again");
        ends_with(&self.run()?, exit_codes::REFUSED, &said)?;
        ensure!(self.database.query(ledger)? == before, "the ledger has changed");
        Ok(())
    }
}

#[test]
fn a_finished_database_with_other_rows_is_not_already_done() -> Result<()> {
    let raw = "'canary7@corp.test'";
    let changes = [
        (format!("TRUNCATE customer; INSERT INTO customer SELECT i, {raw}, '' FROM generate_series(1, 500) i"), "public.customer"),
        (
            format!(
                "ALTER TABLE customer RENAME TO earlier; CREATE TABLE customer (LIKE earlier INCLUDING ALL); DROP TABLE earlier;
                 INSERT INTO customer SELECT i, {raw}, '' FROM generate_series(1, 500) i; ALTER TABLE customer OWNER TO {MASTER}"
            ),
            "public.customer",
        ),
        (format!("UPDATE customer SET email = {raw} WHERE id = 7"), "public.customer"),
        (format!("DELETE FROM visit WHERE id = 7; INSERT INTO visit VALUES (7, {raw})"), "public.visit_1"),
        (format!("INSERT INTO customer VALUES (501, {raw})"), "public.customer"),
        ("DELETE FROM last".to_owned(), "public.last"),
    ];
    for (change, table) in changes {
        let setting = Setting::new("")?;
        ends_with(&setting.run()?, exit_codes::OK, "")?;
        setting.database.query(&change)?;
        setting.is_refused(table).with_context(|| change)?;
    }
    Ok(())
}

#[test]
fn a_finished_database_that_was_only_tidied_up_is_already_done() -> Result<()> {
    let setting = Setting::new("")?;
    ends_with(&setting.run()?, exit_codes::OK, "")?;
    setting.database.query_each(&["VACUUM (FREEZE, FULL) customer", "VACUUM visit", "ANALYZE"])?;
    let again = setting.run()?;
    ends_with(&again, exit_codes::OK, "")?;
    ensure!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    Ok(())
}

#[test]
fn rows_that_came_between_a_run_and_its_rerun_are_refused() -> Result<()> {
    let setting = Setting::new("UPDATE last SET document = 'none'")?;
    ends_with(&setting.run()?, exit_codes::UNEXPECTED, "units masked, none half")?;
    setting.database.query("UPDATE customer SET email = 'canary7@corp.test' WHERE id = 7")?;
    setting.is_refused("public.customer")
}

/// Whoever mends a leak by hand leaves it on the pages and in the statistics.
#[test]
fn what_was_mended_after_a_failed_verdict_is_written_anew() -> Result<()> {
    let leak = "UPDATE customer SET note = 'canary' || id || '@corp.test' WHERE id <= 400";
    let setting = Setting::new(leak)?;
    ends_with(&setting.run()?, exit_codes::VERIFY_FAILED, "public.customer.note")?;
    setting
        .database
        .query("UPDATE customer SET note = NULL; DELETE FROM customer WHERE id > 490")?;
    let report = setting.directory.path().join("report");
    let again = setting.run_with(&["--report", report.to_str().context("a strange path")?])?;
    ends_with(&again, exit_codes::OK, "")?;
    ensure!(
        again.stdout.contains("by hand after a failed verdict in public.customer"),
        "{}",
        again.stdout
    );
    let statistics =
        setting.database.query("SELECT * FROM pg_stats WHERE tablename = 'customer'")?;
    ensure!(!statistics.contains("canary"), "{statistics}");
    let files = files_with(&setting.database, "@corp.test")?;
    ensure!(files.is_empty(), "{files:?}");
    ensure!(setting.run()?.stdout.contains("nothing to do"), "what was mended is not accepted");
    Ok(())
}

#[test]
fn rows_that_came_after_a_failed_verdict_are_refused() -> Result<()> {
    for raw in [
        "INSERT INTO customer VALUES (501, 'ada.canary@corp.test')",
        "TRUNCATE customer; INSERT INTO customer VALUES (1, 'ada.canary@corp.test')",
    ] {
        let setting = Setting::new("UPDATE customer SET note = 'canary7@corp.test'")?;
        ends_with(&setting.run()?, exit_codes::VERIFY_FAILED, "public.customer.note")?;
        setting.database.query(raw)?;
        setting.is_refused("public.customer")?;
    }
    Ok(())
}

/// A view that is refreshed after the last unit stands for whoever writes at that moment.
#[test]
fn a_row_that_comes_during_the_run_fails_the_verdict() -> Result<()> {
    for (off, code) in [("postgres.arrivals", exit_codes::OK), ("", exit_codes::VERIFY_FAILED)] {
        let database = Server::shared()?.database("arrivals")?;
        database.query_as_master(
            "CREATE TABLE customer (id serial PRIMARY KEY, email text);
             INSERT INTO customer SELECT i, 'canary' || i || '@corp.test' FROM generate_series(1, 100) i;
             CREATE FUNCTION arrive() RETURNS int LANGUAGE sql AS
                 $$ INSERT INTO public.customer VALUES (-random() * 1000000, 'late') RETURNING id $$;
             CREATE MATERIALIZED VIEW latest AS SELECT arrive()",
        )?;
        let rules = "  customer: { columns: { id: keep, email: email } }\n";
        let run = Attack::on(&database, rules).without(off).run()?;
        ensure!(run.finished.code == Some(i32::from(code)), "{:?}", run.finished);
        if code != exit_codes::OK {
            let said = run.is("arrivals", ScrubStatus::Failed)?;
            ensure!(said == "rows have come, gone or changed in public.customer", "{said}");
        }
    }
    Ok(())
}

/// Begins a run and answers what the check at its end finds.
async fn begun_then(url: &str, state: &Path, then: impl FnOnce() -> Result<()>) -> Result<String> {
    let keyring = Keyring::from_hex(KEY)?;
    let engine = PostgresEngine::connect(url).await?;
    let rules = parsed(&format!("version: 1\ntables:\n{TABLES}"));
    let ready = execute::prepare(&engine, &rules, &keyring, Scope::Database).await;
    let Ok(Ready { plan, .. }) = ready else { bail!("refused: {:?}", ready.err()) };
    let options = RunOptions {
        run_id: "begun".to_owned(),
        key_check: keyring.check_value(),
        key_is_ephemeral: false,
        jobs: 1,
        spool_dir: None,
        allow_connections: false,
        now: "2024-06-01T12:00:00Z".to_owned(),
        scope: Scope::Database,
        vault: Arc::new(Vault::open(state, &keyring)?),
    };
    ensure!(matches!(engine.begin(&plan, &options).await?, Begun::Work(_)));
    then()?;
    let checks = engine.arrivals(&plan, &options).await?;
    Ok(checks.iter().map(|check| format!("{:?} {}", check.status, check.detail)).collect())
}

#[test]
fn a_client_that_comes_during_the_run_fails_the_verdict() -> Result<()> {
    let setting = Setting::new("")?;
    let state = tempfile::tempdir()?;
    let (url, name) = (setting.database.url(), setting.database.name().to_owned());
    let mut client = None;
    let found = runtime().block_on(begun_then(&url, state.path(), || {
        let psql = Command::new("psql").args(["-X", "-d", &url, "-c", "SELECT pg_sleep(60)"]).spawn();
        client = Some(psql.context("psql does not start")?);
        let there = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE '%pg_sleep(60)'");
        let elsewhere = Server::shared()?.existing("postgres");
        for _ in 0..100 {
            if elsewhere.query(&there)?.trim() == "1" {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        bail!("the client does not connect")
    }));
    if let Some(mut client) = client {
        client.kill()?;
        client.wait()?;
    }
    ensure!(found? == "Failed another client is connected");
    Ok(())
}
