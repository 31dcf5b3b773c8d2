//! PostgreSQL servers for tests: private ones, started in a temporary directory on a free port, gone with the test process.
//!
//! `ANONYMIZER_TEST_POSTGRES_URL` (a superuser's URL) makes the tests use another server, `ANONYMIZER_TEST_PG_BIN` other
//! binaries. Tests connect as [`MASTER`], a role with the rights a hosting provider's master user has: it may create roles
//! and databases, and is no superuser.

mod binaries;
mod database;
mod files;
mod guardian;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use binaries::Binaries;
pub use database::Database;
use guardian::Guardian;

/// The role that owns the test databases: not a superuser, may create roles and databases.
pub const MASTER: &str = "anonymizer_test_master";

/// A server: one we have started, or one that a URL names and that we only use.
pub struct Server {
    binaries: Binaries,
    /// `user[:password]@host:port` of the superuser.
    superuser: String,
    /// `host:port`.
    address: String,
    private: Option<Private>,
}

struct Private {
    directory: PathBuf,
    port: u16,
    settings: Vec<String>,
    guardian: Option<Guardian>,
}

/// Settings under which nothing is lost to durability: a test server is never recovered after a power cut.
pub const FAST: &[&str] = &[
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=logical",
    "max_prepared_transactions=10",
    "max_wal_size=4GB",
];

