//! The production account on this machine: the same definitions and the same steps, databases and snapshots as files, and the
//! real masking command as a process.
//!
//! Everything lies below one root: what is the account's own in a folder called after it, what it hands over beside it.

mod load;
mod set_up;
mod task;

use std::path::{Path, PathBuf};
use std::time::Duration;

use account::{Documents, Executions, Locks, Previews, Signer};
use anyhow::{Context as _, Result, bail, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};
use snapshots::local::Local;
use workflow::history::What;
use workflow::local::{Post, Record, Recorder, Scaled, Services, Started};
use workflow::machine::Resource;
use workflow::run::{Answer, Calls, Clock, End, Execution, Failure, Faultless, Faults};

pub use self::set_up::{NewServer, set_up};
use crate::definitions::{Definition, REAPER, REQUEST, WORKFLOW};
use crate::settings::Settings;
use crate::world::World;

/// The account.
pub const PRODUCTION: &str = "production";
/// The account that releases are for.
pub const DEVELOPMENT: &str = "development";

/// The settings' place among the account's documents.
const SETTINGS: &str = "settings.json";
/// The masking key, 64 hex digits, and the key that releases are signed with: files among the account's secrets.
const MASKING_KEY: &str = "masking-key";
const SIGNING_KEY: &str = "signing-key.pem";
/// What verifies a release, beside the releases.
pub const PUBLIC_KEY: &str = "signing-key.pub.pem";

/// The account below a root, and how it works.
#[derive(Clone, Debug)]
pub struct Account {
    /// The root.
    pub root: PathBuf,
    /// The masking command.
    pub anonymizer: PathBuf,
    /// How long a container may run.
    pub task_limit: Duration,
    /// How long describing waits for work that goes on: for time that is not real.
    pub patience: Duration,
    /// How many of a definition's seconds pass in one.
    pub speed: u32,
}

/// What somebody who looks on is told: state, and what became of it.
pub type Show<'a> = &'a dyn Fn(&str, &What);

impl Account {
    /// An account whose clock is the machine's, but for the pauses.
    pub fn new(root: &Path, anonymizer: &Path) -> Self {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        Self {
            root: root.to_owned(),
            anonymizer: anonymizer.to_owned(),
            task_limit: DAY,
            patience: Duration::ZERO,
            speed: 40,
        }
    }

    fn home(&self) -> PathBuf {
        self.root.join(PRODUCTION)
    }

    /// Its databases and snapshots.
    pub fn snapshots(&self) -> Result<Local> {
        Ok(Local::open(&self.root, PRODUCTION)?.patient(self.patience))
    }

    /// Its documents.
    pub fn documents(&self) -> Documents {
        Documents::Directory(self.home().join("documents"))
    }

    /// What it hands over.
    pub fn handover(&self) -> Documents {
        Documents::Directory(self.root.join("handover"))
    }

    /// Its executions.
    pub fn executions(&self) -> workflow::local::Executions {
        workflow::local::Executions { directory: self.home().join("executions") }
    }

    /// Events on the bus of an account.
    pub fn events(&self, account: &str) -> Post {
        Post { directory: self.root.join(account).join("events") }
    }

    /// Messages about what went wrong.
    pub fn alarms(&self) -> Post {
        Post { directory: self.home().join("alarms") }
    }

    /// What its steps have around them.
    pub async fn world(&self) -> Result<World<Local>> {
        let settings = self.documents().get(SETTINGS).await?;
        let settings = settings.with_context(|| {
            let root = self.root.display();
            format!("there are no settings below {root}\n(hint: `orchestrator set-up` makes them)")
        })?;
        let settings = Settings::read(&settings)
            .map_err(|error| anyhow::anyhow!("read the settings: {error}"))?;
        let key = self.home().join("secrets").join(SIGNING_KEY);
        let pem = std::fs::read(&key).with_context(|| format!("read {}", key.display()))?;
        Ok(World {
            snapshots: self.snapshots()?,
            locks: Locks::Directory(self.home().join("locks")),
            documents: self.documents(),
            reports: self.documents(),
            handover: self.handover(),
            signer: Signer::from_pem(&pem)?,
            previews: Previews::Nobody,
            executions: Executions::Directory(self.executions().directory),
            settings,
        })
    }

    /// Enters an execution; refuses a name that was used.
    pub fn start(&self, definition: &Definition, name: &str, input: &Value) -> Result<Recorder> {
        match self.executions().start(name, definition.machine_name(), input)? {
            Started::Yes(recorder) => Ok(recorder),
            Started::Exists(_) => bail!("there is an execution `{name}` already"),
        }
    }

    /// Runs a definition to its end, as the machine's clock goes.
    pub async fn run(
        &self,
        definition: &Definition,
        name: &str,
        input: Value,
        show: Show<'_>,
    ) -> Result<Execution> {
        let mut clock = Scaled { speed: self.speed };
        self.run_with(definition, name, input, show, &mut clock, &mut Faultless).await
    }

