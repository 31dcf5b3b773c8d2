//! What `infra/` says holds: every proof that is named exists, every parameter and output is one of the templates', and the table
//! of sizes is what the code computes. The templates themselves are somebody else's to look at.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic, in its helpers too")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use orchestrator::sizing::{Load, Prices, cost, size};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What stands between single backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_proof_that_is_named_exists() {
    let text = read("infra/ACCEPTANCE.md");
    let mut tests = 0;
    for proof in quoted(&text).filter(|proof| proof.contains('/')) {
        let (path, test) = match proof.split_once("::") {
            Some((path, test)) => (path, Some(test)),
            None => (proof, None),
        };
        assert!(root().join(path).exists(), "{path} does not exist");
        let Some(test) = test else { continue };
        let source = read(path);
        let (before, _) = source
            .split_once(&format!("fn {test}("))
            .unwrap_or_else(|| panic!("{path} has no test {test}"));
        let attributes = before.rsplit("\n\n").next().unwrap();
        assert!(attributes.contains("test]") || attributes.contains("test("), "{proof}");
        tests += 1;
    }
    assert!(tests > 80, "{tests} tests are named");
}

#[test]
fn thirty_questions_are_answered() {
    let text = read("infra/ACCEPTANCE.md");
    let sections: Vec<&str> = text.split("\n## ").skip(1).collect();
    for number in 1..=30 {
        let section = sections[number - 1];
        assert!(section.starts_with(&format!("{number}. ")), "{number}: {section}");
        assert!(quoted(section).any(|proof| proof.contains('/')), "{number} has no proof");
    }
    // What only a real account can show is said twice: where it is asked, and together.
    let last = sections.last().unwrap();
    for (index, section) in sections.iter().enumerate().take(30) {
        if section.contains("**Only a real account**") {
            let number = (index + 1).to_string();
            let told = |row: &str| {
                let cell = row.split('|').nth(1).unwrap_or_default();
                cell.split(',').any(|word| word.trim() == number)
            };
            assert!(last.lines().any(told), "{number} is not among them");
        }
    }
}

#[test]
fn links_lead_somewhere() {
    for name in ["infra/README.md", "infra/ACCEPTANCE.md"] {
        let text = read(name);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path =
                if file.is_empty() { root().join(name) } else { root().join("infra").join(file) };
            assert!(path.exists(), "{name} links to {link}");
            let target = fs::read_to_string(&path).unwrap_or_default();
            let anchors = target.lines().filter(|line| line.starts_with('#')).map(anchor_of);
            assert!(
                anchor.is_empty() || anchors.collect::<Vec<_>>().contains(&anchor.to_owned()),
                "{link}"
            );
        }
    }
}

fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let letters = text.chars().filter(|c| c.is_alphanumeric() || " -".contains(*c));
    letters.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The entries of a top section of a template: names that are indented by two, and whether a default stands below.
fn entries(template: &str, section: &str) -> Vec<(String, bool)> {
    let mut lines = template.lines().skip_while(|line| *line != format!("{section}:")).skip(1);
    let mut found: Vec<(String, bool)> = Vec::new();
    for line in lines.by_ref().take_while(|line| line.is_empty() || line.starts_with([' ', '#'])) {
        let indented = line.len() - line.trim_start().len();
        match (indented, line.trim().split_once(':')) {
            (2, Some((name, _))) if !name.starts_with('#') => found.push((name.to_owned(), false)),
            (4, Some(("Default", _))) => found.last_mut().unwrap().1 = true,
            _ => {}
        }
    }
    assert!(!found.is_empty(), "no {section}");
    found
}

#[test]
fn what_is_deployed_with_is_what_the_templates_ask_for() {
    let text = read("infra/README.md").replace("\\\n", " ");
    for (command, template) in [
        ("deploy_production", "infra/production.yaml"),
        ("deploy_development", "infra/development.yaml"),
    ] {
        let definition = format!("{command}() {{ aws ");
        let line = text.lines().find(|line| line.starts_with(&definition)).expect(command);
        assert!(line.contains(&format!("--template-file {template} ")), "{line}");
        let parameters = entries(&read(template), "Parameters");
        let calls = text.lines().filter_map(|line| line.trim().strip_prefix(command));
        let calls: Vec<&str> = calls.filter(|words| words.starts_with(' ')).collect();
        let names = |call: &str| -> BTreeSet<String> {
            let words = call.split_whitespace();
            words
                .filter_map(|word| Some(word.trim_matches('"').split_once('=')?.0.into()))
                .collect()
        };
        for name in calls.iter().flat_map(|call| names(call)) {
            assert!(parameters.iter().any(|(known, _)| *known == name), "{template} has no {name}");
        }
        // The first call makes the stack, later ones change it.
        let given = names(calls.first().expect(command));
        for (name, has_default) in &parameters {
            assert!(*has_default || given.contains(name), "{template} needs {name}");
        }
    }
}

