//! The command itself, against SQLite files: arguments, exit codes, what is printed where, and what never is.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic, in its helpers too")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use contract::exit_codes::{OK, REFUSED, TEMPORARY, USAGE, VERIFY_FAILED};
use contract::report::TableAction;
use contract::statement::Statement;
use e2e::command::{Finished, KEY, anonymizer, finish, with_rules};
use e2e::sqlite::File;
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

/// Stands in every value that must not be seen again.
const CANARY: &str = "canary";

/// Stands in the part of a document that is kept, which `preview` must not show.
const KEPT: &str = "what-is-kept";

/// Its name there: people's documents have names that are data.
const KEPT_KEY: &str = "key-that-is-kept";

const SCHEMA: &str = "
CREATE TABLE customers (
    id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, first_name TEXT, phone TEXT, born DATE,
    profile JSON
);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), total NUMERIC, note TEXT
);
CREATE TABLE sessions (id INTEGER PRIMARY KEY, token TEXT);
";

const RULES: &str = "
version: 1
tables:
  customers:
    columns:
      id: keep
      email: email
      first_name: { function: first_name, seed: id }
      phone: phone
      born: keep
      profile: { function: json, paths: { '$.email': email } }
  orders:
    columns: { note: redact, \"*\": keep }
  sessions: truncate
";

/// A directory with a small shop and rules for it.
struct Shop {
    directory: TempDir,
}

impl Shop {
    fn new(customers: u32) -> Self {
        let shop = Self { directory: tempfile::tempdir().unwrap() };
        let mut database = Connection::open(shop.path("shop.db")).unwrap();
        database.execute_batch(SCHEMA).unwrap();
        let filling = database.transaction().unwrap();
        filling.execute("INSERT INTO sessions VALUES (1, ?1)", [CANARY]).unwrap();
        let insert = "INSERT INTO customers VALUES (?1, ?2, ?3, ?4, '1980-01-01', ?5)";
        let mut customer = filling.prepare(insert).unwrap();
        let mut order = filling.prepare("INSERT INTO orders VALUES (?1, ?1, 3.5, ?2)").unwrap();
        for id in 0..customers {
            let email = format!("{CANARY}{id}@corp.example");
            let name = format!("{CANARY}-name-{id}");
            let phone = format!("+33 6 {id} {CANARY}");
            let profile = format!(r#"{{"email": "{email}", "{KEPT_KEY}": "{KEPT}"}}"#);
            customer.execute((id, email, name, phone, profile)).unwrap();
            order.execute((id, format!("{CANARY}!"))).unwrap();
        }
        drop((customer, order));
        filling.commit().unwrap();
        drop(database);
        fs::write(shop.path("rules.yaml"), RULES).unwrap();
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path("shop.db")).unwrap()
    }

    /// `anonymizer VERB` with the shop's URL, its rules and more arguments.
    fn command(&self, verb: &str, more: &[&str]) -> Command {
        let mut command = anonymizer().unwrap();
        command.current_dir(self.directory.path());
        command.args([verb, "--database-url", "sqlite:shop.db", "--rules", "rules.yaml"]);
        command.args(more);
        command
    }

    /// Runs it, and holds what every command owes.
    fn run(&self, verb: &str, more: &[&str]) -> Finished {
        self.end(&mut self.command(verb, more))
    }

    fn end(&self, command: &mut Command) -> Finished {
        let finished = finish(command).unwrap();
        for text in [&finished.stdout, &finished.stderr] {
            assert!(!text.contains(CANARY), "an original was printed: {text}");
            assert!(!text.contains(KEY), "the key was printed: {text}");
        }
        finished
    }

    /// Files in the shop's directory, hidden ones too.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// Runs `anonymizer` with these arguments alone.
fn bare(arguments: &[&str]) -> Finished {
    finish(anonymizer().unwrap().args(arguments)).unwrap()
}

#[track_caller]
fn assert_exit(finished: &Finished, code: u8) {
    assert_eq!(finished.code, Some(i32::from(code)), "{finished:#?}");
}

#[track_caller]
fn json(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:#?}"))
}

#[test]
fn a_run_masks_reports_and_exits_with_0() {
    let shop = Shop::new(50);
    let finished = shop.run("run", &["--report", "report", "--run-id", "weekly.1"]);
    assert_exit(&finished, OK);
    assert!(finished.stdout.contains("masked 3 tables, 100 rows, 250 values in "), "{finished:#?}");
    assert!(finished.stdout.ends_with("report: report/report.json\n"), "{finished:#?}");
    assert!(!finished.stderr.contains("no masking key"), "{finished:#?}");

    let text = fs::read_to_string(shop.path("report/report.json")).unwrap();
    assert!(!text.contains(CANARY) && !text.contains(KEY));
    let report = Statement::read(text.as_bytes()).unwrap().predicate;
    assert_eq!((report.run_id.as_str(), report.engine.as_str()), ("weekly.1", "sqlite"));
    let phases: Vec<&str> = report.phases.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(phases, ["check", "prepare", "mask", "finish", "scrub", "verify"]);
    let customers = &report.tables[0];
    assert_eq!((customers.name.as_str(), customers.rows), ("main.customers", 50));
    let email = &customers.columns[1];
    assert_eq!((email.function.as_str(), email.class.as_str()), ("email", "pseudonymization"));
    assert_eq!((email.values, email.nulls, email.changed), (50, 0, 50));
    assert_eq!(report.tables[2].action, TableAction::Truncate);
    assert_eq!(report.tables[2].rows, 0);

    let bytes = shop.bytes();
    let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
    assert!(!found, "an original is left in the file");
    assert_eq!(shop.files(), ["report", "rules.yaml", "shop.db"]);
}

#[test]
fn a_rule_that_changes_nothing_is_noted_and_what_it_leaves_is_found() {
    let shop = Shop::new(5);
    fs::write(shop.path("rules.yaml"), RULES.replace("$.email", "$.emial")).unwrap();
    let before = shop.bytes();
    let finished = shop.run("run", &["--report", "report"]);
    assert_exit(&finished, VERIFY_FAILED);
    let note = "main.customers.profile: `json` has changed none of its values";
    assert!(finished.stderr.contains(&format!("note: {note}")), "{finished:#?}");
    let leak = "main.customers.profile: originals (email) in 5 values";
    assert!(finished.stderr.contains(leak), "{finished:#?}");
    assert!(!finished.stderr.contains(CANARY), "{finished:#?}");
    assert_eq!(shop.bytes(), before, "the original was replaced by what must not leave");
    let text = fs::read_to_string(shop.path("report/report.json")).unwrap();
    let report = Statement::read(text.as_bytes()).unwrap().predicate;
    assert!(report.notes.iter().any(|said| said.starts_with(note)), "{text}");
    assert_eq!(report.notes.len(), 1, "{text}");
}

#[test]
fn a_masked_database_is_not_masked_again() {
    let shop = Shop::new(5);
    assert_exit(&shop.run("run", &[]), OK);
    let masked = shop.bytes();
    let again = shop.run("run", &["--report", "report"]);
    assert_exit(&again, OK);
    // The report of the run that has masked it, again.
    assert!(shop.path("report/report.json").exists());
    assert!(again.stdout.contains("nothing to do"), "{again:#?}");
    let again = shop.run("run", &["--format", "json"]);
    assert!(json(&again)["already_done"].is_string(), "{again:#?}");

    let other_key = shop.end(shop.command("run", &[]).env("ANONYMIZER_KEY", "f".repeat(64)));
    assert_exit(&other_key, REFUSED);
    assert_eq!(shop.bytes(), masked);
}

#[test]
fn a_key_is_made_and_announced_where_none_is_given() {
    let shop = Shop::new(5);
    let finished =
        shop.end(shop.command("run", &["--format", "json"]).env_remove("ANONYMIZER_KEY"));
    assert_exit(&finished, OK);
    assert!(finished.stderr.contains("no masking key given"), "{finished:#?}");
    assert_eq!(json(&finished)["values_masked"], 25);
}

#[test]
fn the_same_key_gives_the_same_fakes_from_a_file_or_the_environment() {
    let emails = |shop: &Shop| -> Vec<String> {
        let database = Connection::open(shop.path("shop.db")).unwrap();
        let mut query = database.prepare("SELECT email FROM customers ORDER BY id").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let (one, two) = (Shop::new(5), Shop::new(5));
    assert_exit(&one.run("run", &[]), OK);
    fs::write(two.path("key"), format!("{KEY}\n")).unwrap();
    let from_file =
        two.end(two.command("run", &["--key-file", "key"]).env_remove("ANONYMIZER_KEY"));
    assert_exit(&from_file, OK);
    assert_eq!(emails(&one), emails(&two));
}

#[test]
fn check_says_what_would_be_done_and_writes_nothing() {
    let shop = Shop::new(5);
    let before = shop.bytes();
    let finished = shop.run("check", &[]);
    assert_exit(&finished, OK);
    for line in ["main.customers", "first_name of id (pseudonymization)", "redact (suppression)"] {
        assert!(finished.stdout.contains(line), "{line}: {finished:#?}");
    }
    let document = json(&shop.run("check", &["--format", "json"]));
    assert_eq!(document["tables"][0]["columns"][2]["seed"], "id");
    assert_eq!(document["tables"][1]["columns"][3]["function"], "redact");
    assert_eq!(shop.bytes(), before);
    assert_eq!(shop.files(), ["rules.yaml", "shop.db"]);
}

#[test]
fn findings_are_printed_all_at_once_and_as_json() {
    let shop = Shop::new(5);
    let before = shop.bytes();
    let rules = "version: 1\ntables:\n  customers: { columns: { id: keep, email: nullify } }\n";
    fs::write(shop.path("rules.yaml"), rules).unwrap();
    for verb in ["check", "preview", "run"] {
        let finished = shop.run(verb, &["--format", "json"]);
        assert_exit(&finished, REFUSED);
        let document = json(&finished);
        assert_eq!(document["exit_code"], REFUSED);
        let findings = document["findings"].as_array().unwrap();
        let about = |subject: &str| {
            findings.iter().any(|finding| finding["subject"].as_str().unwrap().contains(subject))
        };
        for subject in ["customers.email", "customers.phone", "main.orders", "main.sessions"] {
            assert!(about(subject), "{subject}: {finished:#?}");
        }
        assert!(finished.stderr.contains("failed to plan rules.yaml"), "{finished:#?}");
    }
    assert_eq!(shop.bytes(), before);
}

#[test]
fn preview_shows_fakes_and_no_kept_value() {
    let shop = Shop::new(5);
    let before = shop.bytes();
    let finished = shop.run("preview", &["--rows", "2"]);
    assert_exit(&finished, OK);
    assert!(finished.stdout.contains("@example."), "{finished:#?}");
    for original in ["1980-01-01", KEPT, KEPT_KEY] {
        assert!(!finished.stdout.contains(original), "{finished:#?}");
    }
    assert!(finished.stdout.contains("(masked in part)"), "{finished:#?}");
    let document = json(&shop.run("preview", &["--rows", "2", "--format", "json"]));
    let rows = document["tables"][0]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0][0], "(kept)");
    assert_eq!(shop.bytes(), before);
}

#[test]
fn functions_are_listed_and_explained() {
    let all = bare(&["functions"]);
    assert_exit(&all, OK);
    assert!(all.stdout.lines().any(|line| line.starts_with("email ")), "{all:#?}");
    let email = bare(&["functions", "email"]);
    for fact in ["pseudonymization", "unique", "longest", "domain"] {
        assert!(email.stdout.contains(fact), "{fact}: {email:#?}");
    }
    let document = json(&bare(&["functions", "--format", "json"]));
    assert_eq!(document[0]["name"], "keep");

    let unknown = bare(&["functions", "emial"]);
    assert_exit(&unknown, USAGE);
    assert!(unknown.stderr.contains("did you mean `email`?"), "{unknown:#?}");
}

#[test]
fn misuse_exits_with_2_and_repeats_no_secret() {
    let shop = Shop::new(1);
    let before = shop.bytes();
    let secret = "hunter2";
    let rules = shop.path("rules.yaml");
    let rules = rules.to_str().unwrap();
    let bad_key = shop.path("key");
    fs::write(&bad_key, secret).unwrap();
    let bad_key = bad_key.to_str().unwrap();
    let database = format!("sqlite:{}", shop.path("shop.db").display());
    let cases: [(&[&str], &str); 12] = [
        (&["run"], "--rules"),
        (&["run", "--rules", rules], "no database given"),
        (&["check", "--rules", "absent.yaml", "--database-url", &database], "absent.yaml"),
        (&["check", "--rules", rules, "--database-url", "mysql://u:hunter2@h/d"], "sqlite:"),
        (&["check", "--rules", rules, "--database-url", "hunter2"], "sqlite:"),
        (
            &["check", "--rules", rules, "--database-url", "postgres://u:hunter2@h:port/d"],
            "failed to",
        ),
        (
            &[
                "check",
                "--rules",
                rules,
                "--database-url",
                "postgres://u:hunter2@h/d",
                "--ca-file",
                "absent",
            ],
            "absent cannot be read",
        ),
        (&["check", "--rules", rules, "--database-secret", "absent"], "absent"),
        (
            &["check", "--rules", rules, "--database-url", "hunter2", "--database-secret", "f"],
            "cannot be used with",
        ),
        (&["run", "--rules", rules, "--database-url", &database, "--key-file", bad_key], "64 hex"),
        (&["run", "--rules", rules, "--database-url", &database, "--jobs", "0"], "--jobs"),
        (&["run", "--rules", rules, "--database-url", &database, "--run-id", "a b"], "--run-id"),
    ];
    for (arguments, expected) in cases {
        let finished = bare(arguments);
        assert_exit(&finished, USAGE);
        assert!(finished.stderr.contains(expected), "{arguments:?}: {finished:#?}");
        let printed = format!("{}{}", finished.stdout, finished.stderr);
        assert!(!printed.contains(secret), "{arguments:?}: {finished:#?}");
    }
    assert_eq!(shop.bytes(), before);
}

#[test]
fn the_database_is_named_in_the_environment_or_in_a_file() {
    let shop = Shop::new(1);
    let url = format!("sqlite:{}", shop.path("shop.db").display());
    let rules = shop.path("rules.yaml");
    let mut command = anonymizer().unwrap();
    command.args(["check", "--rules"]).arg(&rules).env("DATABASE_URL", &url);
    assert_exit(&finish(&mut command).unwrap(), OK);

    fs::write(shop.path("secret"), format!("{url}\n")).unwrap();
    let mut command = anonymizer().unwrap();
    command.args(["check", "--rules"]).arg(&rules);
    command.arg("--database-secret").arg(shop.path("secret")).env("DATABASE_URL", "sqlite:absent");
    assert_exit(&finish(&mut command).unwrap(), OK);
}

#[test]
fn a_bad_report_directory_is_found_before_anything_is_written() {
    let shop = Shop::new(1);
    let before = shop.bytes();
    assert_exit(&shop.run("run", &["--report", "rules.yaml"]), USAGE);
    assert_eq!(shop.bytes(), before);
}

#[test]
fn no_broken_rules_file_touches_the_database() {
    let shop = Shop::new(3);
    let before = shop.bytes();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../anonymizer/tests/bad_rules");
    let mut tried = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        tried += 1;
        fs::copy(&path, shop.path("rules.yaml")).unwrap();
        let finished = shop.run("run", &["--yes"]);
        let code = finished.code.unwrap();
        assert!([USAGE, REFUSED].contains(&(code as u8)), "{}: {finished:#?}", path.display());
        assert!(finished.stderr.contains("(hint: "), "{}: {finished:#?}", path.display());
        assert!(shop.bytes() == before, "{} wrote to the database", path.display());
        assert_eq!(shop.files(), ["rules.yaml", "shop.db"]);
    }
    assert!(tried >= 40, "only {tried} broken rules files");
}

