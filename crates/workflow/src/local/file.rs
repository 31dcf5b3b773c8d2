//! Files that are there as a whole or not at all, and names that cannot leave their directory.

use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The file of that name in a directory.
pub(super) fn named(directory: &Path, name: &str) -> io::Result<PathBuf> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 80 || !name.chars().all(plain) {
        let text = format!("`{name}` is no name: 1 to 80 letters, digits and hyphens");
        return Err(io::Error::new(ErrorKind::InvalidInput, text));
    }
    Ok(directory.join(format!("{name}.json")))
}

/// Writes it under another name and renames it; where it must be new, one that is there is an error.
pub(super) fn write<T: Serialize>(path: &Path, document: &T, new: bool) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::Builder::new().prefix(".").tempfile_in(directory)?;
    serde_json::to_writer_pretty(&mut file, document)?;
    file.write_all(b"\n")?;
    let named = if new { file.persist_noclobber(path) } else { file.persist(path) };
    named.map(drop).map_err(|error| error.error)
}

/// What is in it; nothing where there is no file.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Names of what is in a directory, in order, without what is still being written.
pub(super) fn names(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.extend(name.strip_suffix(".json").map(ToOwned::to_owned));
        }
    }
    names.sort();
    Ok(names)
}
