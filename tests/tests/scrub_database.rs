//! Attacks on what a snapshot carries besides rows, inside one database: each is planted, the run scrubs it, and with its
//! defence switched off it is still there.
//!
//! The run's role is a master user as hosting providers give it, no superuser.

use anyhow::{Result, ensure};
use contract::exit_codes;
use contract::report::{ScrubStatus, Verdict};
use e2e::postgres::{Database, MASTER, Server};
use e2e::scrub::{Attack, files_with};

const RULES: &str = "  customer: { columns: { id: keep, email: email } }\n";

/// A customer with an address to mask, and what the attack plants. So few statistics are not compressed.
fn planted(name: &str, plant: &str) -> Result<Database<'static>> {
    let database = Server::shared()?.database(name)?;
    database.query_as_master(
        "CREATE TABLE customer (id int PRIMARY KEY, email text); ALTER TABLE customer ALTER email SET STATISTICS 10;
         INSERT INTO customer SELECT g, 'canary' || g || '@corp.test' FROM generate_series(1, 1000) g; ANALYZE",
    )?;
    if !plant.is_empty() {
        database.query_as_master(plant)?;
    }
    Ok(database)
}

fn count(database: &Database<'_>, sql: &str) -> Result<i64> {
    Ok(database.query(&format!("SELECT count(*) FROM {sql}"))?.trim().parse()?)
}

#[test]
fn every_check_is_there_in_its_order_and_a_plain_database_passes() -> Result<()> {
    let database = planted("plain", "")?;
    let run = Attack::on(&database, RULES).run()?;
    run.passes()?;
    let ids: Vec<&str> = run.checks.iter().map(|check| check.id.as_str()).collect();
    let known: Vec<&str> = anonymizer::scrub::checks_of("postgres").map(|check| check.id).collect();
    assert_eq!(ids, known);
    assert_eq!(run.verdict, Verdict::Passed);
    run.is("masked-tables", ScrubStatus::Done)?;
    run.is("column-statistics", ScrubStatus::Done)?;
    Ok(())
}

/// What an UPDATE would leave: old rows in the heap, old entries in the indexes.
#[test]
fn dead_tuples_and_index_leftovers_of_a_masked_table() -> Result<()> {
    for (off, left) in [("postgres.masked-tables", true), ("", false)] {
        let database =
            planted("rewritten", "CREATE UNIQUE INDEX customer_email ON customer (email)")?;
        let run = Attack::on(&database, RULES).without(off).run()?;
        run.passes()?;
        let files = files_with(&database, "@corp.test")?;
        for relation in ["customer", "customer_email"] {
            let file = database.query(&format!("SELECT pg_relation_filenode('{relation}')"))?;
            let found =
                files.iter().any(|path| path.file_name().is_some_and(|name| name == file.trim()));
            ensure!(found == left, "{relation} without `{off}`: {files:?}");
        }
        ensure!(left || files.is_empty(), "{files:?}");
    }
    Ok(())
}

#[test]
fn column_statistics() -> Result<()> {
    for (off, left) in [("postgres.column-statistics", true), ("", false)] {
        let database = planted("statistics", "")?;
        Attack::on(&database, RULES).without(off).run()?.passes()?;
        let files = files_with(&database, "@corp.test")?;
        ensure!(files.is_empty() != left, "without `{off}`: {files:?}");
    }
    Ok(())
}

#[test]
fn extended_statistics() -> Result<()> {
    for (off, left) in [("postgres.extended-statistics", true), ("", false)] {
        let plant = "CREATE TABLE visit (email text, city text); CREATE STATISTICS both_of (mcv) ON email, city FROM visit;
            INSERT INTO visit SELECT 'canary' || g % 3 || '@far.test', 'city' || g % 3 FROM generate_series(1, 1000) g;
            ALTER STATISTICS both_of SET STATISTICS 10; ANALYZE visit";
        let database = planted("extended", plant)?;
        let rules = &format!("{RULES}  visit: {{ columns: {{ email: email, city: redact }} }}\n");
        Attack::on(&database, rules).without(off).run()?.passes()?;
        let files = files_with(&database, "@far.test")?;
        ensure!(files.is_empty() != left, "without `{off}`: {files:?}");
    }
    Ok(())
}

