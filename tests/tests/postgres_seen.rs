//! The leak gate is given everything: every kind of column and every text of the catalog in which a value could stand.

use std::collections::BTreeSet;

use anonymizer::engine::postgres::PostgresEngine;
use anonymizer::engine::{Engine as _, EngineError};
use anyhow::{Result, ensure};
use e2e::hostile::{self, CANARY};
use e2e::postgres::{Database, MASTER, Server};
use e2e::seen::Seen;
use e2e::sqlite::runtime;

fn look(url: &str) -> Result<Seen> {
    runtime().block_on(async {
        let engine = PostgresEngine::connect(url).await?;
        Ok(Seen::all(&engine).await?)
    })
}

/// Tables of the hostile database that only a run's rights open to the master role.
fn open_everything(database: &Database<'_>) -> Result<()> {
    let strangers = format!("GRANT {} TO {MASTER}", hostile::STRANGER);
    database.query(&format!("{strangers}; GRANT SELECT ON extension_settings TO {MASTER}"))?;
    Ok(())
}

#[test]
fn every_column_of_the_hostile_database_is_read() -> Result<()> {
    let server = Server::private(e2e::postgres::FAST)?;
    let database = hostile::build(&server, 500)?;
    open_everything(&database)?;
    let seen = look(&database.url())?;
    // Every stored column of every kind that can hold a text, by name.
    let expected = database.query(
        "SELECT n.nspname || '.' || c.relname || '.' || a.attname
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'
          WHERE (c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated)
            AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
            AND format_type(a.atttypid, NULL) ~ 'text|char|json|xml|\\[\\]|citext|_name|email|address|hstore|tsvector|bytea|aclitem'
            AND format_type(a.atttypid, NULL) NOT IN ('macaddr')",
    )?;
    let offered: BTreeSet<String> = runtime().block_on(async {
        let engine = PostgresEngine::connect(&database.url()).await?;
        let names = engine.sources().await?.into_iter().flat_map(|source| {
            let table = source.table.to_string();
            source.columns.into_iter().map(move |column| format!("{table}.{column}"))
        });
        Ok::<_, EngineError>(names.collect())
    })?;
    let missing: Vec<&str> = expected.lines().filter(|name| !offered.contains(*name)).collect();
    ensure!(missing.is_empty(), "not read: {missing:#?}");
    ensure!(!offered.contains("public.far_away.who"), "a foreign table is read");
    let found = seen.columns_with(CANARY);
    for column in [
        "email",
        "nickname",
        "first_name",
        "last_name",
        "full_name",
        "phone",
        "street",
        "badge",
        "notes",
        "profile",
        "raw",
        "tags",
        "matrix",
        "home",
        "attributes",
        "document",
        "search",
        "photo",
    ] {
        ensure!(found.contains(&format!("public.person.{column}").as_str()), "person.{column}");
    }
    for column in [
        "public.phone_book.phone",
        "public.account.iban",
        "public.event_2020_a.payload",
        "public.event_2021.payload",
        "public.sealed_letter.seal",
        "public.stamped.stamped_by",
        "Sch.ema.Order.Details.таблица",
        "foreign_land.strange.who",
        "public.scratch.who",
        "public.typed.town",
        "public.owned_by_group.secret",
    ] {
        ensure!(found.contains(&column), "{column} is not in {found:#?}");
    }
    // Row security hides nothing, and every row comes once.
    ensure!(seen.rows["public.account"] == 5000);
    ensure!(seen.rows["public.document"] == 2000, "children are read with their parent");
    ensure!(seen.values["public.person.email"].len() == 500);
    ensure!(seen.values["public.person.photo"].iter().all(|value| value.starts_with(CANARY)));
    let forced = "SELECT relforcerowsecurity FROM pg_class WHERE relname = 'account'";
    ensure!(database.query(forced)?.trim() == "t", "row security was lifted for good");
    Ok(())
}
