//! What newer versions of PostgreSQL have and older ones lack: it goes through a run as it was, or refuses the run by name.
//!
//! Each feature is built where the server has it, so that the same tests say something on every version.

use anyhow::{Result, ensure};
use contract::exit_codes;
use e2e::command::{Finished, ends_with, finish, skipped, with_rules};
use e2e::masked::same_lines;
use e2e::postgres::{Database, MASTER, Server};
use e2e::rows;

/// From which version on, the statements that make tables, and the rules of these.
type Feature = (u32, &'static str, &'static str);

/// A constraint that nobody has validated holds for the rows that stay, or is about masked values.
const ALWAYS: Feature = (
    13,
    "CREATE TABLE late (id int PRIMARY KEY, word text, born int);
     INSERT INTO late SELECT g, 'canary ' || g, g - 2 FROM generate_series(1, 50) g;
     ALTER TABLE late ADD CONSTRAINT late_born CHECK (born >= 0) NOT VALID,
       ADD CONSTRAINT late_word CHECK (word <> 'canary 9') NOT VALID;",
    r#"  late: { delete_rows: "id = 1", columns: { word: redact, "*": keep } }
"#,
);

const MULTIRANGES: Feature = (
    14,
    "CREATE TABLE spans (id int PRIMARY KEY, days datemultirange NOT NULL, numbers int8multirange, word text);
     INSERT INTO spans SELECT g, datemultirange(daterange('2020-01-01', '2020-01-02'), daterange('2021-01-01', '2022-01-01')),
       int8multirange(int8range(g, g + 2)), 'canary ' || g % 5 FROM generate_series(1, 500) g;
     CREATE STATISTICS spoken (mcv) ON lower(word), (id % 3) FROM spans;
     CREATE TABLE spans_gone AS SELECT * FROM spans;
     ALTER TABLE spans_gone ALTER days SET NOT NULL, ALTER word SET NOT NULL;
     ANALYZE spans, spans_gone;
     CREATE PROCEDURE doubled(a int, OUT b int) LANGUAGE sql BEGIN ATOMIC SELECT a * 2; END;",
    r#"  spans: { columns: { days: keep, numbers: keep, word: redact, "*": keep } }
  spans_gone: truncate
"#,
);

const COMPRESSION: Feature = (
    14,
    "CREATE TABLE packed (id int PRIMARY KEY, word text, note text COMPRESSION pglz);
     DO $$ BEGIN IF 'lz4' = ANY (SELECT unnest(enumvals) FROM pg_settings WHERE name = 'default_toast_compression') THEN
       ALTER TABLE packed ALTER note SET COMPRESSION lz4; END IF; END $$;
     INSERT INTO packed SELECT g, 'canary', repeat('the same again and ', 300) FROM generate_series(1, 50) g;",
    r#"  packed: { columns: { word: redact, note: keep, "*": keep } }
"#,
);

const NULLS: Feature = (
    15,
    "CREATE TABLE badge (id int PRIMARY KEY, code text UNIQUE NULLS NOT DISTINCT, word text);
     INSERT INTO badge SELECT g, CASE WHEN g > 1 THEN 'canary ' || g END, 'canary' FROM generate_series(1, 50) g;
     CREATE PUBLICATION few FOR TABLE badge (id, word) WHERE (id > 3);",
    r#"  badge: { columns: { code: hash, word: redact, "*": keep } }
"#,
);

const PARTITIONS: Feature = (
    17,
    "CREATE EXTENSION btree_gist;
     CREATE TABLE stay (id int GENERATED ALWAYS AS IDENTITY, room int NOT NULL, during int4range, guest text,
       EXCLUDE USING gist (room WITH =, during WITH &&)) PARTITION BY LIST (room);
     CREATE TABLE stay_1 PARTITION OF stay FOR VALUES IN (1);
     CREATE TABLE stay_rest PARTITION OF stay DEFAULT;
     INSERT INTO stay (room, during, guest) SELECT g % 3, int4range(g, g + 1), 'canary' FROM generate_series(1, 50) g;
     GRANT MAINTAIN ON stay TO pg_monitor;
     CREATE COLLATION plain (provider = builtin, locale = 'C.UTF-8');
     CREATE TABLE collated (id int PRIMARY KEY, word text COLLATE plain UNIQUE);
     INSERT INTO collated SELECT g, 'canary ' || g FROM generate_series(1, 50) g;",
    r#"  stay: { columns: { id: { function: hash }, during: keep, guest: redact, "*": keep } }
  collated: { columns: { word: hash, "*": keep } }
"#,
);

