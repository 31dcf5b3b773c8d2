//! `refresh`: what a developer says to have fresh data. It starts the workflow or looks on where it runs already, and it can ask
//! production for a new release; it decides nothing.
//!
//! Standard output carries the answer, standard error what happens meanwhile.

#[cfg(feature = "aws")]
mod aws;
mod here;
mod place;
mod request;
mod show;
mod watch;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use account::AccountError;
use clap::{Args, Parser, Subcommand, ValueEnum};
use contract::exit_codes;
use workflow::local::{Record, Status};

use self::place::Place;
use crate::local::{Account, Broken};

/// Fresh data for development, from production's newest masked snapshot.
#[derive(Debug, Parser)]
#[command(name = "refresh", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The accounts are folders below this one, on this machine.
    #[arg(long, global = true, value_name = "ROOT")]
    local: Option<PathBuf>,
    /// The account is on AWS, and this is its workflow's state machine.
    #[arg(long, global = true, value_name = "ARN", env = "ANONYMIZER_WORKFLOW")]
    workflow: Option<String>,
    /// The bus of production's on AWS that takes requests.
    #[arg(long, global = true, value_name = "ARN", env = "ANONYMIZER_REQUEST_BUS")]
    bus: Option<String>,
    /// How the answer is written.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the newest release, or look on where that is being done already.
    Request(Request),
    /// What is in use, and what is being done.
    Status(Which),
    /// What was done.
    History(Which),
    /// Make the development account on this machine, and pin the key whose signatures count.
    SetUp(SetUp),
    /// Run the workflow in this process.
    #[command(hide = true)]
    Execute(Execute),
}

#[derive(Debug, Args)]
struct Which {
    /// The database; on this machine not needed where there is one.
    #[arg(long)]
    database: Option<String>,
}

#[derive(Debug, Args)]
struct Request {
    #[command(flatten)]
    which: Which,
    /// Stay until it is done, and show its steps.
    #[arg(long)]
    wait: bool,
    /// Why, in a few words, for whoever looks later. Production wants to know.
    #[arg(long, value_parser = reason, required_if_eq("new", "true"))]
    reason: Option<String>,
    /// Ask production for a new release, in place of bringing the newest that there is.
    #[arg(long, conflicts_with = "wait")]
    new: bool,
    /// How old production's data may be in it.
    #[arg(long, value_name = "HOURS", requires = "new", default_value_t = 24)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    max_age: u32,
}

#[derive(Debug, Args)]
struct SetUp {
    /// This account: a folder below ROOT.
    #[arg(long, default_value = "development")]
    account: String,
    /// The account that releases.
    #[arg(long, default_value = "production")]
    producer: String,
    /// The key that its releases are encrypted under.
    #[arg(long, value_name = "ARN")]
    share_key: String,
    /// The file of the key that verifies its releases.
    #[arg(long, value_name = "PEM")]
    public_key: PathBuf,
    /// The database, as both accounts call it.
    #[arg(long)]
    database: String,
    /// Its engine.
    #[arg(long, default_value = "sqlite")]
    engine: String,
}

#[derive(Debug, Args)]
struct Execute {
    #[arg(long)]
    run: String,
    #[arg(long)]
    database: String,
    #[arg(long)]
    reason: Option<String>,
}

/// What production takes for a reason.
fn reason(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    if !(1..=200).contains(&length) || text.chars().any(char::is_control) {
        return Err("a reason has 1 to 200 letters on one line".into());
    }
    Ok(text.to_owned())
}

/// Why there is no answer.
enum Error {
    /// The command line.
    Usage(String),
    /// The account.
    Broken(String),
    /// A passing fault.
    Temporary(String),
    /// The execution has ended badly.
    Ended(Box<Record>),
}

impl From<Broken> for Error {
    fn from(error: Broken) -> Self {
        Self::Broken(error.0)
    }
}

impl From<AccountError> for Error {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Passing(text) => Self::Temporary(text),
            AccountError::Denied(text) | AccountError::Other(text) => Self::Broken(text),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Broken::from(error).into()
    }
}

