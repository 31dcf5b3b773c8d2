//! Foreign keys over masked columns: both sides get the same fake for the same value, or the plan is refused.

use super::group::{Choice, Decided, Fate, Group, Groups};
use crate::catalog::{Catalog, ForeignKey, Kind};
use crate::finding::Collected;
use crate::rules::RuleSet;

/// Checks every foreign key.
pub(super) fn check(
    rules: &RuleSet,
    catalog: &Catalog,
    groups: &Groups<'_>,
    found: &mut Collected,
) {
    for key in &catalog.foreign_keys {
        let (Some(child), Some(parent)) = (groups.of(&key.table), groups.of(&key.references))
        else {
            continue;
        };
        // A table without rows references nothing; one whose key is NULL neither.
        if child.truncated() || parent.truncated() || is_nullified(child, key) {
            continue;
        }
        let before = key.columns.iter().zip(&key.referenced_columns);
        for (column, referenced) in before {
            let sides = (child.column(column), parent.column(referenced));
            let (Some(column), Some(referenced)) = sides else { continue };
            Pair { rules, key, child, parent, column, referenced }.check(found);
        }
    }
}

/// One of the key's columns becomes NULL in every row.
pub(super) fn is_nullified(child: &Group<'_>, key: &ForeignKey) -> bool {
    key.columns.iter().any(|name| child.column(name).is_some_and(Decided::nullified))
}

/// A referencing column and the column it references.
struct Pair<'p, 'a> {
    rules: &'p RuleSet,
    key: &'p ForeignKey,
    child: &'p Group<'a>,
    parent: &'p Group<'a>,
    column: &'p Decided<'a>,
    referenced: &'p Decided<'a>,
}

impl Pair<'_, '_> {
    fn check(&self, found: &mut Collected) {
        let referenced = self.parent.subject(self.referenced.column);
        let referencing = self.child.subject(self.column.column);
        let key = &self.key.name;
        match (&self.column.choice, &self.referenced.choice) {
            (Choice::Keep(at), Choice::Mask(rule)) => found.add(
                *at,
                referencing,
                format!("kept, but references {referenced}, which is masked (foreign key `{key}`)"),
                format!("mask both with the same `{}`, or keep both", rule.function.value),
            ),
            (Choice::Mask(rule), Choice::Keep(_)) => found.add(
                rule.function.at,
                referencing,
                format!("masked, but references {referenced}, which is kept (foreign key `{key}`)"),
                "mask both with the same rule, keep both, or `nullify` this one",
            ),
            (Choice::Mask(rule), Choice::Mask(_)) => {
                if let Some((message, cure)) = self.difference() {
                    let message =
                        format!("references {referenced}, {message} (foreign key `{key}`)");
                    found.add(rule.function.at, referencing, message, cure);
                }
            }
            _ => {}
        }
    }

    /// Why the two sides would, or might, get different fakes.
    fn difference(&self) -> Option<(&'static str, &'static str)> {
        let (a, b) = (self.column.mask()?, self.referenced.mask()?);
        let locale = |rule: &crate::rules::ColumnRule| {
            rule.locale.clone().or_else(|| self.rules.locale.clone()).map(|locale| locale.value)
        };
        let domain = |rule: &crate::rules::ColumnRule| {
            rule.domain.as_ref().map(|domain| domain.value.clone()).unwrap_or_default()
        };
        if a.function != b.function
            || a.arguments != b.arguments
            || domain(a) != domain(b)
            || locale(a) != locale(b)
        {
            return Some((
                "which is masked by another rule",
                "give both the same function, parameters, domain and locale",
            ));
        }
        if a.seed.is_some() || b.seed.is_some() {
            return Some((
                "and their fakes are seeded by other columns",
                "remove `seed` on both, so that each is derived from itself",
            ));
        }
        if !self.same_fake() {
            return Some((
                "which has another type, and so may get another fake",
                "keep both, or give both columns the same type",
            ));
        }
        let skips =
            |group: &Group<'_>| matches!(group.fate, Fate::Columns { skip_rows: Some(_), .. });
        if skips(self.child) || skips(self.parent) {
            return Some((
                "and `skip_rows` would leave one side as it is",
                "remove `skip_rows` from both tables, or keep the key's columns",
            ));
        }
        None
    }

    /// The types differ in nothing but what says nothing about a fake: a text's width and its equality, which is settled for
    /// both, and an integer's width where the fake is that of a permutation.
    fn same_fake(&self) -> bool {
        match (&self.column.column.kind, &self.referenced.column.kind) {
            (Kind::Text { .. }, Kind::Text { .. }) => true,
            (Kind::Int(_), Kind::Int(_)) if self.is_permuted() => true,
            (a, b) => a == b,
        }
    }

    fn is_permuted(&self) -> bool {
        self.column.prepared.as_ref().is_some_and(|prepared| prepared.unique)
    }
}
