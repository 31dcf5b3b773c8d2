//! Values that are not what their column declares: SQLite keeps any text in a column of numbers or dates.
//!
//! A wildcard's `keep` decides a column by its type. Where the values do not bear the type out, the rules have to name the
//! column, or a text that nobody has decided would pass. What the rules name is not looked at.

use rusqlite::{Connection, Result};

use super::check::Complaint;
use super::sql::quoted;
use crate::catalog::Kind;
use crate::plan::{Action, ColumnPlan, TablePlan};

/// Looks at every value of the columns that are kept without a name; one scan of the table.
pub(super) fn misfits(connection: &Connection, table: &TablePlan) -> Result<Vec<Complaint>> {
    if table.action == Action::Truncate {
        return Ok(Vec::new());
    }
    let unnamed =
        |column: &&ColumnPlan| !column.named && !column.generated && column.mask.is_none();
    let (columns, conditions): (Vec<&ColumnPlan>, Vec<String>) = table
        .columns
        .iter()
        .filter(unnamed)
        .filter_map(|column| Some((column, misfit(&column.kind, &quoted(&column.name))?)))
        .unzip();
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let counts: Vec<String> =
        conditions.iter().map(|condition| format!("count(*) FILTER (WHERE {condition})")).collect();
    let from = quoted(&table.name.name);
    let sql = format!("SELECT {} FROM main.{from}", counts.join(", "));
    connection.query_row(&sql, [], |row| {
        let counted = columns.iter().enumerate().map(|(at, column)| Ok((column, row.get(at)?)));
        let counted = counted.collect::<Result<Vec<(_, i64)>>>()?;
        let misfits = counted.into_iter().filter(|(_, count)| *count > 0);
        Ok(misfits.map(|(column, count)| complaint(table, column, count)).collect())
    })
}

fn complaint(table: &TablePlan, column: &ColumnPlan, count: i64) -> Complaint {
    (
        format!("{}.{} ({})", table.name, column.name, column.data_type),
        format!("undecided column: {count} of its values are not of its type"),
        "name the column: give it a function, or `keep` if they may stay as they are".to_owned(),
    )
}

/// The condition under which a value is not of the kind; nothing for a kind that no wildcard decides.
fn misfit(kind: &Kind, column: &str) -> Option<String> {
    let others = |characters: &str| format!("{column} GLOB '*[^{characters}]*'");
    let text = match kind {
        Kind::Int(_) | Kind::Float | Kind::Decimal(_) => others("0-9.eE+-"),
        Kind::Date | Kind::Timestamp | Kind::Time => others("0-9TUCZtz:. /+-"),
        Kind::Uuid => others("0-9a-fA-F{}-"),
        Kind::Bool => format!(
            "lower({column}) NOT IN ('', 'true', 'false', 't', 'f', 'yes', 'no', 'y', 'n', 'on', 'off')"
        ),
        _ => return None,
    };
    let bytes = if *kind == Kind::Uuid { format!("length({column}) <> 16") } else { "TRUE".into() };
    Some(format!("CASE typeof({column}) WHEN 'text' THEN {text} WHEN 'blob' THEN {bytes} END"))
}