impl Server {
    /// The server that the tests of one binary share, each in a database of its own.
    pub fn shared() -> Result<&'static Server> {
        static SHARED: OnceLock<Result<Server, String>> = OnceLock::new();
        let server = SHARED.get_or_init(|| Self::open().map_err(|error| format!("{error:#}")));
        server.as_ref().map_err(|error| anyhow::anyhow!("{error}"))
    }

    fn open() -> Result<Server> {
        match std::env::var("ANONYMIZER_TEST_POSTGRES_URL") {
            Ok(url) => Self::at(&url),
            Err(_) => Self::private(FAST),
        }
    }

    /// Starts a server of one's own with these settings (`name=value`).
    pub fn private(settings: &[&str]) -> Result<Server> {
        let binaries = Binaries::find()?;
        let directory = tempfile::Builder::new().prefix("anonymizer-pg-").tempdir()?.keep();
        let data = directory.join("data");
        binaries.hand_over(&directory)?;
        run(binaries
            .server("initdb")
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"])
            .args(["--no-sync", "-D"])
            .arg(&data))?;
        let settings = settings.iter().map(|setting| setting.to_string()).collect();
        let private = Private { directory, port: 0, settings, guardian: None };
        let mut server = Server {
            binaries,
            superuser: String::new(),
            address: String::new(),
            private: Some(private),
        };
        server.start()?;
        server.create_master()?;
        Ok(server)
    }

    /// The server at a superuser's URL.
    fn at(url: &str) -> Result<Server> {
        let rest = url.split_once("://").context("ANONYMIZER_TEST_POSTGRES_URL is not a URL")?.1;
        let superuser = rest.split(['/', '?']).next().unwrap_or(rest).to_owned();
        let address = superuser.rsplit_once('@').context("the URL names no user")?.1.to_owned();
        let server = Server { binaries: Binaries::find()?, superuser, address, private: None };
        server.create_master()?;
        Ok(server)
    }

    /// Starts a private server, again after [`Server::kill`] on the same port.
    pub fn start(&mut self) -> Result<()> {
        let private = self.private.as_mut().context("this server is not ours to start")?;
        if private.port == 0 {
            private.port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        }
        self.address = format!("127.0.0.1:{}", private.port);
        self.superuser = format!("postgres@{}", self.address);
        let begun = Instant::now();
        loop {
            let guardian =
                Guardian::start(&self.binaries, &private.arguments(), &private.directory)?;
            if self.binaries.wait_until_ready(private.port, &guardian)? {
                private.guardian = Some(guardian);
                return Ok(());
            }
            // A predecessor's last backends may still hold the shared memory.
            guardian.stop(true)?;
            if begun.elapsed() > Duration::from_secs(30) {
                bail!("the test server does not start:\n{}", self.log());
            }
        }
    }

    /// Kills the server as a crash would: no shutdown, no checkpoint.
    pub fn kill(&mut self) -> Result<()> {
        let private = self.private.as_mut().context("this server is not ours to kill")?;
        let pid_file = std::fs::read_to_string(private.data().join("postmaster.pid"))?;
        let postmaster = pid_file.lines().next().context("postmaster.pid is empty")?;
        run(Command::new("kill").args(["-KILL", postmaster]))?;
        match private.guardian.take() {
            Some(guardian) => guardian.stop(true),
            None => Ok(()),
        }
    }

    /// Its version as a number, as `150004`.
    pub fn version(&self) -> Result<u32> {
        let version = self.superuser_runs("postgres", "SHOW server_version_num")?;
        version.trim().parse().context("a server's version is a number")
    }

    /// The data directory, where the server runs on this machine for us.
    pub fn data_directory(&self) -> Option<PathBuf> {
        self.private.as_ref().map(Private::data)
    }

    /// The server's log, of everybody who uses it at the time.
    pub fn log(&self) -> String {
        let Some(private) = &self.private else { return String::new() };
        let log = std::fs::read(private.directory.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// A fresh, empty database that [`MASTER`] owns.
    pub fn database(&self, name: &str) -> Result<Database<'_>> {
        self.create_database(name, "template0")
    }

    /// A fresh copy of a database nobody is connected to.
    pub fn copy(&self, of: &Database<'_>, name: &str) -> Result<Database<'_>> {
        self.create_database(name, of.name())
    }

    /// A database that is there already.
    pub fn existing(&self, name: &str) -> Database<'_> {
        Database::new(self, name.to_owned(), false)
    }

    fn create_database(&self, name: &str, template: &str) -> Result<Database<'_>> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}_{}_{count}", std::process::id());
        let create = format!(
            r#"CREATE DATABASE "{name}" OWNER {MASTER} TEMPLATE "{template}" ENCODING UTF8"#
        );
        self.superuser_runs("postgres", &create)?;
        let database = Database::new(self, name, true);
        // Before version 15 this schema belongs to the superuser, whoever owns the database.
        self.superuser_runs(database.name(), &format!("ALTER SCHEMA public OWNER TO {MASTER}"))?;
        Ok(database)
    }

    /// Runs statements as the superuser and answers with what they print, unaligned.
    fn superuser_runs(&self, database: &str, sql: &str) -> Result<String> {
        run(self.psql(&self.superuser_url(database)).args(["-c", sql]))
    }

    fn create_master(&self) -> Result<()> {
        // Several test processes may get here at once on a server that they share.
        let create = format!(
            "DO $$ BEGIN CREATE ROLE {MASTER} LOGIN CREATEROLE CREATEDB PASSWORD '{MASTER}';
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        );
        self.superuser_runs("postgres", &create).map(drop)
    }

    fn superuser_url(&self, database: &str) -> String {
        format!("postgres://{}/{database}", self.superuser)
    }

    fn master_url(&self, database: &str) -> String {
        format!("postgres://{MASTER}:{MASTER}@{}/{database}", self.address)
    }

    fn psql(&self, url: &str) -> Command {
        let mut command = self.binaries.client("psql");
        command.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", url]);
        command.env("PGOPTIONS", "-c client_min_messages=warning");
        command
    }
}

impl Private {
    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["-D".into(), self.data().display().to_string()];
        let fixed = [
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".into(),
            format!("unix_socket_directories={}", self.directory.display()),
        ];
        for setting in fixed.iter().chain(&self.settings) {
            arguments.extend(["-c".into(), setting.clone()]);
        }
        arguments
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // The guardian removes the directory, unless it is gone and has left the directory for another start.
        if self.guardian.is_none() {
            let _ = std::fs::remove_dir_all(&self.directory);
        }
    }
}

/// Runs a command to its end and answers with its output; its messages are in the error.
fn run(command: &mut Command) -> Result<String> {
    let program = Path::new(command.get_program()).display().to_string();
    let output = command.output().with_context(|| format!("failed to run {program}"))?;
    let messages = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program}: {}\n{messages}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}
