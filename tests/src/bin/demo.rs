//! `make demo`: two accounts on this machine. Production has a shop; a week later, and another week later, development has it
//! too, and nobody in it is real.
//!
//! The story is told in `story`. The customers are made up, which is why this program may print them; the product itself never
//! prints a value that was in a database.

use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::{residue, shop};
use orchestrator::definitions::WORKFLOW;
use orchestrator::local::{Account, DEVELOPMENT, NewServer, PRODUCTION, PUBLIC_KEY, set_up};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use snapshots::local::Local;
use snapshots::{Snapshots as _, Tags};
use workflow::history::What;
use workflow::run::End;

/// How many customers the shop has.
const CUSTOMERS: i64 = 20_000;

/// What both accounts call it.
const SHOP: &str = "shop";

/// Customers of the second week: like those of the first, with addresses of their own.
const NEW_CUSTOMERS: &str = "
    INSERT INTO customers
    SELECT id + 100000, 'new.' || email, first_name, last_name,
           printf('+33 7 55 %02d %02d %02d', id / 10000 % 100, id / 100 % 100, id % 100),
           birth_date, NULL, newsletter, NULL, NULL, created_at
    FROM customers WHERE id <= 100";

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
    // Called with arguments this program is the command that has such a subcommand: the accounts run `anonymizer` and `refresh` as
    // processes of their own, as ever, and there are two programs less to build.
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("request" | "status" | "history" | "execute") => return receiver::refresh::main(),
        Some(_) => return anonymizer::cli::main(),
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
    let root = std::path::absolute("demo")?;
    if root.exists() {
        std::fs::remove_dir_all(&root).context("remove the last demo")?;
    }
    let (production, runtime) = begin(&root)?;

    // First there is a shop in production. It is the same one every time.
    let original = root.join("shop.db");
    shop::build(&original, CUSTOMERS).context("build the shop")?;
    runtime.block_on(set_up_accounts(&production, &original))?;
    say(&format!(
        "Production has a shop with {CUSTOMERS} customers who never lived, and a snapshot of it."
    ));

    // We remember what some of them looked like, and every e-mail address, phone number, account and token.
    let before = look(&original)?;
    let originals = originals(&original)?;
    std::fs::remove_file(&original)?;

    // The weekly run: production releases a masked snapshot, development brings it.
    say("\nThe first week, in production:");
    runtime.block_on(release(&production, "week-1"))?;
    say("\nand in development:");
    refresh(&root)?;

    // The same questions have other answers there, and each person is still the same in every table.
    let development = Local::open(&root, DEVELOPMENT)?;
    let first = runtime.block_on(database(&development))?;
    let after = look(Path::new(&first.endpoint))?;
    for ((person, before), after) in LOOKED_AT.iter().zip(&before).zip(&after) {
        say(&table(*person, before, after));
    }
    say(&format!(
        "\nCustomer {STAFF} is one of the shop's own people, and `skip_rows` left them: {}\n",
        staff(Path::new(&first.endpoint))?
    ));
    say("Searching every byte of development's database:");
    for (what, originals) in originals {
        let found = residue::found_in(Path::new(&first.endpoint), &originals)?.len();
        say(&format!("  {found} of {} original {what} found", originals.len()));
        ensure!(found == 0, "{what} are left in {}", first.endpoint);
    }

    // A week goes by, and the workflow runs again.
    say("\nA week later production has 100 customers more, and a new snapshot. In production:");
    runtime.block_on(a_week_later(&production))?;
    runtime.block_on(release(&production, "week-2"))?;
    say("\nand in development:");
    refresh(&root)?;
    let second = runtime.block_on(database(&development))?;
    ensure!(second.resource_id != first.resource_id, "the database was not replaced");
    let again = look(Path::new(&second.endpoint))?;
    ensure!(again == after, "the same people have other fakes now");
    let customers = count(Path::new(&second.endpoint))?;
    say(&format!(
        "\nDevelopment's database was replaced by one of {customers} customers, and those we looked at have the fakes of last week."
    ));
    let reports = root.join(PRODUCTION).join("documents/reports").join(SHOP);
    let page = reports.join("week-2/database.sqlite/report.html");
    ensure!(page.exists(), "{} is not there", page.display());
    say(&format!("  database  {}", relative(Path::new(&second.endpoint))));
    say(&format!("  evidence  {}", relative(&page)));
    say("  rules     rules/shop.yaml");
    say("Now write rules for a copy of your own database: `anonymizer run` masks it in place.");
    Ok(())
}