/// Each guest stays twice without a break, and has one meal that lasts from one stay into the other.
const PERIODS: Feature = (
    18,
    "CREATE TABLE lodger (guest int, during daterange, who text, PRIMARY KEY (guest, during WITHOUT OVERLAPS));
     INSERT INTO lodger SELECT g, d, 'canary' FROM generate_series(1, 20) g,
       unnest(ARRAY[daterange('2020-01-01', '2020-02-01'), daterange('2020-02-01', '2020-03-01')]) d;
     CREATE TABLE meal (id int PRIMARY KEY, guest int, at daterange, dish text,
       CONSTRAINT meal_lodger FOREIGN KEY (guest, PERIOD at) REFERENCES lodger (guest, PERIOD during));
     INSERT INTO meal SELECT g, g, daterange('2020-01-20', '2020-02-10'), 'canary' FROM generate_series(1, 20) g;",
    r#"  lodger:
    delete_rows: "guest = 1 AND lower(during) = '2020-02-01'"
    cascade: true
    columns: { guest: { function: hash, domain: guest }, during: keep, who: redact }
  meal: { columns: { guest: { function: hash, domain: guest }, at: keep, dish: redact, "*": keep } }
"#,
);

const CONSTRAINTS: Feature = (
    18,
    "CREATE TABLE loose (id int PRIMARY KEY, word text CHECK (word IN ('a', 'b')) NOT ENFORCED, span_id int,
       CONSTRAINT loose_span FOREIGN KEY (span_id) REFERENCES spans NOT ENFORCED);
     INSERT INTO loose VALUES (1, 'canary', 2), (2, 'a', 999);
     CREATE TABLE unsure (id int CONSTRAINT unsure_id NOT NULL NO INHERIT, word text, twice text GENERATED ALWAYS AS (word || word));
     INSERT INTO unsure SELECT g, 'canary ' || g FROM generate_series(1, 50) g;
     ALTER TABLE unsure ADD CONSTRAINT unsure_word NOT NULL word NOT VALID;
     COMMENT ON CONSTRAINT unsure_word ON unsure IS 'nobody has looked';",
    r#"  loose: { columns: { word: redact, "*": keep } }
  unsure: { columns: { word: redact, "*": keep } }
"#,
);

const FEATURES: [Feature; 7] =
    [ALWAYS, MULTIRANGES, COMPRESSION, NULLS, PARTITIONS, PERIODS, CONSTRAINTS];

/// The server's major version.
fn major() -> Result<u32> {
    Ok(Server::shared()?.version()? / 10_000)
}

/// A database with those features that its server has, and rules for them.
fn build(features: &[Feature]) -> Result<(Database<'static>, String)> {
    let (database, major) = (Server::shared()?.database("versions")?, major()?);
    let mut rules = "version: 1\ntables:\n".to_owned();
    for (_, statements, tables) in features.iter().filter(|(since, ..)| *since <= major) {
        database.query_as_master(statements)?;
        rules.push_str(tables);
    }
    Ok((database, rules))
}

fn run(url: &str, rules: &str) -> Result<Finished> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), rules)?;
    finish(with_rules("run", url, file.path())?.arg("--yes"))
}

