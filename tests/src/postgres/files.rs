//! Files in a server's data directory that decide who gets in: the server writes them itself, so that they are its own.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::Server;

impl Server {
    /// Has the server write lines to a file of its data directory that nobody else may read.
    pub fn writes(&self, name: &str, text: &str) -> Result<()> {
        let lines = text.trim().lines().collect::<Vec<_>>().join("', '");
        let write =
            format!("COPY (SELECT unnest(ARRAY['{lines}'])) TO PROGRAM 'umask 077; cat > {name}'");
        self.superuser_runs("postgres", &write).map(drop)
    }

    /// Lets in whom these lines of `pg_hba.conf` let in, and the superuser.
    pub fn admits(&self, lines: &str) -> Result<()> {
        self.writes("pg_hba.conf", &format!("{lines}\nhost all postgres all trust"))?;
        self.reload()
    }

    /// Has the server read its configuration again.
    pub fn reload(&self) -> Result<()> {
        let loaded = || self.superuser_runs("postgres", "SELECT pg_conf_load_time()");
        let (before, begun) = (loaded()?, Instant::now());
        self.superuser_runs("postgres", "SELECT pg_reload_conf()")?;
        while loaded()? == before {
            ensure!(begun.elapsed() < Duration::from_secs(30), "not reloaded:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}
