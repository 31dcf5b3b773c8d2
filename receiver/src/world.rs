//! What the steps of the development account have around them.

use std::path::PathBuf;

use account::{Documents, Executions, Locks, Secrets};
use snapshots::{Database, SnapshotError, Snapshots};
use workflow::StepError;

use crate::names;
use crate::settings::{Settings, Target};

/// The account.
pub struct World<S: Snapshots> {
    /// Its databases and snapshots, and what others share with it.
    pub snapshots: S,
    /// Who works on which database.
    pub locks: Locks,
    /// What is remembered of swaps.
    pub documents: Documents,
    /// Production's signed statements, to be read.
    pub handover: Documents,
    /// Credentials.
    pub secrets: Secrets,
    /// Which executions still run.
    pub executions: Executions,
    /// Who may have signed the certificates of servers on other machines, beside the public authorities: a file, PEM.
    pub authorities: Option<PathBuf>,
    /// Everything else it was told.
    pub settings: Settings,
}

impl<S: Snapshots> World<S> {
    /// What is said of a database.
    pub fn target(&self, database: &str) -> Result<&Target, StepError> {
        self.settings.target(database)
    }

    /// A database that must be there.
    pub async fn database(&self, resource_id: &str) -> Result<Database, StepError> {
        let found = self.snapshots.by_resource_id(resource_id).await?;
        found.ok_or_else(|| SnapshotError::NotFound(format!("database {resource_id}")).into())
    }

    /// A database that this run has made, and nobody else.
    pub async fn own(&self, resource_id: &str, run: &str) -> Result<Database, StepError> {
        let database = self.database(resource_id).await?;
        if !made_by(&database, run) {
            let text = format!("database {} is not of this run", database.name);
            return Err(StepError::Refused(text));
        }
        Ok(database)
    }
}

/// It carries that run's mark.
pub fn made_by(database: &Database, run: &str) -> bool {
    database.tags.get(names::RUN_TAG).is_some_and(|tag| tag == run)
}
