//! The one door through which database errors leave: SQLSTATE and names of table, column and constraint go out; message
//! texts, details and hints, which quote row values, stay behind. So do names and codes that a function of the database has
//! made up: whoever raises an error may put a value into any of its fields.

use std::io;

use sqlx::postgres::PgDatabaseError;

use crate::engine::EngineError;

/// Turns a driver error into an engine error. `task` completes “failed to …”: `load public.orders`.
pub fn engine_error(task: &str, error: sqlx::Error) -> EngineError {
    match &error {
        sqlx::Error::Database(database) => {
            let Some(error) = database.try_downcast_ref::<PgDatabaseError>() else {
                return EngineError::Unexpected(format!(
                    "{task}: the server answered with an unknown error"
                ));
            };
            let detail = describe(error);
            if is_temporary(error.code()) {
                EngineError::Temporary(format!("{task}: {detail}"))
            } else {
                EngineError::Database { task: task.to_owned(), detail }
            }
        }
        sqlx::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(error) => EngineError::Unexpected(format!("{task}: {}", of_tls(error))),
            None => EngineError::Temporary(format!("{task}: {}", of_network(error))),
        },
        sqlx::Error::Tls(_) => EngineError::Unexpected(format!(
            "{task}: TLS could not be set up\n(hint: a server on another machine has to speak it, unless the URL says sslmode=disable)"
        )),
        // The texts of the other variants describe our own use of the driver and hold no values.
        sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => EngineError::Temporary(format!(
            "{task}: the connection broke in the middle of an exchange"
        )),
        sqlx::Error::Configuration(_) => {
            EngineError::Usage(format!("{task}: the connection settings are not valid"))
        }
        sqlx::Error::ColumnDecode { index, .. } => EngineError::Unexpected(format!(
            "{task}: column {index} of a catalog query has an unexpected type"
        )),
        _ => EngineError::Unexpected(format!("{task}: the driver reported an unexpected error")),
    }
}

/// Why there is no connection. That a name is not found has no kind of its own, only the standard library's words.
fn of_network(error: &io::Error) -> String {
    if error.to_string().starts_with("failed to lookup address information") {
        return "the host's name cannot be resolved\n(hint: look at how it is written, and whether this network's name server knows it)".to_owned();
    }
    format!("connection failed ({:?})", error.kind())
}

/// What was wrong with a handshake: of the certificate nothing is repeated, whoever has sent it.
fn of_tls(error: &rustls::Error) -> &'static str {
    use rustls::CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, UnknownIssuer,
    };
    match error {
        rustls::Error::InvalidCertificate(UnknownIssuer) => {
            "nobody who is trusted has signed the server's certificate\n(hint: --ca-file FILE with the certificates of who has: those of Amazon RDS are in its global bundle)"
        }
        rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "the server's certificate is for another host\n(hint: name the host as the certificate does)"
        }
        rustls::Error::InvalidCertificate(
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. },
        ) => "the server's certificate is not valid at this time",
        rustls::Error::InvalidCertificate(_) => "the server's certificate cannot be verified",
        _ => "the TLS handshake failed",
    }
}

/// The server's sources that complain about constraints, and name what its catalog knows. An error that a function raises comes
/// from the sources of the function's language.
const TRUE_NAMES: &[&str] = &[
    "execMain.c",
    "execExprInterp.c",
    "execIndexing.c",
    "nbtinsert.c",
    "tuplesort.c",
    "tuplesortvariants.c",
    "ri_triggers.c",
    "tablecmds.c",
    "typecmds.c",
    "domains.c",
    "copyfrom.c",
];

/// `unique violation (SQLSTATE 23505) on constraint customers_email of public.customers`.
fn describe(error: &PgDatabaseError) -> String {
    let (code, file) = (error.code(), error.file().unwrap_or_default());
    let words = meaning(code);
    // Every procedural language's sources begin so, and the planner's with `plan`.
    let raised = file.starts_with("pl") && !file.starts_with("plan");
    if raised && words == REFUSED {
        return "a function of the database raised an error".to_owned();
    }
    let mut text = format!("{words} (SQLSTATE {code})");
    if !TRUE_NAMES.contains(&file) {
        return text;
    }
    if let Some(constraint) = error.constraint() {
        text.push_str(&format!(" on constraint {constraint}"));
    }
    if let Some(column) = error.column() {
        text.push_str(&format!(" in column {column}"));
    }
    if let (Some(schema), Some(table)) = (error.schema(), error.table()) {
        text.push_str(&format!(" of {schema}.{table}"));
    }
    text
}

/// Passing faults: connection trouble, resources, shutdown, locks, serialization.
fn is_temporary(code: &str) -> bool {
    matches!(&code[..2], "08" | "53" | "57" | "40") || code == "55P03"
}

/// What is said of any other SQLSTATE.
const REFUSED: &str = "the server refused";

/// What a SQLSTATE means, for those an operator is likely to meet.
fn meaning(code: &str) -> &'static str {
    match code {
        "23505" => "unique violation",
        "23503" => "foreign key violation",
        "23502" => "not-null violation",
        "23514" => "check violation",
        "23P01" => "exclusion violation",
        "22001" => "value too long for its column",
        "25006" => "the database is read-only",
        "42501" => "insufficient privilege",
        "53100" => "the server's disk is full",
        "53300" => "too many connections",
        "55P03" => "lock not available",
        "57P01" | "57P02" => "the server is shutting down",
        "57P03" => "the server cannot be connected to now",
        "28P01" | "28000" => "authentication failed",
        "3D000" => "the database does not exist",
        "42703" => "unknown column",
        "42601" => "syntax error",
        "42883" => "unknown function or operator",
        "P0001" => "a function of the database raised an error",
        _ => REFUSED,
    }
}
