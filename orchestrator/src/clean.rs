//! Removing what a run has made: the run's own clean-up and the reaper's, one routine. It can be called at any moment, as
//! often as one likes, in whatever state a run was left.
//!
//! It touches nothing that does not have the name and the tag of that run, and answers with everything that is still there:
//! only an empty answer proves anything. It does not wait for what it has asked for.

use serde::Serialize;
use snapshots::{Database, Snapshot, SnapshotError, Snapshots};
use workflow::StepError;

use crate::names::{self, RAW, SHARE, STAGE, TEMPORARY};
use crate::poll::Poll;
use crate::record;
use crate::settings::Settings;
use crate::world::World;

/// Removes what there is of a run; its release too, if it shall be withdrawn. Answers with what was still there.
pub async fn clean<S: Snapshots>(
    world: &World<S>,
    run: &str,
    withdraw: bool,
) -> Result<Vec<String>, StepError> {
    let mut cleaner = Cleaner { world, run, left: Vec::new(), failed: None };
    // First what others can get at.
    if withdraw {
        cleaner.withdraw().await?;
    }
    cleaner.databases().await?;
    cleaner.snapshots().await?;
    cleaner.backups().await?;
    cleaner.state().await?;
    match cleaner.failed {
        Some(error) => Err(error),
        None => Ok(cleaner.left),
    }
}

/// Takes a released snapshot back: nobody finds its statement, and it goes, from everybody. Who may restore it is not changed
/// before: whoever could do that could share a snapshot too, and that is for one step alone.
pub async fn take_back<S: Snapshots>(
    world: &World<S>,
    database: &str,
    snapshot: &Snapshot,
) -> Result<(), StepError> {
    world.handover.delete(&names::statement(database, &snapshot.name)).await?;
    gone(world.snapshots.delete_snapshot(&snapshot.arn).await)
}

/// What a step says that removes: what was still there, and when to ask again.
#[derive(Serialize)]
pub struct Left {
    left: Vec<String>,
    #[serde(flatten)]
    poll: Poll,
}

impl Left {
    /// Asked again until nothing is left, as long as that may take.
    pub fn new(left: Vec<String>, waited: u64, settings: &Settings) -> Result<Self, StepError> {
        let poll = if left.is_empty() {
            Poll::ready(waited)
        } else {
            let what = format!("{} to be gone", left.join(", "));
            Poll::wait(waited, settings.deadlines.delete, &settings.pauses, &what)?
        };
        Ok(Self { left, poll })
    }
}

struct Cleaner<'a, S: Snapshots> {
    world: &'a World<S>,
    run: &'a str,
    left: Vec<String>,
    /// What one thing says must not keep the others from being removed.
    failed: Option<StepError>,
}

impl<S: Snapshots> Cleaner<'_, S> {
    async fn withdraw(&mut self) -> Result<(), StepError> {
        // Also where the snapshot is gone already.
        if let Some(record) = record::get(&self.world.documents, self.run).await? {
            let snapshot = names::of(SHARE, &record.database, self.run);
            let statement = names::statement(&record.database, &snapshot);
            self.world.handover.delete(&statement).await?;
        }
        for snapshot in self.own_snapshots(&[SHARE]).await? {
            let database = snapshot.tags.get(names::DATABASE_TAG).cloned().unwrap_or_default();
            let taken = take_back(self.world, &database, &snapshot).await;
            self.note(snapshot.name, taken);
        }
        Ok(())
    }

    async fn databases(&mut self) -> Result<(), StepError> {
        for database in self.world.snapshots.databases().await? {
            if names::maker(&[TEMPORARY], &database.name, &database.tags) != Some(self.run) {
                continue;
            }
            let deleted = self.database(&database).await;
            self.note(database.name, deleted);
        }
        Ok(())
    }

    async fn database(&self, database: &Database) -> Result<(), StepError> {
        let name = database.tags.get(names::DATABASE_TAG).map_or("", String::as_str);
        // Its automatic backups are found by this alone once it is gone.
        let documents = &self.world.documents;
        record::restored(documents, self.run, name, &database.resource_id).await?;
        if database.protected {
            self.world.snapshots.protect(&database.resource_id, false).await?;
        }
        gone(self.world.snapshots.delete_database(&database.resource_id).await)
    }

    async fn snapshots(&mut self) -> Result<(), StepError> {
        for snapshot in self.own_snapshots(&[RAW, STAGE]).await? {
            let deleted = gone(self.world.snapshots.delete_snapshot(&snapshot.arn).await);
            self.note(snapshot.name, deleted);
        }
        Ok(())
    }

    async fn backups(&mut self) -> Result<(), StepError> {
        let Some(record) = record::get(&self.world.documents, self.run).await? else {
            return Ok(());
        };
        for resource_id in &record.restored {
            if self.world.snapshots.by_resource_id(resource_id).await?.is_some() {
                continue;
            }
            let backups = self.world.snapshots.automatic_backups(resource_id).await?;
            if backups.is_empty() {
                continue;
            }
            let deleted = self.world.snapshots.delete_automatic_backups(resource_id).await;
            for backup in backups {
                self.note(backup, gone(deleted.clone()));
            }
        }
        Ok(())
    }

    /// What a masking run kept for its rerun: sealed, and of no use any more.
    async fn state(&mut self) -> Result<(), StepError> {
        let Some(record) = record::get(&self.world.documents, self.run).await? else {
            return Ok(());
        };
        for key in self.world.documents.list(&names::state(&record.database, self.run)).await? {
            self.world.documents.delete(&key).await?;
        }
        Ok(())
    }

    async fn own_snapshots(&self, prefixes: &[&str]) -> Result<Vec<Snapshot>, StepError> {
        let mut all = self.world.snapshots.snapshots().await?;
        all.retain(|snapshot| {
            names::maker(prefixes, &snapshot.name, &snapshot.tags) == Some(self.run)
        });
        Ok(all)
    }

    fn note(&mut self, name: String, result: Result<(), StepError>) {
        self.left.push(name);
        // What only cannot be deleted yet is asked again.
        if let Err(error) = result
            && !matches!(error, StepError::Retryable(_))
        {
            self.failed.get_or_insert(error);
        }
    }
}

/// Not there is what was asked for.
fn gone(deleted: Result<(), SnapshotError>) -> Result<(), StepError> {
    match deleted {
        Err(SnapshotError::NotFound(_)) => Ok(()),
        deleted => Ok(deleted?),
    }
}
