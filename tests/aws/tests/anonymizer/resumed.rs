//! A container that is told to stop in the middle, and its successor on another machine: a database in PostgreSQL, everything
//! told by the environment as the workflow tells it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::report::Verdict;
use contract::statement::Statement;
use e2e::postgres::{Database, FAST, MASTER, Server};
use serde_json::json;

use crate::cloud::{Cloud, Inside, KEY, SECRET, finish, said};

const SCHEMA: &str = "
CREATE TABLE people (id int PRIMARY KEY, email text UNIQUE, born date);
INSERT INTO people SELECT i, 'ada.canary' || i || '@firm.com', date '1970-03-04' + i FROM generate_series(1, 500) i;
CREATE TABLE orders (id int PRIMARY KEY, contact text);
INSERT INTO orders SELECT i, 'ada.canary' || i || '@firm.com' FROM generate_series(1, 50) i;
ANALYZE;";
const RULES: &str = "version: 1
tables:
  people: { columns: { id: keep, email: { function: email, domain: person }, born: { function: date_shift, max_days: 9 } } }
  orders: { columns: { id: keep, contact: { function: email, domain: person } } }
";
const STATE: &str = "/documents/state/shop/run-7/shop/";
const REPORT: &str = "/documents/reports/shop/run-7/shop/";

/// The tests' servers let everybody in, unless they are told otherwise.
const PASSWORD: &str = "hunter2/?@";

/// How long a container has.
const PATIENCE: Duration = Duration::from_secs(30);

async fn account(states: Option<usize>) -> Cloud {
    let rules = ("/documents/rules/shop.yaml".to_owned(), RULES.as_bytes().to_vec());
    let inside = Inside { objects: [rules].into(), secret: secret(PASSWORD), ..Inside::default() };
    Cloud::new(Inside { states, ..inside }).await
}

/// As RDS keeps it.
fn secret(password: &str) -> String {
    json!({ "username": MASTER, "password": password }).to_string()
}

/// The container's command and environment.
fn task(cloud: &Cloud, database: &Database<'_>, machine: &Path) -> Command {
    let url = database.url();
    let endpoint = url.rsplit('@').next().unwrap().split('/').next().unwrap();
    let mut command = cloud.command(machine);
    command
        .args(["run", "--yes", "--jobs", "1"])
        .env("ANONYMIZER_RUN_ID", "run-7")
        .env("ANONYMIZER_SCOPE", "database")
        .env("ANONYMIZER_RULES", "s3://documents/rules/shop.yaml")
        .env("ANONYMIZER_REPORT", "s3://documents/reports/shop/run-7/shop")
        .env("ANONYMIZER_STATE", "s3://documents/state/shop/run-7/shop")
        .env("ANONYMIZER_KMS_KEY", KEY)
        .env("ANONYMIZER_DATABASE_SECRET", SECRET)
        .env("ANONYMIZER_DATABASE_ENDPOINT", endpoint)
        .env("ANONYMIZER_DATABASE_ENGINE", "postgres")
        .env("ANONYMIZER_DATABASE_NAME", database.name());
    command
}

