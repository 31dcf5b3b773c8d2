//! `make demo`: a shop is built, masked, and looked at, before and after.
//!
//! The story is told in `main`. The customers are made up, which is why this program may print them; `anonymizer` itself never
//! prints a value that was in a database.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use e2e::{residue, shop};
use rusqlite::{Connection, OpenFlags};

/// How many customers the shop has.
const CUSTOMERS: i64 = 20_000;

/// Anybody may know this key: it masks made-up people. Make your own with `openssl rand -hex 32`.
const DEMO_KEY: &str = "64656d6f64656d6f64656d6f64656d6f64656d6f64656d6f64656d6f64656d6f";

/// The people we look at, by number: a French and a German one.
const LOOKED_AT: [i64; 2] = [4, 23];

/// What we look at of each of them. Five tables know the same person.
const QUESTIONS: [(&str, &str); 11] = [
    ("customers.email", "SELECT email FROM customers WHERE id = ?1"),
    ("customers.first_name", "SELECT first_name FROM customers WHERE id = ?1"),
    ("customers.last_name", "SELECT last_name FROM customers WHERE id = ?1"),
    ("customers.phone", "SELECT phone FROM customers WHERE id = ?1"),
    ("customers.birth_date", "SELECT birth_date FROM customers WHERE id = ?1"),
    (
        "customers.profile: e-mail",
        "SELECT profile ->> '$.contact.email' FROM customers WHERE id = ?1",
    ),
    ("addresses.street", "SELECT street FROM addresses WHERE customer_id = ?1"),
    ("addresses.city", "SELECT postal_code || ' ' || city FROM addresses WHERE customer_id = ?1"),
    ("orders.ship_name", "SELECT max(ship_name) FROM orders WHERE customer_id = ?1"),
    ("reviews.author", "SELECT max(author) FROM reviews WHERE customer_id = ?1"),
    ("payment_tokens.iban", "SELECT iban FROM payment_tokens WHERE customer_id = ?1"),
];

/// One of the shop's own people, whom the rules leave as they are.
const STAFF: i64 = 400;

/// What must not be left anywhere in the file. The staff's rows stay, and so are not asked for.
const ORIGINALS: [(&str, &str); 4] = [
    ("e-mail addresses", "SELECT email FROM customers WHERE email NOT LIKE '%@shop.test'"),
    ("phone numbers", "SELECT phone FROM customers WHERE email NOT LIKE '%@shop.test'"),
    ("account numbers", "SELECT iban FROM payment_tokens"),
    ("payment tokens", "SELECT token FROM payment_tokens"),
];

