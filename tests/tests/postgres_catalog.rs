//! What the catalog says about a database that has everything, read by a role that is no superuser.

use anonymizer::catalog::{
    Catalog, Column, ForeignKey, Kind, Table, TableKind, TableName, UniqueKey,
};
use anyhow::{Context as _, Result};
use e2e::hostile;
use e2e::postgres::{Database, Server};
use sqlx::Connection as _;

fn read(database: &Database<'_>) -> Result<Catalog> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut connection = sqlx::PgConnection::connect(&database.url()).await?;
        Ok(anonymizer::engine::postgres::catalog::read(&mut connection).await?)
    })
}

fn table<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a Table> {
    let named = |table: &&Table| table.name.name == name;
    catalog.tables.iter().find(named).with_context(|| format!("no table {name}"))
}

fn column<'a>(catalog: &'a Catalog, of: &str, name: &str) -> Result<&'a Column> {
    table(catalog, of)?.column(name).with_context(|| format!("no column {of}.{name}"))
}

fn key<'a>(keys: &'a [UniqueKey], name: &str) -> Result<&'a UniqueKey> {
    keys.iter().find(|key| key.name == name).with_context(|| format!("no key {name}"))
}

fn text(max_chars: impl Into<Option<u32>>, ignore_case: bool) -> Kind {
    Kind::Text { max_chars: max_chars.into(), ignore_case }
}

#[test]
fn the_hostile_database() -> Result<()> {
    let database = hostile::build(Server::shared()?, 200)?;
    let catalog = read(&database)?;
    types(&catalog)?;
    columns(&catalog)?;
    keys(&catalog)?;
    tables(&catalog)?;
    foreign_keys(&catalog);
    Ok(())
}

fn types(catalog: &Catalog) -> Result<()> {
    let kind = |name: &str| column(catalog, "person", name).map(|column| column.kind.clone());
    assert_eq!(kind("email")?, text(None, true), "a domain over citext");
    assert_eq!(kind("last_name")?, text(80, false), "a domain over a domain over varchar(80)");
    assert_eq!(kind("first_name")?, text(60, false));
    assert_eq!(kind("feeling")?, Kind::Enum(vec!["sad".into(), "so so".into(), "happy".into()]));
    assert_eq!(kind("matrix")?, Kind::Array(Box::new(text(None, false))));
    assert_eq!(kind("aliases")?, Kind::Other("shorter_name[]".into()), "an array of a domain");
    assert_eq!(kind("home")?, Kind::Other("address".into()), "a composite");
    assert_eq!(kind("attributes")?, Kind::Other("hstore".into()));
    assert_eq!(kind("span")?, Kind::Other("int4range".into()));
    assert_eq!(kind("search")?, Kind::Other("tsvector".into()));
    assert_eq!(kind("salary")?, Kind::Decimal(Some((10, 2))));
    let plain = [("profile", Kind::Json), ("raw", Kind::Json), ("document", Kind::Xml)];
    for (name, expected) in plain {
        assert_eq!(kind(name)?, expected);
    }
    let plain = [("photo", Kind::Bytes), ("seen_from", Kind::Inet), ("device", Kind::Mac(6))];
    for (name, expected) in plain {
        assert_eq!(kind(name)?, expected);
    }
    Ok(())
}

fn columns(catalog: &Catalog) -> Result<()> {
    let person = table(catalog, "person")?;
    assert_eq!(person.columns[0].name, "id", "dropped columns are left out");
    assert!(!column(catalog, "person", "email")?.nullable, "the domain's NOT NULL counts");
    assert!(column(catalog, "person", "phone")?.nullable);
    assert!(column(catalog, "person", "full_name")?.generated);
    assert_eq!(column(catalog, "person", "full_name")?.default, None);
    assert_eq!(column(catalog, "person", "active")?.default.as_deref(), Some("true"));
    assert!(column(catalog, "person", "id")?.identity, "an identity column");
    assert!(column(catalog, "ticket", "id")?.identity, "serial");
    assert!(!column(catalog, "letter", "id")?.identity, "the parent's sequence, not its own");
    let unquoted: Vec<_> = table(catalog, "Order.Details")?
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(unquoted, ["Id", "na\"me", "таблица", "*"]);
    Ok(())
}

