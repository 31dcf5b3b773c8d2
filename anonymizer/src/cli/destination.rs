//! Where a run's report goes: a directory, or a place in S3. Nothing is there before the database refers to it.
//!
//! In a directory the files wait without their names. For S3 they wait in a temporary directory; what is there is replaced and
//! never removed, so that a role that may only write will do: give each run a place of its own.

use std::path::{Path, PathBuf};

use contract::key::SigningKey;
use contract::statement::Statement;
use tempfile::TempDir;

use super::report::{prepare, show, stage};
use super::{Error, cloud, earlier};
use crate::report::{self, Staged};

/// A place for a report.
pub enum Destination {
    /// A directory.
    Directory(PathBuf),
    /// A URI, and the directory in which its files wait.
    Uri(String, TempDir),
}

impl Destination {
    /// A place that can be written to, as far as can be known before.
    pub fn new(report: &Path) -> Result<Self, Error> {
        if !cloud::is_uri(report) {
            prepare(report)?;
            return Ok(Self::Directory(report.to_path_buf()));
        }
        let uri = report.display().to_string().trim_end_matches('/').to_owned();
        cloud::fits("write the report", &uri)?;
        let waiting = tempfile::tempdir()
            .map_err(|source| Error::Io { task: "make a temporary directory".into(), source })?;
        Ok(Self::Uri(uri, waiting))
    }

    /// Puts the report's files on the disk, without their names.
    pub fn stage(
        &self,
        statement: &Statement,
        bytes: &[u8],
        key: Option<&SigningKey>,
    ) -> Result<Vec<Staged>, Error> {
        let directory = match self {
            Self::Directory(directory) => directory,
            Self::Uri(_, waiting) => waiting.path(),
        };
        stage(directory, statement, bytes, key)
    }

    /// Gives the files their names; answers with the statement's.
    pub async fn show(&self, staged: Vec<Staged>) -> Result<PathBuf, Error> {
        let uri = match self {
            Self::Directory(directory) => return show(directory, staged),
            Self::Uri(uri, _) => uri,
        };
        // The statement, which is staged first, comes last: whoever sees it sees all.
        for file in staged.iter().rev() {
            let name = file.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let task = format!("write {uri}/{name} (the run is concluded)");
            let bytes = file.bytes().map_err(|source| Error::Io { task: task.clone(), source })?;
            cloud::put(&task, uri, name, &bytes).await?;
        }
        Ok(Path::new(uri).join(report::FILE_NAME))
    }

    /// Brings back the files of an earlier run where the report among them is this one. Answers with its path.
    pub fn bring_back(&self, report: &[u8]) -> Result<Option<PathBuf>, Error> {
        let Self::Directory(directory) = self else { return Ok(None) };
        let is_back = earlier::move_back(directory, report)?;
        Ok(is_back.then(|| directory.join(report::FILE_NAME)))
    }
}

/// A path, and no URI that would become a directory of that name.
pub fn directory(text: &str) -> Result<PathBuf, String> {
    match text.contains("://") {
        true => Err("it is a directory on this machine, not a URI".into()),
        false => Ok(text.into()),
    }
}
