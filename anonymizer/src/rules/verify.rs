//! The section `verify:` of a rules file: what the leak gate may find, each with a reason. It knows the kinds of identifier and
//! no database: whether a column exists is the plan's business.

use super::Allow;
use super::column::text;
use super::suggest::did_you_mean;
use super::yaml::{Key, Node, Shape};
use crate::finding::{Collected, Spanned};
use crate::identifier::Identifier;

const SUBJECT: &str = "verify.allow";
const EXAMPLE: &str =
    "write a list, as in `allow: [{ column: public.shops.contact, kind: email, reason: why }]`";

/// Reads the section.
pub(super) fn read(node: &Node, found: &mut Collected) -> Vec<Allow> {
    let mut allowed = Vec::new();
    let Some(entries) = mapping("verify", node, "write `allow:` under it", found) else {
        return allowed;
    };
    for (key, node) in entries {
        match key.text.as_str() {
            "allow" => allowed = allow(node, found),
            unknown => {
                let cure = did_you_mean(unknown, ["allow"], "`verify` has `allow`");
                found.add(key.at, "verify", format!("unknown key `{unknown}`"), cure);
            }
        }
    }
    allowed
}

fn mapping<'a>(
    subject: &str,
    node: &'a Node,
    cure: &str,
    found: &mut Collected,
) -> Option<&'a [(Key, Node)]> {
    match &node.shape {
        Shape::Mapping(entries) => Some(entries),
        Shape::Unusable => None,
        _ => {
            let message = format!("{} where a mapping is expected", node.noun());
            found.add(node.at, subject, message, cure);
            None
        }
    }
}

fn allow(node: &Node, found: &mut Collected) -> Vec<Allow> {
    let Shape::List(items) = &node.shape else {
        if !matches!(node.shape, Shape::Unusable) {
            let message = format!("{} where a list is expected", node.noun());
            found.add(node.at, SUBJECT, message, EXAMPLE);
        }
        return Vec::new();
    };
    let mut allowed: Vec<Allow> = Vec::new();
    for item in items {
        let Some(entry) = one(item, found) else { continue };
        let same = |known: &&Allow| {
            let kind = |entry: &Allow| entry.kind.as_ref().map(|kind| kind.value.clone());
            known.column.value == entry.column.value && kind(known) == kind(&entry)
        };
        if let Some(first) = allowed.iter().find(same) {
            let message =
                format!("`{}` is allowed twice, first at {}", entry.column.value, first.column.at);
            found.add(entry.column.at, SUBJECT, message, "write one entry per column and kind");
            continue;
        }
        allowed.push(entry);
    }
    allowed
}

/// An entry; `None` where there is a finding.
fn one(item: &Node, found: &mut Collected) -> Option<Allow> {
    let entries = mapping(SUBJECT, item, EXAMPLE, found)?;
    let given = |name: &str| entries.iter().any(|(key, _)| key.text == name);
    let (mut column, mut kind, mut reason) = (None, None, None);
    let mut complete = true;
    for (key, node) in entries {
        match key.text.as_str() {
            "column" => column = text(SUBJECT, "column", node, found),
            "kind" => {
                kind = text(SUBJECT, "kind", node, found).filter(|kind| is_known(kind, found));
                complete &= kind.is_some();
            }
            "reason" => {
                reason =
                    text(SUBJECT, "reason", node, found).filter(|reason| is_given(reason, found))
            }
            unknown => {
                let known = ["column", "kind", "reason"];
                let cure =
                    did_you_mean(unknown, known, "an entry has `column`, `kind` and `reason`");
                found.add(key.at, SUBJECT, format!("unknown key `{unknown}`"), cure);
                complete = false;
            }
        }
    }
    if !given("column") {
        let cure = "name the column as the report does: `schema.table.column`";
        found.add(item.at, SUBJECT, "entry without `column`", cure);
    }
    if !given("reason") {
        found.add(
            item.at,
            SUBJECT,
            "allowed without a reason",
            "add `reason:`, which the report shows",
        );
    }
    let (column, reason) = (column?, reason?);
    complete.then_some(Allow { column, kind, reason: reason.value })
}

fn is_known(kind: &Spanned<String>, found: &mut Collected) -> bool {
    let names = Identifier::ALL.map(Identifier::name);
    let is_known = names.contains(&kind.value.as_str());
    if !is_known {
        let otherwise = format!("write one of {}", names.join(", "));
        let cure = did_you_mean(&kind.value, names, &otherwise);
        found.add(kind.at, SUBJECT, format!("unknown kind `{}`", kind.value), cure);
    }
    is_known
}

fn is_given(reason: &Spanned<String>, found: &mut Collected) -> bool {
    let given = !reason.value.trim().is_empty();
    if !given {
        found.add(reason.at, SUBJECT, "empty reason", "say why; the report shows it");
    }
    given
}