#[test]
fn a_signal_leaves_the_original_and_nothing_else() {
    let shop = Shop::new(60_000);
    let before = shop.bytes();
    for signal in ["-TERM", "-INT"] {
        let mut command = shop.command("run", &[]);
        let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(running.stderr.take().unwrap());
        let mut line = String::new();
        while !line.ends_with("masking\n") {
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "ended early: {line}");
        }
        let process = running.id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
        let code = running.wait().unwrap().code();
        log.read_to_string(&mut line).unwrap();
        assert_eq!(code, Some(i32::from(TEMPORARY)), "{line}");
        assert!(line.contains(&format!("interrupted by SIG{}", &signal[1..])), "{line}");
        assert!(shop.bytes() == before, "the original has changed");
        assert_eq!(shop.files(), ["rules.yaml", "shop.db"]);
    }
}

/// `script` gives the command a terminal; what it prints on either stream comes out as one.
fn on_a_terminal(shop: &Shop, arguments: &str, answer: &str) -> Finished {
    let plain = anonymizer().unwrap();
    let program = plain.get_program().to_str().unwrap();
    let line =
        format!("{program} run --database-url sqlite:shop.db --rules rules.yaml {arguments}");
    fs::write(shop.path("answer"), format!("{answer}\n")).unwrap();
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    command.env("ANONYMIZER_KEY", KEY).env_remove("DATABASE_URL");
    command.current_dir(shop.directory.path());
    command.stdin(fs::File::open(shop.path("answer")).unwrap());
    shop.end(&mut command)
}

