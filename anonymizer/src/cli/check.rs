//! `anonymizer check`: what would be done to every column, or everything that is wrong. Writes nothing.

use clap::Args;
use contract::report::TableAction;
use serde::Serialize;

use super::print::{columns, count};
use super::run::refused;
use super::scope::ScopeArgument;
use super::{Error, Format, Target};
use crate::engine::Engine;
use crate::execute;
use crate::mask::key::Keyring;
use crate::plan::{ColumnPlan, Plan, TablePlan};
use crate::report;
use crate::rules::RuleSet;

/// The command's arguments.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) target: Target,
    #[command(flatten)]
    scope: ScopeArgument,
}

/// What would be done.
#[derive(Serialize)]
struct Decisions {
    engine: String,
    database: String,
    rules_digest: String,
    schema_fingerprint: String,
    tables: Vec<Table>,
}

#[derive(Serialize)]
struct Table {
    name: String,
    action: TableAction,
    estimated_rows: u64,
    skip_rows: Option<String>,
    delete_rows: Option<String>,
    columns: Vec<Column>,
}

#[derive(Serialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    data_type: String,
    function: String,
    class: String,
    seed: Option<String>,
}

/// Runs the command.
pub async fn check<E: Engine>(
    arguments: &Arguments,
    rules: &RuleSet,
    engine: &E,
    format: Format,
) -> Result<(), Error> {
    // The key decides no finding, so any will do.
    let scope = arguments.scope.scope();
    let ready = execute::prepare(engine, rules, &Keyring::ephemeral(), scope).await;
    let ready = ready.map_err(|refusal| refused(refusal, "check", engine))?;
    format.print(&decisions(ready.engine, engine.location(), &ready.plan), as_text)
}

fn decisions(engine: String, database: String, plan: &Plan) -> Decisions {
    Decisions {
        engine,
        database,
        rules_digest: plan.rules_digest.clone(),
        schema_fingerprint: plan.schema_fingerprint.clone(),
        tables: plan.tables.iter().map(table).collect(),
    }
}

fn table(table: &TablePlan) -> Table {
    let column = |column: &ColumnPlan| Column {
        name: column.name.clone(),
        data_type: column.data_type.clone(),
        function: column.function.clone(),
        class: report::class(column),
        seed: column.seed.map(|index| table.columns[index].name.clone()),
    };
    Table {
        name: table.name.to_string(),
        action: report::action(table.action),
        estimated_rows: table.estimated_rows,
        skip_rows: table.skip_rows.clone(),
        delete_rows: table.delete_rows.clone(),
        columns: table.columns.iter().map(column).collect(),
    }
}

fn as_text(decisions: &Decisions) -> String {
    let mut rows = Vec::new();
    for table in &decisions.tables {
        let estimate = format!("about {}", count(table.estimated_rows, "row"));
        rows.push(vec![table.name.clone(), verb(table.action).into(), estimate]);
        for (what, predicate) in
            [("skip_rows", &table.skip_rows), ("delete_rows", &table.delete_rows)]
        {
            if let Some(predicate) = predicate {
                rows.push(vec![format!("  {what}"), String::new(), predicate.clone()]);
            }
        }
        // Of a truncated table no column is left to speak of.
        if table.action != TableAction::Truncate {
            rows.extend(table.columns.iter().map(column_row));
        }
    }
    let tables = count(decisions.tables.len() as u64, "table");
    let database = &decisions.database;
    format!(
        "{}\n{database}: {tables}, every column is decided; nothing was written\n",
        columns(&rows)
    )
}

fn column_row(column: &Column) -> Vec<String> {
    let mut what = column.function.clone();
    if let Some(seed) = &column.seed {
        what.push_str(&format!(" of {seed}"));
    }
    if column.class != column.function {
        what.push_str(&format!(" ({})", column.class));
    }
    vec![format!("  {}", column.name), column.data_type.clone(), what]
}

fn verb(action: TableAction) -> &'static str {
    match action {
        TableAction::Keep => "keep",
        TableAction::Truncate => "truncate",
        TableAction::Rewrite => "rewrite",
    }
}
