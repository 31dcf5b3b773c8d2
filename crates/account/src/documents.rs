//! Documents by key: rules, settings, reports, statements. A directory, or a bucket.

use std::path::{Path, PathBuf};

use crate::error::AccountError;
use crate::file;

/// Where documents are.
#[derive(Clone, Debug)]
pub enum Documents {
    /// Files below a directory; a key's slashes are directories.
    Directory(PathBuf),
}

impl Documents {
    /// What is there under a key.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, AccountError> {
        let Self::Directory(directory) = self;
        file::read(&file::path(directory, key)?, key)
    }

    /// Puts it there, in place of what was.
    pub async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), AccountError> {
        let Self::Directory(directory) = self;
        file::write(&file::path(directory, key)?, key, bytes)
    }

    /// The keys below a prefix that ends where a part ends, in order.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, AccountError> {
        let Self::Directory(directory) = self;
        let mut keys = Vec::new();
        below(&file::path(directory, prefix)?, prefix, &mut keys)?;
        keys.sort();
        Ok(keys)
    }

    /// Removes it; whether there was one makes no difference.
    pub async fn delete(&self, key: &str) -> Result<(), AccountError> {
        let Self::Directory(directory) = self;
        file::remove(&file::path(directory, key)?, key)
    }

    /// How a container is told where it is.
    pub fn uri(&self, key: &str) -> String {
        let Self::Directory(directory) = self;
        directory.join(key).display().to_string()
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
