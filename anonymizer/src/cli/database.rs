//! Which database: its URL from the command line, a secret or the environment, the engine for it, and how it is known.
//!
//! A URL may hold a password. It is passed to the engine and to nobody else: it appears in no message.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use futures_util::FutureExt as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

use super::secret::{self, Beside};
use super::{Error, cloud};
use crate::engine::EngineError;
use crate::engine::postgres::{Renew, Server, Trust};

/// Where the URL comes from.
#[derive(Args, Clone)]
pub struct Database {
    /// `postgres://…` or `sqlite:FILE`; by default the environment's DATABASE_URL. A password in it can be seen in the
    /// list of processes: prefer the environment or a file.
    #[arg(long, value_name = "URL", conflicts_with = "database_secret")]
    database_url: Option<String>,
    /// A file, or the ARN of a secret in Secrets Manager, that holds the URL, or the JSON of a database's secret: `username`,
    /// `password`, `host`, `port`, `dbname`. By default the one that the environment's ANONYMIZER_DATABASE_SECRET names;
    /// ANONYMIZER_DATABASE_ENDPOINT, …_NAME and …_ENGINE say what does not stand in it.
    #[arg(long, value_name = "FILE")]
    database_secret: Option<PathBuf>,
    /// Certificates, PEM, of whoever may have signed a PostgreSQL server's. Without it the public authorities alone are
    /// believed. Where the URL and PGSSLMODE do not say otherwise, the certificate of a server on another machine is verified,
    /// its host name too.
    #[arg(long, value_name = "FILE", env = "ANONYMIZER_CA_FILE", hide_env_values = true)]
    ca_file: Option<PathBuf>,
}

/// Hides the URL: clap derives require `Debug`, and a password must not stand in it.
impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database(..)")
    }
}

impl Database {
    /// The URL, from the first of: `--database-url`, `--database-secret`, `ANONYMIZER_DATABASE_SECRET`, `DATABASE_URL`.
    pub async fn url(&self) -> Result<Zeroizing<String>, Error> {
        if let Some(url) = &self.database_url {
            return Ok(Zeroizing::new(url.clone()));
        }
        if let Some(secret) = &self.database_secret {
            return of_secret(secret).await;
        }
        if let Some(secret) =
            env::var_os("ANONYMIZER_DATABASE_SECRET").filter(|secret| !secret.is_empty())
        {
            return of_secret(secret.as_ref()).await;
        }
        match env::var("DATABASE_URL") {
            Ok(url) if !url.is_empty() => Ok(Zeroizing::new(url)),
            Err(env::VarError::NotUnicode(_)) => Err(usage("DATABASE_URL is not valid UTF-8")),
            Ok(_) | Err(env::VarError::NotPresent) => Err(usage(
                "no database given\n(hint: use --database-url URL, --database-secret FILE or the environment's DATABASE_URL)",
            )),
        }
    }

    /// The server at the URL. One that refuses a password later is given the one that is kept by then.
    pub fn server(&self, url: &str) -> Result<Server, Error> {
        let told = env::var_os("PGSSLMODE").is_some_and(|mode| !mode.is_empty());
        let authorities = self.ca_file.as_deref().map(certificates).transpose()?;
        let database = self.clone();
        let renew: Renew = Box::new(move || {
            let database = database.clone();
            async move { database.url().await.ok() }.boxed()
        });
        let trust = Trust { authorities, told };
        Server::new(url, trust, Some(renew)).map_err(not_connected)
    }
}

async fn of_secret(secret: &Path) -> Result<Zeroizing<String>, Error> {
    let name = secret.display().to_string();
    let text = match cloud::is_arn(secret) {
        true => cloud::secret("find the database", &name).await?,
        false => Zeroizing::new(
            fs::read_to_string(secret)
                .map_err(|error| usage(&format!("{name} cannot be read ({})", error.kind())))?,
        ),
    };
    match text.trim() {
        "" => Err(usage(&format!("{name} is empty; it should hold the URL"))),
        text => secret::url(text, &beside()).map(Zeroizing::new),
    }
}

/// The text of a file with certificates, as it is: one that holds none would make every server a stranger, at the end of a
/// long message.
fn certificates(file: &Path) -> Result<Vec<u8>, Error> {
    let unusable =
        |why: &str| Error::Usage(format!("read the certificates: {} {why}", file.display()));
    let bytes =
        fs::read(file).map_err(|error| unusable(&format!("cannot be read ({})", error.kind())))?;
    let mut found = CertificateDer::pem_slice_iter(&bytes).peekable();
    if found.peek().is_none() || found.any(|certificate| certificate.is_err()) {
        return Err(unusable("is not a text of certificates in PEM"));
    }
    Ok(bytes)
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
