//! Which server a run believes: one whose certificate was signed by somebody who is trusted, for the host that was named. The
//! server is a real one with TLS, the authorities are made for the test.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use contract::exit_codes;
use e2e::command::{Finished, anonymizer, ends_with, finish, skipped};
use e2e::postgres::{FAST, MASTER, Server};
use tempfile::TempDir;

const SCHEMA: &str = "CREATE TABLE people (id int PRIMARY KEY, email text);
    INSERT INTO people VALUES (1, 'ada.canary@firm.com')";
const RULES: &str = "version: 1\ntables: { people: { columns: { id: keep, email: email } } }\n";
const PASSWORD: &str = "canary-of-a-password";

/// Authorities and a certificate for `localhost`.
struct Certificates {
    directory: TempDir,
}

impl Certificates {
    /// Nothing where there is no OpenSSL.
    fn make(test: &str) -> Result<Option<Self>> {
        if Command::new("openssl").arg("version").output().is_err() {
            skipped(test, "there is no openssl");
            return Ok(None);
        }
        let made = Self { directory: tempfile::tempdir()? };
        fs::write(made.path("san"), "subjectAltName=DNS:localhost\n")?;
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        for authority in ["ours", "other"] {
            made.openssl(&format!(
                "req -x509 {key} -keyout {authority}.key -out {authority}.pem -subj /CN={authority} -days 2"
            ))?;
        }
        made.openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=server"))?;
        made.openssl(
            "x509 -req -in server.csr -CA ours.pem -CAkey ours.key -CAcreateserial -out server.pem -days 2 -extfile san",
        )?;
        fs::write(made.path("none.pem"), "no certificate")?;
        Ok(Some(made))
    }

    fn openssl(&self, arguments: &str) -> Result<()> {
        let mut command = Command::new("openssl");
        let command = command.args(arguments.split(' ')).current_dir(self.directory.path());
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "openssl {arguments}: {said}");
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn install(&self, server: &Server) -> Result<()> {
        for name in ["server.key", "server.pem"] {
            server.writes(name, &fs::read_to_string(self.path(name))?)?;
        }
        let postgres = server.existing("postgres");
        postgres.query_each(&[
            "ALTER SYSTEM SET ssl_key_file = 'server.key'",
            "ALTER SYSTEM SET ssl_cert_file = 'server.pem'",
            "ALTER SYSTEM SET ssl = on",
        ])?;
        server.reload()?;
        let ssl = postgres.query("SHOW ssl")?;
        ensure!(ssl == "on\n", "the server does not take its certificate:\n{}", server.log());
        Ok(())
    }
}

#[test]
fn a_server_is_believed_by_its_certificate_and_its_name() -> Result<()> {
    let Some(made) = Certificates::make("a_server_is_believed_by_its_certificate_and_its_name")?
    else {
        return Ok(());
    };
    let server = Server::private(FAST)?;
    made.install(&server)?;
    let database = server.database("tls")?;
    database.query_as_master(SCHEMA)?;
    // Only who speaks TLS gets in, whatever his password.
    server.admits(&format!("hostssl all {MASTER} 127.0.0.1/32 trust"))?;
    let rules = made.path("rules.yaml");
    fs::write(&rules, RULES)?;

    let port = database
        .url()
        .rsplit(':')
        .next()
        .context("a port")?
        .split('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let check = |host: &str,
                 options: &str,
                 ca: Option<&str>,
                 environment: &[(&str, &str)]|
     -> Result<Finished> {
        let url =
            format!("postgres://{MASTER}:{PASSWORD}@{host}:{port}/{}{options}", database.name());
        let mut command = anonymizer()?;
        command.args(["check", "--rules"]).arg(&rules).env("DATABASE_URL", url);
        command.envs(environment.iter().copied());
        if let Some(ca) = ca {
            command.arg("--ca-file").arg(made.path(ca));
        }
        let finished = finish(&mut command)?;
        let said = format!("{}{}", finished.stdout, finished.stderr);
        ensure!(!said.contains(PASSWORD) && !said.contains("postgres://"), "{said}");
        Ok(finished)
    };
    let full = "?sslmode=verify-full";
    let refused = |finished: &Finished, why: &str| ends_with(finished, exit_codes::UNEXPECTED, why);

    ends_with(&check("localhost", "", Some("ours.pem"), &[])?, exit_codes::OK, "")?;
    ends_with(&check("localhost", full, Some("ours.pem"), &[])?, exit_codes::OK, "")?;
    let by_environment = made.path("ours.pem").display().to_string();
    let by_environment = [("ANONYMIZER_CA_FILE", by_environment.as_str())];
    ends_with(&check("localhost", "", None, &by_environment)?, exit_codes::OK, "")?;

    let stranger = "nobody who is trusted has signed the server's certificate";
    refused(&check("localhost", "", Some("other.pem"), &[])?, stranger)?;
    refused(&check("localhost", full, None, &[])?, stranger)?;
    refused(&check("localhost", "", None, &[("PGSSLMODE", "verify-full")])?, stranger)?;
    let elsewhere = "the server's certificate is for another host";
    refused(&check("127.0.0.1", "", Some("ours.pem"), &[])?, elsewhere)?;

    // On this machine, and where the user says so, nothing is verified.
    ends_with(&check("localhost", "", None, &[])?, exit_codes::OK, "")?;
    ends_with(&check("127.0.0.1", "?sslmode=require", None, &[])?, exit_codes::OK, "")?;
    for (options, ca, why) in [
        ("?sslmode=require", "ours.pem", "verifies nothing"),
        ("?sslmode=disable", "ours.pem", "verifies nothing"),
        ("", "none.pem", "is not a text of certificates"),
        ("", "absent.pem", "cannot be read"),
    ] {
        ends_with(&check("localhost", options, Some(ca), &[])?, exit_codes::USAGE, why)?;
    }
    Ok(())
}

#[test]
fn a_server_without_tls_is_refused_where_it_has_to_show_who_it_is() -> Result<()> {
    let Some(made) = Certificates::make("a_server_without_tls_is_refused")? else { return Ok(()) };
    let database = Server::shared()?.database("tls")?;
    database.query_as_master(SCHEMA)?;
    let rules = made.path("rules.yaml");
    fs::write(&rules, RULES)?;
    let mut command = anonymizer()?;
    command.args(["check", "--rules"]).arg(&rules).arg("--ca-file").arg(made.path("ours.pem"));
    let finished = finish(command.env("DATABASE_URL", database.url()))?;
    ends_with(&finished, exit_codes::UNEXPECTED, "TLS could not be set up")
}
