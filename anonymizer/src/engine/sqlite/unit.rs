//! Masks one table: empties its copy and fills it again from the original, in one statement that calls the masks.
//!
//! Every row of the copy comes fresh from the original, so uniqueness is among masked rows alone, and a rerun never masks a
//! fake. Rowids stay; generated columns are left to SQLite; triggers do not fire.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use contract::report::Distribution;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value as Stored, ValueRef};
use rusqlite::{Connection, Error, Result as SqlResult};

use super::catalog::{MAIN, Shape};
use super::codec::{decode, encode};
use super::collecting::Collecting;
use super::error::during;
use super::session::{Session, virtual_table};
use super::sql::{self, quoted};
use super::virtual_table::{Storage, storage};
use crate::catalog::Kind;
use crate::engine::{ColumnOutcome, EngineError, TableOutcome};
use crate::identifier::Sought;
use crate::mask::{Cell, Mask, MaskError};
use crate::plan::{Action, ColumnPlan, TablePlan};
use crate::progress::Progress;
use crate::spread::Spread;

/// How often a running statement is looked at. SQLite does not report by itself.
const TICK: Duration = Duration::from_millis(100);

/// Carries out what the plan says about one table.
pub(super) fn table(
    session: &Session,
    plan: &TablePlan,
    collecting: &Collecting,
    progress: &dyn Progress,
) -> Result<TableOutcome, EngineError> {
    let started = Instant::now();
    let name = plan.name.name.as_str();
    let label = plan.name.to_string();
    let connection = &session.connection;
    let failed = |doing: &str| during(format!("{doing} {label}"));
    progress.table_started(&label, plan.estimated_rows);

    let before = count(connection, plan).map_err(failed("count the rows of"))?;
    let virtual_sql = virtual_table(connection, name).map_err(failed("look up"))?;
    empty(connection, name, virtual_sql.as_deref()).map_err(failed("empty"))?;
    let mut outcome = TableOutcome {
        table: Some(plan.name.clone()),
        columns: vec![ColumnOutcome::default(); plan.columns.len()],
        ..TableOutcome::default()
    };
    if plan.action == Action::Rewrite {
        progress.step(&label, "masking");
        refill(session, plan, virtual_sql.as_deref(), collecting, progress, &mut outcome)?;
        count_kept(session, plan, &mut outcome).map_err(failed("count the kept values of"))?;
    }
    collecting.removed(session, plan).map_err(failed("read the removed rows of"))?;
    outcome.deleted = before.saturating_sub(outcome.rows);
    outcome.seconds = started.elapsed().as_secs_f64();
    progress.table_finished(&label, outcome.rows);
    Ok(outcome)
}

/// Empties the copy of a table.
fn empty(connection: &Connection, name: &str, virtual_sql: Option<&str>) -> SqlResult<()> {
    let table = quoted(name);
    connection.execute_batch(&match virtual_sql.map(storage) {
        Some(Storage::WordsOnly) => {
            format!("INSERT INTO work.{table}({table}) VALUES ('delete-all')")
        }
        _ => format!("DELETE FROM work.{table}"),
    })
}

/// Fills the emptied copy of a table from the original.
fn refill(
    session: &Session,
    plan: &TablePlan,
    virtual_sql: Option<&str>,
    collecting: &Collecting,
    progress: &dyn Progress,
    outcome: &mut TableOutcome,
) -> Result<(), EngineError> {
    let connection = &session.connection;
    let label = plan.name.to_string();
    let failed = |doing: &str| during(format!("{doing} {label}"));
    let statement = insert(session, plan, virtual_sql).map_err(failed("read the shape of"))?;
    let failure = Failure::default();
    let masks = register(connection, plan, collecting, &failure)
        .map_err(failed("register the masks of"))?;
    // Any column's count tells how far the statement is; the first one stands for all.
    let seen = masks.iter().flatten().next().cloned();
    let filled = ticking(progress, &label, seen.as_deref(), || connection.execute(&statement, []));
    unregister(connection, plan).map_err(failed("forget the masks of"))?;
    outcome.rows = match (filled, failure.take()) {
        (Ok(rows), None) => rows as u64,
        (_, Some((column, source))) => {
            let column = &plan.columns[column];
            return Err(EngineError::Mask {
                table: label,
                column: column.name.clone(),
                function: column.function.clone(),
                source,
            });
        }
        (Err(error), None) => return Err(failed("mask")(error)),
    };
    for (outcome, counts) in outcome.columns.iter_mut().zip(&masks) {
        *outcome = counts.as_deref().map(Counts::read).unwrap_or_default();
    }
    let spread =
        |(at, counts): (usize, &Option<Arc<Counts>>)| Some((at, counts.as_ref()?.distribution()?));
    outcome.spreads = masks.iter().enumerate().filter_map(spread).collect();
    Ok(())
}

