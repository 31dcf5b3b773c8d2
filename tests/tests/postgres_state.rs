//! `--state`: what a run keeps of the originals until the verdict, and what becomes of a rerun that has it, or has it not.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anonymizer::identifier::Identifier;
use anonymizer::mask::key::Keyring;
use anonymizer::verify::normal;
use anonymizer::verify::vault::{Fingerprint, Originals, Vault};
use anyhow::{Context as _, Result, ensure};
use contract::exit_codes;
use e2e::command::{Finished, KEY, ends_with, finish, with_rules};
use e2e::postgres::{Database, Server};
use tempfile::TempDir;

/// Units largest first, so that `broken` comes last. Until its document is mended, a run stops there.
const SCHEMA: &str = r#"
CREATE TABLE person (
    id int PRIMARY KEY, email text UNIQUE, phone varchar(40), profile jsonb, other_emails text[], token uuid, born date,
    badge int, photo bytea, note xml, legal_name text, page text);
INSERT INTO person SELECT i, 'ada.canary' || i || '@x.test', '+49 30 12345' || 600 + i,
    jsonb_build_object('contact', jsonb_build_object('email', 'json.canary' || i || '@x.test')),
    ARRAY['first.canary' || i || '@x.test', NULL, 'second.canary' || i || '@x.test'],
    ('11111111-2222-4333-8444-5555' || 10000000 + i)::uuid, date '1970-03-04' + i, 48213000 + i,
    convert_to('photo-of-canary-' || i, 'UTF8'), ('<p>note of canary ' || i || '</p>')::xml, 'Ada Canaryson',
    repeat('page ', 200)
    FROM generate_series(1, 300) i;
CREATE TABLE purchase (id int PRIMARY KEY, person_id int REFERENCES person, contact text, page text);
INSERT INTO purchase SELECT i, i, 'buyer.canary' || i || '@x.test', repeat('page ', 100) FROM generate_series(1, 300) i;
CREATE TABLE visit (id int, contact text, page text) PARTITION BY RANGE (id);
CREATE TABLE visit_low PARTITION OF visit FOR VALUES FROM (0) TO (100);
CREATE TABLE visit_high PARTITION OF visit FOR VALUES FROM (100) TO (1000);
INSERT INTO visit SELECT i, 'visitor.canary' || i || '@x.test', repeat('page ', 50) FROM generate_series(1, 300) i;
CREATE TABLE broken (id int, document text);
INSERT INTO broken VALUES (1, '{"email": "canary');
ANALYZE;"#;

const RULES: &str = r#"
version: 1
tables:
  person:
    skip_rows: "id = 7"
    delete_rows: "id = 8"
    cascade: true
    columns:
      email: { function: email }
      phone: phone
      profile: { function: json, paths: { "$.contact.email": email } }
      other_emails: { function: array, element: email }
      token: { function: uuid, identifies: true }
      born: { function: date_shift, max_days: 30, identifies: true }
      badge: { function: hash, identifies: true }
      photo: { function: redact, identifies: true }
      note: { function: nullify, identifies: true }
      legal_name: { function: full_name, identifies: false }
      page: redact
      "*": keep
  purchase: { columns: { contact: email, page: redact, "*": keep } }
  visit: { delete_rows: "id = 9", columns: { contact: email, page: redact, "*": keep } }
  broken: { columns: { document: { function: json, paths: { "$.email": email } }, "*": keep } }
"#;

struct Setting {
    database: Database<'static>,
    rules: tempfile::NamedTempFile,
    state: TempDir,
}

impl Setting {
    fn new() -> Result<Self> {
        let database = Server::shared()?.database("state")?;
        database.query_as_master(SCHEMA)?;
        let rules = tempfile::NamedTempFile::new()?;
        fs::write(rules.path(), RULES)?;
        Ok(Self { database, rules, state: tempfile::tempdir()? })
    }

    fn command(&self) -> Result<std::process::Command> {
        let mut command = with_rules("run", &self.database.url(), self.rules.path())?;
        command.args(["--yes", "--jobs", "1", "--state"]).arg(self.state.path());
        Ok(command)
    }

