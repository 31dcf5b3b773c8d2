//! Runs on SQLite files: what must survive one, and what must not.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::HashSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use anonymizer::catalog::Kind;
use anonymizer::mask::{FUNCTIONS, Function};
use e2e::command::{KEY, scenario};
use e2e::residue;
use e2e::sqlite::{File, Run, rows};
use rusqlite::types::Value;

const SHAPES: &str = include_str!("../scenarios/sqlite/shapes.sql");

fn shapes_rules() -> String {
    fs::read_to_string(scenario("sqlite/shapes.yaml")).unwrap()
}

/// A table of people whose names can be searched for.
const PEOPLE: &str = "
    CREATE TABLE people(id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT);
    CREATE INDEX people_by_name ON people(name);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
    INSERT INTO people SELECT i, 'canary' || i || '@x.test', 'Canary Name ' || i FROM n;";

const PEOPLE_RULES: &str = "
version: 1
tables:
  people: { columns: { id: keep, email: email, name: full_name } }
";

fn canaries() -> Vec<String> {
    let of = |i| [format!("canary{i}@x.test"), format!("Canary Name {i}")];
    (1..=2000).flat_map(of).collect()
}

/// Searches every file in the directory.
fn canaries_beside(file: &File, canaries: &[String]) -> Vec<String> {
    let names = file.beside();
    let found = |name: &String| residue::found_in(&file.directory().join(name), canaries).unwrap();
    names.iter().flat_map(found).collect()
}

#[test]
fn every_shape_survives() {
    let file = File::new(SHAPES);
    let schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name <> 'anonymizer_statement' ORDER BY 1, 2";
    let kept = [
        schema,
        "SELECT _rowid_, rowid, secret IS NULL FROM loose ORDER BY 1",
        "SELECT id, age, boss, email IS NULL FROM people ORDER BY id",
        "SELECT country, code, name IS NULL FROM places",
        "SELECT id, name IS NULL, amount, raw, any FROM precise ORDER BY id",
        "SELECT id, name IS NULL FROM backwards ORDER BY id",
        "SELECT \"from\" FROM \"naïve \"\"table\"\", 日本\"",
        "SELECT * FROM untouched",
        "SELECT * FROM log",
        "SELECT count(*) FROM elders",
        "SELECT id, x0, x1 FROM area",
        "SELECT * FROM sqlite_sequence",
        "SELECT tbl, idx FROM sqlite_stat1 WHERE tbl <> 'anonymizer_statement' ORDER BY 1, 2",
    ];
    let pragmas =
        ["page_size", "auto_vacuum", "encoding", "user_version", "application_id", "journal_mode"];
    let look = || -> Vec<Vec<String>> {
        let pragmas = pragmas.iter().map(|pragma| file.rows(&format!("PRAGMA {pragma}")));
        kept.iter().map(|query| file.rows(query)).chain(pragmas).collect()
    };
    let before = look();
    let outcomes = file.run(&shapes_rules()).tables();
    for (before, after) in before.into_iter().zip(look()) {
        assert_eq!(before, after);
    }
    assert_eq!(file.rows("PRAGMA integrity_check"), ["Text(\"ok\")"]);
    assert_eq!(file.rows("SELECT count(*) FROM people WHERE loud <> upper(name)"), ["Integer(0)"]);

    let people = outcomes.iter().find(|t| t.table.as_ref().unwrap().name == "people").unwrap();
    assert_eq!((people.rows, people.deleted, people.skipped), (3, 0, 0));
    let email = people.columns[1];
    assert_eq!((email.values, email.nulls, email.changed), (3, 1, 2));
    let age = people.columns[5];
    assert_eq!((age.values, age.nulls, age.changed), (3, 1, 0));
}

#[test]
fn nothing_of_the_originals_is_left_in_any_shape() {
    let file = File::new(SHAPES);
    file.run(&shapes_rules()).tables();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let bytes = fs::read(file.path()).unwrap();
    for name in ["Wilhelmina", "Bartholomew", "Esmeralda", "Ferdinand"] {
        let needle = utf16(name);
        assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{name}");
    }
}

