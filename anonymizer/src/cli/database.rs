//! Which database: its URL from the command line, a file or the environment, and the engine for it.
//!
//! A URL may hold a password. It is passed to the engine and to nobody else: it appears in no message.

use std::env;
use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::Error;
use super::secret::{self, Beside};
use crate::engine::EngineError;

/// Where the URL comes from.
#[derive(Args)]
pub struct Database {
    /// `postgres://…` or `sqlite:FILE`; by default the environment's DATABASE_URL. A password in it can be seen in the
    /// list of processes: prefer the environment or a file.
    #[arg(long, value_name = "URL", conflicts_with = "database_secret")]
    database_url: Option<String>,
    /// A file that holds the URL, or the JSON of a database's secret: `username`, `password`, `host`, `port`, `dbname`. By default
    /// the one that the environment's ANONYMIZER_DATABASE_SECRET names; ANONYMIZER_DATABASE_ENDPOINT, …_NAME and …_ENGINE
    /// say what does not stand in it.
    #[arg(long, value_name = "FILE")]
    database_secret: Option<PathBuf>,
}

/// Hides the URL: clap derives require `Debug`, and a password must not stand in it.
impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database(..)")
    }
}

impl Database {
    /// The URL, from the first of: `--database-url`, `--database-secret`, `ANONYMIZER_DATABASE_SECRET`, `DATABASE_URL`.
    pub fn url(&self) -> Result<String, Error> {
        if let Some(url) = &self.database_url {
            return Ok(url.clone());
        }
        if let Some(file) = &self.database_secret {
            return from_file(file);
        }
        if let Some(file) =
            env::var_os("ANONYMIZER_DATABASE_SECRET").filter(|file| !file.is_empty())
        {
            return from_file(file.as_ref());
        }
        match env::var("DATABASE_URL") {
            Ok(url) if !url.is_empty() => Ok(url),
            Err(env::VarError::NotUnicode(_)) => Err(usage("DATABASE_URL is not valid UTF-8")),
            Ok(_) | Err(env::VarError::NotPresent) => Err(usage(
                "no database given\n(hint: use --database-url URL, --database-secret FILE or the environment's DATABASE_URL)",
            )),
        }
    }
}

fn from_file(file: &std::path::Path) -> Result<String, Error> {
    let name = file.display();
    if name.to_string().starts_with("arn:") {
        return Err(usage(
            "--database-secret takes a file that holds the URL; a Secrets Manager ARN is not supported yet",
        ));
    }
    let text = fs::read_to_string(file)
        .map_err(|error| usage(&format!("{name} cannot be read ({})", error.kind())))?;
    match text.trim() {
        "" => Err(usage(&format!("{name} is empty; it should hold the URL"))),
        text => secret::url(text, &beside()),
    }
}

fn beside() -> Beside {
    let told = |name: &str| env::var(name).ok().filter(|text| !text.is_empty());
    Beside {
        endpoint: told("ANONYMIZER_DATABASE_ENDPOINT"),
        engine: told("ANONYMIZER_DATABASE_ENGINE"),
        name: told("ANONYMIZER_DATABASE_NAME"),
    }
}

/// The engines there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `postgres://` or `postgresql://`.
    Postgres,
    /// `sqlite:`.
    Sqlite,
}

impl Scheme {
    /// The engine a URL speaks of.
    pub fn of(url: &str) -> Result<Self, Error> {
        // What stands before the first colon of something that is no URL might be a password: it is not repeated.
        match url.split_once(':') {
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                Ok(Scheme::Postgres)
            }
            Some(("sqlite", _)) => Ok(Scheme::Sqlite),
            _ => Err(usage(
                "not a URL of a known engine\n(hint: it begins with postgres://, postgresql:// or sqlite:)",
            )),
        }
    }
}

fn usage(message: &str) -> Error {
    Error::Usage(format!("find the database: {message}"))
}

/// An engine that could not be connected.
pub fn not_connected(source: EngineError) -> Error {
    Error::engine("connect to the database", source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_names_its_engine() {
        assert_eq!(Scheme::of("postgres://h/d").unwrap(), Scheme::Postgres);
        assert_eq!(Scheme::of("postgresql://u:p@h:1/d").unwrap(), Scheme::Postgres);
        assert_eq!(Scheme::of("sqlite:shop.db").unwrap(), Scheme::Sqlite);
        assert_eq!(Scheme::of("sqlite:///srv/shop.db").unwrap(), Scheme::Sqlite);
    }

    #[test]
    fn an_unknown_scheme_is_not_repeated() {
        for url in ["mysql://u:hunter2@h/d", "hunter2", "hunter2:x", "postgres:hunter2", ""] {
            let error = Scheme::of(url).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
            assert!(error.contains("sqlite:"), "{error}");
        }
    }
}