fn keys(catalog: &Catalog) -> Result<()> {
    let person = table(catalog, "person")?;
    assert!(key(&person.unique_keys, "person_pkey")?.primary);
    assert!(key(&person.unique_keys, "person_email_key")?.ignore_case);
    assert!(key(&person.unique_keys, "person_left_behind").is_err(), "it enforces nothing");
    let folded = key(&table(catalog, "member")?.unique_keys, "member_email_key")?;
    assert_eq!((folded.columns.as_slice(), folded.ignore_case), (&["email".to_owned()][..], true));
    let exclusion = key(&table(catalog, "booking")?.exclusions, "booking_no_overlap")?;
    assert_eq!(exclusion.columns, ["room", "during"]);
    assert_eq!(exclusion.predicate.as_deref(), Some("room > 0"));
    let check = |name: &str| person.checks.iter().find(|check| check.name == name);
    let of_domain = check("shorter_name_check").context("a domain's CHECK")?;
    assert_eq!(of_domain.columns, ["last_name"]);
    assert!(check("short_name_check").is_some(), "the CHECK of the domain below");
    assert_eq!(check("person_phone_check").context("its own CHECK")?.columns, ["phone"]);
    Ok(())
}

fn tables(catalog: &Catalog) -> Result<()> {
    assert_eq!(table(catalog, "event")?.kind, TableKind::Partitioned);
    assert_eq!(table(catalog, "event")?.partition_key, ["happened"]);
    assert_eq!(table(catalog, "event_2020_a")?.parents, [TableName::new("public", "event_2020")]);
    let parents = ["letter", "stamped"].map(|name| TableName::new("public", name));
    assert_eq!(table(catalog, "sealed_letter")?.parents, parents);
    assert_eq!(table(catalog, "far_away")?.kind, TableKind::Foreign);
    assert_eq!(table(catalog, "extension_settings")?.extension.as_deref(), Some("pg_trgm"));
    assert!(table(catalog, "account")?.row_security);
    assert_eq!(table(catalog, "person")?.triggers, 6);
    assert_eq!(table(catalog, "person")?.estimated_rows, 200);
    assert!(table(catalog, "person")?.bytes > 100_000);
    assert!(table(catalog, "no_columns")?.columns.is_empty());
    let materialized: Vec<_> = catalog.views.iter().filter(|view| view.materialized).collect();
    assert_eq!(materialized.len(), 3);
    assert!(catalog.tables.is_sorted_by(|a, b| a.name < b.name));
    Ok(())
}

fn foreign_keys(catalog: &Catalog) {
    let named = |name: &str| -> Vec<&ForeignKey> {
        catalog.foreign_keys.iter().filter(|key| key.name == name).collect()
    };
    let to_tree = named("event_note_event_fkey");
    assert_eq!(to_tree.len(), 1, "the copies for its partitions are left out");
    assert_eq!(to_tree[0].columns, ["event_id", "happened"]);
    assert_eq!(to_tree[0].referenced_columns, ["id", "happened"]);
    assert_eq!(named("event_person_id_fkey").len(), 1, "the copies on partitions are left out");
    assert!(!named("ticket_note_other_fkey")[0].validated);
}

#[test]
fn what_only_some_databases_have() -> Result<()> {
    let database = Server::shared()?.database("catalog")?;
    database.query_as_master(
        "CREATE TABLE by_expression (a int, b date, c text) PARTITION BY RANGE (b, (a + 1));
         CREATE TABLE odd (n name, q \"char\", f char(3), b bpchar, i interval(3), d numeric, u int UNIQUE DEFERRABLE);
         CREATE UNIQUE INDEX odd_expression ON odd (md5(f), (u + 1)) WHERE u > 0;
         CREATE UNIQUE INDEX odd_folded ON odd (upper(f), u);
         CREATE SCHEMA anonymizer;
         CREATE TABLE anonymizer.ledger (entry text);
         CREATE TEMPORARY TABLE passing (a int)",
    )?;
    let catalog = read(&database)?;
    let names: Vec<_> = catalog.tables.iter().map(|table| table.name.to_string()).collect();
    assert_eq!(
        names,
        ["public.by_expression", "public.odd"],
        "neither ledger nor temporary tables"
    );
    assert_eq!(table(&catalog, "by_expression")?.partition_key, ["a", "b"]);
    let kind = |name: &str| column(&catalog, "odd", name).map(|column| column.kind.clone());
    assert_eq!(kind("n")?, text(15, false), "63 bytes");
    assert_eq!(kind("q")?, Kind::Other("\"char\"".into()), "a byte, not a text");
    assert_eq!(kind("f")?, text(3, false));
    assert_eq!(kind("b")?, text(None, false));
    assert_eq!(kind("i")?, Kind::Other("interval".into()));
    assert_eq!(kind("d")?, Kind::Decimal(None));
    let unique = &table(&catalog, "odd")?.unique_keys;
    let by_expression = key(unique, "odd_expression")?;
    assert_eq!(by_expression.expressions, ["md5(f::text)", "(u + 1)"]);
    assert_eq!(by_expression.predicate.as_deref(), Some("u > 0"));
    let folded = key(unique, "odd_folded")?;
    assert_eq!((folded.columns.join(" "), folded.ignore_case), ("f u".to_owned(), true));
    Ok(())
}
