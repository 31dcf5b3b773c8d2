//! The account on this machine: executions are processes of their own, which go on when this one ends.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use workflow::local::Record;

use super::place::InUse;
use super::{Error, Which};
use crate::Settings;
use crate::definitions::WORKFLOW;
use crate::local::Account;
use crate::record;

/// Until a process that was started has written down that it runs.
const PATIENCE: Duration = Duration::from_secs(30);

/// An account below a root.
pub(super) struct Here {
    /// It.
    pub(super) account: Account,
    settings: Settings,
    root: PathBuf,
}

impl Here {
    pub(super) async fn open(root: &Path) -> Result<Self, Error> {
        let account = Account::find(root)?;
        let settings = account.settings().await?;
        Ok(Self { account, settings, root: root.to_owned() })
    }

    /// The one that is meant; where there is one only, that.
    pub(super) fn database(&self, which: &Which) -> Result<String, Error> {
        let names: Vec<_> = self.settings.databases.keys().cloned().collect();
        match (&which.database, names.as_slice()) {
            (Some(name), names) if names.contains(name) => Ok(name.clone()),
            (None, [name]) => Ok(name.clone()),
            (Some(name), names) => {
                let hint = names.join(", ");
                Err(Error::Usage(format!("there is no database `{name}`\n(hint: there is {hint})")))
            }
            (None, names) => Err(Error::Usage(format!(
                "which database is meant?\n(hint: --database with one of {})",
                names.join(", ")
            ))),
        }
    }

    pub(super) fn executions(&self, database: &str) -> Result<Vec<Record>, Error> {
        let mut records = self.account.executions().list()?;
        records.retain(|record| {
            record.machine == WORKFLOW.machine && record.input["database"] == database
        });
        records.reverse();
        Ok(records)
    }

    /// Starts a process that runs the workflow.
    pub(super) async fn start(
        &self,
        run: &str,
        database: &str,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("execute").args(["--run", run, "--database", database]);
        command.arg("--local").arg(&self.root);
        if let Some(reason) = reason {
            command.args(["--reason", reason]);
        }
        // What is typed on the terminal is for this process alone.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let begun = Instant::now();
        loop {
            if self.account.executions().get(run)?.is_some() {
                return Ok(());
            }
            let failed = child.try_wait()?.is_some_and(|status| !status.success());
            if failed || begun.elapsed() > PATIENCE {
                return Err(Error::Broken(format!(
                    "{run} did not begin\n(hint: `refresh execute --run {run} --database {database}` says why)"
                )));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(super) fn ask(
        &self,
        source: &str,
        detail_type: &str,
        detail: &Value,
    ) -> Result<String, Error> {
        let bus = self.account.events_of(&self.settings.producer);
        Ok(bus.put(self.account.name(), source, detail_type, detail)?.id)
    }

    pub(super) async fn in_use(&self, database: &str) -> Result<Option<InUse>, Error> {
        let swaps = record::list(&self.account.documents(), database).await;
        let swaps = swaps.map_err(|error| Error::Broken(error.to_string()))?;
        Ok(swaps.into_iter().next_back().map(|swap| InUse {
            endpoint: swap.endpoint,
            data_as_of: swap.data_as_of,
            rules: swap.rules,
            since: swap.swapped_at,
        }))
    }

    pub(super) fn secret(&self, database: &str) -> Option<String> {
        self.settings.databases.get(database).map(|target| target.secret.clone())
    }
}
