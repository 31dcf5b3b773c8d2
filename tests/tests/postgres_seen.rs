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

/// A word that no object's name holds.
const PLANT: &str = "plantq8w3";

/// One value in each place of the catalog, and the name under which it must come.
const PLANTED: &[(&str, &str)] = &[
    ("COMMENT ON TABLE public.person IS '$'", "comment on table public.person"),
    ("COMMENT ON COLUMN public.person.email IS '$'", "comment on table column public.person.email"),
    ("COMMENT ON SCHEMA public IS '$'", "comment on schema public"),
    ("COMMENT ON DATABASE {database} IS '$'", "comment on database {database}"),
    ("COMMENT ON ROLE {reader} IS '$'", "comment on role {reader}"),
    ("ALTER TABLE public.person ALTER street SET DEFAULT '$'", "default of public.person.street"),
    (
        "ALTER TABLE public.ticket ADD older text DEFAULT '$'",
        "default of older rows of public.ticket.older",
    ),
    (
        "ALTER TABLE public.egg ADD made text GENERATED ALWAYS AS (name || '$') STORED",
        "generated column public.egg.made",
    ),
    (
        "ALTER TABLE public.person ADD CONSTRAINT not_him CHECK (street <> '$')",
        "check not_him of public.person",
    ),
    (
        "ALTER DOMAIN public.email_address ADD CONSTRAINT nor_her CHECK (VALUE <> '$')",
        "check nor_her of domain public.email_address",
    ),
    ("ALTER DOMAIN public.email_address SET DEFAULT '$'", "default of domain public.email_address"),
    (
        "ALTER TABLE public.booking ADD EXCLUDE USING gist (room WITH =) WHERE (guest = '$')",
        "exclusion constraint booking_room_excl of public.booking",
    ),
    ("CREATE INDEX part_of_it ON public.egg (id) WHERE name = '$'", "index public.part_of_it"),
    ("CREATE INDEX with_more ON public.egg ((name || '$'))", "index public.with_more"),
    ("ALTER TYPE public.mood ADD VALUE '$'", "label of enum public.mood"),
    ("CREATE TABLE public.sorted (name text) PARTITION BY LIST (name)", ""),
    (
        "CREATE TABLE public.sorted_one PARTITION OF public.sorted FOR VALUES IN ('$')",
        "partition bound of public.sorted_one",
    ),
    (
        "CREATE TABLE public.hashed (name text) PARTITION BY HASH ((name || '$'))",
        "partition key of public.hashed",
    ),
    (
        "CREATE VIEW public.one_person AS SELECT 1 FROM public.egg WHERE name = '$'",
        "view public.one_person",
    ),
    (
        "CREATE MATERIALIZED VIEW public.one_row AS SELECT '$'::text AS name",
        "materialized view public.one_row",
    ),
    (
        "CREATE RULE quiet AS ON DELETE TO public.egg WHERE old.name = '$' DO INSTEAD NOTHING",
        "rule quiet of public.egg",
    ),
    (
        "CREATE TRIGGER told BEFORE INSERT ON public.egg FOR EACH ROW EXECUTE FUNCTION public.fire('$')",
        "trigger told of public.egg",
    ),
    ("CREATE POLICY his ON public.account USING (holder = '$')", "policy his of public.account"),
    (
        "CREATE FUNCTION public.his(who text DEFAULT '$') RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "function public.his(pg_catalog.text)",
    ),
    (
        "CREATE PROCEDURE public.hers() LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''$''; END'",
        "function public.hers()",
    ),
    (
        "CREATE AGGREGATE public.join_up(text) (SFUNC = textcat, STYPE = text, INITCOND = '$')",
        "function public.join_up(pg_catalog.text)",
    ),
    ("CREATE ROLE \"$\"", "name of a role"),
    ("ALTER ROLE {reader} SET app.contact = '$'", "setting of role {reader}"),
    ("ALTER DATABASE {database} SET app.contact = '$'", "setting of database {database}"),
    (
        "ALTER FOREIGN DATA WRAPPER nowhere OPTIONS (ADD contact '$')",
        "foreign-data wrapper nowhere",
    ),
    ("ALTER SERVER elsewhere OPTIONS (ADD contact '$')", "foreign server elsewhere"),
    (
        "CREATE USER MAPPING FOR {master} SERVER elsewhere OPTIONS (password '$')",
        "user mapping of {master} for elsewhere",
    ),
    (
        "ALTER FOREIGN TABLE public.far_away OPTIONS (ADD contact '$')",
        "foreign table public.far_away",
    ),
    (
        "ALTER FOREIGN TABLE public.far_away ALTER who OPTIONS (ADD contact '$')",
        "foreign column public.far_away.who",
    ),
];

/// What a server of 14 or 15 and later has besides.
const PLANTED_LATER: &[(u32, &str, &str)] = &[
    (
        140_000,
        "CREATE STATISTICS public.folded ON (name || '$') FROM public.egg",
        "extended statistics public.folded",
    ),
    (
        150_000,
        "CREATE PUBLICATION filtered FOR TABLE public.person WHERE (street = '$')",
        "publication filtered of public.person",
    ),
];