    fn run(&self) -> Result<Finished> {
        finish(&mut self.command()?)
    }

    /// Runs into the document that is none.
    fn stops_at_the_last_unit(&self) -> Result<()> {
        ends_with(&self.run()?, exit_codes::UNEXPECTED, "3 of 4 units masked")
    }

    fn mend(&self) -> Result<()> {
        let mended = r#"UPDATE broken SET document = '{"email": "last.canary@x.test"}'"#;
        self.database.query(mended).map(drop)
    }

    /// The database's own directory in the state.
    fn directory(&self) -> Result<PathBuf> {
        let mut entries = fs::read_dir(self.state.path())?;
        Ok(entries.next().context("nothing is kept")??.path())
    }

    fn files(&self) -> Result<Vec<PathBuf>> {
        fs::read_dir(self.directory()?)?.map(|entry| Ok(entry?.path())).collect()
    }

    /// What these units have left.
    fn originals(&self, units: &[&str]) -> Result<Originals> {
        let vault = Vault::open(&self.directory()?, &Keyring::from_hex(KEY)?)?;
        vault.bind(self.database.query("SELECT run_id FROM anonymizer.run")?.trim())?;
        let units: Vec<String> = units.iter().map(ToString::to_string).collect();
        Ok(vault.originals(&units)?)
    }
}

/// True where all forms of the text are among the originals.
fn holds(originals: &Originals, kind: Identifier, text: &str) -> Result<bool> {
    let make = originals.fingerprints();
    let mut forms: Vec<Fingerprint> = Vec::new();
    normal::original(kind, text, &mut |kind, normal| forms.push(make.of(kind, normal)));
    ensure!(!forms.is_empty(), "{text} has no form that is looked for");
    forms.sort();
    forms.dedup();
    Ok(originals.confirm(&forms)? == forms)
}

#[test]
fn every_original_that_identifies_somebody_is_kept_whether_its_row_stays_or_goes() -> Result<()> {
    use Identifier::{Email, FullName, Other, Phone};
    let setting = Setting::new()?;
    setting.stops_at_the_last_unit()?;
    let of_person = |id: u32| {
        [
            (Email, format!("ada.canary{id}@x.test")),
            (Phone, format!("+49 30 12345{}", 600 + id)),
            (Email, format!("json.canary{id}@x.test")),
            (Email, format!("first.canary{id}@x.test")),
            (Email, format!("second.canary{id}@x.test")),
            (Other, format!("11111111-2222-4333-8444-5555{}", 10_000_000 + id)),
            (Other, (48_213_000 + id).to_string()),
            (Other, format!("photo-of-canary-{id}")),
            (Other, format!("<p>note of canary {id}</p>")),
        ]
    };
    let all = ["anonymizer.cascade_delete", "public.person", "public.purchase", "public.visit"];
    let originals = setting.originals(&all)?;
    for id in [1, 8, 9, 300] {
        for (kind, text) in of_person(id) {
            ensure!(holds(&originals, kind, &text)?, "{text} is not kept");
        }
        for holder in ["buyer", "visitor"] {
            let text = format!("{holder}.canary{id}@x.test");
            ensure!(holds(&originals, Email, &text)?, "{text} is not kept");
        }
    }
    let born = setting.originals(&["public.person"])?;
    ensure!(holds(&born, Other, "1970-03-05")?, "a date is kept as it is written");
    for (kind, text) in of_person(7) {
        ensure!(!holds(&originals, kind, &text)?, "{text} stays in its row and is no leak");
    }
    ensure!(
        !holds(&originals, FullName, "Ada Canaryson")?,
        "a rule says that it identifies nobody"
    );
    Ok(())
}

#[test]
fn rows_that_go_without_a_cascade_are_kept_with_their_unit() -> Result<()> {
    let setting = Setting::new()?;
    let cascade = "    delete_rows: \"id = 8\"\n    cascade: true\n";
    ensure!(RULES.contains(cascade));
    fs::write(setting.rules.path(), RULES.replace(cascade, ""))?;
    setting.stops_at_the_last_unit()?;
    let visit = setting.originals(&["public.visit"])?;
    ensure!(holds(&visit, Identifier::Email, "visitor.canary9@x.test")?);
    ensure!(visit.count() == 300, "{} originals of 300 visits", visit.count());
    ensure!(setting.files()?.len() == 3);
    Ok(())
}