fn main() -> ExitCode {
    // Called with arguments this program is the `anonymizer` command: the demo runs it as you would, as a process of its own,
    // and there is one program less to build.
    if std::env::args_os().len() > 1 {
        return anonymizer::cli::main();
    }
    match story() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("failed to show the demo: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn story() -> Result<()> {
    let directory = Path::new("demo");
    std::fs::create_dir_all(directory).context("make ./demo")?;
    let database = directory.join("shop.db");
    let report = directory.join("report");

    // First there is a shop. It is the same one every time.
    say(&format!(
        "Building a shop with {CUSTOMERS} customers who never lived: {}",
        database.display()
    ));
    shop::build(&database, CUSTOMERS).context("build the shop")?;

    // We remember what some of them looked like, and every e-mail address, phone number, account and token.
    let before = look(&database)?;
    let originals = originals(&database)?;

    // Then one command masks it in place.
    say("");
    mask(&database, &report)?;

    // The same questions have other answers now, and each person is still the same in every table.
    let after = look(&database)?;
    for ((person, before), after) in LOOKED_AT.iter().zip(&before).zip(&after) {
        say(&table(*person, before, after));
    }

    let staff =
        "SELECT first_name || ' ' || last_name || ', ' || email FROM customers WHERE id = ?1";
    let staff: String = open(&database)?.query_row(staff, [STAFF], |row| row.get(0))?;
    say(&format!(
        "\nCustomer {STAFF} is one of the shop's own people, and `skip_rows` left them: {staff}\n"
    ));

    // Nothing of the originals is left: not in rows, not in indexes, not in the pages between them.
    say("Searching every byte of the masked file:");
    for (what, originals) in originals {
        let found = residue::found_in(&database, &originals)?.len();
        say(&format!("  {found} of {} original {what} found", originals.len()));
        ensure!(found == 0, "{what} are left in {}", database.display());
    }

    say("\nThe database works as before: foreign keys hold, indexes and the search are there.");
    say(&format!("  database  {}", database.display()));
    say(&format!("  report    {}", report.join("report.html").display()));
    say("  rules     rules/shop.yaml");
    say("Now write rules for a copy of your own database, and run the command above on it.");
    Ok(())
}

/// Runs `anonymizer run` on the shop and shows the command.
fn mask(database: &Path, report: &Path) -> Result<()> {
    let started = Instant::now();
    let arguments = [
        "run".to_owned(),
        "--database-url".to_owned(),
        format!("sqlite:{}", database.display()),
        "--rules".to_owned(),
        rules().display().to_string(),
        "--report".to_owned(),
        report.display().to_string(),
        "--yes".to_owned(),
    ];
    say(&format!("$ ANONYMIZER_KEY={}… anonymizer {}", &DEMO_KEY[..8], arguments.join(" ")));
    let status = Command::new(std::env::current_exe()?)
        .args(arguments)
        .env("ANONYMIZER_KEY", DEMO_KEY)
        .env_remove("DATABASE_URL")
        .status()
        .context("start anonymizer")?;
    ensure!(status.success(), "anonymizer ended with {status}");
    say(&format!("Masked in {:.1} seconds.", started.elapsed().as_secs_f64()));
    Ok(())
}

/// The rules, seen from where the demo is started if they are there.
fn rules() -> PathBuf {
    let here = PathBuf::from("rules/shop.yaml");
    if here.exists() {
        here
    } else {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/shop.yaml")
    }
}

/// The answers to [`QUESTIONS`] for each of [`LOOKED_AT`].
fn look(database: &Path) -> Result<Vec<Vec<String>>> {
    let connection = open(database)?;
    let answer = |question: &str, person: i64| -> Result<String> {
        let answer =
            connection.query_row(question, [person], |row| row.get::<_, Option<String>>(0))?;
        Ok(answer.unwrap_or_else(|| "–".to_owned()))
    };
    LOOKED_AT
        .iter()
        .map(|person| QUESTIONS.iter().map(|(_, question)| answer(question, *person)).collect())
        .collect()
}

fn originals(database: &Path) -> Result<Vec<(&'static str, Vec<String>)>> {
    let connection = open(database)?;
    let all = |query: &str| -> Result<Vec<String>> {
        let mut statement = connection.prepare(query)?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    };
    ORIGINALS.iter().map(|(what, query)| Ok((*what, all(query)?))).collect()
}

fn open(database: &Path) -> Result<Connection> {
    Ok(Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

/// One person, before and after, side by side.
fn table(person: i64, before: &[String], after: &[String]) -> String {
    let heading = format!("customer {person}");
    let heading = [heading, "before".to_owned(), "after".to_owned()];
    let rows =
        QUESTIONS.iter().zip(before.iter().zip(after)).map(|((column, _), (before, after))| {
            [(*column).to_owned(), before.clone(), after.clone()]
        });
    let lines: Vec<[String; 3]> = std::iter::once(heading).chain(rows).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let (first, second) = (width(0).unwrap_or(0), width(1).unwrap_or(0));
    let mut text = String::from("\n");
    for (at, [column, before, after]) in lines.iter().enumerate() {
        text.push_str(&format!("  {column:first$}  {before:second$}  {after}\n"));
        if at == 0 {
            let third = width(2).unwrap_or(0);
            text.push_str(&format!("  {:─<first$}  {:─<second$}  {:─<third$}\n", "", "", ""));
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// The demo speaks on standard output; it is the one thing here that does.
#[allow(clippy::print_stdout)]
fn say(line: &str) {
    println!("{line}");
}
