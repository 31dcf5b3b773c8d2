//! Originals that no function of the rules calls by their kind: names in two columns, columns that are hashed or removed,
//! tables that are emptied, what a document's paths leave. Each test runs once more with its defence switched off, and then
//! nothing is found.

use anyhow::{Result, ensure};
use contract::exit_codes;
use e2e::gate::{at, leaks, run, suspects};
use e2e::sqlite::File;

const FAILED: Option<i32> = Some(exit_codes::VERIFY_FAILED as i32);

/// Each place that leaks is one value that quotes one row; everything else of `place` quotes nobody.
fn hold(name: &str, schema: &str, rules: &str, expected: &[&str], defence: &str) -> Result<()> {
    let (code, gate) = run(name, schema, rules, "")?;
    assert_eq!(leaks(&gate), expected);
    assert_eq!(code, FAILED);
    let (code, gate) = run(&format!("{name}_off"), schema, rules, defence)?;
    ensure!(leaks(&gate).is_empty() && code == Some(0), "{code:?} {gate:#?}");
    Ok(())
}

const NAMES: &str = "
CREATE TABLE customer (id int PRIMARY KEY, first_name text, last_name text, second_name text);
INSERT INTO customer SELECT i, 'Maria' || chr(97 + i), 'Gonzalez' || chr(97 + i), 'Lopez' || chr(97 + i) FROM generate_series(0, 25) i;
INSERT INTO customer VALUES (100, 'Nobody', 'Stays', NULL), (101, 'Gone', 'Forever', NULL), (102, 'Half', NULL, NULL);
CREATE TABLE ticket (id int PRIMARY KEY, body text, audit jsonb);
INSERT INTO ticket VALUES (1, 'Mariab Gonzalezb called about her parcel.', NULL), (2, 'LOPEZC, MARIAC', NULL), (3, 'x', NULL),
    (4, NULL, '{\"id\": 4, \"first_name\": \"Mariad\", \"last_name\": \"Gonzalezd\"}'), (5, 'Gone Forever wrote.', NULL),
    (6, 'Nobody Stays here. Mariae is not Gonzalezf.', NULL), (7, 'Mariag Gonzalezh', NULL);";

const NAMES_MASKED: &str = "version: 1
tables:
  customer:
    skip_rows: id = 100
    delete_rows: id = 101
    columns: { first_name: first_name, last_name: last_name, second_name: last_name, '*': keep }
  ticket: { columns: { body: keep, audit: keep, '*': keep } }
";

#[test]
fn a_note_repeats_a_name_that_two_columns_hold() -> Result<()> {
    let expected = ["public.ticket.audit full_name 1", "public.ticket.body full_name 3"];
    hold("two_columns", NAMES, NAMES_MASKED, &expected, "gate.names")
}

const SQLITE: &str = "
CREATE TABLE customer (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, full_name TEXT);
INSERT INTO customer VALUES (1, 'Maria', 'Gonzalez', NULL), (2, 'Ada', 'Byron', NULL), (3, 'Gone', 'Forever', NULL), (4, 'Half', NULL, NULL),
    (5, 'Nobody', 'Stays', NULL);
CREATE TABLE lead (id INTEGER PRIMARY KEY, email TEXT, first_name TEXT, last_name TEXT);
INSERT INTO lead VALUES (1, 'kim@leads.fr', 'Kim', 'Leader');
CREATE TABLE ticket (id INTEGER PRIMARY KEY, body TEXT);
INSERT INTO ticket VALUES (1, 'Maria Gonzalez called.'), (2, 'Gone Forever wrote.'), (3, 'Nobody Stays here'), (4, 'ask kim@leads.fr'),
    (5, 'Kim Leader wrote.');";

const SQLITE_MASKED: &str = "version: 1
tables:
  customer:
    skip_rows: id = 5
    delete_rows: id = 3
    columns: { id: keep, first_name: first_name, last_name: { function: last_name, seed: id }, full_name: redact }
  lead: truncate
  ticket: { columns: { id: keep, body: keep } }
";

#[test]
fn names_of_two_columns_and_emptied_tables_are_looked_for_in_sqlite() -> Result<()> {
    for (off, code, expected) in [
        ("", FAILED, &["main.ticket.body email 1", "main.ticket.body full_name 3"][..]),
        ("gate.names", FAILED, &["main.ticket.body email 1"]),
        ("gate.naming,gate.names", Some(0), &[]),
    ] {
        let file = File::new(SQLITE);
        let (found, gate) = at(&file.url(), SQLITE_MASKED, off)?;
        assert_eq!(leaks(&gate), expected, "{off}");
        assert_eq!(found, code, "{off}");
    }
    Ok(())
}

const BLIND: &str = "
CREATE TABLE customer (id int PRIMARY KEY, email text, full_name text, phone text, login varchar(40), first text, surname text, value text,
    note text, kept text, phones text[], settings jsonb);
INSERT INTO customer SELECT i, 'ada' || i || '@shop.fr', 'Ada Canary' || chr(97 + i), '06123456' || 10 + i, 'canary_' || 1000 + i, 'Ada',
    'Canary', 'extra' || i || '@shop.fr', 'She wrote from help' || i || '@shop.fr.', 'unsaid' || i || '@shop.fr',
    ARRAY['07123456' || 10 + i], jsonb_build_object('name', 'Ada', 'to', jsonb_build_array('inside' || i || '@shop.fr'))
    FROM generate_series(1, 20) i;
