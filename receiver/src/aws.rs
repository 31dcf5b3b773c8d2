//! The development account on AWS: what the stack tells a function in its environment, and the document of settings in the
//! account's own bucket.
//!
//! The stack alone says whose releases are let in and by which signatures: a document that says so too is refused. The settings
//! are read for each call, so that a function that stays warm knows of a change.

use std::error::Error;
use std::path::PathBuf;
use std::pin::Pin;

use account::aws::environment::{Environment, decided, document};
use account::aws::{Arn, Bucket, Machine, Manager, SdkConfig, Table, config};
use account::{AccountError, Documents, Executions, Locks, Secrets};
use serde_json::{Map, Value, json};
use snapshots::rds::Rds;
use workflow::{StepError, Steps, lambda};

use crate::settings::Settings;
use crate::world::World;

/// Records of swaps, and settings.
const DOCUMENTS: &str = "ANONYMIZER_DOCUMENTS";
/// Production's bucket of releases.
const RELEASES: &str = "ANONYMIZER_RELEASES";
/// Leases.
const TABLE: &str = "ANONYMIZER_TABLE";
/// This account's own key.
pub(crate) const KEY: &str = "ANONYMIZER_KEY";
/// The key of releases.
pub(crate) const SHARE_KEY: &str = "ANONYMIZER_SHARE_KEY";
/// The account that releases, and where.
const PRODUCER: &str = "ANONYMIZER_PRODUCER";
const REGION: &str = "ANONYMIZER_REGION";
/// Keys whose signatures count: PEMs, one after the other.
const PUBLIC_KEYS: &str = "ANONYMIZER_PUBLIC_KEYS";
/// What the names of databases and of their secrets begin with: the stack's roles may touch no others.
const DATABASE_PREFIX: &str = "ANONYMIZER_DATABASE_PREFIX";
const SECRET_PREFIX: &str = "ANONYMIZER_SECRET_PREFIX";
/// The state machine whose executions are runs.
pub(crate) const WORKFLOW: &str = "ANONYMIZER_WORKFLOW";

/// A file beside the program.
const AUTHORITIES: &str = "rds-ca.pem";

pub(crate) const VARIABLES: [&str; 11] = [
    DOCUMENTS,
    RELEASES,
    TABLE,
    KEY,
    SHARE_KEY,
    PRODUCER,
    REGION,
    PUBLIC_KEYS,
    DATABASE_PREFIX,
    SECRET_PREFIX,
    WORKFLOW,
];

/// The account, as its stack describes it.
pub struct Development {
    config: SdkConfig,
    account: String,
    documents: Bucket,
    releases: Bucket,
    executions: Machine,
    stack: Stack,
    environment: Environment,
}

/// What the stack decides of the settings.
#[derive(Clone, Debug)]
pub struct Stack {
    /// The account that releases.
    pub producer: String,
    /// The region it releases in.
    pub region: String,
    /// The key its releases are encrypted under.
    pub share_key: String,
    /// This account's own key.
    pub key: String,
    /// The keys whose signatures count, a PEM each.
    pub public_keys: Vec<String>,
    /// What the names of databases begin with.
    pub database_prefix: String,
    /// What the names of their secrets begin with.
    pub secret_prefix: String,
}

/// Behind a pointer: otherwise all steps and all of the SDK below them are one type, too deep for the compiler.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Answers the calls of one function.
pub async fn serve() -> Result<(), Box<dyn Error + Send + Sync>> {
    let account: Boxed<'_, Result<Development, AccountError>> =
        Box::pin(Development::of_environment());
    let account = account.await.map_err(StepError::from);
    let serving: Boxed<'_, Result<(), Box<dyn Error + Send + Sync>>> =
        Box::pin(lambda::serve(account));
    serving.await
}

impl Development {
    /// As the process's environment says.
    pub async fn of_environment() -> Result<Self, AccountError> {
        let environment = Environment::of_process(&VARIABLES)?;
        Self::new(config().await, environment)
    }

    /// As an environment says, with the credentials of a configuration.
    pub fn new(config: SdkConfig, environment: Environment) -> Result<Self, AccountError> {
        let workflow = Arn::parse(environment.text(WORKFLOW), "states")?;
        let region = environment.text(REGION);
        if workflow.region != region {
            return Err(AccountError::Other(format!(
                "{REGION} is {region} and {WORKFLOW} is in {}\n(hint: releases are received in the region that they are made in)",
                workflow.region
            )));
        }
        let text = |name: &str| environment.text(name).to_owned();
        Ok(Self {
            executions: Machine::new(&config, &workflow.text)?,
            // What owns the state machine is the account that this runs in.
            account: workflow.account,
            documents: Bucket::new(&config, environment.bucket(DOCUMENTS)?),
            releases: Bucket::new(&config, environment.bucket(RELEASES)?),
            stack: Stack {
                producer: text(PRODUCER),
                region: text(REGION),
                share_key: text(SHARE_KEY),
                key: text(KEY),
                database_prefix: text(DATABASE_PREFIX),
                secret_prefix: text(SECRET_PREFIX),
                public_keys: pems(environment.text(PUBLIC_KEYS))
                    .map_err(|why| AccountError::Other(format!("{PUBLIC_KEYS}: {why}")))?,
            },
            config,
            environment,
        })
    }

    /// Whose credentials.
    pub(crate) fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// What the environment says.
    pub(crate) fn told(&self, name: &str) -> &str {
        self.environment.text(name)
    }

