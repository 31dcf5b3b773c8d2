//! The shop in production, on either engine: what it is made of, what is asked of it, and what may not be left of it.
//!
//! Its customers are made up, which is why this program may print them; the product itself never prints a value that was in a
//! database.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use e2e::servers::ask;
use e2e::{residue, shop};
use rusqlite::{Connection, OpenFlags};
use snapshots::Database;

/// How many customers the shop has.
pub const CUSTOMERS: i64 = 20_000;

/// What both accounts call it.
pub const SHOP: &str = "shop";

/// The people we look at, by number: a French and a German one.
pub const LOOKED_AT: [i64; 2] = [4, 23];

/// One of the shop's own people, whom the rules leave as they are.
pub const STAFF: i64 = 400;

/// Where the shop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// In a file.
    Sqlite,
    /// In a server of its own in each account.
    Postgres,
}

/// The shop on one engine.
pub struct Shop {
    engine: Engine,
    /// What the engine is called in settings.
    pub engine_name: &'static str,
    /// What the shop's database is called on its server.
    pub database: &'static str,
    /// What we look at of each of [`LOOKED_AT`]: a name, and a query for the customer `?1`. Five tables know the same person.
    pub questions: Vec<(&'static str, String)>,
}

/// Customers of the second week: like those of the first, with addresses of their own.
const NEW_CUSTOMERS: &str = "
    INSERT INTO customers
    SELECT id + 100000, 'new.' || email, first_name, last_name,
           '+33 7 55 ' || (10 + id / 10000 % 90) || ' ' || (10 + id / 100 % 90) || ' ' || (10 + id % 90),
           birth_date, NULL, newsletter, NULL, NULL, created_at
    FROM customers WHERE id <= 100";

const QUESTIONS: [(&str, &str); 11] = [
    ("customers.email", "SELECT email FROM customers WHERE id = ?1"),
    ("customers.first_name", "SELECT first_name FROM customers WHERE id = ?1"),
    ("customers.last_name", "SELECT last_name FROM customers WHERE id = ?1"),
    ("customers.phone", "SELECT phone FROM customers WHERE id = ?1"),
    ("customers.birth_date", "SELECT birth_date FROM customers WHERE id = ?1"),
    ("customers.profile: e-mail", "SELECT {contact e-mail} FROM customers WHERE id = ?1"),
    ("addresses.street", "SELECT street FROM addresses WHERE customer_id = ?1"),
    ("addresses.city", "SELECT postal_code || ' ' || city FROM addresses WHERE customer_id = ?1"),
    ("orders.ship_name", "SELECT max(ship_name) FROM orders WHERE customer_id = ?1"),
    ("reviews.author", "SELECT max(author) FROM reviews WHERE customer_id = ?1"),
    ("payment_tokens.iban", "SELECT iban FROM payment_tokens WHERE customer_id = ?1"),
];

/// What must not be left anywhere. The staff's rows stay, and so are not asked for.
const ORIGINALS: [(&str, &str); 4] = [
    ("e-mail addresses", "SELECT email FROM customers WHERE email NOT LIKE '%@shop.test'"),
    ("phone numbers", "SELECT phone FROM customers WHERE email NOT LIKE '%@shop.test'"),
    ("account numbers", "SELECT iban FROM payment_tokens"),
    ("payment tokens", "SELECT token FROM payment_tokens"),
];

impl Shop {
    /// The shop on that engine.
    pub fn on(engine: Engine) -> Self {
        let (engine_name, database, mail) = match engine {
            Engine::Sqlite => ("sqlite", "database.sqlite", "profile ->> '$.contact.email'"),
            Engine::Postgres => ("postgres", "shop", "profile #>> '{contact,email}'"),
        };
        let questions =
            QUESTIONS.map(|(name, query)| (name, query.replace("{contact e-mail}", mail)));
        Self { engine, engine_name, database, questions: questions.into() }
    }

