//! Which rule decides which table: exact names, wildcards, partitions, `truncate` that cascades.
//!
//! An exact name beats a wildcard. An unqualified name means the one table of that name in any schema; an unqualified
//! wildcard looks in the default schema only. A partition is decided by the rule of its root and needs no name of its own.

use std::collections::HashMap;

use super::forest::Forest;
use crate::catalog::{Catalog, Table, TableKind, TableName};
use crate::finding::{Collected, Position, Spanned};
use crate::rules::name::written;
use crate::rules::suggest::nearest;
use crate::rules::{NamePattern, RuleSet, TableRule};

/// The rule that decides a table.
#[derive(Clone, Copy)]
pub(super) struct Decision<'a> {
    pub rule: &'a TableRule,
    pub at: Position,
    /// The rule's name has a star.
    pub wildcard: bool,
}

/// Decisions by table; of a partition tree only the root is in it.
pub(super) type Decisions<'a> = HashMap<&'a TableName, Decision<'a>>;

/// `truncate` that also empties the tables that reference it.
static TRUNCATE_CASCADE: TableRule = TableRule::Truncate { cascade: true };

/// A name as a rules file would write it.
pub(super) fn in_rules(name: &TableName) -> String {
    format!("{}.{}", written(&name.schema), written(&name.name))
}

/// Never written: its rows live elsewhere or belong to an extension.
pub(super) fn never_written(table: &Table) -> bool {
    table.kind == TableKind::Foreign || table.extension.is_some()
}

/// Joins rules and tables.
pub(super) fn decide<'a>(
    rules: &'a RuleSet,
    catalog: &'a Catalog,
    forest: &Forest<'a>,
    found: &mut Collected,
) -> Decisions<'a> {
    let mut decisions = exact(rules, catalog, found);
    partitions_agree(catalog, forest, &mut decisions, found);
    wildcards(rules, catalog, forest, &mut decisions, found);
    cascade(catalog, forest, &mut decisions);
    decisions
}

fn exact<'a>(rules: &'a RuleSet, catalog: &'a Catalog, found: &mut Collected) -> Decisions<'a> {
    let mut decisions: Decisions<'a> = HashMap::new();
    for (name, rule) in rules.tables.iter().filter(|(name, _)| !name.value.is_wildcard()) {
        let Some(table) = the_table(name, catalog, found) else { continue };
        let decision = Decision { rule, at: name.at, wildcard: false };
        if let Some(first) = decisions.get(&table.name) {
            let message = format!("second rule for this table, the first is at {}", first.at);
            found.add(name.at, table.name.to_string(), message, "write one rule per table");
            continue;
        }
        decisions.insert(&table.name, decision);
    }
    decisions
}

/// The one table of an exact name.
fn the_table<'a>(
    name: &Spanned<NamePattern>,
    catalog: &'a Catalog,
    found: &mut Collected,
) -> Option<&'a Table> {
    let pattern = &name.value;
    let is_named = |table: &TableName| {
        pattern.name.text == table.name
            && pattern.schema.as_ref().is_none_or(|schema| schema.text == table.schema)
    };
    let named: Vec<&Table> = catalog.tables.iter().filter(|table| is_named(&table.name)).collect();
    match named.as_slice() {
        [table] => Some(table),
        [] if catalog.views.iter().any(|view| is_named(&view.name)) => {
            let cure = "remove it: a view shows the masked rows of its tables by itself";
            found.add(name.at, pattern.to_string(), "rule for a view", cure);
            None
        }
        [] => {
            let cure = match similar(pattern, catalog) {
                Some(similar) => format!("did you mean `{similar}`? names are case-sensitive"),
                None => "remove the rule if the table is gone; names are case-sensitive".into(),
            };
            found.add(name.at, pattern.to_string(), "unknown table", cure);
            None
        }
        several => {
            let names: Vec<String> = several.iter().map(|table| in_rules(&table.name)).collect();
            let cure = format!("write `{}`", names.join("` or `"));
            found.add(name.at, pattern.to_string(), "ambiguous table name", cure);
            None
        }
    }
}