    /// What the steps have around them, with the settings as they are now.
    pub async fn world(&self) -> Result<World<Rds>, StepError> {
        let documents = Documents::Bucket(self.documents.clone());
        let (settings, place) = document(&documents).await?;
        let settings = self.stack.settings(&settings);
        let (config, told) = (&self.config, &self.environment);
        let secrets = Manager::new(config, &self.account).encrypted(&self.stack.key);
        Ok(World {
            snapshots: Rds::new(config, &self.account),
            locks: Locks::Table(Table::new(config, told.text(TABLE))),
            documents,
            handover: Documents::Bucket(self.releases.clone()),
            secrets: Secrets::Manager(secrets),
            executions: Executions::Machine(self.executions.clone()),
            authorities: authorities(),
            settings: settings.map_err(|why| StepError::Fatal(format!("{place}: {why}")))?,
        })
    }
}

impl Steps for Development {
    const NAMES: &'static [&'static str] = <World<Rds> as Steps>::NAMES;

    async fn call(&self, step: &str, input: Value) -> Result<Value, StepError> {
        let world = self.world().await?;
        let called: Pin<Box<dyn Future<Output = Result<Value, StepError>> + Send + '_>> =
            Box::pin(world.call(step, input));
        called.await
    }
}

impl Stack {
    /// The document's settings with what the stack decides; a sentence about what is wrong.
    pub fn settings(&self, document: &[u8]) -> Result<Settings, String> {
        let decisions = [
            ("producer", json!(self.producer)),
            ("region", json!(self.region)),
            ("share_key", json!(self.share_key)),
            ("key", json!(self.key)),
            ("public_keys", json!(self.public_keys)),
        ];
        let decisions = decisions.into_iter().map(|(name, value)| (name.to_owned(), value));
        let settings = decided(document, decisions.collect::<Map<_, _>>())?;
        let settings = Settings::of(Value::Object(settings))?;
        for (database, target) in &settings.databases {
            self.may_touch(database, &target.name, &self.database_prefix)?;
            self.may_touch(database, &target.secret, &self.secret_prefix)?;
        }
        Ok(settings)
    }

    /// What the stack's roles would be denied is said before hours of copying.
    fn may_touch(&self, database: &str, name: &str, prefix: &str) -> Result<(), String> {
        match name.starts_with(prefix) {
            true => Ok(()),
            false => Err(format!(
                "database `{database}`: `{name}` does not begin with `{prefix}`\n(hint: the stack's parameters say with what names begin)"
            )),
        }
    }
}

/// Amazon's authorities for databases, where the package has them: they are no public ones.
fn authorities() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.with_file_name(AUTHORITIES);
    beside.is_file().then_some(beside)
}

/// The keys of a text that has been through a template's parameter, which may have put all of it on one line.
fn pems(text: &str) -> Result<Vec<String>, String> {
    const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
    const END: &str = "-----END PUBLIC KEY-----";
    let mut keys = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (body, after) = rest
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.split_once(END))
            .ok_or("it is not one public key in PEM after the other")?;
        let body: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let lines: Vec<_> = body.chunks(64).map(String::from_utf8_lossy).collect();
        keys.push(format!("{BEGIN}\n{}\n{END}\n", lines.join("\n")));
        rest = after.trim_start();
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    const P256: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUpRVdD6ttQxkb37pA9Md7vlFQ9vh\nqyp3dLeNPKpxW2qJXSmp3+m71d6u7wKxyRrEr0qxNBuG3vDJzWi8yOJ5Dg==\n-----END PUBLIC KEY-----\n";
    const DOCUMENT: &str = r#"{
        "looks": 3,
        "databases": { "shop": { "name": "dev-shop", "engine": "postgres", "secret": "development/shop" } }
    }"#;

    fn stack() -> Stack {
        Stack {
            producer: "111111111111".into(),
            region: "eu-west-1".into(),
            share_key: "arn:aws:kms:eu-west-1:111111111111:key/share".into(),
            key: "arn:aws:kms:eu-west-1:222222222222:key/dev".into(),
            public_keys: vec![ED25519.into()],
            database_prefix: "dev-".into(),
            secret_prefix: "development/".into(),
        }
    }

    #[test]
    fn the_stack_decides_whose_releases_are_let_in_and_the_document_the_rest() {
        let settings = stack().settings(DOCUMENT.as_bytes()).unwrap();
        assert_eq!((settings.producer.as_str(), settings.looks), ("111111111111", 3));
        assert_eq!(settings.public_keys, [ED25519]);
        for decided in ["producer", "region", "share_key", "key", "public_keys"] {
            let document = DOCUMENT.replacen("looks", decided, 1);
            let why = stack().settings(document.as_bytes()).unwrap_err();
            assert!(why.contains(&format!("`{decided}` is decided by the stack")), "{why}");
        }
        for (name, prefix) in [("dev-shop", "dev-"), ("development/shop", "development/")] {
            let document = DOCUMENT.replace(name, "shop");
            let why = stack().settings(document.as_bytes()).unwrap_err();
            assert!(why.contains(&format!("`shop` does not begin with `{prefix}`")), "{why}");
        }
        let unknown = DOCUMENT.replacen("looks", "trust", 1);
        assert!(stack().settings(unknown.as_bytes()).unwrap_err().contains("unknown field"));
    }

    #[test]
    fn keys_come_through_a_parameter_whole() {
        let both = format!("{ED25519}{P256}");
        assert_eq!(pems(&both).unwrap(), [ED25519, P256]);
        assert_eq!(pems(&both.replace('\n', " ")).unwrap(), [ED25519, P256]);
        assert_eq!(pems(&both.replace('\n', "")).unwrap(), [ED25519, P256]);
        for bad in
            ["key", "-----BEGIN PUBLIC KEY-----", &format!("{ED25519}x"), &format!("x{P256}")]
        {
            assert!(pems(bad).is_err(), "{bad}");
        }
    }
}
