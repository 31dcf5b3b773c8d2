//! What only the database can tell about a plan: predicates that do not parse, rows that are orphans already, virtual tables
//! that nobody can mask, a file that cannot be replaced. Reads only; each finding is a subject, a message and a cure.

use std::path::Path;

use rusqlite::{Connection, Result as SqlResult};

use super::error::{detail, during};
use super::files;
use super::misfit;
use super::sql::{self, quoted};
use super::virtual_table::{Storage, storage};
use crate::engine::EngineError;
use crate::plan::{Action, Plan, TablePlan};

/// Subject, message, cure.
pub(super) type Complaint = (String, String, String);

/// Looks at everything and answers with all of it.
pub(super) fn check(
    connection: &Connection,
    path: &Path,
    plan: &Plan,
) -> Result<Vec<Complaint>, EngineError> {
    let mut found = file(connection, path)?;
    for table in &plan.tables {
        found.extend(predicates(connection, table));
    }
    found.extend(virtual_tables(connection, plan).map_err(during("list virtual tables"))?);
    for table in &plan.tables {
        let task = format!("look at the values of {}", table.name);
        found.extend(misfit::misfits(connection, table).map_err(during(task))?);
    }
    found.extend(orphans(connection, &existing_orphans(connection)));
    Ok(found)
}

fn file(connection: &Connection, path: &Path) -> Result<Vec<Complaint>, EngineError> {
    let mut found = Vec::new();
    let name = || path.display().to_string();
    if connection.is_readonly("main").map_err(during("read the database's rights"))? {
        let cure = "give yourself the right to write to the file";
        found.push((name(), "the file is read-only".to_owned(), cure.to_owned()));
    }
    if files::other_names(&files::inspect(path)?) > 0 {
        let message = "the file has another hard link, which would keep the originals";
        let cure = "remove the other links, or mask a copy of the file";
        found.push((name(), message.to_owned(), cure.to_owned()));
    }
    Ok(found)
}

fn predicates(connection: &Connection, table: &TablePlan) -> Vec<Complaint> {
    let written = [("skip_rows", &table.skip_rows), ("delete_rows", &table.delete_rows)];
    let complaint = |(key, text): (&str, &Option<String>)| {
        let text = text.as_ref()?;
        let from = quoted(&table.name.name);
        let sql = format!("SELECT 1 FROM main.{from} WHERE {}", sql::predicate(text));
        let error = connection.prepare(&sql).err()?;
        Some((
            format!("{} {key}", table.name),
            format!("SQLite cannot read the predicate: {}", detail(&error)),
            "write an SQL expression over this table's columns; `now()` is the run's time as UTC text"
                .to_owned(),
        ))
    };
    written.into_iter().filter_map(complaint).collect()
}

fn virtual_tables(connection: &Connection, plan: &Plan) -> SqlResult<Vec<Complaint>> {
    let mut statement = connection.prepare(
        "SELECT name, sql FROM main.sqlite_schema WHERE type = 'table' AND rootpage = 0 ORDER BY name",
    )?;
    let tables = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<SqlResult<Vec<(String, String)>>>()?;
    let complaint = |(name, sql): &(String, String)| {
        let planned = plan.tables.iter().find(|table| table.name.name == *name);
        let (message, cure) = virtual_table(&storage(sql), planned)?;
        Some((format!("main.{name} (virtual table)"), message.to_owned(), cure.to_owned()))
    };
    Ok(tables.iter().filter_map(complaint).collect())
}

/// What is wrong with the plan for a virtual table.
fn virtual_table(
    storage: &Storage,
    plan: Option<&TablePlan>,
) -> Option<(&'static str, &'static str)> {
    match storage {
        Storage::Nothing | Storage::Follows(_) | Storage::Rows { .. } => None,
        Storage::WordsOnly if plan.is_some_and(|plan| plan.action == Action::Truncate) => None,
        Storage::WordsOnly => Some((
            "it holds the words of rows that are elsewhere, and cannot be masked",
            "decide `truncate`, and fill it again from the masked rows",
        )),
        Storage::Unknown => Some((
            "its module is not part of SQLite, so nobody here can look into it",
            "drop it from the copy before masking",
        )),
    }
}

/// Rows that reference nothing: by child table and parent, how many. An error names a key that cannot be checked.
pub(super) fn existing_orphans(connection: &Connection) -> SqlResult<Vec<(String, String, u64)>> {
    let mut statement = connection.prepare(
        "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check \
         GROUP BY 1, 2 ORDER BY 1, 2",
    )?;
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?.unsigned_abs()))
    })?;
    rows.collect()
}

fn orphans(_: &Connection, existing: &SqlResult<Vec<(String, String, u64)>>) -> Vec<Complaint> {
    match existing {
        Ok(orphans) => orphans
            .iter()
            .map(|(child, parent, count)| {
                (
                    format!("main.{child}"),
                    format!("{count} rows reference a row of main.{parent} that is not there"),
                    "delete or mend these rows; `PRAGMA foreign_key_check` lists them".to_owned(),
                )
            })
            .collect(),
        Err(error) => vec![(
            String::new(),
            format!("the foreign keys cannot be checked: {}", detail(error)),
            "mend the schema: a referenced key needs a unique index".to_owned(),
        )],
    }
}
