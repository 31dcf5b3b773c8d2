//! Signed statements: made by `run`, verified by `verify-statement` and by OpenSSL, refused where anything is different.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic, in its helpers too")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use contract::dsse::{Envelope, pre_authentication};
use contract::exit_codes::{OK, REFUSED, USAGE, VERIFY_FAILED};
use contract::key::{PublicKey, SigningKey};
use contract::report::Verdict;
use contract::statement::{PAYLOAD_TYPE, Statement, sha256, sign};
use e2e::command::{Finished, anonymizer, finish, skipped};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

/// RFC 8032, 7.1, test 1, as OpenSSL writes it.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
";
const RULES: &str = "
version: 1
tables:
  people: { columns: { id: keep, email: email } }
";

/// A directory with a small database, its rules and a pair of keys.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let database = Connection::open(folder.path("people.db")).unwrap();
        let schema = "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT);
            INSERT INTO people VALUES (1, 'ada@corp.test'), (2, 'bob@corp.test')";
        database.execute_batch(schema).unwrap();
        folder.write("rules.yaml", RULES);
        folder.write("key.pem", PRIVATE);
        folder.write("public.pem", PUBLIC);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    fn run(&self, more: &[&str]) -> Finished {
        let mut command = anonymizer().unwrap();
        command.args(["run", "--database-url", "sqlite:people.db", "--rules", "rules.yaml"]);
        finish(command.args(more).current_dir(self.0.path())).unwrap()
    }

    /// A signed run.
    fn signed(&self) -> Finished {
        let finished = self.run(&["--report", "out", "--sign-key", "key.pem", "--run-id", "r1"]);
        assert_eq!(finished.code, Some(OK.into()), "{finished:#?}");
        finished
    }

    fn verify(&self, file: &str, key: &str, more: &[&str]) -> Finished {
        let mut command = anonymizer().unwrap();
        command.args(["verify-statement", file, "--public-key", key]);
        finish(command.args(more).current_dir(self.0.path())).unwrap()
    }

    /// Runs OpenSSL here; `None` where there is none.
    fn openssl(&self, test: &str, arguments: &str) -> Option<bool> {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(self.0.path());
        match command.stdout(Stdio::null()).stderr(Stdio::null()).status() {
            Ok(status) => Some(status.success()),
            Err(_) => {
                skipped(test, "there is no openssl");
                None
            }
        }
    }
}

#[track_caller]
fn assert_exit(finished: &Finished, code: u8) {
    assert_eq!(finished.code, Some(i32::from(code)), "{finished:#?}");
}

#[test]
fn a_signed_run_verifies_and_says_what_is_signed() {
    let folder = Folder::new();
    folder.signed();
    let report = folder.read("out/report.json");
    let statement = Statement::read(&report).unwrap();
    let finished = folder.verify("out/statement.dsse.json", "public.pem", &[]);
    assert_exit(&finished, OK);
    let line = |name: &str, value: &str| {
        let found = finished.stdout.lines().find(|line| line.starts_with(name));
        assert!(found.is_some_and(|line| line.contains(value)), "{name}: {finished:#?}");
    };
    line("verdict", "passed");
    line("run ", "r1");
    line("database", &statement.predicate.database);
    line("masked ", &statement.predicate.finished_at);
    line("subject", &statement.subject[0].digest.sha256);
    line("statement", &sha256(&report));
    line("signed by", PublicKey::from_pem(PUBLIC.as_bytes()).unwrap().id());

    let finished = folder.verify("out/statement.dsse.json", "public.pem", &["--format", "json"]);
    assert_exit(&finished, OK);
    let json: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!((&json["verdict"], &json["run_id"]), (&"passed".into(), &"r1".into()));
    assert_eq!(json["statement_sha256"], sha256(&report));
}

#[test]
fn the_environment_may_name_the_key() {
    let folder = Folder::new();
    let run = |more: &[&str]| {
        let mut command = anonymizer().unwrap();
        command.args(["run", "--database-url", "sqlite:people.db", "--rules", "rules.yaml"]);
        command.args(more).current_dir(folder.0.path()).env("ANONYMIZER_SIGN_KEY", "key.pem");
        finish(&mut command).unwrap()
    };
    let before = folder.read("people.db");
    assert_exit(&run(&[]), USAGE);
    assert_eq!(folder.read("people.db"), before);
    assert_exit(&run(&["--report", "out"]), OK);
    assert_exit(&folder.verify("out/statement.dsse.json", "public.pem", &[]), OK);
}

