//! Well-known sample databases, masked: no original in a dump, and every view shows as many rows as before.
//!
//! `ANONYMIZER_SAMPLEDB` names the folder that holds them; without it these tests are skipped.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use e2e::command::scenario;
use e2e::masked::{Masked, same_lines};
use e2e::postgres::{Database, Server};
use e2e::residue::found_in;
use e2e::samples;

/// What the tests ask of one database.
struct Sample<'a> {
    rules: &'a str,
    /// Texts that may be nowhere in a dump: queries of one column.
    originals: &'a [&'a str],
    /// Names, row by row: queries of a key and the names.
    names: &'a [&'a str],
}

fn hold(server: &Server, original: Database<'_>, sample: &Sample<'_>) -> Result<()> {
    original.query("ANALYZE")?;
    let masked = Masked::copy_of(server, original, &scenario(sample.rules))?;
    same_lines("schema", &masked.original.schema()?, &masked.masked.schema()?)?;
    masked.compare_columns(&[])?;
    same_lines("views", &view_counts(&masked.original)?, &view_counts(&masked.masked)?)?;
    nothing_left(&masked, sample)?;
    other_names(&masked, sample)
}

/// Each view with its number of rows.
fn view_counts(database: &Database<'_>) -> Result<String> {
    let views = database.query(
        "SELECT quote_ident(viewname) FROM pg_views WHERE schemaname = 'public' ORDER BY viewname",
    )?;
    let mut counts = String::new();
    for view in views.lines() {
        counts += &format!("{view}: {}", database.query(&format!("SELECT count(*) FROM {view}"))?);
    }
    Ok(counts)
}

fn nothing_left(masked: &Masked<'_>, sample: &Sample<'_>) -> Result<()> {
    let mut originals = BTreeSet::new();
    for query in sample.originals {
        // As COPY writes it.
        let found = masked.original.query(query)?.replace('\\', r"\\");
        let found: Vec<_> = found.lines().filter(|text| text.len() >= 5).collect();
        ensure!(found.len() > 1, "{query}: there is nothing to look for");
        originals.extend(found.into_iter().map(str::to_owned));
    }
    let originals: Vec<String> = originals.into_iter().collect();
    let dump = tempfile::NamedTempFile::new()?;
    std::fs::write(dump.path(), masked.original.data()?)?;
    ensure!(found_in(dump.path(), &originals)? == originals, "a dump holds every original");
    std::fs::write(dump.path(), masked.masked.data()?)?;
    let left = found_in(dump.path(), &originals)?;
    ensure!(left.is_empty(), "still in the dump: {left:?}");
    Ok(())
}

/// A fake name may be another person's real one, but nobody's own.
fn other_names(masked: &Masked<'_>, sample: &Sample<'_>) -> Result<()> {
    for query in sample.names {
        let before = masked.original.query(query)?;
        let after = masked.masked.query(query)?;
        let before: BTreeSet<&str> = before.lines().collect();
        let same: Vec<_> = after.lines().filter(|line| before.contains(line)).collect();
        ensure!(same.is_empty() && !before.is_empty(), "{query}: {same:?}");
    }
    Ok(())
}

#[test]
fn northwind() -> Result<()> {
    let server = Server::shared()?;
    let Some(original) = samples::NORTHWIND.load(server, "northwind")? else { return Ok(()) };
    let sample = Sample {
        rules: samples::NORTHWIND.rules,
        originals: &[
            "SELECT contact_name FROM customers UNION SELECT contact_name FROM suppliers",
            "SELECT address FROM customers UNION SELECT address FROM suppliers UNION SELECT address FROM employees",
            "SELECT ship_address FROM orders",
            "SELECT phone FROM customers UNION SELECT fax FROM customers",
            "SELECT phone FROM suppliers UNION SELECT fax FROM suppliers UNION SELECT phone FROM shippers",
            "SELECT home_phone FROM employees",
            "SELECT company_name FROM customers UNION SELECT ship_name FROM orders",
        ],
        names: &["SELECT employee_id, first_name, last_name FROM employees"],
    };
    hold(server, original, &sample)
}

#[test]
fn chinook() -> Result<()> {
    let server = Server::shared()?;
    let Some(original) = samples::CHINOOK.load(server, "chinook")? else { return Ok(()) };
    let sample = Sample {
        rules: samples::CHINOOK.rules,
        originals: &[
            "SELECT email FROM customer UNION SELECT email FROM employee",
            "SELECT phone FROM customer UNION SELECT fax FROM customer",
            "SELECT phone FROM employee UNION SELECT fax FROM employee",
            "SELECT address FROM customer UNION SELECT address FROM employee UNION SELECT billing_address FROM invoice",
        ],
        names: &[
            "SELECT customer_id, first_name, last_name FROM customer",
            "SELECT employee_id, first_name, last_name FROM employee",
        ],
    };
    hold(server, original, &sample)
}

#[test]
fn sakila() -> Result<()> {
    let server = Server::shared()?;
    let Some(original) = samples::SAKILA.load(server, "sakila")? else { return Ok(()) };
    let sample = Sample {
        rules: samples::SAKILA.rules,
        originals: &[
            "SELECT email FROM customer UNION SELECT email FROM staff",
            "SELECT address FROM address",
            "SELECT password FROM staff UNION SELECT description FROM film",
        ],
        names: &[
            "SELECT customer_id, first_name, last_name FROM customer",
            "SELECT staff_id, first_name, last_name FROM staff",
        ],
    };
    hold(server, original, &sample)
}
