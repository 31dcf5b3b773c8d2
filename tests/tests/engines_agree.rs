//! Same key, same function, same value: same fake, on every engine.

use anonymizer::catalog::Kind;
use anonymizer::mask::{FUNCTIONS, Function};
use anyhow::{Result, ensure};
use e2e::command::{finish, with_rules};
use e2e::postgres::Server;
use e2e::sqlite::File;

const VALUES: &[&str] = &[
    "",
    "a",
    "Ada Lovelace",
    "ada@corp.example.edu",
    "+33 6 12 34 56 78",
    "İıẞß 日本語 🦀",
    "192.168.1.7",
    "https://corp.example.edu/x?y=1",
];
const NUMBERS: &[i64] = &[0, 1, -1, 16_383, 32_768, 5_000_000_000, i64::MAX, i64::MIN];
const DATES: &[&str] = &["2000-02-29", "1969-12-31", "1900-01-01", "2024-12-31"];

/// Functions of text that need no parameter and take any text.
fn of_text() -> Vec<&'static Function> {
    let text = Kind::Text { max_chars: None, ignore_case: false };
    let reads_text = ["keep", "json", "date_shift", "round", "partial", "array", "constant"];
    FUNCTIONS
        .iter()
        .copied()
        .filter(|function| (function.accepts)(&text) && !reads_text.contains(&function.name))
        .collect()
}

/// One table of both engines: a column per function of text, then numbers and dates.
struct Pair {
    create: String,
    insert: String,
    rules: String,
    columns: Vec<String>,
}

fn pair() -> Pair {
    let mut columns: Vec<(String, &str, String)> = of_text()
        .iter()
        .map(|function| (format!("c_{}", function.name), "text", function.name.to_owned()))
        .collect();
    columns.push(("seeded".into(), "text", "{ function: full_name, seed: id }".into()));
    columns.push(("french".into(), "text", "{ function: street_address, locale: fr_FR }".into()));
    columns.push(("number".into(), "bigint", "hash".into()));
    columns.push(("noisy".into(), "bigint", "noise".into()));
    columns.push(("day".into(), "date", "date_shift".into()));
    let definitions: Vec<String> =
        columns.iter().map(|(name, sort, _)| format!("{name} {sort}")).collect();
    let rules: String =
        columns.iter().map(|(name, _, rule)| format!("      {name}: {rule}\n")).collect();
    let tuples: Vec<String> = (0..VALUES.len()).map(|row| tuple(row, &columns)).collect();
    Pair {
        create: format!("CREATE TABLE pair (id integer PRIMARY KEY, {})", definitions.join(", ")),
        insert: format!("INSERT INTO pair VALUES {}", tuples.join(", ")),
        rules: format!("version: 1\ntables:\n  pair:\n    columns:\n      id: keep\n{rules}"),
        columns: columns.into_iter().map(|(name, ..)| name).collect(),
    }
}

fn tuple(row: usize, columns: &[(String, &str, String)]) -> String {
    let values = columns.iter().map(|(name, sort, _)| match *sort {
        "text" => format!("'{}'", VALUES[row]),
        // Noise of the largest numbers ends at the type's own end.
        "bigint" if name == "noisy" => (NUMBERS[row] / 4).to_string(),
        "bigint" => NUMBERS[row].to_string(),
        _ => format!("'{}'", DATES[row % DATES.len()]),
    });
    format!("({row}, {})", values.collect::<Vec<_>>().join(", "))
}

#[test]
fn the_same_value_has_the_same_fake_in_postgresql_and_sqlite() -> Result<()> {
    let pair = pair();
    ensure!(of_text().len() > 15, "{} functions of text", of_text().len());
    let rules = tempfile::NamedTempFile::new()?;
    std::fs::write(rules.path(), &pair.rules)?;

    let server = Server::shared()?;
    let database = server.database("pair")?;
    database.query_as_master(&pair.create)?;
    database.query_as_master(&pair.insert)?;
    let file = File::new(&format!("{}; {};", pair.create, pair.insert));
    for url in [database.url(), file.url()] {
        let run = finish(&mut with_rules("run", &url, rules.path())?)?;
        ensure!(run.code == Some(0), "{}", run.stderr);
    }
    let connection = file.open();
    for column in &pair.columns {
        let query = format!("SELECT {column} FROM pair ORDER BY id");
        let ours: Vec<Option<String>> = connection
            .prepare(&format!("SELECT CAST({column} AS text) FROM pair ORDER BY id"))?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let ours: Vec<String> = ours.into_iter().map(Option::unwrap_or_default).collect();
        let theirs = database.query(&query)?;
        ensure!(theirs.lines().eq(ours.iter()), "{column}:\n{theirs}\n{}", ours.join("\n"));
    }
    Ok(())
}
