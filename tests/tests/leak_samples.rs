//! The leak gate on well-known sample databases: it finds nothing where the rules are complete, and where they forget one
//! identifying column it names that column and no other.
//!
//! `ANONYMIZER_SAMPLEDB` names the folder that holds them; without it these tests are skipped.

use anyhow::{Context as _, Result, ensure};
use contract::exit_codes::{OK, VERIFY_FAILED};
use contract::report::{Gate, Report, Verdict};
use contract::statement::Statement;
use e2e::command::{Finished, finish, scenario, with_rules};
use e2e::postgres::{Database, Server};
use e2e::samples::{self, Sample};

/// What makes the gate name a column that the rules forget.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Named {
    /// Values that are originals of another column.
    Leak,
    /// Values that look like identifiers.
    Suspect,
}
use Named::{Leak, Suspect};

fn run(database: &Database<'_>, rules: &str) -> Result<(Finished, Report)> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("rules.yaml");
    std::fs::write(&file, rules)?;
    let out = directory.path().join("out");
    let mut command = with_rules("run", &database.url(), &file)?;
    let finished = finish(command.args(["--yes", "--jobs", "2", "--report"]).arg(&out))?;
    let report = std::fs::read(out.join("report.json")).with_context(|| finished.stderr.clone())?;
    Ok((finished, Statement::read(&report)?.predicate))
}

/// The rules with one column kept. `column` is `table.column`, `kind` the kind of identifier that the gate gives it.
fn forgetting(rules: &str, column: &str) -> Result<String> {
    let (table, column) = column.split_once('.').context("table.column")?;
    let mut inside = false;
    let mut forgotten = 0;
    let mut line = |line: &str| {
        if let Some(name) = line.strip_prefix("  ").filter(|name| !name.starts_with(' ')) {
            inside = name.starts_with(&format!("{table}:"));
        }
        if inside && line.trim_start().starts_with(&format!("{column}:")) {
            forgotten += 1;
            return format!("      {column}: keep\n");
        }
        format!("{line}\n")
    };
    let text = rules.lines().map(&mut line).collect();
    ensure!(forgotten == 1, "{table}.{column} is in the rules {forgotten} times");
    Ok(text)
}

/// Each column that the gate names and the rules do not allow, in order, and how.
fn named(gate: &Gate) -> Vec<(String, Named, String)> {
    let leaks = gate.leaks.iter().map(|leak| (leak.place.clone(), Leak, leak.kind.clone()));
    let suspects = gate.suspects.iter().filter(|suspect| suspect.reason.is_none());
    leaks.chain(suspects.map(|one| (one.column.clone(), Suspect, one.kind.clone()))).collect()
}

/// `forgotten` are columns, with what the gate says of each where the rules keep it.
fn hold(test: &str, sample: &Sample, forgotten: &[(&str, &[(Named, &str)])]) -> Result<()> {
    let server = Server::shared()?;
    let Some(original) = sample.load(server, test)? else { return Ok(()) };
    let rules = std::fs::read_to_string(scenario(sample.rules))?;

    let (finished, report) = run(&server.copy(&original, "complete")?, &rules)?;
    let gate = &report.gate;
    ensure!(named(gate).is_empty(), "false alarms: {:#?}", named(gate));
    ensure!(finished.code == Some(OK.into()) && report.verdict == Verdict::Passed, "{finished:#?}");
    ensure!(gate.passed && gate.originals > 0 && gate.values > 0, "nothing was looked for");

    for (column, said) in forgotten {
        let database = server.copy(&original, "forgetful")?;
        let (finished, report) = run(&database, &forgetting(&rules, column)?)?;
        let found = named(&report.gate);
        let place = format!("public.{column}");
        let right: Vec<_> =
            said.iter().map(|(how, kind)| (place.clone(), *how, (*kind).to_owned())).collect();
        ensure!(found == right, "{column} is forgotten: {found:#?}");
        ensure!(finished.code == Some(VERIFY_FAILED.into()), "{finished:#?}");
        ensure!(
            report.verdict == Verdict::Failed && finished.stderr.contains(&place),
            "{finished:#?}"
        );
    }
    Ok(())
}

const STREET: &[(Named, &str)] = &[(Leak, "street_address"), (Suspect, "street_address")];

#[test]
fn northwind() -> Result<()> {
    let forgotten: &[(&str, &[(Named, &str)])] = &[
        // Some customers have one number for both, and most are spelled as order numbers are.
        ("customers.phone", &[(Leak, "phone")]),
        ("employees.home_phone", &[(Suspect, "phone")]),
        ("customers.address", STREET),
        ("orders.ship_address", STREET),
    ];
    hold("northwind", &samples::NORTHWIND, forgotten)
}

#[test]
fn chinook() -> Result<()> {
    let forgotten: &[(&str, &[(Named, &str)])] = &[
        // Some addresses are made of the customer's names.
        ("customer.email", &[(Leak, "full_name"), (Suspect, "email")]),
        ("employee.email", &[(Suspect, "email")]),
        // Some customers have one number for telephone and fax.
        ("customer.phone", &[(Leak, "phone"), (Suspect, "phone")]),
        ("customer.address", STREET),
        ("invoice.billing_address", STREET),
    ];
    hold("chinook", &samples::CHINOOK, forgotten)
}

#[test]
fn sakila() -> Result<()> {
    let named: &[(Named, &str)] = &[(Leak, "full_name"), (Suspect, "email")];
    hold("sakila", &samples::SAKILA, &[("customer.email", named), ("staff.email", named)])
}
