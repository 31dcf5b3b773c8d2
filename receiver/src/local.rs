//! The development account on this machine: a folder below a root that several accounts share. Executions run in this process
//! and are written down while they do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use account::{Documents, Locks, Secrets};
use serde_json::{Value, json};
use snapshots::Snapshots;
use snapshots::local::Local as Platform;
use workflow::local::{Executions, Local, Post, Record, Services, Started};
use workflow::run::{Clock, Execution, Failure, Faults};

use crate::definitions::{Definition, REAPER, WORKFLOW};
use crate::{Settings, World};

/// The document in which the settings stand.
pub const SETTINGS: &str = "receiver.json";

/// An account.
#[derive(Clone, Debug)]
pub struct Account {
    root: PathBuf,
    name: String,
}

/// Why it cannot be worked with.
#[derive(Debug)]
pub struct Broken(pub String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self(format!("a file of the account: {error}"))
    }
}

impl Account {
    /// The account of that name below a root.
    pub fn new(root: &Path, name: &str) -> Self {
        Self { root: root.to_owned(), name: name.to_owned() }
    }

    /// The account whose settings stand below this root: there is one that receives.
    pub fn find(root: &Path) -> Result<Self, Broken> {
        let hint = "(hint: the account's settings stand in ROOT/ACCOUNT/documents/receiver.json)";
        let entries = std::fs::read_dir(root).map_err(|error| {
            Broken(format!("{} cannot be read: {error}\n{hint}", root.display()))
        })?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let receives =
            |name: &String| Self::new(root, name).documents_directory().join(SETTINGS).is_file();
        let mut names: Vec<_> = names.filter(receives).collect();
        match (names.pop(), names.is_empty()) {
            (Some(name), true) => Ok(Self::new(root, &name)),
            (None, _) => {
                Err(Broken(format!("no account below {} receives\n{hint}", root.display())))
            }
            _ => Err(Broken(format!("several accounts below {} receive", root.display()))),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn home(&self) -> PathBuf {
        self.root.join(&self.name)
    }

    fn documents_directory(&self) -> PathBuf {
        self.home().join("documents")
    }

    /// Its executions.
    pub fn executions(&self) -> Executions {
        Executions { directory: self.home().join("executions") }
    }

    /// Messages to people.
    pub fn messages(&self) -> Post {
        Post { directory: self.home().join("messages") }
    }

    /// The bus of an account: this one's own, or production's, which takes one kind of event from here.
    pub fn events_of(&self, account: &str) -> Post {
        Post { directory: self.root.join(account).join("events") }
    }

    /// Its documents.
    pub fn documents(&self) -> Documents {
        Documents::Directory(self.documents_directory())
    }

    /// Its settings.
    pub async fn settings(&self) -> Result<Settings, Broken> {
        let bytes = self.documents().get(SETTINGS).await.map_err(|e| Broken(e.to_string()))?;
        let bytes =
            bytes.ok_or_else(|| Broken(format!("account {} has no {SETTINGS}", self.name)))?;
        Settings::read(&bytes).map_err(|error| Broken(format!("{SETTINGS}: {error}")))
    }

    /// All that its steps have around them.
    pub fn world(&self, platform: Platform, settings: Settings) -> World<Platform> {
        World {
            snapshots: platform,
            locks: Locks::Directory(self.home().join("locks")),
            documents: self.documents(),
            handover: Documents::Directory(self.root.join("handover")),
            secrets: Secrets::Directory(self.home().join("secrets")),
            executions: account::Executions::Directory(self.executions().directory),
            authorities: None,
            settings,
        }
    }

    /// The same, with a platform that answers at once.
    pub async fn open(&self) -> Result<World<Platform>, Broken> {
        let root = std::path::absolute(&self.root)?;
        let platform = Platform::open(&root, &self.name).map_err(|e| Broken(e.to_string()))?;
        let account = Self { root, name: self.name.clone() };
        let settings = account.settings().await?;
        Ok(account.world(platform, settings))
    }

    /// Runs an execution to its end; one of that name that there is already is answered with as it stands.
    pub async fn execute<S: Snapshots>(
        &self,
        world: &World<S>,
        definition: Definition,
        name: &str,
        input: &Value,
        clock: &mut impl Clock,
        faults: &mut impl Faults,
    ) -> Result<Executed, Broken> {
        let machine = definition.parse().map_err(|defects| Broken(defects.to_string()))?;
        match self.executions().start(name, definition.machine, input)? {
            Started::Exists(record) => Ok(Executed::Before(record.into())),
            Started::Yes(recorder) => {
                let mut calls = Local { steps: world, services: self };
                let execution = recorder.run(&machine, &mut calls, clock, faults).await?;
                Ok(Executed::Now(execution.into()))
            }
        }
    }

    /// Takes back what dead runs have left, then brings the newest release.
    pub async fn refresh<S: Snapshots>(
        &self,
        world: &World<S>,
        run: &str,
        input: &Value,
        clock: &mut impl Clock,
        faults: &mut impl Faults,
    ) -> Result<Executed, Broken> {
        let reaper = format!("{run}-reaper");
        self.execute(world, REAPER, &reaper, &json!({}), clock, faults).await?;
        self.execute(world, WORKFLOW, run, input, clock, faults).await
    }
}

/// What came of executing.
#[derive(Debug)]
pub enum Executed {
    /// It has run.
    Now(Box<Execution>),
    /// Its name was used before.
    Before(Box<Record>),
}

impl Services for Account {
    async fn run_task(&self, _: &Value) -> Result<Value, Failure> {
        Err(Failure::new("States.Runtime", "the development account runs no containers"))
    }

    async fn start_execution(&self, _: &Value) -> Result<Value, Failure> {
        Err(Failure::new("States.Runtime", "the development account's machines start no others"))
    }

    async fn publish(&self, parameters: &Value) -> Result<Value, Failure> {
        self.messages().publish(&self.name, parameters)
    }

    async fn put_events(&self, parameters: &Value) -> Result<Value, Failure> {
        self.events_of(&self.name).put_events(&self.name, parameters)
    }
}
