//! The originals of one unit on their way into a file: fingerprints, a few megabytes of them at a time, each one once.

use std::sync::Arc;

use super::fingerprint::Fingerprint;
use super::normal;
use super::plain::Room;
use super::sealed::{self, Writer};
use super::shape;
use super::vault::{Kept, VaultError, failed};
use crate::identifier::Identifier;

/// Fingerprints that are held before they are sorted and written out.
pub(super) const BUFFERED: usize = sealed::MOST_BYTES / Fingerprint::BYTES;

/// Collects the originals of one unit.
pub struct Collector {
    kept: Arc<Kept>,
    room: Room,
    buffer: Vec<Fingerprint>,
    writer: Option<Writer>,
    /// The first thing that went wrong; told when the unit is done.
    failed: Option<VaultError>,
}

impl Collector {
    /// A collector that has seen nothing yet.
    pub(super) fn new(kept: Arc<Kept>) -> Self {
        Self { kept, room: Room::default(), buffer: Vec::new(), writer: None, failed: None }
    }

    /// Notes an original.
    pub fn add(&mut self, kind: Identifier, text: &str) {
        let (fingerprints, buffer) = (&self.kept.fingerprints, &mut self.buffer);
        let mut keep = |kind, normal: &[u8]| buffer.push(fingerprints.of(kind, normal));
        if !self.room.original(kind, text, &mut keep) {
            normal::original(kind, text, &mut keep);
        }
        self.relieve_when_full();
    }

    /// Notes a name whose parts are in two columns of a row.
    pub fn add_name(&mut self, first: &str, last: &str) {
        let (fingerprints, buffer) = (&self.kept.fingerprints, &mut self.buffer);
        let mut keep = |kind, normal: &[u8]| buffer.push(fingerprints.of(kind, normal));
        if !self.room.name(first, last, &mut keep) {
            normal::name(first, last, &mut keep);
        }
        self.relieve_when_full();
    }

    /// Notes an original of which nobody has said what it is, where it shows it by its form.
    pub fn add_shape(&mut self, text: &str) {
        let (fingerprints, buffer) = (&self.kept.fingerprints, &mut self.buffer);
        shape::original(text, &mut |kind, normal| buffer.push(fingerprints.of(kind, normal)));
        self.relieve_when_full();
    }

    fn relieve_when_full(&mut self) {
        if self.buffer.len() >= BUFFERED {
            self.relieve();
        }
    }

    /// Writes what was collected to the vault's directory, encrypted, and reaches the disk before it returns. Called before
    /// the unit commits.
    pub fn persist(mut self, unit: &str) -> Result<(), VaultError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.sort();
        let name = self.kept.file(unit);
        let finish =
            |writer: Writer, buffer: &[Fingerprint]| writer.finish(&mut bytes(buffer), unit, &name);
        let writer = match self.writer.take() {
            Some(writer) => Ok(writer),
            None => Writer::create(&self.kept.directory, &self.kept.key, self.kept.run()),
        };
        writer
            .and_then(|writer| finish(writer, &self.buffer))
            .map_err(|error| failed(&self.kept.directory, &error))
    }

    /// More than the buffer holds was there.
    #[cfg(test)]
    pub(super) fn has_spilled(&self) -> bool {
        self.writer.is_some()
    }

    fn sort(&mut self) {
        self.buffer.sort_unstable_by_key(|fingerprint| fingerprint.wide());
        self.buffer.dedup();
    }

    /// Makes room: repeated originals go, and where that is not enough, all are written out.
    fn relieve(&mut self) {
        self.sort();
        if self.buffer.len() > BUFFERED / 2 {
            let spilled = self.spill();
            self.failed = self.failed.take().or(spilled.err());
            self.buffer.clear();
        }
    }

    fn spill(&mut self) -> Result<(), VaultError> {
        let kept = &self.kept;
        let failed = |error| failed(&kept.directory, &error);
        if self.writer.is_none() {
            let writer = Writer::create(&kept.directory, &kept.key, kept.run()).map_err(failed)?;
            self.writer = Some(writer);
        }
        match &mut self.writer {
            // One value may have had several normal forms.
            Some(writer) => self
                .buffer
                .chunks(BUFFERED)
                .try_for_each(|chunk| writer.chunk(&mut bytes(chunk)))
                .map_err(failed),
            None => Ok(()),
        }
    }
}

fn bytes(fingerprints: &[Fingerprint]) -> Vec<u8> {
    fingerprints.iter().flat_map(|fingerprint| fingerprint.to_bytes()).collect()
}
