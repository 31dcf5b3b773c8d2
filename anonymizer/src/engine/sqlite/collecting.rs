//! The originals of a table on their way to the vault: from the masks, which SQLite calls, and from the rows that go, which no
//! mask sees.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Result as SqlResult;

use super::codec::decode;
use super::session::Session;
use super::sql::quoted;
use crate::engine::collect::{collect, collect_name};
use crate::identifier::Sought;
use crate::mask::{Mask, MaskError};
use crate::plan::{Action, ColumnPlan, TablePlan};
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
        sought: Sought,
        mask: Option<&dyn Mask>,
        value: &Value<'_>,
    ) -> Result<(), MaskError> {
        match self.lock().as_mut() {
            Some(collector) => collect(collector, sought, mask, value),
            None => Ok(()),
        }
    }

    /// Collects a person's name whose parts are two cells.
    pub(super) fn add_name(&self, first: &Value<'_>, last: &Value<'_>) {
        if let Some(collector) = self.lock().as_mut() {
            collect_name(collector, first, last);
        }
    }

    /// Collects from the rows of the original that do not get into the copy.
    pub(super) fn removed(&self, session: &Session, plan: &TablePlan) -> SqlResult<()> {
        let staying = match plan.action {
            Action::Truncate => Some("FALSE".to_owned()),
            Action::Keep | Action::Rewrite => session.deleted.staying(plan),
        };
        let Some(staying) = staying.filter(|_| plan.has_originals()) else { return Ok(()) };
        let holds = |column: &&ColumnPlan| column.has_originals() || column.name_part.is_some();
        let columns: Vec<&ColumnPlan> = plan.columns.iter().filter(holds).collect();
        let at = |index: usize| {
            columns.iter().position(|column| column.name == plan.columns[index].name)
        };
        let pairs = plan.names();
        let pairs: Vec<(usize, usize)> =
            pairs.iter().filter_map(|(first, last)| at(*first).zip(at(*last))).collect();
        let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        let mut statement = session.connection.prepare(&format!(
            "SELECT {} FROM main.{} WHERE ({staying}) IS NOT TRUE",
            names.join(", "),
            quoted(&plan.name.name),
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let value = |at: usize| -> SqlResult<Value<'_>> {
                Ok(decode(&columns[at].kind, row.get_ref(at)?))
            };
            for (at, column) in columns.iter().enumerate() {
                let value = value(at)?;
                if !value.is_null() {
                    // A row may go because a mask could not read it.
                    let _ = self.add(column.sought(), column.mask.as_deref(), &value);
                }
            }
            for (first, last) in &pairs {
                self.add_name(&value(*first)?, &value(*last)?);
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Collector>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
