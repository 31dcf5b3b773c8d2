//! After a run the hostile database is what it was before, but for what the rules say.
//!
//! All tests look at one masked copy; those that write make a copy of their own.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};
use contract::report::TableAction;
use e2e::command::{finish, scenario, skipped, with_rules};
use e2e::hostile::{self, CANARY, CANARY_UUID};
use e2e::masked::{Masked, same_lines};
use e2e::postgres::{Database, Server};
use e2e::rows;

/// Rows in the main tables.
const ROWS: usize = 20_000;

/// Conditions for the rows that stay; the members of age 0 were invited by members who are removed.
const STAYING: &[(&str, &str)] =
    &[("public.member", "age BETWEEN 1 AND 90"), ("public.to_empty", "false")];

fn masked() -> Result<&'static Masked<'static>> {
    static MASKED: OnceLock<Result<Masked<'static>, String>> = OnceLock::new();
    let masked = MASKED.get_or_init(|| {
        let masked = Server::shared()
            .and_then(|server| Masked::copy_of(server, hostile::build(server, ROWS)?, &rules()));
        masked.map_err(|error| format!("{error:#}"))
    });
    masked.as_ref().map_err(|error| anyhow::anyhow!("{error}"))
}

fn rules() -> PathBuf {
    scenario("hostile/rules.yaml")
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn the_schema_is_the_same() -> Result<()> {
    let Masked { original, masked, .. } = masked()?;
    same_lines("schema", &original.schema()?, &masked.schema()?)
}

#[test]
fn every_state_and_mark_is_the_same() -> Result<()> {
    let Masked { original, masked, .. } = masked()?;
    let states = scenario("hostile/states.sql");
    let before = original.read(&states)?;
    assert!(before.contains("person_left_behind|f|"), "the invalid index is in the original");
    same_lines("state", &sorted(&before), &sorted(&masked.read(&states)?))
}

#[test]
fn columns_hold_what_the_rules_say() -> Result<()> {
    masked()?.compare_columns(STAYING)
}

#[test]
fn rows_keep_together() -> Result<()> {
    let Masked { original, masked, report, .. } = masked()?;
    for table in report.tables.iter().filter(|table| table.action == TableAction::Rewrite) {
        let kept = table.columns.iter().filter(|column| column.function == "keep");
        let kept: Vec<_> = kept.map(|column| quoted(&column.name)).collect();
        if kept.len() > 1 && !table.name.contains("Sch.ema") {
            let condition = STAYING.iter().find(|(name, _)| *name == table.name);
            let condition = condition.map_or("true", |(_, condition)| condition);
            let before = rows::digest(original, &table.name, &kept, condition)?;
            assert_eq!(before, rows::digest(masked, &table.name, &kept, "true")?, "{}", table.name);
        }
    }
    Ok(())
}

#[test]
fn joins_hold() -> Result<()> {
    let Masked { original, masked, .. } = masked()?;
    let joins = [
        "SELECT count(*) FROM post o JOIN person p ON p.nickname = o.author",
        "SELECT count(*) FROM post o JOIN person p ON p.nickname = o.author AND p.id = o.person_id",
        "SELECT sum(p.code) FROM post o JOIN person p ON p.id = o.person_id",
        "SELECT count(*), sum(m.code) FROM person p JOIN person m ON m.id = p.manager",
        "SELECT count(*), sum(e.id * p.code) FROM event e JOIN person p ON p.id = e.person_id",
        "SELECT count(*), sum(n.id) FROM ticket t JOIN ticket_note n ON n.ticket_id = t.id",
        "SELECT count(*) FROM posts_of",
        "SELECT sum(posts) FROM busy",
        "SELECT count(*) FROM phone_book",
        "SELECT sum(count) FROM a_first_letter",
        "SELECT count(*) > 0 FROM letters",
        "SELECT count(*) FROM document",
        "SELECT count(*) FROM stamped",
        "SELECT count(*) FROM constant_names",
        "SELECT sum(array_length(matrix, 1) * 10 + array_length(matrix, 2)) FROM person",
        "SELECT sum((profile ->> 'visits')::int), count(profile #> '{homes,1}') FROM person",
    ];
    for join in joins {
        let before = original.query(join)?;
        assert!(before.trim() != "0", "an empty join proves nothing: {join}");
        assert_eq!(before, masked.query(join)?, "{join}");
    }
    Ok(())
}

#[test]
fn rules_that_name_rows_are_obeyed() -> Result<()> {
    let all = masked()?;
    let masked = &all.masked;
    assert_eq!(masked.query("SELECT count(*) FROM member WHERE age > 90")?.trim(), "0");
    let skipped = "SELECT count(*) FROM member WHERE email LIKE 'colleague%@ours.example'";
    let left: u64 = masked.query(skipped)?.trim().parse()?;
    let member = all.reported("public.member")?;
    assert_eq!((member.skipped_rows, member.deleted_rows), (left, 200));
    assert_eq!(masked.query("SELECT count(*) FROM to_empty")?.trim(), "0");
    Ok(())
}

#[test]
fn nothing_fired_and_nothing_was_said() -> Result<()> {
    let Masked { original, masked, finished, report } = masked()?;
    let fired = "SELECT count(*) FROM fired";
    assert_eq!(original.query(fired)?, masked.query(fired)?);
    let report = serde_json::to_string(report)?;
    let said = format!("{}{}{report}", finished.stdout, finished.stderr).to_lowercase();
    assert!(!said.contains(CANARY), "an original value was printed");
    Ok(())
}

#[test]
fn no_file_holds_an_original_value() -> Result<()> {
    let Masked { original, masked, .. } = masked()?;
    if original.directories()?.is_empty() {
        let because = "the server's files are not on this machine";
        skipped("no_file_holds_an_original_value", because);
        return Ok(());
    }
    masked.query("CHECKPOINT")?;
    for place in
        ["person", "person_email_key", "phone_book", "pg_statistic", "pg_statistic_ext_data"]
    {
        let path = original.query(&format!("SELECT pg_relation_filepath('{place}')"))?;
        let path = original.data_directory().context("a private server")?.join(path.trim());
        assert!(
            !holding(&[path])?.is_empty(),
            "{place} holds no canary, so this test proves nothing"
        );
    }
    let toast =
        "SELECT pg_relation_filepath(reltoastrelid) FROM pg_class WHERE oid = 'person'::regclass";
    let toast =
        original.data_directory().context("a private server")?.join(original.query(toast)?.trim());
    assert!(!holding(&[toast])?.is_empty(), "TOAST holds no canary, so this test proves nothing");
    let found = holding(&masked.directories()?)?;
    assert!(found.is_empty(), "original values in {found:#?}\n{:#?}", relations(masked, &found)?);
    Ok(())
}

/// Files below these places in which a canary stands, in whatever case, or the canary of uuids.
fn holding(places: &[PathBuf]) -> Result<Vec<String>> {
    let uuid: String = CANARY_UUID.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    let mut found = Vec::new();
    for pattern in [["-iF", CANARY], ["-P", &uuid]] {
        let output = Command::new("grep")
            .env("LC_ALL", "C")
            .arg("-rla")
            .args(pattern)
            .args(places)
            .output()?;
        ensure!(output.stderr.is_empty(), "grep: {}", String::from_utf8_lossy(&output.stderr));
        found.extend(String::from_utf8(output.stdout)?.lines().map(str::to_owned));
    }
    Ok(found)
}

/// The names of the relations that are stored in these files.
fn relations(database: &Database<'_>, files: &[String]) -> Result<Vec<String>> {
    let listed = database.query("SELECT pg_relation_filepath(oid) || ' ' || relname FROM pg_class WHERE relkind IN ('r', 'i', 't', 'm')")?;
    let is_found = |line: &&str| {
        files.iter().any(|file| line.split(' ').next().is_some_and(|path| file.ends_with(path)))
    };
    Ok(listed.lines().filter(is_found).map(str::to_owned).collect())
}

#[test]
fn check_and_preview_write_nothing_and_tell_nothing() -> Result<()> {
    let copy = Server::shared()?.copy(&masked()?.original, "looked_at")?;
    let before = copy.schema()?;
    for verb in ["check", "preview"] {
        let finished = finish(&mut with_rules(verb, &copy.url(), &rules())?)?;
        assert_eq!(finished.code, Some(0), "{verb}: {}", finished.stderr);
        let said = format!("{}{}", finished.stdout, finished.stderr).to_lowercase();
        assert!(!said.contains(CANARY), "{verb} prints an original value");
    }
    same_lines("schema", &before, &copy.schema()?)?;
    assert_eq!(
        copy.query("SELECT count(*) FROM pg_namespace WHERE nspname = 'anonymizer'")?,
        "0\n"
    );
    Ok(())
}

#[test]
fn the_masked_database_works() -> Result<()> {
    let copy = Server::shared()?.copy(&masked()?.masked, "works")?;
    copy.query_as_master(
        "INSERT INTO ticket (title) SELECT 'new' FROM generate_series(1, 1000);
         INSERT INTO visit SELECT i, 'again' FROM generate_series(1, 30) i ON CONFLICT (id) DO UPDATE SET hits = visit.hits + 1;
         UPDATE event SET happened = '2021-05-05' WHERE id IN (1, 2, 3);
         UPDATE event SET happened = '2030-05-05' WHERE id = 4;
         INSERT INTO member VALUES (10001, 'new@ours.example', 1);
         DELETE FROM person WHERE code = 2;
         INSERT INTO document (title) VALUES ('new');
         INSERT INTO letter (title) VALUES ('new');
         REFRESH MATERIALIZED VIEW CONCURRENTLY phone_book",
    )?;
    let moved = "SELECT count(*) FROM event_2021 WHERE id IN (1, 2, 3) AND happened = '2021-05-05'";
    assert_eq!(copy.query(moved)?.trim(), "3");
    assert_eq!(copy.query("SELECT count(*) FROM visit WHERE hits = 2")?.trim(), "30");
    assert_eq!(copy.query_as_master("SELECT count(*) FROM account")?.trim(), "0", "row security");
    let new_person =
        "INSERT INTO person (code, email, nickname, first_name, last_name, token, created)
        VALUES (1000001, 'a@b.example', 'newcomer', 'New', 'Comer', gen_random_uuid(), now())";
    copy.query_as_master(new_person)?;
    let fired =
        copy.query("SELECT DISTINCT what FROM fired WHERE what LIKE 'person%' ORDER BY 1")?;
    assert_eq!(fired, "person fire_always\nperson fire_late\nperson fire_origin\n");
    Ok(())
}

#[test]
fn the_masked_database_refuses_what_it_refused() -> Result<()> {
    let copy = Server::shared()?.copy(&masked()?.masked, "refuses")?;
    let refused = [
        (
            "INSERT INTO post (author, person_id) SELECT 'nobody', id FROM person LIMIT 1",
            "post_author_fkey",
        ),
        ("INSERT INTO ticket_note (ticket_id) VALUES (-5)", "ticket_note_ticket_id_fkey"),
        (
            "INSERT INTO booking SELECT room, during, 'x' FROM booking WHERE room > 0 LIMIT 1",
            "booking_no_overlap",
        ),
        ("INSERT INTO event_note VALUES (-1, '2020-01-01', 'x')", "event_note_event_fkey"),
        ("INSERT INTO account VALUES (100000, 'x', 'y', 1, 1)", "account"),
        (
            "UPDATE member SET email = (SELECT upper(email) FROM member ORDER BY id LIMIT 1) WHERE id = 2",
            "member_email_key",
        ),
        ("SELECT * FROM not_yet", "not_yet"),
        ("UPDATE chicken SET egg_id = -1", "chicken_egg_fkey"),
        ("DELETE FROM egg WHERE id = 1", "egg"),
    ];
    for (statement, because) in refused {
        let error = copy.query_as_master(statement).err();
        let error = error.with_context(|| format!("{statement}: was accepted"))?;
        assert!(format!("{error:#}").contains(because), "{statement}: {error:#}");
    }
    Ok(())
}

#[test]
fn a_second_run_has_nothing_to_do() -> Result<()> {
    let copy = Server::shared()?.copy(&masked()?.masked, "second")?;
    let before = rows::columns(&copy, &[])?;
    let finished = finish(with_rules("run", &copy.url(), &rules())?.arg("--yes"))?;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    assert_eq!(before, rows::columns(&copy, &[])?);
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