/// The nearest table's name, written as the unknown one was; of the same schema, where there is such a schema.
fn similar(pattern: &NamePattern, catalog: &Catalog) -> Option<String> {
    let names = || catalog.tables.iter().map(|table| &table.name);
    let Some(schema) = &pattern.schema else {
        let near = nearest(&pattern.name.text, names().map(|table| table.name.as_str()));
        return near.map(written);
    };
    if names().any(|table| table.schema == schema.text) {
        let of_schema = names().filter(|table| table.schema == schema.text);
        let near = nearest(&pattern.name.text, of_schema.map(|table| table.name.as_str()));
        return near.map(|near| format!("{schema}.{}", written(near)));
    }
    names().find(|table| table.name == pattern.name.text).map(in_rules)
}

/// Takes partitions' own rules out again: they may say what the root's rule says, nothing else.
fn partitions_agree<'a>(
    catalog: &'a Catalog,
    forest: &Forest<'a>,
    decisions: &mut Decisions<'a>,
    found: &mut Collected,
) {
    for table in catalog.tables.iter().filter(|table| forest.is_partition(table)) {
        let Some(own) = decisions.remove(&table.name) else { continue };
        let root = &forest.root(table).name;
        if decisions.get(root).is_none_or(|decision| decision.rule != own.rule) {
            let message = format!("partition of {root} with a rule of its own");
            let cure = format!("remove it: the rule for `{}` decides it", in_rules(root));
            found.add(own.at, table.name.to_string(), message, cure);
        }
    }
}

fn wildcards<'a>(
    rules: &'a RuleSet,
    catalog: &'a Catalog,
    forest: &Forest<'a>,
    decisions: &mut Decisions<'a>,
    found: &mut Collected,
) {
    let mut first_match: Decisions<'a> = HashMap::new();
    for (name, rule) in rules.tables.iter().filter(|(name, _)| name.value.is_wildcard()) {
        let matches: Vec<&Table> =
            catalog.tables.iter().filter(|table| stands_for(&name.value, catalog, table)).collect();
        let roots: Vec<&Table> =
            matches.iter().copied().filter(|table| !forest.is_partition(table)).collect();
        if roots.is_empty() {
            let (message, cure) = if matches.is_empty() {
                ("wildcard that matches no table", "correct the name, or remove the rule")
            } else {
                ("wildcard that matches partitions only", "write the rule for their root")
            };
            found.add(name.at, name.value.to_string(), message, cure);
        }
        for table in roots.into_iter().filter(|table| !never_written(table)) {
            if decisions.get(&table.name).is_some_and(|decision| !decision.wildcard) {
                continue;
            }
            if let Some(first) = first_match.get(&table.name) {
                let message = format!("two wildcards match it, at {} and here", first.at);
                let cure = "give the table a rule of its own, or narrow one of the two";
                found.add(name.at, table.name.to_string(), message, cure);
                continue;
            }
            let decision = Decision { rule, at: name.at, wildcard: true };
            first_match.insert(&table.name, decision);
            decisions.insert(&table.name, decision);
        }
    }
}

fn stands_for(pattern: &NamePattern, catalog: &Catalog, table: &Table) -> bool {
    let schema = match &pattern.schema {
        Some(schema) => schema.matches(&table.name.schema),
        None => table.name.schema == catalog.default_schema,
    };
    schema && pattern.name.matches(&table.name.name)
}

/// Marks what references an emptied table for emptying, where the rule cascades and no exact rule says otherwise.
fn cascade<'a>(catalog: &'a Catalog, forest: &Forest<'a>, decisions: &mut Decisions<'a>) {
    let mut changed = true;
    while changed {
        changed = false;
        for key in &catalog.foreign_keys {
            let (Some(child), Some(parent)) =
                (forest.table(&key.table), forest.table(&key.references))
            else {
                continue;
            };
            let (child, parent) = (forest.root(child), forest.root(parent));
            let Some(emptied) = decisions.get(&parent.name).copied() else { continue };
            let free = decisions.get(&child.name).is_none_or(|decision| {
                decision.wildcard && !matches!(decision.rule, TableRule::Truncate { .. })
            });
            if *emptied.rule == TRUNCATE_CASCADE && free && !never_written(child) {
                let decision = Decision { rule: &TRUNCATE_CASCADE, at: emptied.at, wildcard: true };
                decisions.insert(&child.name, decision);
                changed = true;
            }
        }
    }
}
