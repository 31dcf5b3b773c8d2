//! Attacks on what a snapshot of an instance carries besides the database that is masked: each on a private server, with
//! `--scope instance`, as a role that is no superuser and as one that is.

use anyhow::{Result, ensure};
use contract::exit_codes;
use contract::report::{ScrubStatus, Verdict};
use e2e::command::ends_with;
use e2e::postgres::{Database, FAST, MASTER, Server};
use e2e::scrub::{Attack, files_with};

const RULES: &str = "  customer: { columns: { id: keep, email: email } }\n";

/// What a master user cannot do on a server that is not the platform's: lock its superuser.
const ACCEPT: &str = "  accept:
    - { check: postgres.login-roles, reason: the superuser of a test server }
    - { check: postgres.role-passwords, reason: the superuser of a test server }\n";

fn shop<'a>(server: &'a Server) -> Result<Database<'a>> {
    let database = server.database("shop")?;
    database.query_as_master(
        "CREATE TABLE customer (id int PRIMARY KEY, email text);
         INSERT INTO customer SELECT g, 'canary' || g || '@corp.test' FROM generate_series(1, 100) g",
    )?;
    Ok(database)
}

fn count(database: &Database<'_>, sql: &str) -> Result<i64> {
    Ok(database.query(&format!("SELECT count(*) FROM {sql}"))?.trim().parse()?)
}

/// The maintenance database and the template are empty, and nothing else is there.
#[test]
fn a_server_of_its_own_passes() -> Result<()> {
    let server = Server::private(FAST)?;
    let database = shop(&server)?;
    let run = Attack::on(&database, RULES).rules(ACCEPT).instance().run()?;
    run.passes()?;
    let others = run.is("other-databases", ScrubStatus::Done)?;
    assert_eq!(others, "decided: postgres (empty), template1 (empty)");
    for id in ["wal", "shared-catalogs", "leftover-files", "server-logs"] {
        run.is(id, ScrubStatus::Residual)?;
    }
    assert_eq!(run.verdict, Verdict::Passed);
    Ok(())
}

#[test]
fn another_database_that_nobody_has_decided() -> Result<()> {
    let server = Server::private(FAST)?;
    let (database, other) = (shop(&server)?, server.database("analytics")?);
    other
        .query_as_master("CREATE TABLE visit (email text); INSERT INTO visit VALUES ('canary')")?;
    let name = other.name().to_owned();
    let refused = |rules: &str, said: &str| -> Result<()> {
        let directory = tempfile::tempdir()?;
        let rules = format!("{ACCEPT}{rules}");
        let run =
            Attack::on(&database, RULES).rules(&rules).instance().try_run(directory.path())?;
        ends_with(&run, exit_codes::REFUSED, said)?;
        ensure!(count(&database, "pg_namespace WHERE nspname = 'anonymizer'")? == 0, "written to");
        Ok(())
    };
    refused("", &format!("database {name}: no rule decides it"))?;
    refused(
        &format!("  databases: {{ {name}: masked }}\n"),
        &format!("database {name}: no run has masked it"),
    )?;
    // What only claims to be masked is not.
    other.query_as_master(
        "CREATE SCHEMA anonymizer; CREATE TABLE anonymizer.statement (verdict text); INSERT INTO anonymizer.statement VALUES ('failed')",
    )?;
    refused(&format!("  databases: {{ {name}: masked }}\n"), "has not passed")?;
    other.query_as_master("UPDATE anonymizer.statement SET verdict = 'passed'")?;
    let rules = format!("{ACCEPT}  databases: {{ {name}: masked }}\n");
    let run = Attack::on(&database, RULES).rules(&rules).instance().run()?;
    run.passes()?;
    assert!(run.is("other-databases", ScrubStatus::Done)?.contains(&format!("{name} (masked)")));
    Ok(())
}

