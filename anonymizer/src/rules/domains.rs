//! The domains that a rules file speaks of: a key for each is asked for before anything is planned.

use std::collections::BTreeSet;

use super::{ColumnRule, RuleSet, TableRule};
use crate::mask::Argument;

impl RuleSet {
    /// All of them, those inside `json` and `array` included; the default one, which is empty, always.
    pub fn domains(&self) -> BTreeSet<String> {
        let mut domains = BTreeSet::from([String::new()]);
        for (_, table) in &self.tables {
            if let TableRule::Columns { columns, .. } = table {
                columns.iter().for_each(|(_, rule)| collect(rule, &mut domains));
            }
        }
        domains
    }
}

fn collect(rule: &ColumnRule, domains: &mut BTreeSet<String>) {
    domains.extend(rule.domain.iter().map(|domain| domain.value.clone()));
    for (_, argument) in &rule.arguments {
        match &argument.value {
            Argument::Rule(rule) => collect(rule, domains),
            Argument::Paths(paths) => paths.iter().for_each(|(_, rule)| collect(rule, domains)),
            Argument::Text(_) | Argument::Integer(_) | Argument::Number(_) | Argument::Flag(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn every_domain_is_found_however_deep() {
        let text = "version: 1\ntables:\n  a: keep\n  b:\n    columns:\n      c: { function: hash, domain: one }\n      \
                    d: { function: array, element: { function: hash, domain: two } }\n      \
                    e: { function: json, paths: { $.x: { function: hash, domain: three }, $.y: hash } }\n";
        let rules = parse("rules.yaml", text.as_bytes()).unwrap();
        let domains: Vec<String> = rules.domains().into_iter().collect();
        assert_eq!(domains, ["", "one", "three", "two"]);
    }
}
