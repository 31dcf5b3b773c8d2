//! What the development account is told once: whose releases it lets in, by which signatures, for which databases.
//!
//! Read strictly: a setting that nobody knows, or one with which anybody's snapshot would be let in, is refused before
//! anything happens. There is no secret in it.

use std::collections::BTreeMap;

use contract::key::PublicKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapshots::{Settings as Facts, name};
use workflow::{Pauses, StepError};

/// The settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The account that releases.
    pub producer: String,
    /// The region it releases in.
    pub region: String,
    /// The key its releases are encrypted under, in full.
    pub share_key: String,
    /// This account's own key: of copies and databases.
    pub key: String,
    /// Public keys in PEM: a release is let in where one of them has signed its statement.
    pub public_keys: Vec<String>,
    /// The databases, by the name that both accounts use.
    pub databases: BTreeMap<String, Target>,
    /// How long anything may take.
    #[serde(default)]
    pub deadlines: Deadlines,
    /// How long to wait between two looks.
    #[serde(default)]
    pub pauses: Pauses,
    /// So many looks in a row must find a database ready: it says `available` for a while after it was told to change.
    #[serde(default = "looks")]
    pub looks: u64,
}

/// A development database.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name in this account.
    pub name: String,
    /// Its engine.
    pub engine: String,
    /// The secret in which applications find it, under the same name for ever.
    pub secret: String,
    /// The role applications log in as on PostgreSQL: it gets a new password each time. Without it the secret leads to the
    /// one in which the platform keeps the master user's password.
    #[serde(default)]
    pub user: Option<String>,
    /// How the new one takes the old one's place.
    #[serde(default)]
    pub swap: Swap,
    /// Hours the old one is kept.
    #[serde(default = "grace_hours")]
    pub grace_hours: u32,
    /// Copies of releases that are kept.
    #[serde(default = "keep")]
    pub keep: usize,
    /// Days of automatic backups, where there is no current database to take the number from.
    #[serde(default)]
    pub backup_days: u32,
    /// It cannot be deleted until this is taken off.
    #[serde(default)]
    pub protect: bool,
    /// What the adapter is told about it (its class, its subnets, …), where there is no current database to take that from.
    #[serde(default)]
    pub facts: Facts,
    /// What is looked at before it is used, by the name of a database on the server; SQLite has one.
    #[serde(default)]
    pub checks: BTreeMap<String, Checks>,
}

/// How the new database takes the old one's place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Swap {
    /// It gets its name.
    #[default]
    Rename,
    /// The secret leads to it, and names stay.
    Pointer,
    /// It gets its name; where the old one cannot be renamed, the secret alone leads to it.
    Both,
}

/// What must be true of a database before it is used.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Checks {
    /// Tables that have rows.
    pub tables: Vec<String>,
    /// Questions with known answers.
    pub canaries: Vec<Canary>,
}

/// A question with a known answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// What it is called in messages.
    pub name: String,
    /// A query of one value.
    pub query: String,
    /// That value, as text.
    pub expect: String,
}

/// Seconds.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Deadlines {
    /// Until a snapshot is copied.
    pub copy: u64,
    /// Until it is restored.
    pub restore: u64,
    /// Until a change is made: a password, a start, a name.
    pub change: u64,
    /// Until everything is deleted.
    pub delete: u64,
    /// A whole execution: how long its lock is held.
    pub execution: u64,
}

impl Default for Deadlines {
    fn default() -> Self {
        const HOUR: u64 = 3600;
        Self {
            copy: 12 * HOUR,
            restore: 4 * HOUR,
            change: 45 * 60,
            delete: 2 * HOUR,
            execution: 24 * HOUR,
        }
    }
}

fn grace_hours() -> u32 {
    24
}

fn looks() -> u64 {
    2
}

fn keep() -> usize {
    2
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
        if self.public_keys.is_empty() {
            return Err(
                "`public_keys` is empty\n(hint: nothing is let in without a signature)".into()
            );
        }
        self.keys().map_err(|error| error.cause().to_owned())?;
        if self.producer.is_empty() || self.region.is_empty() {
            return Err("`producer` and `region` say whose releases are let in".into());
        }
        if !self.share_key.starts_with("arn:") || self.share_key == self.key {
            return Err("`share_key` is not the ARN of another account's key".into());
        }
        for (database, target) in &self.databases {
            name::check(database).map_err(|error| error.to_string())?;
            name::check(&target.name).map_err(|error| error.to_string())?;
            if target.secret.is_empty() {
                return Err(format!("database `{database}`: `secret` is empty"));
            }
        }
        Ok(())
    }

    /// The keys whose signatures count.
    pub fn keys(&self) -> Result<Vec<PublicKey>, StepError> {
        let read = |pem: &String| {
            PublicKey::from_pem(pem.as_bytes())
                .map_err(|error| StepError::Fatal(format!("`public_keys`: {error}")))
        };
        self.public_keys.iter().map(read).collect()
    }

    /// What is said of a database.
    pub fn target(&self, database: &str) -> Result<&Target, StepError> {
        let hint = || self.databases.keys().cloned().collect::<Vec<_>>().join(", ");
        self.databases.get(database).ok_or_else(|| {
            let text = format!("database `{database}` is not in the settings\n(hint: {})", hint());
            StepError::Fatal(text)
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const GOOD: &str = r#"{
        "producer": "111111111111", "region": "eu-west-1",
        "share_key": "arn:aws:kms:eu-west-1:111111111111:key/share",
        "key": "arn:aws:kms:eu-west-1:222222222222:key/dev",
        "public_keys": ["-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n"],
        "databases": { "shop": { "name": "shop", "engine": "postgres", "secret": "shop/database" } }
    }"#;

    pub(crate) fn good() -> Settings {
        Settings::read(GOOD.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_not_said_has_a_safe_value() {
        let shop = &good().databases["shop"];
        assert_eq!((shop.swap, shop.grace_hours, shop.keep), (Swap::Rename, 24, 2));
    }

    #[test]
    fn what_would_let_anything_in_is_refused() {
        for (from, to, said) in [
            (r#"["-----BEGIN"#, r#"["-----BEGIM"#, "public_keys"),
            ("111111111111\"", "\"", "whose releases"),
            ("eu-west-1\",", "\",", "whose releases"),
            ("arn:aws:kms:eu-west-1:111111111111:key/share", "share", "ARN"),
            ("\"secret\": \"shop/database\"", "\"secret\": \"\"", "`secret` is empty"),
            ("\"shop\":", "\"Shop\":", "lower-case"),
            ("\"producer\"", "\"any\": true, \"producer\"", "unknown field"),
        ] {
            let bad = GOOD.replacen(from, to, 1);
            assert_ne!(bad, GOOD, "{from}");
            let error = Settings::read(bad.as_bytes()).unwrap_err();
            assert!(error.contains(said), "{said}: {error}");
        }
        let error = Settings { public_keys: Vec::new(), ..good() }.check().unwrap_err();
        assert!(error.contains("public_keys"));
    }
}
