//! The `orchestrator` command: the production account's workflow on this machine, its steps shown while they run.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};
use contract::exit_codes;
use orchestrator::definitions::{FLEET, WORKFLOW};
use orchestrator::local::{Account, NewServer, anonymizer_beside, new_name, set_up};
use serde_json::json;
use workflow::history::What;
use workflow::run::{End, Failure};

/// Production's side of a refresh, on one machine.
///
/// Exit codes: 0 done, 1 unexpected, 2 usage, 3 refused, 75 temporary.
#[derive(Parser)]
#[command(name = "orchestrator", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make an account's keys and settings, and a database with a snapshot.
    SetUp {
        #[command(flatten)]
        place: Place,
        /// The database, as both accounts call it.
        #[arg(long)]
        database: String,
        /// A SQLite file, which is copied; or a directory with a script for psql, NAME.sql, for each database of a PostgreSQL
        /// server, which is made and goes on running.
        #[arg(long, value_name = "PATH")]
        file: PathBuf,
        /// Its rules; or a directory with NAME.yaml for each database of the server.
        #[arg(long, value_name = "PATH")]
        rules: PathBuf,
    },
    /// Release a masked snapshot of a database, or of each.
    Run {
        #[command(flatten)]
        place: Place,
        /// The database; without it, every one that there are settings for.
        #[arg(long)]
        database: Option<String>,
        /// The run's name; by default one is made up.
        #[arg(long, value_name = "NAME")]
        run_id: Option<String>,
    },
    /// Remove what is left of runs that no longer run.
    Reap {
        #[command(flatten)]
        place: Place,
    },
    /// Decide what development has asked for, and carry it out.
    Requests {
        #[command(flatten)]
        place: Place,
    },
    /// Look at the account on AWS before the first run: what is wrong, what cures it, how large everything must be.
    ///
    /// It changes nothing. Credentials and region are those of AWS_PROFILE and AWS_REGION.
    #[cfg(feature = "aws")]
    Doctor(Doctor),
}

#[cfg(feature = "aws")]
#[derive(Args)]
struct Doctor {
    /// What the functions are told: `aws lambda get-function-configuration --query Environment.Variables`.
    #[arg(long, value_name = "FILE")]
    environment: PathBuf,
    /// The masking key, which no function is told of: the stack's output MaskKeyArn.
    #[arg(long, value_name = "ARN")]
    mask_key: Option<String>,
    /// What things cost, as infra/prices.json has it.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// The keys that these credentials must be able to use, being those of the one role that does; all others they must not.
    #[arg(long, value_name = "KEYS", value_delimiter = ',', value_parser = ["work", "share", "sign", "mask"])]
    may: Vec<String>,
}

#[derive(Args)]
struct Place {
    /// The folder in which both accounts are.
    #[arg(long, value_name = "ROOT")]
    local: PathBuf,
    /// The masking command; by default the one beside this.
    #[arg(long, value_name = "FILE")]
    anonymizer: Option<PathBuf>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ran = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start")
        .and_then(|runtime| runtime.block_on(execute(cli.command)));
    match ran {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            say(&format!("failed to {error:#}"));
            ExitCode::from(exit_codes::UNEXPECTED)
        }
    }
}

async fn execute(command: Command) -> Result<u8> {
    let begun = Instant::now();
    let show = |state: &str, what: &What| show(begun, state, what);
    match command {
        Command::SetUp { place, database, file, rules } => {
            let new =
                NewServer { database: &database, file: &file, rules: &rules, encrypted: true };
            set_up(&place.account()?, &new).await?;
            Ok(exit_codes::OK)
        }
        Command::Run { place, database, run_id } => {
            let account = place.account()?;
            let run = match database {
                Some(database) => {
                    let name = run_id.unwrap_or_else(|| new_name("run"));
                    say(&format!("run {name}"));
                    account.run(&WORKFLOW, &name, json!({ "database": database }), &show).await
                }
                None => {
                    let name = run_id.unwrap_or_else(|| new_name("fleet"));
                    account.run(&FLEET, &name, json!({}), &show).await
                }
            };
            ended(&run?.end)
        }
        Command::Reap { place } => ended(&place.account()?.reap(&show).await?.end),
        Command::Requests { place } => {
            let mut code = exit_codes::OK;
            for (_, end) in place.account()?.requests(&show).await? {
                code = code.max(ended(&end)?);
            }
            Ok(code)
        }
        #[cfg(feature = "aws")]
        Command::Doctor(told) => told.examine().await,
    }
}

#[cfg(feature = "aws")]
impl Doctor {
    async fn examine(self) -> Result<u8> {
        use anyhow::anyhow;
        use orchestrator::doctor::{Asked, environment, examine};

        let file = &self.environment;
        let read = || format!("read {}", file.display());
        let told = std::fs::read(file).with_context(read)?;
        let told = environment(&told).map_err(|error| anyhow!(error)).with_context(read)?;
        let prices = match &self.prices {
            Some(file) => {
                let read = || format!("read {}", file.display());
                let text = std::fs::read(file).with_context(read)?;
                Some(serde_json::from_slice(&text).with_context(read)?)
            }
            None => None,
        };
        let config = account::aws::config().await;
        let production = orchestrator::aws::Production::new(config, told)?;
        let may = self.may.into_iter().collect();
        let asked = Asked { mask_key: self.mask_key, prices, may };
        // Behind a pointer: everything that it may ask of AWS is one type otherwise, too deep for the compiler.
        let examined = Box::pin(examine(&production, &asked)).await;
        print(&format!("{}\n{}", examined.findings, examined.sizes));
        Ok(if examined.findings.any_wrong() { exit_codes::REFUSED } else { exit_codes::OK })
    }
}

impl Place {
    fn account(&self) -> Result<Account> {
        let anonymizer = match &self.anonymizer {
            Some(file) => file.clone(),
            None => anonymizer_beside()?,
        };
        let root = std::path::absolute(&self.local).context("find the root")?;
        Ok(Account::new(&root, &anonymizer))
    }
}

fn ended(end: &End) -> Result<u8> {
    Ok(match end {
        End::Succeeded(output) => {
            print(&serde_json::to_string_pretty(output)?);
            exit_codes::OK
        }
        End::Failed(Failure { error, cause }) => {
            say(&format!("{error}: {cause}"));
            match error.as_str() {
                "Refused" => exit_codes::REFUSED,
                "Retryable" => exit_codes::TEMPORARY,
                _ => exit_codes::UNEXPECTED,
            }
        }
        End::TimedOut => {
            say("it took too long");
            exit_codes::UNEXPECTED
        }
        End::Stopped => {
            say("it was stopped");
            exit_codes::UNEXPECTED
        }
    })
}

/// What has been answered, and what is about to take long.
fn show(begun: Instant, state: &str, what: &What) {
    let seconds = begun.elapsed().as_secs_f64();
    match what {
        What::Entered if state == "Anonymize" => say(&format!("  {seconds:6.1} s  {state} …")),
        What::Exited => say(&format!("  {seconds:6.1} s  {state}")),
        What::Failed(error) => say(&format!("  {seconds:6.1} s  {state} failed: {error}")),
        _ => {}
    }
}

#[expect(clippy::print_stderr, reason = "what is not the result goes to standard error")]
fn say(line: &str) {
    eprintln!("{line}");
}

#[expect(clippy::print_stdout, reason = "the result goes to standard output")]
fn print(text: &str) {
    println!("{text}");
}
