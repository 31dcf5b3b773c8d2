//! `anonymizer report`: the report of a run as a page.
//!
//! It looks at the directory that `run --report` wrote and at no database.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use contract::dsse::Envelope;
use contract::key::SigningKey;
use contract::statement::{PAYLOAD_TYPE, Statement};
use serde::Serialize;

use super::{Error, Format};
use crate::report::Staged;
use crate::{page, report};

/// The command's arguments.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The directory with report.json, where report.html is written.
    directory: PathBuf,
}

/// What is printed.
#[derive(Serialize)]
struct Written {
    page: PathBuf,
}

/// Runs the command.
pub fn render(arguments: &Arguments, format: Format) -> Result<(), Error> {
    let directory = &arguments.directory;
    let path = directory.join(report::FILE_NAME);
    let bytes = read(&path)?.ok_or_else(|| {
        let hint = "(hint: the directory of `anonymizer run --report`)";
        Error::Usage(format!("read {}: it is not there\n{hint}", path.display()))
    })?;
    let statement = Statement::read(&bytes)
        .map_err(|error| Error::Usage(format!("read {}: {error}", path.display())))?;
    let envelope = envelope(&directory.join(report::SIGNED_NAME), &bytes)?;
    let page = page::render(&bytes, &statement, envelope.as_ref());
    let page = write(directory, page::FILE_NAME, page.as_bytes())?;
    format.print(&Written { page }, |written| format!("{}\n", written.page.display()))
}

/// Makes the report's directory and proves that it can be written to, before anything else is done.
pub fn prepare(directory: &Path) -> Result<(), Error> {
    report::prepare_directory(directory).map_err(|error| {
        let (name, kind) = (directory.display(), error.kind());
        Error::Usage(format!("prepare the report directory {name}: {kind}"))
    })
}

/// Puts on the disk what a run leaves in the report's directory: the statement, its signed form where there is a key, the
/// page. Nothing has its name yet.
pub fn stage(
    directory: &Path,
    statement: &Statement,
    bytes: &[u8],
    key: Option<&SigningKey>,
) -> Result<Vec<Staged>, Error> {
    let envelope = key.map(|key| Envelope::sign(PAYLOAD_TYPE, bytes, key));
    let page = page::render(bytes, statement, envelope.as_ref());
    let stage = |name: &str, bytes: &[u8]| {
        report::stage(directory, name, bytes).map_err(|source| Error::Io {
            task: format!("write {} (the run is not concluded)", directory.join(name).display()),
            source,
        })
    };
    let mut staged = vec![stage(report::FILE_NAME, bytes)?];
    if let Some(envelope) = &envelope {
        staged.push(stage(report::SIGNED_NAME, &envelope.to_bytes())?);
    }
    staged.push(stage(page::FILE_NAME, page.as_bytes())?);
    Ok(staged)
}

/// Gives the files of a run their names; answers with the statement's. A signed form of an earlier run does not stay beside it.
pub fn show(directory: &Path, staged: Vec<Staged>) -> Result<PathBuf, Error> {
    let signed = directory.join(report::SIGNED_NAME);
    if staged.iter().all(|file| file.path() != signed) {
        remove(&signed)?;
    }
    for file in staged {
        let task = format!("write {} (the run is concluded)", file.path().display());
        file.show().map_err(|source| Error::Io { task, source })?;
    }
    Ok(directory.join(report::FILE_NAME))
}

fn write(directory: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, Error> {
    report::write(directory, name, bytes).map_err(|source| Error::Io {
        task: format!("write {}", directory.join(name).display()),
        source,
    })
}

/// Removes a file where it is there.
pub fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(Error::Io { task: format!("remove {}", path.display()), source })
        }
        _ => Ok(()),
    }
}

/// The signed form of the report, where there is one.
fn envelope(path: &Path, report: &[u8]) -> Result<Option<Envelope>, Error> {
    let Some(bytes) = read(path)? else { return Ok(None) };
    let name = path.display();
    let envelope = Envelope::read(&bytes)
        .map_err(|error| Error::Unverified(format!("read {name}: {error}")))?;
    if !envelope.carries(report) {
        return Err(Error::Unverified(format!("show the report: {name} carries another one")));
    }
    Ok(Some(envelope))
}

/// A file's bytes; `None` where there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::Usage(format!("read {}: {}", path.display(), error.kind()))),
    }
}