CREATE TABLE ticket (id int PRIMARY KEY, body text);
INSERT INTO ticket SELECT i, 'Nothing to see.' FROM generate_series(1, 300) i;
UPDATE ticket SET body = 'Ada1@shop.fr and Ada Canaryc and canary_1004' WHERE id = 1;
UPDATE ticket SET body = 'Call +33 6 12 34 56 15 or mail to extra7@shop.fr' WHERE id = 2;
UPDATE ticket SET body = 'help3@shop.fr and unsaid4@shop.fr' WHERE id = 3;
UPDATE ticket SET body = 'inside9@shop.fr, or 07 12 34 56 17' WHERE id = 4;";

const BLINDLY_MASKED: &str = "version: 1
tables:
  customer:
    columns: { email: hash, full_name: redact, phone: nullify, login: { function: partial, keep_first: 2 }, value: hash, first: redact,
      surname: redact, note: redact, phones: nullify, settings: redact, kept: { function: hash, identifies: false }, '*': keep }
  ticket: { columns: { body: keep, '*': keep } }
";

#[test]
fn columns_are_hashed_or_removed_and_a_note_repeats_them() -> Result<()> {
    let place = "public.ticket.body";
    let expected = [("email", 3), ("full_name", 1), ("phone", 2), ("username", 1)]
        .map(|(kind, count)| format!("{place} {kind} {count}"));
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    hold("blind", BLIND, BLINDLY_MASKED, &expected, "gate.naming,gate.names")
}

const EMPTIED: &str = "
CREATE TABLE lead (id int, mail text, first_name text, last_name text, at timestamptz, payload text) PARTITION BY RANGE (id);
CREATE TABLE lead_low PARTITION OF lead FOR VALUES FROM (0) TO (10);
CREATE TABLE lead_high PARTITION OF lead FOR VALUES FROM (10) TO (100);
INSERT INTO lead SELECT i, 'lead' || i || '@shop.fr', 'Eva', 'Lead' || chr(97 + i), now(), repeat('x', 1000) FROM generate_series(1, 20) i;
CREATE TABLE ticket (id int PRIMARY KEY, body text);
INSERT INTO ticket VALUES (1, 'lead3@shop.fr and LEAD14@shop.fr'), (2, 'Eva Leadd and Eva Leado'), (3, 'lead21@shop.fr');
INSERT INTO ticket SELECT i, 'Nothing to see.' FROM generate_series(4, 100) i;";

const EMPTIED_BY: &str = "version: 1
tables:
  lead: truncate
  ticket: { columns: { body: keep, '*': keep } }
";

#[test]
fn a_table_is_emptied_and_a_note_quotes_its_rows() -> Result<()> {
    let expected = ["public.ticket.body email 1", "public.ticket.body full_name 1"];
    hold("emptied", EMPTIED, EMPTIED_BY, &expected, "gate.naming")
}

const DOCUMENTS: &str = "
CREATE TABLE account (id int PRIMARY KEY, profile jsonb, address jsonb);
INSERT INTO account SELECT i, jsonb_build_object('email', 'a' || i || '@shop.fr', 'tel', '+336123456' || 10 + i,
        'more', jsonb_build_array(jsonb_build_object('alt', 'b' || i || '@shop.fr'))),
    jsonb_build_object('street', i || ' Main Street', 'zip', '75' || 100 + i) FROM generate_series(1, 40) i;";

const DOCUMENTS_MASKED: &str = "version: 1
tables:
  account:
    columns:
      profile: { function: json, paths: { $.email: email, $.tel: phone } }
      address: { function: json, paths: { $.street: street_address } }
      '*': keep
";

#[test]
fn a_document_masked_in_part_is_full_of_addresses_elsewhere() -> Result<()> {
    let (code, gate) = run("documents", DOCUMENTS, DOCUMENTS_MASKED, "")?;
    assert_eq!(suspects(&gate), ["public.account.profile email 40/40"]);
    assert_eq!((code, gate.leaks.len()), (FAILED, 0));
    let all = DOCUMENTS_MASKED.replace("$.tel: phone", "$.tel: phone, '$.more[*].alt': email");
    for (name, rules, off) in
        [("documents_all", all.as_str(), ""), ("documents_off", DOCUMENTS_MASKED, "gate.rest")]
    {
        let (code, gate) = run(name, DOCUMENTS, rules, off)?;
        ensure!(suspects(&gate).is_empty() && code == Some(0), "{name}: {gate:#?}");
    }
    Ok(())
}

const PATHS: &str = "
CREATE TABLE customer (id int PRIMARY KEY, login text);
INSERT INTO customer SELECT i, 'jschmitz_' || i FROM generate_series(1, 90) i;
CREATE TABLE log (id int PRIMARY KEY, line text);
INSERT INTO log VALUES (1, 'GET /users/jschmitz_1/avatar.png'), (2, '/home/jschmitz_77/mail'), (3, '@jschmitz_70'),
    (4, 'sshd: accepted jschmitz_21@10.0.0.1'), (5, 'GET /users/jschmitz/2024/01'), (6, 'jschmitz_3@shop.test');";

const PATHS_MASKED: &str = "version: 1
tables:
  customer: { columns: { login: username, '*': keep } }
  log: { columns: { line: keep, '*': keep } }
";

#[test]
fn a_path_and_a_handle_name_a_user() -> Result<()> {
    hold("paths", PATHS, PATHS_MASKED, &["public.log.line username 4"], "gate.segments")
}
