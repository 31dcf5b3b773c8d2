//! What an account's platform does by itself: its limits, and faults that it is told to have.
//!
//! Both are ordinary files beside the data, so that every process that opens the account meets the same conditions. A fault
//! makes the real verb end as it would on a bad day; it replaces none of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::place::{self, Place};
use crate::error::SnapshotError;

/// How many of each an account may have; the defaults are those of RDS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Databases.
    pub databases: usize,
    /// Snapshots that people and programs have made.
    pub snapshots: usize,
    /// Accounts that one snapshot is shared with.
    pub shared_accounts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { databases: 40, snapshots: 100, shared_accounts: 20 }
    }
}

/// What goes wrong, by the name of the database or snapshot it happens to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Snapshots that stay `creating` or `copying` until the fault is gone.
    pub stuck_snapshots: BTreeSet<String>,
    /// Snapshots that become `failed`.
    pub failing_snapshots: BTreeSet<String>,
    /// Databases that become `failed` in place of being restored.
    pub failing_restores: BTreeSet<String>,
    /// Databases of which a backup is kept when they are deleted.
    pub kept_backups: BTreeSet<String>,
    /// Renaming to this name is refused so many times.
    pub refused_renames: BTreeMap<String, u32>,
    /// Renaming to this name is accepted so many times and comes to nothing: the database is `available` under its old one.
    pub lost_renames: BTreeMap<String, u32>,
}

impl Limits {
    /// Those of an account.
    pub fn of(place: &Place) -> Result<Self, SnapshotError> {
        Ok(place::read(&file(place, "limits"))?.unwrap_or_default())
    }

    /// Sets those of an account.
    pub fn set(&self, place: &Place) -> Result<(), SnapshotError> {
        place::write(&file(place, "limits"), self)
    }
}

impl Faults {
    /// Those of an account.
    pub fn of(place: &Place) -> Result<Self, SnapshotError> {
        Ok(place::read(&file(place, "faults"))?.unwrap_or_default())
    }

    /// Sets those of an account.
    pub fn set(&self, place: &Place) -> Result<(), SnapshotError> {
        place::write(&file(place, "faults"), self)
    }

    /// Takes one time off, where there is one left. Whoever calls holds the account's lock.
    pub fn strikes(
        place: &Place,
        name: &str,
        which: fn(&mut Faults) -> &mut BTreeMap<String, u32>,
    ) -> Result<bool, SnapshotError> {
        let mut faults = Faults::of(place)?;
        let Some(left) = which(&mut faults).get_mut(name).filter(|left| **left > 0) else {
            return Ok(false);
        };
        *left -= 1;
        faults.set(place)?;
        Ok(true)
    }
}

fn file(place: &Place, which: &str) -> PathBuf {
    place.home().join(format!("{which}.json"))
}