#[test]
fn freed_pages_indexes_statistics_and_journals_keep_nothing() {
    for mode in ["DELETE", "PERSIST", "TRUNCATE", "WAL"] {
        let file = File::new(&format!("PRAGMA journal_mode = {mode}; {PEOPLE} ANALYZE;"));
        {
            // Pages on the freelist, and a persistent journal with pages of the original.
            let connection = file.open();
            connection.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(())).unwrap();
            connection.execute_batch("UPDATE people SET name = name || ' the second'; DELETE FROM people WHERE id > 1500").unwrap();
        }
        assert!(!canaries_beside(&file, &canaries()).is_empty());
        file.run(PEOPLE_RULES).tables();
        assert_eq!(canaries_beside(&file, &canaries()), Vec::<String>::new(), "{mode}");
        assert_eq!(file.beside(), ["data.db"], "{mode}");
        let kept = if mode == "WAL" { "Text(\"wal\")" } else { "Text(\"delete\")" };
        assert_eq!(file.rows("PRAGMA journal_mode"), [kept]);
        assert_eq!(
            file.rows("SELECT count(*), count(DISTINCT email) FROM people"),
            ["Integer(1500) | Integer(1500)"]
        );
    }
}

#[test]
fn a_log_that_was_not_written_back_is_masked_too() {
    let file = File::new(&format!("PRAGMA journal_mode = WAL; {PEOPLE}"));
    // What a killed client leaves behind: a database with its log beside it.
    let open = file.open();
    open.execute("INSERT INTO people VALUES (9999, 'canary9999@x.test', 'Canary Name 9999')", [])
        .unwrap();
    let killed = File::new("");
    for suffix in ["", "-wal"] {
        let with = |file: &File| format!("{}{suffix}", file.path().display());
        fs::copy(with(&file), with(&killed)).unwrap();
    }
    killed.run(PEOPLE_RULES).tables();
    assert_eq!(killed.beside(), ["data.db"]);
    assert_eq!(killed.rows("SELECT count(*) FROM people"), ["Integer(2001)"]);
    assert_eq!(canaries_beside(&killed, &["canary9999@x.test".to_owned()]), Vec::<String>::new());
}

#[test]
fn the_file_keeps_its_mode_and_a_symbolic_link_stays_one() {
    let file = File::new(PEOPLE);
    fs::set_permissions(file.path(), Permissions::from_mode(0o640)).unwrap();
    let link = file.directory().join("link.db");
    std::os::unix::fs::symlink(file.path(), &link).unwrap();
    let mut command = e2e::command::anonymizer().unwrap();
    let rules = file.directory().join("rules.yaml");
    fs::write(&rules, PEOPLE_RULES).unwrap();
    command.args(["run", "--yes", "--database-url"]).arg(format!("sqlite://{}", link.display()));
    let finished = e2e::command::finish(command.arg("--rules").arg(&rules)).unwrap();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(canaries_beside(&file, &canaries()), Vec::<String>::new());
}

#[test]
fn a_file_with_another_hard_link_is_refused() {
    let file = File::new(PEOPLE);
    fs::hard_link(file.path(), file.directory().join("other.db")).unwrap();
    let complaint = file.run(PEOPLE_RULES).complaint();
    assert!(complaint.contains("another hard link"), "{complaint}");
}

#[test]
fn a_database_in_use_is_refused() {
    let file = File::new(PEOPLE);
    let before = file.state();
    let client = file.open();
    client
        .execute_batch("BEGIN; SELECT * FROM people LIMIT 1; DELETE FROM people WHERE id = 1")
        .unwrap();
    let complaint = file.run(PEOPLE_RULES).complaint();
    assert!(complaint.contains("in use by another client"), "{complaint}");
    client.execute_batch("ROLLBACK").unwrap();
    drop(client);
    assert_eq!(file.state(), before);
    assert_eq!(file.beside(), ["data.db"]);
}