#[test]
fn what_is_kept_is_for_its_owner_and_tells_nobody_anything() -> Result<()> {
    let setting = Setting::new()?;
    setting.stops_at_the_last_unit()?;
    let directory = setting.directory()?;
    ensure!(fs::metadata(&directory)?.permissions().mode() & 0o777 == 0o700);
    // One for each unit that is done, and one for the rows that went first.
    let files = setting.files()?;
    ensure!(files.len() == 4, "{files:?}");
    for file in &files {
        ensure!(fs::metadata(file)?.permissions().mode() & 0o777 == 0o600);
        let (bytes, name) = (fs::read(file)?, file.to_string_lossy().into_owned());
        for word in ["canary", "x.test", "12345", "48213", "person", "purchase", "visit"] {
            let is_in = |bytes: &[u8]| bytes.windows(word.len()).any(|w| w == word.as_bytes());
            ensure!(!is_in(&bytes), "{word} is in {name}");
            ensure!(!is_in(name.as_bytes()), "{name} tells");
        }
    }
    Ok(())
}

#[test]
fn a_rerun_that_has_the_state_finishes_and_leaves_none() -> Result<()> {
    let setting = Setting::new()?;
    setting.stops_at_the_last_unit()?;
    setting.mend()?;
    ends_with(&setting.run()?, exit_codes::OK, "finished by an earlier run")?;
    ensure!(fs::read_dir(setting.state.path())?.next().is_none(), "something is left");
    Ok(())
}

/// A rerun whose state was treated like this ends with exit code 4, however often, and masks nothing.
fn is_unverified(spoil: impl FnOnce(&Setting) -> Result<()>, because: &str) -> Result<()> {
    let setting = Setting::new()?;
    setting.stops_at_the_last_unit()?;
    setting.mend()?;
    spoil(&setting)?;
    for _ in 0..2 {
        let finished = setting.run()?;
        ends_with(&finished, exit_codes::VERIFY_FAILED, because)?;
        ensure!(finished.stderr.contains("--state"), "no cure:\n{}", finished.stderr);
    }
    let units = setting.database.query("SELECT count(*) FROM anonymizer.unit")?;
    ensure!(units == "3\n", "{units}units are masked");
    Ok(())
}

#[test]
fn a_rerun_without_the_state_is_unverified() -> Result<()> {
    let removed = |setting: &Setting| Ok(fs::remove_dir_all(setting.directory()?)?);
    is_unverified(removed, "originals are not in")
}

#[test]
fn a_rerun_with_a_damaged_state_is_unverified() -> Result<()> {
    let damaged = |setting: &Setting| {
        let longest = |file: &PathBuf| fs::metadata(file).map_or(0, |file| file.len());
        let file = setting.files()?.into_iter().max_by_key(longest).context("no file")?;
        let mut bytes = fs::read(&file)?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        Ok(fs::write(&file, bytes)?)
    };
    is_unverified(damaged, "are damaged")
}

#[test]
fn a_rerun_with_the_state_of_an_earlier_restore_is_unverified() -> Result<()> {
    let replaced = |setting: &Setting| {
        let other = Setting::new()?;
        other.stops_at_the_last_unit()?;
        for file in other.files()? {
            let name = file.file_name().context("a name")?;
            fs::copy(&file, setting.directory()?.join(name))?;
        }
        Ok(())
    };
    is_unverified(replaced, "another run's")
}

