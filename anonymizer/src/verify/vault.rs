//! Fingerprints of the originals, collected while masking, kept in `--state` until the verdict.
//!
//! One encrypted file for each unit, written out before the unit commits, so that a run that was killed and is run again
//! still knows what the units looked like that it need not mask any more. Nothing but fingerprints is kept, and these under
//! a key that follows from the masking key: without it a file is noise. Memory is bounded whatever the number of originals:
//! a collector holds a few megabytes, the filter of all originals at most 256 MiB and 4 bytes for each.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;
use ring::hmac;
use tempfile::TempDir;

pub use super::collector::Collector;
use super::distinct::Distinct;
use super::filter::Filter;
pub use super::fingerprint::{Fingerprint, Fingerprints};
use super::sealed::{self, UNFINISHED, Unreadable};
use super::state;
use crate::identifier::Identifier;
use crate::mask::key::Keyring;

/// What the files of units are called after their hash.
const SUFFIX: &str = "originals";

/// The fingerprints of a run.
pub struct Vault {
    kept: Arc<Kept>,
}

/// Where fingerprints are kept, and under which keys.
pub(super) struct Kept {
    pub(super) directory: PathBuf,
    pub(super) fingerprints: Fingerprints,
    /// Of the files' contents.
    pub(super) key: sealed::Key,
    /// Of the files' names.
    names: hmac::Key,
    /// The identifier of the run that began, which a rerun goes on with.
    run: OnceLock<String>,
    /// Where the files outlive the directory.
    elsewhere: Option<Arc<dyn Elsewhere>>,
    /// Removes a directory that nobody will look into again.
    _private: Option<TempDir>,
}

/// Where files are kept beside a directory that goes with its machine.
pub trait Elsewhere: Send + Sync {
    /// Keeps a file under its name, in place of what was there, and answers once it is there for good.
    fn keep<'a>(&'a self, file: &'a Path) -> BoxFuture<'a, Result<(), VaultError>>;
    /// Removes all that is kept.
    fn discard(&self) -> BoxFuture<'_, Result<(), VaultError>>;
    /// As messages name it.
    fn name(&self) -> &str;
}

/// Why fingerprints cannot be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A unit that is masked has no fingerprints that can be used.
    #[error("the fingerprints of {unit}'s originals {why}")]
    Missing {
        /// The unit.
        unit: String,
        /// What is wrong with them, with the directory: a verb phrase.
        why: String,
    },
    /// The directory cannot be used.
    #[error("{0}")]
    Io(String),
    /// The place beside the directory cannot be used, now or at all.
    #[error("{text}")]
    Elsewhere {
        /// What went wrong.
        text: String,
        /// Trying again may help.
        passing: bool,
    },
}

impl Vault {
    /// The vault of one database's runs in a directory, which is made where it is missing. Nobody else may be able to write
    /// to it.
    pub fn open(directory: &Path, keyring: &Keyring) -> Result<Self, VaultError> {
        state::prepare(directory).map_err(VaultError::Io)?;
        let directory = directory.canonicalize().map_err(|error| failed(directory, &error))?;
        Ok(Self::at(directory, None, None, keyring))
    }

    /// The vault of one database's runs in a directory that goes with the process: it holds what was kept elsewhere, and what
    /// it keeps is kept there too.
    pub fn carried(
        directory: TempDir,
        elsewhere: Arc<dyn Elsewhere>,
        keyring: &Keyring,
    ) -> Result<Self, VaultError> {
        state::prepare(directory.path()).map_err(VaultError::Io)?;
        let path = directory.path().to_path_buf();
        Ok(Self::at(path, Some(directory), Some(elsewhere), keyring))
    }