/// Parses, runs, prints one error and says how it went.
pub fn main() -> ExitCode {
    // A wrong command line ends here, with the code for that.
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let answer = match runtime {
        Ok(runtime) => runtime.block_on(answer(&cli)),
        Err(error) => Err(error.into()),
    };
    let (text, code) = match answer {
        Ok(text) => {
            let written = std::io::stdout().write_all(text.as_bytes());
            return ExitCode::from(written.map_or(exit_codes::UNEXPECTED, |()| exit_codes::OK));
        }
        Err(Error::Usage(text)) => (text, exit_codes::USAGE),
        Err(Error::Broken(text)) => (text, exit_codes::UNEXPECTED),
        Err(Error::Temporary(text)) => (text, exit_codes::TEMPORARY),
        Err(Error::Ended(record)) => (ended(&record), code(&record)),
    };
    let _ = writeln!(std::io::stderr(), "error: {text}");
    ExitCode::from(code)
}

async fn answer(cli: &Cli) -> Result<String, Error> {
    let root = || {
        let hint = "(hint: --local ROOT)";
        cli.local
            .as_deref()
            .ok_or_else(|| Error::Usage(format!("this is for an account on this machine\n{hint}")))
    };
    match &cli.command {
        // There is no account before.
        Command::SetUp(new) => set_up(root()?, new).await,
        Command::Execute(execute) => request::execute(&Account::find(root()?)?, execute).await,
        Command::Request(request) => {
            let place = Place::of(cli).await?;
            match request.new {
                true => request::ask_production(&place, request, cli.format).await,
                false => request::bring(&place, request, cli.format).await,
            }
        }
        Command::Status(which) => {
            let place = Place::of(cli).await?;
            show::status(&place, &place.database(which)?, cli.format).await
        }
        Command::History(which) => {
            let place = Place::of(cli).await?;
            show::history(&place, &place.database(which)?, cli.format).await
        }
    }
}

async fn set_up(root: &Path, new: &SetUp) -> Result<String, Error> {
    let public_key = std::fs::read_to_string(&new.public_key).map_err(|error| {
        Error::Usage(format!("{} cannot be read ({})", new.public_key.display(), error.kind()))
    })?;
    let root = std::path::absolute(root)?;
    let new = crate::set_up::SetUp {
        account: &new.account,
        producer: &new.producer,
        share_key: &new.share_key,
        public_key: &public_key,
        database: &new.database,
        engine: &new.engine,
    };
    let account = crate::set_up::set_up(&root, &new).await?;
    Ok(format!("account {} receives {} from {}\n", account.name(), new.database, new.producer))
}

/// How it ended, in a sentence.
fn ended(record: &Record) -> String {
    let name = &record.name;
    let cause = record.cause.as_deref().unwrap_or_default();
    match (record.status, record.error.as_deref()) {
        (Status::Failed, Some(error)) => format!("{name} has failed: {error}: {cause}"),
        (Status::TimedOut, _) => format!("{name} has taken too long"),
        (Status::Aborted, _) => {
            format!("{name} was stopped\n(hint: ask again; what it has left is taken back first)")
        }
        _ => format!("{name} is {:?}", record.status),
    }
}

fn code(record: &Record) -> u8 {
    match (record.status, record.error.as_deref()) {
        (Status::Failed, Some("Refused")) => exit_codes::REFUSED,
        (Status::Failed, Some("Retryable" | "States.Timeout"))
        | (Status::TimedOut | Status::Aborted, _) => exit_codes::TEMPORARY,
        _ => exit_codes::UNEXPECTED,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_that_the_readme_shows_can_be_typed() {
        let readme = include_str!("../../README.md").lines();
        let commands = readme.filter(|line| line.starts_with("refresh "));
        let commands = commands.map(|line| line.split('#').next().unwrap_or_default());
        let mut shown = 0;
        for command in commands {
            let parsed = Cli::try_parse_from(command.split_whitespace());
            assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
            shown += 1;
        }
        assert!(shown >= 4);
    }

    #[test]
    fn a_developer_says_why_and_how_old_and_nothing_else() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        assert!(parse("refresh request --local r --new --max-age 4 --reason x").is_ok());
        for line in [
            "refresh request --local r --max-age 4",
            "refresh request --local r --new --wait",
            "refresh request --local r --rules x",
            "refresh request --local r --new --max-age 4",
            "refresh request --local r --new --reason x --max-age 0",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
