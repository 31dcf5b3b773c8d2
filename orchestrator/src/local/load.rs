//! A PostgreSQL server of production's, filled by scripts: NAME.sql for each of its databases, which psql runs as the master user.
//!
//! A script can be what pg_dump writes. What psql says of an error is its place and code: the rest could quote a row. It leaves no
//! server that is filled in part.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use snapshots::local::{Local, NewDatabase};
use snapshots::status::Meaning;
use snapshots::{Database, SnapshotError, Snapshots as _};

/// Makes the server, unless it is there.
pub async fn server(
    local: &Local,
    new: &NewDatabase<'_>,
    scripts: &Path,
) -> Result<Option<Database>> {
    let scripts = named(scripts, "sql")?;
    ensure!(!scripts.is_empty(), "there is no NAME.sql to make a database of");
    let id = match local.create_postgres(new) {
        Err(SnapshotError::Exists(_)) => return Ok(None),
        made => made?.resource_id,
    };
    match fill(local, &id, &scripts).await {
        Ok(made) => Ok(Some(made)),
        Err(error) => {
            local.delete_database(&id).await?;
            local.settle()?;
            Err(error)
        }
    }
}

async fn fill(local: &Local, id: &str, scripts: &[(String, PathBuf)]) -> Result<Database> {
    let made = local.by_resource_id(id).await?.context("the server is gone")?;
    ensure!(made.meaning() == Meaning::Ready, "the server is {}", made.status);
    let secret = made.secret.as_ref().context("the server has no password")?;
    let url = std::fs::read_to_string(&secret.arn).context("read the server's password")?;
    for (name, script) in scripts {
        let create = format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\""));
        psql(&url, "postgres", &["-c", &create]).with_context(|| format!("make {name}"))?;
        let file = script.display().to_string();
        psql(&url, name, &["-f", &file]).with_context(|| format!("fill {name}"))?;
    }
    Ok(made)
}

/// The password is in its environment: others can see the arguments of a process.
fn psql(url: &str, database: &str, arguments: &[&str]) -> Result<()> {
    let (login, server) = url
        .trim()
        .strip_prefix("postgres://")
        .and_then(|rest| rest.split('/').next()?.split_once('@'))
        .context("the server's URL cannot be read")?;
    let (user, password) = login.split_once(':').context("the server's URL has no password")?;
    let (host, port) = server.split_once(':').context("the server's URL has no port")?;
    let mut command = Command::new("psql");
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=sqlstate"]);
    command.args(arguments);
    // What would lead elsewhere.
    for variable in ["PGHOSTADDR", "PGSERVICE", "PGOPTIONS", "PGSSLMODE"] {
        command.env_remove(variable);
    }
    command.envs([("PGHOST", host), ("PGPORT", port), ("PGDATABASE", database)]);
    command.envs([("PGUSER", user), ("PGPASSWORD", password)]);
    let said = command.output().context("run psql\n(hint: install PostgreSQL's client)")?;
    if !said.status.success() {
        bail!("psql: {}", String::from_utf8_lossy(&said.stderr).trim());
    }
    Ok(())
}

/// The files of that kind, by their names without it.
pub fn named(directory: &Path, extension: &str) -> Result<Vec<(String, PathBuf)>> {
    let read = || format!("read {}", directory.display());
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(read)? {
        let path = entry.with_context(read)?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).map(str::to_owned);
        if let Some(name) = name.filter(|_| path.extension().is_some_and(|of| of == extension)) {
            all.push((name, path));
        }
    }
    all.sort();
    Ok(all)
}
