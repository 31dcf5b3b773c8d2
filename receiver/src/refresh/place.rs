//! The account that the command is about: on this machine, or on AWS. Both offer the same, and everything else of the command
//! knows only this: executions, a way to start one, what is in use, and production's ear.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use workflow::local::Record;

#[cfg(feature = "aws")]
use super::aws::Aws;
use super::here::Here;
use super::{Cli, Error, Which};

/// Where the account is.
pub(super) enum Place {
    /// Below a folder.
    Here(Box<Here>),
    /// Behind a state machine.
    #[cfg(feature = "aws")]
    Aws(Box<Aws>),
}

/// The database in use.
pub(super) struct InUse {
    /// Where it is reached.
    pub(super) endpoint: String,
    /// When production's data was as it is in it.
    pub(super) data_as_of: String,
    /// SHA-256 of the rules it was masked by.
    pub(super) rules: String,
    /// When it took its place.
    pub(super) since: Timestamp,
}

impl Place {
    /// The one that the command line or the environment names.
    pub(super) async fn of(cli: &Cli) -> Result<Self, Error> {
        if let Some(root) = &cli.local {
            return Ok(Self::Here(Here::open(root).await?.into()));
        }
        if cli.workflow.is_none() {
            return Err(Error::Usage(
                "no account given\n(hint: --workflow ARN or ANONYMIZER_WORKFLOW names the one on AWS, --local ROOT takes the one whose settings stand below ROOT)"
                    .into(),
            ));
        }
        on_aws(cli).await
    }

    /// The database that is meant.
    pub(super) fn database(&self, which: &Which) -> Result<String, Error> {
        match self {
            Self::Here(here) => here.database(which),
            #[cfg(feature = "aws")]
            Self::Aws(_) => which.database.clone().ok_or_else(|| {
                let hint = "(hint: --database NAME, as both accounts call it)";
                Error::Usage(format!("which database is meant?\n{hint}"))
            }),
        }
    }

    /// Executions of the workflow for a database, the newest first; those of a year ago nobody asks for.
    pub(super) async fn executions(&self, database: &str) -> Result<Vec<Record>, Error> {
        match self {
            Self::Here(here) => here.executions(database),
            #[cfg(feature = "aws")]
            Self::Aws(aws) => aws.executions(database, false).await,
        }
    }

    /// The one that runs.
    pub(super) async fn running(&self, database: &str) -> Result<Option<Record>, Error> {
        let all = match self {
            Self::Here(here) => here.executions(database)?,
            #[cfg(feature = "aws")]
            Self::Aws(aws) => aws.executions(database, true).await?,
        };
        Ok(all.into_iter().find(|record| record.status == workflow::local::Status::Running))
    }

    /// Looks on.
    pub(super) fn follow(&self, name: &str) -> Follow {
        match self {
            Self::Here(here) => Follow::Here(here.account.executions(), name.to_owned()),
            #[cfg(feature = "aws")]
            Self::Aws(aws) => Follow::Aws(aws.machine.follow(name).into()),
        }
    }

    /// Starts an execution; answers with its name.
    pub(super) async fn start(
        &self,
        database: &str,
        reason: Option<&str>,
    ) -> Result<String, Error> {
        let run = name();
        match self {
            Self::Here(here) => here.start(&run, database, reason).await?,
            #[cfg(feature = "aws")]
            Self::Aws(aws) => aws.machine.start(&run, &input(database, reason)).await?,
        }
        Ok(run)
    }

    /// Puts an event where production hears it; answers with what tells it from others.
    pub(super) async fn ask(
        &self,
        source: &str,
        detail_type: &str,
        detail: &Value,
    ) -> Result<String, Error> {
        match self {
            Self::Here(here) => here.ask(source, detail_type, detail),
            #[cfg(feature = "aws")]
            Self::Aws(aws) => Ok(aws.bus()?.put(source, detail_type, detail).await?),
        }
    }

    /// The database in use, where a release was ever brought.
    pub(super) async fn in_use(&self, database: &str) -> Result<Option<InUse>, Error> {
        match self {
            Self::Here(here) => here.in_use(database).await,
            #[cfg(feature = "aws")]
            Self::Aws(aws) => aws.in_use(database).await,
        }
    }

    /// The secret in which applications find it, where this command may know.
    pub(super) fn secret(&self, database: &str) -> Option<String> {
        match self {
            Self::Here(here) => here.secret(database),
            #[cfg(feature = "aws")]
            Self::Aws(_) => None,
        }
    }
}

#[cfg(feature = "aws")]
async fn on_aws(cli: &Cli) -> Result<Place, Error> {
    Ok(Place::Aws(Aws::open(cli).await?.into()))
}

#[cfg(not(feature = "aws"))]
async fn on_aws(_: &Cli) -> Result<Place, Error> {
    Err(Error::Usage(
        "this `refresh` was built without the feature `aws`\n(hint: cargo install --path receiver --bin refresh --features aws)"
            .into(),
    ))
}

/// An execution that is looked at again and again.
pub(super) enum Follow {
    /// Its file.
    Here(workflow::local::Executions, String),
    /// Its history.
    #[cfg(feature = "aws")]
    Aws(Box<account::aws::Follow>),
}

impl Follow {
    /// As it is now.
    pub(super) async fn look(&mut self) -> Result<Option<Record>, Error> {
        match self {
            Self::Here(executions, name) => Ok(executions.get(name)?),
            #[cfg(feature = "aws")]
            Self::Aws(follow) => Ok(follow.look().await?),
        }
    }

    /// Often enough to look alive, and no more often than one is answered.
    pub(super) fn tick(&self) -> Duration {
        match self {
            Self::Here(..) => Duration::from_millis(100),
            #[cfg(feature = "aws")]
            Self::Aws(_) => Duration::from_secs(1),
        }
    }
}

/// What an execution is started with.
pub(super) fn input(database: &str, reason: Option<&str>) -> Value {
    let mut input = serde_json::json!({ "database": database });
    if let Some(reason) = reason {
        input["reason"] = reason.into();
    }
    input
}

/// Names sort as they were started; two that are started in one second are told apart by their processes.
fn name() -> String {
    let now = Timestamp::now().strftime("%Y%m%dt%H%M%Sz");
    format!("refresh-{now}-{}", std::process::id())
}
