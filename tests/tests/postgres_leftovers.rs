//! Small databases, each with one thing that a rewrite of its tables does not reach by itself.

use std::io::Write as _;

use anyhow::{Result, ensure};
use contract::exit_codes;
use e2e::command::{Finished, finish, with_rules};
use e2e::postgres::{Database, Server};

/// Columns whose statistics hold an original value.
const CANARIES: &str =
    "SELECT tablename, attname FROM pg_stats WHERE schemaname = 'public' AND concat(
    most_common_vals, histogram_bounds, most_common_elems) LIKE '%canary%' ORDER BY 1, 2";

fn run(database: &Database<'_>, tables: &str) -> Result<Finished> {
    let mut rules = tempfile::NamedTempFile::new()?;
    write!(rules, "version: 1\ntables:\n{tables}")?;
    finish(with_rules("run", &database.url(), rules.path())?.arg("--yes"))
}

fn ends_with(finished: &Finished, code: u8) -> Result<()> {
    let Finished { code: found, stderr, .. } = finished;
    ensure!(*found == Some(i32::from(code)), "exit code {found:?} for {code}:\n{stderr}");
    Ok(())
}

#[test]
fn statistics_of_empty_tables_hold_no_value() -> Result<()> {
    let database = Server::shared()?.database("empty")?;
    database.query_as_master(
        "CREATE TABLE emptied_before (email text NOT NULL, born date NOT NULL, note jsonb NOT NULL);
         INSERT INTO emptied_before SELECT 'canary' || g % 5, now(), '{}' FROM generate_series(1, 1000) g;
         CREATE TABLE words (tags text[] NOT NULL, found tsvector NOT NULL);
         INSERT INTO words SELECT ARRAY['canary' || g % 3], to_tsvector('canary' || g % 3) FROM generate_series(1, 1000) g;
         CREATE TABLE tree (id int NOT NULL, email text, tags text[] NOT NULL) PARTITION BY RANGE (id);
         CREATE TABLE tree_low PARTITION OF tree FOR VALUES FROM (1) TO (500);
         CREATE TABLE tree_high PARTITION OF tree FOR VALUES FROM (500) TO (5000) PARTITION BY RANGE (id);
         CREATE TABLE tree_high_1 PARTITION OF tree_high FOR VALUES FROM (500) TO (5000);
         CREATE STATISTICS tree_low_both (mcv) ON id, email FROM tree_low;
         INSERT INTO tree SELECT g, 'canary' || g % 5, ARRAY['canary' || g % 5] FROM generate_series(1, 1000) g;
         CREATE TABLE no_columns ();
         INSERT INTO no_columns DEFAULT VALUES;
         CREATE TABLE computed (one int GENERATED ALWAYS AS (1) STORED);
         INSERT INTO computed DEFAULT VALUES;
         ANALYZE; DELETE FROM emptied_before",
    )?;
    assert!(!database.query(CANARIES)?.is_empty(), "the statistics hold originals before");
    let tables = "  emptied_before: { columns: { email: email, born: keep, note: nullify } }
  words: truncate\n  'tree*': truncate\n  no_columns: truncate\n  computed: truncate\n";
    let tables =
        tables.replace("note: nullify", "note: { function: json, paths: { '$.a': redact } }");
    ends_with(&run(&database, &tables)?, exit_codes::OK)?;
    assert_eq!(database.query(CANARIES)?, "");
    let extended = "SELECT count(*) FROM pg_statistic_ext_data WHERE stxdmcv IS NOT NULL";
    assert_eq!(database.query(extended)?.trim(), "0");
    Ok(())
}

#[test]
fn a_view_that_ends_empty_with_original_statistics_is_refused() -> Result<()> {
    let database = Server::shared()?.database("empty_view")?;
    database.query_as_master(
        "CREATE TABLE customer (email text);
         INSERT INTO customer SELECT 'canary' || g % 5 FROM generate_series(1, 1000) g;
         CREATE MATERIALIZED VIEW canary AS SELECT * FROM customer WHERE email LIKE 'canary%';
         ANALYZE canary",
    )?;
    let rules = "  customer: { columns: { email: hash } }\n";
    let refused = run(&database, rules)?;
    ends_with(&refused, exit_codes::REFUSED)?;
    assert!(refused.stderr.contains("original values: public.canary"), "{}", refused.stderr);
    database.query_as_master("DROP MATERIALIZED VIEW canary")?;
    ends_with(&run(&database, rules)?, exit_codes::OK)
}