/// Everything that infra/README.md says to type, in the order in which it is typed: fenced blocks of shell, and what stands in
/// backquotes and begins with a command. What is for the emulator alone stands before the rest and is typed later.
fn commands(text: &str) -> Vec<String> {
    let (before, rest) = text.split_once("## Try it without an account\n").unwrap();
    let (emulator, after) = rest.split_once("\n## ").unwrap();
    let mut found = Vec::new();
    for part in [before, after, emulator] {
        let mut block: Option<String> = None;
        for line in part.lines() {
            match (&mut block, line.trim_start()) {
                (None, "```sh") => block = Some(String::new()),
                (Some(commands), "```") => {
                    found.push(std::mem::take(commands));
                    block = None;
                }
                (Some(commands), _) => {
                    commands.push_str(line);
                    commands.push('\n');
                }
                (None, _) => {
                    let typed = |code: &&str| code.contains(' ') && starts_as_a_command(code);
                    found.extend(quoted(line).filter(typed).map(str::to_owned));
                }
            }
        }
    }
    found
}

fn starts_as_a_command(code: &str) -> bool {
    ["aws ", "AWS_PROFILE=", "history ", "refresh ", "make "]
        .iter()
        .any(|word| code.starts_with(word))
}

/// The names that a pattern finds, each with where it stands.
fn named<'a>(pattern: &str, text: &'a str) -> Vec<(usize, &'a str)> {
    let pattern = regex_lite::Regex::new(pattern).unwrap();
    let group = |found: regex_lite::Captures<'a>| found.iter().skip(1).flatten().last();
    pattern.captures_iter(text).filter_map(group).map(|one| (one.start(), one.as_str())).collect()
}

/// A shell that runs the page from its top has what each command asks for.
#[test]
fn every_variable_and_function_is_set_before_it_is_used() {
    let mut text = read("infra/README.md");
    // What `. target/emulator` sets.
    let emulator = read("tests/drill/driver/serve.py");
    text = text.replace(". target/emulator\n", &emulator);
    let typed = commands(&text).join("\n");
    let mut set = named(r#"(?m)(?:^|[\s;({"])([A-Z][A-Z0-9_]*)="#, &typed);
    set.extend(named(r"\bfor ([A-Z][A-Z0-9_]*) in ", &typed));
    for (at, names) in named(r"\bread -r ([A-Z][A-Z0-9_ ]*[A-Z0-9_])", &typed) {
        set.extend(names.split(' ').map(|name| (at, name)));
    }
    let used = named(r"\$\{?([A-Z][A-Z0-9_]*)", &typed);
    assert!(used.len() > 100 && set.len() > 20, "{} uses of {}", used.len(), set.len());
    for (at, name) in used {
        let before = set.iter().any(|(there, known)| *known == name && *there < at);
        assert!(before, "${name} is used and was not set: {}", around(&typed, at));
    }
    let defined = named(r"(?m)^ *([a-z_]+)\(\) \{", &typed);
    assert!(defined.len() > 5, "{defined:?}");
    for (there, name) in defined {
        let calls = named(&format!(r"(?m)(?:^ *|\$\(|= ?){name}( )"), &typed);
        assert!(!calls.is_empty(), "nobody calls {name}");
        for (at, _) in calls {
            assert!(there < at, "{name} is called before it is there: {}", around(&typed, at));
        }
    }
}

fn around(text: &str, at: usize) -> &str {
    let begin = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[begin..].lines().next().unwrap_or_default()
}

/// A file is one of the checkout's, or a command before has written it; a target is one of the Makefile's.
#[test]
fn every_file_and_target_is_there_when_it_is_used() {
    let typed = commands(&read("infra/README.md")).join("\n");
    let made = named(r"(?:> |-out |--output |cp \S+ )([a-z.$A-Z-]+\.(?:json|pem|txt))\b", &typed);
    let used = named(r"[\s<=(]([a-z][a-z.$A-Z-]*\.(?:json|pem|txt|yaml))\b", &typed);
    assert!(made.len() > 5 && used.len() > made.len(), "{used:?} of {made:?}");
    for (at, name) in used {
        let before = made.iter().any(|(there, known)| *known == name && *there <= at);
        assert!(before, "{name} is used and nobody has made it: {}", around(&typed, at));
    }
    let ours = named(r"\b((?:infra|tests|orchestrator|receiver|crates)/[A-Za-z0-9_./-]+)", &typed);
    assert!(ours.len() > 5, "{ours:?}");
    for (_, path) in ours {
        assert!(root().join(path).exists(), "there is no {path}");
    }
    let makefile = read("Makefile");
    for (_, target) in named(r"\bmake ([a-z][a-z-]*)", &typed) {
        assert!(makefile.lines().any(|line| line.starts_with(&format!("{target}:"))), "{target}");
    }
}

#[test]
fn outputs_that_are_used_are_the_templates() {
    let text = read("infra/README.md");
    for (function, template) in
        [("$(output ", "infra/production.yaml"), ("$(output_dev ", "infra/development.yaml")]
    {
        let known = entries(&read(template), "Outputs");
        for name in text.split(function).skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(
                known.iter().any(|(output, _)| output == name),
                "{template} has no output {name}"
            );
        }
    }
}

