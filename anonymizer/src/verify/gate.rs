//! Reads everything and looks for the originals.
//!
//! Every text, document, array and byte value of every table, largest table first and several at a time, then the texts of
//! the catalog. It reports places, kinds and counts, never a value. What the rules allow is reported with its reason and
//! does not fail.

use std::sync::Arc;
use std::time::Instant;

use contract::report::{Gate, Leak};
use tokio::task::{JoinError, JoinSet};

use super::anonymity;
use super::births;
use super::scope::Scope;
use super::search::{Place, Search};
use super::token::Kinds;
use super::vault::Originals;
use crate::engine::{Engine, EngineError, Read, Source};
use crate::identifier::Identifier;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::rules::Allow;

/// Looks at the whole database, `jobs` tables at a time.
pub async fn look<E: Engine + 'static>(
    engine: Arc<E>,
    plan: &Plan,
    originals: Arc<Originals>,
    jobs: usize,
    progress: Arc<dyn Progress>,
) -> Result<Gate, EngineError> {
    let start = Instant::now();
    let mut gate = Gate {
        originals: originals.count(),
        false_positive_rate: originals.false_positive_rate(),
        ..Gate::default()
    };
    let sources = engine.sources().await?;
    let mut waiting = sources.into_iter().map(|source| {
        let search = Search::new(Arc::clone(&originals), places(plan, &originals, &source));
        let rows = plan.tables.iter().find(|table| table.name == source.table);
        (source, search, rows.map_or(0, |table| table.estimated_rows))
    });
    let mut running = JoinSet::new();
    loop {
        while running.len() < jobs.max(1) {
            let Some((source, search, rows)) = waiting.next() else { break };
            running.spawn(read(Arc::clone(&engine), source, search, rows, Arc::clone(&progress)));
        }
        let Some(ended) = running.join_next().await else { break };
        take(&mut gate, ended.map_err(died)??, &plan.allow);
    }
    take(&mut gate, metadata(engine.as_ref(), originals).await?, &plan.allow);
    for mut suspect in births::of(engine.as_ref(), plan).await? {
        suspect.reason = reason(&plan.allow, &suspect.column, &suspect.kind);
        gate.suspects.push(suspect);
    }
    gate.anonymity = anonymity::of(engine.as_ref(), plan).await?;
    gate.leaks.sort_by(|a, b| (&a.place, &a.kind).cmp(&(&b.place, &b.kind)));
    gate.suspects.sort_by(|a, b| (&a.column, &a.kind).cmp(&(&b.column, &b.kind)));
    judge(&mut gate);
    gate.seconds = start.elapsed().as_secs_f64();
    Ok(gate)
}

/// Passed where nothing was found that the rules do not allow.
pub fn judge(gate: &mut Gate) {
    gate.passed = gate.leaks.iter().all(|leak| leak.reason.is_some())
        && gate.suspects.iter().all(|suspect| suspect.reason.is_some());
}

/// Why the rules allow a kind in a place.
pub(super) fn reason(allow: &[Allow], place: &str, kind: &str) -> Option<String> {
    let fits = |entry: &&Allow| {
        entry.column.value == place && entry.kind.as_ref().is_none_or(|only| only.value == kind)
    };
    allow.iter().find(fits).map(|entry| entry.reason.clone())
}

/// The kinds of which there are originals.
fn present(originals: &Originals) -> Kinds {
    let kinds = Identifier::ALL.into_iter().filter(|kind| originals.count_of(*kind) > 0);
    kinds.fold(Kinds::default(), Kinds::with)
}

fn places(plan: &Plan, originals: &Originals, source: &Source) -> Vec<Place> {
    let present = present(originals);
    let table = plan.tables.iter().find(|table| table.name == source.table);
    let place = |name: &String| {
        let column =
            table.and_then(|table| table.columns.iter().find(|column| column.name == *name));
        Place::column(&source.table, name, Scope::new(present, table, column), column)
    };
    source.columns.iter().map(place).collect()
}

async fn read<E: Engine>(
    engine: Arc<E>,
    source: Source,
    mut search: Search,
    rows: u64,
    progress: Arc<dyn Progress>,
) -> Result<Search, EngineError> {
    let name = source.table.to_string();
    progress.table_started(&name, rows);
    progress.step(&name, "looking for originals");
    engine.read(&source, &mut search).await?;
    progress.table_finished(&name, search.rows);
    search.finish().map_err(EngineError::from)
}

async fn metadata<E: Engine>(engine: &E, originals: Arc<Originals>) -> Result<Search, EngineError> {
    let scope = Scope::of_metadata(present(&originals));
    let mut search = Search::new(originals, Vec::new());
    for (name, text) in engine.metadata().await? {
        let at = search.place(Place::new(name, scope));
        search.value(at, Read::Text(&text));
    }
    search.finish().map_err(EngineError::from)
}

/// Adds what a search has found.
fn take(gate: &mut Gate, search: Search, allow: &[Allow]) {
    gate.values += search.values;
    gate.bytes += search.bytes;
    for place in search.places {
        for kind in Identifier::ALL {
            let count = place.tallies[kind as usize].leaks(place.values);
            if count > 0 {
                let reason = reason(allow, &place.name, kind.name());
                gate.leaks.push(Leak {
                    place: place.name.clone(),
                    kind: kind.name().into(),
                    count,
                    reason,
                });
            }
        }
        for mut suspect in place.sampled.suspects(&place.name) {
            suspect.reason = reason(allow, &place.name, &suspect.kind);
            gate.suspects.push(suspect);
        }
    }
}

/// A reader's task that panicked. The panic's own text may quote a value, so it is not repeated.
fn died(error: JoinError) -> EngineError {
    let how = if error.is_panic() { "by a panic, which is a bug" } else { "before its end" };
    EngineError::Unexpected(format!("a reader was stopped {how}"))
}
