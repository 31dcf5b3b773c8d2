//! What a run on a SQLite file keeps of the originals for the leak gate, and that nothing of it outlives the run.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::sync::Arc;

use anonymizer::engine::sqlite::SqliteEngine;
use anonymizer::engine::{Begun, Engine as _, RunOptions, Scope};
use anonymizer::execute::{self, Ready};
use anonymizer::identifier::Identifier::{self, Email, Other, Phone};
use anonymizer::mask::key::Keyring;
use anonymizer::progress::Silent;
use anonymizer::rules;
use anonymizer::verify::normal;
use anonymizer::verify::vault::{Fingerprint, Originals, Vault};
use e2e::command::{KEY, ends_with, finish, with_rules};
use e2e::sqlite::File;

const SCHEMA: &str = "
CREATE TABLE person(id INTEGER PRIMARY KEY, email TEXT UNIQUE, phone TEXT, profile TEXT, badge INTEGER, note TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
INSERT INTO person SELECT i, 'ada.canary' || i || '@x.test', '+49 30 12345' || (600 + i),
    '{\"mail\": \"json.canary' || i || '@x.test\"}', 48213000 + i, 'note of canary ' || i FROM n;
CREATE TABLE purchase(id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person, contact TEXT);
INSERT INTO purchase SELECT id, id, 'buyer.canary' || id || '@x.test' FROM person;
CREATE TABLE visit(id INTEGER PRIMARY KEY, contact TEXT);
INSERT INTO visit SELECT id, 'visitor.canary' || id || '@x.test' FROM person;
";

const RULES: &str = r#"
version: 1
tables:
  person:
    skip_rows: "id = 7"
    delete_rows: "id = 8"
    cascade: true
    columns:
      id: keep
      email: email
      phone: phone
      profile: { function: json, paths: { "$.mail": email } }
      badge: { function: hash, identifies: true }
      note: { function: redact, identifies: true }
  purchase: { columns: { id: keep, person_id: keep, contact: email } }
  visit: { delete_rows: "id = 9", columns: { id: keep, contact: email } }
"#;

/// Masks every table of the file's copy; answers with what was collected.
fn collected(file: &File) -> Originals {
    let keyring = Keyring::from_hex(KEY).unwrap();
    let engine = SqliteEngine::connect(&file.url()).unwrap();
    let rules = rules::parse("rules.yaml", RULES.as_bytes()).unwrap();
    let vault = Arc::new(Vault::private(None, &keyring).unwrap());
    let options = RunOptions {
        run_id: "test".into(),
        key_check: keyring.check_value(),
        key_is_ephemeral: false,
        jobs: 1,
        spool_dir: None,
        allow_connections: false,
        now: "2024-02-29T12:00:00Z".into(),
        scope: Scope::Database,
        vault: Arc::clone(&vault),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let Ok(Ready { plan, .. }) =
            execute::prepare(&engine, &rules, &keyring, Scope::Database).await
        else {
            panic!("refused")
        };
        let Begun::Work(units) = engine.begin(&plan, &options).await.unwrap() else {
            panic!("nothing to do")
        };
        let mut names = engine.collected_by_begin(&plan);
        for unit in units {
            engine.mask_unit(&plan, &options, &unit, &Silent).await.unwrap();
            names.push(unit.name.to_string());
        }
        vault.originals(&names).unwrap()
    })
}

fn holds(originals: &Originals, kind: Identifier, text: &str) -> bool {
    let make = originals.fingerprints();
    let mut forms: Vec<Fingerprint> = Vec::new();
    normal::original(kind, text, &mut |kind, normal| forms.push(make.of(kind, normal)));
    assert!(!forms.is_empty(), "{text} has no form that is looked for");
    forms.sort();
    forms.dedup();
    originals.confirm(&forms).unwrap() == forms
}

#[test]
fn every_original_that_identifies_somebody_is_kept_whether_its_row_stays_or_goes() {
    let originals = collected(&File::new(SCHEMA));
    let of_person = |id: u32| {
        [
            (Email, format!("ada.canary{id}@x.test")),
            (Phone, format!("+49 30 12345{}", 600 + id)),
            (Email, format!("json.canary{id}@x.test")),
            (Other, (48_213_000 + id).to_string()),
            (Other, format!("note of canary {id}")),
        ]
    };
    for id in [1, 8, 9, 20] {
        for (kind, text) in of_person(id) {
            assert!(holds(&originals, kind, &text), "{text}");
        }
        for holder in ["buyer", "visitor"] {
            let text = format!("{holder}.canary{id}@x.test");
            assert!(holds(&originals, Email, &text), "{text}");
        }
    }
    for (kind, text) in of_person(7) {
        assert!(!holds(&originals, kind, &text), "{text} stays in its row and is no leak");
    }
}

#[test]
fn nothing_outlives_a_run_that_cannot_be_resumed() {
    let file = File::new(SCHEMA);
    let rules = file.directory().join("rules.yaml");
    fs::write(&rules, RULES).unwrap();
    let state = tempfile::tempdir().unwrap();
    let run = || {
        let mut command = with_rules("run", &file.url(), &rules).unwrap();
        finish(command.arg("--yes").arg("--state").arg(state.path())).unwrap()
    };
    let is_empty = || fs::read_dir(state.path()).unwrap().next().is_none();
    // A document that is none stops it midway.
    file.open().execute_batch("UPDATE person SET profile = '{' WHERE id = 20").unwrap();
    ends_with(&run(), contract::exit_codes::UNEXPECTED, "as it was before the run").unwrap();
    assert!(is_empty());
    file.open().execute_batch("UPDATE person SET profile = '{}' WHERE id = 20").unwrap();
    ends_with(&run(), contract::exit_codes::OK, "").unwrap();
    assert!(is_empty());
}
