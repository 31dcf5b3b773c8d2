//! The production account on AWS: what the stack tells a function in its environment, and the document of settings in the
//! bucket beside the rules.
//!
//! The stack alone says whom releases are for, under which keys, and how a restored copy is isolated: a document that says so
//! too is refused. The settings are read for each call, so that a function that stays warm knows of a change, and one that
//! could not read them once is not lost.

use std::error::Error;
use std::pin::Pin;

use account::aws::environment::{Environment, decide, decided, document};
use account::aws::{Analyzer, Arn, Bucket, Kms, Machine, SdkConfig, Table, config};
use account::{AccountError, Documents, Executions, Locks, Previews, Signer};
use serde_json::{Map, Value, json};
use snapshots::Settings as Facts;
use snapshots::rds::Rds;
use snapshots::rds::settings::{SECURITY_GROUPS, SUBNET_GROUP};
use workflow::{StepError, Steps, lambda};

use crate::settings::Settings;
use crate::world::World;

/// Rules, states of masking runs, runs, requests, settings.
const DOCUMENTS: &str = "ANONYMIZER_DOCUMENTS";
/// Reports and releases, where nobody can change them.
const EVIDENCE: &str = "ANONYMIZER_EVIDENCE";
/// Leases.
const TABLE: &str = "ANONYMIZER_TABLE";
pub(crate) const WORK_KEY: &str = "ANONYMIZER_WORK_KEY";
pub(crate) const SHARE_KEY: &str = "ANONYMIZER_SHARE_KEY";
pub(crate) const SIGN_KEY: &str = "ANONYMIZER_SIGN_KEY";
/// The accounts that releases are for.
const ACCOUNTS: &str = "ANONYMIZER_ACCOUNTS";
/// The adapter's settings of every restored copy that the stack decides, as a JSON object.
const ISOLATION: &str = "ANONYMIZER_ISOLATION";
/// The analyzer that is asked what sharing would open, or `no`.
const ANALYZER: &str = "ANONYMIZER_ANALYZER";
/// The state machine whose executions are runs.
pub(crate) const WORKFLOW: &str = "ANONYMIZER_WORKFLOW";

pub(crate) const VARIABLES: [&str; 10] = [
    DOCUMENTS, EVIDENCE, TABLE, WORK_KEY, SHARE_KEY, SIGN_KEY, ACCOUNTS, ISOLATION, ANALYZER,
    WORKFLOW,
];

/// Without these a copy would be in the account's own network.
const NEEDED: [&str; 2] = [SUBNET_GROUP, SECURITY_GROUPS];

/// The account, as its stack describes it.
pub struct Production {
    config: SdkConfig,
    account: String,
    documents: Bucket,
    evidence: Bucket,
    executions: Machine,
    previews: Previews,
    stack: Stack,
    environment: Environment,
}

/// What the stack decides of the settings.
#[derive(Clone, Debug)]
pub struct Stack {
    /// The accounts that releases are shared with.
    pub accounts: Vec<String>,
    /// The key of everything raw.
    pub work_key: String,
    /// The key of releases.
    pub share_key: String,
    /// What the adapter is told about every restored copy.
    pub isolation: Facts,
}

/// Behind a pointer: otherwise all steps and all of the SDK below them are one type, too deep for the compiler.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Answers the calls of one function.
pub async fn serve() -> Result<(), Box<dyn Error + Send + Sync>> {
    let account: Boxed<'_, Result<Production, AccountError>> =
        Box::pin(Production::of_environment());
    let account = account.await.map_err(StepError::from);
    let serving: Boxed<'_, Result<(), Box<dyn Error + Send + Sync>>> =
        Box::pin(lambda::serve(account));
    serving.await
}

impl Production {
    /// As the process's environment says.
    pub async fn of_environment() -> Result<Self, AccountError> {
        let environment = Environment::of_process(&VARIABLES)?;
        Self::new(config().await, environment)
    }

