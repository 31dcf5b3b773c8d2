//! Which server is connected to, and what makes sure that it is the one that was meant: its certificate, unless it is on this
//! machine. A connection that verifies nothing is made to another machine only where the URL or the environment says so.
//!
//! A run opens sessions for as long as it lasts, and a password may be changed meanwhile: whoever keeps it is asked again.

use std::net::IpAddr;
use std::str::FromStr as _;
use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use zeroize::Zeroizing;

use crate::engine::EngineError;
use crate::engine::postgres::guard;

/// How a server is known.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Certificates in PEM: whoever has one of these sign his own is believed, beside the public authorities.
    pub authorities: Option<Vec<u8>>,
    /// The environment says how TLS is used (`PGSSLMODE`).
    pub told: bool,
}

/// Asks for the URL again; nothing where it cannot be had.
pub type Renew = Box<dyn Fn() -> BoxFuture<'static, Option<Zeroizing<String>>> + Send + Sync>;

/// A database, and how one gets in.
pub struct Server {
    first: PgConnectOptions,
    latest: Mutex<PgConnectOptions>,
    trust: Trust,
    renew: Option<Renew>,
}

impl Server {
    /// The database at a URL.
    pub fn new(url: &str, trust: Trust, renew: Option<Renew>) -> Result<Self, EngineError> {
        let first = options(url, &trust)?;
        Ok(Self { latest: Mutex::new(first.clone()), first, trust, renew })
    }

    /// As it was named first: it is the same one all along.
    pub fn named(&self) -> &PgConnectOptions {
        &self.first
    }

    /// As one gets in.
    pub fn options(&self) -> PgConnectOptions {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As one gets in by now, after a password was refused.
    pub async fn renewed(&self) -> Option<PgConnectOptions> {
        let url = self.renew.as_ref()?().await?;
        let options = options(&url, &self.trust).ok()?;
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = options.clone();
        Some(options)
    }
}

/// The settings of a URL.
fn options(url: &str, trust: &Trust) -> Result<PgConnectOptions, EngineError> {
    let options = PgConnectOptions::from_str(url).map_err(|_| {
        EngineError::Usage(
            "the database URL is not of the form postgres://user@host:port/database".to_owned(),
        )
    })?;
    let options = options.application_name(&guard::application_name());
    if options.get_socket().is_some() || options.get_host().starts_with('/') {
        return Ok(options);
    }
    let told = trust.told || names_mode(url);
    let Some(authorities) = &trust.authorities else {
        return Ok(match told || is_here(options.get_host()) {
            true => options,
            false => options.ssl_mode(PgSslMode::VerifyFull),
        });
    };
    let options = options.ssl_root_cert_from_pem(authorities.clone());
    match options.get_ssl_mode() {
        _ if !told => Ok(options.ssl_mode(PgSslMode::VerifyFull)),
        PgSslMode::VerifyFull | PgSslMode::VerifyCa => Ok(options),
        _ => Err(EngineError::Usage(
            "certificates are given to verify the server by, and its sslmode verifies nothing\n(hint: sslmode=verify-full, or none at all)"
                .to_owned(),
        )),
    }
}

/// True where the URL itself says how TLS is used.
fn names_mode(url: &str) -> bool {
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let name = |parameter: &str| parameter.split('=').next().map(str::to_owned);
    parameters.split('&').filter_map(name).any(|name| name == "sslmode" || name == "ssl-mode")
}

/// True for this machine, whatever its network does.
fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.is_ok_and(|address| address.is_loopback()) || host.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str, told: bool, authorities: bool) -> String {
        let authorities = authorities.then(|| b"pem".to_vec());
        match options(url, &Trust { authorities, told }) {
            Ok(options) => format!("{:?}", options.get_ssl_mode()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn another_machine_is_verified_unless_the_user_says_otherwise() {
        let verified =
            ["db.internal", "192.0.2.7", "[2001:db8::1]", "localhost.example.org", "10.0.0.1"];
        for host in verified {
            assert_eq!(
                mode(&format!("postgres://u:p@{host}:1/d"), false, false),
                "VerifyFull",
                "{host}"
            );
        }
        for host in ["localhost", "127.0.0.1", "127.8.0.1", "[::1]", "%2Fvar%2Frun"] {
            assert_eq!(mode(&format!("postgres://u:p@{host}/d"), false, false), "Prefer", "{host}");
        }
        assert_eq!(mode("postgres://u:p@127.0.0.1/d?host=db", false, false), "VerifyFull");
        assert_eq!(mode("postgres://u:p@db/d?sslmode=disable", false, false), "Disable");
        assert_eq!(mode("postgres://u:p@db/d?a=b&ssl-mode=require", false, false), "Require");
        assert_eq!(
            mode("postgres://u:sslmode=disable@db/sslmode=disable", false, false),
            "VerifyFull"
        );
        assert_eq!(mode("postgres://u:p@db/d", true, false), "Prefer");
    }

    #[test]
    fn certificates_are_never_given_in_vain() {
        assert_eq!(mode("postgres://u:p@localhost/d", false, true), "VerifyFull");
        assert_eq!(mode("postgres://u:p@db/d", false, true), "VerifyFull");
        assert_eq!(mode("postgres://u:p@db/d?sslmode=verify-ca", false, true), "VerifyCa");
        for url in [
            "postgres://u:hunter2@db/d?sslmode=require",
            "postgres://u:hunter2@db/d?sslmode=disable",
        ] {
            let said = mode(url, false, true);
            assert!(said.contains("verifies nothing") && !said.contains("hunter2"), "{said}");
        }
        assert!(mode("postgres://u:p@db/d", true, true).contains("verifies nothing"));
    }
}