#[test]
fn an_idle_client_of_a_log_is_refused() {
    let file = File::new(&format!("PRAGMA journal_mode = WAL; {PEOPLE}"));
    let client = file.open();
    rows(&client, "SELECT count(*) FROM people");
    let complaint = file.run_with(PEOPLE_RULES, KEY, true).complaint();
    assert!(complaint.contains("in use by another client"), "{complaint}");
}

#[test]
fn an_idle_process_is_refused_unless_allowed() {
    let file = File::new(PEOPLE);
    let opened = fs::File::open(file.path()).unwrap();
    let mut idle = std::process::Command::new("sleep").arg("600").stdin(opened).spawn().unwrap();
    let complaint = file.run(PEOPLE_RULES).complaint();
    assert!(complaint.contains(&format!("open in process {}", idle.id())), "{complaint}");
    file.run_with(PEOPLE_RULES, KEY, true).tables();
    idle.kill().unwrap();
    idle.wait().unwrap();
}

#[test]
fn a_finished_database_is_recognised() {
    let file = File::new(PEOPLE);
    file.run(PEOPLE_RULES).tables();
    let state = file.state();
    match file.run(PEOPLE_RULES) {
        Run::AlreadyDone(sentence) => assert!(sentence.contains("run test finished"), "{sentence}"),
        other => panic!("{other:?}"),
    }
    let other_rules = format!("{PEOPLE_RULES}# another file\n");
    let complaint = file.run(&other_rules).complaint();
    assert!(complaint.contains("with other rules"), "{complaint}");
    let complaint = file.run_with(PEOPLE_RULES, &"0".repeat(64), false).complaint();
    assert!(complaint.contains("with another key"), "{complaint}");
    assert_eq!(file.state(), state);

    file.open().execute_batch("DROP TABLE anonymizer_statement").unwrap();
    file.run(&other_rules).tables();
}

#[test]
fn a_finished_database_with_other_rows_is_refused() {
    let rules = "version: 1\ntables: { person: { columns: { id: keep, email: email } }, visit: { columns: { '*': keep } } }";
    for (change, is_refused) in [
        ("VACUUM; CREATE INDEX email ON person (email); ANALYZE", false),
        ("UPDATE person SET email = 'ada@mail.fr' WHERE id = 2", true),
        ("DELETE FROM person; INSERT INTO person SELECT id, id || '@mail.fr' FROM visit", true),
        ("INSERT INTO visit VALUES (9)", true),
    ] {
        let file = File::new(
            "CREATE TABLE person (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE visit (id INTEGER);
             INSERT INTO visit VALUES (1), (2), (3); INSERT INTO person SELECT id, id || '@mail.fr' FROM visit",
        );
        assert!(matches!(file.run(rules), Run::Masked(..)));
        file.open().execute_batch(change).unwrap();
        let before = file.state();
        match file.run(rules) {
            Run::Failed(error) if is_refused => {
                assert!(error.contains("with other rows than are in it now"), "{error}");
            }
            Run::AlreadyDone(_) if !is_refused => {}
            other => panic!("{change}: {other:?}"),
        }
        assert_eq!(file.state(), before, "{change}");
    }
}

#[test]
fn the_same_key_gives_the_same_file() {
    let (one, other) = (File::new(PEOPLE), File::new(PEOPLE));
    one.run(PEOPLE_RULES).tables();
    other.run(PEOPLE_RULES).tables();
    let people = "SELECT * FROM people ORDER BY id";
    assert_eq!(one.rows(people), other.rows(people));
    let third = File::new(PEOPLE);
    third.run_with(PEOPLE_RULES, &"1".repeat(64), false).tables();
    assert_ne!(one.rows(people), third.rows(people));
}

