//! Databases that may not be masked as they are: each refused by `run` with its reason, and left as it was.

use anyhow::Result;
use contract::exit_codes;
use e2e::command::{Finished, ends_with, finish, with_rules};
use e2e::masked::same_lines;
use e2e::postgres::{Database, MASTER, Server};
use e2e::rows;
use sqlx::Connection as _;

const SCHEMA: &str = "
CREATE TABLE parent (id int PRIMARY KEY, word text);
CREATE TABLE child (id int PRIMARY KEY, parent_id int CONSTRAINT child_parent_fkey REFERENCES parent, word text);
INSERT INTO parent SELECT i, 'canary ' || i FROM generate_series(1, 100) i;
INSERT INTO child SELECT i, i, 'canary ' || i FROM generate_series(1, 100) i;";

const RULES: &str = r#"
version: 1
tables:
  parent: { columns: { word: redact, "*": keep } }
  child: { columns: { word: redact, "*": keep } }
"#;

/// A child whose parent is gone, as a load without triggers leaves it.
const ORPHAN: &str = "
SET session_replication_role = replica;
DELETE FROM parent WHERE id = 7;";

fn family() -> Result<Database<'static>> {
    let database = Server::shared()?.database("refused")?;
    database.query_as_master(SCHEMA)?;
    Ok(database)
}

fn run(database: &Database<'_>, arguments: &[&str]) -> Result<Finished> {
    let rules = tempfile::NamedTempFile::new()?;
    std::fs::write(rules.path(), RULES)?;
    finish(with_rules("run", &database.url(), rules.path())?.arg("--yes").args(arguments))
}

/// `run` says why not, and nothing has changed, not even for the ledger.
fn is_refused(database: &Database<'_>, because: &str) -> Result<()> {
    let before = (database.schema()?, rows::all(database)?);
    ends_with(&run(database, &[])?, exit_codes::REFUSED, because)?;
    same_lines("schema", &before.0, &database.schema()?)?;
    same_lines("rows", &before.1, &rows::all(database)?)?;
    let ledger = "SELECT count(*) FROM pg_namespace WHERE nspname = 'anonymizer'";
    assert_eq!(database.query(ledger)?, "0\n");
    Ok(())
}

/// A superuser may put tables beside the server's own.
#[test]
fn an_undecided_table_among_the_servers_own() -> Result<()> {
    let database = family()?;
    database.query("CREATE TABLE information_schema.visit (email text)")?;
    is_refused(&database, "information_schema.visit")
}

#[test]
fn orphans() -> Result<()> {
    let database = family()?;
    database.query(ORPHAN)?;
    is_refused(&database, "child_parent_fkey")
}

#[test]
fn orphans_that_row_security_hides() -> Result<()> {
    let database = family()?;
    database.query(ORPHAN)?;
    database.query_as_master(
        "ALTER TABLE child ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
         CREATE POLICY nobody ON child USING (false)",
    )?;
    is_refused(&database, "child_parent_fkey")
}

#[test]
fn orphans_of_a_key_that_nobody_has_validated_are_let_be() -> Result<()> {
    let database = family()?;
    database.query(ORPHAN)?;
    database.query_as_master(
        "ALTER TABLE child DROP CONSTRAINT child_parent_fkey,
           ADD CONSTRAINT child_parent_fkey FOREIGN KEY (parent_id) REFERENCES parent NOT VALID",
    )?;
    let before = database.schema()?;
    ends_with(&run(&database, &[])?, exit_codes::OK, "")?;
    same_lines("schema", &before, &database.schema()?)
}

#[test]
fn tables_of_a_superuser() -> Result<()> {
    let database = family()?;
    database.query("ALTER TABLE child OWNER TO CURRENT_USER")?;
    is_refused(&database, "public.child: is owned by")
}

#[test]
fn a_prepared_transaction() -> Result<()> {
    // Not the shared server: there it would hold back what other tests' runs must see gone.
    let server = Server::private(e2e::postgres::FAST)?;
    let database = server.database("refused")?;
    database.query_as_master(SCHEMA)?;
    let prepare = "BEGIN; UPDATE child SET word = 'canary'; PREPARE TRANSACTION 'left over'";
    database.query(prepare)?;
    is_refused(&database, "left over")?;
    database.query("ROLLBACK PREPARED 'left over'").map(drop)
}

#[test]
fn another_client() -> Result<()> {
    let database = family()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let client = runtime.block_on(sqlx::PgConnection::connect(&database.superuser_url()))?;
    is_refused(&database, "client")?;
    ends_with(&run(&database, &["--allow-connections"])?, exit_codes::OK, "")?;
    runtime.block_on(client.close())?;
    Ok(())
}

#[test]
fn a_predicate_that_is_none() -> Result<()> {
    let database = family()?;
    let rules = tempfile::NamedTempFile::new()?;
    let with_predicate = RULES.replace("parent: {", "parent: { skip_rows: \"no_such_column > 1\",");
    std::fs::write(rules.path(), with_predicate)?;
    let finished = finish(with_rules("run", &database.url(), rules.path())?.arg("--yes"))?;
    ends_with(&finished, exit_codes::REFUSED, "skip_rows")
}

/// What the role, its database or the server would impose on a session does not reach a run.
#[test]
fn settings_that_would_get_in_the_way_do_not() -> Result<()> {
    let database = family()?;
    // A statement that takes longer than the role's patience.
    database
        .query_as_master("CREATE MATERIALIZED VIEW slow AS SELECT pg_sleep(1)::text AS slept")?;
    let name = database.name();
    for setting in [
        "statement_timeout = '500ms'",
        "idle_in_transaction_session_timeout = '500ms'",
        "lock_timeout = '1ms'",
        "search_path = nowhere",
        "default_transaction_read_only = on",
        "default_transaction_isolation = 'serializable'",
        "datestyle = 'German, DMY'",
        "bytea_output = 'escape'",
    ] {
        database.query(&format!("ALTER ROLE {MASTER} IN DATABASE \"{name}\" SET {setting}"))?;
    }
    ends_with(&run(&database, &[])?, exit_codes::OK, "")?;
    let left = "SELECT count(*) FROM parent JOIN child USING (id) WHERE parent.word || child.word LIKE '%canary%'";
    assert_eq!(database.query(left)?, "0\n");
    Ok(())
}