    /// Runs a definition to its end with another clock, and with faults.
    pub async fn run_with(
        &self,
        definition: &Definition,
        name: &str,
        input: Value,
        show: Show<'_>,
        clock: &mut impl Clock,
        faults: &mut impl Faults,
    ) -> Result<Execution> {
        let machine = definition.machine()?;
        let world = self.world().await?;
        let recorder = self.start(definition, name, &input)?;
        let services = Here { account: self, show };
        let calls = workflow::local::Local { steps: &world, services: &services };
        let mut calls = Shown { calls, show };
        Ok(recorder.run(&machine, &mut calls, clock, faults).await?)
    }

    /// Removes what is left of executions that no longer run.
    pub async fn reap(&self, show: Show<'_>) -> Result<Execution> {
        self.run(&REAPER, &new_name("reap"), json!({}), show).await
    }

    /// Decides every request on the account's bus and carries it out; answers with how each ended.
    pub async fn requests(&self, show: Show<'_>) -> Result<Vec<(String, End)>> {
        let mut ended = Vec::new();
        let bus = self.events(PRODUCTION);
        for item in bus.list()? {
            let event = serde_json::to_value(&item)?;
            let name = new_name("request");
            let execution = self.run(&REQUEST, &name, event, show).await?;
            // Decided once, whatever came of it.
            bus.remove(&item.id)?;
            ended.push((name, execution.end));
        }
        Ok(ended)
    }

    /// What is known of an execution.
    pub fn execution(&self, name: &str) -> Result<Option<Record>> {
        Ok(self.executions().get(name)?)
    }
}

impl Definition {
    /// What a machine is called.
    pub fn machine_name(&self) -> &'static str {
        self.name.strip_suffix(".asl.json").unwrap_or(self.name)
    }
}

/// A name for an execution: later ones come later, and two of one second differ.
pub fn new_name(kind: &str) -> String {
    let now = Timestamp::now();
    format!("{kind}-{}-{:05}", now.strftime("%Y%m%d-%H%M%S"), now.subsec_microsecond() / 10)
}

/// What the account does besides its steps.
struct Here<'a> {
    account: &'a Account,
    show: Show<'a>,
}

impl Services for Here<'_> {
    async fn run_task(&self, parameters: &Value) -> Result<Value, Failure> {
        let key = self.account.home().join("secrets").join(MASKING_KEY);
        let log = self.account.home().join("logs");
        task::run(&self.account.anonymizer, parameters, &key, &log, self.account.task_limit).await
    }

    async fn start_execution(&self, parameters: &Value) -> Result<Value, Failure> {
        let failed =
            |error: anyhow::Error| Failure::new("StepFunctions.SfnException", format!("{error:#}"));
        if parameters["StateMachineArn"] != "${Workflow}" {
            return Err(failed(anyhow::anyhow!("there is no such state machine")));
        }
        let (name, input) = (new_name("run"), parameters["Input"].clone());
        // One inside the other: its size is not known beforehand.
        let run = Box::pin(self.account.run(&WORKFLOW, &name, input, self.show));
        match run.await.map_err(failed)?.end {
            End::Succeeded(output) => {
                Ok(json!({ "Name": name, "Status": "SUCCEEDED", "Output": output }))
            }
            End::Failed(failure) => {
                let cause = json!({ "Name": name, "Status": "FAILED", "Error": failure.error,
                                    "Cause": failure.cause });
                Err(Failure::new("States.TaskFailed", cause.to_string()))
            }
            End::TimedOut | End::Stopped => Err(Failure::new("States.TaskFailed", name)),
        }
    }

    async fn publish(&self, parameters: &Value) -> Result<Value, Failure> {
        self.account.alarms().publish(PRODUCTION, parameters)
    }

    /// The account's rule takes its events to the buses of the others.
    async fn put_events(&self, parameters: &Value) -> Result<Value, Failure> {
        self.account.events(DEVELOPMENT).put_events(PRODUCTION, parameters)
    }
}

/// Calls that somebody is told of when they have been answered.
struct Shown<'a, C> {
    calls: C,
    show: Show<'a>,
}

impl<C: Calls> Calls for Shown<'_, C> {
    async fn call(&mut self, state: &str, resource: &Resource, parameters: &Value) -> Answer {
        (self.show)(state, &What::Entered);
        let answer = self.calls.call(state, resource, parameters).await;
        match &answer {
            Ok(_) => (self.show)(state, &What::Exited),
            Err(failure) => (self.show)(state, &What::Failed(failure.error.clone())),
        }
        answer
    }
}

/// Nobody looks on.
pub fn unseen(_: &str, _: &What) {}

/// The masking command beside this one.
pub fn anonymizer_beside() -> Result<PathBuf> {
    let own = std::env::current_exe().context("find this command")?;
    let beside = own.with_file_name(format!("anonymizer{}", std::env::consts::EXE_SUFFIX));
    ensure!(
        beside.exists(),
        "there is no masking command at {}\n(hint: name it with --anonymizer)",
        beside.display()
    );
    Ok(beside)
}
