//! From what a run has done to `report.json`, and to its signed form. Names and counts only; it never sees a value.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use contract::report::{ColumnReport, FORMAT, Report, TableAction, TableReport};

use crate::catalog::TableName;
use crate::engine::{ColumnOutcome, RunOptions};
use crate::execute::{Done, Outcome};
use crate::mask::FUNCTION_SET;
use crate::plan::{Action, ColumnPlan, Plan, TablePlan};

/// The statement's name in the report directory.
pub const FILE_NAME: &str = "report.json";
/// The signed statement's name beside it.
pub const SIGNED_NAME: &str = "statement.dsse.json";

/// Joins what was planned and what has happened. `engine` and `database` name the database, `finished_at` is RFC 3339.
pub fn report(
    engine: &str,
    database: String,
    plan: &Plan,
    options: &RunOptions,
    outcome: &Outcome,
    finished_at: String,
) -> Report {
    let done: HashMap<&TableName, &Done> = outcome
        .tables
        .iter()
        .filter_map(|done| Some((done.outcome.table.as_ref()?, done)))
        .collect();
    let tables: Vec<TableReport> = plan
        .tables
        .iter()
        .map(|table| table_report(table, done.get(&table.name).copied()))
        .collect();
    Report {
        format: FORMAT,
        run_id: options.run_id.clone(),
        tool_version: env!("CARGO_PKG_VERSION").into(),
        function_set: FUNCTION_SET,
        engine: engine.into(),
        database,
        scope: options.scope,
        rules_digest: plan.rules_digest.clone(),
        schema_fingerprint: plan.schema_fingerprint.clone(),
        key_check: options.key_check.clone(),
        key_is_ephemeral: options.key_is_ephemeral,
        started_at: options.now.clone(),
        finished_at,
        phases: outcome.phases.clone(),
        notes: outcome
            .notes
            .iter()
            .cloned()
            .chain(tables.iter().flat_map(unchanged))
            .chain(tables.iter().filter_map(TableReport::mostly_skipped))
            .collect(),
        tables,
        checks: outcome.checks.clone(),
        gate: outcome.gate.clone(),
        verdict: outcome.verdict(),
    }
}

/// A note for each masked column that is as it was: so looks a JSON path that leads nowhere, which no plan can find.
fn unchanged(table: &TableReport) -> impl Iterator<Item = String> + '_ {
    let is_masked = |column: &&ColumnReport| column.class != "keep" && column.class != "generated";
    let as_it_was = |column: &&ColumnReport| column.changed == 0 && column.values > column.nulls;
    table.columns.iter().filter(is_masked).filter(as_it_was).map(|column| {
        format!(
            "{}.{}: `{}` has changed none of its values; see whether the rule is what you meant",
            table.name, column.name, column.function
        )
    })
}

fn table_report(table: &TablePlan, done: Option<&Done>) -> TableReport {
    let outcome = done.map(|done| &done.outcome);
    TableReport {
        name: table.name.to_string(),
        action: action(table.action),
        rows: outcome.map_or(table.estimated_rows, |outcome| outcome.rows),
        skipped_rows: outcome.map_or(0, |outcome| outcome.skipped),
        deleted_rows: outcome.map_or(0, |outcome| outcome.deleted),
        seconds: outcome.map_or(0.0, |outcome| outcome.seconds),
        resumed: done.is_some_and(|done| done.resumed),
        columns: table
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let counted = outcome.and_then(|outcome| outcome.columns.get(index));
                let spreads = outcome.map_or(&[][..], |outcome| &outcome.spreads);
                let spread = spreads.iter().find(|(column, _)| *column == index);
                let distribution = spread.map(|(_, distribution)| distribution.clone());
                ColumnReport { distribution, ..column_report(column, counted) }
            })
            .collect(),
    }
}

fn column_report(column: &ColumnPlan, outcome: Option<&ColumnOutcome>) -> ColumnReport {
    let counted = outcome.copied().unwrap_or_default();
    ColumnReport {
        name: column.name.clone(),
        data_type: column.data_type.clone(),
        function: column.function.clone(),
        class: class(column),
        values: counted.values,
        nulls: counted.nulls,
        changed: counted.changed,
        identifies: column.identifies.map(|kind| kind.name().to_owned()),
        distribution: None,
    }
}

/// The class of a column's function as reports and `check` name it.
pub fn class(column: &ColumnPlan) -> String {
    column.class.map_or_else(|| "generated".into(), |class| class.to_string())
}

/// The action as reports and `check` name it.
pub fn action(action: Action) -> TableAction {
    match action {
        Action::Keep => TableAction::Keep,
        Action::Truncate => TableAction::Truncate,
        Action::Rewrite => TableAction::Rewrite,
    }
}

/// Makes the directory and proves that a file can be written there, so that a run does not find out at its end.
pub fn prepare_directory(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    tempfile::NamedTempFile::new_in(directory)?.close()
}

/// A file of the report that is on the disk and has no name yet: a reader sees the whole of it or nothing.
pub struct Staged {
    file: tempfile::NamedTempFile,
    path: PathBuf,
}

/// Writes a file of the report under a passing name.
pub fn stage(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<Staged> {
    let mut file = temporary(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(Staged { file, path: directory.join(name) })
}

/// Writes a file of the report as a whole or not at all.
pub fn write(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let staged = stage(directory, name, bytes)?;
    let path = staged.path.clone();
    staged.show().map(|()| path)
}

impl Staged {
    /// Where it will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        fs::read(self.file.path())
    }

    /// Gives it its name.
    pub fn show(self) -> io::Result<()> {
        self.file.persist(&self.path).map_err(|error| error.error)?;
        // The new name itself reaches the disk with the directory.
        let directory = self.path.parent().unwrap_or(Path::new("."));
        File::open(directory)?.sync_all()
    }
}

/// Readable to whom the umask lets: the report holds nothing secret, and another user's process may collect it.
fn temporary(directory: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(directory)
}