#[test]
fn every_text_of_the_catalog_is_seen() -> Result<()> {
    let server = Server::private(e2e::postgres::FAST)?;
    let database = hostile::build(&server, 100)?;
    open_everything(&database)?;
    let fill = |text: &str| {
        let text = text.replace('$', PLANT).replace("{database}", database.name());
        text.replace("{reader}", hostile::READER).replace("{master}", MASTER)
    };
    let version: u32 = database.query("SHOW server_version_num")?.trim().parse()?;
    let later = PLANTED_LATER.iter().filter(|(since, ..)| *since <= version);
    let later = later.map(|(_, statement, place)| (*statement, *place));
    let planted: Vec<(&str, &str)> = PLANTED.iter().copied().chain(later).collect();
    for (statement, _) in &planted {
        database.query(&fill(statement))?;
    }
    database.query(&fill("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {master}"))?;
    let seen = look(&database.url())?;
    let found = seen.places_with(PLANT);
    let places: Vec<String> = planted.iter().map(|(_, place)| fill(place)).collect();
    let missing: Vec<&String> = places
        .iter()
        .filter(|place| !place.is_empty() && !found.contains(&place.as_str()))
        .collect();
    ensure!(missing.is_empty(), "not seen: {missing:#?}\nseen: {found:#?}");
    // Nothing of PostgreSQL's own and of extensions, in which nobody's data can be.
    let alien = |place: &&String| place.contains("gbt_") || place.contains("pg_catalog.abs");
    ensure!(seen.metadata.keys().find(alien).is_none(), "an extension's function is read");
    Ok(())
}

#[test]
fn large_objects_are_read_piece_by_piece() -> Result<()> {
    let server = Server::shared()?;
    let database = server.database("objects")?;
    // One word across the border of two pieces, one at the end.
    database.query_as_master(&format!(
        "SELECT lo_from_bytea(0, '{PLANT}-small'::bytea);
         SELECT lo_from_bytea(0, (repeat('x', (16 << 20) - 4) || '{PLANT}-across' || repeat('y', 20 << 20) || '{PLANT}-end')::bytea)",
    ))?;
    let seen = look(&database.url())?;
    let pieces = &seen.values["pg_catalog.pg_largeobject.data"];
    for word in ["small", "across", "end"] {
        let word = format!("{PLANT}-{word}");
        ensure!(pieces.iter().any(|piece| piece.contains(&word)), "{word} is not read");
    }
    ensure!(pieces.iter().all(|piece| piece.len() <= 16 << 20), "a piece is too long");
    Ok(())
}

#[test]
fn what_a_plain_role_cannot_read_is_refused_by_name() -> Result<()> {
    let server = Server::shared()?;
    let database = server.database("closed")?;
    database.query(
        "CREATE SCHEMA shut; CREATE TABLE shut.away (id int, who text); CREATE TABLE seen_through (id int, who text);
         ALTER TABLE seen_through ENABLE ROW LEVEL SECURITY; GRANT SELECT ON seen_through TO PUBLIC",
    )?;
    let refused = |said: &str| -> Result<()> {
        let error = look(&database.url()).err().map(|error| error.to_string()).unwrap_or_default();
        ensure!(error.contains(said) && error.contains("hint"), "{said}: {error}");
        Ok(())
    };
    refused("public.seen_through cannot be read as a whole")?;
    database.query("ALTER TABLE seen_through DISABLE ROW LEVEL SECURITY")?;
    refused("shut.away cannot be read as a whole")?;
    database.query("GRANT USAGE ON SCHEMA shut TO PUBLIC; GRANT SELECT ON shut.away TO PUBLIC")?;
    look(&database.url())?;
    database.query("SELECT lo_from_bytea(4711, 'x')")?;
    refused("large object 4711 cannot be read")?;
    // A column's privilege is not a table's.
    database.query(
        "GRANT SELECT ON LARGE OBJECT 4711 TO PUBLIC; REVOKE SELECT ON shut.away FROM PUBLIC",
    )?;
    database.query("GRANT SELECT (who) ON shut.away TO PUBLIC")?;
    refused("shut.away cannot be read as a whole")
}

#[test]
fn values_are_printed_by_their_own_type_and_not_by_a_cast() -> Result<()> {
    let server = Server::shared()?;
    let database = server.database("cast")?;
    database.query(
        "CREATE TYPE pair AS (a text, b text);
         CREATE FUNCTION hide(pair) RETURNS text LANGUAGE sql AS $$ SELECT 'hidden' $$;
         CREATE CAST (pair AS text) WITH FUNCTION hide(pair) AS ASSIGNMENT;
         CREATE TABLE pairs (p pair, n int4[], r int4range);
         INSERT INTO pairs VALUES (('x', NULL), '{1,2}', '[1,2)'), (NULL, NULL, NULL), ((NULL, NULL), '{}', 'empty');
         GRANT SELECT ON pairs TO PUBLIC",
    )?;
    let seen = look(&database.url())?;
    let values = |column: &str| seen.values.get(column).cloned().unwrap_or_default();
    ensure!(values("public.pairs.p") == ["(,)", "(x,)"].map(String::from).into());
    ensure!(values("public.pairs.n") == ["{1,2}", "{}"].map(String::from).into());
    ensure!(values("public.pairs.r").is_empty(), "a range of numbers holds no text");
    ensure!(seen.rows["public.pairs"] == 3);
    Ok(())
}
