//! Tables and what is made of them: written anew, refreshed, computed again.
//!
//! Of a kept table no right but that of the database's owner proves what its pages hold: counters of dead rows start at
//! nothing after a crash or a restore, VACUUM leaves the bytes of what it removes where they were, and a page that is marked as
//! visible to all may have had other rows. So every kept table that can hold text is written anew, and every one of which a column was dropped.

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::loaded;
use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::anew::{Horizon, write_anew};
use crate::engine::postgres::scrub::attempt::{attempt, number, rows, texts};
use crate::engine::postgres::session::{home_path, ident, literal, qualified};
use crate::plan::{Action, Plan, TablePlan};
use crate::scrub::{Found, Tally, names};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

/// Names as an SQL array of relations.
pub fn regclasses(names: &[String]) -> String {
    let literals: Vec<String> = names.iter().map(|name| literal(name)).collect();
    format!("ARRAY[{}]::text[]::regclass[]", literals.join(", "))
}

/// Every file of a masked table has an entry in the catalog that was written since the run began.
pub async fn masked(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    if scrub.masked.is_empty() {
        return Ok(Found::nothing("no table is masked"));
    }
    let left = write_resumed(scrub).await?;
    if !left.is_empty() {
        let left = names(&left);
        return Ok(Found::failed(format!("masked by an earlier run and not written anew: {left}")));
    }
    let sql = format!(
        "WITH heap AS (SELECT oid, reltoastrelid FROM pg_catalog.pg_class WHERE oid = ANY ({})),
              whole AS (SELECT oid FROM heap UNION SELECT reltoastrelid FROM heap WHERE reltoastrelid <> 0),
              files AS (SELECT oid FROM whole
                        UNION SELECT indexrelid FROM pg_catalog.pg_index JOIN whole ON indrelid = whole.oid)
         SELECT coalesce(pg_catalog.age(c.xmin) > (SELECT pg_catalog.age(xmin) FROM pg_catalog.pg_namespace WHERE nspname = 'anonymizer'), true),
                c.oid::regclass::text
         FROM files JOIN pg_catalog.pg_class c ON c.oid = files.oid WHERE pg_catalog.pg_relation_filenode(c.oid) IS NOT NULL ORDER BY 2",
        regclasses(&scrub.masked)
    );
    let files = rows(scrub.conn, "look at the files of masked tables", &sql).await?;
    let old: Vec<String> = files.iter().filter(|row| row.get(0)).map(|row| row.get(1)).collect();
    if !old.is_empty() {
        return Ok(Found::failed(format!("not written since the run began: {}", names(&old))));
    }
    let (count, files) = (scrub.masked.len(), files.len());
    Ok(Found::done(format!("{files} files of {count} tables were written anew")))
}

/// Writes anew what an earlier, interrupted run has masked, and gathers its statistics again: rows may have come and gone since,
/// by the hand that mended a leak for instance. Answers with those that it could not.
async fn write_resumed(scrub: &mut Scrub<'_>) -> Result<Vec<String>, EngineError> {
    let resumed = filled(scrub, scrub.resumed).await?;
    if resumed.is_empty() {
        return Ok(Vec::new());
    }
    let paths = extension_schemas(scrub).await?;
    let now = Horizon::now(scrub.conn).await?;
    let mut left = Vec::new();
    for table in &resumed {
        let path = format!("pg_catalog, {}, public{paths}", ident(&table.schema));
        let mut written = write_anew(scrub.conn, table, &path, &now).await?;
        if written.is_ok() {
            loaded::note_file(scrub.conn, table).await?;
            let analyze = format!("{}; ANALYZE {}", home_path([table]), qualified(table));
            written = attempt(scrub.conn, &format!("analyze {table}"), &analyze).await?;
        }
        if let Err(why) = written {
            left.push(format!("{table} ({why})"));
        }
    }
    Ok(left)
}

/// Those of the tables that have pages.
async fn filled(
    scrub: &mut Scrub<'_>,
    tables: &[TableName],
) -> Result<Vec<TableName>, EngineError> {
    let mut filled = Vec::new();
    for table in tables {
        let name = literal(&qualified(table));
        let sql = format!("SELECT pg_catalog.pg_table_size({name}::regclass)");
        if number(scrub.conn, &format!("read the size of {table}"), &sql).await? > 0 {
            filled.push(table.clone());
        }
    }
    Ok(filled)
}