    /// A vault for one process, which is gone with it: for a key that nobody will have again. It lies in that directory, by
    /// default in the system's for temporary files.
    pub fn private(within: Option<&Path>, keyring: &Keyring) -> Result<Self, VaultError> {
        let within = within.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let directory = tempfile::Builder::new()
            .prefix("anonymizer-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&within)
            .map_err(|error| failed(&within, &error))?;
        Ok(Self::at(directory.path().to_path_buf(), Some(directory), None, keyring))
    }

    fn at(
        directory: PathBuf,
        private: Option<TempDir>,
        elsewhere: Option<Arc<dyn Elsewhere>>,
        keyring: &Keyring,
    ) -> Self {
        let names = keyring.secret("state/names");
        let kept = Kept {
            directory,
            fingerprints: Fingerprints::new(keyring),
            key: keyring.secret("state/files"),
            names: hmac::Key::new(hmac::HMAC_SHA256, names.as_slice()),
            run: OnceLock::new(),
            elsewhere,
            _private: private,
        };
        Self { kept: Arc::new(kept) }
    }

    /// Where the files are.
    pub fn directory(&self) -> &Path {
        &self.kept.directory
    }

    /// Binds what is collected and what is found to a run: the one that began, also where this one goes on with it. Called
    /// once, while the database is held. What a killed process has left unfinished is removed.
    pub fn bind(&self, run: &str) -> Result<(), VaultError> {
        self.kept.run.get_or_init(|| run.to_owned());
        self.kept.remove(|name| name.starts_with(UNFINISHED))
    }

    /// Collects the originals of one unit.
    pub fn collector(&self) -> Collector {
        Collector::new(Arc::clone(&self.kept))
    }

    /// Sees to it that what a collector has just written outlives the directory. Called before the unit commits.
    pub async fn keep(&self, unit: &str) -> Result<(), VaultError> {
        match &self.kept.elsewhere {
            Some(elsewhere) => elsewhere.keep(&self.kept.file(unit)).await,
            None => Ok(()),
        }
    }

    /// Reads what a unit has left to the end.
    pub fn check(&self, unit: &str) -> Result<(), VaultError> {
        self.kept.each(unit, &mut |_| {})
    }

    /// Everything collected by these units, in bounded memory.
    pub fn originals(&self, units: &[String]) -> Result<Originals, VaultError> {
        let mut distinct = Distinct::default();
        for unit in units {
            self.kept.each(unit, &mut |sorted| distinct.add_sorted(sorted))?;
        }
        let mut filter = Filter::new(distinct.estimate());
        let mut counts = [0; Identifier::ALL.len()];
        for unit in units {
            self.kept.each(unit, &mut |sorted| {
                for original in sorted.iter().filter(|original| filter.insert(**original)) {
                    if let Some(count) = counts.get_mut(original.kind()) {
                        *count += 1;
                    }
                }
            })?;
        }
        Ok(Originals { kept: Arc::clone(&self.kept), units: units.to_vec(), filter, counts })
    }

    /// Removes what is kept, after a verdict.
    pub async fn discard(&self) -> Result<(), VaultError> {
        if let Some(elsewhere) = &self.kept.elsewhere {
            elsewhere.discard().await?;
        }
        self.kept.remove(|name| name.starts_with(UNFINISHED) || name.ends_with(SUFFIX))?;
        // Nothing else is in it, unless somebody put it there.
        let _ = fs::remove_dir(&self.kept.directory);
        Ok(())
    }
}

impl Kept {
    pub(super) fn run(&self) -> &str {
        self.run.get().map_or("", String::as_str)
    }

    pub(super) fn file(&self, unit: &str) -> PathBuf {
        let name = hmac::sign(&self.names, unit.as_bytes());
        self.directory.join(format!("{}.{SUFFIX}", hex::encode(&name.as_ref()[..16])))
    }

