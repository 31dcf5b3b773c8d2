//! What `check` accepts, `run` can do, over schemas and rules that nobody wrote: tables, keys, widths, rules and rows are
//! drawn from a number, so that a failure can be drawn again. A rule that is refused gives way to `keep`; what is left must
//! run to its end, and keep rows, NULLs, keys and uniqueness.

use std::fmt::Write as _;

use anonymizer::catalog::Catalog;
use anonymizer::engine::Engine as _;
use anonymizer::engine::postgres::PostgresEngine;
use anonymizer::mask::FUNCTIONS;
use anonymizer::mask::key::Keyring;
use anonymizer::plan::plan;
use anonymizer::rules;
use anyhow::{Result, ensure};
use e2e::command::{finish, with_rules};
use e2e::postgres::{Database, Server};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

const SCHEMAS: u64 = 24;
const ROWS: u32 = 60;

/// A type, and an expression over the row number `$` that gives another value for each row.
const TYPES: &[(&str, &str)] = &[
    ("text", "'Value ' || $ || ' of ' || md5($::text)"),
    ("varchar(255)", "'person' || $ || '@corp.example.edu'"),
    ("varchar(40)", "'Name ' || $"),
    ("varchar(12)", "'c' || $"),
    ("char(30)", "'x' || $"),
    ("citext", "'MiXed ' || $"),
    ("integer", "$ * 37"),
    ("bigint", "$::bigint * 5000000011"),
    ("smallint", "$"),
    ("numeric(12,2)", "$ * 1.25"),
    ("double precision", "$ / 7.0"),
    ("date", "DATE '1970-01-01' + $ * 11"),
    ("timestamptz", "TIMESTAMPTZ '2001-02-03 04:05:06+00' + $ * INTERVAL '1 hour'"),
    ("uuid", "md5($::text)::uuid"),
    ("inet", "('10.1.2.' || $ % 250)::inet + $ * 256"),
    ("jsonb", "jsonb_build_object('a', jsonb_build_object('b', jsonb_build_array('x' || $, $)))"),
    ("text[]", "ARRAY['one' || $, NULL, 'two']"),
    ("bytea", "decode(md5($::text), 'hex')"),
    ("boolean", "$ % 2 = 0"),
];

/// Types that can be a key.
const KEYS: usize = 9;

struct Column {
    name: String,
    sort: usize,
    not_null: bool,
    /// Where a foreign key leads: table and column.
    references: Option<(usize, usize)>,
    rule: String,
}

struct Table {
    columns: Vec<Column>,
    /// Indexes and constraints, complete statements.
    extras: Vec<String>,
    partitioned: bool,
}

fn draw_tables(rng: &mut StdRng) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for number in 0..rng.random_range(2..=4) {
        let mut columns = vec![Column {
            name: "key".into(),
            sort: rng.random_range(0..KEYS),
            not_null: true,
            references: None,
            rule: String::new(),
        }];
        for column in 0..rng.random_range(3..=8) {
            let parent = (number > 0 && rng.random_bool(0.25)).then(|| rng.random_range(0..number));
            let parent = parent.filter(|parent| !tables[*parent].partitioned);
            columns.push(Column {
                name: ["plain", "Mixed Case", "select", "naïve", "quo\"te", "a.b", "c", "d"]
                    [column]
                    .into(),
                sort: match parent {
                    Some(parent) => tables[parent].columns[0].sort,
                    None => rng.random_range(0..TYPES.len()),
                },
                not_null: rng.random_bool(0.4),
                references: parent.map(|parent| (parent, 0)),
                rule: String::new(),
            });
        }
        let partitioned = rng.random_bool(0.2);
        let extras = draw_extras(rng, number, &columns, partitioned);
        tables.push(Table { columns, extras, partitioned });
    }
    tables
}

fn draw_extras(
    rng: &mut StdRng,
    table: usize,
    columns: &[Column],
    partitioned: bool,
) -> Vec<String> {
    let mut extras = Vec::new();
    for (number, column) in columns.iter().enumerate().skip(1) {
        let name = quoted(&column.name);
        let sort = TYPES[column.sort].0;
        let indexable = !["jsonb", "text[]", "bytea"].contains(&sort);
        let textual = column.sort < 6;
        let unique = column.references.is_none() && sort != "boolean" && !partitioned;
        match rng.random_range(0..8) {
            0 if indexable && unique => {
                extras.push(format!("CREATE UNIQUE INDEX ON t{table} ({name})"))
            }
            1 if textual && unique => {
                extras.push(format!("CREATE UNIQUE INDEX ON t{table} (lower({name}))"));
            }
            2 if indexable => extras.push(format!("CREATE INDEX ON t{table} ({name} DESC)")),
            3 if indexable => {
                extras.push(format!("CREATE INDEX ON t{table} ({name}) WHERE {name} IS NOT NULL"));
            }
            4 if indexable && unique => {
                extras.push(format!("ALTER TABLE t{table} ADD UNIQUE ({name}) DEFERRABLE"));
            }
            5 => extras.push(format!(
                "CREATE STATISTICS s{table}_{number} ON \"key\", {name} FROM t{table}"
            )),
            _ => {}
        }
    }
    extras
}

