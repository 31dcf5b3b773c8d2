//! A cluster's data directory as a stream, and back.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use super::super::place::{self, Place, failed};
use super::super::record::DatabaseRecord;
use super::{NO_PORT, close, configure, data, programs, set_password};
use crate::error::SnapshotError;

/// What belongs to a running server and not to its data.
const FLEETING: [&str; 2] = ["postmaster.pid", "postmaster.opts"];

/// Writes all files of a cluster whose server is stopped.
pub fn capture(
    place: &Place,
    record: &DatabaseRecord,
    to: &mut dyn Write,
) -> Result<(), SnapshotError> {
    let data = data(place, record);
    if data.join("postmaster.pid").exists() {
        // A server that was killed has left its log to be applied: this starts, applies it and stops cleanly.
        programs(place, record)?.single_user(&data, "")?;
    }
    refuse_tablespaces(&data)?;
    let captured = write_all(&data, to);
    captured.map_err(failed("capture", &data))
}

fn write_all(data: &Path, to: &mut dyn Write) -> std::io::Result<()> {
    let mut archive = tar::Builder::new(to);
    archive.follow_symlinks(false);
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if FLEETING.iter().any(|fleeting| name == *fleeting) {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => archive.append_dir_all(&name, &path)?,
            false => archive.append_path_with_name(&path, &name)?,
        }
    }
    archive.finish()
}

/// Fills the data directory with what was captured, but for its write-ahead log. The password that was valid there is not valid
/// here.
pub fn unpack(
    place: &Place,
    record: &DatabaseRecord,
    from: &mut dyn Read,
) -> Result<(), SnapshotError> {
    close(place, record)?;
    let (programs, data) = (programs(place, record)?, data(place, record));
    place::remove_all(&data)?;
    place::make(&data, 0o700)?;
    let mut archive = tar::Archive::new(from);
    archive.set_preserve_permissions(true);
    archive.unpack(&data).map_err(failed("unpack", &data))?;
    programs.hand_over(&data)?;
    // It was stopped cleanly and needs none of its old log, whose segments hold rows of every age.
    programs.run(programs.server("pg_resetwal").arg("-D").arg(&data))?;
    configure(place, record, &programs, NO_PORT)?;
    set_password(place, record).map(drop)
}

/// Their files are outside of the directory.
fn refuse_tablespaces(data: &Path) -> Result<(), SnapshotError> {
    match place::names(&data.join("pg_tblspc"))?.is_empty() {
        true => Ok(()),
        false => Err(SnapshotError::Other("a cluster with tablespaces cannot be copied".into())),
    }
}
