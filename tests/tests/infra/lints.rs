//! What must be true of the files. Each lint has a name, and says where it finds what.

mod definitions;
mod keys;
mod policies;
mod things;

use std::collections::BTreeSet;

pub use things::CHAPTERS;

use crate::tree::Tree;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub lint: &'static str,
    pub text: String,
}

/// What one routine has found, under the names that it finds things by.
pub struct Found {
    names: &'static [&'static str],
    all: BTreeSet<Finding>,
}

impl Found {
    fn add(&mut self, lint: &'static str, text: impl Into<String>) {
        assert!(self.names.contains(&lint), "{lint} is found by another routine");
        self.all.insert(Finding { lint, text: text.into() });
    }
}

type Lint = (&'static [&'static str], fn(&Tree, &mut Found));

const ALL: &[Lint] = &[
    (&["calls-a-step", "step-is-used"], definitions::functions),
    (
        &["machine-has-a-definition", "definition-has-a-machine", "substituted"],
        definitions::substitutions,
    ),
    (&["step-has-a-function", "handler-is-a-step"], definitions::handlers),
    (&["error-exists"], definitions::errors),
    (&["ends", "function-has-the-time"], definitions::timeouts),
    (&["actions-are-named"], policies::wildcards),
    (&["star-has-a-reason"], policies::reasons),
    (&["one-role-shares"], policies::one_shares),
    (&["role-of-its-own", "roles-are-of-services", "policies-are-here"], policies::roles),
    (&["keys-through-services"], policies::through_services),
    (&["network-is-looked-at"], policies::networks),
    (&["password-has-its-key"], policies::managed_passwords),
    (&["one-role-encrypts-for-others"], keys::one_encrypts),
    (&["key-stays-inside"], keys::nobody_outside),
    (&["one-role-copies"], keys::only_the_copying_role),
    (&["no-secret"], things::no_secrets),
    (&["kept"], things::kept),
    (&["logs-are-encrypted-and-end", "arn-of-logs-has-an-end"], things::logs),
    (&["description-is-allowed"], things::descriptions),
    (&["functions-are-told-the-same"], things::environments),
    (&["functions-are-told-what-they-ask"], things::what_is_asked),
    (&["alarm-has-a-runbook"], things::runbooks),
    (&["fleet-is-told-how-many"], things::how_many),
];

/// The names of all lints.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().flat_map(|(names, _)| names.iter().copied())
}

/// Everything that is wrong.
pub fn all(tree: &Tree) -> Vec<Finding> {
    found(tree, |_| true)
}

/// What the routine finds that has a lint of that name.
pub fn of(tree: &Tree, lint: &str) -> Vec<Finding> {
    found(tree, |names| names.contains(&lint))
}

fn found(tree: &Tree, wanted: impl Fn(&[&str]) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (names, look) in ALL.iter().filter(|(names, _)| wanted(names)) {
        let mut found = Found { names, all: BTreeSet::new() };
        look(tree, &mut found);
        findings.extend(found.all);
    }
    findings
}
