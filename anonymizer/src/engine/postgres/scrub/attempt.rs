//! Statements that the server may refuse, and small questions.

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Row as _};

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::run;
use crate::engine::postgres::{rights, transaction};

/// Done, or why the server refused, in codes and names.
pub type Attempt = Result<(), String>;

/// Runs statements in a transaction of their own.
pub async fn attempt(
    conn: &mut PgConnection,
    task: &str,
    sql: &str,
) -> Result<Attempt, EngineError> {
    answer(transaction(conn, async |conn| run(conn, task, sql).await).await)
}

/// The same, for one statement that cannot be part of a transaction.
pub async fn alone(conn: &mut PgConnection, task: &str, sql: &str) -> Result<Attempt, EngineError> {
    answer(run(conn, task, sql).await)
}

/// The same, as a member of the table's owner; where the role may make itself one it does, until the run ends.
pub async fn as_owner(
    conn: &mut PgConnection,
    table: &TableName,
    task: &str,
    sql: &str,
) -> Result<Attempt, EngineError> {
    let body = async |conn: &mut PgConnection| {
        rights::take(conn, std::slice::from_ref(table)).await?;
        run(conn, task, sql).await
    };
    answer(transaction(conn, body).await)
}

/// What came of it: an error of the server is an answer.
pub fn answer(result: Result<(), EngineError>) -> Result<Attempt, EngineError> {
    match result {
        Ok(()) => Ok(Ok(())),
        Err(EngineError::Database { detail, .. }) => Ok(Err(detail)),
        Err(error) => Err(error),
    }
}

/// Rows of a query on the catalogs.
pub async fn rows(
    conn: &mut PgConnection,
    task: &str,
    sql: &str,
) -> Result<Vec<PgRow>, EngineError> {
    sqlx::query(AssertSqlSafe(sql)).fetch_all(conn).await.map_err(|error| engine_error(task, error))
}

/// The one column of a query on the catalogs.
pub async fn texts(
    conn: &mut PgConnection,
    task: &str,
    sql: &str,
) -> Result<Vec<String>, EngineError> {
    Ok(rows(conn, task, sql).await?.iter().map(|row| row.get(0)).collect())
}

/// A number.
pub async fn number(conn: &mut PgConnection, task: &str, sql: &str) -> Result<i64, EngineError> {
    let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(conn).await;
    Ok(row.map_err(|error| engine_error(task, error))?.get(0))
}

/// Yes or no.
pub async fn flag(conn: &mut PgConnection, task: &str, sql: &str) -> Result<bool, EngineError> {
    let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(conn).await;
    Ok(row.map_err(|error| engine_error(task, error))?.get(0))
}
