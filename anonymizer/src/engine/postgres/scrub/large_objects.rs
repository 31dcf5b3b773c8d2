//! Large objects: dropped or kept by rule, and undecided ones refuse the run.

use sqlx::postgres::PgConnection;

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::anew::{Horizon, write_anew};
use crate::engine::postgres::scrub::attempt::{attempt, number};
use crate::rules::{LargeObjectsRule, ScrubRules};
use crate::scrub::Found;

const ID: &str = "postgres.large-objects";

/// Objects that go in one transaction: each takes a lock.
const BATCH: u32 = 1000;

async fn count(conn: &mut PgConnection) -> Result<i64, EngineError> {
    let sql = "SELECT count(*) FROM pg_catalog.pg_largeobject_metadata";
    number(conn, "count the large objects", sql).await
}

/// Undecided ones.
pub async fn findings(
    conn: &mut PgConnection,
    rules: &ScrubRules,
) -> Result<Vec<(String, String, String)>, EngineError> {
    let count = count(conn).await?;
    if count == 0 || rules.large_objects.is_some() || rules.reason(ID).is_some() {
        return Ok(Vec::new());
    }
    let cure = "add `scrub: { large_objects: drop }`, or `keep`";
    Ok(vec![(format!("{count} large objects"), "undecided".to_owned(), cure.to_owned())])
}

/// Does what the rules say.
pub async fn scrub(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    let there = count(scrub.conn).await?;
    let rule = scrub.plan.scrub.large_objects.as_ref().map(|rule| rule.value);
    let catalog = TableName::new("pg_catalog", "pg_largeobject");
    let sql = "SELECT pg_catalog.pg_relation_size('pg_catalog.pg_largeobject')";
    let used = number(scrub.conn, "read the size of pg_largeobject", sql).await?;
    let mut detail = match (there, rule) {
        (0, _) if used == 0 => return Ok(Found::nothing("no large object")),
        (0, _) => "no large object; pg_largeobject was written anew".to_owned(),
        (_, None) => return Ok(Found::failed(format!("{there} large objects are undecided"))),
        (_, Some(LargeObjectsRule::Keep)) => format!("{there} large objects are kept by rule"),
        (_, Some(LargeObjectsRule::Drop)) => format!("{there} large objects were dropped"),
    };
    if rule == Some(LargeObjectsRule::Drop) {
        let batch = format!(
            "SELECT pg_catalog.lo_unlink(oid) FROM (SELECT oid FROM pg_catalog.pg_largeobject_metadata LIMIT {BATCH}) AS batch"
        );
        let mut left = there;
        while left > 0 {
            if let Err(why) = attempt(scrub.conn, "drop the large objects", &batch).await? {
                return Ok(Found::failed(format!("{left} large objects were not dropped ({why})")));
            }
            left = count(scrub.conn).await?;
        }
    }
    let now = Horizon::now(scrub.conn).await?;
    if let Err(why) = write_anew(scrub.conn, &catalog, "pg_catalog", &now).await? {
        detail.push_str(&format!("; pg_largeobject was not written anew ({why})"));
        return Ok(Found::failed(detail));
    }
    Ok(if there > 0 && rule == Some(LargeObjectsRule::Keep) {
        Found::reported(detail)
    } else {
        Found::done(detail)
    })
}