    /// Shows a unit's fingerprints, some at a time, in ascending order each time.
    fn each(&self, unit: &str, show: &mut dyn FnMut(&[Fingerprint])) -> Result<(), VaultError> {
        let mut decoded = Vec::new();
        let read = sealed::read(&self.file(unit), &self.key, self.run(), unit, &mut |plain| {
            decoded.clear();
            let (fingerprints, _) = plain.as_chunks();
            decoded.extend(fingerprints.iter().map(|bytes| Fingerprint::from_bytes(*bytes)));
            show(&decoded);
        });
        read.map_err(|error| self.missing(unit, &error))
    }

    fn missing(&self, unit: &str, error: &Unreadable) -> VaultError {
        let directory = match &self.elsewhere {
            Some(elsewhere) => elsewhere.name().to_owned(),
            None => self.directory.display().to_string(),
        };
        let why = match error {
            Unreadable::Absent => format!("are not in {directory}"),
            Unreadable::Foreign => {
                format!("in {directory} are damaged, or another run's, key's or version's")
            }
            Unreadable::Io(kind) => format!("in {directory} cannot be read ({kind})"),
        };
        VaultError::Missing { unit: unit.to_owned(), why }
    }

    /// Removes the files whose name is one of these.
    fn remove(&self, is_one: impl Fn(&str) -> bool) -> Result<(), VaultError> {
        let remove = || {
            for entry in fs::read_dir(&self.directory)? {
                let entry = entry?;
                if entry.file_name().to_str().is_some_and(&is_one) {
                    fs::remove_file(entry.path())?;
                }
            }
            sealed::sync_directory(&self.directory)
        };
        remove().map_err(|error| failed(&self.directory, &error))
    }
}

pub(super) fn failed(directory: &Path, error: &io::Error) -> VaultError {
    VaultError::Io(format!(
        "the state directory {} cannot be used ({})\n(hint: name another with --state)",
        directory.display(),
        error.kind()
    ))
}

/// The originals to look for.
pub struct Originals {
    kept: Arc<Kept>,
    units: Vec<String>,
    filter: Filter,
    counts: [u64; Identifier::ALL.len()],
}

impl Originals {
    /// Makes fingerprints to look up.
    pub fn fingerprints(&self) -> Fingerprints {
        self.kept.fingerprints.clone()
    }

    /// False for certain, or true with [`Originals::false_positive_rate`] for what is no original.
    pub fn may_hold(&self, fingerprint: Fingerprint) -> bool {
        self.filter.may_hold(fingerprint)
    }

    /// Of these candidates, those that are originals by all 128 bits, sorted. Reads every file again.
    pub fn confirm(&self, candidates: &[Fingerprint]) -> Result<Vec<Fingerprint>, VaultError> {
        let mut candidates = candidates.to_vec();
        candidates.sort_unstable();
        candidates.dedup();
        let mut is_original = vec![false; candidates.len()];
        for unit in self.units.iter().filter(|_| !candidates.is_empty()) {
            self.kept.each(unit, &mut |sorted| {
                let mut at = 0;
                for original in sorted {
                    while candidates.get(at).is_some_and(|candidate| candidate < original) {
                        at += 1;
                    }
                    match candidates.get(at) {
                        Some(candidate) if candidate == original => is_original[at] = true,
                        Some(_) => {}
                        None => return,
                    }
                }
            })?;
        }
        let confirmed = candidates.into_iter().zip(is_original).filter(|(_, is)| *is);
        Ok(confirmed.map(|(candidate, _)| candidate).collect())
    }

    /// Distinct originals; short of them by no more than the filter's rate.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Of these, those of a kind.
    pub fn count_of(&self, kind: Identifier) -> u64 {
        self.counts[kind as usize]
    }

