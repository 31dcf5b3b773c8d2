//! Keys of an account, and which other accounts may use them.
//!
//! A key is a file that its owner alone may read; its record says who may use it. That an account keeps to this is enforced
//! here and not by the operating system: all accounts of a root are folders of one user.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::place::{self, Place, failed};
use super::sealed::{Secret, random};
use crate::error::SnapshotError;

/// What is said of a key beside its bytes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    arn: String,
    alias: String,
    /// Accounts that may use it beside its owner.
    users: Vec<String>,
    enabled: bool,
}

/// Makes the key of that alias, or gives the one there is these users.
pub fn create(place: &Place, alias: &str, users: &[String]) -> Result<String, SnapshotError> {
    let _lock = place.lock()?;
    let mut key = match by_alias(place, alias)? {
        Some(key) => key,
        None => {
            let id = hex::encode(random::<16>().map_err(failed("make", &place.keys()))?);
            let secret = random::<32>().map_err(failed("make", &place.keys()))?;
            place::write_text(&secret_file(place, &id), &Zeroizing::new(hex::encode(secret)))?;
            let arn = format!("arn:aws:kms:{}:{}:key/{id}", super::REGION, place.account);
            Key { arn, alias: alias.to_owned(), users: Vec::new(), enabled: true }
        }
    };
    key.users = users.to_vec();
    let id = key.arn.rsplit('/').next().unwrap_or_default();
    place::write(&record_file(place, id), &key)?;
    Ok(key.arn)
}

/// Lets nobody use a key any more, or everybody again whom its policy names.
pub fn enable(place: &Place, arn: &str, enabled: bool) -> Result<(), SnapshotError> {
    let _lock = place.lock()?;
    let absent = || SnapshotError::NotFound(format!("the key {arn}"));
    let (owner, id) = parts(arn).ok_or_else(absent)?;
    let file = record_file(&place.of(owner), id);
    let key: Option<Key> = place::read(&file)?;
    let key = key.filter(|_| owner == place.account).ok_or_else(absent)?;
    place::write(&file, &Key { enabled, ..key })
}

/// The bytes of a key, for an account that may use it.
pub fn secret(place: &Place, arn: &str) -> Result<Secret, SnapshotError> {
    let refused = |why: &str| {
        SnapshotError::KeyNotAccessible(format!(
            "account {} cannot use the key {arn}: {why}",
            place.account
        ))
    };
    let (owner, id) = parts(arn).ok_or_else(|| refused("that is no ARN of a key"))?;
    let owner = place.of(owner);
    let key: Option<Key> = place::read(&record_file(&owner, id))?;
    let absent = "it does not exist, or its policy does not name this account";
    let key = key.filter(|key| key.arn == arn).ok_or_else(|| refused(absent))?;
    if owner.account != place.account && !key.users.contains(&place.account) {
        return Err(refused(absent));
    }
    if !key.enabled {
        return Err(refused("it is disabled"));
    }
    let file = secret_file(&owner, id);
    let text = std::fs::read_to_string(&file).map(Zeroizing::new).map_err(failed("read", &file))?;
    let mut secret = Secret::default();
    let decoded = hex::decode_to_slice(text.trim(), secret.as_mut_slice());
    decoded.map_err(|_| refused("its file is damaged"))?;
    Ok(secret)
}

fn by_alias(place: &Place, alias: &str) -> Result<Option<Key>, SnapshotError> {
    for name in place::names(&place.keys())?.iter().filter(|name| name.ends_with(".json")) {
        let key: Option<Key> = place::read(&place.keys().join(name))?;
        if let Some(key) = key.filter(|key| key.alias == alias) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// Owner and identifier: `arn:aws:kms:REGION:ACCOUNT:key/ID`. Nothing else comes near a path.
fn parts(arn: &str) -> Option<(&str, &str)> {
    let rest = arn.strip_prefix("arn:aws:kms:")?.strip_prefix(super::REGION)?;
    let (account, id) = rest.strip_prefix(':')?.split_once(":key/")?;
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    (super::is_account(account) && plain(id)).then_some((account, id))
}

fn record_file(place: &Place, id: &str) -> PathBuf {
    place.keys().join(format!("{id}.json"))
}

fn secret_file(place: &Place, id: &str) -> PathBuf {
    place.keys().join(format!("{id}.secret"))
}
