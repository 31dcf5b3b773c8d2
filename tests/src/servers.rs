//! A folder for accounts that have PostgreSQL servers, which outlive whoever has started them: when the process ends, however it
//! does, a small shell stops those servers and removes the folder.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

/// Ends with the pipe on its standard input.
const GUARDIAN: &str = include_str!("../../crates/snapshots/tests/local/guardian.sh");

/// The folder; the root of the accounts is one below it.
pub struct Folder {
    directory: TempDir,
    guardian: Child,
}

impl Folder {
    /// An empty one.
    pub fn new() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        // The servers' own account has to come through.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o711))?;
        let mut guardian = Command::new("sh");
        guardian.args(["-c", GUARDIAN]).arg(directory.path()).stdin(Stdio::piped());
        let guardian = guardian.spawn().context("start the guardian")?;
        Ok(Self { directory, guardian })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        // Nothing to be done about a shell that is gone already.
        let _ = self.guardian.wait();
    }
}

/// What a statement answers with, unaligned; the server's refusal is the error.
pub fn ask(url: &str, sql: &str) -> Result<String> {
    let said = Command::new("psql").args(["-XAtq", "-d", url, "-c", sql]).output()?;
    match said.status.success() {
        true => Ok(String::from_utf8(said.stdout)?.trim().to_owned()),
        false => bail!("{}", String::from_utf8_lossy(&said.stderr).trim()),
    }
}
