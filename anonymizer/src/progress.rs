//! How far a run is. Engines report through [`Progress`]; the command line decides what to draw.

/// Receives progress; called from several tasks at once, so it must be cheap and never block.
pub trait Progress: Send + Sync {
    /// A phase begins (`prepare`, `mask`, `finish`).
    fn phase(&self, name: &str);
    /// Work on a table begins, with the rows expected (an estimate).
    fn table_started(&self, table: &str, expected_rows: u64);
    /// Rows read and masked so far.
    fn rows(&self, table: &str, done: u64);
    /// What is being done to the table now: `loading`, `building indexes`.
    fn step(&self, table: &str, step: &str);
    /// The table is done.
    fn table_finished(&self, table: &str, rows: u64);
}

/// Says nothing.
pub struct Silent;

impl Progress for Silent {
    fn phase(&self, _: &str) {}
    fn table_started(&self, _: &str, _: u64) {}
    fn rows(&self, _: &str, _: u64) {}
    fn step(&self, _: &str, _: &str) {}
    fn table_finished(&self, _: &str, _: u64) {}
}
