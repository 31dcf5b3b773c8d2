//! Whether what the leak gate may find is there to be found: an entry for a column that does not exist allows nothing, and
//! its author thinks otherwise.

use crate::catalog::Catalog;
use crate::finding::Collected;
use crate::rules::RuleSet;
use crate::rules::suggest::did_you_mean;

/// Adds a finding for each entry that names no column of the database. What holds a text of the catalog (`comment on table
/// public.customers`) has blanks in its name and is known to the gate alone.
pub(super) fn check(rules: &RuleSet, catalog: &Catalog, found: &mut Collected) {
    let columns: Vec<String> = catalog
        .tables
        .iter()
        .flat_map(|table| {
            table.columns.iter().map(|column| format!("{}.{}", table.name, column.name))
        })
        .collect();
    for entry in &rules.allow {
        let name = entry.column.value.as_str();
        let of_view = catalog.views.iter().any(|view| {
            name.strip_prefix(&view.name.to_string()).is_some_and(|column| column.starts_with('.'))
        });
        let known = columns.iter().any(|column| column == name);
        if known || of_view || name.contains(' ') || name.starts_with("pg_catalog.pg_largeobject.")
        {
            continue;
        }
        let cure = did_you_mean(
            name,
            columns.iter().map(String::as_str),
            "name it as the report does: `schema.table.column`",
        );
        found.add(entry.column.at, "verify.allow", format!("no column `{name}`"), cure);
    }
}