    /// The filter's.
    pub fn false_positive_rate(&self) -> f64 {
        self.filter.false_positive_rate()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::collector::BUFFERED;
    use super::super::normal;
    use super::*;

    const KIND: Identifier = Identifier::Secret;
    const UNIT: &str = "public.customers";

    fn keyring(digit: &str) -> Keyring {
        Keyring::from_hex(&digit.repeat(64)).unwrap()
    }

    fn directory() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    fn vault(directory: &TempDir) -> Vault {
        let vault = Vault::open(directory.path(), &keyring("1")).unwrap();
        vault.bind("run").unwrap();
        vault
    }

    /// A text that no rule takes for a common one.
    fn secret(number: usize) -> String {
        format!("kZ8-{number:08}-qP4t")
    }

    fn persist(vault: &Vault, unit: &str, numbers: std::ops::Range<usize>) {
        let mut collector = vault.collector();
        for number in numbers {
            collector.add(KIND, &secret(number));
        }
        collector.persist(unit).unwrap();
    }

    fn normals(text: &str) -> Vec<(Identifier, Vec<u8>)> {
        let mut normals = Vec::new();
        normal::original(KIND, text, &mut |kind, normal| normals.push((kind, normal.to_vec())));
        normals
    }

    /// The originals of these that are found, by the filter and by all bits.
    fn found(originals: &Originals, numbers: std::ops::Range<usize>) -> usize {
        let make = originals.fingerprints();
        let candidates: Vec<Fingerprint> = numbers
            .flat_map(|number| normals(&secret(number)))
            .map(|(kind, normal)| make.of(kind, &normal))
            .filter(|fingerprint| originals.may_hold(*fingerprint))
            .collect();
        originals.confirm(&candidates).unwrap().len()
    }

    fn units(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_was_collected_is_found_and_nothing_else() {
        let directory = directory();
        let vault = vault(&directory);
        persist(&vault, "a", 0..50);
        persist(&vault, "b", 40..100);
        persist(&vault, "c", 0..0);
        let all = vault.originals(&units(&["a", "b", "c"])).unwrap();
        assert_eq!(all.count(), 100);
        assert_eq!((all.count_of(KIND), all.count_of(Identifier::Phone)), (100, 0));
        assert_eq!(found(&all, 0..1000), 100);
        let one = vault.originals(&units(&["a"])).unwrap();
        assert_eq!((one.count(), found(&one, 0..1000)), (50, 50));
        let none = vault.originals(&units(&["c"])).unwrap();
        assert_eq!((none.count(), found(&none, 0..1000)), (0, 0));
        assert_eq!(none.false_positive_rate(), 0.0);
    }

    #[test]
    fn confirming_takes_all_bits() {
        let directory = directory();
        let vault = vault(&directory);
        persist(&vault, "a", 0..10);
        let originals = vault.originals(&units(&["a"])).unwrap();
        let (kind, normal) = normals(&secret(3)).remove(0);
        let real = originals.fingerprints().of(kind, &normal);
        let near = [
            Fingerprint { second: real.second ^ 1 << 63, ..real },
            Fingerprint { first: real.first ^ 1, ..real },
            real,
            real,
        ];
        assert_eq!(originals.confirm(&near).unwrap(), [real]);
    }

    #[test]
    fn more_than_a_buffer_is_kept_and_repeats_cost_no_room() {
        let directory = directory();
        let vault = vault(&directory);
        persist(&vault, "many", 0..BUFFERED + BUFFERED / 2);
        let mut repeats = vault.collector();
        for number in 0..BUFFERED * 2 {
            repeats.add(KIND, &secret(number % 1000));
        }
        assert!(!repeats.has_spilled());
        repeats.persist("repeats").unwrap();
        let originals = vault.originals(&units(&["many", "repeats"])).unwrap();
        let expected = (BUFFERED + BUFFERED / 2) as u64;
        assert!(originals.count() <= expected && originals.count() > expected - 100);
        assert_eq!(found(&originals, 0..2000), 2000);
        assert_eq!(found(&originals, BUFFERED..BUFFERED + 2000), 2000);
    }

    #[test]
    fn a_unit_without_usable_fingerprints_is_named() {
        let directory = directory();
        let first = vault(&directory);
        persist(&first, UNIT, 0..3);
        let why = |vault: &Vault, unit: &str| match vault.check(unit) {
            Err(VaultError::Missing { unit: named, why }) => {
                assert_eq!(named, unit);
                why.replace(&*vault.directory().to_string_lossy(), "DIR")
            }
            other => format!("{other:?}"),
        };
        assert_eq!(why(&first, UNIT), "Ok(())");
        assert_eq!(why(&first, "public.other"), "are not in DIR");
        // Another key gives other names.
        let other_key = Vault::open(directory.path(), &keyring("2")).unwrap();
        assert_eq!(why(&other_key, UNIT), "are not in DIR");
        let foreign = "in DIR are damaged, or another run's, key's or version's";
        let other_run = Vault::open(directory.path(), &keyring("1")).unwrap();
        other_run.bind("another run").unwrap();
        assert_eq!(why(&other_run, UNIT), foreign);
        // Another unit's file under this unit's name.
        fs::copy(first.kept.file(UNIT), first.kept.file("public.other")).unwrap();
        assert_eq!(why(&first, "public.other"), foreign);
        // Another key's file under this key's name.
        persist(&other_key, UNIT, 0..3);
        fs::rename(other_key.kept.file(UNIT), first.kept.file(UNIT)).unwrap();
        assert_eq!(why(&first, UNIT), foreign);
        assert!(first.originals(&units(&[UNIT])).is_err());
    }

    #[test]
    fn a_rerun_finds_the_files_and_replaces_them() {
        let directory = directory();
        persist(&vault(&directory), UNIT, 0..100);
        let mut killed = vault(&directory).collector();
        for number in 0..BUFFERED + 1 {
            killed.add(KIND, &secret(number));
        }
        std::mem::forget(killed);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
        let rerun = vault(&directory);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert_eq!(found(&rerun.originals(&units(&[UNIT])).unwrap(), 0..200), 100);
        persist(&rerun, UNIT, 0..10);
        assert_eq!(found(&rerun.originals(&units(&[UNIT])).unwrap(), 0..200), 10);
        fs::write(directory.path().join("not ours"), "").unwrap();
        futures_util::FutureExt::now_or_never(rerun.discard()).unwrap().unwrap();
        let left: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].as_ref().unwrap().file_name(), "not ours");
    }

