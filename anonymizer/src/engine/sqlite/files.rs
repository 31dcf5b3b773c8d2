//! The database as a file: what may be masked, what lies beside it, and how a finished copy takes its place.
//!
//! A run works on a hidden copy in the same directory, so that the last step is one atomic rename. Nothing here reads a row.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use super::error::file;
use crate::engine::EngineError;

/// What SQLite puts behind a database's name for its journals.
const COMPANIONS: [&str; 3] = ["-journal", "-wal", "-shm"];

/// The copies a run may need at one time, beside the original: the one it works on, and the one without residue.
const COPIES: u64 = 2;

/// Answers with the file's metadata, or refuses what cannot be masked by replacing a file.
pub(super) fn inspect(path: &Path) -> Result<Metadata, EngineError> {
    let metadata = fs::metadata(path).map_err(|error| {
        let name = path.display();
        match error.kind() {
            std::io::ErrorKind::NotFound => EngineError::Refused(format!(
                "{name}: no such file\n(hint: the tool masks a database that exists; check the path)"
            )),
            kind => EngineError::Refused(format!("{name}: {kind}")),
        }
    })?;
    if !metadata.is_file() {
        return Err(EngineError::Refused(format!("{}: not a file", path.display())));
    }
    Ok(metadata)
}

/// A hard link would go on naming the original after the masked copy has taken this name.
pub(super) fn other_names(metadata: &Metadata) -> u64 {
    metadata.nlink().saturating_sub(1)
}

/// True where `path` still names the file of that metadata.
pub(super) fn is_same(path: &Path, metadata: &Metadata) -> bool {
    fs::metadata(path).is_ok_and(|now| (now.dev(), now.ino()) == (metadata.dev(), metadata.ino()))
}

/// Processes other than this one that have the database open, as far as this user may look. SQLite's locks do not show a
/// client that is connected and idle; after the rename it would go on reading the original.
pub(super) fn other_processes(path: &Path) -> Vec<u32> {
    let own = std::process::id();
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|process| *process != own && has_open(*process, path))
        .collect()
}

fn has_open(process: u32, path: &Path) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    descriptors.flatten().any(|entry| fs::read_link(entry.path()).is_ok_and(|open| open == path))
}

/// Refuses to begin what the file system has no room to finish.
pub(super) fn check_space(path: &Path, size: u64) -> Result<(), EngineError> {
    let directory = directory(path);
    let free = fs4::available_space(directory).map_err(file("look for free space"))?;
    let needed = size * COPIES;
    if free < needed {
        return Err(EngineError::Temporary(format!(
            "{}: {free} bytes free, {needed} needed for two copies of the database\n\
             (hint: free some space on this file system)",
            directory.display()
        )));
    }
    Ok(())
}

/// Removes the copies that killed runs have left. Only for a run that holds the lock: then no other run is alive.
pub(super) fn remove_leftovers(path: &Path) -> Result<usize, EngineError> {
    let leftovers = leftovers(path)?;
    for leftover in &leftovers {
        fs::remove_file(leftover).map_err(file("remove what an earlier run has left"))?;
    }
    Ok(leftovers.len())
}

/// The copies of other runs, alive or dead.
pub(super) fn leftovers(path: &Path) -> Result<Vec<PathBuf>, EngineError> {
    let prefix = copy_prefix(path);
    let entries = fs::read_dir(directory(path)).map_err(file("read the database's directory"))?;
    let is_copy = |entry: &fs::DirEntry| {
        entry.file_name().as_encoded_bytes().starts_with(prefix.as_encoded_bytes())
    };
    Ok(entries.flatten().filter(is_copy).map(|entry| entry.path()).collect())
}

/// Removes the journals beside a database that nobody else has open and whose journals hold nothing it needs. They hold
/// pages of the original, so they go before the masked copy takes the name: found beside it, they would be replayed into it.
pub(super) fn remove_journals(path: &Path) -> Result<(), EngineError> {
    for companion in COMPANIONS {
        match fs::remove_file(with_suffix(path, companion)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file("remove a journal")(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A copy beside the original, removed when dropped.
pub(super) struct Copy {
    path: PathBuf,
}

impl Copy {
    /// An empty file that only its owner can read, for it will hold originals.
    pub(super) fn create(original: &Path, run_id: &str, suffix: &str) -> Result<Self, EngineError> {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let run: String = run_id.chars().map(plain).collect();
        let mut name = copy_prefix(original);
        name.push(run);
        name.push(suffix);
        let path = directory(original).join(name);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(file(format!("make a copy in {}", directory(original).display())))?;
        Ok(Self { path })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it now. Dropping does the same, but has nobody to tell where that fails.
    pub(super) fn remove(&self) -> Result<(), EngineError> {
        fs::remove_file(&self.path).map_err(file("remove the copy"))?;
        remove_journals(&self.path)
    }

    /// Gives it the original's owner and mode, sends it to the disk, and puts it in the original's place.
    pub(super) fn replace(self, original: &Path, like: &Metadata) -> Result<(), EngineError> {
        let own = fs::metadata(&self.path).map_err(file("read the masked copy"))?;
        if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
            chown(&self.path, Some(like.uid()), Some(like.gid()))
                .map_err(file("give the masked copy its owner"))?;
        }
        fs::set_permissions(&self.path, fs::Permissions::from_mode(like.mode() & 0o7777))
            .map_err(file("give the masked copy its mode"))?;
        let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
        sync(&self.path).map_err(file("send the masked copy to the disk"))?;
        remove_journals(original)?;
        fs::rename(&self.path, original).map_err(file("put the masked copy in place"))?;
        sync(directory(original)).map_err(file("send the directory to the disk"))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // What cannot be removed now is removed when the next run begins.
        let _ = fs::remove_file(&self.path);
        for companion in COMPANIONS {
            let _ = fs::remove_file(with_suffix(&self.path, companion));
        }
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().expect("the path is absolute and names a file")
}

fn copy_prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().expect("the path names a file"));
    prefix.push(".anonymizer-");
    prefix
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
