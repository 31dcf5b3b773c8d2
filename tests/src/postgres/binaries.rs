//! Where PostgreSQL's programs are, and as whom they run: a server refuses to run as root.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::guardian::Guardian;
use super::run;

/// A directory with `initdb`, `postgres`, `psql`, `pg_dump` and `pg_isready`.
pub(super) struct Binaries {
    directory: PathBuf,
    /// The account that a server runs under, where we are root.
    account: Option<&'static str>,
}

impl Binaries {
    /// `ANONYMIZER_TEST_PG_BIN`, or the newest version of a Debian installation, or the search path.
    pub(super) fn find() -> Result<Self> {
        let named = std::env::var_os("ANONYMIZER_TEST_PG_BIN").map(PathBuf::from);
        let directory = named.or_else(newest_of_debian).or_else(on_search_path).context(
            "no PostgreSQL server found: `make test` as root installs one on Debian and Ubuntu; elsewhere install it, \
             or set ANONYMIZER_TEST_PG_BIN to the directory of initdb, or ANONYMIZER_TEST_POSTGRES_URL to a superuser's URL",
        )?;
        let root = run(Command::new("id").arg("-u"))?.trim() == "0";
        let account = root.then(|| if has_account("postgres") { "postgres" } else { "nobody" });
        Ok(Self { directory, account })
    }

    /// A client program, run as ourselves.
    pub(super) fn client(&self, program: &str) -> Command {
        Command::new(self.directory.join(program))
    }

    /// A server program, run as the server's account.
    pub(super) fn server(&self, program: &str) -> Command {
        self.as_server(&self.directory.join(program))
    }

    /// Any program, run as the server's account.
    pub(super) fn as_server(&self, program: &Path) -> Command {
        let Some(account) = self.account else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={account}")).arg(format!("--regid={}", group(account)));
        command.args(["--clear-groups", "--"]).arg(program);
        // A server's account cannot enter the directory that root started from.
        command.current_dir("/");
        command
    }

    /// The path of a program.
    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.directory.join(program)
    }

    /// Gives a directory to the server's account.
    pub(super) fn hand_over(&self, directory: &Path) -> Result<()> {
        match self.account {
            Some(account) => run(Command::new("chown").arg(account).arg(directory)).map(drop),
            None => Ok(()),
        }
    }

    /// Waits for a server to take connections; false when it has ended instead.
    pub(super) fn wait_until_ready(&self, port: u16, guardian: &Guardian) -> Result<bool> {
        let begun = Instant::now();
        let port = port.to_string();
        while begun.elapsed() < Duration::from_secs(60) {
            let mut probe = self.client("pg_isready");
            if probe.args(["-q", "-h", "127.0.0.1", "-p", &port]).status()?.success() {
                return Ok(true);
            }
            if guardian.server_has_ended() {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("the test server takes no connections after a minute")
    }
}

fn newest_of_debian() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let mut found: Vec<_> = versions
        .map(|entry| entry.path())
        .filter(|path| path.join("bin/initdb").exists())
        .filter_map(|path| Some((number(&path)?, path)))
        .collect();
    found.sort();
    found.pop().map(|(_, path)| path.join("bin"))
}

fn on_search_path() -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).find(|path| path.join("initdb").exists())
}

fn has_account(name: &str) -> bool {
    run(Command::new("id").arg(name)).is_ok()
}

fn group(account: &str) -> String {
    run(Command::new("id").args(["-gn", account])).unwrap_or_default().trim().to_owned()
}
