//! Which rows go: those a rule's `delete_rows` names, and those that reference a row which goes.
//!
//! The second sort follows foreign keys from table to table, itself included, until nothing more is found. Their keys are
//! kept in temporary tables in memory; tables outside any cascade need none, for their predicate says it all.

use std::collections::BTreeMap;

use rusqlite::{Connection, Result as SqlResult};

use super::catalog::{MAIN, Shape};
use super::error::during;
use super::sql::{self, quoted, quoted_list};
use crate::catalog::{ForeignKey, TableName};
use crate::engine::EngineError;
use crate::plan::{Action, Plan, TablePlan};

/// The rows that go with a removed row of another table.
#[derive(Default)]
pub(super) struct Deleted {
    /// By table: the condition under which a row of it stays.
    staying: BTreeMap<TableName, String>,
}

/// A table whose removed rows are listed by key.
struct Listed<'a> {
    plan: &'a TablePlan,
    /// The temporary table.
    list: String,
    /// What identifies a row.
    key: Vec<String>,
}

impl Deleted {
    /// Follows every cascade of the plan through the original.
    pub(super) fn collect(connection: &Connection, plan: &Plan) -> Result<Self, EngineError> {
        let cascades: Vec<&ForeignKey> =
            plan.tables.iter().flat_map(|table| &table.delete_orphans_of).collect();
        if cascades.is_empty() {
            return Ok(Self::default());
        }
        let mut lists = BTreeMap::new();
        for table in &plan.tables {
            let takes_part =
                cascades.iter().any(|key| key.table == table.name || key.references == table.name);
            if takes_part && table.action != Action::Truncate {
                let task = format!("list the removed rows of {}", table.name);
                let listed = Listed::begin(connection, table, lists.len()).map_err(during(task))?;
                lists.insert(table.name.clone(), listed);
            }
        }
        while follow(connection, plan, &lists).map_err(during("follow removed rows"))? > 0 {}
        let staying = lists.into_iter().map(|(name, listed)| (name, listed.staying())).collect();
        Ok(Self { staying })
    }

    /// The condition under which a row of the table stays, or nothing where all do.
    pub(super) fn staying(&self, table: &TablePlan) -> Option<String> {
        self.staying.get(&table.name).cloned().or_else(|| {
            table.delete_rows.as_deref().map(|rows| format!("NOT {}", sql::predicate(rows)))
        })
    }
}

impl<'a> Listed<'a> {
    /// Lists the rows that the table's own predicate names.
    fn begin(connection: &Connection, plan: &'a TablePlan, number: usize) -> SqlResult<Self> {
        let shape = Shape::read(connection, MAIN, &plan.name.name)?;
        let rowid = shape.rowid_alias.map(str::to_owned).or(shape.rowid_column);
        let key = rowid.map_or(shape.primary_key, |rowid| vec![rowid]);
        let listed = Self { plan, list: format!("temp.anonymizer_deleted_{number}"), key };
        let columns = quoted_list(listed.key.iter().map(String::as_str));
        connection.execute_batch(&format!(
            "CREATE TEMP TABLE anonymizer_deleted_{number}({columns}, PRIMARY KEY ({columns})) \
             WITHOUT ROWID"
        ))?;
        if let Some(rows) = &plan.delete_rows {
            listed.add(connection, &sql::predicate(rows))?;
        }
        Ok(listed)
    }

    /// Adds the rows that meet a condition; answers how many are new.
    fn add(&self, connection: &Connection, condition: &str) -> SqlResult<usize> {
        let table = quoted(&self.plan.name.name);
        connection.execute(
            &format!(
                "INSERT OR IGNORE INTO {} SELECT {} FROM main.{table} WHERE {condition}",
                self.list,
                self.columns_of(&table),
            ),
            [],
        )
    }

    fn columns_of(&self, table: &str) -> String {
        let qualified = |column: &String| format!("{table}.{}", quoted(column));
        self.key.iter().map(qualified).collect::<Vec<_>>().join(", ")
    }

    fn staying(&self) -> String {
        let columns = self.columns_of(&quoted(&self.plan.name.name));
        format!("({columns}) NOT IN (SELECT * FROM {})", self.list)
    }
}

/// One step along every cascading key: rows whose referenced row is not there, or goes. Answers how many were found.
fn follow(
    connection: &Connection,
    plan: &Plan,
    lists: &BTreeMap<TableName, Listed<'_>>,
) -> SqlResult<usize> {
    let mut found = 0;
    for key in plan.tables.iter().flat_map(|table| &table.delete_orphans_of) {
        if let Some(child) = lists.get(&key.table) {
            found += child.add(connection, &orphaned(key, lists.get(&key.references)))?;
        }
    }
    Ok(found)
}

/// The condition under which a row's reference leads nowhere. A parent without a list is emptied altogether.
fn orphaned(key: &ForeignKey, parent: Option<&Listed<'_>>) -> String {
    let child = quoted(&key.table.name);
    let present: Vec<String> = key
        .columns
        .iter()
        .map(|column| format!("{child}.{} IS NOT NULL", quoted(column)))
        .collect();
    let Some(parent) = parent else { return present.join(" AND ") };
    let same: Vec<String> = key
        .referenced_columns
        .iter()
        .zip(&key.columns)
        .map(|(to, from)| format!("anonymizer_parent.{} = {child}.{}", quoted(to), quoted(from)))
        .collect();
    format!(
        "{} AND NOT EXISTS (SELECT 1 FROM main.{} AS anonymizer_parent WHERE {} \
         AND ({}) NOT IN (SELECT * FROM {}))",
        present.join(" AND "),
        quoted(&key.references.name),
        same.join(" AND "),
        parent.columns_of("anonymizer_parent"),
        parent.list,
    )
}
