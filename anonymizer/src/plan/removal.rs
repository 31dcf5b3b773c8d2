//! Rows that are removed, and the rows that reference them: `delete_rows` and `truncate` never leave an orphan.

use super::group::{Fate, Group, Groups};
use super::reference::is_nullified;
use crate::catalog::{Catalog, ForeignKey};
use crate::finding::{Collected, Position};

/// Spreads `delete_rows` along foreign keys where the rule cascades; everything else that would orphan a row is a finding.
pub(super) fn spread<'a>(catalog: &'a Catalog, groups: &mut Groups<'a>, found: &mut Collected) {
    for key in &catalog.foreign_keys {
        if let Some(parent) = groups.of(&key.references).filter(|parent| parent.truncated()) {
            emptied(key, parent, groups, found);
        }
    }
    let deletes = |group: &Group<'a>| match group.fate {
        Fate::Columns { delete_rows: Some(predicate), cascade, .. } => {
            Some((predicate.at, cascade))
        }
        _ => None,
    };
    for start in 0..groups.all.len() {
        let Some((at, cascade)) = deletes(&groups.all[start]) else { continue };
        let mut removed = vec![start];
        let mut next = 0;
        while let Some(&parent) = removed.get(next) {
            for key in &catalog.foreign_keys {
                let child = orphaned(groups, key, parent, at, cascade, found);
                if let Some(child) = child.filter(|child| !removed.contains(child)) {
                    removed.push(child);
                }
            }
            next += 1;
        }
    }
}

/// A finding for each table that keeps rows which reference an emptied one.
fn emptied(key: &ForeignKey, parent: &Group<'_>, groups: &Groups<'_>, found: &mut Collected) {
    let Some(child) = groups.of(&key.table).filter(|child| leaves_orphans(child, key)) else {
        return;
    };
    let Fate::Truncate { cascade } = parent.fate else { return };
    let child = &child.root.name;
    let cure = if cascade {
        format!("write `truncate` for {child} too, or remove its rule and let it be emptied")
    } else {
        format!("write `truncate` for {child} too, or `{{ truncate: true, cascade: true }}` here")
    };
    let message = format!("`truncate` orphans the rows of {child} (foreign key `{}`)", key.name);
    found.add(parent.at, parent.root.name.to_string(), message, cure);
}

/// What follows for a key's referencing table where rows of group `parent` are removed: its index, if rows of it go as well.
fn orphaned<'a>(
    groups: &mut Groups<'a>,
    key: &'a ForeignKey,
    parent: usize,
    at: Position,
    cascade: bool,
    found: &mut Collected,
) -> Option<usize> {
    if groups.index_of(&key.references) != Some(parent) {
        return None;
    }
    let child = groups.index_of(&key.table)?;
    if !leaves_orphans(&groups.all[child], key) {
        return None;
    }
    let written = !matches!(groups.all[child].fate, Fate::Untouched);
    if cascade && written {
        let orphans = &mut groups.all[child].orphans;
        if !orphans.contains(&key) {
            orphans.push(key);
        }
        return Some(child);
    }
    let (name, child) = (&groups.all[parent].root.name, &groups.all[child].root.name);
    let message = format!("`delete_rows` orphans rows of {child} (foreign key `{}`)", key.name);
    let cure = if written {
        "add `cascade: true` to remove them as well".to_owned()
    } else {
        format!("remove `delete_rows`: {child} is never written")
    };
    found.add(at, name.to_string(), message, cure);
    None
}

/// Rows of the referencing table stay and reference something.
fn leaves_orphans(child: &Group<'_>, key: &ForeignKey) -> bool {
    !child.truncated() && !matches!(child.fate, Fate::Undecided) && !is_nullified(child, key)
}
