//! One database of a test server; a fresh one is dropped with the value.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Server, run};

/// A database that a test may spoil.
pub struct Database<'a> {
    server: &'a Server,
    name: String,
    /// It goes with the value.
    fleeting: bool,
}

impl<'a> Database<'a> {
    pub(super) fn new(server: &'a Server, name: String, fleeting: bool) -> Self {
        Self { server, name, fleeting }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Leaves the database on the server, for [`Server::existing`].
    pub fn keep(mut self) -> String {
        self.fleeting = false;
        self.name.clone()
    }

    /// The URL a run is given: the master role's.
    pub fn url(&self) -> String {
        self.server.master_url(&self.name)
    }

    /// The superuser's URL, for looking behind the scenes.
    pub fn superuser_url(&self) -> String {
        self.server.superuser_url(&self.name)
    }

    /// Runs a script as the master role, with psql variables: psql's commands and `COPY … FROM stdin` included.
    pub fn load(&self, script: &Path, variables: &[(&str, &str)]) -> Result<()> {
        self.run_script(&self.url(), script, variables)
    }

    /// The same as the superuser.
    pub fn load_as_superuser(&self, script: &Path, variables: &[(&str, &str)]) -> Result<()> {
        self.run_script(&self.superuser_url(), script, variables)
    }

    fn run_script(&self, url: &str, script: &Path, variables: &[(&str, &str)]) -> Result<()> {
        let mut psql = self.server.psql(url);
        for (name, value) in variables {
            psql.arg("-v").arg(format!("{name}={value}"));
        }
        run(psql.arg("-f").arg(script)).map(drop)
    }

    /// Runs a script as the superuser and answers with what it prints.
    pub fn read(&self, script: &Path) -> Result<String> {
        run(self.server.psql(&self.superuser_url()).arg("-f").arg(script))
    }

    /// Runs statements as the superuser in one transaction and answers with what they print: a line per row, `|` between
    /// columns.
    pub fn query(&self, sql: &str) -> Result<String> {
        self.server.superuser_runs(&self.name, sql)
    }

    /// Runs statements as the superuser in one session, each in a transaction of its own.
    pub fn query_each(&self, statements: &[&str]) -> Result<String> {
        let mut psql = self.server.psql(&self.superuser_url());
        for statement in statements {
            psql.args(["-c", statement]);
        }
        run(&mut psql)
    }

    /// Runs statements as the master role in one transaction.
    pub fn query_as_master(&self, sql: &str) -> Result<String> {
        run(self.server.psql(&self.url()).args(["-c", sql]))
    }

    /// The server's data directory, where it runs on this machine for us.
    pub fn data_directory(&self) -> Option<PathBuf> {
        self.server.data_directory()
    }

    /// The directories that hold its files, where the server runs on this machine for us: tables, indexes and catalogs.
    pub fn directories(&self) -> Result<Vec<PathBuf>> {
        let Some(data) = self.server.data_directory() else { return Ok(Vec::new()) };
        let oid = self.query("SELECT oid FROM pg_database WHERE datname = current_database()")?;
        let mut found = vec![data.join("base").join(oid.trim()), data.join("base/pgsql_tmp")];
        for space in std::fs::read_dir(data.join("pg_tblspc"))? {
            for version in std::fs::read_dir(space?.path())? {
                found.push(version?.path().join(oid.trim()));
            }
        }
        found.retain(|directory| directory.exists());
        Ok(found)
    }

    /// The schema as SQL, without the ledger's own schema.
    pub fn schema(&self) -> Result<String> {
        let mut dump = self.server.binaries.client("pg_dump");
        let dumped = run(dump
            .args(["--schema-only", "--exclude-schema=anonymizer", "-d"])
            .arg(self.superuser_url()))?;
        // Newer versions of pg_dump guard their output with a random word.
        let guard =
            |line: &&str| !line.starts_with(r"\restrict") && !line.starts_with(r"\unrestrict");
        Ok(dumped.lines().filter(guard).collect::<Vec<_>>().join("\n"))
    }

    /// Every row of every table as SQL, without the ledger's own schema.
    pub fn data(&self) -> Result<String> {
        let mut dump = self.server.binaries.client("pg_dump");
        run(dump
            .args(["--data-only", "--exclude-schema=anonymizer", "-d"])
            .arg(self.superuser_url()))
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        if !self.fleeting {
            return;
        }
        let drop = format!(r#"DROP DATABASE IF EXISTS "{}" WITH (FORCE)"#, self.name);
        // A server that the test has killed has nothing to drop.
        let _ = self.server.superuser_runs("postgres", &drop);
    }
}
