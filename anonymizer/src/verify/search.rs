//! Reads the rows of one source, or the catalog's texts, and counts the originals among them.
//!
//! Candidates are what the filter may hold. They wait in a batch of bounded size until all bits are compared, and no value is
//! kept. A value with several originals of one kind counts once.

use std::sync::Arc;

use super::detect::Sampled;
use super::normal::Weight;
use super::scope::{Detect, Scope};
use super::seen::Seen;
use super::tally::{Tally, chance};
use super::token::{Kinds, Scanner};
use super::vault::{Fingerprint, Fingerprints, Originals, VaultError};
use crate::catalog::TableName;
use crate::engine::{Read, Reader};
use crate::identifier::Identifier;
use crate::mask::Mask;
use crate::plan::ColumnPlan;
use crate::value::Value;

/// Candidates that wait to be confirmed: confirming reads all fingerprints again.
const BATCH: usize = 1 << 16;
/// Confirmed hits of a kind in a place after which the filter alone is believed there: it is a leak already.
const PROVED: u64 = 10_000;

/// What the filter may hold.
struct Candidate {
    fingerprint: Fingerprint,
    /// Number of the value among all values read.
    value: u64,
    place: u32,
    kind: Identifier,
    weight: Weight,
}

/// A column, or what holds a text of the catalog.
pub struct Place {
    /// `schema.table.column`.
    pub name: String,
    /// What is looked for.
    pub scope: Scope,
    /// Values that are not NULL.
    pub values: u64,
    /// By kind.
    pub tallies: [Tally; Identifier::ALL.len()],
    /// What the detectors saw.
    pub sampled: Sampled,
    /// Masks parts of each value, of which the detectors see the rest.
    parts: Option<Arc<dyn Mask>>,
    /// Values that need no second look.
    seen: Seen,
}

impl Place {
    /// A place of which nothing was read.
    pub fn new(name: String, scope: Scope) -> Self {
        let (tallies, sampled, parts, seen) = Default::default();
        Self { name, scope, values: 0, tallies, sampled, parts, seen }
    }

    /// A column of a table, where the plan knows it with what it does to it.
    pub fn column(table: &TableName, name: &str, scope: Scope, plan: Option<&ColumnPlan>) -> Self {
        let mask = plan.and_then(|column| column.mask.clone());
        let parts = mask.filter(|_| scope.detect == Detect::Everything);
        // A column's name says nothing of what is left of its documents.
        let sampled = match &parts {
            Some(_) => Sampled::default(),
            None => Sampled::of(&table.name, name),
        };
        Self { sampled, parts, ..Self::new(format!("{table}.{name}"), scope) }
    }

    /// Shows the detectors a value, where they want to see one more.
    fn sample(&mut self, text: &str) {
        let (number, detect) = (self.values, self.scope.detect);
        if detect == Detect::Nothing || !self.sampled.wants(number) {
            return;
        }
        match &self.parts {
            None => self.sampled.look(text, detect),
            Some(mask) => {
                if let Some(rest) = mask.rest(&Value::Text(text.into())) {
                    self.sampled.look(&rest, detect);
                }
            }
        }
    }
}

/// Searches the places of one source.
pub struct Search {
    originals: Arc<Originals>,
    fingerprints: Fingerprints,
    scanner: Scanner,
    /// The source's columns, in its order.
    pub places: Vec<Place>,
    batch: Vec<Candidate>,
    proved: Vec<Kinds>,
    /// The chance that so many digits are an original's, by kind.
    chances: [[f64; 20]; Identifier::ALL.len()],
    /// Rows that were read.
    pub rows: u64,
    /// Values that were read.
    pub values: u64,
    /// Their bytes.
    pub bytes: u64,
    failed: Option<VaultError>,
}

impl Search {
    /// A search that has read nothing.
    pub fn new(originals: Arc<Originals>, places: Vec<Place>) -> Self {
        Self {
            fingerprints: originals.fingerprints(),
            chances: Identifier::ALL.map(|kind| {
                std::array::from_fn(|digits| chance(digits as u32, originals.count_of(kind)))
            }),
            originals,
            scanner: Scanner::default(),
            proved: vec![Kinds::default(); places.len()],
            places,
            batch: Vec::new(),
            rows: 0,
            values: 0,
            bytes: 0,
            failed: None,
        }
    }

