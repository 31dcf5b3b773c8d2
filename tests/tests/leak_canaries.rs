//! What the leak gate finds, counted: a thousand copies of originals in twenty encodings, planted in random cells of fifty
//! tables that the rules keep. None may be missed, and nothing else may be reported.

#![expect(clippy::print_stderr, reason = "the measured numbers are for people to read")]

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use contract::exit_codes::{OK, VERIFY_FAILED};
use contract::report::{Report, Verdict};
use contract::statement::Statement;
use e2e::canary::tables::{Cell, Type};
use e2e::canary::{COLUMNS, Field};
use e2e::command::{Finished, finish, with_rules};
use e2e::postgres::{Database, Server};
use rusqlite::types::Value;

const SEED: u64 = 20_261_016;
const PLANTS: usize = 1_000;

/// A masking run with a report.
struct Looked {
    finished: Finished,
    report: Report,
    bytes: Vec<u8>,
}

fn run(url: &str, rules: &str) -> Result<Looked> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("rules.yaml");
    std::fs::write(&file, rules)?;
    let out = directory.path().join("out");
    let mut command = with_rules("run", url, &file)?;
    let finished = finish(command.args(["--yes", "--jobs", "2", "--report"]).arg(&out))?;
    let bytes = std::fs::read(out.join("report.json")).with_context(|| finished.stderr.clone())?;
    Ok(Looked { finished, report: Statement::read(&bytes)?.predicate, bytes })
}

fn build<'a>(server: &'a Server, field: &Field, directory: &Path) -> Result<Database<'a>> {
    let columns: String = COLUMNS.iter().map(|(name, _)| format!(", {name} text")).collect();
    let mut script = format!(
        "CREATE EXTENSION hstore;\nCREATE TABLE people (id bigint PRIMARY KEY{columns});\nCOPY people FROM stdin;\n"
    );
    for (id, person) in field.people.iter().enumerate() {
        let cells = person.originals.iter().map(|(_, text)| Cell::Text(text.clone()).copied());
        let line: Vec<String> = std::iter::once(id.to_string()).chain(cells).collect();
        let _ = writeln!(script, "{}", line.join("\t"));
    }
    script += "\\.\n";
    for table in &field.tables {
        let columns: String =
            table.columns.iter().map(|c| format!(", {} {}", c.name, c.kind.sql())).collect();
        let name = &table.name;
        let _ = writeln!(
            script,
            "CREATE TABLE {name} (id bigint PRIMARY KEY{columns}, amount numeric, at timestamptz);\nCOPY {name} FROM stdin;"
        );
        for row in 0..table.rows {
            let cells: Vec<String> =
                table.columns.iter().map(|column| column.cells[row].copied()).collect();
            let _ = writeln!(script, "{row}\t{}\t{row}.50\t2024-03-01 10:00Z", cells.join("\t"));
        }
        script += "\\.\n";
    }
    let file = directory.join("script.sql");
    std::fs::write(&file, script)?;
    let database = server.database("canaries")?;
    database.load(&file, &[])?;
    Ok(database)
}

/// Holds a run to what was planted, and prints the count.
fn hold(test: &str, field: &Field, looked: &Looked) -> Result<()> {
    let Looked { finished, report, bytes } = looked;
    ensure!(finished.code == Some(VERIFY_FAILED.into()), "{finished:#?}");
    ensure!(report.verdict == Verdict::Failed, "the verdict is passed");
    let census = field.census(&report.gate)?;
    let gate = &report.gate;
    eprintln!(
        "{test}: {} values, {:.1} MB, {} originals, false-positive rate {:.1e}, {:.2} s\n{}",
        gate.values,
        gate.bytes as f64 / 1e6,
        gate.originals,
        gate.false_positive_rate,
        gate.seconds,
        census.table()
    );
    ensure!(census.missed.is_empty(), "missed:\n{}", census.missed.join("\n"));
    ensure!(
        census.invented.is_empty(),
        "reported and not planted:\n{}",
        census.invented.join("\n")
    );
    ensure!(census.encodings.values().map(|(_, found)| found).sum::<u64>() == PLANTS as u64);

    let said = format!("{}{}{}", finished.stdout, finished.stderr, String::from_utf8_lossy(bytes));
    for (kind, original) in field.people.iter().flat_map(|person| &person.originals) {
        ensure!(!said.contains(original), "a value is told ({})", kind.name());
    }
    Ok(())
}

#[test]
fn a_thousand_copies_are_found_in_postgres_and_nothing_else() -> Result<()> {
    let field = Field::new(SEED, PLANTS, |_| true);
    let directory = tempfile::tempdir()?;
    let database = build(Server::shared()?, &field, directory.path())?;
    hold("postgres", &field, &run(&database.url(), &field.rules())?)
}

#[test]
fn the_same_tables_without_them_pass() -> Result<()> {
    let field = Field::new(SEED, 0, |_| true);
    let directory = tempfile::tempdir()?;
    let database = build(Server::shared()?, &field, directory.path())?;
    let Looked { finished, report, .. } = run(&database.url(), &field.rules())?;
    let gate = &report.gate;
    ensure!(gate.leaks.is_empty() && gate.suspects.is_empty(), "{gate:#?}");
    ensure!(finished.code == Some(OK.into()) && report.verdict == Verdict::Passed, "{finished:#?}");
    ensure!(gate.originals as usize >= field.people.len() * COLUMNS.len(), "{gate:#?}");
    Ok(())
}

#[test]
fn a_thousand_copies_are_found_in_sqlite_and_nothing_else() -> Result<()> {
    // Arrays, documents and the like are texts there.
    let field = Field::new(SEED, PLANTS, |_| true);
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("canaries.db");
    let mut connection = rusqlite::Connection::open(&path)?;
    let transaction = connection.transaction()?;
    let columns: String = COLUMNS.iter().map(|(name, _)| format!(", {name} TEXT")).collect();
    transaction.execute_batch(&format!("CREATE TABLE people (id INTEGER PRIMARY KEY{columns})"))?;
    for (id, person) in field.people.iter().enumerate() {
        let texts = person.originals.iter().map(|(_, text)| Value::from(text.clone()));
        insert(&transaction, "people", id, texts)?;
    }
    for table in &field.tables {
        let kind = |kind| if kind == Type::Bytea { "BLOB" } else { "TEXT" };
        let columns: String =
            table.columns.iter().map(|c| format!(", {} {}", c.name, kind(c.kind))).collect();
        transaction.execute_batch(&format!(
            "CREATE TABLE {} (id INTEGER PRIMARY KEY{columns})",
            table.name
        ))?;
        for row in 0..table.rows {
            let cells = table.columns.iter().map(|column| match &column.cells[row] {
                Cell::Null => Value::Null,
                Cell::Text(text) => Value::from(text.clone()),
                Cell::Bytes(bytes) => Value::from(bytes.clone()),
            });
            insert(&transaction, &table.name, row, cells)?;
        }
    }
    transaction.commit()?;
    drop(connection);
    hold("sqlite", &field, &run(&format!("sqlite:{}", path.display()), &field.rules())?)
}

fn insert(
    connection: &rusqlite::Connection,
    table: &str,
    id: usize,
    cells: impl Iterator<Item = Value>,
) -> Result<()> {
    let values: Vec<Value> = std::iter::once(Value::from(id as i64)).chain(cells).collect();
    let marks = vec!["?"; values.len()].join(", ");
    let mut statement = connection.prepare(&format!("INSERT INTO {table} VALUES ({marks})"))?;
    statement.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}