/// What ANALYZE passes over, what nobody has masked, what belongs to another server: all of it has samples of values.
#[test]
fn statistics_that_analyze_would_not_gather_again() -> Result<()> {
    let remote = tempfile::NamedTempFile::new()?;
    std::fs::write(remote.path(), "canary-remote@corp.test\n".repeat(500))?;
    std::fs::set_permissions(remote.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    let plant = "
        ALTER TABLE customer ALTER email SET STATISTICS 0;
        CREATE TABLE ticket (id int, subject text); ALTER TABLE ticket ALTER subject SET STATISTICS 10;
        INSERT INTO ticket SELECT g, 'from canary' || g % 5 || '@corp.test' FROM generate_series(1, 1000) g;
        CREATE TABLE done (subject text, size int); ALTER TABLE done ALTER subject SET STATISTICS 10;
        INSERT INTO done SELECT subject, length(subject) FROM ticket; CREATE STATISTICS of_done (mcv) ON subject, size FROM done;
        CREATE TABLE visit (at int, email text) PARTITION BY RANGE (at); CREATE TABLE visit_1 PARTITION OF visit DEFAULT;
        CREATE INDEX lowered ON visit_1 (lower(email));
        INSERT INTO visit SELECT g, 'canary' || g % 9 || '@corp.test' FROM generate_series(1, 1000) g;
        ANALYZE ticket, done, visit, visit_1;
        ALTER TABLE visit ALTER email SET STATISTICS 0; ALTER INDEX lowered ALTER COLUMN 1 SET STATISTICS 0;
        UPDATE ticket SET subject = 'closed'; DELETE FROM done";
    let rules = &format!(
        "{RULES}  ticket: {{ columns: {{ id: keep, subject: keep }} }}\n  done: {{ columns: {{ subject: keep, size: keep }} }}
  visit: {{ columns: {{ at: keep, email: email }} }}\n  remote: {{ columns: {{ email: keep }} }}\n"
    );
    for (off, left) in
        [("postgres.column-statistics,postgres.extended-statistics", true), ("", false)]
    {
        let database = planted("passed_over", plant)?;
        database.query(&format!(
            "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
             CREATE FOREIGN TABLE remote (email text) SERVER files OPTIONS (filename '{}');
             ALTER FOREIGN TABLE remote OWNER TO {MASTER}; GRANT pg_read_server_files TO {MASTER}; ANALYZE remote",
            remote.path().display()
        ))?;
        let run = Attack::on(&database, rules).without(off).run()?;
        let files = files_with(&database, "@corp.test")?;
        let names = database.query("SELECT relfilenode, oid::regclass FROM pg_class")?;
        ensure!(files.is_empty() != left, "without `{off}`: {files:?}, {:?} {names}", run.checks);
        let targets = "SELECT string_agg(attrelid::regclass::text, ' ' ORDER BY attrelid::regclass::text) FROM pg_attribute
            WHERE attstattarget = 0 AND attrelid::regclass::text IN ('customer', 'visit', 'lowered') AND attnum > 0";
        let passed_over = database.query(targets)?;
        assert_eq!(passed_over.trim(), "customer lowered visit", "ANALYZE passes over others now");
    }
    Ok(())
}

/// A customer was deleted from a kept table before the snapshot; VACUUM would leave the bytes.
#[test]
fn dead_tuples_of_a_kept_table() -> Result<()> {
    let plant = "CREATE TABLE ticket (id int, subject text);
        INSERT INTO ticket SELECT g, 'ticket ' || g FROM generate_series(1, 500) g;
        INSERT INTO ticket VALUES (501, 'from canary-forgotten@corp.test')";
    let rules = &format!("{RULES}  ticket: {{ columns: {{ id: keep, subject: keep }} }}\n");
    for (off, left) in [("postgres.kept-tables", true), ("", false)] {
        let database = planted("dead_tuples", plant)?;
        database.query_each(&["DELETE FROM ticket WHERE id = 501", "VACUUM ticket"])?;
        let run = Attack::on(&database, rules).without(off).run()?;
        run.passes()?;
        let files = files_with(&database, "canary-forgotten")?;
        ensure!(
            files.is_empty() != left,
            "without `{off}`: {files:?} {:?}",
            run.check("large-objects")?
        );
        assert_eq!(count(&database, "ticket")?, 500);
    }
    Ok(())
}

#[test]
fn a_rewrite_that_the_rules_accept_to_do_without() -> Result<()> {
    let plant = "CREATE TABLE ticket (id int, subject text); INSERT INTO ticket VALUES (1, 'x')";
    let database = planted("accepted", plant)?;
    let rules = &format!("{RULES}  ticket: {{ columns: {{ id: keep, subject: keep }} }}\n");
    let accept = "  accept: [{ check: postgres.kept-tables, reason: never updated }]\n";
    let file = "SELECT pg_relation_filenode('ticket')";
    let before = database.query(file)?;
    let run = Attack::on(&database, rules).rules(accept).run()?;
    run.passes()?;
    run.is("kept-tables", ScrubStatus::Accepted)?;
    assert_eq!(run.check("kept-tables")?.reason.as_deref(), Some("never updated"));
    assert_eq!(database.query(file)?, before);
    Ok(())
}

#[test]
fn a_materialized_view_and_its_statistics() -> Result<()> {
    let plant = "CREATE MATERIALIZED VIEW mails AS SELECT email FROM customer;
        CREATE MATERIALIZED VIEW later AS SELECT email FROM customer WITH NO DATA; ANALYZE mails";
    let database = planted("views", plant)?;
    let run = Attack::on(&database, RULES).run()?;
    let detail = run.passes()?.is("materialized-views", ScrubStatus::Done)?;
    assert_eq!(detail, "refreshed: public.mails");
    assert_eq!(count(&database, "mails WHERE email LIKE '%canary%'")?, 0);
    assert_eq!(files_with(&database, "@corp.test")?, Vec::<std::path::PathBuf>::new());
    Ok(())
}

/// A slot of logical decoding keeps old rows of every catalog, those of statistics among them.
#[test]
fn statistics_that_a_slot_holds_back() -> Result<()> {
    let server = Server::private(e2e::postgres::FAST)?;
    let database = server.database("held")?;
    database.query_as_master(
        "CREATE TABLE customer (id int PRIMARY KEY, email text); ALTER TABLE customer ALTER email SET STATISTICS 10;
         INSERT INTO customer SELECT g, 'canary' || g || '@corp.test' FROM generate_series(1, 1000) g; ANALYZE",
    )?;
    database.query("SELECT pg_create_logical_replication_slot('tap', 'test_decoding')")?;
    let run = Attack::on(&database, RULES).run()?;
    assert_eq!(run.verdict, Verdict::Failed);
    assert!(run.is("column-statistics", ScrubStatus::Failed)?.contains("slot tap"));
    assert_eq!(run.is("replication-slots", ScrubStatus::Reported)?, "left: tap");
    assert!(!files_with(&database, "@corp.test")?.is_empty(), "it is the slot that holds them");
    Ok(())
}

/// A transaction of another database keeps what VACUUM FULL would leave out, here for as long as a run takes.
#[test]
fn rows_that_a_transaction_elsewhere_holds_back() -> Result<()> {
    let server = Server::private(e2e::postgres::FAST)?;
    let (database, other) = (server.database("guest")?, server.database("neighbour")?);
    database.query_as_master(
        "CREATE TABLE customer (id int PRIMARY KEY, email text); ALTER TABLE customer ALTER email SET STATISTICS 10;
         INSERT INTO customer SELECT g, 'canary' || g || '@corp.test' FROM generate_series(1, 1000) g; ANALYZE;
         CREATE TABLE ticket (subject text); INSERT INTO ticket VALUES ('from canary-1@corp.test'), ('kept')",
    )?;
    database.query("DELETE FROM ticket WHERE subject <> 'kept'")?;
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| other.query("SELECT pg_current_xact_id(), pg_sleep(8)"));
        // Who only reads is not among the transactions: what ANALYZE in the background is.
        let reader = scope.spawn(|| {
            database.query_as_master("SELECT count(*), pg_sleep(12) FROM (VALUES (1)) one")
        });
        let rules = &format!("{RULES}  ticket: {{ columns: {{ subject: keep }} }}\n");
        let run = Attack::on(&database, rules).beside_clients().run()?;
        run.passes()?;
        let files = files_with(&database, "@corp.test")?;
        ensure!(files.is_empty(), "{files:?}");
        ensure!(reader.join().is_ok_and(|slept| slept.is_ok()), "the reader did not stay");
        ensure!(busy.join().is_ok_and(|slept| slept.is_ok()), "the neighbour did not stay");
        Ok(())
    })
}

