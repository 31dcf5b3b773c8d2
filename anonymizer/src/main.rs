//! The `anonymizer` command: parse, call, print one error, exit code.

use std::process::ExitCode;

use anonymizer::cli::{Cli, hide_panic_values, print_error};
use clap::Parser as _;

fn main() -> ExitCode {
    hide_panic_values();
    let cli = Cli::parse();
    let format = cli.format;
    match cli.execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&error, format);
            ExitCode::from(error.exit_code())
        }
    }
}