#[test]
fn what_only_the_database_can_tell_is_found_before_anything_is_written() {
    let file = File::new(
        "CREATE TABLE parents(id INTEGER PRIMARY KEY, name TEXT);
         CREATE TABLE children(id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents(id), name TEXT);
         PRAGMA foreign_keys = OFF;
         INSERT INTO children VALUES (1, 77, 'a'), (2, NULL, 'b'), (3, 78, 'c');
         CREATE VIRTUAL TABLE words USING fts5(body, content='');
         CREATE VIRTUAL TABLE notes USING fts5(body);",
    );
    let before = file.state();
    let complaint = file
        .run(
            "
version: 1
tables:
  parents: { skip_rows: 'nam = 1', columns: { id: keep, name: first_name } }
  children: { skip_rows: '\"nmae\" = 1', delete_rows: 'id = ', columns: { '*': keep, name: first_name } }
  words: { columns: { body: keep } }
  notes: { columns: { body: redact } }
",
        )
        .complaint();
    for expected in [
        "main.parents skip_rows: SQLite cannot read the predicate: no such column: nam",
        "main.children skip_rows: SQLite cannot read the predicate: no such column",
        "main.children delete_rows: SQLite cannot read the predicate",
        "main.children: 2 rows reference a row of main.parents that is not there",
        "main.words (virtual table): it holds the words of rows that are elsewhere",
    ] {
        assert!(complaint.contains(expected), "{expected}\nis not in\n{complaint}");
    }
    assert!(!complaint.contains("main.notes"), "{complaint}");
    assert_eq!(file.state(), before);
}

#[test]
fn full_text_indexes_forget_every_word() {
    let file = File::new(
        "CREATE TABLE posts(id INTEGER PRIMARY KEY, body TEXT);
         INSERT INTO posts VALUES (1, 'Rumpelstiltskin spins'), (5, 'Rapunzel waits');
         CREATE VIRTUAL TABLE follows USING fts5(body, content='posts', content_rowid='id');
         INSERT INTO follows(follows) VALUES ('rebuild');
         CREATE VIRTUAL TABLE follows4 USING fts4(body, content='posts');
         INSERT INTO follows4(follows4) VALUES ('rebuild');
         CREATE VIRTUAL TABLE own USING fts5(title, body);
         INSERT INTO own(rowid, title, body) VALUES (7, 'kept', 'Rumpelstiltskin'), (9, 'kept', 'Rapunzel');
         CREATE VIRTUAL TABLE own4 USING fts4(body);
         INSERT INTO own4(docid, body) VALUES (3, 'Rumpelstiltskin'), (4, 'Rapunzel');
         CREATE VIRTUAL TABLE emptied USING fts5(body);
         INSERT INTO emptied VALUES ('Rumpelstiltskin');
         CREATE VIRTUAL TABLE words USING fts5(body, content='');
         INSERT INTO words(rowid, body) VALUES (1, 'Rumpelstiltskin');
         CREATE VIRTUAL TABLE vocabulary USING fts5vocab(own, row);",
    );
    file.run(
        "
version: 1
tables:
  posts: { columns: { id: keep, body: redact } }
  own: { columns: { title: keep, body: { function: constant, value: masked } } }
  own4: { columns: { body: { function: constant, value: masked } } }
  emptied: truncate
  words: truncate
",
    )
    .tables();
    let words: Vec<String> =
        ["rumpelstiltskin", "Rumpelstiltskin", "umpelstiltskin", "rapunzel", "Rapunzel", "apunzel"]
            .map(str::to_owned)
            .to_vec();
    assert_eq!(canaries_beside(&file, &words), Vec::<String>::new());
    assert_eq!(
        file.rows("SELECT rowid FROM own WHERE own MATCH 'masked'"),
        ["Integer(7)", "Integer(9)"]
    );
    assert_eq!(
        file.rows("SELECT docid FROM own4 WHERE own4 MATCH 'masked'"),
        ["Integer(3)", "Integer(4)"]
    );
    assert_eq!(
        file.rows("SELECT rowid FROM follows WHERE follows MATCH 'redacted'"),
        ["Integer(1)", "Integer(5)"]
    );
    assert_eq!(
        file.rows("SELECT docid FROM follows4 WHERE follows4 MATCH 'redacted'"),
        ["Integer(1)", "Integer(5)"]
    );
    assert_eq!(file.rows("SELECT count(*) FROM emptied"), ["Integer(0)"]);
    assert_eq!(
        file.rows("SELECT term, doc FROM vocabulary"),
        ["Text(\"kept\") | Integer(2)", "Text(\"masked\") | Integer(2)"]
    );
}

