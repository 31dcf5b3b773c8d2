//! A few masked rows per table, read from the original and written nowhere.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::codec::decode;
use super::error::during;
use super::sql::{self, quoted, quoted_list};
use crate::engine::{EngineError, Sample, render};
use crate::mask::Cell;
use crate::plan::{Action, ColumnPlan, Plan, TablePlan};

/// Samples of every table that will be rewritten.
pub(super) fn preview(
    connection: &Connection,
    plan: &Plan,
    rows: usize,
) -> Result<Vec<Sample>, EngineError> {
    let rewritten = |table: &&TablePlan| table.action == Action::Rewrite;
    plan.tables.iter().filter(rewritten).map(|table| sample(connection, table, rows)).collect()
}

fn sample(connection: &Connection, plan: &TablePlan, rows: usize) -> Result<Sample, EngineError> {
    let failed = || during(format!("read {}", plan.name));
    let mut statement = connection.prepare(&select(plan, rows)).map_err(failed())?;
    let mut read = statement.query([]).map_err(failed())?;
    let mut masked = Vec::new();
    while let Some(row) = read.next().map_err(failed())? {
        let cells = plan.columns.iter().enumerate();
        masked
            .push(cells.map(|(at, column)| cell(plan, row, at, column)).collect::<Result<_, _>>()?);
    }
    let columns = plan.columns.iter().map(|c| (c.name.clone(), c.function.clone())).collect();
    Ok(Sample { table: plan.name.clone(), columns, rows: masked, readable: true })
}

/// Rows that will be masked: those that stay as they are would show originals, and those that go show nothing.
fn select(plan: &TablePlan, rows: usize) -> String {
    let columns = quoted_list(plan.columns.iter().map(|column| column.name.as_str()));
    let left_out: Vec<String> = [&plan.skip_rows, &plan.delete_rows]
        .into_iter()
        .flatten()
        .map(|rows| format!("NOT {}", sql::predicate(rows)))
        .chain(["TRUE".to_owned()])
        .collect();
    let table = quoted(&plan.name.name);
    format!("SELECT {columns} FROM main.{table} WHERE {} LIMIT {rows}", left_out.join(" AND "))
}

fn cell(
    plan: &TablePlan,
    row: &Row<'_>,
    at: usize,
    column: &ColumnPlan,
) -> Result<Option<String>, EngineError> {
    let stored = |at: usize| {
        row.get_ref(at).map_err(during(format!("read {}.{}", plan.name, plan.columns[at].name)))
    };
    let Some(mask) = &column.mask else {
        return Ok(Some(if column.generated { "(generated)" } else { "(kept)" }.to_owned()));
    };
    let original = stored(at)?;
    if original == ValueRef::Null {
        return Ok(None);
    }
    let value = decode(&column.kind, original);
    let seed = column
        .seed
        .map(|seed| Ok::<_, EngineError>(decode(&plan.columns[seed].kind, stored(seed)?)))
        .transpose()?;
    let seed = seed.as_ref().filter(|seed| !seed.is_null());
    let mut buffer = String::new();
    let masked =
        mask.apply(&Cell { value: &value, seed, draw: None }, &mut buffer).map_err(|source| {
            EngineError::Mask {
                table: plan.name.to_string(),
                column: column.name.clone(),
                function: column.function.clone(),
                source,
            }
        })?;
    Ok(render(&masked))
}
