//! What must be true of the files. Each lint has a name, and says where it finds what.

mod definitions;
mod keys;
mod policies;
mod things;

use std::collections::BTreeSet;

use crate::tree::Tree;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub lint: &'static str,
    pub text: String,
}

/// The names.
pub const NAMES: [&str; 26] = [
    "actions-are-named",
    "alarm-has-a-runbook",
    "calls-a-step",
    "definition-has-a-machine",
    "ends",
    "error-exists",
    "function-has-the-time",
    "functions-are-told-the-same",
    "functions-are-told-what-they-ask",
    "handler-is-a-step",
    "kept",
    "key-stays-inside",
    "keys-through-services",
    "logs-are-encrypted-and-end",
    "machine-has-a-definition",
    "no-secret",
    "one-role-copies",
    "one-role-encrypts-for-others",
    "one-role-shares",
    "policies-are-here",
    "role-of-its-own",
    "roles-are-of-services",
    "star-has-a-reason",
    "step-has-a-function",
    "step-is-used",
    "substituted",
];

/// Findings so far.
#[derive(Default)]
pub struct Found(BTreeSet<Finding>);

impl Found {
    fn add(&mut self, lint: &'static str, text: impl Into<String>) {
        assert!(NAMES.contains(&lint), "{lint} has no place among the names");
        self.0.insert(Finding { lint, text: text.into() });
    }
}

type Lint = fn(&Tree, &mut Found);

const ALL: &[Lint] = &[
    definitions::functions,
    definitions::substitutions,
    definitions::handlers,
    definitions::errors,
    definitions::timeouts,
    policies::wildcards,
    policies::reasons,
    policies::one_shares,
    policies::roles,
    policies::through_services,
    keys::one_encrypts,
    keys::nobody_outside,
    keys::only_the_copying_role,
    things::no_secrets,
    things::kept,
    things::logs,
    things::environments,
    things::runbooks,
    things::what_is_asked,
];

/// Everything that is wrong, sorted.
pub fn all(tree: &Tree) -> Vec<Finding> {
    let mut found = Found::default();
    for lint in ALL {
        lint(tree, &mut found);
    }
    found.0.into_iter().collect()
}
