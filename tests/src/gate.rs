//! Runs with rules of a test's own and answers with what the leak gate has said.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use contract::report::Gate;
use contract::statement::Statement;

use crate::command::{finish, with_rules};
use crate::postgres::Server;

/// Runs on PostgreSQL with these rules and these defences off; answers with the exit code and what the gate said.
pub fn run(name: &str, schema: &str, rules: &str, off: &str) -> Result<(Option<i32>, Gate)> {
    let database = Server::shared()?.database(name)?;
    database.query_as_master(schema)?;
    at(&database.url(), rules, off)
}

/// Runs on the database at a URL.
pub fn at(url: &str, rules: &str, off: &str) -> Result<(Option<i32>, Gate)> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(rules.as_bytes())?;
    let reports = tempfile::tempdir()?;
    let mut command = with_rules("run", url, file.path())?;
    command.args(["--yes", "--report"]).arg(reports.path()).env("ANONYMIZER_DEFENCES_OFF", off);
    let finished = finish(&mut command)?;
    let bytes = std::fs::read(reports.path().join("report.json"))
        .with_context(|| format!("no report: {finished:#?}"))?;
    Ok((finished.code, Statement::read(&bytes)?.predicate.gate))
}

/// The columns kept as they are that look like identifiers, a line each.
pub fn suspects(gate: &Gate) -> Vec<String> {
    let line = |one: &contract::report::Suspect| {
        let allowed = if one.reason.is_some() { " allowed" } else { "" };
        format!("{} {} {}/{}{allowed}", one.column, one.kind, one.matched, one.sampled)
    };
    gate.suspects.iter().map(line).collect()
}

/// The places in which originals are, a line each.
pub fn leaks(gate: &Gate) -> Vec<String> {
    gate.leaks.iter().map(|leak| format!("{} {} {}", leak.place, leak.kind, leak.count)).collect()
}
