//! PostgreSQL's side of the reader: sessions that can only read, but for the one statement that gives a role its password.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::{hmac, pbkdf2};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, Row as _};
use workflow::StepError;

use super::{Access, Marker, quoted};

/// PostgreSQL's own number of rounds.
const ROUNDS: u32 = 4096;
/// One query may take so many milliseconds: what asks has an end itself.
const PATIENCE: &str = "120000";

pub(super) async fn open(
    options: &PgConnectOptions,
    name: &str,
) -> Result<PgConnection, StepError> {
    let options = options
        .clone()
        .database(name)
        .options([("default_transaction_read_only", "on"), ("statement_timeout", PATIENCE)]);
    let connected = options.disable_statement_logging().connect().await;
    connected.map_err(|error| failed("connect to the database", &error))
}

pub(super) async fn databases(options: &PgConnectOptions) -> Result<Vec<String>, StepError> {
    let task = "list the databases";
    let mut connection = open(options, "postgres").await?;
    let query = "SELECT datname::text FROM pg_catalog.pg_database \
                 WHERE datallowconn AND NOT datistemplate ORDER BY 1";
    sqlx::query_scalar(query).fetch_all(&mut connection).await.map_err(|e| failed(task, &e))
}

pub(super) async fn marker(connection: &mut PgConnection) -> Result<Option<Marker>, StepError> {
    let task = "read the marker";
    let there = "SELECT pg_catalog.to_regclass('anonymizer.statement') IS NOT NULL";
    let there = sqlx::query_scalar::<_, bool>(there).fetch_one(&mut *connection).await;
    if !there.map_err(|error| failed(task, &error))? {
        return Ok(None);
    }
    let query = "SELECT run_id::text, digest::text, verdict::text FROM anonymizer.statement";
    let rows = connection.fetch_all(query).await.map_err(|error| failed(task, &error))?;
    let [row] = rows.as_slice() else { return Ok(None) };
    let text = |index| row.try_get::<String, _>(index).map_err(|error| failed(task, &error));
    Ok(Some(Marker { run_id: text(0)?, digest: text(1)?, verdict: text(2)? }))
}

pub(super) async fn value(
    connection: &mut PgConnection,
    query: &str,
    what: &str,
) -> Result<Option<String>, StepError> {
    let query = format!("SELECT ({query})::text");
    let answer = sqlx::query_scalar::<_, Option<String>>(AssertSqlSafe(query));
    let answer = answer.fetch_one(connection).await;
    answer.map_err(|error| failed(&format!("ask `{what}`"), &error))
}

/// Gives a role a password, and lets it log in. The server is told a verifier, from which the password does not follow: what
/// it logs of the statement is worth nothing.
pub async fn set_password(
    access: &Access,
    database: &str,
    role: &str,
    password: &str,
) -> Result<(), StepError> {
    let Access::Postgres(options) = access else { return Ok(()) };
    let task = "set the password of the applications' role";
    let options = options.as_ref().clone().database(database).disable_statement_logging();
    let mut connection =
        options.connect().await.map_err(|error| failed("connect as the master user", &error))?;
    let there = "SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1)";
    let there = sqlx::query_scalar::<_, bool>(there).bind(role).fetch_one(&mut connection).await;
    if !there.map_err(|error| failed(task, &error))? {
        return Err(StepError::Fatal(format!(
            "there is no role {role} in the database\n(hint: `user` in the settings is a role that comes with the snapshot; without it applications log in as the master user)"
        )));
    }
    let statement = format!("ALTER ROLE {} LOGIN PASSWORD '{}'", quoted(role), verifier(password)?);
    let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await;
    done.map_err(|error| failed(task, &error))?;
    Ok(())
}

/// SCRAM-SHA-256 as PostgreSQL keeps it (RFC 5803).
fn verifier(password: &str) -> Result<String, StepError> {
    let mut salt = [0; 16];
    SystemRandom::new()
        .fill(&mut salt)
        .map_err(|_| StepError::Fatal("the system has no random numbers".into()))?;
    Ok(verifier_with(password, &salt))
}

fn verifier_with(password: &str, salt: &[u8]) -> String {
    let mut salted = [0; 32];
    let rounds = std::num::NonZeroU32::new(ROUNDS).expect("it is not zero");
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, password.as_bytes(), &mut salted);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let stored = digest(&SHA256, hmac::sign(&key, b"Client Key").as_ref());
    let server = hmac::sign(&key, b"Server Key");
    let [salt, stored, server] =
        [salt, stored.as_ref(), server.as_ref()].map(|bytes| STANDARD.encode(bytes));
    format!("SCRAM-SHA-256${ROUNDS}:{salt}${stored}:{server}")
}

/// The SQLSTATE alone. A connection that was lost, or not made, is made again.
fn failed(task: &str, error: &sqlx::Error) -> StepError {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default().into_owned();
            let text = format!("could not {task}: SQLSTATE {code}");
            // Connection exceptions, no resources, an operator's doing, and a password that is not known everywhere yet.
            let passing = ["08", "53", "57", "28"].iter().any(|class| code.starts_with(class));
            if passing { StepError::Retryable(text) } else { StepError::Fatal(text) }
        }
        sqlx::Error::Io(error) => {
            StepError::Retryable(format!("could not {task}: {}", error.kind()))
        }
        sqlx::Error::Tls(_) => StepError::Retryable(format!(
            "could not {task}: the server did not show who it is\n(hint: Amazon's authorities belong beside the program)"
        )),
        sqlx::Error::Protocol(_) => {
            StepError::Retryable(format!("could not {task}: the connection was not made"))
        }
        _ => StepError::Fatal(format!("could not {task}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677, section 3: the password, the salt, and from its messages the proof that the verifier must accept.
    #[test]
    fn the_verifier_is_that_of_the_standard() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let text = verifier_with("pencil", &salt);
        let (head, keys) = text.rsplit_once('$').unwrap();
        assert_eq!(head, "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==");
        let (stored, server) = keys.split_once(':').unwrap();
        let messages = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
                        r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                        s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,\
                        r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let sign = |key: &str| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(key).unwrap());
            hmac::sign(&key, messages.as_bytes())
        };
        assert_eq!(STANDARD.encode(sign(server)), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        let proof = STANDARD.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        let signature = sign(stored);
        let client: Vec<u8> =
            proof.iter().zip(signature.as_ref()).map(|(one, other)| one ^ other).collect();
        assert_eq!(STANDARD.encode(digest(&SHA256, &client)), stored);
    }
}
