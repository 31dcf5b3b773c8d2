//! The end of a run: with the verdict in it the masked copy takes the original's place, or it goes and the original stays.

use super::error::during;
use super::files::Copy;
use super::marker::{self, Binding};
use super::session::Session;
use super::sql;
use crate::engine::{EngineError, Marker};
use contract::report::Verdict;

/// A run between `finish` and `conclude`. Dropped, it leaves the original as it was and removes the copy.
pub(super) struct Masked {
    /// Holds the lock on the original.
    pub session: Session,
    /// The masked copy, whole and without residue.
    pub copy: Copy,
    /// What the marker tells a later run.
    pub binding: Binding,
}

/// Leaves the marker in the copy and renames it over the original, which is the last step; until then a failure leaves the
/// original as it was. With a failed verdict the copy is removed.
pub(super) fn conclude(masked: Masked, marker: &Marker) -> Result<(), EngineError> {
    let Masked { session, copy, binding } = masked;
    if marker.verdict == Verdict::Failed {
        return copy.remove();
    }
    let connection = sql::open(copy.path()).map_err(during("open the masked copy"))?;
    session.stop.watch(&connection);
    connection
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        .and_then(|()| marker::write(&connection, marker, &binding))
        .map_err(during("leave the run marker"))?;
    if session.wal {
        connection
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))
            .map_err(during("set the journal mode"))?;
    }
    connection.close().map_err(|(_, error)| during("close the masked copy")(error))?;
    copy.replace(&session.path, &session.metadata)
}