/// The text of a function, the labels of a type and an extension's rows may hold anything.
#[test]
fn a_database_without_tables_is_not_empty_for_that() -> Result<()> {
    for (object, name) in [
        ("CREATE FUNCTION mail_to() RETURNS text LANGUAGE sql AS $$ SELECT 'canary' $$", "mail_to"),
        ("CREATE TYPE customers AS ENUM ('canary')", "customers"),
        ("CREATE SCHEMA canary_gmbh", "canary_gmbh"),
        (
            "CREATE EXTENSION citext; CREATE TABLE visit AS SELECT 'canary' AS email; ALTER EXTENSION citext ADD TABLE visit",
            "visit",
        ),
    ] {
        let server = Server::private(FAST)?;
        let (database, other) = (shop(&server)?, server.database("analytics")?);
        let empty = server.database("empty")?;
        empty.query("CREATE EXTENSION hstore")?;
        let directory = tempfile::tempdir()?;
        let attack = || Attack::on(&database, RULES).rules(ACCEPT).instance();
        other.query(object)?;
        let run = attack().try_run(directory.path())?;
        assert_eq!(run.code, Some(exit_codes::REFUSED.into()), "{name}: {run:?}");
        let said = format!("no rule decides it, and it is not empty ({name}");
        assert!(run.stderr.contains(&said), "{run:?}");
        drop(other);
        attack().run()?.passes()?;
    }
    Ok(())
}

#[test]
fn another_database_is_dropped_by_rule() -> Result<()> {
    for (off, left) in [("postgres.other-databases", 1), ("", 0)] {
        let server = Server::private(FAST)?;
        let (database, other) = (shop(&server)?, server.database("analytics")?);
        other.query_as_master(
            "CREATE TABLE visit (email text); INSERT INTO visit VALUES ('canary')",
        )?;
        let rules = format!("{ACCEPT}  databases: {{ {}: drop }}\n", other.name());
        let run = Attack::on(&database, RULES).rules(&rules).instance().without(off).run()?;
        run.passes()?;
        assert_eq!(
            count(&database, &format!("pg_database WHERE datname = '{}'", other.name()))?,
            left
        );
    }
    Ok(())
}

/// A hash that could be cracked, a role that owns a table here, and one that was locked by hand and kept its hash.
const ROLES: &[&str] = &[
    "CREATE ROLE grafana LOGIN PASSWORD 'canary-one'",
    "CREATE ROLE report_daily LOGIN PASSWORD 'canary-two'",
    "CREATE ROLE dormant NOLOGIN PASSWORD 'canary-three'",
    "CREATE ROLE rds_impostor LOGIN PASSWORD 'canary-four'",
    "CREATE ROLE rdsadmin SUPERUSER",
    "CREATE TABLE kept (id int); ALTER TABLE kept OWNER TO report_daily",
    "GRANT SELECT ON customer TO report_daily",
];

#[test]
fn passwords_of_roles() -> Result<()> {
    let hashes = "pg_authid WHERE rolpassword IS NOT NULL AND rolname IN ('grafana', 'report_daily', 'dormant', 'rds_impostor')";
    let rules = format!("{ACCEPT}  roles: {{ 'report_*': drop, grafana: lock }}\n");
    let tables = &format!("{RULES}  kept: {{ columns: {{ id: keep }} }}\n");
    for (off, left) in [("postgres.login-roles,postgres.role-passwords", 4), ("", 0)] {
        let server = Server::private(FAST)?;
        let database = shop(&server)?;
        database.query_each(ROLES)?;
        // From version 16 on the right to make roles is none over those that somebody else has made.
        database.query(&format!(
            "DO $$ BEGIN IF current_setting('server_version_num')::int >= 160000 THEN
               EXECUTE 'GRANT grafana, report_daily, dormant, rds_impostor TO {MASTER} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE';
             END IF; END $$"
        ))?;
        let run = Attack::on(&database, tables).rules(&rules).instance().without(off).run()?;
        run.passes()?;
        assert_eq!(count(&database, hashes)?, left, "without `{off}`");
        if left > 0 {
            continue;
        }
        let detail = run.is("login-roles", ScrubStatus::Accepted)?;
        assert!(
            detail.starts_with("not locked or dropped: postgres (locked) (insufficient privilege"),
            "{detail}"
        );
        assert!(
            detail.contains("grafana (locked), rds_impostor (locked), report_daily (dropped)"),
            "{detail}"
        );
        assert_eq!(count(&database, "pg_roles WHERE rolname = 'report_daily'")?, 0);
        assert_eq!(
            count(
                &database,
                "pg_roles WHERE rolname IN ('grafana', 'rds_impostor') AND rolcanlogin"
            )?,
            0
        );
        let owner = database.query("SELECT tableowner FROM pg_tables WHERE tablename = 'kept'")?;
        assert_eq!(owner.trim(), MASTER);
        assert_eq!(
            count(&database, &format!("pg_roles WHERE rolname = '{MASTER}' AND rolcanlogin"))?,
            1
        );
        assert!(
            run.check("login-roles")?
                .undo
                .contains(&"ALTER ROLE \"grafana\" LOGIN PASSWORD '…'".to_owned())
        );
    }
    Ok(())
}

