//! Rules, secret, keys and report on AWS; a database in SQLite.

use std::path::{Path, PathBuf};
use std::process::Output;

use contract::statement::{Statement, sha256};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::cloud::{Cloud, Inside, KEY, SECRET, finish, said};

const OTHER_KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/other";
const RULES: &str = "version: 1
tables:
  people:
    columns:
      id: keep
      email: { function: email, domain: person }
      phone: phone
";
const REPORT: &str = "/documents/reports/shop/run-7/";
const WHOLE: &[&str] = &[
    "--rules",
    "s3://documents/rules/shop.yaml",
    "--database-secret",
    SECRET,
    "--report",
    "s3://documents/reports/shop/run-7",
];

struct Shop {
    cloud: Cloud,
    directory: TempDir,
}

impl Shop {
    async fn new(refused: &'static str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let rules = ("/documents/rules/shop.yaml".to_owned(), RULES.as_bytes().to_vec());
        let inside = Inside {
            objects: [rules].into(),
            secret: format!("sqlite:{}", database(directory.path()).display()),
            refused,
            ..Inside::default()
        };
        let shop = Self { cloud: Cloud::new(inside).await, directory };
        shop.fill();
        shop
    }

    fn fill(&self) {
        let path = database(self.directory.path());
        let _ = std::fs::remove_file(&path);
        Connection::open(path)
            .unwrap()
            .execute_batch(
                "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, phone TEXT);
                 INSERT INTO people VALUES (1, 'ann.canary@firm.com', '+1 202 555 0143'), (2, 'bob.canary@firm.com', NULL);",
            )
            .unwrap();
    }

    fn rows(&self) -> Vec<(String, Option<String>)> {
        let database = Connection::open(database(self.directory.path())).unwrap();
        let mut rows = database.prepare("SELECT email, phone FROM people ORDER BY id").unwrap();
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.cloud.command(self.directory.path());
        command.args(["run", "--yes"]).args(arguments);
        finish(command).await
    }
}

fn database(directory: &Path) -> PathBuf {
    directory.join("shop.db")
}

fn with_key(key: &'static str) -> Vec<&'static str> {
    [WHOLE, &["--kms-key", key]].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_needs_no_file_of_its_own() {
    let shop = Shop::new("").await;
    let output = shop.run(&with_key(KEY)).await;
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("report: s3://documents/reports/shop/run-7/report.json"), "{said}");
    assert_eq!(
        shop.cloud.derived(),
        ["anonymizer/v1|domain|", "anonymizer/v1|domain|person", "anonymizer/v1|run|"]
    );
    assert!(shop.rows().iter().all(|(email, _)| !email.contains("canary")));

    assert_eq!(shop.cloud.names(REPORT), ["report.html", "report.json"]);
    let inside = shop.cloud.inside.lock().unwrap();
    let report = &inside.objects[&format!("{REPORT}report.json")];
    let statement = Statement::read(report).unwrap();
    assert_eq!(statement.predicate.rules_digest, sha256(RULES.as_bytes()));
    let database = Connection::open(database(shop.directory.path())).unwrap();
    let marker: String = database
        .query_row("SELECT digest FROM anonymizer_statement", [], |row| row.get(0))
        .unwrap();
    assert_eq!(marker, sha256(report));
    drop(inside);
    shop.cloud.holds_nothing_secret(&said);
}

#[tokio::test(flavor = "multi_thread")]
async fn fakes_follow_from_the_key_in_kms_alone() {
    let shop = Shop::new("").await;
    let (mut seen, mut checks) = (Vec::new(), Vec::new());
    for key in [KEY, KEY, OTHER_KEY] {
        shop.fill();
        let output = shop.run(&with_key(key)).await;
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        seen.push(shop.rows());
        let inside = shop.cloud.inside.lock().unwrap();
        let report = Statement::read(&inside.objects[&format!("{REPORT}report.json")]).unwrap();
        checks.push(report.predicate.key_check);
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0][0].0, seen[2][0].0);
    assert_ne!(seen[0][0].1, seen[2][0].1);
    assert_eq!(checks[0], checks[1]);
    assert_ne!(checks[0], checks[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_role_may_not_do_is_said_and_nothing_is_masked() {
    for refused in ["GenerateMac", "GetSecretValue", "GET"] {
        let shop = Shop::new(refused).await;
        let before = shop.rows();
        let output = shop.run(&with_key(KEY)).await;
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{refused}: {said}");
        assert!(said.contains("AccessDenied"), "{refused}: {said}");
        assert_eq!(shop.rows(), before, "{refused}");
        assert_eq!(shop.cloud.names(REPORT).len(), 0);
        shop.cloud.holds_nothing_secret(&said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_could_not_be_written_is_written_by_the_next_run() {
    let shop = Shop::new("PUT").await;
    let output = shop.run(&with_key(KEY)).await;
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("the run is concluded"), "{}", said(&output));
    assert_eq!(shop.cloud.names(REPORT).len(), 0);
    let rows = shop.rows();
    shop.cloud.inside.lock().unwrap().refused = "";
    let output = shop.run(&with_key(KEY)).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("nothing to do"), "{}", said(&output));
    assert_eq!(shop.cloud.names(REPORT), ["report.html", "report.json"]);
    assert_eq!(shop.rows(), rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_a_failed_verdict_is_there_too() {
    let shop = Shop::new("").await;
    let path = database(shop.directory.path());
    let copied =
        "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('for ann.canary@firm.com')";
    Connection::open(path).unwrap().execute_batch(copied).unwrap();
    let rules = format!("{RULES}  notes: {{ columns: {{ text: keep }} }}\n");
    let rules = ("/documents/rules/shop.yaml".to_owned(), rules.into_bytes());
    shop.cloud.inside.lock().unwrap().objects.extend([rules]);
    let output = shop.run(&with_key(KEY)).await;
    let said = said(&output);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("see s3://documents/reports/shop/run-7/report.json"), "{said}");
    assert_eq!(shop.cloud.names(REPORT), ["report.html", "report.json"]);
    shop.cloud.holds_nothing_secret(&said);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_is_no_place_is_wrong_usage() {
    let shop = Shop::new("").await;
    let database = format!("sqlite:{}", database(shop.directory.path()).display());
    let shop_rules: &[&str] = &["--rules", "s3://documents/rules/shop.yaml"];
    let cases: [(&[&str], &str); 7] = [
        (&["--rules", "s3://documents/rules/none.yaml"], "there is no `s3://documents/rules/none"),
        (&["--rules", "s3://documents"], "s3://BUCKET/KEY"),
        (&[shop_rules, &["--report", "s3://documents/"]].concat(), "s3://BUCKET/KEY"),
        (&[shop_rules, &["--state", "s3:///state"]].concat(), "s3://BUCKET/KEY"),
        (
            &[shop_rules, &["--report", "s3://a/b", "--state", "s3://a/b/c"]].concat(),
            "lies in the report directory",
        ),
        (&[shop_rules, &["--key-file", "masking.key"]].concat(), "cannot be used with"),
        (&[shop_rules, &["--sign-key", "k", "--report", "s3://a/b"]].concat(), "k cannot be read"),
    ];
    for (arguments, why) in cases {
        let arguments = [arguments, &["--database-url", &database, "--kms-key", KEY]].concat();
        let output = shop.run(&arguments).await;
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(why), "{why}: {}", said(&output));
    }
}
