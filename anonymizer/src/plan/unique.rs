//! Unique keys: does every one of them still hold, whatever the values are?
//!
//! A key holds when some unique key made of columns of it does, for then the larger one does as well. Such a key holds when
//! each of its columns is kept or masked so that distinct values get distinct fakes; or when one of them is seeded by a
//! column that alone identifies a row. NULLs never collide, but in a key that says so, and most masks leave a NULL as it is.
//! Where `skip_rows` leaves originals beside fakes, one masked column in the key must have fakes that no original can be.
//! Keys over expressions other than `lower(column)` cannot be judged.

use super::equality::by_type;
use super::group::{Decided, Fate, Group, Groups};
use crate::catalog::{Table, UniqueKey};
use crate::finding::Collected;

/// Checks every unique key over a masked column.
pub(super) fn check(groups: &Groups<'_>, found: &mut Collected) {
    for group in &groups.all {
        for table in &group.tree {
            for key in &table.unique_keys {
                one(group, table, key, found);
            }
        }
    }
}

fn one(group: &Group<'_>, table: &Table, key: &UniqueKey, found: &mut Collected) {
    let columns = decided(group, key);
    if columns.iter().any(|column| column.mask().is_some() && column.prepared.is_none()) {
        return;
    }
    let keys = || group.root.unique_keys.iter().chain(&table.unique_keys);
    let implies = |other: &&UniqueKey| {
        let whole = other.predicate.is_none() && other.expressions.is_empty();
        let smaller = || other.columns.iter().all(|column| key.columns.contains(column));
        // NULLs that the smaller key lets pass could collide in the larger one.
        let strict = || !key.nulls_collide || other.nulls_collide || never_null(group, other);
        *other == key || whole && smaller() && strict()
    };
    let mut candidates = keys().filter(implies).chain(std::iter::once(key));
    if candidates.any(|candidate| holds(group, table, candidate).is_ok()) {
        return;
    }
    for Broken { column, message, cure } in holds(group, table, key).err().unwrap_or_default() {
        let Some(rule) = column.mask() else { continue };
        let sort = if key.primary { "primary key" } else { "unique key" };
        let message = format!("{message} {sort} `{}`", key.name);
        found.add(rule.function.at, group.subject(column.column), message, cure);
    }
}

fn never_null(group: &Group<'_>, key: &UniqueKey) -> bool {
    let not_null = |name: &String| group.column(name).is_some_and(|one| !one.column.nullable);
    key.primary || key.columns.iter().all(not_null)
}

/// Why a key does not hold; the message lacks the key's name.
struct Broken<'g, 'a> {
    column: &'g Decided<'a>,
    message: String,
    cure: &'static str,
}

fn decided<'g, 'a>(group: &'g Group<'a>, key: &UniqueKey) -> Vec<&'g Decided<'a>> {
    key.columns.iter().filter_map(|name| group.column(name)).collect()
}

fn holds<'g, 'a>(
    group: &'g Group<'a>,
    table: &Table,
    key: &UniqueKey,
) -> Result<(), Vec<Broken<'g, 'a>>> {
    let columns = decided(group, key);
    let masked: Vec<&Decided> =
        columns.iter().copied().filter(|column| column.mask().is_some()).collect();
    let nullified = !key.nulls_collide && masked.iter().any(|column| column.nullified());
    if masked.is_empty() || nullified {
        return Ok(());
    }
    let of_row = |column: &&&Decided<'_>| identifies_row(group, table, column);
    // Where the column is NULL, the other columns must tell such rows apart.
    let apart = |column: &Decided<'_>| !key.nulls_collide || !column.column.nullable;
    let by_row = masked.iter().filter(of_row).any(|column| apart(column));
    let weak = masked.iter().filter(|column| !is_injective(group, key, column) && !of_row(column));
    let broken: Vec<Broken> = weak.map(|column| broken(column)).collect();
    if !by_row && !broken.is_empty() {
        return Err(broken);
    }
    let skips = matches!(group.fate, Fate::Columns { skip_rows: Some(_), .. });
    let disjoint = masked
        .iter()
        .any(|column| column.prepared.as_ref().is_some_and(|prepared| prepared.disjoint));
    if skips && !disjoint {
        return Err(vec![Broken {
            column: masked[0],
            message: "with `skip_rows` a fake could be a value that stays, in the".into(),
            cure: "remove `skip_rows`, or choose a function whose fakes lie in a reserved range",
        }]);
    }
    Ok(())
}

fn broken<'g, 'a>(column: &'g Decided<'a>) -> Broken<'g, 'a> {
    let rule = column.mask();
    let name = rule.map_or("", |rule| &rule.function.value);
    let prepared_unique = column.prepared.as_ref().is_some_and(|prepared| prepared.unique);
    match rule.and_then(|rule| rule.seed.as_ref()) {
        Some(seed) if prepared_unique => Broken {
            column,
            message: format!("fakes seeded by `{}`, which is not unique, in the", seed.value),
            cure: "remove the seed, or seed by a NOT NULL column that is unique by itself",
        },
        _ => Broken {
            column,
            message: format!("`{name}` may give different values the same fake, in the"),
            cure: "choose a function that is unique; `anonymizer functions` says which are",
        },
    }
}

/// Distinct values get distinct fakes, under the key's equality.
fn is_injective(group: &Group<'_>, key: &UniqueKey, column: &Decided<'_>) -> bool {
    let Some(prepared) = &column.prepared else { return false };
    let seeded = column.mask().is_some_and(|rule| rule.seed.is_some());
    if seeded || !prepared.unique || column.nullified() {
        return false;
    }
    // Another key's equality takes `A` and `a` for one value; this key does not, and both may be there.
    let folded = column.ignore_case && !key.ignore_case && !by_type(column.column);
    let no_two_differ_in_case = |other: &UniqueKey| {
        other.ignore_case && other.columns.iter().all(|column| key.columns.contains(column))
    };
    let mut keys = group.tree.iter().flat_map(|table| &table.unique_keys);
    !folded || keys.any(no_two_differ_in_case) || !keyed_without_case(group, column)
}

/// One of the table's own unique keys over the column ignores case.
fn keyed_without_case(group: &Group<'_>, column: &Decided<'_>) -> bool {
    let mut keys = group.tree.iter().flat_map(|table| &table.unique_keys);
    keys.any(|key| key.ignore_case && key.columns.contains(&column.column.name))
}

/// The fake is derived from a column that alone identifies a row.
fn identifies_row(group: &Group<'_>, table: &Table, column: &Decided<'_>) -> bool {
    let Some(prepared) = column.prepared.as_ref().filter(|prepared| prepared.unique) else {
        return false;
    };
    let Some(seed) = column.mask().and_then(|rule| rule.seed.as_ref()) else { return false };
    let not_null = group.column(&seed.value).is_some_and(|seed| !seed.column.nullable);
    let mut keys = group.root.unique_keys.iter().chain(&table.unique_keys);
    let alone = |key: &UniqueKey| {
        key.columns == [seed.value.as_str()]
            && key.expressions.is_empty()
            && key.predicate.is_none()
    };
    not_null && prepared.constant.is_none() && keys.any(alone)
}