#[test]
fn rows_are_skipped_removed_and_followed() {
    let file = File::new(
        "CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT, left_on DATE, boss INTEGER REFERENCES people(id));
         CREATE TABLE badges(person INTEGER REFERENCES people(id), number TEXT, name TEXT, PRIMARY KEY (person, number)) WITHOUT ROWID;
         CREATE TABLE doors(number TEXT, person INTEGER, FOREIGN KEY (person, number) REFERENCES badges(person, number));
         CREATE TABLE sessions(person INTEGER REFERENCES people(id), token TEXT);
         INSERT INTO people VALUES
           (1, 'Staff One', NULL, NULL), (2, 'Canary Two', '2024-05-31', NULL), (3, 'Canary Three', '2024-06-02', 2),
           (4, 'Canary Four', NULL, 3), (5, 'Canary Five', NULL, 1);
         INSERT INTO badges VALUES (1, 'a', 'Canary'), (4, 'b', 'Canary'), (5, 'c', 'Canary');
         INSERT INTO doors VALUES ('a', 1), ('b', 4), (NULL, 4), ('x', NULL);
         INSERT INTO sessions VALUES (1, 'Canary');",
    );
    let tables = file
        .run(
            "
version: 1
tables:
  people:
    skip_rows: \"name LIKE 'Staff%'\"
    delete_rows: left_on < now()
    cascade: true
    columns: { id: keep, name: first_name, left_on: keep, boss: keep }
  badges: { columns: { number: keep, name: redact, '*': keep } }
  doors: { columns: { number: keep, '*': keep } }
  sessions: truncate
",
        )
        .tables();
    assert_eq!(file.rows("SELECT id FROM people ORDER BY id"), ["Integer(1)", "Integer(5)"]);
    assert_eq!(file.rows("SELECT person FROM badges"), ["Integer(1)", "Integer(5)"]);
    assert_eq!(file.rows("SELECT number, person FROM doors ORDER BY rowid").len(), 3);
    assert_eq!(file.rows("SELECT name FROM people WHERE id = 1"), ["Text(\"Staff One\")"]);
    assert_eq!(file.rows("PRAGMA foreign_key_check"), Vec::<String>::new());
    let of = |name: &str| tables.iter().find(|t| t.table.as_ref().unwrap().name == name).unwrap();
    let people = of("people");
    assert_eq!((people.rows, people.deleted, people.skipped), (2, 3, 1));
    assert_eq!((of("badges").deleted, of("doors").deleted, of("sessions").deleted), (1, 1, 1));
}

#[test]
fn a_value_that_cannot_be_masked_leaves_the_file_as_it_was() {
    let file = File::new(
        "CREATE TABLE people(id INTEGER PRIMARY KEY, born DATE);
         INSERT INTO people VALUES (1, '2000-01-01'), (2, 'Canary is no date');",
    );
    let before = file.state();
    let rules = "{ version: 1, tables: { people: { columns: { id: keep, born: date_shift } } } }";
    let complaint = file.run(rules).complaint();
    assert!(complaint.contains("mask main.people.born with `date_shift`"), "{complaint}");
    assert!(!complaint.contains("Canary"), "{complaint}");
    assert_eq!(file.state(), before);
    assert_eq!(file.beside(), ["data.db"]);
}

