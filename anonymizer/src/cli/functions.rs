//! `anonymizer functions`: what can be written in a rules file, from the registry.

use serde::Serialize;

use super::print::columns;
use super::{Error, Format};
use crate::mask::{Class, FUNCTIONS, Function, ParameterKind, function};
use crate::rules::suggest::did_you_mean;

/// One masking function, as printed.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    class: String,
    summary: &'static str,
    fits: &'static str,
    parameters: Vec<Parameter>,
    uniqueness: &'static str,
    normalisation: &'static str,
    longest: &'static str,
    space: &'static str,
}

#[derive(Serialize)]
struct Parameter {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    required: bool,
    summary: &'static str,
}

/// Runs the command.
pub fn print(name: Option<&str>, format: Format) -> Result<(), Error> {
    let Some(name) = name else {
        let all: Vec<Entry> = FUNCTIONS.iter().map(|function| entry(function)).collect();
        return format.print(&all, |all| list(all));
    };
    let Some(function) = function(name) else {
        let known = FUNCTIONS.iter().map(|function| function.name);
        let cure = did_you_mean(name, known, "`anonymizer functions` lists them all");
        return Err(Error::Usage(format!(
            "explain `{name}`: no such masking function\n(hint: {cure})"
        )));
    };
    format.print(&entry(function), details)
}

fn entry(function: &Function) -> Entry {
    Entry {
        name: function.name,
        class: function.class.to_string(),
        summary: function.summary,
        fits: function.fits,
        parameters: parameters(function),
        uniqueness: function.uniqueness,
        normalisation: function.normalisation,
        longest: function.longest,
        space: function.space,
    }
}

fn parameters(function: &Function) -> Vec<Parameter> {
    let own = function.parameters.iter().map(|parameter| Parameter {
        name: parameter.name,
        kind: kind(parameter.kind),
        required: parameter.required,
        summary: parameter.summary,
    });
    let shared = |name, kind, summary| Parameter { name, kind, required: false, summary };
    let mut all: Vec<Parameter> = own.collect();
    if function.keyed {
        all.push(shared("seed", "column", "derive the fake from this column of the same row"));
        all.push(shared("domain", "text", "separates or joins meanings; empty by default"));
    }
    if function.localized {
        all.push(shared(
            "locale",
            "text",
            "of the fakes, for instance `fr_FR`; the file's by default",
        ));
    }
    if function.class != Class::Keep {
        all.push(shared("identifies", "true or false", function.about_identifies()));
    }
    all
}

fn kind(kind: ParameterKind) -> &'static str {
    match kind {
        ParameterKind::Text => "text",
        ParameterKind::Integer => "whole number",
        ParameterKind::Number => "number",
        ParameterKind::Flag => "true or false",
        ParameterKind::Rule => "masking rule",
        ParameterKind::Paths => "mapping from path to masking rule",
    }
}

fn list(all: &[Entry]) -> String {
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|entry| vec![entry.name.into(), entry.class.clone(), entry.summary.into()])
        .collect();
    columns(&rows)
}

fn details(entry: &Entry) -> String {
    let fact = |name: &str, value: &str| vec![name.to_owned(), value.to_owned()];
    let facts = [
        fact("class", &entry.class),
        fact("fits", entry.fits),
        fact("unique", entry.uniqueness),
        fact("ignores", entry.normalisation),
        fact("longest", entry.longest),
        fact("space", entry.space),
    ];
    let mut text = format!("{}: {}\n\n{}", entry.name, entry.summary, columns(&facts));
    if !entry.parameters.is_empty() {
        text.push_str("\nparameters\n");
    }
    let rows: Vec<Vec<String>> = entry
        .parameters
        .iter()
        .map(|parameter| {
            let required = if parameter.required { "required; " } else { "" };
            let summary = format!("{required}{}", parameter.summary);
            vec![format!("  {}", parameter.name), parameter.kind.into(), summary]
        })
        .collect();
    text + &columns(&rows)
}

/// The reference of all functions, as `rules/README.md` has it.
pub fn reference() -> String {
    let mut text = String::from(
        "# Masking functions\n\n\
         What can be written in a rules file. Written by `make bless` from the registry in `anonymizer/src/mask/`;\n\
         `anonymizer functions` prints the same.\n\n\
         | function | class | what it does |\n|---|---|---|\n",
    );
    for function in FUNCTIONS {
        let Function { name, class, summary, .. } = function;
        text.push_str(&format!("| [`{name}`](#{name}) | {class} | {} |\n", cell(summary)));
    }
    for function in FUNCTIONS {
        text.push_str(&section(&entry(function)));
    }
    text
}

fn section(entry: &Entry) -> String {
    let mut text = format!("\n## {}\n\n{}\n\n", entry.name, entry.summary);
    for (name, value) in [
        ("Class", entry.class.as_str()),
        ("Fits", entry.fits),
        ("Unique", entry.uniqueness),
        ("Ignores", entry.normalisation),
        ("Longest", entry.longest),
        ("Space", entry.space),
    ] {
        text.push_str(&format!("* {name}: {value}\n"));
    }
    if !entry.parameters.is_empty() {
        text.push_str("\n| parameter | type | meaning |\n|---|---|---|\n");
    }
    for Parameter { name, kind, required, summary } in &entry.parameters {
        let required = if *required { "required; " } else { "" };
        text.push_str(&format!("| `{name}` | {kind} | {required}{} |\n", cell(summary)));
    }
    text
}

/// A bar would end the table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