const LARGE_OBJECT: &str = "SELECT lo_from_bytea(0, 'a letter of canary-letter@corp.test')";

#[test]
fn large_objects_are_decided_before_anything_is_written() -> Result<()> {
    let database = planted("letters", LARGE_OBJECT)?;
    let directory = tempfile::tempdir()?;
    let refused = Attack::on(&database, RULES).try_run(directory.path())?;
    e2e::command::ends_with(&refused, exit_codes::REFUSED, "1 large objects: undecided")?;
    assert_eq!(count(&database, "pg_namespace WHERE nspname = 'anonymizer'")?, 0);
    for (off, left) in [("postgres.large-objects", true), ("", false)] {
        let database = planted("letters", LARGE_OBJECT)?;
        let rules = "  large_objects: drop\n";
        let run = Attack::on(&database, RULES).rules(rules).without(off).run()?;
        let files = files_with(&database, "canary-letter")?;
        ensure!(
            files.is_empty() != left,
            "without `{off}`: {files:?} {:?}",
            run.check("large-objects")?
        );
        assert_eq!(count(&database, "pg_largeobject_metadata")? > 0, left);
    }
    Ok(())
}

/// The comment was changed before the snapshot; its old row is still in the catalog's file.
#[test]
fn an_old_comment() -> Result<()> {
    for (off, left) in [("postgres.catalogs", true), ("", false)] {
        let plant = "COMMENT ON TABLE customer IS 'like canary-comment@corp.test'";
        let database = planted("comment", plant)?;
        database.query_as_master("COMMENT ON TABLE customer IS 'customers'")?;
        Attack::on(&database, RULES).without(off).run()?.passes()?;
        ensure!(files_with(&database, "canary-comment")?.is_empty() != left, "without `{off}`");
    }
    Ok(())
}

