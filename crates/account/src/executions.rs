//! Whether a run of a state machine still runs: what decides over its leftovers and its lock. A directory of executions, or a
//! state machine of Step Functions. An execution that cannot be looked at is an error, and never one that does not run.

use std::path::PathBuf;

use workflow::local::{self, Status};

use crate::error::AccountError;

/// Where executions are.
#[derive(Clone, Debug)]
pub enum Executions {
    /// One file each.
    Directory(PathBuf),
    /// A state machine.
    #[cfg(feature = "states")]
    Machine(crate::aws::Machine),
}

impl Executions {
    /// The execution of that name runs. One that nobody knows does not.
    pub async fn runs(&self, name: &str) -> Result<bool, AccountError> {
        let record = match self {
            Self::Directory(directory) => {
                let executions = local::Executions { directory: directory.clone() };
                executions.get(name).map_err(|e| AccountError::file("read", name, &e))?
            }
            #[cfg(feature = "states")]
            Self::Machine(machine) => machine.get(name).await?,
        };
        Ok(record.is_some_and(|record| record.status == Status::Running))
    }
}
