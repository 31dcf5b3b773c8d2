//! The `anonymizer` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    anonymizer::cli::main()
}
