//! What stands in the secret that applications read: where the database is and how one logs in. The secret's name never
//! changes; putting a new text there is the moment in which a new database is in use.
//!
//! The fields are those that Secrets Manager and its clients know, a `url` beside them, and whose database it is.

use std::fmt;

use account::{Secret, Secrets};
use serde::{Deserialize, Serialize};
use workflow::StepError;

/// The secret's text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// `postgres`, `sqlite`, …
    pub engine: String,
    /// Host, or the file's path.
    pub host: String,
    /// Port, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The database, where a server has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dbname: Option<String>,
    /// Who logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// With what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// All of it in one text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where the platform keeps the password, and changes it from time to time, where it is not in here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The database by the identifier that names do not change.
    pub resource_id: String,
    /// The run that put it here.
    pub run: String,
}

/// A password may stand in it.
impl fmt::Debug for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pointer({}, …)", self.resource_id)
    }
}

impl Pointer {
    /// The one under a name. A text that somebody else has put there is none.
    pub async fn get(secrets: &Secrets, name: &str) -> Result<Option<Self>, StepError> {
        let text = secrets.get(name).await?;
        Ok(text.and_then(|text| serde_json::from_str(text.expose()).ok()))
    }

    /// Puts it there.
    pub async fn put(&self, secrets: &Secrets, name: &str) -> Result<(), StepError> {
        let text = serde_json::to_string(self)
            .map_err(|_| StepError::Fatal("the credentials cannot be written".into()))?;
        Ok(secrets.put(name, &Secret::new(text)).await?)
    }

    /// The same login somewhere else: a name has changed hands, and the endpoint with it.
    pub fn moved(mut self, endpoint: &str) -> Self {
        (self.host, self.port) = place(&self.engine, endpoint);
        self.url = self.make_url();
        self
    }

    /// One text for everything that one needs to connect, where it is all here.
    pub fn make_url(&self) -> Option<String> {
        if self.engine == "sqlite" {
            return Some(format!("sqlite:{}", self.host));
        }
        let (user, password) = (self.username.as_ref()?, self.password.as_ref()?);
        let (port, database) = (self.port.unwrap_or(5432), self.dbname.as_deref().unwrap_or(""));
        Some(format!("postgres://{user}:{password}@{}:{port}/{database}", self.host))
    }
}

/// Host and port of an endpoint; a file has no port.
pub fn place(engine: &str, endpoint: &str) -> (String, Option<u16>) {
    let parts = endpoint.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    match parts {
        Some((host, port)) if engine != "sqlite" => (host.to_owned(), Some(port)),
        _ => (endpoint.to_owned(), None),
    }
}
