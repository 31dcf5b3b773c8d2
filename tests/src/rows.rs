//! What a database holds, column by column: how many rows, how many NULLs, and a digest that does not depend on order.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::postgres::Database;

/// One column's values, summed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Rows of the table itself, its children left out.
    pub rows: u64,
    /// Of these, NULL.
    pub nulls: u64,
    /// Digest of the values in the order of their text.
    pub digest: String,
}

/// Summaries by `schema.table` and column; rows outside the condition for a table are left out.
pub fn columns(
    database: &Database<'_>,
    conditions: &[(&str, &str)],
) -> Result<BTreeMap<(String, String), Summary>> {
    let listed = database.query(
        "SELECT n.nspname || '.' || c.relname, a.attname, format('%I.%I', n.nspname, c.relname), quote_ident(a.attname)
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'anonymizer')
          ORDER BY 1, 2",
    )?;
    let queries = listed.lines().enumerate().map(|(number, line)| {
        let [table, _, from, value] = fields(line)?;
        let condition = conditions.iter().find(|(name, _)| *name == table);
        let condition = condition.map_or("true", |(_, condition)| condition);
        Ok(format!(
            "SELECT {number} AS number, count(*), count(*) - count({value}),
                    md5(coalesce(string_agg({value}::text, chr(31) ORDER BY {value}::text COLLATE \"C\"), ''))
               FROM ONLY {from} WHERE {condition}"
        ))
    });
    let queries = queries.collect::<Result<Vec<_>>>()?.join("\nUNION ALL ");
    let summaries = database.query(&format!("{queries} ORDER BY number"))?;
    let mut found = BTreeMap::new();
    for (line, summary) in listed.lines().zip(summaries.lines()) {
        let [table, column, ..] = fields::<4>(line)?;
        let [_, rows, nulls, digest] = fields(summary)?;
        let summary = Summary { rows: rows.parse()?, nulls: nulls.parse()?, digest: digest.into() };
        found.insert((table.into(), column.into()), summary);
    }
    Ok(found)
}

/// Every table and materialized view on a line of its own: name, rows, digest of the rows.
pub fn all(database: &Database<'_>) -> Result<String> {
    let listed = database.query(
        "SELECT format('SELECT %L, count(*), md5(string_agg(t::text, chr(31) ORDER BY t::text COLLATE \"C\")) FROM ONLY %I.%I t',
                       n.nspname || '.' || c.relname, n.nspname, c.relname)
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'anonymizer')",
    )?;
    let queries: Vec<&str> = listed.lines().collect();
    database.query(&format!("{} ORDER BY 1", queries.join("\nUNION ALL ")))
}

/// A digest of these columns' values row by row: whether what stands together still does.
pub fn digest(
    database: &Database<'_>,
    table: &str,
    columns: &[String],
    condition: &str,
) -> Result<String> {
    let row = format!("ROW({})::text", columns.join(", "));
    database.query(&format!(
        "SELECT md5(coalesce(string_agg({row}, chr(31) ORDER BY {row} COLLATE \"C\"), '')) FROM ONLY {table} WHERE {condition}"
    ))
}

fn fields<const N: usize>(line: &str) -> Result<[&str; N]> {
    let fields: Vec<&str> = line.split('|').collect();
    fields.try_into().ok().with_context(|| format!("expected {N} fields: {line}"))
}
