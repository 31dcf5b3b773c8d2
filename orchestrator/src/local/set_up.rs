//! Makes what an account on this machine has before its first run: keys, settings, rules, and a database with a snapshot.
//! Done twice it changes nothing that is there, but for rules and settings, which are those it was told last.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use account::Documents;
use anyhow::{Context as _, Result, anyhow};
use pem_rfc7468::LineEnding;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use snapshots::local::NewDatabase;
use snapshots::{Kind, SnapshotError, Snapshots as _, Tags};

use super::{Account, DEVELOPMENT, MASKING_KEY, PUBLIC_KEY, SETTINGS, SIGNING_KEY, load};
use workflow::Pauses;

use crate::names;
use crate::settings::{Deadlines, Server, Settings};

/// Everything of a SubjectPublicKeyInfo before an ed25519 key's 32 bytes (RFC 8410).
const ED25519_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// A database of production's, or a server with several.
pub struct NewServer<'a> {
    /// As both accounts call it.
    pub database: &'a str,
    /// A SQLite file, which is copied; or a directory with a script NAME.sql for each database of a PostgreSQL server.
    pub file: &'a Path,
    /// Its rules; or a directory with NAME.yaml for each database of the server.
    pub rules: &'a Path,
    /// Encrypted, as it should be.
    pub encrypted: bool,
}

/// The file's name of every database of SQLite in an account.
const FILE: &str = "database.sqlite";

/// How long the first snapshot may take.
const LONGEST: Duration = Duration::from_secs(3600);

/// Makes what is missing.
pub async fn set_up(account: &Account, new: &NewServer<'_>) -> Result<()> {
    let local = account.snapshots()?.patient(LONGEST);
    let secrets = account.home().join("secrets");
    std::fs::create_dir_all(&secrets).context("make the folder of secrets")?;
    masking_key(&secrets)?;
    signing_key(&secrets, &account.handover()).await?;
    let work_key = local.key("work", &[])?;
    let share_key = local.key("share", &[DEVELOPMENT.to_owned()])?;
    let documents = account.documents();
    rules(&documents, new).await?;
    settings(&documents, new.database, &work_key, share_key).await?;
    let key = new.encrypted.then_some(work_key.as_str());
    let database = NewDatabase { name: new.database, kind: Kind::Instance, key, tags: Tags::new() };
    let made = match new.file.is_dir() {
        true => load::server(&local, &database, new.file).await?,
        false => match local.import_sqlite(&database, new.file) {
            Err(SnapshotError::Exists(_)) => None,
            made => Some(made?),
        },
    };
    let Some(made) = made else { return Ok(()) };
    // The platform here takes none by itself.
    let name = snapshots::name::join(new.database, &["1"]);
    let tags = [("taken-by".to_owned(), "set-up".to_owned())];
    local.take(&made.resource_id, &name, &tags.into()).await?;
    // What this process has begun would begin anew in the next one, which does not wait for a source.
    local.snapshots().await?;
    Ok(())
}

/// Puts the rules where a run looks for them, and takes away those of databases that it is not told of any more.
async fn rules(documents: &Documents, new: &NewServer<'_>) -> Result<()> {
    let files = match new.rules.is_dir() {
        true => load::named(new.rules, "yaml")?,
        false => vec![(FILE.to_owned(), new.rules.to_owned())],
    };
    let folder = names::rules(new.database);
    let mut before = documents.list(&folder).await?;
    for (name, file) in files {
        let rules = std::fs::read(&file).with_context(|| format!("read {}", file.display()))?;
        let key = format!("{folder}/{name}.yaml");
        documents.put(&key, &rules).await?;
        before.retain(|earlier| *earlier != key);
    }
    for key in before {
        documents.delete(&key).await?;
    }
    Ok(())
}

async fn settings(
    documents: &Documents,
    database: &str,
    work_key: &str,
    share_key: String,
) -> Result<()> {
    let mut settings = match documents.get(SETTINGS).await? {
        Some(bytes) => {
            Settings::read(&bytes).map_err(|error| anyhow!("read the settings: {error}"))?
        }
        None => Settings {
            accounts: BTreeSet::from([DEVELOPMENT.to_owned()]),
            work_key: work_key.to_owned(),
            share_key,
            databases: Default::default(),
            keep: 3,
            release_days: 14,
            at_a_time: 12,
            resumes: 5,
            requests_per_day: 4,
            deadlines: Deadlines::default(),
            pauses: Pauses::default(),
        },
    };
    let server = Server {
        source: database.to_owned(),
        max_age_hours: 24 * 7,
        gigabytes: 0,
        isolation: Default::default(),
    };
    settings.databases.insert(database.to_owned(), server);
    Ok(documents.put(SETTINGS, &serde_json::to_vec_pretty(&settings)?).await?)
}

fn masking_key(secrets: &Path) -> Result<()> {
    let mut key = [0; 32];
    SystemRandom::new().fill(&mut key).map_err(|_| anyhow!("make the masking key"))?;
    new_file(&secrets.join(MASKING_KEY), hex::encode(key).as_bytes()).map(drop)
}

async fn signing_key(secrets: &Path, handover: &Documents) -> Result<()> {
    let failed = || anyhow!("make the signing key");
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| failed())?;
    let pair = Ed25519KeyPair::from_pkcs8(der.as_ref()).map_err(|_| failed())?;
    let pem = |label: &str, der: &[u8]| {
        pem_rfc7468::encode_string(label, LineEnding::LF, der).map_err(|_| failed())
    };
    if new_file(&secrets.join(SIGNING_KEY), pem("PRIVATE KEY", der.as_ref())?.as_bytes())? {
        let public = [&ED25519_HEAD[..], pair.public_key().as_ref()].concat();
        handover.put(PUBLIC_KEY, pem("PUBLIC KEY", &public)?.as_bytes()).await?;
    }
    Ok(())
}

/// Writes a file that only its owner may read; one that is there stays.
fn new_file(path: &Path, bytes: &[u8]) -> Result<bool> {
    match File::options().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        opened => {
            let written = opened.and_then(|mut file| file.write_all(bytes));
            written.with_context(|| format!("write {}", path.display()))?;
            Ok(true)
        }
    }
}
