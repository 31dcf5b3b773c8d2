//! `anonymizer preview`: a few masked rows of each table. Writes nothing and never shows an original: where a column is
//! kept it says so instead.

use clap::Args;
use serde::Serialize;

use super::print::columns;
use super::run::refused;
use super::{Error, Format, KeyArguments, Target};
use crate::engine::{Engine, Sample, Scope};
use crate::execute;
use crate::plan::Plan;
use crate::rules::RuleSet;

/// The command's arguments.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) target: Target,
    #[command(flatten)]
    key: KeyArguments,
    /// Rows of each table.
    #[arg(long, value_name = "N", default_value_t = 5)]
    rows: usize,
}

#[derive(Serialize)]
struct Preview {
    database: String,
    tables: Vec<Table>,
}

#[derive(Serialize)]
struct Table {
    name: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Option<String>>>,
    readable: bool,
}

#[derive(Serialize)]
struct Column {
    name: String,
    function: String,
}

/// Runs the command.
pub async fn preview<E: Engine>(
    arguments: &Arguments,
    rules: &RuleSet,
    engine: &E,
    format: Format,
) -> Result<(), Error> {
    let keyring = arguments.key.keyring(rules).await?;
    let ready = execute::prepare(engine, rules, &keyring, Scope::Database).await;
    let ready = ready.map_err(|refusal| refused(refusal, "preview", engine))?;
    let samples = engine.preview(&ready.plan, arguments.rows).await;
    let samples = samples
        .map_err(|source| Error::engine(format!("preview {}", engine.location()), source))?;
    let tables = samples.into_iter().map(|sample| table(sample, &ready.plan)).collect();
    format.print(&Preview { database: engine.location(), tables }, as_text)
}

/// What stands for a value that is masked in part, such as a document: the rest of it is as it was.
const IN_PART: &str = "(masked in part)";

fn table(mut sample: Sample, plan: &Plan) -> Table {
    let plan = plan.tables.iter().find(|table| table.name == sample.table);
    for (at, column) in plan.into_iter().flat_map(|table| table.columns.iter().enumerate()) {
        if column.mask.as_ref().is_some_and(|mask| mask.leaves_parts()) {
            let cells = sample.rows.iter_mut().filter_map(|row| row[at].as_mut());
            cells.for_each(|cell| *cell = IN_PART.to_owned());
        }
    }
    let columns = sample.columns.into_iter().map(|(name, function)| Column { name, function });
    Table {
        name: sample.table.to_string(),
        columns: columns.collect(),
        rows: sample.rows,
        readable: sample.readable,
    }
}

fn as_text(preview: &Preview) -> String {
    let mut text = String::new();
    for table in &preview.tables {
        let header = table.columns.iter().map(|column| column.name.clone());
        let functions = table.columns.iter().map(|column| format!("({})", column.function));
        let mut rows = vec![header.collect(), functions.collect()];
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "NULL".into());
        rows.extend(table.rows.iter().map(|row| row.iter().map(shown).collect::<Vec<_>>()));
        text.push_str(&format!("{}\n{}\n", table.name, columns(&rows)));
        if !table.readable {
            text.push_str("(not shown: only a run takes the rights to read it)\n\n");
        }
    }
    text.push_str(&format!("{}: nothing was written\n", preview.database));
    text
}