    /// Builds it, the same every time: the file, or the directory with the script, that an account is set up with.
    pub fn build(&self, below: &Path) -> Result<PathBuf> {
        let file = below.join("shop.db");
        shop::build(&file, CUSTOMERS).context("build the shop")?;
        if self.engine == Engine::Sqlite {
            return Ok(file);
        }
        let scripts = below.join("scripts");
        std::fs::create_dir(&scripts)?;
        shop::script(&file, &scripts.join("shop.sql")).context("write the shop's script")?;
        std::fs::remove_file(&file)?;
        Ok(scripts)
    }

    /// Its rules, the same on either engine: a file, or a directory with one for each database of the server.
    pub fn rules(&self, below: &Path) -> Result<PathBuf> {
        let rules = rules();
        if self.engine == Engine::Sqlite {
            return Ok(rules);
        }
        let directory = below.join("rules");
        std::fs::create_dir(&directory)?;
        std::fs::copy(&rules, directory.join("shop.yaml")).context("copy the rules")?;
        Ok(directory)
    }

    /// The answers to a query: the first column of each row, NULL as a dash.
    pub fn ask(&self, database: &Database, query: &str) -> Result<Vec<String>> {
        match self.engine {
            Engine::Sqlite => {
                let file = Path::new(&database.endpoint);
                let file = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                let mut statement = file.prepare(query)?;
                let text = |row: &rusqlite::Row<'_>| row.get::<_, Option<String>>(0);
                let rows = statement.query_map([], text)?;
                let rows = rows.map(|text| Ok(text?.unwrap_or_else(|| "–".to_owned())));
                rows.collect()
            }
            Engine::Postgres => {
                let query = format!("SELECT coalesce(a::text, '–') FROM ({query}) answers(a)");
                let lines = ask(&self.url(database)?, &query)?;
                Ok(lines.lines().map(str::to_owned).collect())
            }
        }
    }

    /// The answers to [`Self::questions`] for each of [`LOOKED_AT`].
    pub fn look(&self, database: &Database) -> Result<Vec<Vec<String>>> {
        let answer = |query: &str, person: i64| -> Result<String> {
            let answers = self.ask(database, &query.replace("?1", &person.to_string()))?;
            answers.into_iter().next().context("nobody has that number")
        };
        let person =
            |person: &i64| self.questions.iter().map(|(_, query)| answer(query, *person)).collect();
        LOOKED_AT.iter().map(person).collect()
    }

    /// Every e-mail address, telephone number, account and token.
    pub fn originals(&self, database: &Database) -> Result<Vec<(&'static str, Vec<String>)>> {
        ORIGINALS.iter().map(|(what, query)| Ok((*what, self.ask(database, query)?))).collect()
    }

    /// How many of the texts are in any byte of any file below a directory.
    pub fn found(&self, below: &Path, originals: &[String]) -> Result<usize> {
        let files = residue::found_below(below, originals)?;
        let mut found: Vec<String> = files.into_iter().flat_map(|(_, found)| found).collect();
        found.sort();
        found.dedup();
        Ok(found.len())
    }

    /// What there is of it when nothing runs: the file, or the directory of the stopped server.
    pub fn place(&self, database: &Database, data: &Path) -> PathBuf {
        match self.engine {
            Engine::Sqlite => PathBuf::from(&database.endpoint),
            Engine::Postgres => data.to_owned(),
        }
    }

    /// More customers.
    pub fn grow(&self, database: &Database) -> Result<()> {
        match self.engine {
            Engine::Sqlite => {
                Connection::open(&database.endpoint)?.execute_batch(NEW_CUSTOMERS)?;
            }
            Engine::Postgres => drop(ask(&self.url(database)?, NEW_CUSTOMERS)?),
        }
        Ok(())
    }

    /// Where its master user logs in.
    fn url(&self, database: &Database) -> Result<String> {
        let secret = database.secret.as_ref().context("the server has no password")?;
        let url = std::fs::read_to_string(&secret.arn).context("read the server's password")?;
        match url.trim().rsplit_once('/') {
            Some((server, _)) => Ok(format!("{server}/{}", self.database)),
            None => bail!("the server's URL cannot be read"),
        }
    }
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