#[test]
fn a_constraint_that_fakes_break_leaves_the_file_as_it_was() {
    let file = File::new(
        "CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT);
         CREATE UNIQUE INDEX one_of_each ON people(instr(name, 'One'));
         INSERT INTO people VALUES (1, 'Canary One'), (2, 'Canary Two');",
    );
    let before = file.state();
    let rules = "{ version: 1, tables: { people: { columns: { id: keep, name: username } } } }";
    match file.run(rules) {
        // `check` cannot see that the expression is the same for every fake.
        Run::Failed(complaint) => {
            assert!(complaint.contains("UNIQUE constraint failed"), "{complaint}");
            assert!(complaint.contains("one_of_each"), "{complaint}");
            assert!(!complaint.contains("Canary"), "{complaint}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(file.state(), before);
    assert_eq!(file.beside(), ["data.db"]);
}

#[test]
fn a_conflict_clause_never_drops_a_row() {
    let file = File::new(
        "CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT NOT NULL ON CONFLICT REPLACE DEFAULT 'x',
           CHECK (name NOT LIKE '%@example%') ON CONFLICT IGNORE);
         INSERT INTO people VALUES (1, 'Canary One'), (2, 'Canary Two');",
    );
    let before = file.state();
    let rules = "{ version: 1, tables: { people: { columns: { id: keep, name: email } } } }";
    let complaint = file.run(rules).complaint();
    assert!(complaint.contains("CHECK"), "{complaint}");
    assert_eq!(file.state(), before);
}

#[test]
fn values_keep_their_storage_class() {
    let file = File::new(
        "CREATE TABLE odd(id INTEGER PRIMARY KEY, t TEXT, d DATE, j JSON, u UUID, n, m DECIMAL(9, 2));
         INSERT INTO odd VALUES
           (1, x'43616e617279', 1700000000, '{\"a\":\"Canary\"}', x'00112233445566778899aabbccddeeff', 42, 12.5),
           (2, CAST(x'43616eff' AS TEXT), 2460000.5, NULL, '00112233-4455-6677-8899-aabbccddeeff', 'Canary', 7),
           (3, '', '2020-02-29', '[]', NULL, x'43616e617279', '1.50'),
           (4, char(0) || 'Canary', 1700000000123, NULL, NULL, NULL, NULL);",
    );
    let classes = "SELECT typeof(t), typeof(d), typeof(u) FROM odd ORDER BY id";
    let before = file.rows(classes);
    file.run(
        "
version: 1
tables:
  odd:
    columns: { id: keep, t: first_name, d: date_shift, j: nullify, u: uuid, n: { function: constant, value: x }, m: keep }
",
    )
    .tables();
    assert_eq!(file.rows(classes), before);
    assert_eq!(canaries_beside(&file, &["Canary".to_owned()]), Vec::<String>::new());
    assert_eq!(file.rows("SELECT lower(hex(u)) = replace((SELECT u FROM odd WHERE id = 2), '-', '') FROM odd WHERE id = 1"), ["Integer(1)"]);
    assert_eq!(
        file.rows("SELECT m FROM odd ORDER BY id"),
        ["Real(12.5)", "Integer(7)", "Real(1.5)", "Null"]
    );
}

#[test]
fn unique_fakes_stay_unique_and_joins_hold() {
    let file = File::new(
        "CREATE TABLE accounts(login TEXT PRIMARY KEY COLLATE NOCASE) WITHOUT ROWID;
         CREATE TABLE posts(id INTEGER PRIMARY KEY, login TEXT COLLATE NOCASE REFERENCES accounts(login));
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
         INSERT INTO accounts SELECT 'Canary' || i FROM n;
         INSERT INTO posts(login) SELECT lower(login) FROM accounts;",
    );
    file.run("{ version: 1, tables: { accounts: { columns: { login: username } }, posts: { columns: { id: keep, login: username } } } }")
        .tables();
    let joined = file
        .rows("SELECT count(*), count(DISTINCT p.login) FROM posts p JOIN accounts USING (login)");
    assert_eq!(joined, ["Integer(500) | Integer(500)"]);
    assert_eq!(file.rows("PRAGMA foreign_key_check"), Vec::<String>::new());
}

#[test]
fn a_preview_shows_no_original() {
    let file = File::new(PEOPLE);
    let rules = file.directory().join("rules.yaml");
    fs::write(&rules, PEOPLE_RULES).unwrap();
    let before = file.state();
    let mut command = e2e::command::with_rules("preview", &file.url(), &rules).unwrap();
    let finished = e2e::command::finish(&mut command).unwrap();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(finished.stdout.contains("(kept)"), "{}", finished.stdout);
    assert!(!finished.stdout.to_lowercase().contains("canary"), "{}", finished.stdout);
    assert_eq!(file.state(), before);
}

#[test]
fn what_is_no_database_is_refused() {
    let file = File::new("");
    fs::write(file.path(), "not a database, though long enough to be taken for one".repeat(100))
        .unwrap();
    let complaint = file.run(PEOPLE_RULES).complaint();
    assert!(complaint.contains("not a SQLite database"), "{complaint}");
    fs::remove_file(file.path()).unwrap();
    let complaint = file.run(PEOPLE_RULES).complaint();
    assert!(complaint.contains("no such file"), "{complaint}");
    assert_eq!(file.beside(), Vec::<String>::new());
}

#[test]
fn names_are_told_apart_as_stored() {
    let file = File::new("CREATE TABLE People(ID INTEGER PRIMARY KEY, Boss INTEGER REFERENCES PEOPLE(id), Name TEXT);
                          INSERT INTO people VALUES (1, NULL, 'Canary One'), (2, 1, 'Canary Two');");
    file.run("{ version: 1, tables: { People: { columns: { ID: keep, Boss: keep, Name: first_name } } } }").tables();
    let names: HashSet<String> = file.rows("SELECT name FROM people").into_iter().collect();
    assert_eq!(names.len(), 2);
    assert_eq!(canaries_beside(&file, &["Canary".to_owned()]), Vec::<String>::new());
}

/// Values as applications leave them in columns that should hold text.
fn odd_values() -> Vec<Value> {
    let texts = [
        "",
        " ",
        "a",
        "Ünïcödé 日本",
        "a@b.test",
        "' OR 1=1 --",
        "\u{0}\u{1}",
        "2020-02-29",
        "☃\u{301}",
        "💥",
    ];
    let mut values: Vec<Value> = texts.map(|text| Value::Text(text.to_owned())).to_vec();
    values.extend([
        Value::Text("x".repeat(100_000)),
        Value::Null,
        Value::Blob(vec![0, 255, 254]),
        Value::Blob(Vec::new()),
    ]);
    values.extend([
        Value::Integer(i64::MIN),
        Value::Integer(0),
        Value::Real(1e300),
        Value::Real(-0.5),
    ]);
    values
}

#[test]
fn whatever_a_text_column_holds_can_be_masked() {
    let optional =
        |function: &&&Function| function.parameters.iter().all(|parameter| !parameter.required);
    let text = Kind::Text { max_chars: None, ignore_case: false };
    let fits = |function: &&&Function| {
        (function.accepts)(&text) && !["keep", "date_shift"].contains(&function.name)
    };
    for function in FUNCTIONS.iter().filter(optional).filter(fits) {
        let file = File::new("CREATE TABLE t(id INTEGER PRIMARY KEY, typed TEXT, untyped, kept)");
        let connection = file.open();
        for value in odd_values() {
            connection
                .execute("INSERT INTO t(typed, untyped, kept) VALUES (?1, ?1, ?1)", [value])
                .unwrap();
        }
        connection.execute("INSERT INTO t(typed, untyped, kept) VALUES (CAST(x'ff41' AS TEXT), CAST(x'ff41' AS TEXT), x'ff41')", []).unwrap();
        drop(connection);
        let kept = file.rows("SELECT id, kept, typed IS NULL, untyped IS NULL FROM t");
        let name = function.name;
        let tables = file
            .run(&format!("{{ version: 1, tables: {{ t: {{ columns: {{ id: keep, typed: {name}, untyped: {name}, kept: keep }} }} }} }}"))
            .tables();
        let nulls = tables[0].columns[1].nulls;
        assert_eq!((tables[0].rows, nulls), (19, 1), "{name}");
        if name != "nullify" {
            assert_eq!(
                file.rows("SELECT id, kept, typed IS NULL, untyped IS NULL FROM t"),
                kept,
                "{name}"
            );
        }
    }
}