/// Nothing is left of a hash on any page, where a superuser asks.
#[test]
fn bytes_of_a_password_hash() -> Result<()> {
    for (off, left) in [("postgres.shared-catalogs", true), ("", false)] {
        let server = Server::private(FAST)?;
        let database = shop(&server)?;
        database.query("CREATE ROLE grafana LOGIN PASSWORD 'canary-one'")?;
        let hash = database.query("SELECT rolpassword FROM pg_authid WHERE rolname = 'grafana'")?;
        let run = Attack::on(&database, RULES)
            .url(database.superuser_url())
            .instance()
            .without(off)
            .run()?;
        run.passes()?;
        run.is("login-roles", ScrubStatus::Done)?;
        ensure!(files_with(&database, hash.trim())?.is_empty() != left, "without `{off}`");
    }
    Ok(())
}

#[test]
fn settings_of_a_role() -> Result<()> {
    for (off, left) in [("postgres.role-settings", 1), ("", 0)] {
        let server = Server::private(FAST)?;
        let database = shop(&server)?;
        database.query_each(&[
            "CREATE ROLE grafana LOGIN",
            "ALTER ROLE grafana SET app.token = 'canary'",
            "ALTER ROLE grafana SET work_mem = '5MB'",
        ])?;
        let run = Attack::on(&database, RULES)
            .url(database.superuser_url())
            .instance()
            .without(off)
            .run()?;
        run.passes()?;
        assert_eq!(
            count(&database, "pg_db_role_setting WHERE setconfig::text LIKE '%canary%'")?,
            left
        );
        assert_eq!(
            count(&database, "pg_db_role_setting WHERE setconfig::text LIKE '%work_mem%'")?,
            1
        );
    }
    Ok(())
}

#[test]
fn a_slot_that_holds_old_rows_and_log() -> Result<()> {
    let server = Server::private(FAST)?;
    let database = shop(&server)?;
    database.query_each(&[
        "ALTER TABLE customer ALTER email SET STATISTICS 10",
        "ANALYZE",
        &format!("ALTER ROLE {MASTER} REPLICATION"),
        "SELECT pg_create_logical_replication_slot('tap', 'test_decoding')",
        "SELECT pg_create_physical_replication_slot('standby', true)",
    ])?;
    let run = Attack::on(&database, RULES).rules(ACCEPT).instance().run()?;
    run.passes()?;
    assert_eq!(run.is("replication-slots", ScrubStatus::Done)?, "dropped: standby, tap");
    assert_eq!(count(&database, "pg_replication_slots")?, 0);
    run.is("column-statistics", ScrubStatus::Done)?;
    assert_eq!(files_with(&database, "@corp.test")?, Vec::<std::path::PathBuf>::new());
    for command in &run.check("replication-slots")?.undo {
        database.query(command)?;
    }
    assert_eq!(count(&database, "pg_replication_slots")?, 2);
    Ok(())
}

