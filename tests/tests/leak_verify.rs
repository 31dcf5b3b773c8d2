//! `anonymizer verify`: another look at a database whose run has failed its verdict.

use std::io::Write as _;
use std::process::Command;

use anyhow::{Result, ensure};
use contract::exit_codes;
use contract::statement::sha256;
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

#[test]
fn what_the_rules_allow_may_change_after_a_failed_run() -> Result<()> {
    let mut setting = Setting::new("verify_allowed")?;
    let leak = "public.note.body: originals (email) in 2 values";
    let run = finish(setting.command("run")?.arg("--yes"))?;
    ends_with(&run, exit_codes::VERIFY_FAILED, leak)?;
    let masked = setting.database.query("SELECT * FROM customer ORDER BY id")?;

    let allow = "verify: { allow: [{ column: public.note.body, reason: hers to tell }] }\n";
    setting.rules.write_all(allow.as_bytes())?;
    let look = finish(&mut setting.command("verify")?)?;
    ends_with(&look, exit_codes::OK, "")?;
    ensure!(look.stdout.contains("allowed: public.note.body (email): hers to tell"));

    let reports = tempfile::tempdir()?;
    let concluded =
        finish(setting.command("run")?.args(["--yes", "--report"]).arg(reports.path()))?;
    ends_with(&concluded, exit_codes::OK, "")?;
    ensure!(setting.database.query("SELECT * FROM customer ORDER BY id")? == masked);
    let marker = "SELECT verdict, digest, rules_digest FROM anonymizer.statement";
    let report = std::fs::read(reports.path().join("report.json"))?;
    let rules = std::fs::read(setting.rules.path())?;
    let (report, rules) = (sha256(&report), sha256(&rules));
    assert_eq!(setting.database.query(marker)?.trim(), format!("passed|{report}|{rules}"));

    // The verdict was that of these rules: without the entry there would have been none.
    std::fs::write(setting.rules.path(), RULES)?;
    let strict = finish(setting.command("run")?.arg("--yes"))?;
    ends_with(&strict, exit_codes::REFUSED, "by a run with another rules file")
}

/// An extension's table that is closed to the run's role, with rows that nobody has looked into.
#[test]
fn a_failed_scrub_is_not_forgotten_because_nothing_is_found() -> Result<()> {
    let setting = Setting::new("verify_scrub")?;
    setting.database.query("DELETE FROM note; CREATE EXTENSION citext; CREATE TABLE \"hidden\u{7}\" AS SELECT 'canary' AS name")?;
    setting.database.query("ALTER EXTENSION citext ADD TABLE \"hidden\u{7}\"")?;
    let said = r"public.hidden\u{7} (closed to this role";
    let run = finish(setting.command("run")?.arg("--yes"))?;
    ends_with(&run, exit_codes::VERIFY_FAILED, said)?;
    ensure!(!run.stderr.contains('\u{7}'), "a name rings the bell");
    let look = finish(&mut setting.command("verify")?)?;
    ends_with(&look, exit_codes::VERIFY_FAILED, said)?;
    ensure!(look.stdout.contains("none of 50 originals"), "{}", look.stdout);

    setting.database.query("GRANT SELECT ON \"hidden\u{7}\" TO PUBLIC")?;
    let rerun = finish(setting.command("run")?.arg("--yes"))?;
    ends_with(&rerun, exit_codes::OK, "")
}

#[test]
fn what_the_terminal_would_draw_is_escaped() -> Result<()> {
    let setting = Setting::new("verify_drawn")?;
    setting.database.query("ALTER TABLE note RENAME body TO \"b\u{1b}[2J\u{7}\"")?;
    std::fs::write(setting.rules.path(), RULES.replace("body", r#""b\e[2J\a""#))?;
    let run = finish(setting.command("run")?.arg("--yes"))?;
    ends_with(&run, exit_codes::VERIFY_FAILED, r"public.note.b\u{1b}[2J\u{7}: originals")?;
    let look = finish(&mut setting.command("verify")?)?;
    ends_with(&look, exit_codes::VERIFY_FAILED, r"b\u{1b}[2J\u{7}")?;
    let drawn = [run.stdout, run.stderr, look.stdout, look.stderr].concat();
    ensure!(!drawn.contains(['\u{1b}', '\u{7}']), "{drawn:?}");
    Ok(())
}

#[test]
fn what_masks_may_not_change_after_a_failed_run() -> Result<()> {
    let setting = Setting::new("verify_rules")?;
    let run = finish(setting.command("run")?.arg("--yes"))?;
    ends_with(&run, exit_codes::VERIFY_FAILED, "public.note.body")?;
    std::fs::write(setting.rules.path(), RULES.replace("body: keep", "body: redact"))?;
    for verb in ["verify", "run"] {
        let other = finish(&mut setting.command(verb)?)?;
        ends_with(&other, exit_codes::REFUSED, "with other rules")?;
    }
    Ok(())
}

#[test]
fn a_run_that_fails_early_leaves_no_report_of_an_earlier_one() -> Result<()> {
    let setting = Setting::new("verify_stale")?;
    setting.database.query("DELETE FROM note")?;
    let reports = tempfile::tempdir()?;
    let (report, aside) =
        (reports.path().join("report.json"), reports.path().join("earlier/report.json"));
    let run = |setting: &Setting| {
        finish(setting.command("run")?.args(["--yes", "--report"]).arg(reports.path()))
    };
    ends_with(&run(&setting)?, exit_codes::OK, "")?;
    let passed = std::fs::read(&report)?;
    // There is nothing to do, and the report is still that of the run that masked the database.
    ends_with(&run(&setting)?, exit_codes::OK, "")?;
    ensure!(std::fs::read(&report)? == passed && !aside.exists());

    setting.database.query("ALTER TABLE note ADD secret text")?;
    for _ in 0..2 {
        ends_with(&run(&setting)?, exit_codes::REFUSED, "secret")?;
        ensure!(!report.exists(), "a passed verdict beside a run that was refused");
        ensure!(std::fs::read(&aside)? == passed);
    }
    Ok(())
}
