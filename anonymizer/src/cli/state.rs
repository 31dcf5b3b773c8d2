//! `--state`: where a run keeps what its rerun must know, and the vault in it.
//!
//! In S3 that is what a container's successor finds: its own disk goes with it. There and here, one directory for each database, named by a hash of where the database is, so that two databases never share one and the
//! same command finds it again. It is never inside the report's directory: reports travel, fingerprints do not.

use std::env;
use std::path::{Path, PathBuf};

use clap::Args;
use sha2::{Digest as _, Sha256};

use super::{Error, cloud};
use crate::engine::Engine;
use crate::mask::key::Keyring;
use crate::verify::state;
use crate::verify::vault::Vault;

const TASK: &str = "keep the state";

/// Where the state is.
#[derive(Debug, Args)]
pub struct StateArguments {
    /// Keep encrypted fingerprints of the originals under this directory until the verdict, for the leak gate and for a
    /// rerun. Each database has a directory of its own in it. By default `anonymizer` in XDG_STATE_HOME, or
    /// ~/.local/state/anonymizer; with a key that is made for the run, a temporary directory. Below an `s3://BUCKET/KEY` they
    /// outlive the machine: each file is there before its unit commits.
    #[arg(long, value_name = "DIR", env = "ANONYMIZER_STATE", hide_env_values = true)]
    state: Option<PathBuf>,
}

impl StateArguments {
    /// Refuses a state inside the directory of the report.
    pub fn refuse_within(&self, report: &Path) -> Result<(), Error> {
        let Some(state) = &self.state else { return Ok(()) };
        let within = match (cloud::is_uri(state), cloud::is_uri(report)) {
            (false, false) => resolved(state).starts_with(resolved(report)),
            // As a path, a URI has its slashes where it has them.
            (true, true) => state.starts_with(report),
            _ => false,
        };
        if !within {
            return Ok(());
        }
        Err(Error::Usage(format!(
            "keep the state in {}: it lies in the report directory\n(hint: reports are handed on and the state is not: name another with --state)",
            state.display()
        )))
    }

    /// The vault of a database's run.
    pub async fn vault<E: Engine>(&self, engine: &E, keyring: &Keyring) -> Result<Vault, Error> {
        let unusable = |why: String| Error::Usage(format!("keep the state: {why}"));
        let uri = self.state.as_deref().filter(|state| cloud::is_uri(state));
        let directory = self.state.as_deref().filter(|_| uri.is_none());
        if let Some(directory) = directory {
            state::prepare(directory).map_err(unusable)?;
        }
        // Nobody will have the key again, or nothing is left of a run that stopped: nothing needs to outlive the process.
        let passing = keyring.is_ephemeral() || !engine.resumes();
        if let Some(uri) = uri {
            cloud::fits(TASK, &uri.display().to_string())?;
        }
        let vault = match uri {
            _ if passing => Vault::private(directory, keyring),
            Some(uri) => {
                let fetched = tempfile::tempdir().map_err(|source| Error::Io {
                    task: "make a temporary directory".into(),
                    source,
                })?;
                let uri = format!("{}/{}", uri.display(), own(&engine.location()));
                let elsewhere = cloud::state(TASK, &uri, fetched.path()).await?;
                Vault::carried(fetched, elsewhere, keyring)
            }
            None => {
                let directory = self.directory(&engine.location());
                // Whoever could write to the one around it could replace it.
                state::prepare(directory.parent().unwrap_or(&directory)).map_err(unusable)?;
                Vault::open(&directory, keyring)
            }
        };
        vault.map_err(|error| unusable(error.to_string()))
    }

    fn directory(&self, database: &str) -> PathBuf {
        self.state.clone().unwrap_or_else(default_directory).join(own(database))
    }
}

/// The name of a database's own directory.
fn own(database: &str) -> String {
    hex::encode(&Sha256::digest(database)[..16])
}

/// The user's own directory for state, as the XDG Base Directory Specification has it.
fn default_directory() -> PathBuf {
    let set = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || set("HOME").map(|home| home.join(".local/state"));
    match set("XDG_STATE_HOME").or_else(home) {
        Some(state) => state.join("anonymizer"),
        None => {
            let user = rustix::process::geteuid().as_raw();
            env::temp_dir().join(format!("anonymizer-{user}"))
        }
    }
}

/// The path without links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    for ancestor in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (ancestor.canonicalize(), path.strip_prefix(ancestor)) {
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(state: &Path, report: &Path) -> bool {
        StateArguments { state: Some(state.to_path_buf()) }.refuse_within(report).is_err()
    }

    #[test]
    fn a_state_in_the_report_is_refused_however_it_is_written() {
        let base = tempfile::tempdir().unwrap();
        let report = base.path().join("report");
        std::fs::create_dir(&report).unwrap();
        let link = base.path().join("link");
        std::os::unix::fs::symlink(&report, &link).unwrap();
        assert!(within(&report, &report));
        assert!(within(&report.join("not/yet/there"), &report));
        assert!(within(&link.join("state"), &report));
        assert!(within(&report.join("state"), &link));
        assert!(!within(&base.path().join("report-state"), &report));
        assert!(!within(base.path(), &report));
        assert!(StateArguments { state: None }.refuse_within(&report).is_ok());
        let uri = Path::new("s3://documents/reports/shop");
        assert!(within(Path::new("s3://documents/reports/shop/state"), uri));
        assert!(within(uri, uri));
        assert!(!within(Path::new("s3://documents/reports/shopping"), uri));
        assert!(!within(Path::new("s3://documents/state/shop"), uri));
        assert!(!within(uri, &report) && !within(&report, uri));
    }

    #[test]
    fn a_database_finds_its_own_directory_again() {
        let arguments = StateArguments { state: Some("/srv/state".into()) };
        let shop = arguments.directory("db:5432/shop");
        assert_eq!(shop, arguments.directory("db:5432/shop"));
        assert_ne!(shop, arguments.directory("db:5432/crm"));
        assert_eq!(shop.parent().unwrap(), Path::new("/srv/state"));
        assert!(!shop.to_string_lossy().contains("shop"));
    }
}
