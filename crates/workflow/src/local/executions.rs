//! Executions as files, one each: what a process that runs one writes, and others read to look on.
//!
//! Whoever runs an execution holds a lock beside its file. A file that says `running` while nobody holds the lock is that of
//! a process that has died, and is read as aborted.

use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{context, file};
use crate::history::{Event, What};
use crate::machine::Machine;
use crate::run::{Calls, Clock, End, Execution, Faults, Observer, observed};

/// Where an account's executions are.
#[derive(Clone, Debug)]
pub struct Executions {
    /// One file each, called as the execution is.
    pub directory: PathBuf,
}

/// How it stands, in the words of Step Functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It goes on.
    Running,
    /// It ended well.
    Succeeded,
    /// It ended badly.
    Failed,
    /// It took too long.
    TimedOut,
    /// It was stopped, or its process has died.
    Aborted,
}

/// What became of a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// When.
    pub time: Timestamp,
    /// The state.
    pub state: String,
    /// `entered`, `exited`, `failed`, `retried` or `caught`.
    pub what: String,
    /// The error's name, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// An execution's file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// The machine.
    pub machine: String,
    /// What it was started with.
    pub input: Value,
    /// How it stands.
    pub status: Status,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The state it is in, or was in last.
    pub state: Option<String>,
    /// What it gave.
    pub output: Option<Value>,
    /// The name of the error it ended with.
    pub error: Option<String>,
    /// A sentence about that.
    pub cause: Option<String>,
    /// What it went through.
    pub history: Vec<Line>,
}

/// What came of starting one.
pub enum Started {
    /// It can run.
    Yes(Recorder),
    /// There is one of that name.
    Exists(Record),
}

/// Writes an execution's file while it runs. Dropped before its end, it leaves an aborted one.
pub struct Recorder {
    path: PathBuf,
    record: Record,
    broken: Option<io::Error>,
    /// Held until it is dropped.
    _lock: File,
}

impl Executions {
    /// Enters a new execution.
    pub fn start(&self, name: &str, machine: &str, input: &Value) -> io::Result<Started> {
        let path = file::named(&self.directory, name)?;
        std::fs::create_dir_all(&self.directory)?;
        let lock = File::create(self.directory.join(format!(".{name}.lock")))?;
        if lock.try_lock().is_err() {
            return self.existing(name);
        }
        let record = Record {
            name: name.to_owned(),
            machine: machine.to_owned(),
            input: input.clone(),
            status: Status::Running,
            started: Timestamp::now(),
            ended: None,
            state: None,
            output: None,
            error: None,
            cause: None,
            history: Vec::new(),
        };
        match file::write(&path, &record, true) {
            Ok(()) => Ok(Started::Yes(Recorder { path, record, broken: None, _lock: lock })),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                drop(lock);
                self.existing(name)
            }
            Err(error) => Err(error),
        }
    }

    fn existing(&self, name: &str) -> io::Result<Started> {
        let gone = || io::Error::new(io::ErrorKind::WouldBlock, format!("`{name}` is starting"));
        self.get(name)?.map(Started::Exists).ok_or_else(gone)
    }

    /// The execution of that name.
    pub fn get(&self, name: &str) -> io::Result<Option<Record>> {
        let path = file::named(&self.directory, name)?;
        let Some(record) = file::read::<Record>(&path)? else { return Ok(None) };
        if record.status != Status::Running || self.is_held(name)? {
            return Ok(Some(record));
        }
        // It may have ended between the two looks.
        let record = file::read::<Record>(&path)?;
        Ok(record.map(|record| match record.status {
            Status::Running => Record { status: Status::Aborted, ..record },
            _ => record,
        }))
    }

    /// Every execution, the oldest first.
    pub fn list(&self) -> io::Result<Vec<Record>> {
        let mut records = Vec::new();
        for name in file::names(&self.directory)? {
            records.extend(self.get(&name)?);
        }
        records.sort_by_key(|record| record.started);
        Ok(records)
    }

    fn is_held(&self, name: &str) -> io::Result<bool> {
        match File::open(self.directory.join(format!(".{name}.lock"))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
            Ok(lock) => match lock.try_lock_shared() {
                Ok(()) => Ok(false),
                Err(TryLockError::WouldBlock) => Ok(true),
                Err(TryLockError::Error(error)) => Err(error),
            },
        }
    }
}

impl Recorder {
    /// Runs the machine to its end and writes down what it goes through.
    pub async fn run(
        mut self,
        machine: &Machine,
        calls: &mut impl Calls,
        clock: &mut impl Clock,
        faults: &mut impl Faults,
    ) -> io::Result<Execution> {
        let Record { name, machine: called, input, started, .. } = &self.record;
        let (input, context) = (input.clone(), context(called, name, &started.to_string(), input));
        let execution = observed(machine, input, context, calls, clock, faults, &mut self).await;
        self.end(&execution.end)?;
        Ok(execution)
    }

    fn end(mut self, end: &End) -> io::Result<()> {
        let record = &mut self.record;
        record.ended = Some(Timestamp::now());
        record.status = match end {
            End::Succeeded(output) => {
                record.output = Some(output.clone());
                Status::Succeeded
            }
            End::Failed(failure) => {
                record.error = Some(failure.error.clone());
                record.cause = Some(failure.cause.clone());
                Status::Failed
            }
            End::TimedOut => Status::TimedOut,
            End::Stopped => Status::Aborted,
        };
        self.write();
        self.broken.map_or(Ok(()), Err)
    }

    /// An error does not stop what runs; it is told at the end.
    fn write(&mut self) {
        self.broken = file::write(&self.path, &self.record, false).err();
    }
}

impl Observer for Recorder {
    fn note(&mut self, event: &Event) {
        let (what, error) = match &event.what {
            What::Entered => ("entered", None),
            What::Failed(error) => ("failed", Some(error)),
            What::Retried => ("retried", None),
            What::Caught(error) => ("caught", Some(error)),
            What::Exited => ("exited", None),
        };
        if event.what == What::Entered {
            self.record.state = Some(event.state.clone());
        }
        self.record.history.push(Line {
            time: Timestamp::now(),
            state: event.state.clone(),
            what: what.to_owned(),
            error: error.cloned(),
        });
        self.write();
    }
}
