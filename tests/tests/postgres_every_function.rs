//! What `check` accepts, `run` can do: every masking function on every column type of PostgreSQL that it accepts, over
//! ordinary and awkward values.

use std::fmt::Write as _;

use anonymizer::catalog::Catalog;
use anonymizer::engine::Engine as _;
use anonymizer::engine::postgres::PostgresEngine;
use anonymizer::mask::key::Keyring;
use anonymizer::mask::{FUNCTIONS, Function};
use anonymizer::plan::plan;
use anonymizer::rules;
use anyhow::{Context as _, Result, ensure};
use e2e::command::{finish, with_rules};
use e2e::postgres::{Database, Server};

/// A column type with values that a mask might stumble over, as SQL literals.
struct Sort {
    sql: &'static str,
    values: &'static [&'static str],
    constant: &'static str,
}

const fn sort(sql: &'static str, values: &'static [&'static str], constant: &'static str) -> Sort {
    Sort { sql, values, constant }
}

const TEXTS: &[&str] = &[
    "''",
    "' '",
    "'a'",
    "'Ada Lovelace'",
    "'ada@example.net'",
    "'+44 20 7946 0018'",
    "'日本語 テキスト'",
    "'İıẞß'",
    "E'tab\\tline\\nback\\\\slash'",
    "repeat('long ', 2000)",
    "'\\N'",
    "'e' || chr(769)",
    "'🦀'",
];

const SORTS: &[Sort] = &[
    sort("boolean", &["true", "false"], "true"),
    sort("smallint", &["0", "-32768", "32767", "7"], "5"),
    sort("integer", &["0", "-2147483648", "2147483647", "12345"], "5"),
    sort("bigint", &["0", "-9223372036854775808", "9223372036854775807", "123456789012"], "5"),
    sort("real", &["0", "1.5", "-1e30", "'NaN'", "'Infinity'"], "1.5"),
    sort("double precision", &["0", "0.1", "-1e300", "'NaN'", "'-Infinity'"], "1.5"),
    sort("numeric", &["0", "0.10", "-12345678901234567890.123456789", "'NaN'", "1e20"], "1.50"),
    sort("numeric(8,2)", &["0", "999999.99", "-999999.99", "0.01"], "1.50"),
    sort("text", TEXTS, "fixed"),
    sort("varchar", TEXTS, "fixed"),
    sort("varchar(200)", &["''", "'a'", "repeat('é', 200)"], "fixed"),
    sort("char(200)", &["''", "'a'", "repeat('é', 200)"], "fixed"),
    sort("words", TEXTS, "fixed"),
    sort("mood", &["'fine'", "'so so'"], "fine"),
    sort(
        "json",
        &[
            "'{}'",
            "'[]'",
            "'null'",
            "'{\"a\": {\"b\": [\"x\", 1, null, 1.50]},  \"a\": \"é\"}'",
            "'\"text\"'",
        ],
        "{\"a\":1}",
    ),
    sort(
        "jsonb",
        &["'{}'", "'[]'", "'null'", "'{\"a\": {\"b\": [\"x\", 1, null, 1.50]}}'", "'\"text\"'"],
        "{\"a\":1}",
    ),
    sort("bytea", &["''", "'\\x00ff'", "decode(repeat('ab', 5000), 'hex')"], "\\xdead"),
    sort(
        "date",
        &[
            "'2000-02-29'",
            "'0001-01-01'",
            "'9999-12-31'",
            "'infinity'",
            "'-infinity'",
            "'0044-03-15 BC'",
        ],
        "2000-01-31",
    ),
    sort(
        "timestamp",
        &["'2000-02-29 23:59:59.999999'", "'infinity'", "'0001-01-01'", "'9999-12-31 23:59:59'"],
        "2000-01-31 10:00:00",
    ),
    sort(
        "timestamptz",
        &["'2000-02-29 23:59:59.999999+02'", "'-infinity'", "'1969-12-31 23:59:59+00'"],
        "2000-01-31 10:00:00",
    ),
    sort("time", &["'00:00'", "'23:59:59.999999'", "'24:00:00'"], "10:00:00"),
    sort(
        "uuid",
        &["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"],
        "00000000-0000-4000-8000-000000000000",
    ),
    sort(
        "inet",
        &["'10.0.0.1'", "'10.1.2.3/8'", "'::1'", "'2001:db8::1/64'", "'0.0.0.0/0'"],
        "10.0.0.1",
    ),
    sort(
        "cidr",
        &["'10.0.0.0/8'", "'10.0.0.1/32'", "'2001:db8::/32'", "'0.0.0.0/0'"],
        "10.0.0.0/8",
    ),
    sort("macaddr", &["'00:00:00:00:00:00'", "'ff:ff:ff:ff:ff:ff'"], "02:00:00:00:00:01"),
    sort(
        "macaddr8",
        &["'00:00:00:00:00:00:00:00'", "'ff:ff:ff:ff:ff:ff:ff:ff'"],
        "02:00:00:00:00:00:00:01",
    ),
    sort("text[]", &["'{}'", "'{a,NULL,\"b c\"}'", "'{{a,b},{c,d}}'", "'[2:3]={x,y}'"], ""),
    sort("integer[]", &["'{}'", "'{1,NULL,-3}'"], ""),
    sort("date[]", &["'{}'", "'{2000-01-01,NULL}'"], ""),
    sort("interval", &["'1 day'", "'-3 months 2 days 00:00:01'"], "1 day"),
    sort("int4range", &["'[1,5)'", "'empty'"], "[1,5)"),
    sort("tsvector", &["'a fat cat'::tsvector", "''"], "a:1"),
    sort("point", &["'(1,2)'"], "(1,2)"),
    sort("bit varying", &["B'101'", "B''"], "101"),
];

/// What must be written beside the function's name.
fn parameters(function: &Function, sort: &Sort) -> String {
    let dated = ["date", "timestamp", "timestamptz", "time"].contains(&sort.sql);
    match function.name {
        "constant" => format!(", value: '{}'", sort.constant),
        "round" => format!(
            ", to: {}",
            if sort.sql == "time" {
                "hour"
            } else if dated {
                "month"
            } else {
                "10"
            }
        ),
        "array" => match sort.sql {
            "text[]" => ", element: email",
            "integer[]" => ", element: hash",
            _ => ", element: date_shift",
        }
        .to_owned(),
        "json" => ", paths: { '$.a.b[*]': hash }".to_owned(),
        _ => String::new(),
    }
}

/// Text that is no date is refused by functions that read dates in text, and text that is no JSON by `json`.
fn reads_text(function: &Function, sort: &Sort) -> bool {
    ["date_shift", "round", "json"].contains(&function.name)
        && sort.values.len() > 2
        && !sort.values[0].contains('{')
        && ["text", "varchar", "varchar(200)", "char(200)", "words"].contains(&sort.sql)
}

#[test]
fn what_check_accepts_run_can_do() -> Result<()> {
    let server = Server::shared()?;
    let original = server.database("everything")?;
    fill(&original)?;
    let catalog = catalog(&original)?;
    let mut broken = Vec::new();
    for function in FUNCTIONS.iter().filter(|function| function.name != "keep") {
        let accepted: Vec<usize> =
            (0..SORTS.len()).filter(|column| accepts(function, *column, &catalog)).collect();
        ensure!(!accepted.is_empty(), "`{}` fits no column at all", function.name);
        let database = server.copy(&original, "masked")?;
        let rules = tempfile::NamedTempFile::new()?;
        std::fs::write(rules.path(), rules_for(function, &accepted))?;
        let run = finish(&mut with_rules("run", &database.url(), rules.path())?)?;
        if run.code != Some(0) {
            broken.push(format!("`{}`: {}", function.name, run.stderr));
        } else if function.name != "nullify" {
            let (before, after) = (counts(&original)?, counts(&database)?);
            ensure!(before == after, "`{}` made or lost a NULL", function.name);
        }
    }
    ensure!(broken.is_empty(), "{}", broken.join("\n"));
    Ok(())
}

/// The plan's word on a rule for one column, all others kept.
fn accepts(function: &Function, column: usize, catalog: &Catalog) -> bool {
    if reads_text(function, &SORTS[column]) {
        return false;
    }
    let rules = rules::parse("rules.yaml", rules_for(function, &[column]).as_bytes());
    rules.is_ok_and(|rules| plan(&rules, catalog, &Keyring::ephemeral()).is_ok())
}

fn catalog(database: &Database<'_>) -> Result<Catalog> {
    let url = database.url();
    tokio::runtime::Runtime::new()?
        .block_on(async { Ok(PostgresEngine::connect(&url).await?.catalog().await?) })
}

fn rules_for(function: &Function, masked: &[usize]) -> String {
    let mut rules = "version: 1\ntables:\n  everything:\n    columns:\n".to_owned();
    for (number, sort) in SORTS.iter().enumerate() {
        let rule = match masked.contains(&number) {
            true => format!("{{ function: {}{} }}", function.name, parameters(function, sort)),
            false => "keep".to_owned(),
        };
        writeln!(rules, "      c{number}: {rule}").expect("a String takes it");
    }
    rules
}

/// A table with a column per type; rows of every value, one of NULLs.
fn fill(database: &Database<'_>) -> Result<()> {
    let columns: Vec<String> =
        SORTS.iter().enumerate().map(|(number, sort)| format!("c{number} {}", sort.sql)).collect();
    database.query_as_master(&format!(
        "CREATE DOMAIN words AS text CHECK (VALUE IS NULL OR length(VALUE) < 100000);
         CREATE TYPE mood AS ENUM ('fine', 'so so');
         CREATE TABLE everything ({})",
        columns.join(", ")
    ))?;
    let rows = SORTS.iter().map(|sort| sort.values.len()).max().context("no type")?;
    for row in 0..=rows {
        let value =
            |sort: &Sort| sort.values.get(row).map_or("NULL".to_owned(), |value| value.to_string());
        let values: Vec<String> = SORTS.iter().map(value).collect();
        database
            .query_as_master(&format!("INSERT INTO everything VALUES ({})", values.join(", ")))?;
    }
    Ok(())
}

/// How many values every column has.
fn counts(database: &Database<'_>) -> Result<String> {
    let counts: Vec<String> = (0..SORTS.len()).map(|number| format!("count(c{number})")).collect();
    database.query(&format!("SELECT {} FROM everything", counts.join(", ")))
}
