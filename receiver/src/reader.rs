//! What the receiver asks a database: by which run it was masked, whether a table has rows, what a query answers. It reads
//! only, and of an error it says the code, never the text: a text can quote a row.

mod postgres;
mod sqlite;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use account::Secrets;
use serde::Deserialize;
use snapshots::Database;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use workflow::StepError;

pub use self::postgres::set_password;
use crate::pointer::{self, Pointer};

/// What the masking run has left in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The run.
    pub run_id: String,
    /// SHA-256 of its report, hex.
    pub digest: String,
    /// `passed`, or not.
    pub verdict: String,
}

/// How one gets in.
pub enum Access {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<PgConnectOptions>),
}

/// One database that is open.
pub enum Session {
    /// A file.
    Sqlite(rusqlite::Connection),
    /// A connection.
    Postgres(PgConnection),
}

/// What RDS keeps of a master user.
#[derive(Deserialize)]
struct Master {
    username: String,
    password: String,
}

impl Access {
    /// By what stands in the secret that applications read.
    pub async fn of(
        secrets: &Secrets,
        authorities: Option<&Path>,
        pointer: &Pointer,
    ) -> Result<Self, StepError> {
        if let Some(url) = &pointer.url {
            return Self::from_url(url, authorities);
        }
        let secret = pointer.secret.as_deref().unwrap_or_default();
        Self::of_secret(secrets, authorities, secret, &pointer.host, pointer.port).await
    }

    /// As the master user of a database.
    pub async fn of_master(
        secrets: &Secrets,
        authorities: Option<&Path>,
        database: &Database,
    ) -> Result<Self, StepError> {
        let (host, port) = pointer::place(&database.engine, &database.endpoint);
        if database.engine == "sqlite" {
            return Ok(Self::Sqlite(host.into()));
        }
        let missing =
            || StepError::Fatal(format!("nobody keeps the password of database {}", database.name));
        let secret = database.secret.as_ref().ok_or_else(missing)?;
        Self::of_secret(secrets, authorities, &secret.arn, &host, port).await
    }

    async fn of_secret(
        secrets: &Secrets,
        authorities: Option<&Path>,
        name: &str,
        host: &str,
        port: Option<u16>,
    ) -> Result<Self, StepError> {
        let missing = || StepError::Retryable(format!("the secret `{name}` is not there yet"));
        let text = secrets.get(name).await?.ok_or_else(missing)?;
        if !text.expose().trim_start().starts_with('{') {
            return Self::from_url(text.expose().trim(), authorities);
        }
        let broken = |_| StepError::Fatal(format!("the secret `{name}` is not a login"));
        let master: Master = serde_json::from_str(text.expose()).map_err(broken)?;
        let options = PgConnectOptions::new_without_pgpass().host(host).port(port.unwrap_or(5432));
        let options = options.username(&master.username).password(&master.password);
        Ok(Self::Postgres(verified(options, authorities).into()))
    }

    fn from_url(url: &str, authorities: Option<&Path>) -> Result<Self, StepError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Ok(Self::Sqlite(path.into()));
        }
        let broken = |_| StepError::Fatal("the URL of a database cannot be read".into());
        let options: PgConnectOptions = url.parse().map_err(broken)?;
        Ok(Self::Postgres(verified(options, authorities).into()))
    }

    /// The databases that one can connect to, where there can be several.
    pub async fn databases(&self) -> Result<Vec<String>, StepError> {
        match self {
            Self::Sqlite(_) => Ok(Vec::new()),
            Self::Postgres(options) => postgres::databases(options).await,
        }
    }

    /// Opens one of them.
    pub async fn open(&self, name: &str) -> Result<Session, StepError> {
        match self {
            Self::Sqlite(path) => sqlite::open(path).map(Session::Sqlite),
            Self::Postgres(options) => postgres::open(options, name).await.map(Session::Postgres),
        }
    }
}

impl Session {
    /// The marker, where there is exactly one.
    pub async fn marker(&mut self) -> Result<Option<Marker>, StepError> {
        match self {
            Self::Sqlite(connection) => sqlite::marker(connection),
            Self::Postgres(connection) => postgres::marker(connection).await,
        }
    }

    /// The table has a row.
    pub async fn has_rows(&mut self, table: &str) -> Result<bool, StepError> {
        let parts: Vec<_> = table.split('.').map(quoted).collect();
        let query = format!("SELECT EXISTS (SELECT 1 FROM {})", parts.join("."));
        let answer = self.value(&query, table).await?;
        Ok(answer.is_some_and(|answer| answer == "1" || answer == "true"))
    }

    /// The one value that a query answers with, as text. `what` names the query in messages.
    pub async fn value(&mut self, query: &str, what: &str) -> Result<Option<String>, StepError> {
        match self {
            Self::Sqlite(connection) => sqlite::value(connection, query, what),
            Self::Postgres(connection) => postgres::value(connection, query, what).await,
        }
    }
}

/// A server on another machine has to show who it is, by the public authorities or by those in a file.
fn verified(options: PgConnectOptions, authorities: Option<&Path>) -> PgConnectOptions {
    let host = options.get_host();
    let here = host == "localhost" || host.starts_with('/');
    if here || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()) {
        return options;
    }
    let options = options.ssl_mode(PgSslMode::VerifyFull);
    match authorities {
        Some(file) => options.ssl_root_cert(file),
        None => options,
    }
}

/// An identifier.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_has_to_show_who_it_is_whatever_stands_in_the_secret() {
        let mode = |url: &str| match Access::from_url(url, Some(Path::new("authorities.pem"))) {
            Ok(Access::Postgres(options)) => format!("{:?}", options.get_ssl_mode()),
            _ => panic!("{url}"),
        };
        for host in ["shop.abc.eu-west-1.rds.amazonaws.com", "10.0.0.7", "localhost.example.org"] {
            assert_eq!(mode(&format!("postgres://u:p@{host}:5432/shop")), "VerifyFull", "{host}");
            let disabled = format!("postgres://u:p@{host}/shop?sslmode=disable");
            assert_eq!(mode(&disabled), "VerifyFull", "{host}");
        }
        for host in ["127.0.0.1", "localhost"] {
            assert_eq!(mode(&format!("postgres://u:p@{host}:5432/shop")), "Prefer", "{host}");
        }
    }
}
