//! Files that are there as a whole or not at all, and names that cannot leave their directory.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::AccountError;

/// The path of a key such as `reports/shop/run-1/report.json` below a directory.
pub(crate) fn path(directory: &Path, key: &str) -> Result<PathBuf, AccountError> {
    fits(key)?;
    Ok(directory.join(key))
}

/// Refuses what is no key, wherever documents are.
pub(crate) fn fits(key: &str) -> Result<(), AccountError> {
    let fits = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.=+".contains(c);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(allowed)
    };
    if !key.split('/').all(fits) {
        return Err(AccountError::Other(format!("`{key}` is no key of a document")));
    }
    Ok(())
}

/// What is in it; nothing where there is no file.
pub(crate) fn read(path: &Path, name: &str) -> Result<Option<Vec<u8>>, AccountError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AccountError::file("read", name, &error)),
    }
}

/// Writes it under another name and renames it; only its owner may read it.
pub(crate) fn write(path: &Path, name: &str, bytes: &[u8]) -> Result<(), AccountError> {
    let write = || {
        let directory = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory)?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error: std::io::Error| AccountError::file("write", name, &error))
}

/// Removes it; whether there was one makes no difference.
pub(crate) fn remove(path: &Path, name: &str) -> Result<(), AccountError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(AccountError::file("remove", name, &error))
        }
        _ => Ok(()),
    }
}