/// A rule for every column; a column that references another one has that one's.
fn draw_rules(rng: &mut StdRng, tables: &mut [Table], catalog: &Catalog) {
    for number in 0..tables.len() {
        for index in 0..tables[number].columns.len() {
            let column = &tables[number].columns[index];
            let rule = match column.references {
                Some((table, key)) => tables[table].columns[key].rule.clone(),
                None => draw_rule(rng, number, index, &tables[number], catalog),
            };
            tables[number].columns[index].rule = rule;
        }
    }
}

fn draw_rule(
    rng: &mut StdRng,
    number: usize,
    index: usize,
    table: &Table,
    catalog: &Catalog,
) -> String {
    let name = &table.columns[index].name;
    let held = catalog.tables.iter().find(|held| held.name.name == format!("t{number}"));
    let kind = held
        .and_then(|held| held.columns.iter().find(|column| column.name == *name))
        .map(|column| &column.kind)
        .expect("the column was made");
    let fitting: Vec<_> = FUNCTIONS.iter().filter(|function| (function.accepts)(kind)).collect();
    let function = fitting.choose(rng).expect("every kind can be kept");
    let sort = TYPES[table.columns[index].sort].0;
    let mut rule = format!("function: {}", function.name);
    match function.name {
        // It reads what is in the text.
        "date_shift" | "round" | "json" if table.columns[index].sort < 6 => return "keep".into(),
        "constant" => return "keep".into(),
        "round" => {
            rule += if ["date", "timestamptz"].contains(&sort) { ", to: month" } else { ", to: 10" }
        }
        "array" => rule += ", element: email",
        "json" => rule += ", paths: { '$.a.b[*]': hash }",
        "phone" if rng.random_bool(0.5) => rule += ", unique: true",
        _ => {}
    }
    if function.keyed && rng.random_bool(0.3) {
        rule += ", domain: joined";
    }
    if function.keyed && function.name != "array" && index > 0 && rng.random_bool(0.2) {
        rule += ", seed: key";
    }
    format!("{{ {rule} }}")
}

fn rules_text(tables: &[Table]) -> String {
    let mut text = "version: 1\ntables:\n".to_owned();
    for (number, table) in tables.iter().enumerate() {
        writeln!(text, "  t{number}:\n    columns:").expect("a String takes it");
        for column in &table.columns {
            let name = column.name.replace('"', "\"\"");
            writeln!(text, "      '\"{name}\"': {}", column.rule).expect("a String takes it");
        }
        if table.partitioned {
            text += "      part: keep\n";
        }
    }
    text
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn create(database: &Database<'_>, tables: &[Table]) -> Result<()> {
    database.query("CREATE EXTENSION citext")?;
    for (number, table) in tables.iter().enumerate() {
        let mut parts = Vec::new();
        for column in &table.columns {
            let key = column.references.map(|(table, _)| format!(" REFERENCES t{table} (\"key\")"));
            parts.push(format!(
                "{} {}{}{}",
                quoted(&column.name),
                TYPES[column.sort].0,
                if column.not_null { " NOT NULL" } else { "" },
                key.unwrap_or_default()
            ));
        }
        let ending = if table.partitioned {
            parts.push("part integer NOT NULL".into());
            ") PARTITION BY LIST (part)"
        } else {
            parts.push("PRIMARY KEY (\"key\")".into());
            ")"
        };
        database
            .query_as_master(&format!("CREATE TABLE t{number} ({}{ending}", parts.join(", ")))?;
        if table.partitioned {
            for part in 0..2 {
                database.query_as_master(&format!(
                    "CREATE TABLE t{number}_{part} PARTITION OF t{number} FOR VALUES IN ({part})"
                ))?;
            }
        }
        for extra in &table.extras {
            database.query_as_master(extra)?;
        }
        fill(database, number, table)?;
    }
    Ok(())
}

fn fill(database: &Database<'_>, number: usize, table: &Table) -> Result<()> {
    let mut values: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            let row = if column.references.is_some() { "(1 + g % 50)" } else { "g" };
            let value = TYPES[column.sort].1.replace('$', row);
            if column.not_null { value } else { format!("CASE WHEN g % 7 > 0 THEN {value} END") }
        })
        .collect();
    if table.partitioned {
        values.push("g % 2".into());
    }
    database.query_as_master(&format!(
        "INSERT INTO t{number} SELECT {} FROM generate_series(1, {ROWS}) g",
        values.join(", ")
    ))?;
    Ok(())
}

