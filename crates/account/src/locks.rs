//! Leases: who may work on a database until when. A directory, or a table.
//!
//! A lease that has run out is anybody's. Whoever asks again for what is his own has it for as long again; what belongs to
//! somebody else cannot be released by mistake.

use std::fs::File;
use std::path::{Path, PathBuf};

use fs4::fs_std::FileExt as _;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::AccountError;
use crate::file;

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// It is the asker's.
    Yes,
    /// It is somebody else's.
    HeldBy(String),
}

/// Where leases are.
#[derive(Clone, Debug)]
pub enum Locks {
    /// Files in a directory.
    Directory(PathBuf),
    /// A table in DynamoDB.
    #[cfg(feature = "aws")]
    Table(crate::aws::Table),
}

#[derive(Serialize, Deserialize)]
struct Lease {
    owner: String,
    until: Timestamp,
}

impl Locks {
    /// Takes the lease of that name for that long.
    pub async fn acquire(
        &self,
        name: &str,
        owner: &str,
        span: SignedDuration,
    ) -> Result<Acquired, AccountError> {
        match self {
            Self::Directory(directory) => acquire(directory, name, owner, span),
            #[cfg(feature = "aws")]
            Self::Table(table) => table.acquire(name, owner, span).await,
        }
    }

    /// Who has it.
    pub async fn owner(&self, name: &str) -> Result<Option<String>, AccountError> {
        match self {
            Self::Directory(directory) => {
                let lease = read(&file::path(directory, name)?, name)?;
                let lease = lease.filter(|lease| lease.until > Timestamp::now());
                Ok(lease.map(|lease| lease.owner))
            }
            #[cfg(feature = "aws")]
            Self::Table(table) => table.owner(name).await,
        }
    }

    /// Gives it back, where it is this owner's.
    pub async fn release(&self, name: &str, owner: &str) -> Result<(), AccountError> {
        match self {
            Self::Directory(directory) => release(directory, name, owner),
            #[cfg(feature = "aws")]
            Self::Table(table) => table.release(name, owner).await,
        }
    }
}

fn acquire(
    directory: &Path,
    name: &str,
    owner: &str,
    span: SignedDuration,
) -> Result<Acquired, AccountError> {
    let path = file::path(directory, name)?;
    let _guard = guard(directory, name)?;
    let now = Timestamp::now();
    if let Some(lease) = read(&path, name)?.filter(|lease| lease.owner != owner)
        && lease.until > now
    {
        return Ok(Acquired::HeldBy(lease.owner));
    }
    let until = now.checked_add(span).unwrap_or(Timestamp::MAX);
    let lease = serde_json::to_vec(&Lease { owner: owner.to_owned(), until })
        .map_err(|_| AccountError::Other(format!("the lease `{name}` cannot be written")))?;
    file::write(&path, name, &lease)?;
    Ok(Acquired::Yes)
}

fn release(directory: &Path, name: &str, owner: &str) -> Result<(), AccountError> {
    let path = file::path(directory, name)?;
    let _guard = guard(directory, name)?;
    match read(&path, name)? {
        Some(lease) if lease.owner == owner => file::remove(&path, name),
        _ => Ok(()),
    }
}

fn read(path: &Path, name: &str) -> Result<Option<Lease>, AccountError> {
    let Some(bytes) = file::read(path, name)? else { return Ok(None) };
    let broken =
        |_| AccountError::Other(format!("the lease `{name}` is not one\n(hint: remove its file)"));
    serde_json::from_slice(&bytes).map(Some).map_err(broken)
}

/// One asker at a time, among all processes.
fn guard(directory: &Path, name: &str) -> Result<File, AccountError> {
    let lock = || {
        std::fs::create_dir_all(directory)?;
        let file = File::create(directory.join(".guard"))?;
        file.lock_exclusive()?;
        Ok(file)
    };
    lock().map_err(|error: std::io::Error| AccountError::file("lock", name, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: SignedDuration = SignedDuration::from_hours(1);

    #[tokio::test]
    async fn one_owner_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let locks = Locks::Directory(directory.path().to_owned());
        assert_eq!(locks.acquire("shop", "one", LONG).await, Ok(Acquired::Yes));
        assert_eq!(locks.acquire("shop", "one", LONG).await, Ok(Acquired::Yes));
        assert_eq!(
            locks.acquire("shop", "two", LONG).await,
            Ok(Acquired::HeldBy("one".to_owned()))
        );
        assert_eq!(locks.acquire("crm", "two", LONG).await, Ok(Acquired::Yes));
        locks.release("shop", "two").await.unwrap();
        assert_eq!(locks.owner("shop").await, Ok(Some("one".to_owned())));
        locks.release("shop", "one").await.unwrap();
        locks.release("shop", "one").await.unwrap();
        assert_eq!(locks.acquire("shop", "two", LONG).await, Ok(Acquired::Yes));
    }

    #[tokio::test]
    async fn what_has_run_out_is_anybodys() {
        let directory = tempfile::tempdir().unwrap();
        let locks = Locks::Directory(directory.path().to_owned());
        let past = SignedDuration::from_secs(-1);
        assert_eq!(locks.acquire("shop", "one", past).await, Ok(Acquired::Yes));
        assert_eq!(locks.owner("shop").await, Ok(None));
        assert_eq!(locks.acquire("shop", "two", LONG).await, Ok(Acquired::Yes));
    }

    #[tokio::test]
    async fn of_many_that_ask_at_once_one_gets_it() {
        let directory = tempfile::tempdir().unwrap();
        let locks = Locks::Directory(directory.path().to_owned());
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        let won: usize = std::thread::scope(|scope| {
            let ask = |n: usize| {
                let locks = &locks;
                scope.spawn(move || {
                    let owner = format!("run-{n}");
                    runtime().block_on(locks.acquire("shop", &owner, LONG)) == Ok(Acquired::Yes)
                })
            };
            let askers: Vec<_> = (0..8).map(ask).collect();
            askers.into_iter().map(|a| usize::from(a.join().unwrap())).sum()
        });
        assert_eq!(won, 1);
    }

    #[tokio::test]
    async fn a_name_does_not_leave_the_directory() {
        let locks = Locks::Directory(std::env::temp_dir());
        for name in ["../x", "/x", "a//b", ".x", ""] {
            assert!(locks.acquire(name, "one", LONG).await.is_err(), "{name}");
        }
    }
}
