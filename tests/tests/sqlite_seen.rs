//! The leak gate is given everything that a SQLite file holds, and a verdict decides which file stays.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::Arc;

use anonymizer::engine::sqlite::SqliteEngine;
use anonymizer::engine::{Engine as _, Marker, RunOptions, Scope};
use anonymizer::execute::{self, Ended, Ready};
use anonymizer::kept::Kept;
use anonymizer::mask::key::Keyring;
use anonymizer::progress::Silent;
use anonymizer::verify::vault::Vault;
use contract::report::Verdict;
use contract::statement::sha256;
use e2e::command::{KEY, finish, with_rules};
use e2e::seen::Seen;
use e2e::sqlite::{File, parsed, runtime};

const CANARY: &str = "canaryq7x9";

/// A canary in every kind of place, each with the place's own number.
const EVERYWHERE: &str = "
CREATE TABLE people(id INTEGER PRIMARY KEY, email TEXT DEFAULT 'canaryq7x9-default', age INTEGER,
                    whatever, raw BLOB, stored TEXT AS (email || '!') STORED,
                    CHECK (email <> 'canaryq7x9-check'));
INSERT INTO people VALUES (1, 'canaryq7x9-email', 'canaryq7x9 in a column of numbers', 17, x'63616e617279713778392d626c6f62');
INSERT INTO people VALUES (2, NULL, 42, 'canaryq7x9-loose', CAST('canaryq7x9-text in a column of bytes' AS TEXT));
CREATE TABLE pairs(a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
INSERT INTO pairs VALUES ('canaryq7x9-key', 'x');
CREATE TABLE \"odd \"\"name\"\"\"(\"odd \"\"column\"\"\" TEXT);
INSERT INTO \"odd \"\"name\"\"\" VALUES ('canaryq7x9-odd');
CREATE INDEX part ON people(id) WHERE email = 'canaryq7x9-index';
CREATE VIEW one AS SELECT 'canaryq7x9-view';
CREATE TRIGGER told AFTER DELETE ON people BEGIN SELECT 'canaryq7x9-trigger'; END;
CREATE VIRTUAL TABLE words USING fts5(body);
INSERT INTO words VALUES ('the canaryq7x9five stays');
CREATE VIRTUAL TABLE bare USING fts5(body, content='');
INSERT INTO bare(rowid, body) VALUES (1, 'the canaryq7x9bare stays');
CREATE VIRTUAL TABLE old USING fts4(body);
INSERT INTO old VALUES ('the canaryq7x9four stays');
CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);
INSERT INTO counted(name) VALUES ('canaryq7x9-counted');
CREATE INDEX by_name ON counted(name);
ANALYZE;
";

fn look(file: &File) -> Seen {
    runtime().block_on(async {
        let engine = SqliteEngine::connect(&file.url()).unwrap();
        Seen::all(&engine).await.unwrap()
    })
}

#[test]
fn every_place_of_a_file_is_seen() {
    let file = File::new(EVERYWHERE);
    let before = file.state();
    let seen = look(&file);
    let found = seen.columns_with(CANARY);
    for column in [
        "people.email",
        "people.age",
        "people.whatever",
        "people.raw",
        "people.stored",
        "pairs.a",
        "odd \"name\".odd \"column\"",
        "words.term",
        "words_content.c0",
        "bare.term",
        "old.term",
        "old_content.c0body",
        "counted.name",
    ] {
        let column = format!("main.{column}");
        assert!(found.contains(&column.as_str()), "{column} is not in {found:#?}");
    }
    assert!(seen.values["main.bare.term"].contains("canaryq7x9bare"), "words of no table");
    assert_eq!(seen.rows["main.people"], 2);
    assert_eq!(seen.values["main.people.raw"].len(), 2);
    assert!(!seen.values.contains_key("main.people.id"), "numbers come as NULL");
    assert!(seen.values.contains_key("main.sqlite_stat1.tbl"), "SQLite's own tables are tables");

    let places = seen.places_with(CANARY);
    let expected = ["index main.part", "table main.people", "trigger main.told", "view main.one"];
    assert_eq!(places, expected.map(|place| format!("definition of {place}")));
    assert_eq!(file.state(), before, "looking writes nothing");
}

#[test]
fn texts_in_another_encoding_are_seen_as_utf_8() {
    let file = File::new(
        "PRAGMA encoding = 'UTF-16be'; CREATE TABLE t(a TEXT); INSERT INTO t VALUES ('canaryq7x9-é');
         INSERT INTO t VALUES (CAST(x'ff' AS TEXT))",
    );
    let seen = look(&file);
    assert!(seen.values["main.t.a"].contains("canaryq7x9-é"), "{seen:?}");
}

const PEOPLE: &str = "
CREATE TABLE people(id INTEGER PRIMARY KEY, email TEXT);
INSERT INTO people VALUES (1, 'canaryq7x9@real.example'), (2, 'canaryq7x9.two@real.example');
CREATE TABLE log(line TEXT);
INSERT INTO log VALUES ('a line');
";

