//! How far a run is, on standard error: bars on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, IsTerminal as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::print::{count, thousands};
use super::say;
use crate::finding::printable;
use crate::progress::Progress;

/// What fits where standard error goes.
pub fn progress() -> Arc<dyn Progress> {
    if io::stderr().is_terminal() { Arc::new(Bars::default()) } else { Arc::new(Lines::default()) }
}

/// One bar per table that is being masked: rows, rows per second, time left, and the step it is in.
#[derive(Default)]
struct Bars {
    all: MultiProgress,
    tables: Mutex<HashMap<String, ProgressBar>>,
}

const COUNTED: &str =
    "{prefix}  {bar:20}  {human_pos}/{human_len} rows  {rate} rows/s  {eta} left  {msg}";
const UNCOUNTED: &str = "{prefix}  {spinner}  {human_pos} rows  {rate} rows/s  {msg}";
/// Often enough to look alive, too seldom to cost anything.
const TICK: Duration = Duration::from_millis(250);

impl Bars {
    fn bar(&self, table: &str) -> Option<ProgressBar> {
        lock(&self.tables).get(table).cloned()
    }

    fn print(&self, line: &str) {
        let _ = self.all.println(line);
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the templates are valid");
    // The library's own rate has four decimals.
    let rate = |state: &ProgressState, into: &mut dyn fmt::Write| {
        // A bar that cannot be written is not worth a failure.
        let _ = into.write_str(&thousands(state.per_sec() as u64));
    };
    style.with_key("rate", rate)
}

impl Progress for Bars {
    fn phase(&self, name: &str) {
        self.print(name);
    }

    fn table_started(&self, table: &str, expected_rows: u64) {
        let (bar, template) = match expected_rows {
            0 => (ProgressBar::no_length(), UNCOUNTED),
            rows => (ProgressBar::new(rows), COUNTED),
        };
        let bar = self.all.add(bar);
        bar.set_style(style(template));
        bar.set_prefix(printable(table).into_owned());
        bar.enable_steady_tick(TICK);
        lock(&self.tables).insert(table.to_owned(), bar);
    }

    fn rows(&self, table: &str, done: u64) {
        if let Some(bar) = self.bar(table) {
            bar.set_position(done);
        }
    }

    fn step(&self, table: &str, step: &str) {
        match self.bar(table) {
            Some(bar) => bar.set_message(printable(step).into_owned()),
            // Not about a table with a bar of its own.
            None => self.print(&format!("{}: {}", printable(table), printable(step))),
        }
    }

    fn table_finished(&self, table: &str, rows: u64) {
        let bar = lock(&self.tables).remove(table);
        let elapsed = bar.as_ref().map_or(Duration::ZERO, ProgressBar::elapsed);
        if let Some(bar) = bar {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
        self.print(&finished(table, rows, elapsed));
    }
}

/// A line when a table starts, at each tenth of its rows (but not more often than every few seconds), at each step, and
/// when it is done.
#[derive(Default)]
struct Lines {
    tables: Mutex<HashMap<String, Table>>,
}

struct Table {
    expected: u64,
    tenths: u64,
    started: Instant,
    spoken: Instant,
}

/// A log is read afterwards: a small table's tenths are not worth a line each.
const QUIET: Duration = Duration::from_secs(2);

impl Lines {
    /// The line for that many rows, where one is due.
    fn due(&self, table: &str, done: u64) -> Option<String> {
        let mut tables = lock(&self.tables);
        let state = tables.get_mut(table)?;
        let tenths = (done * 10).checked_div(state.expected).unwrap_or(0).min(10);
        let advanced = tenths > state.tenths || state.expected == 0;
        if !advanced || state.spoken.elapsed() < QUIET {
            return None;
        }
        state.tenths = tenths;
        state.spoken = Instant::now();
        let seconds = state.started.elapsed().as_secs_f64();
        let speed = thousands((done as f64 / seconds) as u64);
        let percent =
            if state.expected > 0 { format!("{} %, ", tenths * 10) } else { String::new() };
        Some(format!("{}: {percent}{}, {speed} rows/s", printable(table), count(done, "row")))
    }
}

impl Progress for Lines {
    fn phase(&self, name: &str) {
        say(name);
    }

    fn table_started(&self, table: &str, expected_rows: u64) {
        say(&format!("{}: about {}", printable(table), count(expected_rows, "row")));
        let now = Instant::now();
        let state = Table { expected: expected_rows, tenths: 0, started: now, spoken: now };
        lock(&self.tables).insert(table.to_owned(), state);
    }

    fn rows(&self, table: &str, done: u64) {
        if let Some(line) = self.due(table, done) {
            say(&line);
        }
    }

    fn step(&self, table: &str, step: &str) {
        say(&format!("{}: {}", printable(table), printable(step)));
    }

    fn table_finished(&self, table: &str, rows: u64) {
        let state = lock(&self.tables).remove(table);
        let elapsed = state.map_or(Duration::ZERO, |state| state.started.elapsed());
        say(&finished(table, rows, elapsed));
    }
}

fn finished(table: &str, rows: u64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    format!("{}: done, {} in {seconds:.1} s", printable(table), count(rows, "row"))
}

/// A panic elsewhere does not spoil a map of bars.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(expected: u64) -> Lines {
        let lines = Lines::default();
        let long_ago = Instant::now() - Duration::from_secs(10);
        let table = Table { expected, tenths: 0, started: long_ago, spoken: long_ago };
        lock(&lines.tables).insert("t".into(), table);
        lines
    }

    #[test]
    fn a_line_is_due_at_a_tenth_and_not_twice() {
        let lines = lines(1000);
        assert_eq!(lines.due("t", 99), None);
        let line = lines.due("t", 250).expect("a line");
        assert!(line.starts_with("t: 20 %, 250 rows, "), "{line}");
        assert_eq!(lines.due("t", 400), None, "the last line was a moment ago");
    }

    #[test]
    fn a_wrong_estimate_does_no_harm() {
        let line = lines(10).due("t", 1000).expect("a line");
        assert!(line.starts_with("t: 100 %, 1,000 rows"), "{line}");
        let line = lines(0).due("t", 5).expect("a line");
        assert!(line.starts_with("t: 5 rows"), "{line}");
        assert_eq!(lines(10).due("unknown", 5), None);
    }
}
