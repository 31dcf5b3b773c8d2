//! Whether a run of a state machine still runs: what decides over its leftovers and its lock. A directory of executions.

use std::path::PathBuf;

use workflow::local::{self, Status};

use crate::error::AccountError;

/// Where executions are.
#[derive(Clone, Debug)]
pub enum Executions {
    /// One file each.
    Directory(PathBuf),
}

impl Executions {
    /// The execution of that name runs. One that nobody knows does not.
    pub async fn runs(&self, name: &str) -> Result<bool, AccountError> {
        let Self::Directory(directory) = self;
        let executions = local::Executions { directory: directory.clone() };
        let record = executions.get(name).map_err(|e| AccountError::file("read", name, &e))?;
        Ok(record.is_some_and(|record| record.status == Status::Running))
    }
}
