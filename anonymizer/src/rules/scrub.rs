//! The section `scrub:` of a rules file: what the scrub does beyond rows, and which checks may stay undone, each with a
//! reason. It knows the checks' names and no database.

use super::column::text;
use super::name::Part;
use super::suggest::did_you_mean;
use super::yaml::{Key, Node, Shape};
use super::{DatabaseRule, LargeObjectsRule, RoleRule, ScrubRules};
use crate::finding::{Collected, Spanned};
use crate::scrub::{CHECKS, check};

const KEYS: [&str; 4] = ["accept", "roles", "databases", "large_objects"];

/// Reads the section.
pub(super) fn read(node: &Node, found: &mut Collected) -> ScrubRules {
    let mut rules = ScrubRules::default();
    let example = "write entries under it, as in `large_objects: drop`";
    for (key, node) in entries("scrub", node, example, found) {
        match key.text.as_str() {
            "accept" => rules.accept = accept(node, found),
            "roles" => rules.roles = roles(node, found),
            "databases" => rules.databases = databases(node, found),
            "large_objects" => {
                let words = [("drop", LargeObjectsRule::Drop), ("keep", LargeObjectsRule::Keep)];
                let rule = word("scrub.large_objects", node, words, found);
                rules.large_objects = rule.map(|rule| Spanned::new(rule, node.at));
            }
            unknown => {
                let otherwise = "`scrub` has `accept`, `roles`, `databases` and `large_objects`";
                let cure = did_you_mean(unknown, KEYS, otherwise);
                found.add(key.at, "scrub", format!("unknown key `{unknown}`"), cure);
            }
        }
    }
    rules
}

fn entries<'a>(
    subject: &str,
    node: &'a Node,
    cure: &str,
    found: &mut Collected,
) -> &'a [(Key, Node)] {
    match &node.shape {
        Shape::Mapping(entries) => entries,
        Shape::Unusable => &[],
        _ => {
            let message = format!("{} where a mapping is expected", node.noun());
            found.add(node.at, subject, message, cure);
            &[]
        }
    }
}

fn accept(node: &Node, found: &mut Collected) -> Vec<(Spanned<String>, String)> {
    const CURE: &str = "write a list, as in `accept: [{ check: postgres.wal, reason: why }]`";
    let subject = "scrub.accept";
    let Shape::List(items) = &node.shape else {
        if !matches!(node.shape, Shape::Unusable) {
            let message = format!("{} where a list is expected", node.noun());
            found.add(node.at, subject, message, CURE);
        }
        return Vec::new();
    };
    let mut accepted: Vec<(Spanned<String>, String)> = Vec::new();
    for item in items {
        let Some((check, reason)) = accepted_one(subject, item, CURE, found) else { continue };
        if let Some((first, _)) = accepted.iter().find(|(known, _)| *known == check) {
            let message = format!("`{}` is accepted twice, first at {}", check.value, first.at);
            found.add(check.at, subject, message, "write one entry per check");
            continue;
        }
        accepted.push((check, reason));
    }
    accepted
}

fn accepted_one(
    subject: &str,
    item: &Node,
    cure: &str,
    found: &mut Collected,
) -> Option<(Spanned<String>, String)> {
    let (mut id, mut reason) = (None, None);
    for (key, node) in entries(subject, item, cure, found) {
        match key.text.as_str() {
            "check" => id = Some(text(subject, "check", node, found)),
            "reason" => reason = Some(text(subject, "reason", node, found)),
            unknown => {
                let cure =
                    did_you_mean(unknown, ["check", "reason"], "an entry has `check` and `reason`");
                found.add(key.at, subject, format!("unknown key `{unknown}`"), cure);
            }
        }
    }
    if !matches!(item.shape, Shape::Mapping(_)) {
        return None;
    }
    if id.is_none() {
        found.add(
            item.at,
            subject,
            "entry without `check`",
            "name the check: `rules/scrub.md` lists them",
        );
    }
    let id = id.flatten().filter(|id| known(subject, id, found));
    let reason = match reason {
        None => {
            found.add(
                item.at,
                subject,
                "accepted without a reason",
                "add `reason:`, which the report shows",
            );
            None
        }
        Some(reason) => reason.filter(|reason| {
            let given = !reason.value.trim().is_empty();
            if !given {
                found.add(reason.at, subject, "empty reason", "say why; the report shows it");
            }
            given
        }),
    };
    Some((id?, reason?.value))
}