/// Gives way where the plan refuses: the line of a finding is the line of a column. Answers how often it did.
fn settle(tables: &mut [Table], catalog: &Catalog) -> Result<u32> {
    for refusals in 0..20 {
        let text = rules_text(tables);
        let rules = rules::parse("rules.yaml", text.as_bytes())?;
        let Err(findings) = plan(&rules, catalog, &Keyring::ephemeral()) else {
            return Ok(refusals);
        };
        for finding in &findings.findings {
            let Some((table, column)) = at_line(tables, finding.at.line) else {
                anyhow::bail!("a finding without a column: {findings}\n{text}");
            };
            keep(tables, table, column);
        }
    }
    anyhow::bail!("the plan refuses a database that is kept:\n{}", rules_text(tables))
}

fn at_line(tables: &[Table], line: usize) -> Option<(usize, usize)> {
    let mut at = 3;
    for (number, table) in tables.iter().enumerate() {
        let first = at + 2;
        if (first..first + table.columns.len()).contains(&line) {
            return Some((number, line - first));
        }
        at = first + table.columns.len() + usize::from(table.partitioned);
    }
    None
}

/// A column and whatever is joined with it by a key.
fn keep(tables: &mut [Table], table: usize, column: usize) {
    let root = tables[table].columns[column].references.unwrap_or((table, column));
    for (number, table) in tables.iter_mut().enumerate() {
        for (index, column) in table.columns.iter_mut().enumerate() {
            if (number, index) == root || column.references == Some(root) {
                column.rule = "keep".into();
            }
        }
    }
}

/// Rows, NULLs and distinct keys per table, and whether every foreign key leads somewhere.
fn shape(database: &Database<'_>, tables: &[Table]) -> Result<String> {
    let mut shape = String::new();
    for (number, table) in tables.iter().enumerate() {
        let mut items = vec!["count(*)".to_owned()];
        for column in &table.columns {
            items.push(format!("count({})", quoted(&column.name)));
        }
        if !table.partitioned {
            items.push("count(DISTINCT \"key\")".into());
        }
        shape += &database.query(&format!("SELECT {} FROM t{number}", items.join(", ")))?;
        for column in &table.columns {
            if let Some((parent, _)) = column.references {
                let name = quoted(&column.name);
                let lost = format!(
                    "SELECT count(*) FROM t{number} c LEFT JOIN t{parent} p ON p.\"key\" = c.{name} \
                     WHERE c.{name} IS NOT NULL AND p.\"key\" IS NULL"
                );
                shape += &database.query(&lost)?;
            }
        }
    }
    Ok(shape)
}

#[test]
fn what_check_accepts_run_can_do_whatever_the_schema() -> Result<()> {
    let server = Server::shared()?;
    let (mut masked, mut refused) = (0, 0);
    for number in 0..SCHEMAS {
        let mut rng = StdRng::seed_from_u64(number);
        let mut tables = draw_tables(&mut rng);
        let database = server.database("generated")?;
        create(&database, &tables)?;
        let catalog = catalog(&database)?;
        draw_rules(&mut rng, &mut tables, &catalog);
        refused += settle(&mut tables, &catalog)?;
        let text = rules_text(&tables);
        masked += text.matches("function:").count();
        let rules = tempfile::NamedTempFile::new()?;
        std::fs::write(rules.path(), &text)?;
        let before = shape(&database, &tables)?;
        let run = finish(&mut with_rules("run", &database.url(), rules.path())?)?;
        ensure!(run.code == Some(0), "schema {number}: {}\n{text}", run.stderr);
        let after = shape(&database, &tables)?;
        if !text.contains("nullify") {
            ensure!(before == after, "schema {number}:\n{before}\n{after}\n{text}");
        }
    }
    ensure!(masked > 100 && refused > 5, "{masked} columns masked, {refused} rules refused");
    Ok(())
}

fn catalog(database: &Database<'_>) -> Result<Catalog> {
    let url = database.url();
    tokio::runtime::Runtime::new()?
        .block_on(async { Ok(PostgresEngine::connect(&url).await?.catalog().await?) })
}