#[test]
fn texts_of_statements() -> Result<()> {
    let mut settings = FAST.to_vec();
    settings.push("shared_preload_libraries=pg_stat_statements");
    settings.push("pg_stat_statements.track_utility=on");
    let secret =
        "pg_stat_statements WHERE query LIKE '%canary%PASSWORD%' OR query LIKE '%PASSWORD%canary%'";
    for (off, here, left) in
        [("postgres.query-texts", true, true), ("", true, false), ("", false, false)]
    {
        let server = Server::private(&settings)?;
        let database = shop(&server)?;
        database.query("CREATE ROLE grafana PASSWORD 'canary-text'")?;
        if here {
            database.query("CREATE EXTENSION pg_stat_statements")?;
        }
        let run = Attack::on(&database, RULES)
            .url(database.superuser_url())
            .instance()
            .without(off)
            .run()?;
        run.passes()?;
        if !here {
            assert_eq!(count(&database, "pg_extension WHERE extname = 'pg_stat_statements'")?, 0);
            database.query("CREATE EXTENSION pg_stat_statements")?;
        }
        assert_eq!(count(&database, secret)? > 0, left);
    }
    // Without the right to forget them, a whole server may not leave.
    let server = Server::private(&settings)?;
    let database = shop(&server)?;
    let run = Attack::on(&database, RULES).rules(ACCEPT).instance().run()?;
    run.is("query-texts", ScrubStatus::Failed)?;
    assert_eq!(run.verdict, Verdict::Failed);
    Ok(())
}

#[test]
fn a_prepared_transaction_elsewhere() -> Result<()> {
    let server = Server::private(FAST)?;
    let (database, other) = (shop(&server)?, server.database("other")?);
    other.query("BEGIN; SELECT txid_current(); PREPARE TRANSACTION 'left over'")?;
    let run = Attack::on(&database, RULES).rules(ACCEPT).instance().run()?;
    assert!(run.is("prepared-transactions", ScrubStatus::Failed)?.contains("left over"));
    other.query("ROLLBACK PREPARED 'left over'").map(drop)
}

/// A file that a crash has left, as a superuser sees it and nobody may remove by SQL.
#[test]
fn a_file_that_belongs_to_no_table() -> Result<()> {
    let server = Server::private(FAST)?;
    let database = shop(&server)?;
    let directory = database.directories()?.swap_remove(0);
    std::fs::write(directory.join("999999"), "canary")?;
    let run = Attack::on(&database, RULES).url(database.superuser_url()).run()?;
    let found = run.is("leftover-files", ScrubStatus::Failed)?;
    assert!(found.starts_with("they belong to no relation: base/"), "{found}");
    assert!(found.ends_with("/999999"), "{found}");
    Ok(())
}

#[test]
fn a_file_in_a_tablespace_that_belongs_to_no_table() -> Result<()> {
    for planted in [false, true] {
        let server = Server::private(FAST)?;
        let database = shop(&server)?;
        let Some(data) = database.data_directory() else { return Ok(()) };
        database.query_each(&[
            "SET allow_in_place_tablespaces = on",
            "CREATE TABLESPACE archive LOCATION ''",
            "ALTER TABLE customer SET TABLESPACE archive",
        ])?;
        let file = database.query("SELECT pg_relation_filepath('customer')")?;
        let directory = data.join(file.trim()).with_file_name("");
        if planted {
            std::fs::write(directory.join("999999"), "canary")?;
        }
        let run = Attack::on(&database, RULES).url(database.superuser_url()).run()?;
        let status = if planted { ScrubStatus::Failed } else { ScrubStatus::NotNeeded };
        let found = run.is("leftover-files", status)?;
        assert!(!planted || found.ends_with("/999999") && found.contains("pg_tblspc/"), "{found}");
    }
    Ok(())
}

/// A verdict for a database says nothing about the server around it.
#[test]
fn a_finished_database_is_not_done_for_the_whole_server() -> Result<()> {
    let server = Server::private(FAST)?;
    let database = shop(&server)?;
    let attack = || Attack::on(&database, RULES).rules(ACCEPT);
    attack().run()?.passes()?;
    let report = tempfile::tempdir()?;
    let wider = attack().instance().try_run(report.path())?;
    ensure!(wider.code == Some(i32::from(contract::exit_codes::REFUSED)), "{wider:?}");
    ensure!(wider.stderr.contains("masked with --scope database"), "{}", wider.stderr);
    let same = attack().try_run(report.path())?;
    ensure!(same.stdout.contains("nothing to do"), "{same:?}");
    Ok(())
}
