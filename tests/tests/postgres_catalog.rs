//! What the catalog says about a database that has everything.

use anonymizer::catalog::{Catalog, Kind, TableKind, TableName};
use anyhow::{Context as _, Result};
use e2e::hostile;
use e2e::postgres::Server;
use sqlx::Connection as _;

/// Reads the hostile database's catalog as the master role.
fn hostile_catalog() -> Result<Catalog> {
    let database = hostile::build(Server::shared()?, 50)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut connection = sqlx::PgConnection::connect(&database.url()).await?;
        Ok(anonymizer::engine::postgres::catalog::read(&mut connection).await?)
    })
}

#[test]
fn reads_everything_in_the_hostile_database() -> Result<()> {
    let catalog = hostile_catalog()?;
    println!("{}", serde_json::to_string_pretty(&catalog)?);
    Ok(())
}