const RULES: &str = "
version: 1
tables:
  people: { columns: { id: keep, email: email } }
  log: { columns: { line: keep } }
";

/// A run up to its verdict, what the gate was shown, and the end with that verdict; or no end, as after a kill.
fn run(file: &File, verdict: Option<Verdict>) -> Seen {
    let keyring = Keyring::from_hex(KEY).unwrap();
    let state = tempfile::tempdir().unwrap();
    let options = Arc::new(RunOptions {
        run_id: "one".to_owned(),
        key_check: keyring.check_value(),
        key_is_ephemeral: false,
        jobs: 2,
        spool_dir: None,
        allow_connections: false,
        now: "2024-06-01T12:00:00Z".to_owned(),
        scope: Scope::Database,
        vault: Arc::new(Vault::open(state.path(), &keyring).unwrap()),
    });
    runtime().block_on(async {
        let engine = Arc::new(SqliteEngine::connect(&file.url()).unwrap());
        let rules = parsed(RULES);
        let ready = execute::prepare(engine.as_ref(), &rules, &keyring, Scope::Database);
        let Ok(Ready { plan, .. }) = ready.await else { panic!("refused") };
        let run = execute::execute(
            Arc::clone(&engine),
            Arc::new(plan),
            Arc::clone(&options),
            Arc::new(Silent),
        );
        assert!(matches!(run.await, Ok(Ended::Masked(_))));
        let seen = Seen::all(engine.as_ref()).await.unwrap();
        if let Some(verdict) = verdict {
            let marker = Marker {
                run_id: "one".to_owned(),
                digest: "ab".repeat(32),
                verdict,
                finished_at: "2024-06-01T12:34:56Z".to_owned(),
                kept: Kept::default(),
            };
            engine.conclude(&options, &marker).await.unwrap();
        }
        seen
    })
}

#[test]
fn the_gate_sees_the_copy_and_a_passed_verdict_puts_it_in_place() {
    let file = File::new(PEOPLE);
    let seen = run(&file, Some(Verdict::Passed));
    assert_eq!(seen.columns_with(CANARY), [""; 0], "the original was read in place of the copy");
    assert_eq!(seen.values["main.people.email"].len(), 2);
    assert!(!seen.values.keys().any(|column| column.contains("anonymizer")), "{seen:?}");
    assert_eq!(file.beside(), ["data.db"]);
    let marker =
        "SELECT run_id, digest, verdict, finished_at, length(rules_digest), tool_version <> ''
        FROM anonymizer_statement";
    let digest = "ab".repeat(32);
    let expected = format!(
        "Text(\"one\") | Text(\"{digest}\") | Text(\"passed\") | Text(\"2024-06-01T12:34:56Z\") | Integer(64) | Integer(1)"
    );
    assert_eq!(file.rows(marker), [expected]);
    assert_eq!(file.rows("PRAGMA integrity_check"), ["Text(\"ok\")"]);
}

#[test]
fn a_failed_verdict_leaves_the_original_byte_for_byte() {
    for journal_mode in ["DELETE", "WAL"] {
        let file = File::new(&format!("PRAGMA journal_mode = {journal_mode}; {PEOPLE}"));
        let before = file.state();
        run(&file, Some(Verdict::Failed));
        assert_eq!(file.state(), before);
        assert_eq!(file.beside(), ["data.db"], "{journal_mode}");
        run(&file, Some(Verdict::Passed));
        let left = "SELECT count(*) FROM people WHERE email LIKE 'canary%'";
        assert_eq!(file.rows(left), ["Integer(0)"]);
        assert_eq!(
            file.rows("PRAGMA journal_mode"),
            [format!("Text({:?})", journal_mode.to_lowercase())]
        );
    }
}

#[test]
fn a_run_that_dies_before_its_end_leaves_the_original() {
    let file = File::new(PEOPLE);
    let before = file.state();
    run(&file, None);
    assert_eq!(file.state(), before);
    assert_eq!(file.beside(), ["data.db"], "a copy with fakes is left");
    run(&file, Some(Verdict::Passed));
    assert_eq!(file.rows("SELECT count(*) FROM anonymizer_statement"), ["Integer(1)"]);
}

#[test]
fn the_marker_names_the_report_by_its_bytes() {
    let file = File::new(PEOPLE);
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("rules.yaml");
    std::fs::write(&rules, RULES).unwrap();
    let mut command = with_rules("run", &file.url(), &rules).unwrap();
    let finished = finish(command.args(["--yes", "--report"]).arg(directory.path())).unwrap();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let digest = sha256(&std::fs::read(directory.path().join("report.json")).unwrap());
    let marker = file.rows("SELECT digest FROM anonymizer_statement");
    assert_eq!(marker, [format!("Text(\"{digest}\")")]);
}