/// Whoever refreshes a view writes its entry in the catalog; the last masked table left its own in the ledger.
pub async fn materialized_views(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    const SQL: &str = "
        SELECT pg_catalog.age(c.xmin) > coalesce((SELECT min(pg_catalog.age(xmin)) FROM anonymizer.unit), 2147483647), c.oid::regclass::text
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'm' AND c.relispopulated AND n.nspname !~ '^pg_' ORDER BY 2";
    let views = rows(scrub.conn, "look at the materialized views", SQL).await?;
    let old: Vec<String> = views.iter().filter(|row| row.get(0)).map(|row| row.get(1)).collect();
    let all: Vec<String> = views.iter().map(|row| row.get(1)).collect();
    Ok(match (all.is_empty(), old.is_empty()) {
        (true, _) => Found::nothing("no populated materialized view"),
        (_, true) => Found::done(format!("refreshed: {}", names(&all))),
        _ => Found::failed(format!("older than the masked rows: {}", names(&old))),
    })
}

/// They are computed as the rows are loaded: there is nothing else to do.
pub fn generated_columns(plan: &Plan) -> Found {
    let written = || plan.tables.iter().filter(|table| table.action == Action::Rewrite);
    let generated: Vec<String> = written()
        .flat_map(|table| {
            let of_table = table.columns.iter().filter(|column| column.generated);
            of_table.map(|column| format!("{}.{}", table.name, column.name))
        })
        .collect();
    if generated.is_empty() {
        return Found::nothing("no generated column in a masked table");
    }
    Found::done(format!("computed again: {}", names(&generated)))
}

/// Tables with columns that were dropped: their bytes stay in every row until it is written anew.
async fn with_dropped_columns(scrub: &mut Scrub<'_>) -> Result<Vec<TableName>, EngineError> {
    const SQL: &str = "
        SELECT DISTINCT n.nspname::text, c.relname::text FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE a.attisdropped AND a.attnum > 0";
    let found = rows(scrub.conn, "look for dropped columns", SQL).await?;
    let name = |row: &PgRow| TableName::new(row.get::<String, _>(0), row.get::<String, _>(1));
    Ok(found.iter().map(name).collect())
}

/// A kept column that can hold text has a rule of its own.
fn holds_text(table: &TablePlan) -> bool {
    table.columns.iter().any(|column| !column.kind.wildcard_may_keep())
}

/// Writes the kept tables anew.
pub async fn kept(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    const ID: &str = "postgres.kept-tables";
    let dropped = with_dropped_columns(scrub).await?;
    let holds = |table: &&TablePlan| holds_text(table) || dropped.contains(&table.name);
    let kept = scrub.plan.tables.iter().filter(|table| table.action == Action::Keep);
    let kept: Vec<TableName> =
        kept.filter(|table| holds(table)).map(|table| table.name.clone()).collect();
    let tables = filled(scrub, &kept).await?;
    if tables.is_empty() {
        return Ok(Found::nothing("no kept table can hold text, in a dropped column neither"));
    }
    if scrub.plan.scrub.reason(ID).is_some() {
        let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
        return Ok(Found::failed(format!("not written anew: {}", names(&tables))));
    }
    let paths = extension_schemas(scrub).await?;
    let now = Horizon::now(scrub.conn).await?;
    let mut tally = Tally::default();
    for table in &tables {
        let path = format!("pg_catalog, {}, public{paths}", ident(&table.schema));
        let written = write_anew(scrub.conn, table, &path, &now).await?;
        tally.note(table.to_string(), written);
    }
    Ok(tally.found("written anew", ""))
}

/// As the session keeps them: each with a comma before it.
async fn extension_schemas(scrub: &mut Scrub<'_>) -> Result<String, EngineError> {
    let sql = "SELECT pg_catalog.current_setting('anonymizer.extension_schemas')";
    Ok(texts(scrub.conn, "read the schemas of extensions", sql).await?.concat())
}
