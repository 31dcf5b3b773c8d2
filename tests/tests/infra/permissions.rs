//! The listing of everything that anybody may do, for whoever reviews a change: principal, action, resource, condition.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::statements::{self, Statement};
use crate::template::Template;
use crate::tree::Tree;

const HEAD: &str = "\
# Who may do what

Generated from `production.yaml` and `development.yaml`; `make bless` rewrites it, and a test fails while it is stale. One line for
each action of each role or policy. `rds:db:x` is short for `arn:<partition>:rds:<region>:<account>:db:x` of the account and region
of the stack itself; an ARN that is another account's has its account. `${…}` is a parameter or a resource of the template, `the
stack's X` one of its conditions.
";

/// All of it, in Markdown.
pub fn listing(tree: &Tree) -> String {
    let mut text = HEAD.to_owned();
    for template in &tree.templates {
        let _ = write!(text, "\n## {}\n", template.account);
        account(template, &mut text);
    }
    text
}

fn account(template: &Template, text: &mut String) {
    let all = statements::of(template);
    let mut holders: Vec<&str> = Vec::new();
    for statement in &all {
        if !holders.contains(&statement.holder.as_str()) {
            holders.push(&statement.holder);
        }
    }
    holders.sort_unstable();
    for holder in holders {
        let of = || all.iter().filter(|one| one.holder == holder);
        let _ = write!(text, "\n### {holder}\n\n");
        for trust in of().filter(|one| one.kind == "trust") {
            let when = conditions(trust);
            let when = if when.is_empty() { when } else { format!(" where {when}") };
            let _ = write!(text, "Is {}{when}.\n\n", trust.principals.join(", "));
        }
        let attached = template.resources().find(|one| one.id == holder);
        let attached = attached.map(|one| one.text(&["ManagedPolicyArns"])).unwrap_or_default();
        if !attached.is_empty() {
            let names = attached.replace("${", "").replace('}', "");
            let _ = write!(text, "May also what is said of {names}.\n\n");
        }
        if of().all(|one| one.kind == "trust") {
            continue;
        }
        let on_thing = of().any(|one| !one.principals.is_empty() && one.kind != "trust");
        let (head, rule) = if on_thing { ("who | ", " --- |") } else { ("", "") };
        let _ = writeln!(text, "| {head}action | resource | condition |");
        let _ = writeln!(text, "|{rule} --- | --- | --- |");
        for line in lines(of().filter(|one| one.kind != "trust"), on_thing) {
            let _ = writeln!(text, "{line}");
        }
    }
}

/// One for each action, sorted: a statement that is split or moved changes nothing.
fn lines<'a>(statements: impl Iterator<Item = &'a Statement>, on_thing: bool) -> Vec<String> {
    let mut lines: BTreeMap<(String, String), String> = BTreeMap::new();
    for statement in statements {
        let mut resources: Vec<_> = statement.resources.iter().map(|one| short(one)).collect();
        resources.extend(statement.negated.iter().map(|key| format!("({key})")));
        resources.sort();
        let resources = resources.join("<br>");
        let who = if on_thing {
            format!("{} | ", statement.principals.join("<br>"))
        } else {
            String::new()
        };
        for action in &statement.actions {
            let verb = if statement.allows { "" } else { "**not** " };
            let rest = format!("{resources} | {}", conditions(statement));
            let line = format!("| {who}{verb}{action} | {rest} |").replace("|  |", "| |");
            let order = (action.to_ascii_lowercase(), line.clone());
            lines.insert(order, line);
        }
    }
    lines.into_values().collect()
}

fn conditions(statement: &Statement) -> String {
    let shorts: Vec<_> = statement.conditions.iter().map(|one| short(one)).collect();
    shorts.join("<br>").replace('|', "\\|")
}

/// Without what every ARN of the stack's own account and region says.
fn short(text: &str) -> String {
    let text = text.replace(":${AWS::Region}:${AWS::AccountId}:", ":");
    let text = text.replace("arn:${AWS::Partition}:", "");
    text.replace("s3:::", "s3:").replace('*', "\\*")
}