#[test]
fn a_bad_signing_key_is_found_before_anything_is_written() {
    let folder = Folder::new();
    let before = folder.read("people.db");
    folder.write("encrypted.pem", PRIVATE.replace("PRIVATE", "ENCRYPTED PRIVATE"));
    for key in ["missing.pem", "public.pem", "rules.yaml", "encrypted.pem"] {
        let finished = folder.run(&["--report", "out", "--sign-key", key]);
        assert_exit(&finished, USAGE);
        assert!(finished.stderr.contains(key), "{finished:#?}");
        assert!(!finished.stderr.contains("MC4C"), "the key was printed: {finished:#?}");
    }
    assert_exit(&folder.run(&["--sign-key", "key.pem"]), USAGE);
    assert_eq!(folder.read("people.db"), before);
    assert!(!folder.path("out").exists());
}

#[test]
fn whatever_is_changed_is_refused_with_4_and_not_repeated() {
    let folder = Folder::new();
    folder.signed();
    let signed = folder.read("out/statement.dsse.json");
    let signed = String::from_utf8(signed).unwrap();
    let envelope = Envelope::read(signed.as_bytes()).unwrap();
    let report = String::from_utf8(folder.read("out/report.json")).unwrap();
    let swapped = |report: String| {
        let other = sign(report.as_bytes(), &SigningKey::from_pem(PRIVATE.as_bytes()).unwrap());
        let other = Envelope::read(&other).unwrap();
        serde_json::to_string(&Envelope { payload: other.payload, ..envelope.clone() }).unwrap()
    };
    let bad = [
        ("another report", swapped(report.replace("\"r1\"", "\"r2\""))),
        ("a space more", swapped(report.clone() + " ")),
        ("another type", signed.replace(PAYLOAD_TYPE, "application/json")),
        ("more behind it", format!("{signed}{{}}")),
        ("a field twice", signed.replacen('{', "{\"payload\": \"\",", 1)),
        ("a field more", signed.replacen('{', "{\"note\": \"\",", 1)),
        ("no signature", signed.replace("\"sig\"", "\"keyid2\"")),
        ("the report itself", report.clone()),
        ("nothing", String::new()),
    ];
    for (what, text) in bad {
        folder.write("bad.json", text);
        let finished = folder.verify("bad.json", "public.pem", &[]);
        assert_exit(&finished, VERIFY_FAILED);
        assert_eq!(finished.stdout, "", "{what}");
        assert!(!finished.stderr.contains("people.db"), "{what}: {finished:#?}");
    }
}

#[test]
fn a_good_signature_under_a_failed_verdict_is_no_pass() {
    let folder = Folder::new();
    folder.signed();
    let mut statement = Statement::read(&folder.read("out/report.json")).unwrap();
    statement.predicate.verdict = Verdict::Failed;
    let key = SigningKey::from_pem(PRIVATE.as_bytes()).unwrap();
    folder.write("failed.json", sign(&statement.to_bytes(), &key));
    let finished = folder.verify("failed.json", "public.pem", &[]);
    assert_exit(&finished, VERIFY_FAILED);
    assert!(finished.stdout.contains("FAILED"), "{finished:#?}");
    assert!(finished.stderr.contains("the signature is good"), "{finished:#?}");
}

#[test]
fn a_signature_of_an_earlier_run_does_not_stay_beside_the_report() {
    let folder = Folder::new();
    folder.signed();
    let other = Folder::new();
    fs::copy(other.path("people.db"), folder.path("people.db")).unwrap();
    assert_exit(&folder.run(&["--report", "out", "--run-id", "r2"]), OK);
    assert!(!folder.path("out/statement.dsse.json").exists());
    let page = String::from_utf8(folder.read("out/report.html")).unwrap();
    assert!(page.contains("The statement is not signed"));
}