fn known(subject: &str, id: &Spanned<String>, found: &mut Collected) -> bool {
    let is_known = check(&id.value).is_some();
    if !is_known {
        let known = CHECKS.iter().map(|check| check.id);
        let cure = did_you_mean(&id.value, known, "`rules/scrub.md` lists the checks");
        found.add(id.at, subject, format!("unknown check `{}`", id.value), cure);
    }
    is_known
}

fn roles(node: &Node, found: &mut Collected) -> Vec<(Spanned<Part>, RoleRule)> {
    let mut roles: Vec<(Spanned<Part>, RoleRule)> = Vec::new();
    let example = "write one entry per role, as in `grafana: lock`";
    for (key, node) in entries("scrub.roles", node, example, found) {
        let subject = format!("scrub.roles.{}", key.text);
        let words = [("lock", RoleRule::Lock), ("drop", RoleRule::Drop)];
        let rule = word(&subject, node, words, found);
        let name = match Part::read(&key.text) {
            Ok(name) => name,
            Err(_) => {
                let cure =
                    "put double quotes around a name with a dot or a quote, as in `'\"a.b\"'`";
                found.add(key.at, &subject, "name of a role that cannot be read", cure);
                continue;
            }
        };
        if let Some(rule) = rule {
            roles.push((Spanned::new(name, key.at), rule));
        }
    }
    roles
}

fn databases(node: &Node, found: &mut Collected) -> Vec<(Spanned<String>, DatabaseRule)> {
    let mut databases = Vec::new();
    let example = "write one entry per database, as in `analytics: drop`";
    for (key, node) in entries("scrub.databases", node, example, found) {
        let subject = format!("scrub.databases.{}", key.text);
        let words = [("drop", DatabaseRule::Drop), ("masked", DatabaseRule::Masked)];
        if let Some(rule) = word(&subject, node, words, found) {
            databases.push((Spanned::new(key.text.clone(), key.at), rule));
        }
    }
    databases
}

/// One of two words.
fn word<T: Copy>(
    subject: &str,
    node: &Node,
    words: [(&'static str, T); 2],
    found: &mut Collected,
) -> Option<T> {
    let name = subject.rsplit('.').next().unwrap_or(subject);
    let written = text(subject, name, node, found)?;
    let meant = words.iter().find(|(word, _)| *word == written.value);
    if meant.is_none() {
        let otherwise = format!("write `{}` or `{}`", words[0].0, words[1].0);
        let cure = did_you_mean(&written.value, words.map(|(word, _)| word), &otherwise);
        found.add(written.at, subject, format!("unknown word `{}`", written.value), cure);
    }
    meant.map(|(_, rule)| *rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::parse;

    #[test]
    fn everything_that_can_be_written() {
        let text = "version: 1\ntables: {}\nscrub:\n  accept: [{ check: postgres.wal, reason: on a private disk }]\n  \
                    roles: { 'report_*': drop, grafana: lock, '\"a.b\"': drop }\n  \
                    databases: { a.b: drop, other: masked }\n  large_objects: drop\n";
        let rules = parse("x.yaml", text.as_bytes()).unwrap().scrub;
        assert_eq!(rules.reason("postgres.wal"), Some("on a private disk"));
        assert_eq!(rules.reason("postgres.server-logs"), None);
        let role = |name: &str| {
            rules.roles.iter().find(|(role, _)| role.value.matches(name)).map(|(_, rule)| *rule)
        };
        assert_eq!(role("report_x"), Some(RoleRule::Drop));
        assert_eq!(role("grafana"), Some(RoleRule::Lock));
        assert_eq!(role("a.b"), Some(RoleRule::Drop));
        assert_eq!(role("b"), None);
        let databases: Vec<_> =
            rules.databases.iter().map(|(name, rule)| (name.value.as_str(), *rule)).collect();
        assert_eq!(databases, [("a.b", DatabaseRule::Drop), ("other", DatabaseRule::Masked)]);
        assert_eq!(rules.large_objects.map(|rule| rule.value), Some(LargeObjectsRule::Drop));
    }
}
