//! The engines: what each does with a database's directory. It knows no keys and no statuses.

use std::io::{Read, Write};
use std::path::PathBuf;

use super::place::{self, Place};
use super::record::DatabaseRecord;
use super::{postgres, sqlite};
use crate::error::SnapshotError;
use crate::port::{Database, Kind, Secret};

/// As it stands in descriptions.
pub const SQLITE: &str = "sqlite";
/// As it stands in descriptions.
pub const POSTGRES: &str = "postgres";

/// Where a database is reached under its name; nowhere while it is being made, and a cluster nowhere without a writer.
pub fn endpoint(place: &Place, record: &DatabaseRecord) -> Result<String, SnapshotError> {
    let database = &record.database;
    let silent = database.kind == Kind::Cluster && database.members.is_empty();
    match database.engine.as_str() {
        _ if silent || database.status == "creating" => Ok(String::new()),
        SQLITE => Ok(sqlite::file(&place.database(&database.name)).display().to_string()),
        POSTGRES => postgres::endpoint(place, &database.name),
        other => Err(unknown(other)),
    }
}

/// Makes an empty database, which is not open to anybody yet.
pub fn create(place: &Place, record: &DatabaseRecord) -> Result<(), SnapshotError> {
    match record.database.engine.as_str() {
        POSTGRES => postgres::create(place, record),
        other => Err(unknown(other)),
    }
}

/// Writes the whole database as it is at one moment.
pub fn capture(
    place: &Place,
    record: &DatabaseRecord,
    to: &mut dyn Write,
) -> Result<(), SnapshotError> {
    let directory = place.database(&record.database.name);
    match record.database.engine.as_str() {
        SQLITE => sqlite::capture(&directory, to),
        POSTGRES => postgres::capture(place, record, to),
        other => Err(unknown(other)),
    }
}

/// Fills the directory with what was captured; it is not open to anybody yet.
pub fn unpack(
    place: &Place,
    record: &DatabaseRecord,
    from: &mut dyn Read,
) -> Result<(), SnapshotError> {
    let directory = place.database(&record.database.name);
    match record.database.engine.as_str() {
        SQLITE => sqlite::unpack(&directory, from),
        POSTGRES => postgres::unpack(place, record, from),
        other => Err(unknown(other)),
    }
}

/// Lets clients in, under the database's name of now.
pub fn open(place: &Place, record: &DatabaseRecord) -> Result<(), SnapshotError> {
    match record.database.engine.as_str() {
        SQLITE if record.database.secret.is_some() => new_secret(place, record).map(drop),
        SQLITE => Ok(()),
        POSTGRES => postgres::open(place, record),
        other => Err(unknown(other)),
    }
}

/// Sends clients away, where there are any; what is on the disk is whole then.
pub fn close(place: &Place, record: &DatabaseRecord) -> Result<(), SnapshotError> {
    match record.database.engine.as_str() {
        SQLITE => Ok(()),
        POSTGRES => postgres::close(place, record),
        other => Err(unknown(other)),
    }
}

/// Whether a database that should be open is not: its server was killed, or the machine was switched off.
pub fn is_down(place: &Place, record: &DatabaseRecord) -> bool {
    record.database.engine == POSTGRES && !postgres::is_running(place, record)
}

/// Makes a password that was never used, and writes down the URL with it.
pub fn new_secret(place: &Place, record: &DatabaseRecord) -> Result<Secret, SnapshotError> {
    let file = secret_file(place, &record.database);
    match record.database.engine.as_str() {
        SQLITE => {
            let path = sqlite::file(&place.database(&record.database.name));
            place::write_text(&file, &format!("sqlite:{}\n", path.display()))?;
        }
        POSTGRES => postgres::new_password(place, record)?,
        other => return Err(unknown(other)),
    }
    Ok(Secret { arn: file.display().to_string(), active: true })
}

/// Where a database's URL is kept, whatever its name is.
pub fn secret_file(place: &Place, database: &Database) -> PathBuf {
    place.secrets().join(&database.resource_id)
}

fn unknown(engine: &str) -> SnapshotError {
    SnapshotError::Other(format!("the engine {engine} is not known here"))
}
