//! Texts of statements that pg_stat_statements has collected, on disk too.

use crate::engine::EngineError;
use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::attempt::{attempt, texts};
use crate::engine::postgres::session::ident;
use crate::scrub::Found;

/// Forgets them. Where the extension is loaded and another database has it, it is made for the length of a transaction: what it
/// forgets it does not remember when that is rolled back.
pub async fn scrub(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    const LOADED: &str =
        "SELECT name FROM pg_catalog.pg_settings WHERE name = 'pg_stat_statements.max'";
    const SCHEMA: &str = "SELECT n.nspname::text FROM pg_catalog.pg_extension e
        JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'";
    let task = "reset pg_stat_statements";
    let loaded = !texts(scrub.conn, task, LOADED).await?.is_empty();
    let schema = texts(scrub.conn, task, SCHEMA).await?.into_iter().next();
    let whose = match scrub.whole_server() {
        true => String::new(),
        false => "0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()), 0".to_owned(),
    };
    let done = match (&schema, loaded) {
        (_, false) => return Ok(Found::nothing("pg_stat_statements is not loaded")),
        (Some(schema), true) => {
            let reset = format!("SELECT {}.pg_stat_statements_reset({whose})", ident(schema));
            attempt(scrub.conn, task, &reset).await?
        }
        (None, true) => {
            // The error that ends it rolls the extension back, and tells which statement came to it.
            let reset = format!(
                "CREATE SCHEMA anonymizer_scratch; CREATE EXTENSION pg_stat_statements SCHEMA anonymizer_scratch;
                 SELECT anonymizer_scratch.pg_stat_statements_reset({whose});
                 DROP EXTENSION pg_stat_statements; DROP SCHEMA anonymizer_scratch"
            );
            attempt(scrub.conn, task, &reset).await?
        }
    };
    Ok(match (done, scrub.whole_server()) {
        (Ok(()), true) => Found::done("reset for every database"),
        (Ok(()), false) => Found::done("reset for this database"),
        (Err(why), true) => Found::failed(format!("not reset ({why})")),
        (Err(why), false) => Found::reported(format!("left in the server's memory ({why})")),
    })
}
