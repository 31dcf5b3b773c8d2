//! What the page shows, in the words and the order in which it shows it. The template only lays it out.

use contract::dsse::Envelope;
use contract::report::{
    Anonymity, ColumnReport, Gate, Leak, Report, ScrubCheck, ScrubStatus, Suspect, TableAction,
    TableReport, Verdict,
};
use contract::statement::{Statement, sha256};
use serde::Serialize;

use super::chart::{Chart, chart};
use crate::digits::{count, duration, size, thousands};
use crate::finding::printable;

/// The classes of columns in the order of a table's bar, with what the legend calls them.
const CLASSES: &[(&str, &str)] = &[
    ("suppression", "suppressed"),
    ("pseudonymization", "pseudonymised"),
    ("generalization", "generalised"),
    ("noise", "noise added"),
    ("keep", "kept"),
    ("generated", "computed by the database"),
];

/// The groups of scrub checks, most pressing first.
const GROUPS: &[(ScrubStatus, &str, &str, &str)] = &[
    (ScrubStatus::Failed, "failed", "Failed", "Could not be done. The database may not leave."),
    (
        ScrubStatus::Residual,
        "residual",
        "Residual risk",
        "The platform lets no tenant look or change. What is named here may still hold old bytes, and leaves with a snapshot.",
    ),
    (
        ScrubStatus::Accepted,
        "accepted",
        "Accepted by the rules",
        "Could not be done, and the rules say why that is acceptable.",
    ),
    (
        ScrubStatus::Reported,
        "reported",
        "Reported, not changed",
        "Belongs to the server or is only looked at. A copy of this database alone does not carry it; a snapshot of the server does.",
    ),
    (ScrubStatus::Done, "done", "Done", "There was something, and it is gone or disabled."),
    (ScrubStatus::NotNeeded, "none", "Not needed", "There was nothing."),
];