/// An alarm says `infra/README.md, Runbooks, orphan found`.
#[test]
fn runbooks_that_alarms_name_are_there() {
    let readme = read("infra/README.md");
    let headings = readme.lines().filter(|line| line.starts_with('#'));
    let headings: Vec<String> =
        headings.map(|line| line.trim_start_matches('#').trim().to_lowercase()).collect();
    let mut named = BTreeSet::new();
    for template in ["infra/production.yaml", "infra/development.yaml"] {
        let words = read(template);
        let text = words.split_whitespace().collect::<Vec<_>>().join(" ");
        for rest in text.split("infra/README.md, ").skip(1) {
            let rest = rest.strip_prefix("Runbooks, ").unwrap_or(rest).to_lowercase();
            let end = |c: char| !(c.is_alphabetic() || c == ' ');
            named.insert(rest.split(end).next().unwrap_or_default().trim().to_owned());
        }
    }
    assert!(named.len() >= 5, "{named:?}");
    for name in named {
        assert!(headings.contains(&name), "infra/README.md has no section `{name}`");
    }
}

#[test]
fn the_table_of_sizes_is_current() {
    let prices: Prices = serde_json::from_str(&read("infra/prices.json")).unwrap();
    let mut table = String::from(
        "| GB | class | vCPU, GB, disk of the task | restore | mask | take, copy | delete | all | USD |\n|---:|---|---|---:|---:|---:|---:|---:|---:|\n",
    );
    for gigabytes in [10.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0] {
        let load = Load::allocated(gigabytes);
        let (size, times) = size(&load);
        let hours = |seconds: f64| format!("{:.1} h", seconds / 3600.0);
        let disk = match size.too_large {
            Some(needed) => format!("{needed}, more than a task has"),
            None => size.disk.to_string(),
        };
        let money = cost(&size, &times, &load, 3, &prices).unwrap();
        writeln!(
            table,
            "| {gigabytes} | `{}` | {}, {}, {disk} | {} | {} | {} | {} | {} | {money:.2} |",
            size.class,
            size.cpu / 1024,
            size.memory / 1024,
            hours(times.restore),
            hours(times.mask),
            hours(times.take + times.copy),
            hours(times.delete),
            hours(times.all()),
        )
        .unwrap();
    }
    let text = read("infra/README.md");
    let (before, rest) = text.split_once("sizing.rs and infra/prices.json -->\n").unwrap();
    let (old, after) = rest.split_once("<!-- end of sizes -->").unwrap();
    if old == table {
        return;
    }
    assert!(std::env::var_os("UPDATE_EXPECT").is_some(), "infra/README.md is stale; `make bless`");
    let begin = format!("{before}sizing.rs and infra/prices.json -->\n");
    fs::write(
        root().join("infra/README.md"),
        format!("{begin}{table}<!-- end of sizes -->{after}"),
    )
    .unwrap();
}
