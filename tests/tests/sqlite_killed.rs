//! SIGKILL during a run on a SQLite file: what is left is the original or the finished database, and a rerun finishes.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use e2e::command::{finish, with_rules};
use e2e::sqlite::File;

/// Enough rows that a run takes long enough to be killed in each of its phases.
const ROWS: u32 = 10_000;

const RULES: &str = "
version: 1
tables:
  people: { columns: { id: keep, email: email, name: full_name } }
";

/// Moments spread over a run that is left alone.
const MOMENTS: u32 = 10;

fn people(journal_mode: &str) -> File {
    File::new(&format!(
        "PRAGMA journal_mode = {journal_mode};
         CREATE TABLE people(id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT);
         CREATE INDEX people_by_name ON people(name);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
         INSERT INTO people SELECT i, 'canary' || i || '@x.test', 'Canary Name ' || i FROM n;"
    ))
}

fn start(file: &File) -> Child {
    let rules = file.directory().join("rules.yaml");
    fs::write(&rules, RULES).unwrap();
    let mut command = with_rules("run", &file.url(), &rules).unwrap();
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    command.spawn().unwrap()
}

/// How many rows are original, and how many masked.
fn counts(file: &File) -> String {
    assert_eq!(file.rows("PRAGMA integrity_check"), ["Text(\"ok\")"]);
    file.rows("SELECT count(*), sum(email LIKE 'canary%'), sum(name LIKE 'Canary%') FROM people")
        .remove(0)
}

fn killed_at_any_moment(journal_mode: &str) {
    let (original, masked) = [(ROWS, ROWS, ROWS), (ROWS, 0, 0)]
        .map(|(rows, emails, names)| {
            format!("Integer({rows}) | Integer({emails}) | Integer({names})")
        })
        .into();
    let undisturbed = people(journal_mode);
    let started = Instant::now();
    assert!(start(&undisturbed).wait().unwrap().success());
    let whole = started.elapsed();
    assert_eq!(counts(&undisturbed), masked);

    let mut left_original = 0;
    for moment in 1..=MOMENTS {
        let file = people(journal_mode);
        let mut run = start(&file);
        sleep(whole * moment / MOMENTS);
        run.kill().unwrap();
        run.wait().unwrap();
        let left = counts(&file);
        assert!(left == original || left == masked, "moment {moment}: {left}");
        left_original += u32::from(left == original);

        let rules = file.directory().join("rules.yaml");
        let finished = finish(&mut with_rules("run", &file.url(), &rules).unwrap()).unwrap();
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        assert_eq!(counts(&file), masked);
        let mut beside = file.beside();
        // The looks above are clients, too, and leave an empty log behind them.
        beside.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
        assert_eq!(beside, ["data.db", "rules.yaml"], "moment {moment}");
    }
    assert!(left_original > 2, "most moments were after the end");
}

#[test]
fn killed_at_any_moment_leaves_the_original_or_the_finished_database() {
    killed_at_any_moment("DELETE");
}

#[test]
fn killed_at_any_moment_with_a_log() {
    killed_at_any_moment("WAL");
}

#[test]
fn a_run_that_is_alive_keeps_another_one_out() {
    let file = people("DELETE");
    let mut first = start(&file);
    let deadline = Instant::now() + Duration::from_secs(30);
    while file.beside().iter().all(|name| !name.contains("anonymizer-")) {
        assert!(Instant::now() < deadline, "the first run makes its copy");
        sleep(Duration::from_millis(2));
    }
    let rules = file.directory().join("rules.yaml");
    let second = finish(&mut with_rules("run", &file.url(), &rules).unwrap()).unwrap();
    assert!(first.wait().unwrap().success());
    // It waited and found the work done, or was told to try again.
    assert!(matches!(second.code, Some(0 | 75)), "{:?}: {}", second.code, second.stderr);
    assert_eq!(counts(&file), format!("Integer({ROWS}) | Integer(0) | Integer(0)"));
}
