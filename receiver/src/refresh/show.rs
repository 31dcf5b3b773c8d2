//! Answers: what a run has brought, what is in use, what was done. No credentials: the secret's name says where they are.

use std::fmt::Write as _;

use serde_json::{Value, json};
use workflow::local::{Record, Status};

use super::place::Place;
use super::{Error, Format};

/// A document for programs.
pub(super) fn json(value: &Value) -> String {
    format!("{value:#}\n")
}

/// What an execution has brought.
pub(super) fn result(record: &Record, format: Format) -> String {
    let result = record.output.as_ref().map_or(Value::Null, |output| output["result"].clone());
    if format == Format::Json {
        let mut result = result;
        result["run"] = json!(record.name);
        return json(&result);
    }
    let text = |key: &str| result[key].as_str().unwrap_or("-").to_owned();
    if result["running"].is_string() {
        return format!("{} is at it already: its data will be there\n", text("running"));
    }
    let head = if result["changed"] == true {
        "the newest release is in use"
    } else {
        "the newest release was in use already"
    };
    let outage = result["outage_ms"].as_u64().unwrap_or(0);
    format!(
        "{} ({head})\nendpoint    {}\ndata as of  {}\nrules       {}\noutage      {:.1} s\n",
        text("database"),
        text("endpoint"),
        text("data_as_of"),
        text("rules"),
        outage as f64 / 1000.0,
    )
}

/// What is in use, and what is being done.
pub(super) async fn status(place: &Place, database: &str, format: Format) -> Result<String, Error> {
    let in_use = place.in_use(database).await?;
    let running = place.running(database).await?;
    let secret = place.secret(database);
    if format == Format::Json {
        return Ok(json(&json!({
            "database": database,
            "endpoint": in_use.as_ref().map(|one| &one.endpoint),
            "data_as_of": in_use.as_ref().map(|one| &one.data_as_of),
            "rules": in_use.as_ref().map(|one| &one.rules),
            "since": in_use.as_ref().map(|one| one.since),
            "secret": secret,
            "running": running.map(|record| json!({ "run": record.name, "state": record.state })),
        })));
    }
    let mut text = format!("{database}\n");
    let mut line = |name: &str, what: &str| text.push_str(&format!("{name:<12}{what}\n"));
    match in_use {
        Some(one) => {
            line("endpoint", &one.endpoint);
            line("data as of", &one.data_as_of);
            line("rules", &one.rules);
            line("since", &one.since.to_string());
            if let Some(secret) = secret {
                line("secret", &secret);
            }
        }
        None => line("no release was brought yet", ""),
    }
    if let Some(record) = running {
        let state = record.state.as_deref().unwrap_or("its beginning");
        line("running", &format!("{} at {state}", record.name));
    }
    Ok(text)
}

/// What was done, the newest first.
pub(super) async fn history(
    place: &Place,
    database: &str,
    format: Format,
) -> Result<String, Error> {
    let records = place.executions(database).await?;
    if format == Format::Json {
        let rows: Vec<_> = records.iter().map(row).collect();
        return Ok(json(&rows.into()));
    }
    let mut text = String::new();
    for record in &records {
        let row = row(record);
        let took = row["seconds"].as_f64().map_or("-".to_owned(), |s| format!("{s:.1} s"));
        let outcome = row["outcome"].as_str().unwrap_or_default();
        writeln!(text, "{:.0}  {:<44} {took:>8}  {outcome}", record.started, record.name)
            .expect("a text can be written to");
    }
    if text.is_empty() {
        text = "nothing was done yet\n".into();
    }
    Ok(text)
}

fn row(record: &Record) -> Value {
    let took = record.ended.map(|ended| ended.duration_since(record.started).as_secs_f64());
    let result = record.output.as_ref().map(|output| &output["result"]);
    let outcome = match (record.status, result) {
        (Status::Succeeded, Some(result)) if result["changed"] == true => "replaced".to_owned(),
        (Status::Succeeded, _) => "unchanged".to_owned(),
        (Status::Running, _) => {
            format!("running: {}", record.state.as_deref().unwrap_or("its beginning"))
        }
        (Status::Failed, _) => format!("failed: {}", record.error.as_deref().unwrap_or("-")),
        (Status::TimedOut, _) => "timed out".to_owned(),
        (Status::Aborted, _) => "stopped".to_owned(),
    };
    json!({
        "run": record.name,
        "started": record.started,
        "seconds": took,
        "outcome": outcome,
        "reason": record.input["reason"],
        "cause": record.cause,
        "data_as_of": result.map(|result| &result["data_as_of"]),
    })
}
