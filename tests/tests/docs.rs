//! The documents hold: what is generated is current, what is shown can be typed, what is named exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anonymizer::cli::{Cli, functions};
use anonymizer::rules;
use clap::Parser as _;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The fenced blocks of a Markdown text, with the language after the fence.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(language), None) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(block)) => found.push(block),
            (None, Some((language, block))) => open = Some((language, block + line + "\n")),
            (None, None) => {}
        }
    }
    found
}

/// The commands in shell blocks, comments and continuation lines resolved.
fn commands(text: &str) -> Vec<String> {
    let shell = blocks(text).into_iter().filter(|(language, _)| language == "sh");
    let joined: Vec<String> = shell.map(|(_, block)| block.replace("\\\n", " ")).collect();
    let lines = joined.iter().flat_map(|block| block.lines());
    lines.map(|line| line.split('#').next().unwrap_or_default().trim().to_owned()).collect()
}

fn documents() -> Vec<(&'static str, String)> {
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|name| (name, read(name))).into()
}

#[test]
fn the_reference_of_functions_is_current() {
    let path = root().join("rules/README.md");
    let current = functions::reference();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &current).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == current, "rules/README.md is stale; `make bless` rewrites it");
}

#[test]
fn the_first_command_stands_by_line_15() {
    let readme = read("README.md");
    let line = readme.lines().position(|line| line == "make demo").expect("`make demo` on a line");
    assert!(line < 15, "line {}", line + 1);
}

#[test]
fn rules_that_are_shown_can_be_read() {
    let mut shown = 0;
    for (name, text) in documents() {
        for (language, block) in blocks(&text) {
            if language == "yaml" {
                shown += 1;
                rules::parse(name, block.as_bytes())
                    .unwrap_or_else(|findings| panic!("{findings}"));
            }
        }
    }
    assert!(shown > 0, "no rules file is shown");
}

#[test]
fn commands_that_are_shown_can_be_typed() {
    let mut shown = BTreeSet::new();
    for (name, text) in documents() {
        for command in commands(&text) {
            let Some(at) = command.find("anonymizer ") else { continue };
            let words = command[at..].split_whitespace().map(|word| word.trim_matches('\''));
            let parsed = Cli::try_parse_from(words);
            assert!(parsed.is_ok(), "{name}: {command}: {}", parsed.err().unwrap());
            shown.extend(command[at..].split_whitespace().nth(1).map(str::to_owned));
        }
    }
    for command in ["run", "check", "preview", "functions"] {
        assert!(shown.contains(command), "`anonymizer {command}` is not shown");
    }
}

#[test]
fn targets_that_are_named_exist() {
    let makefile = read("Makefile");
    for (name, text) in documents() {
        for part in text.split("make ").skip(1) {
            let target: String = part.chars().take_while(char::is_ascii_lowercase).collect();
            let is_target = ["demo", "test", "lint", "bench", "bless", "package", "reference"];
            if is_target.contains(&target.as_str()) {
                let exists = makefile.lines().any(|line| line.starts_with(&format!("{target}:")));
                assert!(exists, "{name}: make {target}");
            }
        }
    }
}

#[test]
fn paths_that_are_named_exist() {
    for (name, text) in documents() {
        let quoted = text.split('`').skip(1).step_by(2);
        let map = blocks(&text).into_iter().filter(|(language, _)| language == "text");
        let listed: Vec<String> = map
            .flat_map(|(_, block)| block.lines().map(str::to_owned).collect::<Vec<_>>())
            .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
            .collect();
        let paths = quoted.map(str::to_owned).chain(listed).filter(|path| is_path(path));
        for path in paths {
            let below = |directory: &str| root().join(directory).join(&path).exists();
            assert!(below(".") || below("anonymizer"), "{name} names {path}");
        }
    }
}

/// Looks like a path of this repository: no pattern, no place to fill in, nothing that a user would make.
fn is_path(text: &str) -> bool {
    let first = text.split('/').next().unwrap_or_default();
    let ours = ["anonymizer", "crates", "rules", "tests", "src", ".ci", ".config"];
    text.contains('/')
        && ours.contains(&first)
        && !text.contains(['<', '*', '…', ' '])
        && !text.contains("::")
}