#[test]
fn a_statement_of_another_run_is_refused_with_4() {
    let folder = Folder::new();
    folder.signed();
    let database = Connection::open(folder.path("people.db")).unwrap();
    let marker = "SELECT digest, finished_at FROM anonymizer_statement";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let (digest, at): (String, String) = database.query_row(marker, [], read).unwrap();
    let verify = |more: &[&str]| folder.verify("out/statement.dsse.json", "public.pem", more);
    assert_exit(&verify(&["--run-id", "r1", "--digest", &digest.to_uppercase()]), OK);
    let other = digest.replace(|c: char| c.is_ascii_digit(), "f");
    for more in [["--run-id", "r2"], ["--run-id", "R1"], ["--digest", &other], ["--digest", ""]] {
        let finished = verify(&more);
        assert_exit(&finished, VERIFY_FAILED);
        assert!(finished.stderr.contains("of another run"), "{finished:#?}");
    }
    // Whoever holds the database computes the subject, and two restores masked under one id are two.
    let statement = Statement::read(&folder.read("out/report.json")).unwrap();
    let fingerprint = &statement.predicate.schema_fingerprint;
    let identity = sha256(format!("r1\n{fingerprint}\n{at}\n").as_bytes());
    assert_eq!(statement.subject[0].digest.sha256, identity);
    let again = Folder::new();
    again.signed();
    let again = Statement::read(&again.read("out/report.json")).unwrap();
    assert_eq!(again.predicate.schema_fingerprint, *fingerprint);
    assert_ne!(again.subject[0].digest, statement.subject[0].digest);
}

#[test]
fn whatever_a_run_fails_of_no_earlier_statement_is_left() {
    let rules = |folder: &Folder| folder.write("rules.yaml", "version: 1\ntables: { people }\n");
    let database = |folder: &Folder| fs::remove_file(folder.path("people.db")).unwrap();
    let breaks: [&dyn Fn(&Folder); 2] = [&rules, &database];
    for spoil in breaks {
        let folder = Folder::new();
        folder.signed();
        spoil(&folder);
        let finished = folder.run(&["--report", "out", "--sign-key", "key.pem"]);
        assert_ne!(finished.code, Some(OK.into()), "{finished:#?}");
        for file in ["report.json", "statement.dsse.json", "report.html"] {
            assert!(!folder.path("out").join(file).exists(), "{file}");
            assert!(folder.path("out/earlier").join(file).exists(), "{file}");
        }
    }
}

#[test]
fn a_finished_database_gives_its_report_again_and_only_its_own() {
    let folder = Folder::new();
    folder.signed();
    let (report, signed) = (folder.read("out/report.json"), folder.read("out/statement.dsse.json"));
    let again =
        |directory: &str, more: &[&str]| folder.run(&[&["--report", directory], more].concat());
    assert_exit(&again("new", &["--sign-key", "key.pem"]), OK);
    assert_eq!(folder.read("new/report.json"), report);
    assert_eq!(folder.read("new/statement.dsse.json"), signed);
    assert!(folder.path("new/report.html").exists());
    // A signature that is there stays.
    assert_exit(&again("new", &[]), OK);
    assert_eq!(folder.read("new/statement.dsse.json"), signed);
    // Another database's report does not.
    let other = Folder::new();
    other.signed();
    for file in ["report.json", "statement.dsse.json"] {
        folder.write(&format!("out/{file}"), other.read(&format!("out/{file}")));
    }
    assert_exit(&again("out", &[]), OK);
    assert_eq!(folder.read("out/report.json"), report);
    assert!(!folder.path("out/statement.dsse.json").exists());
}

#[test]
fn a_report_that_somebody_has_put_into_the_database_is_refused() {
    let (folder, other) = (Folder::new(), Folder::new());
    folder.signed();
    other.signed();
    let report = String::from_utf8(other.read("out/report.json")).unwrap();
    // Nobody else may have the file open while a run looks at it.
    let put = |column: &str, value: &str| -> String {
        let database = Connection::open(folder.path("people.db")).unwrap();
        let read = format!("SELECT {column} FROM anonymizer_statement");
        let before = database.query_row(&read, [], |row| row.get(0)).unwrap();
        let write = format!("UPDATE anonymizer_statement SET {column} = ?1");
        database.execute(&write, [value]).unwrap();
        before
    };
    for (column, value) in [("report", report.as_str()), ("seal", "")] {
        let before = put(column, value);
        let finished = folder.run(&["--report", "new", "--sign-key", "key.pem"]);
        assert_exit(&finished, REFUSED);
        assert!(finished.stderr.contains("keeps no report"), "{finished:#?}");
        assert!(!folder.path("new/report.json").exists());
        put(column, &before);
    }
    assert_exit(&folder.run(&["--report", "new"]), OK);
}

