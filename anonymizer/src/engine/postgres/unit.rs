//! One unit, one transaction: read and mask, empty, load, rebuild, enter in the ledger.
//!
//! From the first read to the commit the unit's tables are locked. `COPY … FREEZE` needs the table to be emptied in the very
//! transaction that loads it, with no cursor open; it leaves no dead rows, sets every hint, and where `wal_level` is minimal
//! writes no log. Emptying keeps the table itself: its grants, views, policies, publications and comments never notice.

use std::cell::RefCell;
use std::path::Path;
use std::time::Instant;

use futures_util::TryStreamExt as _;
use sqlx::postgres::PgConnection;

use crate::catalog::TableName;
use crate::engine::postgres::binary::BinaryStream;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::relation::{WireColumn, wire_columns};
use crate::engine::postgres::rows::{FieldPlan, RowMasker};
use crate::engine::postgres::session::{NO_PATH, home_path, ident, local_path, qualified, run};
use crate::engine::postgres::spool::{Spool, SpoolReader};
use crate::engine::postgres::text::TextStream;
use crate::engine::postgres::{indexes, ledger, quiet, sequences, statistics};
use crate::engine::{ColumnOutcome, EngineError, TableOutcome, Unit};
use crate::plan::{Action, ColumnPlan, Plan, TablePlan};
use crate::progress::{Progress, Silent};
use crate::spread::Spread;
use crate::switches;
use crate::verify::vault::{Collector, Vault};

/// Rows between two progress reports: a report costs a lock.
const PROGRESS_ROWS: u64 = 16_384;

/// The defence that a test may switch off: tables are then emptied as UPDATE would, with everything left behind.
const REWRITE: &str = "postgres.masked-tables";

/// A table's masked rows, ready to be loaded.
struct Load<'a> {
    plan: &'a TablePlan,
    copy_in: String,
    spooled: u64,
    outcome: TableOutcome,
}

/// Masks a unit; part of the caller's transaction.
pub async fn mask(
    conn: &mut PgConnection,
    plan: &Plan,
    unit: &Unit,
    spool_dir: &Path,
    vault: &Vault,
    progress: &dyn Progress,
) -> Result<Vec<TableOutcome>, EngineError> {
    let started = Instant::now();
    lock(conn, unit).await?;
    // From here on only another unit can be in the way: ANALYZE of a table waits for those that inherit from it.
    run(conn, "wait for other units", "SET LOCAL lock_timeout = 0").await?;
    // Before the first read: forced row security would refuse that as well.
    let silenced = silence(conn, unit).await?;
    let tables =
        unit.tables.iter().map(|name| table_plan(plan, name)).collect::<Result<Vec<_>, _>>()?;
    let mut spool = Spool::create(spool_dir)?;
    let mut loads = Vec::new();
    let mut collector = plan.identifies().then(|| vault.collector());
    for table in tables {
        progress.table_started(&table.name.to_string(), table.estimated_rows);
        if table.action == Action::Truncate && table.has_originals() {
            collect_emptied(conn, table, spool_dir, &mut collector).await?;
        }
        loads.push(read(conn, table, &mut spool, &mut collector, progress).await?);
    }
    if let Some(collector) = collector {
        let name = unit.name.to_string();
        collector.persist(&name)?;
        vault.keep(&name).await?;
    }
    let mut spool = spool.into_reader()?;
    let mut lone_rows = Vec::new();
    for load in &loads {
        let ends_empty = load.outcome.rows == 0;
        lone_rows.push(if ends_empty {
            Some(statistics::lone_rows(conn, &load.plan.name).await?)
        } else {
            None
        });
    }
    run(conn, "set the search path", NO_PATH).await?;
    let mut indexes_down = Vec::new();
    for name in &unit.tables {
        indexes_down.push(indexes::take_down(conn, name).await?);
    }
    let names: Vec<String> =
        unit.tables.iter().map(|name| format!("ONLY {}", qualified(name))).collect();
    run(conn, "set the search path", &home_path(&unit.members)).await?;
    let empty = match switches::is_off(REWRITE) {
        true => names.iter().map(|name| format!("DELETE FROM {name};")).collect(),
        false => format!("TRUNCATE {}", names.join(", ")),
    };
    run(conn, &format!("empty {}", unit.name), &empty).await?;
    // All loads come first: after a savepoint that was rolled back, as `forget` may do, FREEZE would be refused.
    for load in &loads {
        progress.step(&load.plan.name.to_string(), "loading");
        spool.section(load.spooled);
        load_rows(conn, &load.copy_in, &mut spool, &load.plan.name).await?;
    }
    let mut outcomes = Vec::new();
    let mut forgotten = Vec::new();
    for ((mut load, down), lone_row) in loads.into_iter().zip(&indexes_down).zip(&lone_rows) {
        let (name, label) = (&load.plan.name, load.plan.name.to_string());
        if let Some(row) = lone_row {
            statistics::forget(conn, unit, name, row, &mut forgotten).await?;
        }
        progress.step(&label, "building indexes");
        indexes::put_back(conn, name, down).await?;
        sequences::advance(conn, unit, load.plan).await?;
        progress.step(&label, "gathering statistics");
        run(conn, &format!("analyze {name}"), &format!("ANALYZE {}", qualified(name))).await?;
        load.outcome.deleted += ledger::cascaded(conn, name).await?;
        load.outcome.seconds = started.elapsed().as_secs_f64();
        progress.table_finished(&label, load.outcome.rows);
        outcomes.push(load.outcome);
    }
    for (name, silenced) in &silenced {
        quiet::wake(conn, name, silenced).await?;
    }
    ledger::finish_unit(conn, &unit.name, &outcomes).await?;
    Ok(outcomes)
}

