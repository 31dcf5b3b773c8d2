//! Errors whose text quotes a value: what the database says to the run is in its own log, and nowhere in what the run says,
//! reports or keeps.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use contract::exit_codes::{OK, UNEXPECTED};
use e2e::command::{finish, with_rules};
use e2e::postgres::Server;
use e2e::sqlite::File;

/// Runs with everything that might make a program talk, and looks for the value wherever a run leaves something.
fn hold(url: &str, rules: &str, canary: &str, code: u8, said: &str) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("rules.yaml");
    std::fs::write(&file, rules)?;
    let made = directory.path().join("made");
    let mut command = with_rules("run", url, &file)?;
    command.args(["--yes", "--jobs", "1", "--report"]).arg(made.join("report"));
    command.arg("--state").arg(made.join("state"));
    command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
    let finished = finish(&mut command)?;
    let told = format!("{}{}", finished.stdout, finished.stderr);
    ensure!(
        finished.code == Some(code.into()),
        "exit code {:?} for {code}:\n{told}",
        finished.code
    );
    ensure!(told.contains(said), "nothing is said about `{said}`:\n{told}");
    ensure!(!told.to_lowercase().contains(canary), "the value is printed:\n{told}");
    let mut files = 0;
    nowhere(&made, canary, &mut files)?;
    ensure!(code != OK || files > 0, "there is no report");
    Ok(())
}

fn nowhere(directory: &Path, canary: &str, files: &mut usize) -> Result<()> {
    for entry in std::fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            nowhere(&path, canary, files)?;
            continue;
        }
        *files += 1;
        let bytes = std::fs::read(&path)?;
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        ensure!(!text.contains(canary), "the value is in {}", path.display());
    }
    Ok(())
}

/// A table whose kept notes hold the value: `letters (id, name, note)`, and what a test adds to it.
fn letters(canary: &str, more: &str, rules: &str, code: u8, said: &str) -> Result<()> {
    let server = Server::shared()?;
    let database = server.database("messages")?;
    database.query_as_master(&format!(
        "CREATE TABLE letters (id int PRIMARY KEY, name text NOT NULL, note text NOT NULL);
         INSERT INTO letters SELECT i, chr(64 + i) || 'nna', '{canary}' FROM generate_series(1, 20) i;
         {more}"
    ))?;
    let table = format!("version: 1\ntables:\n  letters:\n{rules}");
    hold(&database.url(), &table, canary, code, said)?;
    // The server itself has quoted the value, where it is ours to look into its log.
    let quoted = server.data_directory().is_none() || server.log().contains(canary);
    ensure!(quoted, "the server says nothing of the value, so this test proves nothing");
    Ok(())
}

/// Everybody gets one name.
const ONE_NAME: &str =
    "    columns: { name: { function: constant, value: Zoe }, note: keep, \"*\": keep }\n";

#[test]
fn a_unique_index_over_an_expression() -> Result<()> {
    let index = "CREATE UNIQUE INDEX letters_key ON letters ((name || note))";
    letters("canaryunique", index, ONE_NAME, UNEXPECTED, "letters_key")
}

#[test]
fn a_check_that_quotes_the_failing_row() -> Result<()> {
    let check = "ALTER TABLE letters ADD CONSTRAINT letters_sane CHECK (length(name) < length(note) - 10 OR name <> 'Zoe')";
    letters("canarycheck", check, ONE_NAME, UNEXPECTED, "letters_sane")
}

#[test]
fn a_value_that_has_become_too_long() -> Result<()> {
    // A cast in an index over an expression, as nobody's column is too short for its own mask.
    let index = "CREATE FUNCTION short(t text, of text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
          $$ DECLARE s varchar(17);
             BEGIN s := t || of; RETURN s;
             EXCEPTION WHEN string_data_right_truncation THEN
               RAISE EXCEPTION USING ERRCODE = '22001', MESSAGE = 'value too long: ' || t || of; END $$;
         CREATE INDEX letters_short ON letters (short(name, note))";
    let rules = ONE_NAME.replace("Zoe", "Alexandrina");
    letters("canarytoolong", index, &rules, UNEXPECTED, "22001")
}

