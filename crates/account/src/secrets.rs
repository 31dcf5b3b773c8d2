//! Secrets by name. A directory of files that only their owner may read, or Secrets Manager.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::AccountError;
use crate::file;

/// A secret. It is not printed, and its memory is wiped when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps a text to itself.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text, for whoever must have it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where secrets are.
#[derive(Clone, Debug)]
pub enum Secrets {
    /// Files below a directory.
    Directory(PathBuf),
    /// Secrets Manager.
    #[cfg(feature = "aws")]
    Manager(crate::aws::Manager),
}

impl Secrets {
    /// The secret of that name, or the one that a reference leads to: the platform tells of its own secrets so.
    pub async fn get(&self, name: &str) -> Result<Option<Secret>, AccountError> {
        match self {
            Self::Directory(directory) => read(directory, name),
            #[cfg(feature = "aws")]
            Self::Manager(manager) => manager.get(name).await,
        }
    }

    /// Puts it there, in place of what was: the name stays, whoever reads by name reads the new one.
    pub async fn put(&self, name: &str, secret: &Secret) -> Result<(), AccountError> {
        match self {
            Self::Directory(directory) => {
                file::write(&file::path(directory, name)?, name, secret.expose().as_bytes())
            }
            #[cfg(feature = "aws")]
            Self::Manager(manager) => manager.put(name, secret).await,
        }
    }

    /// Removes it; whether there was one makes no difference.
    pub async fn delete(&self, name: &str) -> Result<(), AccountError> {
        match self {
            Self::Directory(directory) => file::remove(&file::path(directory, name)?, name),
            #[cfg(feature = "aws")]
            Self::Manager(manager) => manager.delete(name).await,
        }
    }

    /// How a container is told where it is: a file's path, or an ARN.
    pub fn reference(&self, name: &str) -> String {
        match self {
            Self::Directory(directory) => directory.join(name).display().to_string(),
            #[cfg(feature = "aws")]
            Self::Manager(manager) => manager.reference(name),
        }
    }
}

fn read(directory: &Path, name: &str) -> Result<Option<Secret>, AccountError> {
    let below = Path::new(name).strip_prefix(directory).ok().and_then(Path::to_str);
    let name = below.unwrap_or(name);
    let Some(bytes) = file::read(&file::path(directory, name)?, name)? else { return Ok(None) };
    let text = String::from_utf8(bytes)
        .map_err(|_| AccountError::Other(format!("the secret `{name}` is not a text")))?;
    Ok(Some(Secret::new(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_secret_is_read_by_name_and_by_reference_and_not_from_elsewhere() {
        let directory = tempfile::tempdir().unwrap();
        let secrets = Secrets::Directory(directory.path().join("secrets"));
        secrets.put("shop/database", &Secret::new("x")).await.unwrap();
        let reference = secrets.reference("shop/database");
        assert_eq!(secrets.get("shop/database").await.unwrap().unwrap().expose(), "x");
        assert_eq!(secrets.get(&reference).await.unwrap().unwrap().expose(), "x");
        assert_eq!(secrets.get("shop/other").await, Ok(None));
        std::fs::write(directory.path().join("elsewhere"), "y").unwrap();
        let elsewhere = directory.path().join("elsewhere").display().to_string();
        assert!(secrets.get(&elsewhere).await.is_err());
        assert!(secrets.get(&format!("{reference}/../../../elsewhere")).await.is_err());
    }
}
