//! The command line: what can be written, which command runs, what it prints and how it exits.
//!
//! Standard output carries the result alone, as text or as one JSON document; log and progress go to standard error. This
//! is the one place that reads the environment, the clock and the terminal. No URL, key or row value is ever printed.

#![expect(clippy::disallowed_methods, reason = "what the rest is told as an argument is read here")]

mod again;
mod ask;
mod check;
mod checks;
mod cloud;
mod conclude;
mod database;
mod destination;
mod draw;
mod earlier;
mod error;
pub mod functions;
mod jobs;
mod key;
mod preview;
mod print;
mod report;
mod run;
mod scope;
mod secret;
mod sign;
mod signals;
mod state;
mod statement;
mod verify;

pub use error::{Error, explain};
pub use print::Format;

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

use crate::engine::Engine;
use crate::engine::postgres::PostgresEngine;
use crate::engine::sqlite::SqliteEngine;
use crate::rules::{self, RuleSet};
use database::{Database, Scheme};
use key::KeyArguments;
use print::say;

/// Masks personal data in a database in place, by rules.
///
/// Every column is decided by the rules file, or the run is refused. Exit codes: 0 done, 1 unexpected, 2 usage or invalid
/// rules, 3 refused (nothing was written), 4 verification failed, 75 temporary (run the same command again).
#[derive(Debug, Parser)]
#[command(name = "anonymizer", version, max_term_width = 100)]
pub struct Cli {
    /// How the result is printed on standard output.
    #[arg(long, global = true, display_order = 99, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Mask a database in place.
    Run(run::Arguments),
    /// Say what would be done to every column, or everything that is wrong; writes nothing.
    Check(check::Arguments),
    /// Show a few masked rows of each table; writes nothing and never shows an original.
    Preview(preview::Arguments),
    /// Show a run's report as a page: writes report.html beside report.json.
    Report(report::Arguments),
    /// Look again for the originals of a run that has failed its verdict or was stopped before it; writes nothing.
    Verify(verify::Arguments),
    /// Check a signed statement against its signer's key, and say what is signed.
    VerifyStatement(statement::Arguments),
    /// List the masking functions, or explain one.
    Functions {
        /// The function to explain.
        name: Option<String>,
    },
}

/// A database and the rules for it.
#[derive(Debug, Args)]
struct Target {
    #[command(flatten)]
    database: Database,
    /// The rules file, or the `s3://BUCKET/KEY` where it is.
    #[arg(long, value_name = "FILE", env = "ANONYMIZER_RULES", hide_env_values = true)]
    rules: std::path::PathBuf,
}

/// The whole program: parse, call, print one error, exit code.
pub fn main() -> ExitCode {
    error::hide_panic_values();
    let cli = Cli::parse();
    let format = cli.format;
    match cli.execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error::print(&error, format);
            ExitCode::from(error.exit_code())
        }
    }
}

impl Cli {
    /// Runs the command to its end, or to the first SIGINT or SIGTERM.
    pub fn execute(self) -> Result<(), Error> {
        let format = self.format;
        match self.command {
            Command::Functions { name } => functions::print(name.as_deref(), format),
            Command::Report(arguments) => report::render(&arguments, format),
            Command::VerifyStatement(arguments) => statement::verify(&arguments, format),
            Command::Run(arguments) => {
                arguments.clear_the_way()?;
                on_database(Action::Run(arguments), format)
            }
            Command::Check(arguments) => on_database(Action::Check(arguments), format),
            Command::Preview(arguments) => on_database(Action::Preview(arguments), format),
            Command::Verify(arguments) => on_database(Action::Verify(arguments), format),
        }
    }
}

/// What is done with a connected database.
enum Action {
    Run(run::Arguments),
    Check(check::Arguments),
    Preview(preview::Arguments),
    Verify(verify::Arguments),
}

fn on_database(action: Action, format: Format) -> Result<(), Error> {
    signals::run_until_signal(async move |stop: signals::Stop| {
        // Before any connection is made: a misspelt rule costs no database a visit.
        let rules = action.target().rules().await?;
        let url = action.target().database.url().await?;
        match Scheme::of(&url)? {
            Scheme::Postgres => {
                let server = action.target().database.server(&url)?;
                let engine = PostgresEngine::connect_to(server).await;
                action.on(engine.map_err(database::not_connected)?, rules, format, stop).await
            }
            Scheme::Sqlite => {
                let engine = SqliteEngine::connect(&url);
                action.on(engine.map_err(database::not_connected)?, rules, format, stop).await
            }
        }
    })
}

impl Action {
    fn target(&self) -> &Target {
        match self {
            Action::Run(arguments) => &arguments.target,
            Action::Check(arguments) => &arguments.target,
            Action::Preview(arguments) => &arguments.target,
            Action::Verify(arguments) => &arguments.target,
        }
    }

    async fn on<E: Engine + 'static>(
        self,
        engine: E,
        rules: RuleSet,
        format: Format,
        stop: signals::Stop,
    ) -> Result<(), Error> {
        let engine = Arc::new(engine);
        stop.tell(engine.stopper());
        match self {
            Action::Run(arguments) => run::run(arguments, rules, engine, format).await,
            Action::Verify(arguments) => verify::verify(arguments, rules, engine, format).await,
            Action::Check(arguments) => {
                check::check(&arguments, &rules, engine.as_ref(), format).await
            }
            Action::Preview(arguments) => {
                preview::preview(&arguments, &rules, engine.as_ref(), format).await
            }
        }
    }
}

impl Target {
    async fn rules(&self) -> Result<RuleSet, Error> {
        let name = self.rules.display().to_string();
        let bytes = match cloud::is_uri(&self.rules) {
            true => cloud::document("read the rules", &name).await?,
            false => std::fs::read(&self.rules)
                .map_err(|error| Error::Usage(format!("read {name}: {}", error.kind())))?,
        };
        rules::parse(&name, &bytes).map_err(Error::Rules)
    }
}