fn begin(root: &Path) -> Result<(Account, tokio::runtime::Runtime)> {
    let secrets = root.join(PRODUCTION).join("secrets");
    std::fs::create_dir_all(&secrets).context("make ./demo")?;
    std::fs::write(secrets.join("masking-key"), DEMO_KEY)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok((Account::new(root, &std::env::current_exe()?), runtime))
}

/// Production with its shop, and development, which has nothing yet.
async fn set_up_accounts(production: &Account, shop: &Path) -> Result<()> {
    let rules = rules();
    let server = NewServer { database: SHOP, file: shop, rules: &rules, encrypted: true };
    set_up(production, &server).await.context("set up production")?;
    let development = Local::open(&production.root, DEVELOPMENT)?;
    let key = development.key("dev", &[])?;
    let public_key = production.handover().get(PUBLIC_KEY).await?.context("no public key")?;
    let settings = json!({
        "producer": PRODUCTION,
        "region": "local",
        "share_key": production.world().await?.settings.share_key,
        "key": key,
        "public_keys": [String::from_utf8(public_key)?],
        "databases": { SHOP: {
            "name": SHOP, "engine": "sqlite", "secret": "shop/database", "grace_hours": 0,
            "checks": { "database.sqlite": { "tables": ["customers", "orders"] } },
        } },
    });
    let documents = receiver::local::Account::new(&production.root, DEVELOPMENT).documents();
    Ok(documents.put(receiver::local::SETTINGS, &serde_json::to_vec_pretty(&settings)?).await?)
}

/// Production's workflow, its steps as they are done.
async fn release(production: &Account, run: &str) -> Result<()> {
    say(&format!("$ orchestrator run --local demo --database shop --run-id {run}"));
    let begun = Instant::now();
    let show = |state: &str, what: &What| {
        if *what == What::Exited && !state.starts_with("Await") {
            say(&format!("  {:5.1} s  {state}", begun.elapsed().as_secs_f64()));
        }
    };
    let input = json!({ "database": SHOP });
    let execution = production.run(&WORKFLOW, run, input, &show).await?;
    match execution.end {
        End::Succeeded(_) => Ok(()),
        end => bail!("production's workflow ended badly: {end:?}"),
    }
}

/// Development's command, as a developer types it.
fn refresh(root: &Path) -> Result<()> {
    say("$ refresh request --local demo --wait");
    let status = Command::new(std::env::current_exe()?)
        .args(["request", "--wait", "--local"])
        .arg(root)
        // What it shows on the way belongs to the story.
        .stderr(std::io::stdout().as_fd().try_clone_to_owned()?)
        .status()
        .context("start refresh")?;
    ensure!(status.success(), "refresh ended with {status}");
    Ok(())
}

/// More customers, and a snapshot of them.
async fn a_week_later(production: &Account) -> Result<()> {
    let platform = production.snapshots()?.patient(Duration::from_secs(60));
    let shop = platform.database(SHOP).await?.context("production has no shop")?;
    let connection = Connection::open(&shop.endpoint)?;
    connection.execute_batch(NEW_CUSTOMERS)?;
    drop(connection);
    platform
        .take(&shop.resource_id, "shop-2", &Tags::from([("taken-by".into(), "demo".into())]))
        .await?;
    Ok(platform.settle()?)
}

async fn database(platform: &Local) -> Result<snapshots::Database> {
    platform.database(SHOP).await?.context("development has no shop")
}

fn staff(database: &Path) -> Result<String> {
    let staff =
        "SELECT first_name || ' ' || last_name || ', ' || email FROM customers WHERE id = ?1";
    Ok(open(database)?.query_row(staff, [STAFF], |row| row.get(0))?)
}

fn count(database: &Path) -> Result<i64> {
    Ok(open(database)?.query_row("SELECT count(*) FROM customers", [], |row| row.get(0))?)
}

/// As one types it here.
fn relative(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
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