fn table_plan<'a>(plan: &'a Plan, name: &TableName) -> Result<&'a TablePlan, EngineError> {
    let table = plan.tables.iter().find(|table| table.name == *name);
    table.ok_or_else(|| EngineError::Unexpected(format!("the plan has no table {name}")))
}

/// A partitioned root has no rows of its own; locking it locks the whole tree.
async fn lock(conn: &mut PgConnection, unit: &Unit) -> Result<(), EngineError> {
    let only = if unit.tables.contains(&unit.name) { "ONLY " } else { "" };
    let sql = format!("LOCK TABLE {only}{} IN ACCESS EXCLUSIVE MODE", qualified(&unit.name));
    run(conn, &format!("lock {}", unit.name), &sql).await
}

/// Silences the members of a tree from the root down: what is done to a parent reaches its partitions, so that they come
/// last when everything is put back.
async fn silence(
    conn: &mut PgConnection,
    unit: &Unit,
) -> Result<Vec<(TableName, quiet::Silenced)>, EngineError> {
    let mut silenced = Vec::new();
    for name in &unit.members {
        silenced.push((name.clone(), quiet::silence(conn, name).await?));
    }
    Ok(silenced)
}

/// Reads a table, masks its rows and spools them.
async fn read<'a>(
    conn: &mut PgConnection,
    table: &'a TablePlan,
    spool: &mut Spool,
    collector: &mut Option<Collector>,
    progress: &dyn Progress,
) -> Result<Load<'a>, EngineError> {
    let columns = wire_columns(conn, &table.name).await?;
    let format = copy_format(table, &columns);
    let names: Vec<String> = columns.iter().map(|column| ident(&column.name)).collect();
    let freeze = if switches::is_off(REWRITE) { "" } else { ", FREEZE" };
    let copy_in = copy_in(&table.name, &names, &format!("FORMAT {format}{freeze}"));
    let mut masker = masker(table, columns)?;
    let start = spool.written();
    if table.action == Action::Rewrite {
        let copy_out = format!("COPY ({}) TO STDOUT (FORMAT {format})", select(table, &names));
        run(conn, "set the search path", &read_path(table)).await?;
        masker.collector = collector.take();
        pump(conn, &copy_out, &mut masker, spool, format == "binary", progress).await?;
        *collector = masker.collector.take();
    }
    let outcome = outcome(table, &masker);
    // Nothing goes back into a table that is truncated; an empty spool would be no valid binary stream.
    let copy_in = if table.action == Action::Rewrite { copy_in } else { String::new() };
    Ok(Load { plan: table, copy_in, spooled: spool.written() - start, outcome })
}

