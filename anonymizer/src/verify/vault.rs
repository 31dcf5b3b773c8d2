//! Fingerprints of the originals, collected while masking, kept in `--state` until the verdict.

use std::path::Path;

use crate::identifier::Identifier;
use crate::mask::key::Keyring;

/// The fingerprints of a run.
pub struct Vault;

/// Why fingerprints cannot be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A unit that an earlier run has masked left no fingerprints.
    #[error("the fingerprints of {unit} are missing")]
    Missing {
        /// The unit.
        unit: String,
    },
    /// The directory cannot be used.
    #[error("{0}")]
    Io(String),
}

/// Two independent keyed 64-bit hashes of a kind and a normal form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint {
    /// Looked up in the filter.
    pub first: u64,
    /// Confirms a hit.
    pub second: u64,
}

/// Makes fingerprints: the same for the same key.
#[derive(Clone)]
pub struct Fingerprints;

impl Fingerprints {
    /// The fingerprint of a normal form.
    pub fn of(&self, _kind: Identifier, _normal: &[u8]) -> Fingerprint {
        Fingerprint { first: 0, second: 0 }
    }
}

impl Vault {
    /// The vault of a run in a directory, which is made where it is missing.
    pub fn open(_directory: &Path, _keyring: &Keyring) -> Result<Self, VaultError> {
        Ok(Self)
    }
    /// Collects the originals of one unit.
    pub fn collector(&self) -> Collector {
        Collector
    }
    /// Everything collected by these units, in bounded memory.
    pub fn originals(&self, _units: &[String]) -> Result<Originals, VaultError> {
        Ok(Originals)
    }
    /// Removes what is kept, after a verdict.
    pub fn discard(&self) -> Result<(), VaultError> {
        Ok(())
    }
}

/// Collects the originals of one unit.
pub struct Collector;

impl Collector {
    /// Notes an original.
    pub fn add(&mut self, _kind: Identifier, _text: &str) {}
    /// Writes what was collected to the vault's directory, encrypted, and reaches the disk before it returns. Called before
    /// the unit commits.
    pub fn persist(self, _unit: &str) -> Result<(), VaultError> {
        Ok(())
    }
}

/// The originals to look for.
pub struct Originals;

impl Originals {
    /// Makes fingerprints to look up.
    pub fn fingerprints(&self) -> Fingerprints {
        Fingerprints
    }
    /// False for certain, or true with [`Originals::false_positive_rate`] for what is no original.
    pub fn may_hold(&self, _fingerprint: Fingerprint) -> bool {
        false
    }
    /// Of these candidates, those that are originals by all 128 bits, sorted.
    pub fn confirm(&self, _candidates: &[Fingerprint]) -> Result<Vec<Fingerprint>, VaultError> {
        Ok(Vec::new())
    }
    /// Distinct originals, or a bound on them.
    pub fn count(&self) -> u64 {
        0
    }
    /// The filter's.
    pub fn false_positive_rate(&self) -> f64 {
        0.0
    }
}
