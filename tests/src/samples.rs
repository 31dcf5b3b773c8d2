//! Well-known sample databases, which lie beside the checkout and are not ours to ship.
//!
//! `ANONYMIZER_SAMPLEDB` names the folder that holds them; without it nothing is loaded.

use std::path::{Path, PathBuf};

use anyhow::Result;
use tempfile::NamedTempFile;

use crate::command::skipped;
use crate::postgres::{Database, MASTER, Server};

/// A sample database.
pub struct Sample {
    /// Its rules, below `tests/scenarios`.
    pub rules: &'static str,
    load: fn(&Database<'_>, &Path) -> Result<()>,
}

/// Traders.
pub const NORTHWIND: Sample = Sample {
    rules: "northwind/rules.yaml",
    load: |database, folder| database.load(&folder.join("northwind_pg.sql"), &[]),
};

/// A music shop.
pub const CHINOOK: Sample = Sample {
    rules: "chinook/rules.yaml",
    load: |database, folder| {
        let without = ["DROP DATABASE", "CREATE DATABASE", "\\c "];
        let script = edited(&folder.join("chinook_pg.sql"), &without, ("", ""))?;
        database.load(script.path(), &[])
    },
};

/// A film rental.
pub const SAKILA: Sample = Sample {
    rules: "sakila/rules.yaml",
    load: |database, folder| {
        let owner = format!("OWNER TO {MASTER}");
        let schema = folder.join("sakila_pg_schema.sql");
        let schema = edited(&schema, &[], ("OWNER TO postgres", &owner))?;
        database.load_as_superuser(schema.path(), &[])?;
        database.load_as_superuser(&folder.join("sakila_pg_data.sql"), &[])
    },
};

impl Sample {
    /// Loads it; `None`, and a line that says that the test is skipped, where there is no folder.
    pub fn load<'a>(&self, server: &'a Server, test: &str) -> Result<Option<Database<'a>>> {
        let folder = std::env::var_os("ANONYMIZER_SAMPLEDB").filter(|folder| !folder.is_empty());
        let Some(folder) = folder.map(PathBuf::from) else {
            skipped(test, "ANONYMIZER_SAMPLEDB does not name the folder of sample databases");
            return Ok(None);
        };
        let database = server.database("sample")?;
        (self.load)(&database, &folder)?;
        Ok(Some(database))
    }
}

/// A copy of a script with these lines left out and words replaced.
fn edited(script: &Path, without: &[&str], replace: (&str, &str)) -> Result<NamedTempFile> {
    let text = std::fs::read_to_string(script)?;
    let stays = |line: &&str| !without.iter().any(|beginning| line.starts_with(beginning));
    let lines: Vec<_> = text.lines().filter(stays).collect();
    let file = NamedTempFile::new()?;
    std::fs::write(file.path(), lines.join("\n").replace(replace.0, replace.1) + "\n")?;
    Ok(file)
}