/// Notes the originals of a table that is emptied, of the columns alone that hold some.
async fn collect_emptied(
    conn: &mut PgConnection,
    table: &TablePlan,
    spool_dir: &Path,
    collector: &mut Option<Collector>,
) -> Result<(), EngineError> {
    let mut columns = wire_columns(conn, &table.name).await?;
    let holds = |column: &ColumnPlan| column.has_originals() || column.name_part.is_some();
    let wanted: Vec<&ColumnPlan> = table.columns.iter().filter(|column| holds(column)).collect();
    columns.retain(|column| wanted.iter().any(|wanted| wanted.name == column.name));
    let format = copy_format(table, &columns);
    let items: String = columns.iter().map(|column| format!("{}, ", ident(&column.name))).collect();
    let mut masker = masker(table, columns)?;
    masker.delete_flag = Some(masker.fields.len());
    masker.collector = collector.take();
    let rows = format!("SELECT {items}true FROM ONLY {}", qualified(&table.name));
    let copy_out = format!("COPY ({rows}) TO STDOUT (FORMAT {format})");
    run(conn, "set the search path", NO_PATH).await?;
    // Stays empty: no row is written back.
    let mut spool = Spool::create(spool_dir)?;
    pump(conn, &copy_out, &mut masker, &mut spool, format == "binary", &Silent).await?;
    *collector = masker.collector.take();
    Ok(())
}

/// Deletes rows by a statement and notes the originals in them; answers how many there were.
pub async fn collect_deleted(
    conn: &mut PgConnection,
    table: &TablePlan,
    delete: &str,
    collector: &mut Option<Collector>,
    spool: &mut Spool,
) -> Result<u64, EngineError> {
    let columns = wire_columns(conn, &table.name).await?;
    let format = copy_format(table, &columns);
    let items: Vec<String> = columns.iter().map(|column| ident(&column.name)).collect();
    let mut masker = masker(table, columns)?;
    (masker.skip_flag, masker.delete_flag) = (None, Some(items.len()));
    masker.collector = collector.take();
    let items = items.iter().map(|item| format!("{item}, ")).collect::<String>();
    let copy_out = format!("COPY ({delete} RETURNING {items}true) TO STDOUT (FORMAT {format})");
    run(conn, "set the search path", &predicate_path(&table.name)).await?;
    pump(conn, &copy_out, &mut masker, spool, format == "binary", &Silent).await?;
    *collector = masker.collector.take();
    Ok(masker.deleted)
}

/// Text where a type has no binary form, or where a mask must see a value that only its text tells.
fn copy_format(table: &TablePlan, columns: &[WireColumn]) -> &'static str {
    let binary = columns.iter().all(|column| column.has_binary) && fits_binary(table, columns);
    if binary { "binary" } else { "text" }
}

/// The statement that loads a table. A table may have no column that can be loaded, but an empty list has no syntax.
pub fn copy_in(table: &TableName, names: &[String], options: &str) -> String {
    let columns = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    format!("COPY {}{columns} FROM STDIN ({options})", qualified(table))
}

/// A constant for a type we cannot encode in binary can still be written as text.
fn fits_binary(table: &TablePlan, columns: &[WireColumn]) -> bool {
    let by_text = |column: &WireColumn| {
        let plan = table.columns.iter().find(|plan| plan.name == column.name);
        column.codec == super::codec::Codec::Opaque
            && plan.is_some_and(|plan| {
                plan.mask.is_some() && (plan.function != "nullify" || plan.has_originals())
            })
    };
    !columns.iter().any(by_text)
}

/// The query whose rows are masked: the columns, then a flag for each of the table's predicates.
pub fn select(table: &TablePlan, names: &[String]) -> String {
    let predicates = table.skip_rows.iter().chain(&table.delete_rows);
    // The line breaks end a comment that a predicate may end with.
    let flags = predicates.map(|predicate| format!("((\n{predicate}\n)) IS TRUE"));
    let items: Vec<String> = names.iter().cloned().chain(flags).collect();
    format!("SELECT {} FROM ONLY {}", items.join(", "), qualified(&table.name))
}

/// Predicates are written for the user's own search path, and their `now()` is the run's.
fn read_path(table: &TablePlan) -> String {
    if table.skip_rows.is_none() && table.delete_rows.is_none() {
        home_path([&table.name])
    } else {
        predicate_path(&table.name)
    }
}

/// `anonymizer` comes first for its `now()`.
pub fn predicate_path(table: &TableName) -> String {
    local_path(&format!("{}, pg_catalog, {}, public", ledger::SCHEMA, ident(&table.schema)))
}

