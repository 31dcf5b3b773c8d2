//! From decisions to the plan's tables: one entry per table with rows of its own.

use super::forest::Forest;
use super::group::{Decided, Fate, Group, Groups};
use super::tables::never_written;
use super::{Action, ColumnPlan, TablePlan};
use crate::catalog::{Column, Kind, Table};
use crate::identifier::{Identifier, NamePart};
use crate::mask::{self, Class};
use crate::rules::ColumnRule;
use crate::switches;
use crate::verify::naming::{self, Hint};

/// Every table that has rows, by name.
pub(super) fn tables<'a>(forest: &Forest<'a>, groups: &Groups<'a>) -> Vec<TablePlan> {
    let mut tables: Vec<TablePlan> = groups
        .all
        .iter()
        .flat_map(|group| group.members().map(|member| table(forest, group, member)))
        .collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    tables
}

fn table<'a>(forest: &Forest<'a>, group: &Group<'a>, member: &'a Table) -> TablePlan {
    // A partition may be a foreign table.
    if never_written(member) {
        return untouched(member);
    }
    let (skip_rows, delete_rows) = match group.fate {
        Fate::Columns { skip_rows, delete_rows, .. } => (skip_rows, delete_rows),
        Fate::Undecided | Fate::Untouched | Fate::Truncate { .. } => (None, None),
    };
    let columns: Vec<ColumnPlan> =
        member.columns.iter().map(|own| column(group, member, own)).collect();
    let orphans = group.orphans.iter().filter(|key| forest.is_at_or_above(&key.table, member));
    let delete_orphans_of: Vec<_> = orphans.map(|key| (*key).clone()).collect();
    let masked = columns.iter().any(|column| column.mask.is_some());
    let action = if group.truncated() {
        Action::Truncate
    } else if masked || delete_rows.is_some() || !delete_orphans_of.is_empty() {
        Action::Rewrite
    } else {
        Action::Keep
    };
    TablePlan {
        name: member.name.clone(),
        action,
        skip_rows: skip_rows.map(|predicate| predicate.value.clone()),
        delete_rows: delete_rows.map(|predicate| predicate.value.clone()),
        delete_orphans_of,
        columns,
        estimated_rows: member.estimated_rows,
        bytes: member.bytes,
    }
}

fn untouched(member: &Table) -> TablePlan {
    TablePlan {
        name: member.name.clone(),
        action: Action::Keep,
        skip_rows: None,
        delete_rows: None,
        delete_orphans_of: Vec::new(),
        columns: member.columns.iter().map(|own| kept(own, false)).collect(),
        estimated_rows: member.estimated_rows,
        bytes: member.bytes,
    }
}

fn kept(own: &Column, named: bool) -> ColumnPlan {
    ColumnPlan {
        name: own.name.clone(),
        data_type: own.data_type.clone(),
        kind: own.kind.clone(),
        generated: own.generated,
        named,
        function: if own.generated { "generated" } else { "keep" }.to_owned(),
        class: (!own.generated).then_some(Class::Keep),
        mask: None,
        seed: None,
        constant: None,
        identifies: None,
        shapes: false,
        name_part: None,
        advance_sequence: false,
    }
}

/// A partition's columns are the root's, in an order of their own.
fn column(group: &Group<'_>, member: &Table, own: &Column) -> ColumnPlan {
    let decided = group.column(&own.name);
    let named = decided.is_some_and(|decided| decided.named);
    let prepared = decided.and_then(|decided| decided.prepared.as_ref());
    let rule = decided.and_then(Decided::mask);
    let seed = rule.and_then(|rule| rule.seed.as_ref());
    let (function, class) = match rule {
        _ if group.truncated() => ("truncate", Some(Class::Suppression)),
        Some(rule) => {
            let name = rule.function.value.as_str();
            (name, mask::function(name).map(|function| function.class))
        }
        None => return kept(own, named),
    };
    let Said { identifies, shapes, name_part } = said(group, member, own, function, rule);
    ColumnPlan {
        name: own.name.clone(),
        data_type: own.data_type.clone(),
        kind: own.kind.clone(),
        generated: own.generated,
        named,
        function: function.to_owned(),
        class,
        mask: prepared.map(|prepared| prepared.mask.clone()),
        seed: seed.and_then(|seed| member.columns.iter().position(|c| c.name == seed.value)),
        constant: prepared.and_then(|prepared| prepared.constant.clone()),
        identifies,
        shapes,
        name_part,
        advance_sequence: own.identity
            && matches!(own.kind, Kind::Int(_))
            && prepared.is_some_and(|prepared| prepared.unique && prepared.constant.is_none()),
    }
}

/// What is known of a column's originals.
#[derive(Default)]
struct Said {
    identifies: Option<Identifier>,
    shapes: bool,
    name_part: Option<NamePart>,
}

/// What the originals of a column are: as its rule says, else as its function does, else as its name does, else what each
/// value shows by its form. A table that is emptied is read for the columns alone whose names say it.
fn said(
    group: &Group<'_>,
    member: &Table,
    own: &Column,
    function: &str,
    rule: Option<&ColumnRule>,
) -> Said {
    let truncated = group.truncated();
    let text = match &own.kind {
        Kind::Array(inner) => matches!(**inner, Kind::Text { .. }),
        kind => matches!(kind, Kind::Text { .. }),
    };
    let rule = rule.filter(|_| !truncated);
    let told = rule.and_then(|rule| rule.identifies.as_ref()).map(|told| told.value);
    let identifies = rule.and_then(mask::identifies);
    let name_part = match function {
        _ if told == Some(false) || own.generated => None,
        "first_name" => Some(NamePart::First),
        "last_name" => Some(NamePart::Last),
        _ => None,
    };
    let blind = truncated || mask::function(function).is_some_and(mask::Function::is_blind);
    let unseen = !blind || !(text || own.kind == Kind::Json);
    if told == Some(false) || unseen || own.generated || switches::is_off("gate.naming") {
        return Said { identifies, name_part, shapes: false };
    }
    // What a document is called says nothing of each of its values.
    let hint = if text { naming::hint(&member.name.name, &own.name) } else { Hint::Nothing };
    let part = match hint {
        Hint::First => Some(NamePart::First),
        Hint::Last => Some(NamePart::Last),
        _ => name_part,
    };
    match (identifies, hint.kind()) {
        // The rule says that it identifies, and the name as what.
        (Some(Identifier::Other) | None, Some(kind)) => {
            Said { identifies: Some(kind), name_part: part, shapes: false }
        }
        (identifies, _) => {
            let shapes = identifies.is_none() && !truncated;
            Said { identifies, name_part: part, shapes }
        }
    }
}
