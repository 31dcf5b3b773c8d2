//! Executions of a state machine of Step Functions, as the same records that executions on one machine have.
//!
//! What is not said to have ended runs: a word for a state that nobody has heard of must not let anybody clean up.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::describe_execution::{DescribeExecutionError, DescribeExecutionOutput};
use aws_sdk_sfn::operation::describe_state_machine::DescribeStateMachineError;
use aws_sdk_sfn::primitives::DateTime;
use aws_sdk_sfn::types::{ExecutionStatus, StateMachineStatus};
use aws_types::SdkConfig;
use jiff::Timestamp;
use serde_json::Value;
use workflow::local::{Record, Status};

use super::history::Reader;
use super::{Arn, error, in_region};
use crate::error::AccountError;

/// Events on one page of a history: of the first look, and of those that go on where it ended.
const PAGES: (i32, i32) = (1000, 100);

/// A state machine.
#[derive(Clone, Debug)]
pub struct Machine {
    client: Client,
    arn: String,
    name: String,
    /// Everything of an execution's ARN before its name.
    executions: String,
}

/// What is told about a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// It starts what it is told to.
    pub active: bool,
    /// Its definition, with what the deployment has put into it.
    pub definition: String,
}

impl Machine {
    /// The machine of that ARN, in its own region; it may be a version or an alias.
    pub fn new(config: &SdkConfig, arn: &str) -> Result<Self, AccountError> {
        let arn = Arn::parse(arn, "states")?;
        let name =
            arn.resource.strip_prefix("stateMachine:").and_then(|rest| rest.split(':').next());
        let name = name.filter(|name| !name.is_empty()).ok_or_else(|| {
            AccountError::Other(format!("`{}` is not the ARN of a state machine", arn.text))
        })?;
        let Arn { partition, region, account, .. } = &arn;
        let executions = format!("arn:{partition}:states:{region}:{account}:execution:{name}:");
        let client = Client::new(&in_region(config.clone(), region));
        Ok(Self { client, name: name.to_owned(), executions, arn: arn.text })
    }

    /// The execution of that name, without its history.
    pub async fn get(&self, name: &str) -> Result<Option<Record>, AccountError> {
        let arn = format!("{}{name}", self.executions);
        match self.client.describe_execution().execution_arn(arn).send().await {
            Ok(answer) => Ok(Some(self.record(name, &answer)?)),
            Err(refusal) => match refusal.as_service_error() {
                Some(DescribeExecutionError::ExecutionDoesNotExist(_)) => Ok(None),
                _ => Err(error::of(&format!("look at the execution {name}"), refusal)),
            },
        }
    }

    /// What is told about the machine, if it is there.
    pub async fn told(&self) -> Result<Option<Told>, AccountError> {
        let request = self.client.describe_state_machine().state_machine_arn(&self.arn);
        match request.send().await {
            Ok(answer) => Ok(Some(Told {
                active: answer.status() == Some(&StateMachineStatus::Active),
                definition: answer.definition().to_owned(),
            })),
            Err(refusal) => match refusal.as_service_error() {
                Some(DescribeStateMachineError::StateMachineDoesNotExist(_)) => Ok(None),
                _ => Err(error::of(&format!("look at the state machine {}", self.name), refusal)),
            },
        }
    }

    /// Starts one.
    pub async fn start(&self, name: &str, input: &Value) -> Result<(), AccountError> {
        let request = self.client.start_execution().state_machine_arn(&self.arn).name(name);
        let sent = request.input(input.to_string()).send().await;
        sent.map(drop).map_err(|err| error::of(&format!("start {name}"), err))
    }

    /// Those that run, or all: the newest first, so many at most, without their histories.
    pub async fn list(&self, running: bool, most: usize) -> Result<Vec<Record>, AccountError> {
        let task = format!("list the executions of {}", self.name);
        let request = self.client.list_executions().state_machine_arn(&self.arn);
        let request = request.set_status_filter(running.then_some(ExecutionStatus::Running));
        let page = i32::try_from(most.min(1000)).unwrap_or(1000);
        let mut items = request.max_results(page).into_paginator().items().send();
        let mut records = Vec::new();
        while records.len() < most
            && let Some(item) = items.next().await
        {
            let item = item.map_err(|err| error::of(&task, err))?;
            // One that has just gone is no longer one of them.
            records.extend(self.get(item.name()).await?);
        }
        Ok(records)
    }

    /// Looks at one again and again, its history too.
    pub fn follow(&self, name: &str) -> Follow {
        let (machine, name) = (self.clone(), name.to_owned());
        Follow { machine, name, history: Vec::new(), reader: Reader::default() }
    }

    fn record(&self, name: &str, of: &DescribeExecutionOutput) -> Result<Record, AccountError> {
        let json = |text: Option<&str>| {
            text.map(serde_json::from_str).transpose().map_err(|_| {
                AccountError::Other(format!(
                    "what the execution {name} was given or gave is no JSON"
                ))
            })
        };
        Ok(Record {
            name: name.to_owned(),
            machine: self.name.clone(),
            input: json(of.input())?.unwrap_or(Value::Null),
            status: status(of.status()),
            started: moment(of.start_date()),
            ended: of.stop_date().map(moment),
            state: None,
            output: json(of.output())?,
            error: of.error().map(ToOwned::to_owned),
            cause: of.cause().map(ToOwned::to_owned),
            history: Vec::new(),
        })
    }
}

/// An execution that is looked at again and again; what was read of its history is not read again.
#[derive(Clone, Debug)]
pub struct Follow {
    machine: Machine,
    name: String,
    history: Vec<workflow::local::Line>,
    reader: Reader,
}

impl Follow {
    /// As it is now.
    pub async fn look(&mut self) -> Result<Option<Record>, AccountError> {
        // In this order: of one that has ended, all of the history is there.
        let Some(mut record) = self.machine.get(&self.name).await? else { return Ok(None) };
        self.read().await?;
        record.state = self.reader.state().map(ToOwned::to_owned);
        record.history.clone_from(&self.history);
        Ok(Some(record))
    }

    /// From its end back to what is known.
    async fn read(&mut self) -> Result<(), AccountError> {
        let task = format!("read the history of {}", self.name);
        let known = self.reader.last();
        let request = self.machine.client.get_execution_history();
        let request = request.execution_arn(format!("{}{}", self.machine.executions, self.name));
        let request = request.reverse_order(true).include_execution_data(false);
        let page = if known == 0 { PAGES.0 } else { PAGES.1 };
        let mut items = request.max_results(page).into_paginator().items().send();
        let mut events = Vec::new();
        while let Some(event) = items.next().await {
            let event = event.map_err(|err| error::of(&task, err))?;
            if event.id() <= known {
                break;
            }
            events.push(event);
        }
        let lines = events.iter().rev().filter_map(|event| self.reader.read(event));
        self.history.extend(lines);
        Ok(())
    }
}

fn status(of: &ExecutionStatus) -> Status {
    match of {
        ExecutionStatus::Succeeded => Status::Succeeded,
        ExecutionStatus::Failed => Status::Failed,
        ExecutionStatus::TimedOut => Status::TimedOut,
        ExecutionStatus::Aborted => Status::Aborted,
        _ => Status::Running,
    }
}

pub(super) fn moment(of: &DateTime) -> Timestamp {
    let nanoseconds = i32::try_from(of.subsec_nanos()).unwrap_or_default();
    Timestamp::new(of.secs(), nanoseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