#[test]
fn a_terminal_is_asked_first() {
    let shop = Shop::new(3);
    let before = shop.bytes();
    let declined = on_a_terminal(&shop, "", "n");
    assert_exit(&declined, REFUSED);
    for named in ["shop.db: 3 tables", "main.customers", "about 3 rows", "[y/N]", "not confirmed"] {
        assert!(declined.stdout.contains(named), "{named}: {declined:#?}");
    }
    assert_eq!(shop.bytes(), before);

    let agreed = on_a_terminal(&shop, "", "y");
    assert_exit(&agreed, OK);
    assert!(agreed.stdout.contains("masked 3 tables"), "{agreed:#?}");

    let shop = Shop::new(3);
    let unasked = on_a_terminal(&shop, "--yes", "");
    assert_exit(&unasked, OK);
    assert!(!unasked.stdout.contains("[y/N]"), "{unasked:#?}");
}

/// A predicate that is always true, by a slip, is no mask.
#[test]
fn a_table_of_which_every_row_is_skipped_is_told_of() {
    let file = File::new(
        "CREATE TABLE person (id INTEGER, email TEXT); INSERT INTO person VALUES (1, 'ada@mail.fr'), (2, 'bo@mail.fr'), (3, NULL)",
    );
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("rules.yaml");
    for (skipped, said) in [
        ("id > 0", "left every row (3) unmasked"),
        ("id > 1", "left 2 of 3 rows unmasked"),
        ("id > 2", ""),
    ] {
        let table = format!("{{ skip_rows: {skipped:?}, columns: {{ id: keep, email: hash }} }}");
        std::fs::write(&rules, format!("version: 1\ntables: {{ person: {table} }}\n")).unwrap();
        let copy = File::new("");
        std::fs::copy(file.path(), copy.path()).unwrap();
        let report = directory.path().join("report");
        let mut command = with_rules("run", &copy.url(), &rules).unwrap();
        let finished = finish(command.args(["--yes", "--report"]).arg(&report)).unwrap();
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert_eq!(
            finished.stdout.contains("`skip_rows` has left"),
            !said.is_empty(),
            "{finished:?}"
        );
        assert!(finished.stdout.contains(said), "{finished:?}");
        let page = std::fs::read_to_string(report.join("report.html")).unwrap();
        assert_eq!(page.contains("of which most rows were skipped"), !said.is_empty());
    }
}