#[test]
fn a_predicate_with_a_cast_that_fails() -> Result<()> {
    for (canary, predicate) in [("canaryskip", "skip_rows"), ("canarydelete", "delete_rows")] {
        let rules = format!("    {predicate}: \"note::int > 5\"\n{ONE_NAME}");
        letters(canary, "", &rules, UNEXPECTED, "22P02")?;
    }
    Ok(())
}

#[test]
fn a_function_of_an_index_that_raises_the_value() -> Result<()> {
    let index = "CREATE FUNCTION picky(t text, of text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
          $$ BEGIN IF t = 'Zoe' THEN RAISE EXCEPTION 'no key for %', of
               USING DETAIL = of, HINT = of, COLUMN = 'note'; END IF; RETURN t; END $$;
         CREATE INDEX letters_picky ON letters (picky(name, note))";
    letters("canaryraise", index, ONE_NAME, UNEXPECTED, "P0001")
}

#[test]
fn a_function_of_an_index_that_talks() -> Result<()> {
    let index = "CREATE FUNCTION chatty(t text, of text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
          $$ BEGIN IF t = 'Zoe' THEN RAISE WARNING 'this is %', of; END IF; RETURN t; END $$;
         CREATE INDEX letters_chatty ON letters (chatty(name, note))";
    letters("canarywarning", index, ONE_NAME, OK, "")
}

#[test]
fn a_value_that_a_mask_cannot_read() -> Result<()> {
    let server = Server::shared()?;
    for mask in [
        "{ function: json, paths: { \"$.a\": redact } }",
        "{ function: date_shift, max_days: 3 }",
        "{ function: round, to: year }",
    ] {
        let canary = "canarymalformed";
        let database = server.database("messages")?;
        database.query_as_master(&format!(
            "CREATE TABLE letters (id int PRIMARY KEY, note text NOT NULL);
             INSERT INTO letters SELECT i, '{canary} {{' || i FROM generate_series(1, 20) i"
        ))?;
        let rules = format!(
            "version: 1\ntables:\n  letters: {{ columns: {{ note: {mask}, \"*\": keep }} }}\n"
        );
        hold(&database.url(), &rules, canary, UNEXPECTED, "note")
            .with_context(|| mask.to_owned())?;
    }
    Ok(())
}

#[test]
fn what_sqlite_refuses() -> Result<()> {
    let canary = "canarysqlite";
    let schema = format!(
        "CREATE TABLE letters (id INTEGER PRIMARY KEY, name TEXT NOT NULL, note TEXT NOT NULL);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
         INSERT INTO letters SELECT i, char(64 + i) || 'nna', '{canary}' FROM n;"
    );
    let json = "    columns: { name: redact, note: { function: json, paths: { \"$.a\": redact } }, \"*\": keep }\n";
    for (more, rules, said) in [
        ("CREATE UNIQUE INDEX letters_key ON letters (name || note)", ONE_NAME, "letters"),
        ("", json, "note"),
    ] {
        let file = File::new(&format!("{schema}{more}"));
        let table = format!("version: 1\ntables:\n  letters:\n{rules}");
        hold(&file.url(), &table, canary, UNEXPECTED, said)?;
    }
    Ok(())
}

/// A function may put a value where names and codes stand.
#[test]
fn a_function_of_a_check_that_names_things_after_the_value() -> Result<()> {
    for (canary, code, said) in [
        ("canarynamed", "'23514'", "check violation (SQLSTATE 23514)"),
        ("canar", "upper(of)", "a function of the database raised an error"),
    ] {
        let check = format!(
            "CREATE FUNCTION strict(t text, of text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS
              $$ BEGIN IF t = 'Zoe' THEN RAISE EXCEPTION 'not %', of USING ERRCODE = {code}, CONSTRAINT = 'row of ' || of,
                     COLUMN = of, SCHEMA = of, TABLE = of; END IF; RETURN true; END $$;
             ALTER TABLE letters ADD CONSTRAINT letters_strict CHECK (strict(name, note))"
        );
        letters(canary, &check, ONE_NAME, UNEXPECTED, said)?;
    }
    Ok(())
}
