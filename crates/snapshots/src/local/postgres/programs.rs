//! Where PostgreSQL's server programs are, and as whom they run: a server refuses to run as root.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::error::SnapshotError;

/// Where Debian keeps a directory for each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Who runs a server where we are root.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

/// A directory with `initdb`, `postgres` and `pg_ctl`.
pub struct Programs {
    directory: PathBuf,
    /// Who a server runs as, where we are root.
    account: Option<&'static str>,
}

impl Programs {
    /// Those that were named, or those of that version in a Debian installation, or its newest, or those on the search path.
    pub fn find(named: Option<&Path>, version: Option<&str>) -> Result<Self, SnapshotError> {
        let major = version.and_then(|version| version.split('.').next());
        let directory = named
            .map(Path::to_path_buf)
            .or_else(|| of_debian(major))
            .or_else(on_search_path)
            .ok_or_else(|| {
                let why = "no PostgreSQL server is installed here\n(hint: install one, or name the directory of its programs)";
                SnapshotError::Other(why.into())
            })?;
        let root = rustix::process::geteuid().is_root();
        let account = root.then(|| ACCOUNTS.into_iter().find(|name| exists(name))).flatten();
        Ok(Self { directory, account })
    }

    /// The version of the server, as `15.4`.
    pub fn version(&self) -> Result<String, SnapshotError> {
        let said = self.run(self.server("postgres").arg("--version"))?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let version = said.split_whitespace().find(|word| word.starts_with(char::is_numeric));
        version.map(str::to_owned).ok_or_else(|| SnapshotError::Other("no version".into()))
    }

    /// A server program, run by the server's account.
    pub fn server(&self, program: &str) -> Command {
        let path = self.directory.join(program);
        let mut command = match self.account {
            None => Command::new(path),
            Some(account) => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={account}"))
                    .arg(format!("--regid={}", group(account)));
                command.args(["--clear-groups", "--"]).arg(path);
                command
            }
        };
        // The server's account cannot enter every directory that root starts from.
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    /// Gives a file, or a directory with all that is in it, to the server's account.
    pub fn hand_over(&self, path: &Path) -> Result<(), SnapshotError> {
        match self.account {
            Some(account) => {
                self.run(Command::new("chown").arg("-R").arg(account).arg(path)).map(drop)
            }
            None => Ok(()),
        }
    }

    /// Runs a program to its end; its messages are in the error.
    pub fn run(&self, command: &mut Command) -> Result<Output, SnapshotError> {
        let output = command.output().map_err(|error| failed(command, &error.to_string()))?;
        match output.status.success() {
            true => Ok(output),
            false => Err(failed(command, &String::from_utf8_lossy(&output.stderr))),
        }
    }

    /// Runs statements, one on each line, on a cluster whose server is stopped. What they say is not repeated: there are
    /// passwords among them.
    pub fn single_user(&self, data: &Path, statements: &str) -> Result<(), SnapshotError> {
        let mut command = self.server("postgres");
        command.arg("--single").arg("-D").arg(data).arg("template1");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let ended = command.spawn().and_then(|mut child| {
            if let Some(mut input) = child.stdin.take() {
                input.write_all(statements.as_bytes())?;
            }
            child.wait_with_output()
        });
        let ended = ended.map_err(|error| failed(&command, &error.to_string()))?;
        let said = String::from_utf8_lossy(&ended.stderr);
        // An error in a statement does not end it.
        if !ended.status.success() || said.contains("ERROR:") || said.contains("FATAL:") {
            return Err(failed(&command, "a statement was refused"));
        }
        Ok(())
    }
}

fn failed(command: &Command, why: &str) -> SnapshotError {
    let words = command.get_args().filter_map(|word| word.to_str());
    let program = words.chain(command.get_program().to_str()).find(|word| word.contains("/bin/"));
    SnapshotError::Other(format!("{} failed: {}", program.unwrap_or("a program"), why.trim()))
}

fn of_debian(major: Option<&str>) -> Option<PathBuf> {
    let bin = |version: &str| Path::new(DEBIAN).join(version).join("bin");
    let is_there = |path: &PathBuf| path.join("initdb").exists();
    if let Some(bin) = major.map(bin).filter(is_there) {
        return Some(bin);
    }
    let versions = std::fs::read_dir(DEBIAN).ok()?.flatten();
    let numbers = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers.filter(|number| is_there(&bin(&number.to_string()))).max().map(|n| bin(&n.to_string()))
}

fn on_search_path() -> Option<PathBuf> {
    let said = Command::new("pg_config").arg("--bindir").output().ok()?;
    let directory = PathBuf::from(String::from_utf8(said.stdout).ok()?.trim());
    directory.join("initdb").exists().then_some(directory)
}

fn exists(account: &str) -> bool {
    Command::new("id").arg(account).output().is_ok_and(|said| said.status.success())
}

fn group(account: &str) -> String {
    let said = Command::new("id").args(["-gn", account]).output();
    said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned()).unwrap_or_default()
}
