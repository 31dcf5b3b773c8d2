//! Documents by key: rules, settings, reports, statements. A directory, or a bucket.

use std::path::{Path, PathBuf};

use crate::error::AccountError;
use crate::file;

/// Where documents are.
#[derive(Clone, Debug)]
pub enum Documents {
    /// Files below a directory; a key's slashes are directories.
    Directory(PathBuf),
    /// A bucket in S3.
    #[cfg(feature = "aws")]
    Bucket(crate::aws::Bucket),
}

impl Documents {
    /// What is there under a key.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, AccountError> {
        match self {
            Self::Directory(directory) => file::read(&file::path(directory, key)?, key),
            #[cfg(feature = "aws")]
            Self::Bucket(bucket) => bucket.get(key).await,
        }
    }

    /// Puts it there, in place of what was.
    pub async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), AccountError> {
        match self {
            Self::Directory(directory) => file::write(&file::path(directory, key)?, key, bytes),
            #[cfg(feature = "aws")]
            Self::Bucket(bucket) => bucket.put(key, bytes).await,
        }
    }

    /// The keys below a prefix that ends where a part ends, in order.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, AccountError> {
        match self {
            Self::Directory(directory) => {
                let mut keys = Vec::new();
                below(&file::path(directory, prefix)?, prefix, &mut keys)?;
                keys.sort();
                Ok(keys)
            }
            #[cfg(feature = "aws")]
            Self::Bucket(bucket) => bucket.list(prefix).await,
        }
    }

    /// Removes it; whether there was one makes no difference.
    pub async fn delete(&self, key: &str) -> Result<(), AccountError> {
        match self {
            Self::Directory(directory) => file::remove(&file::path(directory, key)?, key),
            #[cfg(feature = "aws")]
            Self::Bucket(bucket) => bucket.delete(key).await,
        }
    }

    /// How a container is told where it is.
    pub fn uri(&self, key: &str) -> String {
        match self {
            Self::Directory(directory) => directory.join(key).display().to_string(),
            #[cfg(feature = "aws")]
            Self::Bucket(bucket) => bucket.uri(key),
        }
    }
}

fn below(directory: &Path, prefix: &str, keys: &mut Vec<String>) -> Result<(), AccountError> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|error| AccountError::file("list", prefix, &error))?,
    };
    for entry in entries {
        let entry = entry.map_err(|error| AccountError::file("list", prefix, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // Half-written ones.
        if name.starts_with('.') {
            continue;
        }
        let key = format!("{prefix}/{name}");
        match entry.path().is_dir() {
            true => below(&entry.path(), &key, keys)?,
            false => keys.push(key),
        }
    }
    Ok(())
}
