//! What the steps of the production account have around them.

use account::{Documents, Executions, Locks, Previews, Signer};
use contract::statement::sha256;
use snapshots::{Database, Snapshot, SnapshotError, Snapshots};
use workflow::StepError;

use crate::names;
use crate::settings::{Server, Settings};

/// The account.
pub struct World<S: Snapshots> {
    /// Its databases and snapshots.
    pub snapshots: S,
    /// Who works on which database.
    pub locks: Locks,
    /// Rules and what is remembered of runs. No other account sees them.
    pub documents: Documents,
    /// Reports of masking runs. No other account sees them, and where there is a way to, nobody can change them.
    pub reports: Documents,
    /// Signed statements: the other accounts may read them, and nothing else.
    pub handover: Documents,
    /// Who signs releases.
    pub signer: Signer,
    /// Who says beforehand what sharing would open.
    pub previews: Previews,
    /// Which executions run.
    pub executions: Executions,
    /// What it is told once.
    pub settings: Settings,
}

/// Rules for one of a server's databases.
pub struct Rules {
    /// The database's name on its server; the file's name for SQLite.
    pub name: String,
    /// Where they stand.
    pub key: String,
    /// SHA-256 of the file, hex.
    pub digest: String,
}

impl<S: Snapshots> World<S> {
    /// The settings of a server.
    pub fn server(&self, database: &str) -> Result<&Server, StepError> {
        self.settings.databases.get(database).ok_or_else(|| {
            StepError::Refused(format!("there are no settings for a database `{database}`"))
        })
    }

    /// A database that must be there.
    pub async fn existing(&self, resource_id: &str) -> Result<Database, StepError> {
        let found = self.snapshots.by_resource_id(resource_id).await?;
        found.ok_or_else(|| StepError::Fatal(format!("database {resource_id} does not exist")))
    }

    /// Every rules file of a server, in the order in which its databases are masked.
    pub async fn rules(&self, database: &str) -> Result<Vec<Rules>, StepError> {
        let folder = names::rules(database);
        let mut all = Vec::new();
        for key in self.documents.list(&folder).await? {
            let name = key.strip_prefix(&folder).and_then(|rest| rest.strip_prefix('/'));
            let Some(name) = name.and_then(|name| name.strip_suffix(".yaml")) else { continue };
            let Some(bytes) = self.documents.get(&key).await? else { continue };
            all.push(Rules { name: name.to_owned(), digest: sha256(&bytes), key: key.clone() });
        }
        Ok(all)
    }

    /// A snapshot that this run has begun to make under that name, in this try or an earlier one.
    pub async fn begun(
        &self,
        begun: Result<Snapshot, SnapshotError>,
        name: &str,
        run: &str,
    ) -> Result<Snapshot, StepError> {
        match begun {
            Err(SnapshotError::Exists(_)) => {}
            begun => return Ok(begun?),
        }
        let all = self.snapshots.snapshots().await?;
        let same = all.into_iter().find(|snapshot| snapshot.name == name);
        match same {
            None => Err(StepError::Retryable(format!("snapshot {name} exists and is not listed"))),
            Some(found) if found.tags.get(names::RUN_TAG).is_some_and(|of| of == run) => Ok(found),
            Some(_) => {
                Err(StepError::Refused(format!("snapshot {name} exists and is not of this run")))
            }
        }
    }
}
