//! Ends statements that take long, when the process is told to stop: SQLite's calls block, and only SQLite can end them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, InterruptHandle};

/// The connections of a run whose statements end when it is told to.
#[derive(Clone, Default)]
pub(super) struct Stop {
    connections: Arc<Mutex<Vec<InterruptHandle>>>,
}

impl Stop {
    /// From now on [`Stop::now`] ends what this connection is doing.
    pub(super) fn watch(&self, connection: &Connection) {
        self.connections().push(connection.get_interrupt_handle());
    }

    /// Ends the statements that are running. One that begins a moment later is not among them: call it again.
    pub(super) fn now(&self) {
        self.connections().iter().for_each(InterruptHandle::interrupt);
    }

    fn connections(&self) -> MutexGuard<'_, Vec<InterruptHandle>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
