//! What extensions keep in tables of their own, which no rule reaches: jobs, their logs, secrets.
//!
//! A table counts where it belongs to an extension: one of the same name that people made has a rule like any other.

use sqlx::Row as _;

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::rights;
use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::anew::{Horizon, write_anew};
use crate::engine::postgres::scrub::attempt::{as_owner, attempt, flag, number, rows, texts};
use crate::engine::postgres::session::{literal, qualified};
use crate::scrub::{Found, Tally};

/// Known to hold secrets, requests, or statements with values in them.
const TABLES: &[(&str, &str)] = &[
    ("apg_plan_mgmt", "plans"),
    ("hint_plan", "hints"),
    ("net", "_http_response"),
    ("net", "http_request_queue"),
    ("pgagent", "pga_joblog"),
    ("pgagent", "pga_jobsteplog"),
    ("pglogical", "node_interface"),
    ("vault", "secrets"),
];

async fn is_extensions(scrub: &mut Scrub<'_>, table: &TableName) -> Result<bool, EngineError> {
    let sql = format!(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
           AND d.objid = pg_catalog.to_regclass({}) AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e')",
        literal(&qualified(table))
    );
    flag(scrub.conn, &format!("look for {table}"), &sql).await
}

/// Empties those that are here.
pub async fn tables(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    let mut tally = Tally::default();
    for (schema, name) in TABLES {
        let table = TableName::new(*schema, *name);
        if is_extensions(scrub, &table).await? {
            empty(scrub, &table, &mut tally).await?;
        }
    }
    for table in closed(scrub).await? {
        tally.note(table, Err("closed to this role, so that nobody has looked into it".to_owned()));
    }
    Ok(tally.found("emptied", "no such table"))
}

/// Extensions' tables with rows that the gate passes over: this role may not read them, or row security hides rows from it.
async fn closed(scrub: &mut Scrub<'_>) -> Result<Vec<String>, EngineError> {
    const CLOSED: &str = "SELECT n.nspname || '.' || c.relname
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
          AND (n.nspname <> 'information_schema' OR c.oid >= 16384)
          AND pg_catalog.pg_table_size(c.oid) > 0 AND {of_extension} AND NOT {readable}
          AND NOT (pg_catalog.pg_has_role(c.relowner, 'USAGE') AND pg_catalog.row_security_active(c.oid)) ORDER BY 1";
    let sql = CLOSED
        .replace("{of_extension}", rights::OF_EXTENSION)
        .replace("{readable}", rights::READABLE);
    texts(scrub.conn, "look for tables that are closed", &sql).await
}

/// TRUNCATE leaves no bytes; where only DELETE is allowed the table is written anew, if its owner allows.
async fn empty(
    scrub: &mut Scrub<'_>,
    table: &TableName,
    tally: &mut Tally,
) -> Result<(), EngineError> {
    let task = format!("empty {table}");
    let name = qualified(table);
    let mut done = as_owner(scrub.conn, table, &task, &format!("TRUNCATE {name}")).await?;
    if done.is_err() {
        done = attempt(scrub.conn, &task, &format!("DELETE FROM {name}")).await?;
        if done.is_ok() {
            let now = Horizon::now(scrub.conn).await?;
            done = write_anew(scrub.conn, table, "pg_catalog", &now).await?;
        }
    }
    tally.note(table.to_string(), done);
    Ok(())
}

/// Deactivates jobs and empties the log of their runs. A job is named by its number: its command may hold anything.
pub async fn cron_jobs(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    let jobs = TableName::new("cron", "job");
    if !is_extensions(scrub, &jobs).await? {
        return Ok(Found::nothing("pg_cron is not in this database"));
    }
    let ours = if scrub.whole_server() {
        "active"
    } else {
        "active AND database = pg_catalog.current_database()"
    };
    let sql = format!("SELECT jobid FROM cron.job WHERE {ours} ORDER BY 1");
    let mut tally = Tally::default();
    for row in rows(scrub.conn, "read the jobs of pg_cron", &sql).await? {
        let job: i64 = row.get(0);
        let task = format!("deactivate job {job}");
        let sql = format!("UPDATE cron.job SET active = false WHERE jobid = {job}");
        let mut done = attempt(scrub.conn, &task, &sql).await?;
        let still = format!("SELECT count(*) FROM cron.job WHERE jobid = {job} AND active");
        if done.is_ok() && number(scrub.conn, &task, &still).await? > 0 {
            done = Err("it is still active".to_owned());
        }
        if tally.note(format!("job {job}"), done) {
            tally.undo(format!("UPDATE cron.job SET active = true WHERE jobid = {job}"));
        }
    }
    let runs = TableName::new("cron", "job_run_details");
    if is_extensions(scrub, &runs).await? {
        empty(scrub, &runs, &mut tally).await?;
    }
    let left = "SELECT jobid::text FROM cron.job WHERE active ORDER BY jobid";
    for job in texts(scrub.conn, "read the jobs of pg_cron", left).await? {
        if !scrub.whole_server() {
            tally.note(format!("job {job} of another database is left"), Ok(()));
        }
    }
    Ok(tally.found("deactivated or emptied", "no active job"))
}