/// Runs until the second unit waits to be kept, then tells the container to stop. Answers with what it said.
async fn told_to_stop(cloud: &Cloud, database: &Database<'_>) -> String {
    let machine = tempfile::tempdir().unwrap();
    let mut command = task(cloud, database, machine.path());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    let puts = || cloud.asked().iter().filter(|asked| asked.method == "PUT").count();
    while puts() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no unit is kept");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let process = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
    let told = Instant::now();
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    let said = said(&output);
    assert!(told.elapsed() < PATIENCE, "{:?}: {said}", told.elapsed());
    assert_eq!(output.status.code(), Some(75), "{said}");
    assert!(said.contains("interrupted by SIGTERM"), "{said}");
    let left: Vec<_> = std::fs::read_dir(machine.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    said
}

fn masked_units(database: &Database<'_>) -> String {
    database.query("SELECT count(*) FROM anonymizer.unit").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_told_to_stop_is_resumed_on_another_machine() {
    let database = Server::shared().unwrap().database("resumed").unwrap();
    database.query_as_master(SCHEMA).unwrap();
    let cloud = account(Some(1)).await;
    let first = told_to_stop(&cloud, &database).await;
    // What is kept is there before its unit commits, and no unit is done without.
    assert_eq!(masked_units(&database), "1\n");
    assert_eq!(cloud.names(STATE).len(), 1);
    assert_eq!(cloud.names(REPORT).len(), 0);

    cloud.inside.lock().unwrap().states = None;
    let machine = tempfile::tempdir().unwrap();
    let output = finish(task(&cloud, &database, machine.path())).await;
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("1 table finished by an earlier run"), "{said}");
    assert_eq!(cloud.names(STATE).len(), 0);
    let left: Vec<_> = std::fs::read_dir(machine.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");

    let inside = cloud.inside.lock().unwrap();
    let report = Statement::read(&inside.objects[&format!("{REPORT}report.json")]).unwrap();
    assert_eq!(report.predicate.run_id, "run-7");
    assert_eq!(report.predicate.verdict, Verdict::Passed);
    // The originals of the unit that the first container has masked were looked for, too.
    assert!(report.predicate.gate.originals >= 500, "{}", report.predicate.gate.originals);
    drop(inside);
    let agree =
        "SELECT count(*) FROM people p JOIN orders o ON o.contact = p.email AND o.id = p.id";
    assert_eq!(database.query(agree).unwrap(), "50\n");
    cloud.holds_nothing_secret(&format!("{first}{said}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successor_whose_state_is_lost_is_unverified() {
    let database = Server::shared().unwrap().database("resumed").unwrap();
    database.query_as_master(SCHEMA).unwrap();
    let cloud = account(Some(1)).await;
    told_to_stop(&cloud, &database).await;
    cloud.inside.lock().unwrap().objects.retain(|path, _| !path.starts_with(STATE));
    let machine = tempfile::tempdir().unwrap();
    let output = finish(task(&cloud, &database, machine.path())).await;
    let said = said(&output);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("originals are not in s3://documents/state/shop/run-7/shop/"), "{said}");
    assert_eq!(masked_units(&database), "1\n");
    assert_eq!(cloud.names(REPORT).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_cannot_be_kept_is_not_masked() {
    let database = Server::shared().unwrap().database("resumed").unwrap();
    database.query_as_master(SCHEMA).unwrap();
    let cloud = account(None).await;
    cloud.inside.lock().unwrap().refused = "PUT";
    let machine = tempfile::tempdir().unwrap();
    let output = finish(task(&cloud, &database, machine.path())).await;
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("AccessDenied"), "{said}");
    assert_eq!(masked_units(&database), "0\n");
    assert_eq!(
        database.query("SELECT count(*) FROM people WHERE email LIKE '%canary%'").unwrap(),
        "500\n"
    );
    cloud.holds_nothing_secret(&said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_changes_in_the_middle_is_asked_for_again() {
    let server = Arc::new(Server::private(FAST).unwrap());
    let database = server.database("rotated").unwrap();
    database.query_as_master(SCHEMA).unwrap();
    let change = format!("ALTER ROLE {MASTER} PASSWORD '{PASSWORD}'");
    server.existing("postgres").query(&change).unwrap();
    server.admits(&format!("host all {MASTER} 127.0.0.1/32 scram-sha-256")).unwrap();
    let cloud = account(None).await;
    let rotate = {
        let server = Arc::clone(&server);
        move || {
            let change = format!("ALTER ROLE {MASTER} PASSWORD 'hunter2-the-next'");
            server.existing("postgres").query(&change).unwrap();
            secret("hunter2-the-next")
        }
    };
    cloud.inside.lock().unwrap().then = Some(Box::new(rotate));
    let machine = tempfile::tempdir().unwrap();
    let output = finish(task(&cloud, &database, machine.path())).await;
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let secrets = cloud.asked().into_iter();
    let secrets = secrets.filter(|asked| asked.header("x-amz-target").ends_with("GetSecretValue"));
    assert_eq!(secrets.count(), 2);
    cloud.holds_nothing_secret(&said);
}
