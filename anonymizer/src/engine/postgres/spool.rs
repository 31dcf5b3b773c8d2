//! Masked rows between the read and the load of a unit: a file without a name, gone with the process however it ends.
//!
//! It holds masked rows only. Originals are never written anywhere but where they came from.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::engine::EngineError;

/// Large enough that system calls do not show, small enough that `--jobs` of them do not either.
const BUFFER_BYTES: usize = 1 << 20;
/// What one COPY message carries on the way back.
pub const CHUNK_BYTES: usize = 256 << 10;

/// A spool being written. Append to `buffer`, then call [`Spool::relieve`].
pub struct Spool {
    file: File,
    in_file: u64,
    /// Bytes not yet in the file.
    pub buffer: Vec<u8>,
}

impl Spool {
    /// An empty spool in a directory.
    pub fn create(directory: &Path) -> Result<Self, EngineError> {
        let file = tempfile::tempfile_in(directory).map_err(|error| {
            EngineError::Refused(format!(
                "spool directory {} cannot be written ({:?})\n(hint: name another with --spool-dir)",
                directory.display(),
                error.kind()
            ))
        })?;
        Ok(Self { file, in_file: 0, buffer: Vec::with_capacity(BUFFER_BYTES + CHUNK_BYTES) })
    }

    /// Writes the buffer out once it is full.
    pub fn relieve(&mut self) -> Result<(), EngineError> {
        if self.buffer.len() < BUFFER_BYTES { Ok(()) } else { self.flush() }
    }

    /// Bytes so far.
    pub fn written(&self) -> u64 {
        self.in_file + self.buffer.len() as u64
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        self.file.write_all(&self.buffer).map_err(|error| spool_error(&error))?;
        self.in_file += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Ends writing; what was written can be read from the start.
    pub fn into_reader(mut self) -> Result<SpoolReader, EngineError> {
        self.flush()?;
        self.file.rewind().map_err(|error| spool_error(&error))?;
        self.buffer.resize(CHUNK_BYTES, 0);
        self.buffer.shrink_to_fit();
        Ok(SpoolReader { file: self.file, left: 0, buffer: self.buffer })
    }
}

/// A spool being read back, a section for each table: one file serves a tree of any number of partitions.
pub struct SpoolReader {
    file: File,
    left: u64,
    buffer: Vec<u8>,
}

impl SpoolReader {
    /// Starts the next section, of so many bytes; the one before must have been read to its end.
    pub fn section(&mut self, bytes: u64) {
        self.left = bytes;
    }

    /// The next bytes of the section; empty at its end.
    pub fn chunk(&mut self) -> Result<&[u8], EngineError> {
        let length = self.left.min(CHUNK_BYTES as u64) as usize;
        let read =
            self.file.read(&mut self.buffer[..length]).map_err(|error| spool_error(&error))?;
        self.left -= read as u64;
        Ok(&self.buffer[..read])
    }
}

fn spool_error(error: &io::Error) -> EngineError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            EngineError::Temporary(
                "no space left for the spool of masked rows\n(hint: make room or name another directory with --spool-dir, then run again)"
                    .to_owned(),
            )
        }
        kind => EngineError::Temporary(format!("the spool of masked rows failed ({kind:?})")),
    }
}