#[test]
fn a_run_with_nothing_to_look_for_needs_no_state() -> Result<()> {
    let setting = Setting::new()?;
    let rules = RULES.replace("identifies: true", "identifies: false");
    let blind = "{ function: hash, identifies: false }";
    let rules = rules.replace("page: redact", &format!("page: {blind}"));
    let rules = ["email", "phone"].iter().fold(rules, |rules, function| {
        let rules = rules.replace(&format!("{{ function: {function} }}"), blind);
        let rules = rules.replace(&format!(": {function} }}"), ": hash }");
        rules
            .replace(&format!(": {function}\n"), &format!(": {blind}\n"))
            .replace(&format!(": {function},"), &format!(": {blind},"))
    });
    fs::write(setting.rules.path(), rules)?;
    setting.stops_at_the_last_unit()?;
    setting.mend()?;
    ensure!(setting.files()?.is_empty(), "something is kept");
    fs::remove_dir_all(setting.directory()?)?;
    ends_with(&setting.run()?, exit_codes::OK, "finished by an earlier run")
}

#[test]
fn an_original_of_a_row_that_went_with_another_is_found_by_the_run_and_by_a_later_look()
-> Result<()> {
    let setting = Setting::new()?;
    setting.mend()?;
    setting.database.query_as_master(
        "CREATE TABLE log (id int, line text); INSERT INTO log VALUES (1, 'sent to buyer.canary8@x.test')",
    )?;
    fs::write(
        setting.rules.path(),
        format!("{RULES}  log: {{ columns: {{ line: keep, id: keep }} }}\n"),
    )?;
    ends_with(&setting.run()?, exit_codes::VERIFY_FAILED, "public.log.line")?;
    let mut look = with_rules("verify", &setting.database.url(), setting.rules.path())?;
    let looked = finish(look.arg("--state").arg(setting.state.path()))?;
    ends_with(&looked, exit_codes::VERIFY_FAILED, "public.log.line")?;
    setting.database.query("UPDATE log SET line = ''")?;
    ends_with(&setting.run()?, exit_codes::OK, "finished by an earlier run")?;
    ensure!(fs::read_dir(setting.state.path())?.next().is_none(), "something is left");
    Ok(())
}

#[test]
fn killed_while_a_unit_is_loaded() -> Result<()> {
    let setting = Setting::new()?;
    setting.mend()?;
    setting.database.query(
        "INSERT INTO visit SELECT i % 1000, 'visitor.canary' || i || '@x.test', repeat('page ', 50)
         FROM generate_series(301, 60000) i; ANALYZE",
    )?;
    let mut child = setting.command()?.stderr(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let mut said = BufReader::new(child.stderr.take().context("its messages")?);
    let mut so_far = String::new();
    // The largest unit is done.
    while !so_far.contains("public.person: loading") {
        ensure!(said.read_line(&mut so_far)? > 0, "the run ended before it loaded:\n{so_far}");
    }
    child.kill()?;
    child.wait()?;
    let done = setting.database.query("SELECT table_name FROM anonymizer.unit")?;
    ensure!(done.contains("visit"), "done: {done}");
    let kept = setting.originals(&["public.visit"])?;
    ensure!(holds(&kept, Identifier::Email, "visitor.canary60000@x.test")?);
    ends_with(&setting.run()?, exit_codes::OK, "finished by an earlier run")?;
    ensure!(fs::read_dir(setting.state.path())?.next().is_none(), "something is left");
    Ok(())
}

fn is_usage(state: &Path, report: Option<&Path>, because: &str) -> Result<()> {
    let setting = Setting::new()?;
    let mut command = with_rules("run", &setting.database.url(), setting.rules.path())?;
    command.arg("--yes").arg("--state").arg(state);
    if let Some(report) = report {
        command.arg("--report").arg(report);
    }
    ends_with(&finish(&mut command)?, exit_codes::USAGE, because)?;
    let ledger = "SELECT count(*) FROM pg_namespace WHERE nspname = 'anonymizer'";
    ensure!(setting.database.query(ledger)? == "0\n", "the run has begun");
    Ok(())
}

#[test]
fn a_state_that_others_can_write_or_that_travels_with_the_report_is_refused() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let report = directory.path().join("report");
    is_usage(&report.join("state"), Some(&report), "lies in the report directory")?;
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777))?;
    is_usage(directory.path(), None, "can be written by others")
}