#[test]
fn files_that_cannot_be_read_are_usage() {
    let folder = Folder::new();
    folder.signed();
    assert_exit(&folder.verify("missing.json", "public.pem", &[]), USAGE);
    assert_exit(&folder.verify("out/statement.dsse.json", "missing.pem", &[]), USAGE);
    assert_exit(&folder.verify("out/statement.dsse.json", "key.pem", &[]), USAGE);
}

#[test]
fn keys_that_openssl_makes_sign_and_verify() {
    let test = "keys_that_openssl_makes_sign_and_verify";
    let folder = Folder::new();
    let Some(made) = folder.openssl(test, "genpkey -algorithm ed25519 -out key.pem") else {
        return;
    };
    assert!(made);
    let public = "pkey -in key.pem -pubout -out new.pem";
    assert_eq!(folder.openssl(test, public), Some(true));
    folder.signed();
    assert_exit(&folder.verify("out/statement.dsse.json", "new.pem", &[]), OK);
    assert_exit(&folder.verify("out/statement.dsse.json", "public.pem", &[]), VERIFY_FAILED);

    // And OpenSSL agrees, with nothing of ours but the form of what is signed.
    let report = folder.read("out/report.json");
    let envelope: Value = serde_json::from_slice(&folder.read("out/statement.dsse.json")).unwrap();
    let signature = envelope["signatures"][0]["sig"].as_str().unwrap();
    folder.write("signature.b64", format!("{signature}\n"));
    let decode = "base64 -d -A -in signature.b64 -out signature";
    assert_eq!(folder.openssl(test, decode), Some(true));
    folder.write("signed", pre_authentication(PAYLOAD_TYPE, &report));
    let verify = "pkeyutl -verify -pubin -inkey new.pem -rawin -in signed -sigfile signature";
    assert_eq!(folder.openssl(test, verify), Some(true));
    folder.write("signed", pre_authentication(PAYLOAD_TYPE, &report[1..]));
    assert_eq!(folder.openssl(test, verify), Some(false));
}

#[test]
fn an_ecdsa_signature_that_openssl_makes_verifies() {
    let test = "an_ecdsa_signature_that_openssl_makes_verifies";
    let folder = Folder::new();
    folder.signed();
    let report = folder.read("out/report.json");
    let make = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem";
    let Some(made) = folder.openssl(test, make) else { return };
    assert!(made);
    assert_eq!(folder.openssl(test, "pkey -in ec.pem -pubout -out public.pem"), Some(true));
    folder.write("signed", pre_authentication(PAYLOAD_TYPE, &report));
    let sign = "dgst -sha256 -sign ec.pem -out signature signed";
    assert_eq!(folder.openssl(test, sign), Some(true));
    let key = PublicKey::from_pem(&folder.read("public.pem")).unwrap();
    let envelope = Envelope::new(PAYLOAD_TYPE, &report, key.id(), &folder.read("signature"));
    folder.write("ec.json", serde_json::to_vec(&envelope).unwrap());
    assert_exit(&folder.verify("ec.json", "public.pem", &[]), OK);

    // Another curve's key is refused by name, and this tool does not sign with this one's.
    let make = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.pem";
    assert_eq!(folder.openssl(test, make), Some(true));
    assert_eq!(folder.openssl(test, "pkey -in p384.pem -pubout -out p384.pub"), Some(true));
    let finished = folder.verify("ec.json", "p384.pub", &[]);
    assert_exit(&finished, USAGE);
    assert!(finished.stderr.contains("ECDSA P-256"), "{finished:#?}");
    assert_exit(&folder.run(&["--report", "two", "--sign-key", "ec.pem"]), USAGE);
}
