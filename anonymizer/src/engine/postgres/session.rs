//! One connection with settings of our own, whatever the role or the database would impose, and the quoting of names.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::connect::Server;
use crate::engine::postgres::error::engine_error;

/// What every session of ours sets; a setting that a server's version does not have is left out.
const SETTINGS: &[(&str, &str)] = &[
    // Names in catalog functions' answers come out qualified, and nobody's objects are found by accident.
    ("search_path", "pg_catalog"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("standard_conforming_strings", "on"),
    ("xmloption", "content"),
    ("statement_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("transaction_timeout", "0"),
    // Nobody else should be there; what holds a lock this long will not let go.
    ("lock_timeout", "60s"),
    ("default_transaction_read_only", "off"),
    ("default_transaction_isolation", "read committed"),
    ("default_tablespace", ""),
    // A policy that would hide rows from us must be an error, not a smaller table.
    ("row_security", "off"),
    // A killed client's backend notices within a second instead of finishing its index first.
    ("client_connection_check_interval", "1s"),
    // Notices quote values.
    ("client_min_messages", "error"),
    ("jit", "off"),
    ("vacuum_cost_delay", "0"),
];

/// A setting of our own: the schemas that hold extensions, each with a comma before it.
const EXTENSIONS: &str = "anonymizer.extension_schemas";

/// Index builds are most of a run; this is per build, and at most `--jobs` run at a time.
const MAINTENANCE_MEMORY_KB: i64 = 256 * 1024;

/// SQLSTATE of a password that is not, or no longer, the role's.
const WRONG_PASSWORD: &str = "28P01";

/// Opens a session.
pub async fn open(server: &Server) -> Result<PgConnection, EngineError> {
    open_in(server, None).await
}

/// Opens a session in another database of the server, where one is named.
pub async fn open_in(server: &Server, database: Option<&str>) -> Result<PgConnection, EngineError> {
    let connect = async {
        let mut conn = log_in(server, database).await?;
        // Before anything is looked up by name.
        conn.execute("SET search_path = pg_catalog").await?;
        let (names, values): (Vec<&str>, Vec<&str>) = SETTINGS.iter().copied().unzip();
        sqlx::query(
            "SELECT pg_catalog.set_config(s.name, v.value, false)
             FROM unnest($1::text[], $2::text[]) AS v(name, value)
             JOIN pg_catalog.pg_settings s ON lower(s.name) = lower(v.name)",
        )
        .bind(names)
        .bind(values)
        .execute(&mut conn)
        .await?;
        sqlx::query(
            "SELECT pg_catalog.set_config(name, $1::text || 'kB', false) FROM pg_catalog.pg_settings
             WHERE name = 'maintenance_work_mem' AND setting::bigint < $1",
        )
        .bind(MAINTENANCE_MEMORY_KB)
        .execute(&mut conn)
        .await?;
        sqlx::query(
            "SELECT pg_catalog.set_config($1, coalesce(string_agg(DISTINCT ', ' || quote_ident(n.nspname), ''), ''), false)
             FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
             WHERE n.nspname NOT IN ('pg_catalog', 'public')",
        )
        .bind(EXTENSIONS)
        .execute(&mut conn)
        .await?;
        Ok(conn)
    };
    connect.await.map_err(|error| engine_error("connect to the database", error))
}

async fn log_in(server: &Server, database: Option<&str>) -> Result<PgConnection, sqlx::Error> {
    let of = |options: PgConnectOptions| {
        let options = options.disable_statement_logging();
        database.map_or(options.clone(), |name| options.database(name))
    };
    let refused = match PgConnection::connect_with(&of(server.options())).await {
        Err(error) if code(&error).as_deref() == Some(WRONG_PASSWORD) => error,
        answer => return answer,
    };
    match server.renewed().await {
        Some(options) => PgConnection::connect_with(&of(options)).await,
        None => Err(refused),
    }
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(|code| code.into_owned())
}

/// Runs statements that answer nothing. Names in `sql` must be quoted already.
pub async fn run(conn: &mut PgConnection, task: &str, sql: &str) -> Result<(), EngineError> {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql)))
        .await
        .map(drop)
        .map_err(|error| engine_error(task, error))
}

/// A name as an SQL identifier.
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table's name as SQL.
pub fn qualified(table: &TableName) -> String {
    format!("{}.{}", ident(&table.schema), ident(&table.name))
}

/// Sets the path under which the server prints definitions with every name qualified.
pub const NO_PATH: &str = "SET LOCAL search_path = pg_catalog";

/// Sets the path for a transaction that runs functions of the user's: those in a table's indexes, CHECKs and generated columns
/// may name others without a schema. What is built in comes first, so that nothing can stand in for it.
pub fn home_path<'a>(tables: impl IntoIterator<Item = &'a TableName>) -> String {
    let mut schemas: Vec<String> = tables.into_iter().map(|table| ident(&table.schema)).collect();
    schemas.sort();
    schemas.dedup();
    local_path(&format!("pg_catalog, {}, public", schemas.join(", ")))
}

/// Sets a path for a transaction, the extensions' schemas behind it: without the operators of a type like `citext`, equality
/// would silently be that of `text`.
pub fn local_path(path: &str) -> String {
    format!(
        "SELECT pg_catalog.set_config('search_path', {} || pg_catalog.current_setting('{EXTENSIONS}'), true)",
        literal(path)
    )
}

/// Text as an SQL literal, under `standard_conforming_strings`.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_cannot_break_out_of_their_quotes() {
        assert_eq!(ident("na\"me"), "\"na\"\"me\"");
        assert_eq!(qualified(&TableName::new("a.b", "Order.Details")), "\"a.b\".\"Order.Details\"");
        assert_eq!(literal("it's"), "'it''s'");
    }
}