/// The masker of a table's rows.
pub fn masker(table: &TablePlan, columns: Vec<WireColumn>) -> Result<RowMasker, EngineError> {
    let wire: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let mut fields = Vec::new();
    for column in columns {
        let changed = || {
            EngineError::Temporary(format!(
                "{}.{} appeared after the plan was made",
                table.name, column.name
            ))
        };
        let plan_index =
            table.columns.iter().position(|plan| plan.name == column.name).ok_or_else(changed)?;
        let plan = &table.columns[plan_index];
        let seed_name = plan.seed.map(|seed| &table.columns[seed].name);
        fields.push(FieldPlan {
            name: column.name.clone(),
            function: plan.function.clone(),
            plan_index,
            codec: column.codec,
            constant: plan.constant.is_some(),
            mask: plan.mask.clone(),
            sought: plan.sought(),
            has_originals: plan.has_originals(),
            seed: seed_name.and_then(|name| wire.iter().position(|column| column == name)),
            spread: Spread::of(plan).map(RefCell::new),
        });
    }
    let at = |column: &usize| fields.iter().position(|field| field.plan_index == *column);
    let names = table.names();
    let names = names.iter().filter_map(|(first, last)| at(first).zip(at(last))).collect();
    let width = fields.len();
    let skip = table.skip_rows.is_some().then_some(width);
    let delete = table.delete_rows.is_some().then_some(width + usize::from(skip.is_some()));
    let mut masker = RowMasker::new(table.name.to_string(), fields, skip, delete);
    masker.names = names;
    Ok(masker)
}

/// From COPY OUT through the masker into the spool.
async fn pump(
    conn: &mut PgConnection,
    copy_out: &str,
    masker: &mut RowMasker,
    spool: &mut Spool,
    binary: bool,
    progress: &dyn Progress,
) -> Result<(), EngineError> {
    let task = format!("read {}", masker.table);
    let fail = |error| engine_error(&task, error);
    let label = masker.table.clone();
    let mut reported = 0;
    let mut pieces = conn.copy_out_raw(copy_out).await.map_err(fail)?;
    let mut stream = if binary {
        Stream::Binary(BinaryStream::start(masker.width(), &mut spool.buffer))
    } else {
        Stream::Text(TextStream::start(masker.width()))
    };
    while let Some(piece) = pieces.try_next().await.map_err(fail)? {
        match &mut stream {
            Stream::Binary(stream) => stream.feed(&piece, masker, &mut spool.buffer)?,
            Stream::Text(stream) => stream.feed(&piece, masker, &mut spool.buffer)?,
        }
        spool.relieve()?;
        if masker.rows >= reported + PROGRESS_ROWS {
            reported = masker.rows;
            progress.rows(&label, reported);
        }
    }
    match stream {
        Stream::Binary(stream) => stream.end(masker, &mut spool.buffer)?,
        Stream::Text(stream) => stream.end(masker, &mut spool.buffer)?,
    }
    progress.rows(&label, masker.rows);
    Ok(())
}

enum Stream {
    Binary(BinaryStream),
    Text(TextStream),
}

/// From the spool back into the emptied table.
async fn load_rows(
    conn: &mut PgConnection,
    copy_in: &str,
    spool: &mut SpoolReader,
    table: &TableName,
) -> Result<(), EngineError> {
    if copy_in.is_empty() {
        return Ok(());
    }
    let task = format!("load {table}");
    let fail = |error| engine_error(&task, error);
    let mut copy = conn.copy_in_raw(copy_in).await.map_err(fail)?;
    loop {
        let chunk = spool.chunk()?;
        if chunk.is_empty() {
            break;
        }
        copy.send(chunk).await.map_err(fail)?;
    }
    copy.finish().await.map(drop).map_err(fail)
}

fn outcome(table: &TablePlan, masker: &RowMasker) -> TableOutcome {
    let mut columns = vec![ColumnOutcome::default(); table.columns.len()];
    for (field, seen) in masker.fields.iter().zip(&masker.seen) {
        columns[field.plan_index] = *seen;
    }
    let spread = |field: &FieldPlan| {
        Some((field.plan_index, field.spread.as_ref()?.borrow().distribution()?))
    };
    TableOutcome {
        spreads: masker.fields.iter().filter_map(spread).collect(),
        table: Some(table.name.clone()),
        rows: masker.rows,
        skipped: masker.skipped,
        deleted: masker.deleted,
        seconds: 0.0,
        columns,
    }
}
