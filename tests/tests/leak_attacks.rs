//! Attacks on the promise that nothing leaves: each a place in which an original survives, and a rules file that keeps it.
//!
//! One masked database holds them all. Each test is named for its attack and asks what the gate said about its place; a last
//! one holds that the gate said nothing else.

use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};
use contract::exit_codes;
use contract::report::{Gate, Report, Verdict};
use contract::statement::Statement;
use e2e::command::{Finished, ends_with, finish, scenario, with_rules};
use e2e::postgres::Server;

struct Run {
    finished: Finished,
    report: Report,
}

/// The one run.
fn run() -> Result<&'static Run> {
    static RUN: OnceLock<Result<Run, String>> = OnceLock::new();
    let run = RUN.get_or_init(|| start().map_err(|error| format!("{error:#}")));
    run.as_ref().map_err(|error| anyhow::anyhow!("{error}"))
}

fn start() -> Result<Run> {
    let database = Server::shared()?.database("leaks")?;
    database.load(&scenario("leaks/schema.sql"), &[])?;
    let directory = tempfile::tempdir()?;
    let mut command = with_rules("run", &database.url(), &scenario("leaks/rules.yaml"))?;
    let finished = finish(command.arg("--yes").arg("--report").arg(directory.path()))?;
    let bytes = std::fs::read(directory.path().join("report.json"))
        .with_context(|| format!("no report: {finished:#?}"))?;
    let report = Statement::read(&bytes).context("the report is no statement")?.predicate;
    Ok(Run { finished, report })
}

fn gate() -> Result<&'static Gate> {
    Ok(&run()?.report.gate)
}

/// How many values leak a kind in a place.
fn leaked(place: &str, kind: &str) -> Result<u64> {
    let leaks = &gate()?.leaks;
    let found = leaks.iter().find(|leak| leak.place == place && leak.kind == kind);
    let found = found.with_context(|| format!("no leak of {kind} in {place}: {leaks:#?}"))?;
    ensure!(found.reason.is_none(), "{place} is allowed");
    Ok(found.count)
}

#[test]
fn a_note_repeats_a_customers_address() -> Result<()> {
    assert_eq!(leaked("public.tickets.body", "email")?, 1);
    Ok(())
}

#[test]
fn a_note_repeats_a_telephone_number_in_its_national_form() -> Result<()> {
    assert_eq!(leaked("public.tickets.reply", "phone")?, 1);
    Ok(())
}

#[test]
fn a_note_repeats_an_account_number_in_groups() -> Result<()> {
    assert_eq!(leaked("public.tickets.reply", "iban")?, 1);
    Ok(())
}

#[test]
fn a_note_repeats_a_name_the_other_way_round() -> Result<()> {
    assert_eq!(leaked("public.tickets.reply", "full_name")?, 1);
    Ok(())
}

#[test]
fn an_audit_table_keeps_the_old_row_as_json() -> Result<()> {
    for kind in ["email", "phone", "username", "street_address", "secret"] {
        assert_eq!(leaked("public.audit.old_row", kind)?, 10, "{kind}");
    }
    Ok(())
}

#[test]
fn a_log_keeps_an_address_percent_encoded() -> Result<()> {
    assert_eq!(leaked("public.log_line.request", "email")?, 1);
    Ok(())
}

#[test]
fn a_log_keeps_an_address_in_base64() -> Result<()> {
    assert_eq!(leaked("public.log_line.payload", "email")?, 1);
    Ok(())
}

#[test]
fn bytes_hold_addresses_in_utf_8_and_utf_16() -> Result<()> {
    assert_eq!(leaked("public.log_line.raw", "email")?, 2);
    Ok(())
}

#[test]
fn an_array_holds_an_address() -> Result<()> {
    assert_eq!(leaked("public.mailing.recipients", "email")?, 1);
    Ok(())
}

#[test]
fn a_kept_column_is_full_of_telephone_numbers() -> Result<()> {
    let suspects = &gate()?.suspects;
    let found = suspects.iter().find(|suspect| suspect.column == "public.supplier.hotline");
    let found = found.with_context(|| format!("no suspect: {suspects:#?}"))?;
    assert_eq!((found.kind.as_str(), found.sampled, found.matched), ("phone", 40, 40));
    Ok(())
}

#[test]
fn a_masks_path_leads_nowhere() -> Result<()> {
    assert_eq!(leaked("public.customers.code", "other")?, 400);
    Ok(())
}

#[test]
fn the_catalog_quotes_addresses() -> Result<()> {
    let places: Vec<&str> = gate()?
        .leaks
        .iter()
        .map(|leak| leak.place.as_str())
        .filter(|place| place.contains(' '))
        .collect();
    for what in ["comment on", "default of", "check ", "index "] {
        ensure!(
            places.iter().any(|place| place.starts_with(what)),
            "no leak in {what}…: {places:?}"
        );
    }
    Ok(())
}

#[test]
fn what_the_rules_allow_is_reported_with_its_reason() -> Result<()> {
    let suspect =
        gate()?.suspects.iter().find(|suspect| suspect.column == "public.products.support_email");
    assert_eq!(
        suspect.and_then(|suspect| suspect.reason.as_deref()),
        Some("the shop's own addresses")
    );
    Ok(())
}

#[test]
fn nothing_else_is_found() -> Result<()> {
    let places = [
        "tickets.",
        "audit.",
        "log_line.",
        "mailing.",
        "customers.code",
        "comment on ",
        "default of ",
        "check ",
        "index ",
    ];
    for leak in &gate()?.leaks {
        let place = leak.place.strip_prefix("public.").unwrap_or(&leak.place);
        ensure!(places.iter().any(|known| place.starts_with(known)), "{leak:?}");
    }
    for suspect in &gate()?.suspects {
        let known = [
            "public.supplier.hotline",
            "public.products.support_email",
            "public.mailing.recipients",
            "public.audit.old_row",
            "public.customers.birth_date",
        ];
        ensure!(known.contains(&suspect.column.as_str()), "{suspect:?}");
    }
    Ok(())
}

#[test]
fn how_alone_rows_are_is_told() -> Result<()> {
    let anonymity = gate()?.anonymity.iter().find(|table| table.table == "public.customers");
    let anonymity = anonymity.context("customers are not looked at")?;
    assert_eq!(anonymity.columns, ["birth_date", "city"]);
    assert_eq!((anonymity.rows, anonymity.k, anonymity.alone), (401, 1, 401));
    Ok(())
}

#[test]
fn the_run_fails_and_names_places_and_counts() -> Result<()> {
    let Run { finished, report } = run()?;
    assert_eq!(report.verdict, Verdict::Failed);
    let told = &report.gate;
    assert!(told.originals > 2_000 && told.values > 5_000 && told.bytes > told.values);
    assert!(told.false_positive_rate < 1e-3 && !told.passed);
    ends_with(
        finished,
        exit_codes::VERIFY_FAILED,
        "public.tickets.body: originals (email) in 1 value",
    )
}