/// The one statement that fills the copy of a table.
fn insert(session: &Session, plan: &TablePlan, virtual_sql: Option<&str>) -> SqlResult<String> {
    let table = quoted(&plan.name.name);
    let shape = Shape::read(&session.connection, MAIN, &plan.name.name)?;
    let mut targets = Vec::new();
    let mut sources = Vec::new();
    let has_rowid = virtual_sql.is_none_or(|sql| storage(sql) == Storage::Rows { full_text: true });
    if let Some(alias) = shape.rowid_alias.filter(|_| has_rowid) {
        targets.push(alias.to_owned());
        sources.push(format!("{table}.{alias}"));
    }
    for (at, column) in plan.columns.iter().enumerate().filter(|(_, column)| !column.generated) {
        targets.push(quoted(&column.name));
        sources.push(source(plan, at, column));
    }
    let staying = session.deleted.staying(plan).unwrap_or_else(|| "TRUE".to_owned());
    // In the order of the rows, whatever index a predicate might suggest: the copy is then written from front to back.
    let scan = if virtual_sql.is_some() { "" } else { " NOT INDEXED" };
    // ABORT, whatever conflict clause the table declares: a fake must never silently replace a row.
    Ok(format!(
        "INSERT OR ABORT INTO work.{table}({}) SELECT {} FROM main.{table}{scan} WHERE {staying}",
        targets.join(", "),
        sources.join(", "),
    ))
}

/// The expression a column of the copy is filled from.
fn source(plan: &TablePlan, at: usize, column: &ColumnPlan) -> String {
    let table = quoted(&plan.name.name);
    let original = |column: &ColumnPlan| format!("{table}.{}", quoted(&column.name));
    if column.mask.is_none() {
        return original(column);
    }
    let beside = column.seed.into_iter().chain(given_names(plan, at));
    let beside: String =
        beside.map(|other| format!(", {}", original(&plan.columns[other]))).collect();
    let masked = format!("{}({}{beside})", function(at), original(column));
    match &plan.skip_rows {
        None => masked,
        Some(rows) => format!(
            "CASE WHEN {} THEN {} ELSE {masked} END",
            sql::predicate(rows),
            original(column)
        ),
    }
}

/// The columns whose given names belong to the family names of this one.
fn given_names(plan: &TablePlan, at: usize) -> impl Iterator<Item = usize> {
    plan.names().into_iter().filter(move |(_, last)| *last == at).map(|(first, _)| first)
}

/// The name under which a column's mask can be called.
fn function(column: usize) -> String {
    format!("anonymizer_mask_{column}")
}

/// Registers the masks of a table as SQL functions, and answers with each column's counts.
fn register(
    connection: &Connection,
    plan: &TablePlan,
    collecting: &Collecting,
    failure: &Failure,
) -> SqlResult<Vec<Option<Arc<Counts>>>> {
    let mut counts = Vec::new();
    for (at, column) in plan.columns.iter().enumerate() {
        let Some(mask) = &column.mask else {
            counts.push(None);
            continue;
        };
        let collects = column.has_originals() || given_names(plan, at).next().is_some();
        let masking = Masking {
            column: at,
            mask: Arc::clone(mask),
            kind: column.kind.clone(),
            seed_kind: column.seed.map(|seed| plan.columns[seed].kind.clone()),
            given_kinds: given_names(plan, at)
                .map(|given| plan.columns[given].kind.clone())
                .collect(),
            counts: Arc::new(Counts {
                spread: Spread::of(column).map(Mutex::new),
                ..Counts::default()
            }),
            failure: failure.clone(),
            collecting: collects.then(|| collecting.clone()),
            sought: column.sought(),
            buffer: RefCell::default(),
        };
        counts.push(Some(Arc::clone(&masking.counts)));
        connection.create_scalar_function(
            function(at).as_str(),
            arguments(plan, at),
            FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY,
            move |context| masking.call(context),
        )?;
    }
    Ok(counts)
}

fn unregister(connection: &Connection, plan: &TablePlan) -> SqlResult<()> {
    for (at, _) in plan.columns.iter().enumerate().filter(|(_, c)| c.mask.is_some()) {
        connection.remove_function(function(at).as_str(), arguments(plan, at))?;
    }
    Ok(())
}

/// The value, its seed where there is one, the given names that belong to it.
fn arguments(plan: &TablePlan, at: usize) -> i32 {
    1 + i32::from(plan.columns[at].seed.is_some()) + given_names(plan, at).count() as i32
}

/// A column's mask as an SQL function.
struct Masking {
    column: usize,
    mask: Arc<dyn Mask>,
    kind: Kind,
    seed_kind: Option<Kind>,
    given_kinds: Vec<Kind>,
    counts: Arc<Counts>,
    failure: Failure,
    /// Takes the originals that the leak gate looks for, where there are any.
    collecting: Option<Collecting>,
    sought: Sought,
    buffer: RefCell<String>,
}