/// Everything on the page.
#[derive(Serialize)]
pub struct View {
    passed: bool,
    database: String,
    /// Why the verdict is what it is, one sentence each.
    because: Vec<String>,
    /// Number, what it counts, and whether it should alarm.
    tiles: Vec<(String, String, bool)>,
    /// Name, value, and whether the value is a digest or a name rather than words.
    facts: Vec<(&'static str, String, bool)>,
    legend: &'static [(&'static str, &'static str)],
    tables: Vec<Table>,
    gate: GateView,
    checks: Vec<Group>,
    charts: Vec<Chart>,
    anonymity: Vec<AnonymityView>,
    notes: Vec<String>,
    /// Name, words, share of the longest in percent.
    phases: Vec<(String, String, f64)>,
    signed_by: Vec<String>,
    raw: String,
}

#[derive(Serialize)]
struct Table {
    name: String,
    action: &'static str,
    summary: String,
    /// What the bar says, for those who do not see it.
    spoken: String,
    /// Class, first percent, width in percent.
    bar: Vec<(&'static str, f64, f64)>,
    details: Vec<String>,
    columns: Vec<Column>,
}

#[derive(Serialize)]
struct Column {
    name: String,
    data_type: String,
    function: String,
    class: &'static str,
    words: &'static str,
    values: String,
    nulls: String,
    changed: String,
    identifies: Option<String>,
}

#[derive(Serialize)]
struct GateView {
    facts: Vec<(&'static str, String)>,
    leaks: Vec<Found>,
    suspects: Vec<Found>,
    allowed: Vec<Found>,
}

/// Something that was found in a place.
#[derive(Serialize)]
struct Found {
    place: String,
    what: String,
    reason: Option<String>,
}

#[derive(Serialize)]
struct Group {
    css: &'static str,
    title: &'static str,
    meaning: &'static str,
    count: usize,
    /// Of interest at first sight.
    open: bool,
    checks: Vec<ScrubCheck>,
}

#[derive(Serialize)]
struct AnonymityView {
    table: String,
    columns: Vec<String>,
    rows: String,
    k: String,
    alone: String,
}

/// Puts the page together.
pub fn view(bytes: &[u8], statement: &Statement, envelope: Option<&Envelope>) -> View {
    let report = &statement.predicate;
    View {
        passed: report.verdict == Verdict::Passed,
        database: named(&report.database),
        because: because(report),
        tiles: tiles(report),
        facts: facts(report, statement, bytes),
        legend: CLASSES,
        tables: report.tables.iter().map(table).collect(),
        gate: gate(&report.gate),
        checks: GROUPS.iter().filter_map(|group| checks(&report.checks, group)).collect(),
        charts: charts(report),
        anonymity: report.gate.anonymity.iter().map(anonymity).collect(),
        notes: report.notes.iter().map(|note| named(note)).collect(),
        phases: phases(report),
        signed_by: envelope.map(signers).unwrap_or_default(),
        raw: String::from_utf8_lossy(bytes).lines().map(named).collect::<Vec<_>>().join("\n"),
    }
}

/// Names may hold what would draw: line breaks, escapes, marks that turn the direction of writing.
fn named(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let text = printable(text);
    if !text.contains(turns) {
        return text.into_owned();
    }
    let shown = |c: char| if turns(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

fn because(report: &Report) -> Vec<String> {
    let Gate { originals, values, leaks, suspects, passed, .. } = &report.gate;
    let places: Vec<&str> =
        leaks.iter().filter(|leak| leak.reason.is_none()).map(|leak| leak.place.as_str()).collect();
    let found = places.len() as u64;
    let looks = suspects.iter().filter(|suspect| suspect.reason.is_none()).count() as u64;
    let with = |status| report.checks.iter().filter(|check| check.status == status).count() as u64;
    let mut sentences = Vec::new();
    sentences.push(match (found, *originals) {
        (0, 0) if masked_texts(report) > 0 => format!(
            "No original was looked for: {} masked, and neither the rules nor names or values say that they identify anybody.",
            were(masked_texts(report), "column of text", "columns of text")
        ),
        (0, 0) => {
            "No column of the rules holds direct identifiers, so there was no original to look for."
                .into()
        }
        (0, _) => format!(
            "None of {} was found in the {} that the masked database holds.",
            count(*originals, "original"),
            count(*values, "value")
        ),
        _ => format!("Originals are still there, in {}: {}.", count(found, "place"), few(&places)),
    });
    if looks > 0 {
        sentences
            .push(format!("{} kept as it is and looks like an identifier.", are(looks, "column")));
    }
    if !passed && found + looks == 0 {
        sentences.push("The leak gate did not pass.".into());
    }
    let failed = with(ScrubStatus::Failed);
    if failed > 0 {
        sentences.push(format!("{} failed.", count(failed, "scrub check")));
    } else if !report.checks.is_empty() {
        let left: Vec<String> = [
            (with(ScrubStatus::Residual), "left as a residual risk of the platform"),
            (with(ScrubStatus::Accepted), "accepted by the rules"),
            (with(ScrubStatus::Reported), "only reported"),
        ]
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| format!("{} {words}", thousands(*number)))
        .collect();
        let left = if left.is_empty() { String::new() } else { format!("; {}", left.join(", ")) };
        let all = count(report.checks.len() as u64, "scrub check");
        sentences.push(format!("None of {all} failed{left}."));
    }
    sentences
}

/// Columns of text that were masked.
fn masked_texts(report: &Report) -> u64 {
    let is_text = |column: &&ColumnReport| {
        let kind = column.data_type.to_ascii_lowercase();
        is_masked(column) && ["text", "char", "json", "clob"].iter().any(|name| kind.contains(name))
    };
    report.tables.iter().flat_map(|table| &table.columns).filter(is_text).count() as u64
}

fn were(number: u64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one} was") } else { format!("{} {many} were", thousands(number)) }
}

/// The first places, and how many more there are.
fn few(places: &[&str]) -> String {
    const FEW: usize = 3;
    let first: Vec<String> = places.iter().take(FEW).map(|place| named(place)).collect();
    let more = places.len().saturating_sub(FEW);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    first.join(", ") + &more
}

fn are(number: u64, noun: &str) -> String {
    format!("{} {}", count(number, noun), if number == 1 { "is" } else { "are" })
}

fn tiles(report: &Report) -> Vec<(String, String, bool)> {
    let rewritten = report.tables.iter().filter(|table| table.action == TableAction::Rewrite);
    let masked: Vec<&ColumnReport> =
        rewritten.flat_map(|table| &table.columns).filter(|column| is_masked(column)).collect();
    let values: u64 =
        masked.iter().map(|column| column.values - column.nulls.min(column.values)).sum();
    let tile = |number: u64, noun: &str| {
        let plural = if number == 1 { "" } else { "s" };
        (thousands(number), noun.replace("(s)", plural), noun == "leak(s)" && number > 0)
    };
    let mut tiles = vec![
        tile(report.tables.len() as u64, "table(s), every one decided"),
        tile(masked.len() as u64, "masked column(s)"),
        tile(values, "value(s) masked"),
        tile(report.gate.originals, "original(s) looked for"),
        tile(
            report.gate.leaks.iter().filter(|leak| leak.reason.is_none()).count() as u64,
            "leak(s)",
        ),
    ];
    let mostly = report.tables.iter().filter(|table| table.mostly_skipped().is_some()).count();
    if mostly > 0 {
        let plural = if mostly == 1 { "" } else { "s" };
        let words = format!("table{plural} of which most rows were skipped");
        tiles.push((thousands(mostly as u64), words, true));
    }
    tiles
}

fn facts(
    report: &Report,
    statement: &Statement,
    bytes: &[u8],
) -> Vec<(&'static str, String, bool)> {
    let key = if report.key_is_ephemeral {
        "made for this run and forgotten: fakes agree within this run only"
    } else {
        "kept by whoever ran it: fakes agree with other runs under the same key"
    };
    let subject = statement.subject.first().map(|subject| subject.digest.sha256.clone());
    vec![
        ("Database", named(&report.database), true),
        ("Engine", report.engine.clone(), false),
        ("Scope", report.scope.name().to_owned(), false),
        ("Run", report.run_id.clone(), true),
        ("Began", moment(&report.started_at), false),
        ("Ended", moment(&report.finished_at), false),
        ("Tool", format!("anonymizer {}", report.tool_version), false),
        ("Function set", report.function_set.to_string(), false),
        ("Key", key.to_owned(), false),
        ("Key check", report.key_check.clone(), true),
        ("Rules, SHA-256", report.rules_digest.clone(), true),
        ("Schema, SHA-256", report.schema_fingerprint.clone(), true),
        ("Subject, SHA-256", subject.unwrap_or_default(), true),
        ("Statement, SHA-256", sha256(bytes), true),
    ]
}

/// `2026-11-22T05:19:11.29Z` to the second.
fn moment(text: &str) -> String {
    let second = text.split(['.', 'Z']).next().unwrap_or_default().replace('T', " ");
    format!("{second} UTC")
}

fn table(table: &TableReport) -> Table {
    let action = match table.action {
        TableAction::Keep => "kept",
        TableAction::Truncate => "emptied",
        TableAction::Rewrite => "masked",
    };
    let masked = table.columns.iter().filter(|column| is_masked(column)).count();
    let of = count(table.columns.len() as u64, "column");
    let summary = match table.action {
        TableAction::Truncate => "no rows left".to_owned(),
        _ => format!("{masked} of {of} masked, {}", count(table.rows, "row")),
    };
    let (bar, spoken) = bar(table);
    Table {
        name: named(&table.name),
        action,
        summary,
        spoken,
        bar,
        details: details(table),
        columns: table.columns.iter().map(column).collect(),
    }
}

fn is_masked(column: &ColumnReport) -> bool {
    column.class != "keep" && column.class != "generated"
}

fn details(table: &TableReport) -> Vec<String> {
    let mut details = Vec::new();
    if table.skipped_rows > 0 {
        let rows = count(table.skipped_rows, "row");
        details.push(format!("{rows} left as they were by skip_rows"));
    }
    if table.deleted_rows > 0 {
        details.push(format!("{} removed", count(table.deleted_rows, "row")));
    }
    if table.resumed {
        details.push("masked by an earlier, interrupted run".into());
    }
    if table.action == TableAction::Rewrite {
        details.push(format!("took {}", duration(table.seconds)));
    }
    details
}

/// The bar's parts and what it says in words.
fn bar(table: &TableReport) -> (Vec<(&'static str, f64, f64)>, String) {
    if table.action == TableAction::Truncate {
        return (vec![("emptied", 0.0, 100.0)], "emptied".into());
    }
    let all = table.columns.len().max(1) as f64;
    let mut parts = Vec::new();
    let mut words = Vec::new();
    let mut from = 0;
    for (class, name) in CLASSES {
        let number = table.columns.iter().filter(|column| column.class == *class).count();
        if number > 0 {
            let percent = |columns: usize| (columns as f64 * 1e4 / all).round() / 100.0;
            parts.push((*class, percent(from), percent(number)));
            words.push(format!("{number} {name}"));
            from += number;
        }
    }
    (parts, words.join(", "))
}

fn column(column: &ColumnReport) -> Column {
    let class = CLASSES.iter().find(|(class, _)| *class == column.class);
    let (class, words) = class.copied().unwrap_or(("keep", "of a class this page does not know"));
    let none = || "–".to_owned();
    let share = |part: u64, of: u64| match of {
        0 => none(),
        of => format!("{} ({:.0} %)", thousands(part), part as f64 * 100.0 / of as f64),
    };
    let there = column.values - column.nulls.min(column.values);
    Column {
        name: named(&column.name),
        data_type: named(&column.data_type),
        function: column.function.clone(),
        class,
        words,
        values: if column.values > 0 { thousands(column.values) } else { none() },
        nulls: share(column.nulls, column.values),
        changed: if is_masked(column) { share(column.changed, there) } else { none() },
        identifies: column.identifies.as_ref().map(|kind| kind.replace('_', " ")),
    }
}

fn gate(gate: &Gate) -> GateView {
    let rate = match gate.false_positive_rate {
        rate if rate > 0.0 => format!(
            "1 token in {} passes the first look by chance; a second fingerprint of 128 bits decides",
            thousands((1.0 / rate).round() as u64)
        ),
        _ => "none: nothing was looked up".into(),
    };
    let (allowed, leaks): (Vec<&Leak>, Vec<&Leak>) =
        gate.leaks.iter().partition(|leak| leak.reason.is_some());
    let (known, suspects): (Vec<&Suspect>, Vec<&Suspect>) =
        gate.suspects.iter().partition(|suspect| suspect.reason.is_some());
    GateView {
        facts: vec![
            ("Originals looked for", thousands(gate.originals)),
            ("Values read", thousands(gate.values)),
            ("Bytes read", size(gate.bytes)),
            ("Took", duration(gate.seconds)),
            ("False positives", rate),
        ],
        leaks: leaks.into_iter().map(leak).collect(),
        suspects: suspects.into_iter().map(suspect).collect(),
        allowed: allowed.into_iter().map(leak).chain(known.into_iter().map(suspect)).collect(),
    }
}

fn leak(leak: &Leak) -> Found {
    Found {
        place: named(&leak.place),
        what: format!("{} with an original: {}", count(leak.count, "value"), kind(&leak.kind)),
        reason: leak.reason.as_deref().map(named),
    }
}

fn suspect(suspect: &Suspect) -> Found {
    let sampled = count(suspect.sampled, "sampled value");
    let (matched, kind) = (thousands(suspect.matched), kind(&suspect.kind));
    Found {
        place: named(&suspect.column),
        what: format!("{matched} of {sampled} look like: {kind}"),
        reason: suspect.reason.as_deref().map(named),
    }
}

fn kind(name: &str) -> String {
    name.replace('_', " ")
}

fn checks(
    all: &[ScrubCheck],
    (status, css, title, meaning): &(ScrubStatus, &'static str, &'static str, &'static str),
) -> Option<Group> {
    let shown = |check: &ScrubCheck| ScrubCheck {
        title: named(&check.title),
        detail: named(&check.detail),
        undo: check.undo.iter().map(|command| named(command)).collect(),
        reason: check.reason.as_deref().map(named),
        ..check.clone()
    };
    let checks: Vec<ScrubCheck> =
        all.iter().filter(|check| check.status == *status).map(shown).collect();
    let open =
        matches!(status, ScrubStatus::Failed | ScrubStatus::Residual | ScrubStatus::Accepted);
    let count = checks.len();
    (count > 0).then_some(Group { css, title, meaning, count, open, checks })
}

fn charts(report: &Report) -> Vec<Chart> {
    let columns = report
        .tables
        .iter()
        .flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    columns
        .filter_map(|(table, column)| {
            let mut distribution = column.distribution.clone()?;
            for label in &mut distribution.labels {
                *label = named(label);
            }
            let name = named(&format!("{}.{}", table.name, column.name));
            Some(chart(name, &column.function, &distribution))
        })
        .collect()
}

fn anonymity(anonymity: &Anonymity) -> AnonymityView {
    AnonymityView {
        table: named(&anonymity.table),
        columns: anonymity.columns.iter().map(|column| named(column)).collect(),
        rows: thousands(anonymity.rows),
        k: thousands(anonymity.k),
        alone: thousands(anonymity.alone),
    }
}

fn phases(report: &Report) -> Vec<(String, String, f64)> {
    let longest = report.phases.iter().map(|phase| phase.seconds).fold(f64::EPSILON, f64::max);
    let share = |seconds: f64| (seconds * 1e4 / longest).round() / 100.0;
    let shown = report.phases.iter();
    shown.map(|phase| (phase.name.clone(), duration(phase.seconds), share(phase.seconds))).collect()
}

fn signers(envelope: &Envelope) -> Vec<String> {
    envelope.signatures.iter().map(|signature| named(&signature.keyid)).collect()
}
