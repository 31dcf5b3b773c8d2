//! Masks a copy of a database with the command and compares the two.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use contract::report::{ColumnReport, Report, TableReport};
use contract::statement::Statement;

use crate::command::{Finished, finish, with_rules};
use crate::postgres::{Database, Server};
use crate::rows::{self, Summary};

/// A database and its masked copy.
pub struct Masked<'a> {
    /// As it was.
    pub original: Database<'a>,
    /// As it is.
    pub masked: Database<'a>,
    /// What the command said.
    pub finished: Finished,
    /// What the command reported.
    pub report: Report,
}

impl<'a> Masked<'a> {
    /// Masks a copy of `original`; an error where the command does not end well.
    pub fn copy_of(server: &'a Server, original: Database<'a>, rules: &Path) -> Result<Self> {
        let masked = server.copy(&original, "masked")?;
        let directory = tempfile::tempdir()?;
        let mut command = with_rules("run", &masked.url(), rules)?;
        let command = command.args(["--yes", "--jobs", "2", "--report"]).arg(directory.path());
        let finished = finish(command)?;
        let last: Vec<_> = finished.stderr.lines().rev().take(20).collect();
        let last: Vec<_> = last.into_iter().rev().collect();
        ensure!(
            finished.code == Some(0),
            "anonymizer run: exit code {:?}\n{}",
            finished.code,
            last.join("\n")
        );
        let report = std::fs::read(directory.path().join("report.json"))?;
        Ok(Self { original, masked, finished, report: Statement::read(&report)?.predicate })
    }

    /// The report on a table.
    pub fn reported(&self, table: &str) -> Result<&TableReport> {
        let found = self.report.tables.iter().find(|found| found.name == table);
        found.with_context(|| format!("{table} is not in the report"))
    }

    /// Compares column by column: as many rows, kept values the same, NULLs where they were, masked values changed. Of the
    /// original only rows under the conditions count, each `schema.table` and what is true of the rows that stay.
    pub fn compare_columns(&self, staying: &[(&str, &str)]) -> Result<()> {
        let before = rows::columns(&self.original, staying)?;
        let after = rows::columns(&self.masked, &[])?;
        ensure!(before.keys().eq(after.keys()), "there are other columns than before");
        for ((key, after), before) in after.iter().zip(before.values()) {
            let (table, column) = key;
            let reported = self.reported(table)?.columns.iter().find(|found| found.name == *column);
            let reported = reported.with_context(|| format!("{table}.{column} is not reported"))?;
            compare(reported, before, after).with_context(|| format!("{table}.{column}"))?;
        }
        Ok(())
    }
}

fn compare(reported: &ColumnReport, before: &Summary, after: &Summary) -> Result<()> {
    ensure!(before.rows == after.rows, "{} rows, before {}", after.rows, before.rows);
    match reported.function.as_str() {
        "keep" => ensure!(before == after, "a kept column has changed"),
        "nullify" => ensure!(after.nulls == after.rows, "not every value is NULL"),
        function => {
            let any = before.rows > before.nulls;
            ensure!(before.nulls == after.nulls, "{} NULLs, before {}", after.nulls, before.nulls);
            ensure!(!any || before.digest != after.digest, "`{function}` has changed nothing");
        }
    }
    Ok(())
}

/// Fails with the lines that differ, not with two whole texts.
pub fn same_lines(what: &str, before: &str, after: &str) -> Result<()> {
    let lost = before.lines().filter(|line| !after.lines().any(|other| other == *line));
    let new = after.lines().filter(|line| !before.lines().any(|other| other == *line));
    let lost: Vec<_> = lost.map(|line| format!("- {line}")).collect();
    let new: Vec<_> = new.map(|line| format!("+ {line}")).collect();
    ensure!(before == after, "{what} changed:\n{}\n{}", lost.join("\n"), new.join("\n"));
    Ok(())
}
