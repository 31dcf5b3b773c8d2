//! Every statement of every policy of a template: who may do what to which, and when. Roles' own policies, people's managed
//! policies, and the policies of keys, buckets, buses, queues and topics.

use crate::template::{Resource, Template, resolved};
use crate::yaml::Node;

/// A statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The resource of the template in which it stands.
    pub holder: String,
    /// What that is.
    pub kind: String,
    /// Who; for a role, who may be it stands in another statement.
    pub principals: Vec<String>,
    pub allows: bool,
    pub actions: Vec<String>,
    pub resources: Vec<String>,
    /// `operator key: values`.
    pub conditions: Vec<String>,
    /// The first and the last line.
    pub lines: (usize, usize),
    /// `NotAction`, `NotResource`, `NotPrincipal`.
    pub negated: Vec<String>,
}

impl Statement {
    /// It is about such an action, patterns in it included.
    pub fn covers(&self, action: &str) -> bool {
        self.actions.iter().any(|pattern| matches(pattern, action))
    }
}

pub const ROLE: &str = "AWS::IAM::Role";
pub const MANAGED: &str = "AWS::IAM::ManagedPolicy";

/// Whether a pattern with `*` and `?` fits; actions have no case.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    fits(pattern.as_bytes(), text.as_bytes())
}

fn fits(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            fits(rest, text) || text.split_first().is_some_and(|(_, text)| fits(pattern, text))
        }
        (Some((b'?', pattern)), Some((_, text))) => fits(pattern, text),
        (Some((one, pattern)), Some((other, text))) if one == other => fits(pattern, text),
        _ => false,
    }
}

/// Those of a template, in the file's order.
pub fn of(template: &Template) -> Vec<Statement> {
    let mut all = Vec::new();
    for resource in template.resources() {
        for (document, trust) in documents(&resource) {
            let statements = document.get("Statement").map(Node::items).unwrap_or_default();
            for (node, when) in statements.into_iter().flat_map(either) {
                let mut statement = statement(&resource, node, trust);
                statement.conditions.extend(when);
                all.push(statement);
            }
        }
    }
    all
}

/// Both statements of a choice that a parameter makes, each with what it depends on; one of them may be none.
fn either(node: &Node) -> Vec<(&Node, Option<String>)> {
    let Some(choice) = node.get("Fn::If") else { return vec![(node, None)] };
    let parts = choice.items();
    let name = parts.first().map(|name| resolved(name)).unwrap_or_default();
    let sides = [format!("the stack's {name}"), format!("not the stack's {name}")];
    let sides = parts.into_iter().skip(1).zip(sides);
    let statements = sides.filter(|(node, _)| node.get("Effect").is_some());
    statements.map(|(node, when)| (node, Some(when))).collect()
}

/// The policies that stand in a resource, and whether it is one that says who may be a role.
fn documents<'a>(resource: &Resource<'a>) -> Vec<(&'a Node, bool)> {
    let mut all = Vec::new();
    let mut add = |path: &[&str], trust: bool| {
        all.extend(resource.property(path).map(|document| (document, trust)));
    };
    match resource.kind {
        ROLE => add(&["AssumeRolePolicyDocument"], true),
        "AWS::KMS::Key" => add(&["KeyPolicy"], false),
        "AWS::EC2::VPCEndpoint" | MANAGED | "AWS::IAM::Policy" => add(&["PolicyDocument"], false),
        kind if kind.ends_with("Policy") => add(&["PolicyDocument"], false),
        _ => {}
    }
    // A bus' policy is one statement.
    if resource.kind == "AWS::Events::EventBusPolicy" {
        all.extend(resource.node.get("Properties").map(|properties| (properties, false)));
    }
    let inline = resource.property(&["Policies"]).map(Node::items).unwrap_or_default();
    all.extend(inline.iter().filter_map(|policy| Some((policy.get("PolicyDocument")?, false))));
    all
}

fn statement(resource: &Resource<'_>, node: &Node, trust: bool) -> Statement {
    let texts = |key: &str| -> Vec<String> {
        node.get(key)
            .map(|node| node.items().into_iter().map(resolved).collect())
            .unwrap_or_default()
    };
    let negated = ["NotAction", "NotResource", "NotPrincipal"];
    let kind = if trust { "trust".to_owned() } else { resource.kind.to_owned() };
    Statement {
        holder: resource.id.to_owned(),
        kind,
        principals: node.get("Principal").map(principals).unwrap_or_default(),
        allows: texts("Effect") != ["Deny"],
        actions: texts("Action"),
        resources: texts("Resource"),
        conditions: conditions(node),
        lines: (node.line, node.end()),
        negated: negated
            .into_iter()
            .filter(|key| node.get(key).is_some())
            .map(Into::into)
            .collect(),
    }
}

fn principals(node: &Node) -> Vec<String> {
    if node.entries().is_empty() || node.get("Ref").is_some() || node.get("Fn::Sub").is_some() {
        return vec![resolved(node)];
    }
    let of = |(_, value): &(String, Node)| -> Vec<String> {
        value.items().into_iter().map(resolved).collect()
    };
    node.entries().iter().flat_map(of).collect()
}

fn conditions(node: &Node) -> Vec<String> {
    let mut all = Vec::new();
    for (operator, keys) in node.get("Condition").map(Node::entries).unwrap_or_default() {
        for (key, values) in keys.entries() {
            let values: Vec<_> = values.items().into_iter().map(resolved).collect();
            all.push(format!("{operator} {key}: {}", values.join(", ")));
        }
    }
    all
}
