//! Catalogs whose old rows hold texts, written anew once nothing changes them any more.

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::anew::{Horizon, write_anew};
use crate::engine::postgres::scrub::attempt::flag;
use crate::scrub::{Found, Tally};

/// Of this database: comments, defaults, constraints, definitions, options, labels, bounds.
const OWN: &[&str] = &[
    "pg_attrdef",
    "pg_attribute",
    "pg_class",
    "pg_constraint",
    "pg_description",
    "pg_enum",
    "pg_foreign_data_wrapper",
    "pg_foreign_server",
    "pg_foreign_table",
    "pg_index",
    "pg_policy",
    "pg_proc",
    "pg_publication_rel",
    "pg_rewrite",
    "pg_seclabel",
    "pg_statistic_ext",
    "pg_trigger",
    "pg_type",
    "pg_user_mapping",
];

/// Of the server.
const SHARED: &[&str] = &[
    "pg_authid",
    "pg_database",
    "pg_db_role_setting",
    "pg_shdescription",
    "pg_shseclabel",
    "pg_subscription",
];

/// Those of this database.
pub async fn own(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    write(scrub, OWN).await
}

/// Those of the server, where a superuser asks.
pub async fn shared(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    if !scrub.whole_server() {
        return Ok(Found::reported("left as they are"));
    }
    let sql = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user";
    if !flag(scrub.conn, "read the rights of this role", sql).await? {
        return Ok(Found::residual(
            "bytes of removed rows stay until their space is used again: only a superuser may write these catalogs anew",
        ));
    }
    write(scrub, SHARED).await
}

async fn write(scrub: &mut Scrub<'_>, catalogs: &[&str]) -> Result<Found, EngineError> {
    let mut tally = Tally::default();
    let now = Horizon::now(scrub.conn).await?;
    for catalog in catalogs {
        let name = TableName::new("pg_catalog", *catalog);
        let written = write_anew(scrub.conn, &name, "pg_catalog", &now).await?;
        tally.note(*catalog, written);
    }
    Ok(tally.found("written anew", ""))
}
