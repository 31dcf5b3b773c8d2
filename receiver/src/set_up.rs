//! Makes what the development account on this machine has before its first run: a key of its own and settings, in which the
//! public key is pinned. Done twice it changes nothing but the database that it is told of.

use std::path::Path;

use snapshots::local::{Local, REGION};

use crate::Settings;
use crate::local::{Account, Broken, SETTINGS};
use crate::settings::{Deadlines, Swap, Target};

/// Whose releases are let in, of what.
pub struct SetUp<'a> {
    /// This account.
    pub account: &'a str,
    /// The account that releases.
    pub producer: &'a str,
    /// The key its releases are encrypted under.
    pub share_key: &'a str,
    /// The key that verifies them, in PEM.
    pub public_key: &'a str,
    /// The database, as both accounts call it.
    pub database: &'a str,
    /// Its engine.
    pub engine: &'a str,
}

/// Makes it below a root.
pub async fn set_up(root: &Path, new: &SetUp<'_>) -> Result<Account, Broken> {
    let broken = |error: &dyn ToString| Broken(error.to_string());
    let platform = Local::open(root, new.account).map_err(|error| broken(&error))?;
    let key = platform.key("development", &[]).map_err(|error| broken(&error))?;
    let account = Account::new(root, new.account);
    let documents = account.documents();
    let mut settings = match documents.get(SETTINGS).await.map_err(|error| broken(&error))? {
        Some(_) => account.settings().await?,
        None => Settings {
            producer: new.producer.to_owned(),
            region: REGION.to_owned(),
            share_key: new.share_key.to_owned(),
            key,
            public_keys: vec![new.public_key.to_owned()],
            databases: Default::default(),
            deadlines: Deadlines::default(),
            pauses: Default::default(),
            looks: 2,
        },
    };
    let target = Target {
        name: new.database.to_owned(),
        engine: new.engine.to_owned(),
        secret: format!("{}/database", new.database),
        user: None,
        swap: Swap::Rename,
        grace_hours: 24,
        keep: 2,
        backup_days: 0,
        protect: false,
        facts: Default::default(),
        checks: Default::default(),
    };
    settings.databases.entry(new.database.to_owned()).or_insert(target);
    let bytes = serde_json::to_vec_pretty(&settings).map_err(|error| broken(&error))?;
    // What would be refused later is refused now, and not written.
    Settings::read(&bytes).map_err(Broken)?;
    documents.put(SETTINGS, &bytes).await.map_err(|error| broken(&error))?;
    Ok(account)
}