impl Masking {
    fn call(&self, context: &Context<'_>) -> SqlResult<Stored> {
        let stored = context.get_raw(0);
        self.counts.values.fetch_add(1, Relaxed);
        if stored == ValueRef::Null {
            self.counts.nulls.fetch_add(1, Relaxed);
            return Ok(Stored::Null);
        }
        let seed = self.seed_kind.as_ref().map(|kind| decode(kind, context.get_raw(1)));
        self.collect_names(context, stored);
        let masked = self.masked(stored, seed).map_err(|error| {
            self.failure.put(self.column, error);
            Error::UserFunctionError("a value could not be masked".into())
        })?;
        if ValueRef::from(&masked) != stored {
            self.counts.changed.fetch_add(1, Relaxed);
        }
        Ok(masked)
    }

    /// Notes the names that this family name is with the given names of its row.
    fn collect_names(&self, context: &Context<'_>, stored: ValueRef<'_>) {
        let Some(collecting) = &self.collecting else { return };
        let from = context.len() - self.given_kinds.len();
        for (at, kind) in self.given_kinds.iter().enumerate() {
            let given = decode(kind, context.get_raw(from + at));
            collecting.add_name(&given, &decode(&self.kind, stored));
        }
    }

    fn masked(
        &self,
        stored: ValueRef<'_>,
        seed: Option<crate::value::Value<'_>>,
    ) -> Result<Stored, MaskError> {
        let mut buffer = self.buffer.borrow_mut();
        buffer.clear();
        let value = decode(&self.kind, stored);
        if let Some(collecting) = &self.collecting {
            collecting.add(self.sought, Some(self.mask.as_ref()), &value)?;
        }
        let seed = seed.as_ref().filter(|seed| !seed.is_null());
        let fake = self.mask.apply(&Cell { value: &value, seed, draw: None }, &mut buffer)?;
        if let Some(spread) = &self.counts.spread {
            spread.lock().unwrap_or_else(PoisonError::into_inner).see(&value, &fake);
        }
        encode(stored, fake)
    }
}

/// What a column's mask has seen so far.
#[derive(Default)]
struct Counts {
    values: AtomicU64,
    nulls: AtomicU64,
    changed: AtomicU64,
    spread: Option<Mutex<Spread>>,
}

impl Counts {
    fn read(&self) -> ColumnOutcome {
        ColumnOutcome {
            values: self.values.load(Relaxed),
            nulls: self.nulls.load(Relaxed),
            changed: self.changed.load(Relaxed),
        }
    }

    fn distribution(&self) -> Option<Distribution> {
        self.spread.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).distribution()
    }
}

/// The first value that a mask could not understand: its column, and why. SQLite would carry the text alone.
#[derive(Clone, Default)]
struct Failure(Arc<Mutex<Option<(usize, MaskError)>>>);

impl Failure {
    fn put(&self, column: usize, error: MaskError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert((column, error));
    }

    fn take(&self) -> Option<(usize, MaskError)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Runs a statement and reports every little while how far it is.
fn ticking<T>(
    progress: &dyn Progress,
    table: &str,
    seen: Option<&Counts>,
    statement: impl FnOnce() -> T,
) -> T {
    let Some(seen) = seen else { return statement() };
    thread::scope(|scope| {
        let (running, stopped) = channel::<()>();
        scope.spawn(move || {
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                progress.rows(table, seen.values.load(Relaxed));
            }
        });
        let answer = statement();
        drop(running);
        answer
    })
}

/// Counts what no mask has seen: rows that stay as they are, and the values of columns that are kept.
fn count_kept(session: &Session, plan: &TablePlan, outcome: &mut TableOutcome) -> SqlResult<()> {
    let is_kept = |column: &ColumnPlan| column.mask.is_none() && !column.generated;
    let mut counts = vec!["count(*)".to_owned()];
    for column in plan.columns.iter().filter(|column| is_kept(column)) {
        counts.push(format!("count({})", quoted(&column.name)));
    }
    let mut conditions = vec![session.deleted.staying(plan).unwrap_or_else(|| "TRUE".to_owned())];
    conditions.extend(plan.skip_rows.iter().map(|rows| format!("NOT {}", sql::predicate(rows))));
    let statement = format!(
        "SELECT {} FROM main.{} WHERE {}",
        counts.join(", "),
        quoted(&plan.name.name),
        conditions.join(" AND ")
    );
    session.connection.query_row(&statement, [], |row| {
        let count = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
        let values = count(0)?;
        outcome.skipped = outcome.rows.saturating_sub(values);
        let kept = plan.columns.iter().zip(&mut outcome.columns).filter(|(plan, _)| is_kept(plan));
        for (at, (_, column)) in kept.enumerate() {
            *column = ColumnOutcome { values, nulls: values - count(at + 1)?, changed: 0 };
        }
        Ok(())
    })
}

/// Rows of the original.
fn count(connection: &Connection, plan: &TablePlan) -> SqlResult<u64> {
    let sql = format!("SELECT count(*) FROM main.{}", quoted(&plan.name.name));
    connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}
