//! Which columns are compared without case: by their type, by a unique key over them, or because a foreign key joins them to
//! such a column. Fakes on both sides of a key must agree, so that what holds for one side holds for the other.

use std::collections::HashSet;

use super::group::Groups;
use crate::catalog::{Catalog, Column, Kind};

/// The type itself ignores case.
pub(super) fn by_type(column: &Column) -> bool {
    matches!(column.kind, Kind::Text { ignore_case: true, .. })
}

fn is_text(column: &Column) -> bool {
    matches!(column.kind, Kind::Text { .. })
}

/// Sets `ignore_case` of every column.
pub(super) fn settle(catalog: &Catalog, groups: &mut Groups<'_>) {
    let mut without_case = own(groups);
    loop {
        let before = without_case.len();
        for key in &catalog.foreign_keys {
            let sides = (groups.index_of(&key.table), groups.index_of(&key.references));
            let (Some(child), Some(parent)) = sides else { continue };
            for (column, referenced) in key.columns.iter().zip(&key.referenced_columns) {
                let (a, b) = ((child, column.as_str()), (parent, referenced.as_str()));
                if without_case.contains(&a) || without_case.contains(&b) {
                    without_case.extend([a, b]);
                }
            }
        }
        if without_case.len() == before {
            break;
        }
    }
    for (index, group) in groups.all.iter_mut().enumerate() {
        for decided in &mut group.columns {
            let found = without_case.contains(&(index, decided.column.name.as_str()));
            decided.ignore_case = found && is_text(decided.column);
        }
    }
}

fn own<'a>(groups: &Groups<'a>) -> HashSet<(usize, &'a str)> {
    let mut without_case = HashSet::new();
    for (index, group) in groups.all.iter().enumerate() {
        let typed = group.root.columns.iter().filter(|column| by_type(column));
        without_case.extend(typed.map(|column| (index, column.name.as_str())));
        let keys = group.tree.iter().flat_map(|table| &table.unique_keys);
        let keyed = keys.filter(|key| key.ignore_case).flat_map(|key| &key.columns);
        without_case.extend(keyed.map(|column| (index, column.as_str())));
    }
    without_case
}
