//! What the production account is told once: whom releases are for, under which keys, of which databases, within what time.
//!
//! Read strictly: a setting that nobody knows, or one that would let data out, is refused before anything happens. There is
//! no secret in it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapshots::{Settings as Facts, name};
use workflow::Pauses;

/// Fewer released snapshots than this are never kept: deleting one while it is being copied breaks the copy.
const LEAST_RELEASES: usize = 2;
/// Accounts that one snapshot can be shared with.
const MOST_ACCOUNTS: usize = 20;
/// Items that Step Functions works on at a time in a map within one execution.
const MOST_AT_A_TIME: u32 = 40;

/// The settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The accounts that releases are shared with, and that may ask for one. No others, ever.
    pub accounts: BTreeSet<String>,
    /// The key of everything raw. No other account can use it.
    pub work_key: String,
    /// The key of releases, in full: the other accounts know it by this.
    pub share_key: String,
    /// The servers, by the name that both accounts use.
    pub databases: BTreeMap<String, Server>,
    /// How many releases of a database are kept.
    #[serde(default = "keep")]
    pub keep: usize,
    /// Days after which a release is no longer let in.
    #[serde(default = "release_days")]
    pub release_days: u32,
    /// Servers that the fleet refreshes at a time. Each has a temporary database, a container and a copy that is being made;
    /// RDS makes 20 copies of instances' snapshots at a time for an account, and 5 of clusters'.
    #[serde(default = "at_a_time")]
    pub at_a_time: u32,
    /// How often masking goes on after an interruption.
    #[serde(default = "resumes")]
    pub resumes: u32,
    /// Requests of development that are granted within 24 hours, for each database.
    #[serde(default = "requests_per_day")]
    pub requests_per_day: usize,
    /// How long anything may take.
    #[serde(default)]
    pub deadlines: Deadlines,
    /// How long to wait between two looks.
    #[serde(default)]
    pub pauses: Pauses,
}

/// A server and what its restored copies are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The instance or cluster, as it is called in this account.
    pub source: String,
    /// The oldest data that is still released.
    pub max_age_hours: u32,
    /// How large it is, about: the fleet begins with the largest, for the one that takes longest must not begin last.
    #[serde(default)]
    pub gigabytes: u32,
    /// What the adapter is told about the restored copy: its class, its isolated subnets, its own parameter group, …
    #[serde(default)]
    pub isolation: Facts,
}

/// Seconds.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Deadlines {
    /// Until a snapshot is restored.
    pub restore: u64,
    /// Until a change is made: a password, a restart, a writer.
    pub change: u64,
    /// Until a snapshot is taken.
    pub take: u64,
    /// Until a snapshot is copied.
    pub copy: u64,
    /// Until it is known who would get at a release.
    pub preview: u64,
    /// Until everything is deleted.
    pub delete: u64,
    /// A whole execution: how long its lock is held.
    pub execution: u64,
}

impl Default for Deadlines {
    fn default() -> Self {
        const HOUR: u64 = 3600;
        Self {
            restore: 4 * HOUR,
            change: 45 * 60,
            take: 6 * HOUR,
            copy: 12 * HOUR,
            preview: 15 * 60,
            delete: 2 * HOUR,
            execution: 48 * HOUR,
        }
    }
}

fn keep() -> usize {
    3
}

fn release_days() -> u32 {
    14
}

fn at_a_time() -> u32 {
    12
}

fn resumes() -> u32 {
    5
}

fn requests_per_day() -> usize {
    4
}

impl Settings {
    /// Reads them; a sentence about what is wrong.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        Self::checked(serde_json::from_slice(bytes))
    }

    /// The same, of a document that was read already.
    pub fn of(document: Value) -> Result<Self, String> {
        Self::checked(serde_json::from_value(document))
    }

    fn checked(read: serde_json::Result<Self>) -> Result<Self, String> {
        let settings = read.map_err(|error| error.to_string())?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), String> {
        let count = self.accounts.len();
        if count == 0 || count > MOST_ACCOUNTS {
            return Err(format!(
                "`accounts` has {count} accounts\n(hint: name 1 to {MOST_ACCOUNTS})"
            ));
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        for account in &self.accounts {
            if account.is_empty() || account == "all" || !account.chars().all(plain) {
                return Err(format!("`{account}` is no account"));
            }
        }
        if self.work_key == self.share_key || self.work_key.is_empty() {
            return Err("`work_key` and `share_key` are not two keys\n(hint: nothing raw may lie under a key that others can use)".into());
        }
        if !self.share_key.starts_with("arn:") {
            return Err(
                "`share_key` is no ARN\n(hint: another account knows a key by its ARN only)".into(),
            );
        }
        if self.keep < LEAST_RELEASES {
            return Err(format!(
                "`keep` is {}\n(hint: {LEAST_RELEASES} or more: one may be being copied)",
                self.keep
            ));
        }
        if !(1..=MOST_AT_A_TIME).contains(&self.at_a_time) {
            return Err(format!(
                "`at_a_time` is {}\n(hint: 1 to {MOST_AT_A_TIME})",
                self.at_a_time
            ));
        }
        for (database, server) in &self.databases {
            name::check(database).map_err(|error| error.to_string())?;
            if server.source.is_empty() || server.max_age_hours == 0 {
                return Err(format!(
                    "database `{database}`: `source` is empty or `max_age_hours` is 0"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const GOOD: &str = r#"{
        "accounts": ["222222222222"],
        "work_key": "arn:aws:kms:eu-west-1:111111111111:key/work",
        "share_key": "arn:aws:kms:eu-west-1:111111111111:key/share",
        "databases": { "shop": { "source": "shop-prod", "max_age_hours": 48 } }
    }"#;

    #[test]
    fn what_is_not_said_has_a_safe_value() {
        let settings = Settings::read(GOOD.as_bytes()).unwrap();
        assert_eq!((settings.keep, settings.at_a_time, settings.pauses.first), (3, 12, 20));
        assert!(settings.databases["shop"].isolation.is_empty());
    }

    #[test]
    fn what_would_let_data_out_is_refused() {
        for (from, to, said) in [
            (r#"["222222222222"]"#, "[]", "0 accounts"),
            ("222222222222", "all", "no account"),
            ("222222222222", "*", "no account"),
            ("key/work", "key/share", "not two keys"),
            ("arn:aws:kms:eu-west-1:111111111111:key/share", "share", "no ARN"),
            (r#""databases""#, r#""keep": 1, "databases""#, "2 or more"),
            (r#""databases""#, r#""at_a_time": 0, "databases""#, "1 to 40"),
            (r#""databases""#, r#""at_a_time": 41, "databases""#, "1 to 40"),
            (r#""databases""#, r#""publish": true, "databases""#, "unknown field"),
            ("48", "0", "max_age_hours"),
            (r#""shop":"#, r#""Shop_":"#, "lower-case"),
        ] {
            let bad = GOOD.replace(from, to);
            assert_ne!(bad, GOOD);
            let error = Settings::read(bad.as_bytes()).unwrap_err();
            assert!(error.contains(said), "{said}: {error}");
        }
    }
}
