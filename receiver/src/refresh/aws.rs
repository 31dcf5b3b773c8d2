//! The account on AWS, with no other rights than a developer has: to start executions of one state machine and to look at
//! them, and to put events on one bus. It reads no document and no secret.

use account::AccountError;
use account::aws::{Arn, Bus, Machine, SdkConfig, config_in};
use workflow::local::{Record, Status};

use super::place::InUse;
use super::{Cli, Error};

/// Executions that are looked at: each is a request of its own.
const MOST: usize = 30;

/// An account, by its state machine.
pub(super) struct Aws {
    /// Its workflow.
    pub(super) machine: Machine,
    config: SdkConfig,
    bus: Option<String>,
}

impl Aws {
    pub(super) async fn open(cli: &Cli) -> Result<Self, Error> {
        let usage = |error: AccountError| Error::Usage(error.to_string());
        let arn = Arn::parse(cli.workflow.as_deref().unwrap_or_default(), "states");
        let arn = arn.map_err(usage)?;
        let config = config_in(&arn.region).await;
        let machine = Machine::new(&config, &arn.text).map_err(usage)?;
        Ok(Self { machine, config, bus: cli.bus.clone() })
    }

    pub(super) fn bus(&self) -> Result<Bus, Error> {
        let Some(arn) = &self.bus else {
            return Err(Error::Usage(
                "no bus given\n(hint: --bus ARN or ANONYMIZER_REQUEST_BUS names production's)"
                    .into(),
            ));
        };
        Bus::new(&self.config, arn).map_err(|error| Error::Usage(error.to_string()))
    }

    /// The newest first; of one that runs, the state that it is in.
    pub(super) async fn executions(
        &self,
        database: &str,
        running: bool,
    ) -> Result<Vec<Record>, Error> {
        let mut records = self.machine.list(running, MOST).await?;
        records.retain(|record| record.input["database"] == database);
        for record in records.iter_mut().filter(|record| record.status == Status::Running) {
            if let Some(now) = self.machine.follow(&record.name).look().await? {
                record.state = now.state;
            }
        }
        Ok(records)
    }

    /// What the last execution that ended well has said.
    pub(super) async fn in_use(&self, database: &str) -> Result<Option<InUse>, Error> {
        let all = self.executions(database, false).await?;
        let changed = all
            .iter()
            .find(|record| record.status == Status::Succeeded && result(record)["changed"] == true);
        Ok(changed.map(|record| {
            let text = |key: &str| result(record)[key].as_str().unwrap_or("-").to_owned();
            InUse {
                endpoint: text("endpoint"),
                data_as_of: text("data_as_of"),
                rules: text("rules"),
                since: record.ended.unwrap_or(record.started),
            }
        }))
    }
}

fn result(record: &Record) -> &serde_json::Value {
    record.output.as_ref().map_or(&serde_json::Value::Null, |output| &output["result"])
}
