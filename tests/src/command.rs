//! Runs `anonymizer` as a user would: a process with arguments, a key in its environment, an exit code.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// The masking key of the tests.
pub const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// What a finished command has left behind.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// The command, with [`KEY`], a state directory of the tests and nothing else of our environment that it listens to.
pub fn anonymizer() -> Result<Command> {
    let executable = executable()?;
    let mut command = Command::new(&executable);
    command
        .env("XDG_STATE_HOME", executable.with_file_name("test-state"))
        .env_remove("DATABASE_URL")
        .env_remove("ANONYMIZER_SIGN_KEY")
        .env("ANONYMIZER_KEY", KEY)
        .stdin(Stdio::null());
    Ok(command)
}

/// `anonymizer VERB --database-url URL --rules FILE`.
pub fn with_rules(verb: &str, url: &str, rules: &std::path::Path) -> Result<Command> {
    let mut command = anonymizer()?;
    command.args([verb, "--database-url", url, "--rules"]).arg(rules);
    Ok(command)
}

/// Runs a command to its end.
pub fn finish(command: &mut Command) -> Result<Finished> {
    let output = command.output().context("failed to run anonymizer")?;
    Ok(Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Holds a command to its exit code, to what it must say on standard error, and to silence about original values, in which
/// the test has planted the word `canary`.
pub fn ends_with(finished: &Finished, code: u8, said: &str) -> Result<()> {
    let Finished { code: found, stdout, stderr } = finished;
    ensure!(*found == Some(i32::from(code)), "exit code {found:?} for {code}:\n{stderr}");
    ensure!(stderr.contains(said), "nothing is said about `{said}`:\n{stderr}");
    ensure!(!format!("{stdout}{stderr}").contains("canary"), "an original is printed:\n{stderr}");
    Ok(())
}

/// Cargo builds this package's own executables before its tests, and puts them one directory above.
pub fn executable() -> Result<PathBuf> {
    let tests = std::env::current_exe()?;
    let target = tests.parent().and_then(|deps| deps.parent()).context("no target directory")?;
    Ok(target.join(format!("anonymizer-under-test{}", std::env::consts::EXE_SUFFIX)))
}

/// A file below `tests/scenarios`.
pub fn scenario(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(path)
}

/// Says that a test has been skipped, past the test runner's capture.
pub fn skipped(test: &str, because: &str) {
    // Nobody to tell is no reason to fail.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {because}");
}