    /// As an environment says, with the credentials of a configuration.
    pub fn new(config: SdkConfig, environment: Environment) -> Result<Self, AccountError> {
        let workflow = environment.text(WORKFLOW);
        Ok(Self {
            // What owns the state machine is the account that this runs in.
            account: Arn::parse(workflow, "states")?.account,
            executions: Machine::new(&config, workflow)?,
            previews: match environment.text(ANALYZER) {
                "no" => Previews::Nobody,
                arn => Previews::Analyzer(Box::new(Analyzer::new(&config, arn)?)),
            },
            documents: Bucket::new(&config, environment.bucket(DOCUMENTS)?),
            evidence: Bucket::new(&config, environment.bucket(EVIDENCE)?),
            stack: Stack {
                accounts: environment.list(ACCOUNTS),
                work_key: environment.text(WORK_KEY).to_owned(),
                share_key: environment.text(SHARE_KEY).to_owned(),
                isolation: isolation(environment.text(ISOLATION))
                    .map_err(|why| AccountError::Other(format!("{ISOLATION}: {why}")))?,
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

    /// What the stack decides about every restored copy.
    pub(crate) fn isolation(&self) -> &Facts {
        &self.stack.isolation
    }

    /// What the steps have around them, with the settings as they are now.
    pub async fn world(&self) -> Result<World<Rds>, StepError> {
        let documents = Documents::Bucket(self.documents.clone());
        let (settings, place) = document(&documents).await?;
        let settings = self.stack.settings(&settings);
        let (config, told) = (&self.config, &self.environment);
        Ok(World {
            snapshots: Rds::new(config, &self.account),
            locks: Locks::Table(Table::new(config, told.text(TABLE))),
            documents,
            reports: Documents::Bucket(self.evidence.clone()),
            handover: Documents::Bucket(self.evidence.clone()),
            signer: Signer::Kms(Kms::new(config, told.text(SIGN_KEY))),
            previews: self.previews.clone(),
            executions: Executions::Machine(self.executions.clone()),
            settings: settings.map_err(|why| StepError::Fatal(format!("{place}: {why}")))?,
        })
    }
}

impl Steps for Production {
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
        let keys = [
            ("accounts", json!(self.accounts)),
            ("work_key", json!(self.work_key)),
            ("share_key", json!(self.share_key)),
        ];
        let mut settings = decided(document, object(keys))?;
        let databases = settings.get_mut("databases").and_then(Value::as_object_mut);
        for (name, server) in databases.into_iter().flatten() {
            let Some(server) = server.as_object_mut() else { continue };
            let own = server.entry("isolation").or_insert_with(|| json!({}));
            let Some(own) = own.as_object_mut() else { continue };
            let isolation = self.isolation.iter().map(|(key, value)| (key.as_str(), json!(value)));
            decide(own, object(isolation), &format!("database `{name}`: "))?;
        }
        Settings::of(Value::Object(settings))
    }
}

/// What is decided of every copy's isolation. What the template leaves empty it does not decide.
fn isolation(text: &str) -> Result<Facts, String> {
    let mut facts: Facts = serde_json::from_str(text).map_err(|error| error.to_string())?;
    facts.retain(|_, value| !value.is_empty());
    match NEEDED.iter().find(|key| !facts.contains_key(**key)) {
        Some(key) => Err(format!("`{key}` is missing")),
        None => Ok(facts),
    }
}

fn object<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Map<String, Value> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{
        "keep": 4,
        "databases": {
            "shop": { "source": "shop-prod", "max_age_hours": 48, "isolation": { "class": "db.r6g.large" } },
            "crm": { "source": "crm-prod", "max_age_hours": 24 }
        }
    }"#;

    fn stack() -> Stack {
        let isolation = r#"{ "subnet_group": "isolated", "security_groups": "sg-1", "port": "" }"#;
        Stack {
            accounts: vec!["222222222222".into()],
            work_key: "arn:aws:kms:eu-west-1:111111111111:key/work".into(),
            share_key: "arn:aws:kms:eu-west-1:111111111111:key/share".into(),
            isolation: super::isolation(isolation).unwrap(),
        }
    }

    #[test]
    fn the_stack_decides_whom_releases_are_for_and_the_document_the_rest() {
        let settings = stack().settings(DOCUMENT.as_bytes()).unwrap();
        assert!(settings.accounts.iter().eq(["222222222222"]));
        assert!(settings.work_key.ends_with("key/work") && settings.share_key.ends_with("/share"));
        assert_eq!(settings.keep, 4);
        let facts = |name: &str| {
            let facts = settings.databases[name].isolation.iter();
            facts.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(facts("crm"), "security_groups=sg-1 subnet_group=isolated");
        assert_eq!(facts("shop"), format!("class=db.r6g.large {}", facts("crm")));
    }

    #[test]
    fn a_document_that_decides_what_the_stack_decides_is_refused() {
        for (from, to, said) in [
            (r#""keep": 4"#, r#""accounts": ["333333333333"]"#, "`accounts` is decided"),
            (r#""keep": 4"#, r#""accounts": ["222222222222"]"#, "`accounts` is decided"),
            (r#""keep": 4"#, r#""work_key": "k""#, "`work_key` is decided"),
            (r#""keep": 4"#, r#""share_key": null"#, "`share_key` is decided"),
            (r#""class""#, r#""subnet_group""#, "database `shop`: `subnet_group` is decided"),
            (r#""class""#, r#""security_groups""#, "`security_groups` is decided"),
            (r#""keep": 4"#, r#""publish": true"#, "unknown field"),
            (r#"{ "class": "db.r6g.large" }"#, "7", "invalid type"),
            (r#""keep": 4,"#, "", ""),
        ] {
            let document = DOCUMENT.replacen(from, to, 1);
            assert_ne!(document, DOCUMENT);
            match stack().settings(document.as_bytes()) {
                Ok(_) => assert_eq!(said, "", "{document}"),
                Err(why) => assert!(!said.is_empty() && why.contains(said), "{said}: {why}"),
            }
        }
        assert!(stack().settings(b"[]").is_err());
        assert!(stack().settings(b"").is_err());
    }

    #[test]
    fn a_stack_that_isolates_nothing_is_refused() {
        for text in [
            "",
            "{}",
            r#"{ "subnet_group": "isolated" }"#,
            r#"{ "subnet_group": "", "security_groups": "sg-1" }"#,
            r#"{ "subnet_group": "isolated", "security_groups": ["sg-1"] }"#,
        ] {
            assert!(isolation(text).is_err(), "{text}");
        }
    }
}
