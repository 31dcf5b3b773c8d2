//! The `refresh` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    receiver::refresh::main()
}