#[test]
fn everything_is_as_it_was_but_the_values() -> Result<()> {
    let (database, rules) = build(&FEATURES)?;
    let major = major()?;
    let packing = "SELECT DISTINCT pg_column_compression(note) FROM packed";
    let packed = if major >= 14 { database.query(packing)? } else { String::new() };
    let schema = database.schema()?;
    ends_with(&run(&database.url(), &rules)?, exit_codes::OK, "")?;
    same_lines("schema", &schema, &database.schema()?)?;
    ensure!(!database.data()?.contains("canary"), "an original is left");
    let sampled = "SELECT count(*) FROM pg_stats WHERE most_common_vals::text || histogram_bounds::text LIKE '%canary%'";
    assert_eq!(database.query(sampled)?, "0\n");
    assert_eq!(database.query("SELECT count(*), min(born) FROM late")?, "49|0\n");
    if major >= 14 {
        assert_eq!(database.query(packing)?, packed, "compressed as before");
        let expressions =
            "SELECT count(*) FROM pg_stats_ext_exprs WHERE most_common_vals::text LIKE '%canary%'";
        assert_eq!(database.query(expressions)?, "0\n");
        let of_gone = "SELECT count(*) FROM pg_stats WHERE tablename = 'spans_gone' AND most_common_vals IS NOT NULL";
        assert_eq!(database.query(of_gone)?, "0\n");
        let kept =
            "SELECT count(*) FROM spans WHERE numbers @> id::bigint AND days @> date '2021-06-01'";
        assert_eq!(database.query(kept)?, "500\n");
    }
    if major >= 15 {
        assert_eq!(database.query("SELECT count(*), count(DISTINCT code) FROM badge")?, "50|49\n");
    }
    if major >= 17 {
        // The next row gets a number of its own.
        database.query("INSERT INTO stay (room, during, guest) VALUES (9, '[1,2)', 'new')")?;
        let repeated = "SELECT count(*) - count(DISTINCT id) FROM stay";
        assert_eq!(database.query(repeated)?, "0\n");
    }
    if major >= 18 {
        let left = "SELECT (SELECT count(*) FROM lodger), (SELECT count(*) FROM meal), (SELECT count(DISTINCT guest) FROM meal)";
        assert_eq!(database.query(left)?, "39|19|19\n", "one meal was not paid for to its end");
        assert_eq!(database.query("SELECT span_id FROM loose ORDER BY id")?, "2\n999\n");
    }
    Ok(())
}

/// Subjects of findings, by version.
const REFUSED: &[(u32, &str, &str)] = &[
    (13, "late_born of public.late", "INSERT INTO late VALUES (51, 'canary', -1)"),
    (18, "unsure_word of public.unsure", "INSERT INTO unsure VALUES (51, NULL)"),
    (
        18,
        "meal_lodger of public.meal",
        "INSERT INTO meal VALUES (51, 2, daterange('2020-02-20', '2020-03-10'))",
    ),
];

#[test]
fn rows_that_could_not_be_put_back_are_told_before_anything_is_written() -> Result<()> {
    let (database, rules) = build(&FEATURES)?;
    let major = major()?;
    let here = || REFUSED.iter().filter(|(since, ..)| *since <= major);
    // What is violated is dropped for the moment; triggers are those of foreign keys.
    let mut spoil = "SET session_replication_role = replica;
        ALTER TABLE late DROP CONSTRAINT late_born;"
        .to_owned();
    if major >= 18 {
        spoil.push_str("ALTER TABLE unsure DROP CONSTRAINT unsure_word;");
    }
    for (_, _, statement) in here() {
        spoil.push_str(&format!("{statement};"));
    }
    spoil.push_str("ALTER TABLE late ADD CONSTRAINT late_born CHECK (born >= 0) NOT VALID;");
    if major >= 18 {
        spoil.push_str("ALTER TABLE unsure ADD CONSTRAINT unsure_word NOT NULL word NOT VALID;");
    }
    database.query(&spoil)?;
    let before = (database.schema()?, rows::all(&database)?);
    let finished = run(&database.url(), &rules)?;
    for (_, subject, _) in here() {
        ends_with(&finished, exit_codes::REFUSED, subject)?;
    }
    same_lines("schema", &before.0, &database.schema()?)?;
    same_lines("rows", &before.1, &rows::all(&database)?)
}

/// Whatever fires leaves a row in a table that the run has emptied.
const HEARD: &str = "
    CREATE TABLE heard (what text);
    CREATE FUNCTION hear() RETURNS event_trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO public.heard VALUES (tg_event); END $$;
    CREATE EVENT TRIGGER on_command ON ddl_command_end EXECUTE FUNCTION hear();";

