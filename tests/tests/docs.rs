//! The documents hold: what is generated is current, what is shown can be typed, what is named exists.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic, in its helpers too")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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
fn the_leak_gates_example_is_read() {
    let text = fs::read_to_string(root().join("rules/verify.md")).unwrap();
    let block = text.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let rules =
        rules::parse("verify.md", block.as_bytes()).unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(rules.allow.len(), 1);
    for kind in anonymizer::identifier::Identifier::ALL {
        assert!(text.contains(&format!("`{}`", kind.name())), "{} is not explained", kind.name());
    }
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
fn the_reference_of_scrub_checks_is_current() {
    let path = root().join("rules/scrub.md");
    let current = anonymizer::scrub::reference();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &current).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == current, "rules/scrub.md is stale; `make bless` rewrites it");
    for (_, block) in blocks(&current) {
        rules::parse("scrub.md", block.as_bytes()).unwrap_or_else(|findings| panic!("{findings}"));
    }
}

#[test]
fn the_first_command_stands_by_line_15() {
    let readme = read("README.md");
    let line = readme.lines().position(|line| line == "make demo").expect("`make demo` on a line");
    assert!(line < 15, "line {}", line + 1);
}

/// Runs the demo in a directory of its own, as `make demo` does in the repository's.
fn demo_output() -> String {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("rules")).unwrap();
    fs::copy(root().join("rules/shop.yaml"), directory.path().join("rules/shop.yaml")).unwrap();
    let demo = Command::new(env!("CARGO_BIN_EXE_demo")).current_dir(&directory).output().unwrap();
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
    let path = directory.path().canonicalize().unwrap();
    let text = String::from_utf8(demo.stdout).unwrap();
    let text = text.replace(path.to_str().unwrap(), "…");
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Without what differs from run to run: times, and how often something was asked until it was ready.
fn untimed(text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(untimed_line).collect();
    lines.dedup();
    lines.join("\n")
}

fn untimed_line(line: &str) -> String {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let pair =
        |word: &str, mark| word.split_once(mark).is_some_and(|(a, b)| digits(a) && digits(b));
    let is_time = |word: &&str| {
        pair(word, '.') || pair(word, ':') || word.starts_with("20") && word.ends_with('Z')
    };
    if !line.split_whitespace().any(|word| is_time(&word)) {
        return line.to_owned();
    }
    let words = line.split_whitespace();
    words.map(|word| if is_time(&word) { "0.0" } else { word }).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_demo_prints_what_the_readme_shows() {
    let readme = read("README.md");
    let shown = blocks(&readme).into_iter().find(|(language, _)| language == "console");
    let (_, shown) = shown.expect("a block of what the demo printed");
    let printed = demo_output();
    if std::env::var_os("UPDATE_EXPECT").is_some() && untimed(&shown) != untimed(&printed) {
        let (old, new) = (format!("```console\n{shown}```"), format!("```console\n{printed}```"));
        fs::write(root().join("README.md"), readme.replace(&old, &new)).unwrap();
        return;
    }
    assert_eq!(untimed(&shown), untimed(&printed), "README.md is stale; `make bless` rewrites it");
}

#[test]
fn links_lead_somewhere() {
    for (name, text) in documents() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            assert!(root().join(file).exists(), "{name} links to {link}");
        }
    }
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
    for command in ["run", "check", "preview", "functions", "report", "verify", "verify-statement"]
    {
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
