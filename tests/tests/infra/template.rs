//! A template: its parameters and resources, and what its functions come to as text. It deploys nothing and evaluates no
//! condition.

use crate::yaml::{self, Node, Shape};

/// A template of one account.
#[derive(Clone, Debug)]
pub struct Template {
    /// `production` or `development`.
    pub account: &'static str,
    pub text: String,
    lines: Vec<String>,
    pub root: Node,
}

/// A resource of it.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    pub id: &'a str,
    pub kind: &'a str,
    pub node: &'a Node,
}

impl<'a> Resource<'a> {
    pub fn property(&self, path: &[&str]) -> Option<&'a Node> {
        self.node.get("Properties")?.at(path)
    }

    /// A property as text; empty where it is not there.
    pub fn text(&self, path: &[&str]) -> String {
        self.property(path).map(resolved).unwrap_or_default()
    }
}

impl Template {
    pub fn read(account: &'static str, text: &str) -> Result<Self, String> {
        let root = yaml::read(text)?;
        let lines = text.lines().map(ToOwned::to_owned).collect();
        Ok(Self { account, text: text.to_owned(), lines, root })
    }

    pub fn parameters(&self) -> &[(String, Node)] {
        self.root.get("Parameters").map(Node::entries).unwrap_or_default()
    }

    pub fn resources(&self) -> impl Iterator<Item = Resource<'_>> {
        let all = self.root.get("Resources").map(Node::entries).unwrap_or_default();
        all.iter().map(|(id, node)| {
            let kind = node.get("Type").and_then(Node::text).unwrap_or_default();
            Resource { id, kind, node }
        })
    }

    pub fn of_kind(&self, kind: &str) -> Vec<Resource<'_>> {
        self.resources().filter(|resource| resource.kind == kind).collect()
    }

    /// The line of the file that is this text.
    pub fn line_of(&self, text: &str) -> Option<usize> {
        self.lines.iter().position(|line| line == text).map(|before| before + 1)
    }

    /// A line of the file, counted from one.
    pub fn line(&self, number: usize) -> &str {
        self.lines.get(number.wrapping_sub(1)).map_or("", String::as_str)
    }
}

/// What a function comes to, with `${…}` for what only the deployment knows.
pub fn resolved(node: &Node) -> String {
    let Shape::Map(entries) = &node.shape else {
        return match &node.shape {
            Shape::Text(text) => text.clone(),
            _ => node.items().into_iter().map(resolved).collect::<Vec<_>>().join(", "),
        };
    };
    let all = || entries.iter().map(|(key, value)| format!("{key}: {}", resolved(value)));
    let [(function, argument)] = entries.as_slice() else {
        return format!("{{{}}}", all().collect::<Vec<_>>().join(", "));
    };
    let items = argument.items();
    match (function.as_str(), items.as_slice()) {
        ("Ref", _) => format!("${{{}}}", resolved(argument)),
        ("Fn::GetAtt", [resource, attribute]) => {
            format!("${{{}.{}}}", resolved(resource), resolved(attribute))
        }
        ("Fn::Sub", [text, values]) if values.text().is_none() => {
            let put = |text: String, (name, value): &(String, Node)| {
                text.replace(&format!("${{{name}}}"), &resolved(value))
            };
            values.entries().iter().fold(resolved(text), put)
        }
        ("Fn::Sub", _) => resolved(argument),
        ("Fn::Join", [between, parts]) => {
            let parts: Vec<_> = parts.items().into_iter().map(resolved).collect();
            parts.join(&resolved(between))
        }
        ("Fn::If", [condition, one, other]) => {
            format!("{} where {}, or else {}", resolved(one), resolved(condition), resolved(other))
        }
        _ => format!("{{{}}}", all().collect::<Vec<_>>().join(", ")),
    }
}
