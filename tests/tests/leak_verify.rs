//! `anonymizer verify`: another look at a database whose run has failed its verdict.

use std::io::Write as _;
use std::process::Command;

use anyhow::{Result, ensure};
use contract::exit_codes;
use e2e::command::{ends_with, finish, with_rules};
use e2e::postgres::{Database, Server};
use serde_json::Value;

const SCHEMA: &str = "
CREATE TABLE customer (id int PRIMARY KEY, email text);
INSERT INTO customer SELECT i, 'ada.canary' || i || '@mail.fr' FROM generate_series(1, 50) i;
CREATE TABLE note (id int PRIMARY KEY, body text);
INSERT INTO note VALUES (1, 'nothing'), (2, 'see ada.canary7@mail.fr'), (3, 'see Ada.Canary8@mail.fr and ada.canary9@mail.fr');";

const RULES: &str = "version: 1
tables:
  customer: { columns: { email: email, '*': keep } }
  note: { columns: { body: keep, '*': keep } }
";

struct Setting {
    database: Database<'static>,
    rules: tempfile::NamedTempFile,
    state: tempfile::TempDir,
}

impl Setting {
    fn new(name: &str) -> Result<Self> {
        let database = Server::shared()?.database(name)?;
        database.query_as_master(SCHEMA)?;
        let mut rules = tempfile::NamedTempFile::new()?;
        rules.write_all(RULES.as_bytes())?;
        Ok(Self { database, rules, state: tempfile::tempdir()? })
    }

    fn command(&self, verb: &str) -> Result<Command> {
        let mut command = with_rules(verb, &self.database.url(), self.rules.path())?;
        command.arg("--state").arg(self.state.path());
        Ok(command)
    }
}

#[test]
fn a_failed_run_is_looked_at_again_until_nothing_is_found() -> Result<()> {
    let setting = Setting::new("verify")?;
    let before = finish(&mut setting.command("verify")?)?;
    ends_with(&before, exit_codes::REFUSED, "no run has masked this database")?;

    let leak = "public.note.body: originals (email) in 2 values";
    let run = finish(setting.command("run")?.arg("--yes"))?;
    ends_with(&run, exit_codes::VERIFY_FAILED, leak)?;

    let reports = tempfile::tempdir()?;
    let again = finish(
        setting.command("verify")?.arg("--report").arg(reports.path()).args(["--format", "json"]),
    )?;
    ends_with(&again, exit_codes::VERIFY_FAILED, leak)?;
    let document: Value = serde_json::from_str(&again.stdout)?;
    let leaks = &document["gate"]["leaks"];
    assert_eq!(leaks[0]["place"], "public.note.body");
    assert_eq!((&leaks[0]["kind"], &leaks[0]["count"]), (&Value::from("email"), &Value::from(2)));
    let written: Value =
        serde_json::from_slice(&std::fs::read(reports.path().join("verify.json"))?)?;
    assert_eq!(written["gate"], document["gate"]);

    setting.database.query("UPDATE note SET body = 'see her' WHERE id > 1")?;
    let clean = finish(&mut setting.command("verify")?)?;
    ends_with(&clean, exit_codes::OK, "")?;
    ensure!(clean.stdout.contains("none of 50 originals"), "{}", clean.stdout);

    // Another key opens nothing.
    let mut other = setting.command("verify")?;
    let other = finish(other.env("ANONYMIZER_KEY", "7".repeat(64)))?;
    ends_with(&other, exit_codes::REFUSED, "another key")?;

    let rerun = finish(setting.command("run")?.arg("--yes"))?;
    ends_with(&rerun, exit_codes::OK, "")?;
    let after = finish(&mut setting.command("verify")?)?;
    ends_with(&after, exit_codes::REFUSED, "has passed")
}

#[test]
fn without_what_the_run_has_kept_there_is_no_verdict() -> Result<()> {
    let setting = Setting::new("verify_lost")?;
    let run = finish(setting.command("run")?.arg("--yes"))?;
    ends_with(&run, exit_codes::VERIFY_FAILED, "public.note.body")?;
    for entry in std::fs::read_dir(setting.state.path())? {
        std::fs::remove_dir_all(entry?.path())?;
    }
    let lost = finish(&mut setting.command("verify")?)?;
    ends_with(&lost, exit_codes::VERIFY_FAILED, "public.customer")
}
