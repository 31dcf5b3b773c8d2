//! The originals of a table on their way to the vault: from the masks, which SQLite calls, and from the rows that go, which no
//! mask sees.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Result as SqlResult;

use super::codec::decode;
use super::session::Session;
use super::sql::quoted;
use crate::engine::collect::collect;
use crate::identifier::Identifier;
use crate::mask::{Mask, MaskError};
use crate::plan::{ColumnPlan, TablePlan};
use crate::value::Value;
use crate::verify::vault::Collector;

/// One unit's collector, shared by the masks of its columns. SQLite calls one at a time.
#[derive(Clone)]
pub(super) struct Collecting(Arc<Mutex<Option<Collector>>>);

impl Collecting {
    pub(super) fn new(collector: Option<Collector>) -> Self {
        Self(Arc::new(Mutex::new(collector)))
    }

    /// Gives the collector back.
    pub(super) fn end(&self) -> Option<Collector> {
        self.lock().take()
    }

    /// Collects what identifies somebody in a cell.
    pub(super) fn add(
        &self,
        identifies: Option<Identifier>,
        mask: &dyn Mask,
        value: &Value<'_>,
    ) -> Result<(), MaskError> {
        match self.lock().as_mut() {
            Some(collector) => collect(collector, identifies, mask, value),
            None => Ok(()),
        }
    }

    /// Collects from the rows of the original that do not get into the copy.
    pub(super) fn removed(&self, session: &Session, plan: &TablePlan) -> SqlResult<()> {
        let Some(staying) = session.deleted.staying(plan) else { return Ok(()) };
        let columns: Vec<(&ColumnPlan, &dyn Mask)> = plan
            .columns
            .iter()
            .filter(|column| column.has_originals())
            .filter_map(|column| Some((column, column.mask.as_deref()?)))
            .collect();
        if columns.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = columns.iter().map(|(column, _)| quoted(&column.name)).collect();
        let mut statement = session.connection.prepare(&format!(
            "SELECT {} FROM main.{} WHERE ({staying}) IS NOT TRUE",
            names.join(", "),
            quoted(&plan.name.name),
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for (at, (column, mask)) in columns.iter().enumerate() {
                let value = decode(&column.kind, row.get_ref(at)?);
                if !value.is_null() {
                    // A row may go because a mask could not read it.
                    let _ = self.add(column.identifies, *mask, &value);
                }
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Collector>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
