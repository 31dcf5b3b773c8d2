//! The `receiver` command: what whoever deploys the development account needs. Developers have `refresh`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use clap::{Parser, Subcommand};
use contract::exit_codes;
use receiver::aws::Development;
use receiver::doctor::{environment, examine};

/// Development's side of a refresh, for whoever deploys it.
///
/// Exit codes: 0 done, 1 unexpected, 2 usage, 3 something is wrong.
#[derive(Parser)]
#[command(name = "receiver", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Look at the account on AWS before the first release: what is wrong, and what cures it.
    ///
    /// It changes nothing. Credentials and region are those of AWS_PROFILE and AWS_REGION.
    Doctor {
        /// What the functions are told: `aws lambda get-function-configuration --query Environment.Variables`.
        #[arg(long, value_name = "FILE")]
        environment: PathBuf,
    },
}

fn main() -> ExitCode {
    let Command::Doctor { environment } = Cli::parse().command;
    let ran = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start")
        .and_then(|runtime| runtime.block_on(doctor(environment)));
    match ran {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            say(&format!("failed to {error:#}"));
            ExitCode::from(exit_codes::UNEXPECTED)
        }
    }
}

async fn doctor(file: PathBuf) -> Result<u8> {
    let read = || format!("read {}", file.display());
    let told = std::fs::read(&file).with_context(read)?;
    let told = environment(&told).map_err(|error| anyhow!(error)).with_context(read)?;
    let development = Development::new(account::aws::config().await, told)?;
    // Behind a pointer: everything that it may ask of AWS is one type otherwise, too deep for the compiler.
    let findings = Box::pin(examine(&development)).await;
    print(&findings.to_string());
    Ok(if findings.any_wrong() { exit_codes::REFUSED } else { exit_codes::OK })
}

#[expect(clippy::print_stderr, reason = "what is not the result goes to standard error")]
fn say(line: &str) {
    eprintln!("{line}");
}

#[expect(clippy::print_stdout, reason = "the result goes to standard output")]
fn print(text: &str) {
    print!("{text}");
}
