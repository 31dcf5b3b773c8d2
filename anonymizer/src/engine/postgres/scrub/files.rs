//! Files that no table answers for: leftovers of crashes, write-ahead log, the server's log.

use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::attempt::{alone, flag, texts};
use crate::engine::{EngineError, Scope};
use crate::scrub::{Found, names};

/// Files of this database that belong to nothing, and temporary ones, in every tablespace.
pub async fn leftover(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    const MAY: &str = "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_ls_dir(text, boolean, boolean)', 'EXECUTE')
        AND pg_catalog.has_function_privilege('pg_catalog.pg_stat_file(text, boolean)', 'EXECUTE')";
    const FILES: &str = "
        WITH space AS (
            SELECT oid, 'base' AS path FROM pg_catalog.pg_tablespace WHERE spcname = 'pg_default'
            UNION ALL
            SELECT t.oid, 'pg_tblspc/' || t.oid || '/' || version FROM pg_catalog.pg_tablespace t
            CROSS JOIN LATERAL pg_catalog.pg_ls_dir('pg_tblspc/' || t.oid, true, false) version
            WHERE t.spcname NOT IN ('pg_default', 'pg_global') AND version ~ '^PG_'),
        own AS (
            SELECT space.oid, space.path || '/' || d.oid AS path FROM space CROSS JOIN pg_catalog.pg_database d
            WHERE d.datname = pg_catalog.current_database())
        SELECT own.path || '/' || f FROM own CROSS JOIN LATERAL pg_catalog.pg_ls_dir(own.path, true, false) f
        WHERE (f ~ '^t[0-9]*_[0-9]'
               OR f ~ '^[0-9]' AND pg_catalog.pg_filenode_relation(own.oid, substring(f FROM '^[0-9]+')::oid) IS NULL)
          AND (pg_catalog.pg_stat_file(own.path || '/' || f, true)).size > 0
        UNION ALL
        SELECT space.path || '/pgsql_tmp/' || f
        FROM space CROSS JOIN LATERAL pg_catalog.pg_ls_dir(space.path || '/pgsql_tmp', true, false) f ORDER BY 1";
    if !flag(scrub.conn, "read the rights of this role", MAY).await? {
        return Ok(Found::residual(
            "this role may not list files: what a crash has left cannot be seen",
        ));
    }
    let found = texts(scrub.conn, "list the files of this database", FILES).await?;
    let (temporary, orphans): (Vec<String>, Vec<String>) =
        found.into_iter().partition(|file| file.contains("/pgsql_tmp/"));
    Ok(match (orphans.is_empty(), temporary.is_empty()) {
        (true, true) => Found::nothing("every file belongs to a relation"),
        (false, _) => Found::failed(format!("they belong to no relation: {}", names(&orphans))),
        (true, false) if !scrub.whole_server() => {
            Found::reported(format!("temporary files of the server: {}", names(&temporary)))
        }
        (true, false) => Found::failed(format!("temporary files: {}", names(&temporary))),
    })
}

/// A checkpoint makes old segments fit for use again; what is in them stays until they are.
pub async fn wal(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    const STAY: &str = "records in segments that wait to be used again stay until they are";
    if !scrub.whole_server() {
        return Ok(Found::reported("left as it is"));
    }
    let mut said = Vec::new();
    let switch = "SELECT pg_catalog.pg_switch_wal()";
    for (what, sql) in [("segment switched", switch), ("checkpoint", "CHECKPOINT")] {
        said.push(match alone(scrub.conn, what, sql).await? {
            Ok(()) => what.to_owned(),
            Err(why) => format!("no {what} ({why})"),
        });
    }
    Ok(Found::residual(format!("{}; {STAY}", said.join(", "))))
}

/// Nobody can remove them by SQL.
pub fn server_logs(scope: Scope) -> Found {
    let detail = "log files inside the data directory stay; what the run itself does is logged without values";
    match scope {
        Scope::Instance => Found::residual(detail),
        Scope::Database => Found::reported(detail),
    }
}
