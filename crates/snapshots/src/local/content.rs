//! Contents of snapshots: streams that are encrypted where the snapshot has a key, and lie open where it has none.
//!
//! A content gets its name when all of it is there. What has a name is whole.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};

use super::keys;
use super::place::{self, Place, failed};
use super::record::Content;
use super::sealed;
use crate::error::SnapshotError;

/// Writes what a function gives, under a key that this account may use. It has no name yet.
pub fn write(
    place: &Place,
    id: &str,
    key: Option<&str>,
    give: impl FnOnce(&mut dyn Write) -> Result<(), SnapshotError>,
) -> Result<(), SnapshotError> {
    let path = place.unfinished_file(id);
    let failed = failed("write", &path);
    let mut file = BufWriter::new(File::create(&path).map_err(&failed)?);
    match key {
        Some(key) => {
            let secret = keys::secret(place, key)?;
            let mut writer = sealed::Writer::begin(file, &secret, id).map_err(&failed)?;
            give(&mut writer)?;
            file = writer.finish().map_err(&failed)?;
        }
        None => give(&mut file)?,
    }
    file.into_inner().map(drop).map_err(|error| failed(error.into_error()))
}

/// Shows a content to a function, with a key that this account may use, and answers for all of it: what the function has
/// made of it is to be forgotten where this fails.
pub fn read(
    place: &Place,
    content: &Content,
    show: impl FnOnce(&mut dyn Read) -> Result<(), SnapshotError>,
) -> Result<(), SnapshotError> {
    let path = place.of(&content.account).content_file(&content.id);
    let failed = failed("read", &path);
    let file = BufReader::new(File::open(&path).map_err(&failed)?);
    let mut reader: Box<dyn Read> = match &content.key {
        Some(key) => {
            let secret = keys::secret(place, key)?;
            Box::new(sealed::Reader::open(file, &secret, &content.id).map_err(&failed)?)
        }
        None => Box::new(file),
    };
    show(&mut reader)?;
    // Whoever needs no more has not seen the proof of the end.
    io::copy(&mut reader, &mut io::sink()).map(drop).map_err(&failed)
}

/// Gives a content its name. Whoever calls holds the account's lock and has seen that the snapshot is still there.
pub fn finish(place: &Place, id: &str) -> Result<(), SnapshotError> {
    let path = place.content_file(id);
    fs::rename(place.unfinished_file(id), &path).map_err(failed("name", &path))
}

/// Removes a content, whole or not.
pub fn remove(place: &Place, id: &str) -> Result<(), SnapshotError> {
    place::remove(&place.unfinished_file(id))?;
    place::remove(&place.content_file(id))
}

/// Removes contents without a snapshot, and locks of nothing: a process was killed that still wrote to what had been deleted, or
/// began to work on it. And records that it had not finished writing. Whoever calls holds the account's lock.
pub fn sweep(place: &Place) -> Result<(), SnapshotError> {
    for path in place::unfinished(&place.snapshots())? {
        place::remove(&path)?;
    }
    let snapshots = place.read_snapshots()?.into_iter().map(|record| record.id);
    let databases = place.read_databases()?.into_iter().map(|record| record.database.resource_id);
    let known: HashSet<String> = snapshots.chain(databases).collect();
    for file in place::names(&place.snapshots())? {
        let id = file.strip_suffix(".content").or(file.strip_suffix(".unfinished"));
        if let Some(id) = id.filter(|id| !known.contains(*id)) {
            remove(place, id)?;
        }
    }
    for id in place::names(&place.work())?.iter().filter(|id| !known.contains(*id)) {
        place::remove(&place.work().join(id))?;
    }
    Ok(())
}
