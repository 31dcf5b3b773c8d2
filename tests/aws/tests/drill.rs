//! The drill of both accounts (tests/drill): started here, so that it runs the very programs that were built for these tests.
//!
//! It is written in Python, for the emulator is: `make` puts both where they are looked for. Without them it is skipped, with a
//! line that says so. `.ci/test` runs it beside everything else, and says to everything else that it does (`ANONYMIZER_DRILL`).

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program of its own")]

use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let filtered = wanted.iter().any(|word| !word.starts_with('-') && !"drill".contains(&**word));
    if filtered || wanted.iter().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    if std::env::var("ANONYMIZER_DRILL").is_ok_and(|where_to| where_to == "elsewhere") {
        println!("not here: the drill of two accounts runs beside these tests");
        return ExitCode::SUCCESS;
    }
    let production = Path::new(env!("CARGO_BIN_EXE_production-function"));
    let Some(target) = production.parent().and_then(Path::parent) else { return ExitCode::FAILURE };
    let python = target.join("drill/bin/python");
    if !python.exists() {
        println!("skipped: the drill of two accounts (no emulator; `make test-aws` installs it)");
        return ExitCode::SUCCESS;
    }
    let ended = Command::new(python)
        .args(["-m", "driver"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("drill"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("DRILL_PRODUCTION", production)
        .env("DRILL_DEVELOPMENT", env!("CARGO_BIN_EXE_development-function"))
        .env("DRILL_ANONYMIZER", env!("CARGO_BIN_EXE_anonymizer-on-aws"))
        .env("DRILL_DOCTORS", env!("CARGO_BIN_EXE_doctors"))
        .status();
    match ended {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => {
            eprintln!("the drill failed: {status}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("the drill did not start: {error}");
            ExitCode::FAILURE
        }
    }
}
