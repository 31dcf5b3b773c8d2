//! The database as it shall be: development's own settings, never production's.

use serde::Deserialize;
use snapshots::{Login, Restore, Snapshots};
use workflow::StepError;

use crate::world::World;
use crate::{current, names};

/// What steps are told that work on a database that a run has restored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restored {
    database: String,
    run: String,
    /// It.
    pub resource_id: String,
}

impl Restored {
    /// What was asked for when it was restored; refused for a database that is not the run's own.
    pub async fn intent<S: Snapshots>(&self, world: &World<S>) -> Result<Restore, StepError> {
        world.own(&self.resource_id, &self.run).await?;
        restore(world, &self.database, &self.run).await
    }
}

/// The intent of a run. It takes the settings of the database that it replaces, where there is one.
pub async fn restore<S: Snapshots>(
    world: &World<S>,
    database: &str,
    run: &str,
) -> Result<Restore, StepError> {
    let target = world.target(database)?;
    let current = current::database(world, target).await?;
    let (settings, backup_days) = match current {
        Some(current) => (current.settings, current.backup_days),
        None => (target.facts.clone(), target.backup_days),
    };
    Ok(Restore {
        name: names::new(&target.name, run),
        key: world.settings.key.clone(),
        login: Login::Managed { key: world.settings.key.clone() },
        backup_days,
        tags: names::tags(database, run, "received"),
        settings,
    })
}