    /// Adds a place, or finds the one of that name.
    pub fn place(&mut self, place: Place) -> usize {
        if let Some(known) = self.places.iter().position(|known| known.name == place.name) {
            return known;
        }
        self.places.push(place);
        self.proved.push(Kinds::default());
        self.places.len() - 1
    }

    /// Looks at one value of a place.
    pub fn value(&mut self, at: usize, value: Read<'_>) {
        let place = &mut self.places[at];
        let length = match value {
            Read::Null => return,
            Read::Text(text) => text.len(),
            Read::Bytes(bytes) => bytes.len(),
        };
        self.values += 1;
        self.bytes += length as u64;
        place.values += 1;
        if let Read::Text(text) = value {
            place.sample(text);
        }
        let hash = match value {
            Read::Text(text) => place.seen.hash(text),
            _ => None,
        };
        if hash.is_some_and(|hash| place.seen.holds(hash)) {
            return;
        }
        let mut nothing = true;
        let Scope { kinds, words, .. } = place.scope;
        let (originals, fingerprints, batch) =
            (&self.originals, &self.fingerprints, &mut self.batch);
        let (tallies, number, chances) = (&mut place.tallies, self.values, &self.chances);
        let mut found = |kind: Identifier, normal: &[u8], weight: Weight| {
            match weight {
                Weight::Word if !words => return,
                Weight::Digits(digits) => {
                    nothing = false;
                    tallies[kind as usize].by_chance +=
                        chances[kind as usize][digits.min(19) as usize];
                }
                _ => {}
            }
            let fingerprint = fingerprints.of(kind, normal);
            if originals.may_hold(fingerprint) {
                nothing = false;
                batch.push(Candidate {
                    fingerprint,
                    value: number,
                    place: at as u32,
                    kind,
                    weight,
                });
            }
        };
        match value {
            Read::Text(text) => self.scanner.text(text, kinds, &mut found),
            Read::Bytes(bytes) => self.scanner.bytes(bytes, kinds, &mut found),
            Read::Null => {}
        }
        if let Some(hash) = hash.filter(|_| nothing) {
            place.seen.note(hash);
        }
        if self.batch.len() >= BATCH {
            self.settle();
        }
    }

    /// Confirms the candidates and counts their values.
    fn settle(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        let unproved = batch.iter().filter(|one| !self.proved[one.place as usize].has(one.kind));
        let asked: Vec<Fingerprint> = unproved.map(|one| one.fingerprint).collect();
        let confirmed = self.originals.confirm(&asked).unwrap_or_else(|error| {
            self.failed.get_or_insert(error);
            Vec::new()
        });
        let is_hit = |one: &&Candidate| {
            self.proved[one.place as usize].has(one.kind)
                || confirmed.binary_search(&one.fingerprint).is_ok()
        };
        let mut hits: Vec<&Candidate> = batch.iter().filter(is_hit).collect();
        hits.sort_by_key(|hit| (hit.value, hit.place, hit.kind, rank(hit.weight)));
        hits.dedup_by_key(|hit| (hit.value, hit.place, hit.kind));
        for hit in hits {
            let place = hit.place as usize;
            let tally = &mut self.places[place].tallies[hit.kind as usize];
            tally.count(hit.weight, hit.fingerprint.first);
            if tally.certain() >= PROVED {
                self.proved[place] = self.proved[place].with(hit.kind);
            }
        }
    }

    /// Ends the search.
    pub fn finish(mut self) -> Result<Self, VaultError> {
        self.settle();
        match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }
}

/// The weightiest first.
fn rank(weight: Weight) -> u8 {
    match weight {
        Weight::Certain => 0,
        Weight::Digits(_) => 1,
        Weight::Word => 2,
    }
}

impl Reader for Search {
    fn row(&mut self, row: &[Read<'_>]) {
        self.rows += 1;
        for (at, value) in row.iter().enumerate().take(self.places.len()) {
            self.value(at, *value);
        }
    }
}