#[test]
fn event_triggers_keep_silent_or_refuse_the_run() -> Result<()> {
    let (database, rules) = build(&[ALWAYS])?;
    let rules = format!("{rules}  heard: truncate\n");
    let logs_in = major()? >= 17;
    let at_login = "CREATE EVENT TRIGGER on_login ON login EXECUTE FUNCTION hear();
        ALTER EVENT TRIGGER on_login ENABLE ALWAYS; GRANT INSERT ON heard TO PUBLIC;";
    database.query(&format!("{HEARD}{}", if logs_in { at_login } else { "" }))?;
    if logs_in {
        let said = "event trigger on_login: fires for every session of a run";
        ends_with(&run(&database.url(), &rules)?, exit_codes::REFUSED, said)?;
    }
    ends_with(&run(&database.superuser_url(), &rules)?, exit_codes::OK, "")?;
    // Who asks has logged in.
    let heard = database.query("SELECT count(*) FROM heard")?;
    assert_eq!(heard, if logs_in { "1\n" } else { "0\n" });
    let states = database.query("SELECT evtname, evtenabled FROM pg_event_trigger ORDER BY 1")?;
    assert_eq!(states, if logs_in { "on_command|O\non_login|A\n" } else { "on_command|O\n" });
    Ok(())
}

/// Whoever mends a leak may enable it before he looks again, or drop what wrote the leak.
#[test]
fn an_event_trigger_that_is_enabled_or_dropped_after_a_failed_verdict() -> Result<()> {
    let (database, rules) = build(&[])?;
    let leaky = "CREATE TABLE client (id int PRIMARY KEY, email text, note text);
        INSERT INTO client SELECT g, 'canary' || g || '@corp.test', 'canary' || g || '@corp.test' FROM generate_series(1, 50) g;";
    database.query(&format!(
        "{leaky}{HEARD} CREATE EVENT TRIGGER stays ON sql_drop EXECUTE FUNCTION hear()"
    ))?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("rules.yaml");
    let tables =
        "  client: { columns: { email: email, note: keep, '*': keep } }\n  heard: truncate\n";
    std::fs::write(&file, format!("{rules}{tables}"))?;
    let run = || {
        let mut command = with_rules("run", &database.superuser_url(), &file)?;
        finish(command.args(["--yes", "--state"]).arg(directory.path().join("state")))
    };
    let silenced = "SELECT name, restore[1] FROM anonymizer.taken_down WHERE kind = 'event_trigger' ORDER BY id";
    ends_with(&run()?, exit_codes::VERIFY_FAILED, "public.client.note")?;
    let before = database.query(silenced)?;
    assert_eq!(before.lines().count(), 2, "{before}");
    database.query("ALTER EVENT TRIGGER stays ENABLE ALWAYS")?;
    ends_with(&run()?, exit_codes::VERIFY_FAILED, "public.client.note")?;
    assert_eq!(database.query(silenced)?, before);
    database.query("DROP EVENT TRIGGER on_command; UPDATE client SET note = NULL")?;
    ends_with(&run()?, exit_codes::OK, "")?;
    assert_eq!(database.query("SELECT evtname, evtenabled FROM pg_event_trigger")?, "stays|O\n");
    assert_eq!(database.query(silenced)?, "");
    Ok(())
}

/// From version 16 on a role that somebody makes can be his to grant and to become, and yet lend him no rights.
#[test]
fn a_membership_that_lends_no_rights_lends_them_for_the_run() -> Result<()> {
    if major()? < 16 {
        skipped(
            "a membership that lends no rights",
            "before version 16 a role itself says what it inherits",
        );
        return Ok(());
    }
    let (database, rules) = build(&[ALWAYS])?;
    let lender = format!("anonymizer_test_lender_{}", std::process::id());
    database.query_as_master(&format!(
        "SET createrole_self_grant = 'set'; CREATE ROLE {lender}; GRANT CREATE ON SCHEMA public TO {lender};
         ALTER TABLE late OWNER TO {lender}"
    ))?;
    let memberships = format!(
        "SELECT grantor::regrole, admin_option, inherit_option, set_option FROM pg_auth_members
          WHERE roleid = '{lender}'::regrole AND member = '{MASTER}'::regrole ORDER BY grantor"
    );
    let before = database.query(&memberships)?;
    assert_eq!(before.lines().count(), 2, "{before}");
    ends_with(&run(&database.url(), &rules)?, exit_codes::OK, "")?;
    assert_eq!(database.query(&memberships)?, before);
    database.query(&format!("DROP OWNED BY {lender}; DROP ROLE {lender}"))?;
    Ok(())
}