const CALLERS: &str = "
    CREATE FUNCTION tell(t text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM dblink_exec('host=prod', t); END $$;
    CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM tell('x'); RETURN NEW; END $$;
    CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE TRIGGER tells AFTER INSERT ON customer FOR EACH ROW EXECUTE FUNCTION told();
    ALTER TABLE customer ENABLE ALWAYS TRIGGER tells;
    CREATE TRIGGER harmless AFTER INSERT ON customer FOR EACH ROW EXECUTE FUNCTION quiet();
    CREATE RULE telling AS ON DELETE TO customer DO ALSO SELECT tell('gone');
    CREATE TABLE spread (id int) PARTITION BY LIST (id);
    CREATE TABLE spread_rest PARTITION OF spread DEFAULT;
    CREATE TRIGGER tells_too AFTER INSERT ON spread FOR EACH ROW EXECUTE FUNCTION told()";

#[test]
fn a_trigger_and_a_rule_that_call_another_server() -> Result<()> {
    for (off, left) in [("postgres.triggers,postgres.rules", true), ("", false)] {
        let database = planted("callers", CALLERS)?;
        let rules = &format!("{RULES}  spread: {{ columns: {{ id: keep }} }}\n");
        let run = Attack::on(&database, rules).without(off).run()?;
        run.passes()?;
        let enabled = "pg_trigger WHERE tgname IN ('tells', 'tells_too') AND tgenabled <> 'D'";
        assert_eq!(count(&database, enabled)?, if left { 3 } else { 0 });
        assert_eq!(
            count(&database, "pg_rewrite WHERE rulename = 'telling' AND ev_enabled <> 'D'")? == 1,
            left
        );
        assert_eq!(
            count(&database, "pg_trigger WHERE tgname = 'harmless' AND tgenabled = 'O'")?,
            1
        );
        if left {
            continue;
        }
        assert_eq!(
            run.is("functions", ScrubStatus::Reported)?,
            "left: public.tell(text), public.told()"
        );
        for command in run.check("triggers")?.undo.iter().chain(&run.check("rules")?.undo) {
            database.query_as_master(command)?;
        }
        assert_eq!(count(&database, "pg_trigger WHERE tgname = 'tells' AND tgenabled = 'A'")?, 1);
        let of_tree = "pg_trigger WHERE tgname = 'tells_too' AND tgenabled = 'O'";
        assert_eq!(count(&database, of_tree)?, 2, "a partition has a copy");
        assert_eq!(
            count(&database, "pg_rewrite WHERE rulename = 'telling' AND ev_enabled = 'O'")?,
            1
        );
    }
    Ok(())
}

/// Only a superuser owns event triggers.
#[test]
fn an_event_trigger_that_calls_out() -> Result<()> {
    for (off, superuser, left) in
        [("postgres.event-triggers", true, true), ("", false, true), ("", true, false)]
    {
        let database = planted("events", "")?;
        database.query(
            "CREATE FUNCTION shout() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF false THEN PERFORM dblink('x', 'y'); END IF; END $$;
             CREATE EVENT TRIGGER shouts ON ddl_command_end EXECUTE FUNCTION shout()",
        )?;
        let url = if superuser { database.superuser_url() } else { database.url() };
        let run = Attack::on(&database, RULES).url(url).without(off).run()?;
        assert_eq!(count(&database, "pg_event_trigger WHERE evtenabled = 'D'")? == 0, left);
        if !superuser {
            assert!(
                run.is("event-triggers", ScrubStatus::Failed)?.starts_with("not disabled: shouts")
            );
            let said = "postgres.event-triggers: not disabled: shouts";
            e2e::command::ends_with(&run.finished, exit_codes::VERIFY_FAILED, said)?;
        }
    }
    Ok(())
}

#[test]
fn a_password_in_a_user_mapping_and_in_a_servers_options() -> Result<()> {
    for (off, left) in
        [("postgres.user-mappings,postgres.foreign-options,postgres.catalogs", true), ("", false)]
    {
        let database = planted("mapping", "")?;
        database.query(&format!(
            "CREATE EXTENSION postgres_fdw; GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO {MASTER};
             CREATE FOREIGN DATA WRAPPER plain; GRANT USAGE ON FOREIGN DATA WRAPPER plain TO {MASTER}"
        ))?;
        database.query_as_master(&format!(
            "CREATE SERVER prod FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db.corp.test');
             CREATE USER MAPPING FOR {MASTER} SERVER prod OPTIONS (user 'app', password 'canary-mapping');
             CREATE USER MAPPING FOR PUBLIC SERVER prod OPTIONS (user 'all', password 'canary-mapping');
             CREATE SERVER queue FOREIGN DATA WRAPPER plain OPTIONS (url 'amqp://app:canary-option@mq/', api_key 'canary-option', region 'eu')"
        ))?;
        let run = Attack::on(&database, RULES).without(off).run()?;
        run.passes()?;
        assert_eq!(count(&database, "pg_user_mappings")? > 0, left);
        for secret in ["canary-mapping", "canary-option"] {
            ensure!(files_with(&database, secret)?.is_empty() != left, "{secret} without `{off}`");
        }
        if !left {
            assert_eq!(
                run.is("foreign-options", ScrubStatus::Done)?,
                "dropped: api_key of server queue, url of server queue"
            );
            assert_eq!(count(&database, "pg_foreign_server WHERE srvoptions = '{region=eu}'")?, 1);
            assert_eq!(run.check("user-mappings")?.undo.len(), 2);
        }
    }
    Ok(())
}

/// Before version 16 only a superuser makes a subscription, and only its owner may drop it.
#[test]
fn a_subscription_with_its_connection_string() -> Result<()> {
    for (off, superuser, left) in
        [("postgres.subscriptions", true, true), ("", false, true), ("", true, false)]
    {
        let database = planted("subscriber", "CREATE PUBLICATION outlet FOR TABLE customer")?;
        let name = database.name();
        database.query(&format!(
            "CREATE SUBSCRIPTION \"{name}\" CONNECTION 'host=db.corp.test user=app password=canary-conninfo'
             PUBLICATION everything WITH (connect = false)"
        ))?;
        let url = if superuser { database.superuser_url() } else { database.url() };
        let run = Attack::on(&database, RULES).url(url).without(off).run()?;
        let there = format!("pg_subscription WHERE subname = '{name}'");
        assert_eq!(count(&database, &there)?, i64::from(left));
        assert_eq!(run.is("publications", ScrubStatus::Reported)?, "left: outlet");
        if left {
            // Otherwise the database cannot be dropped.
            let detach = format!("ALTER SUBSCRIPTION \"{name}\" SET (slot_name = NONE)");
            database.query_each(&[&detach, &format!("DROP SUBSCRIPTION \"{name}\"")])?;
        } else {
            run.is("subscriptions", ScrubStatus::Done)?;
            assert!(run.check("subscriptions")?.undo[0].contains("CONNECTION '…'"));
        }
        if !superuser {
            run.is("subscriptions", ScrubStatus::Failed)?;
            assert_eq!(run.verdict, Verdict::Failed);
        }
    }
    Ok(())
}

/// An application's own setting is a superuser's to set and to reset.
#[test]
fn an_applications_key_in_the_databases_settings() -> Result<()> {
    for (off, superuser, left) in
        [("postgres.database-settings", true, true), ("", false, true), ("", true, false)]
    {
        let database = planted("settings", "")?;
        let name = database.name();
        database.query(&format!(
            "ALTER DATABASE \"{name}\" SET app.jwt_key = 'canary-setting'; ALTER DATABASE \"{name}\" SET work_mem = '5MB';
             ALTER ROLE {MASTER} IN DATABASE \"{name}\" SET app.other = 'canary-setting';
             ALTER DATABASE \"{name}\" SET pg_trgm.similarity_threshold = '0.4'"
        ))?;
        let url = if superuser { database.superuser_url() } else { database.url() };
        let run = Attack::on(&database, RULES).url(url).without(off).run()?;
        let settings = database.query(
            "SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
             WHERE datname = current_database() ORDER BY 1",
        )?;
        assert_eq!(settings.contains("canary"), left, "{settings}");
        assert!(settings.contains("work_mem=5MB") && settings.contains("pg_trgm"));
        if !superuser {
            run.is("database-settings", ScrubStatus::Failed)?;
        }
    }
    Ok(())
}

/// pg_cron and pg_net are not installed here: tables that stand in for theirs, and belong to an extension as theirs do.
#[test]
fn a_cron_job_and_a_queue_of_requests() -> Result<()> {
    for (off, left) in [("postgres.cron-jobs,postgres.extension-tables", true), ("", false)] {
        let database = planted("cron", "")?;
        database.query(&format!(
            "CREATE EXTENSION citext; CREATE SCHEMA cron; CREATE SCHEMA net;
             CREATE TABLE cron.job (jobid bigint PRIMARY KEY, command text, database text DEFAULT current_database(), active bool DEFAULT true);
             CREATE TABLE cron.job_run_details (runid bigint, return_message text);
             CREATE TABLE net.http_request_queue (id bigint, body text);
             INSERT INTO cron.job VALUES (7, 'SELECT mail(''canary'')', current_database()), (9, 'SELECT 1', 'elsewhere');
             INSERT INTO cron.job_run_details VALUES (1, 'canary-run is no mail');
             INSERT INTO net.http_request_queue VALUES (1, 'canary-body');
             GRANT USAGE ON SCHEMA cron, net TO {MASTER}; GRANT ALL ON ALL TABLES IN SCHEMA cron, net TO {MASTER};
             ALTER EXTENSION citext ADD TABLE cron.job; ALTER EXTENSION citext ADD TABLE cron.job_run_details;
             ALTER EXTENSION citext ADD TABLE net.http_request_queue"
        ))?;
        let run = Attack::on(&database, RULES).without(off).run()?;
        assert_eq!(count(&database, "cron.job WHERE active AND jobid = 7")? > 0, left);
        assert_eq!(count(&database, "cron.job_run_details")? > 0, left);
        assert_eq!(count(&database, "net.http_request_queue")? > 0, left);
        assert_eq!(count(&database, "cron.job WHERE active AND jobid = 9")?, 1);
        if !left {
            let detail = run.is("cron-jobs", ScrubStatus::Done)?;
            assert!(detail.contains("job 9 of another database is left"), "{detail}");
            for command in &run.check("cron-jobs")?.undo {
                database.query_as_master(command)?;
            }
            assert_eq!(count(&database, "cron.job WHERE active")?, 2);
        }
    }
    Ok(())
}

#[test]
fn what_belongs_to_the_server_is_reported_and_left() -> Result<()> {
    let server = Server::private(e2e::postgres::FAST)?;
    let database = server.database("guest")?;
    database.query_as_master("CREATE TABLE customer (id int PRIMARY KEY, email text)")?;
    database.query(
        "CREATE ROLE grafana LOGIN PASSWORD 'canary-hash'; ALTER ROLE grafana SET app.token = 'canary';
         CREATE DATABASE analytics; SELECT pg_create_physical_replication_slot('standby')",
    ).or_else(|_| {
        database.query_each(&[
            "CREATE ROLE grafana LOGIN PASSWORD 'canary-hash'",
            "ALTER ROLE grafana SET app.token = 'canary'",
            "CREATE DATABASE analytics",
            "SELECT pg_create_physical_replication_slot('standby')",
        ])
    })?;
    let run = Attack::on(&database, RULES).run()?;
    run.passes()?;
    assert_eq!(run.is("login-roles", ScrubStatus::Reported)?, "left: grafana, postgres");
    assert_eq!(run.is("replication-slots", ScrubStatus::Reported)?, "left: standby");
    assert_eq!(run.is("role-settings", ScrubStatus::Reported)?, "left: app.token of grafana");
    assert!(run.is("other-databases", ScrubStatus::Reported)?.contains("analytics"));
    for id in ["role-passwords", "shared-catalogs", "wal", "server-logs"] {
        run.is(id, ScrubStatus::Reported)?;
    }
    assert_eq!(
        count(
            &database,
            "pg_authid WHERE rolname = 'grafana' AND rolcanlogin AND rolpassword IS NOT NULL"
        )?,
        1
    );
    Ok(())
}

/// Whatever a column held that was dropped since stays in its table's rows.
#[test]
fn bytes_of_a_dropped_column() -> Result<()> {
    let plant = "CREATE TABLE counter (id int, contact text);
        INSERT INTO counter SELECT g, 'canary' || g || '@corp.test' FROM generate_series(1, 100) g;
        ALTER TABLE counter DROP contact";
    let rules = &format!("{RULES}  counter: {{ columns: {{ id: keep }} }}\n");
    for (off, left) in [("postgres.kept-tables", true), ("", false)] {
        let database = planted("dropped", plant)?;
        Attack::on(&database, rules).without(off).run()?.passes()?;
        let files = files_with(&database, "@corp.test")?;
        ensure!(files.is_empty() != left, "without `{off}`: {files:?}");
    }
    Ok(())
}

#[test]
fn a_subscription_that_is_enabled() -> Result<()> {
    for scope in ["database", "instance"] {
        let server = Server::private(e2e::postgres::FAST)?;
        let database = server.database("subscribed")?;
        // The view is refreshed when the last table is masked.
        database.query(
            "CREATE TABLE customer (id int PRIMARY KEY, email text); CREATE TABLE kept (id int);
             INSERT INTO customer SELECT g, 'canary' || g || '@corp.test' FROM generate_series(1, 100) g;
             CREATE MATERIALIZED VIEW seen AS SELECT subenabled FROM pg_subscription",
        )?;
        database.query(
            "CREATE SUBSCRIPTION inlet CONNECTION 'host=127.0.0.1 port=1' PUBLICATION everything WITH (connect = false)",
        )?;
        database.query("ALTER SUBSCRIPTION inlet ENABLE")?;
        let rules = format!("{RULES}  kept: {{ columns: {{ id: keep }} }}\n");
        let attack = Attack::at(database.superuser_url(), &rules);
        if scope == "database" {
            let report = tempfile::tempdir()?;
            let finished = attack.try_run(report.path())?;
            ensure!(finished.code == Some(i32::from(exit_codes::REFUSED)), "{finished:?}");
            ensure!(
                finished.stderr.contains("subscription inlet: is enabled"),
                "{}",
                finished.stderr
            );
            assert_eq!(count(&database, "pg_namespace WHERE nspname = 'anonymizer'")?, 0);
        } else {
            attack.instance().run()?.is("subscriptions", ScrubStatus::Done)?;
            assert_eq!(
                database.query("SELECT * FROM seen")?.trim(),
                "f",
                "enabled while tables were masked"
            );
            continue;
        }
        let drop = [
            "ALTER SUBSCRIPTION inlet DISABLE",
            "ALTER SUBSCRIPTION inlet SET (slot_name = NONE)",
            "DROP SUBSCRIPTION inlet",
        ];
        database.query_each(&drop)?;
    }
    Ok(())
}