    #[test]
    fn a_private_vault_is_for_its_owner_and_goes_with_the_process() {
        let vault = Vault::private(None, &Keyring::ephemeral()).unwrap();
        let directory = vault.directory().to_path_buf();
        assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
        persist(&vault, UNIT, 0..3);
        let file = fs::metadata(vault.kept.file(UNIT)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        drop(vault);
        assert!(!directory.exists());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]
        #[test]
        fn every_original_that_was_added_is_found(
            texts in proptest::collection::vec("\\PC{0,40}", 0..40),
            kinds in proptest::collection::vec(0..Identifier::ALL.len(), 40),
            split in 0_usize..40,
        ) {
            let directory = directory();
            let vault = vault(&directory);
            let originals: Vec<_> =
                texts.iter().zip(kinds).map(|(text, kind)| (Identifier::ALL[kind], text)).collect();
            let (left, right) = originals.split_at(split.min(originals.len()));
            for (unit, part) in [("left", left), ("right", right)] {
                let mut collector = vault.collector();
                for (kind, text) in part {
                    collector.add(*kind, text);
                }
                collector.persist(unit).unwrap();
            }
            let kept = vault.originals(&units(&["left", "right"])).unwrap();
            let make = kept.fingerprints();
            let mut all = Vec::new();
            for (kind, text) in originals {
                normal::original(kind, text, &mut |kind, normal| all.push(make.of(kind, normal)));
            }
            prop_assert!(all.iter().all(|fingerprint| kept.may_hold(*fingerprint)));
            all.sort();
            all.dedup();
            prop_assert_eq!(kept.confirm(&all).unwrap(), all);
        }
    }
}