#[test]
fn functions_that_name_others_without_a_schema_are_found() -> Result<()> {
    let database = Server::shared()?.database("unqualified")?;
    database.query_as_master(
        "CREATE FUNCTION squash(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(t)';
         CREATE FUNCTION key_of(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT squash(t)';
         CREATE TABLE customer (id int PRIMARY KEY, email text CHECK (key_of(email) <> ''));
         CREATE INDEX ON customer (key_of(email));
         INSERT INTO customer SELECT g, 'canary' || g FROM generate_series(1, 1000) g;
         CREATE TABLE visit (customer_id int REFERENCES customer, at int);
         INSERT INTO visit SELECT g, g FROM generate_series(1, 1000) g;
         CREATE MATERIALIZED VIEW keys AS SELECT key_of(email) FROM customer",
    )?;
    let rules = "  customer: { columns: { id: keep, email: email } }
  visit: { delete_rows: 'visit.at > 900', columns: { '*': keep } }\n";
    ends_with(&run(&database, rules)?, exit_codes::OK)?;
    assert_eq!(
        database.query("SELECT count(*) FROM keys WHERE key_of LIKE '%canary%'")?.trim(),
        "0"
    );
    assert_eq!(database.query("SELECT count(*) FROM visit")?.trim(), "900");
    Ok(())
}

#[test]
fn what_is_in_the_ledgers_schema_is_not_passed_over() -> Result<()> {
    let database = Server::shared()?.database("taken")?;
    database.query_as_master(
        "CREATE TABLE customer (email text);
         CREATE SCHEMA anonymizer; CREATE TABLE anonymizer.customer AS SELECT 'canary'",
    )?;
    let refused = run(&database, "  customer: { columns: { email: email } }\n")?;
    ends_with(&refused, exit_codes::REFUSED)?;
    assert!(refused.stderr.contains("schema anonymizer"), "{}", refused.stderr);
    Ok(())
}

#[test]
fn arrays_are_masked_where_rows_travel_as_text() -> Result<()> {
    let database = Server::shared()?.database("as_text")?;
    // `aclitem` has no binary form.
    database.query_as_master(
        r#"CREATE TABLE member (id int, access aclitem, tags text[]);
           INSERT INTO member SELECT g, NULL, '[0:1][1:2]={{canary,"canary \"\\,"},{NULL,NULL}}' FROM generate_series(1, 1000) g"#,
    )?;
    let rules = "  member: { columns: { id: keep, access: keep, tags: { function: array, element: redact } } }\n";
    ends_with(&run(&database, rules)?, exit_codes::OK)?;
    let tags = database.query("SELECT DISTINCT tags FROM member")?;
    assert_eq!(tags.trim(), "[0:1][1:2]={{[redacted],[redacted]},{NULL,NULL}}");
    Ok(())
}

#[test]
fn rules_do_not_keep_rows_that_a_cascade_removes() -> Result<()> {
    let database = Server::shared()?.database("kept_by_rule")?;
    database.query_as_master(
        "CREATE TABLE customer (id int PRIMARY KEY);
         CREATE TABLE visit (customer_id int REFERENCES customer);
         INSERT INTO customer SELECT g FROM generate_series(1, 10) g;
         INSERT INTO visit SELECT g FROM generate_series(1, 10) g;
         CREATE RULE kept AS ON DELETE TO visit DO INSTEAD NOTHING;
         ALTER TABLE visit ENABLE ALWAYS RULE kept",
    )?;
    let rules = "  customer: { delete_rows: 'id > 5', cascade: true, columns: { '*': keep } }
  visit: { columns: { '*': keep } }\n";
    ends_with(&run(&database, rules)?, exit_codes::OK)?;
    assert_eq!(database.query("SELECT count(*) FROM visit")?.trim(), "5");
    assert_eq!(
        database.query("SELECT ev_enabled FROM pg_rewrite WHERE rulename = 'kept'")?.trim(),
        "A"
    );
    Ok(())
}

/// Equality of a key is its type's own, wherever the type's extension is installed.
#[test]
fn a_cascade_compares_keys_as_they_compare_themselves() -> Result<()> {
    let database = Server::shared()?.database("elsewhere")?;
    database.query(
        "CREATE SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions;
         GRANT USAGE ON SCHEMA extensions TO PUBLIC",
    )?;
    database.query_as_master(
        "CREATE TABLE account (name extensions.citext PRIMARY KEY, old bool NOT NULL);
         CREATE TABLE login (id int PRIMARY KEY, account extensions.citext NOT NULL REFERENCES account);
         INSERT INTO account VALUES ('Ada', false), ('Bob', true);
         INSERT INTO login VALUES (1, 'ADA'), (2, 'bob')",
    )?;
    let rules =
        "  account: { delete_rows: old, cascade: true, columns: { name: username, old: keep } }
  login: { columns: { id: keep, account: username } }\n";
    ends_with(&run(&database, rules)?, exit_codes::OK)?;
    let joined = "SELECT login.id FROM login JOIN account ON account.name OPERATOR(extensions.=) login.account";
    assert_eq!(database.query(joined)?.trim(), "1");
    Ok(())
}

/// The empty partition comes first, and no row of zeros fits it.
#[test]
fn a_tree_with_an_empty_partition_is_loaded() -> Result<()> {
    let database = Server::shared()?.database("half_empty")?;
    database.query_as_master(
        "CREATE TABLE event (at date NOT NULL, email text) PARTITION BY RANGE (at);
         CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2010-01-01') TO ('2011-01-01');
         CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM ('2011-01-01') TO ('2012-01-01');
         INSERT INTO event SELECT date '2011-01-01' + g % 365, 'canary' || g FROM generate_series(1, 1000) g",
    )?;
    ends_with(
        &run(&database, "  event: { columns: { at: keep, email: email } }\n")?,
        exit_codes::OK,
    )?;
    let masked = "SELECT count(*) FROM event_2 WHERE email LIKE '%@example.%'";
    assert_eq!(database.query(masked)?.trim(), "1000");
    Ok(())
}
