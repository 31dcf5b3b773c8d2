//! What a secret says of how one gets into a database: a URL as it is, or the JSON that Secrets Manager keeps for RDS.
//!
//! A password that a platform has made stands there without host and name; those are told beside it, and no secret.
//! Nothing of a secret is repeated in a message.

use serde::Deserialize;

use super::Error;

/// What is told beside the secret; it counts before what stands in it.
#[derive(Debug, Default)]
pub struct Beside {
    /// `host:port`.
    pub endpoint: Option<String>,
    /// `postgres`, `aurora-postgresql`.
    pub engine: Option<String>,
    /// One of the server's databases.
    pub name: Option<String>,
}

/// The fields of the secret of a database; it has others, which nobody needs.
#[derive(Deserialize)]
struct Fields {
    username: String,
    password: String,
    host: Option<String>,
    port: Option<u16>,
    dbname: Option<String>,
    engine: Option<String>,
}

/// The URL.
pub fn url(text: &str, beside: &Beside) -> Result<String, Error> {
    let text = text.trim();
    if !text.starts_with('{') {
        return Ok(match &beside.name {
            Some(name) => with_name(text, name),
            None => text.to_owned(),
        });
    }
    // The parser's own message could quote what stands there.
    let fields: Fields = serde_json::from_str(text)
        .map_err(|_| missing("it is not JSON with `username` and `password`"))?;
    let engine = beside.engine.as_ref().or(fields.engine.as_ref());
    if engine.is_some_and(|engine| !engine.contains("postgres")) {
        return Err(missing("it is of an engine that is not known here"));
    }
    let within = || {
        let port = fields.port.unwrap_or(5432);
        fields.host.as_ref().map(|host| format!("{host}:{port}"))
    };
    let endpoint = beside.endpoint.clone().or_else(within);
    let endpoint = endpoint.ok_or_else(|| missing("there is no host in it, and none beside it"))?;
    let name = beside.name.as_ref().or(fields.dbname.as_ref());
    let name = name.ok_or_else(|| missing("there is no database in it, and none beside it"))?;
    let (user, password) = (encoded(&fields.username), encoded(&fields.password));
    Ok(format!("postgres://{user}:{password}@{endpoint}/{}", encoded(name)))
}

/// The URL of another database of the same server. A file has no others.
fn with_name(url: &str, name: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| *scheme != "sqlite")
    else {
        return url.to_owned();
    };
    let (place, options) = match rest.split_once('?') {
        Some((place, options)) => (place, format!("?{options}")),
        None => (rest, String::new()),
    };
    let server = place.split('/').next().unwrap_or(place);
    format!("{scheme}://{server}/{}{options}", encoded(name))
}

/// Percent-encoded but for what stands for itself everywhere (RFC 3986, 2.3).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn missing(why: &str) -> Error {
    Error::Usage(format!("find the database: the secret cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside(endpoint: Option<&str>, engine: Option<&str>, name: Option<&str>) -> Beside {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Beside { endpoint: own(endpoint), engine: own(engine), name: own(name) }
    }

    #[test]
    fn a_url_is_taken_as_it_is_or_for_another_database_of_the_server() {
        let none = Beside::default();
        assert_eq!(url(" sqlite:/srv/shop.db\n", &none).unwrap(), "sqlite:/srv/shop.db");
        let crm = beside(Some("ignored:1"), None, Some("c/rm"));
        assert_eq!(url("sqlite:///srv/shop.db", &crm).unwrap(), "sqlite:///srv/shop.db");
        assert_eq!(
            url("postgres://u:p@h:1/shop?host=/run", &crm).unwrap(),
            "postgres://u:p@h:1/c%2Frm?host=/run"
        );
        assert_eq!(url("postgres://u:p@h:1", &crm).unwrap(), "postgres://u:p@h:1/c%2Frm");
    }

    #[test]
    fn the_secret_of_a_managed_database_needs_a_host_beside_it() {
        let managed = r#"{"username":"master","password":"a/b?c:d@e%"}"#;
        let told = beside(Some("db.local:5433"), Some("aurora-postgresql"), Some("shop"));
        assert_eq!(
            url(managed, &told).unwrap(),
            "postgres://master:a%2Fb%3Fc%3Ad%40e%25@db.local:5433/shop"
        );
        let full = r#"{"username":"u","password":"p","host":"h","port":5432,"dbname":"d",
            "engine":"postgres","dbInstanceIdentifier":"x"}"#;
        let none = Beside::default();
        assert_eq!(url(full, &none).unwrap(), "postgres://u:p@h:5432/d");
        let other = beside(None, None, Some("crm"));
        assert_eq!(url(full, &other).unwrap(), "postgres://u:p@h:5432/crm");
    }

    #[test]
    fn what_is_missing_is_said_and_nothing_is_repeated() {
        let told = beside(Some("h:1"), None, Some("d"));
        for (text, beside) in [
            (r#"{"username":"u","password":"hunter2"}"#, beside(None, None, Some("d"))),
            (r#"{"username":"u","password":"hunter2"}"#, beside(Some("h:1"), None, None)),
            (
                r#"{"username":"u","password":"hunter2"}"#,
                beside(Some("h:1"), Some("mysql"), Some("d")),
            ),
            (r#"{"user":"u","password":"hunter2"}"#, told),
            (r#"{"password": hunter2}"#, Beside::default()),
        ] {
            let error = url(text, &beside).unwrap_err().to_string();
            assert!(error.contains("the secret cannot be used"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
