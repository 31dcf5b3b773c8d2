//! An object's fields, each taken once: what is left over at the end is unknown, and said.

use crate::defect::{Found, Position};
use crate::json::{Node, Shape};
use crate::path::Path;

/// The fields of one object that have not been read yet.
pub(crate) struct Fields<'a> {
    pub(crate) at: Position,
    left: Vec<&'a (String, Position, Node)>,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// The fields of an object; `None` and a defect for anything else.
    pub(crate) fn of(node: &'a Node, what: &str, found: &mut Found) -> Option<Self> {
        let Shape::Object(fields) = &node.shape else {
            found.add(
                node.at,
                format!("{what} is {}, not an object", node.noun()),
                "write `{ … }`",
            );
            return None;
        };
        Some(Self { at: node.at, left: fields.iter().collect(), known: Vec::new() })
    }

    /// Takes a field.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<&'a Node> {
        self.known.push(name);
        let index = self.left.iter().position(|(key, ..)| key == name)?;
        Some(&self.left.remove(index).2)
    }

    /// Takes a field that must be there.
    pub(crate) fn need(&mut self, name: &'static str, found: &mut Found) -> Option<&'a Node> {
        let node = self.take(name);
        if node.is_none() {
            found.add(self.at, format!("no `{name}`"), format!("add `{name}`"));
        }
        node
    }

    pub(crate) fn text(&mut self, name: &'static str, found: &mut Found) -> Option<String> {
        let node = self.take(name)?;
        text(node, name, found)
    }

    pub(crate) fn need_text(&mut self, name: &'static str, found: &mut Found) -> Option<String> {
        let node = self.need(name, found)?;
        text(node, name, found)
    }

    /// A whole number of at least `least`.
    pub(crate) fn whole(
        &mut self,
        name: &'static str,
        least: u64,
        found: &mut Found,
    ) -> Option<u64> {
        let node = self.take(name)?;
        let number = match &node.shape {
            Shape::Number(number) => number.as_u64().filter(|number| *number >= least),
            _ => None,
        };
        if number.is_none() {
            let cure = format!("write a whole number, {least} or more");
            found.add(node.at, format!("`{name}` is no such number"), cure);
        }
        number
    }

    /// A number of at least `least`.
    pub(crate) fn number(
        &mut self,
        name: &'static str,
        least: f64,
        found: &mut Found,
    ) -> Option<f64> {
        let node = self.take(name)?;
        let number = match &node.shape {
            Shape::Number(number) => number.as_f64().filter(|number| *number >= least),
            _ => None,
        };
        if number.is_none() {
            let cure = format!("write a number, {least} or more");
            found.add(node.at, format!("`{name}` is no such number"), cure);
        }
        number
    }

    pub(crate) fn flag(&mut self, name: &'static str, found: &mut Found) -> Option<bool> {
        let node = self.take(name)?;
        match node.shape {
            Shape::Bool(flag) => Some(flag),
            _ => {
                found.add(
                    node.at,
                    format!("`{name}` is {}", node.noun()),
                    "write `true` or `false`",
                );
                None
            }
        }
    }

    pub(crate) fn path(&mut self, name: &'static str, found: &mut Found) -> Option<Path> {
        let node = self.take(name)?;
        let path = text(node, name, found)?;
        let parsed = Path::parse(&path);
        if parsed.is_none() {
            found.add(node.at, format!("`{name}` is no path: `{path}`"), PATH_CURE);
        }
        parsed
    }

    pub(crate) fn need_path(&mut self, name: &'static str, found: &mut Found) -> Option<Path> {
        if !self.left.iter().any(|(key, ..)| key == name) {
            found.add(self.at, format!("no `{name}`"), format!("add `{name}`"));
        }
        self.path(name, found)
    }

    pub(crate) fn list(&mut self, name: &'static str, found: &mut Found) -> &'a [Node] {
        let Some(node) = self.take(name) else { return &[] };
        match &node.shape {
            Shape::List(items) => items,
            _ => {
                found.add(
                    node.at,
                    format!("`{name}` is {}, not a list", node.noun()),
                    "write `[ … ]`",
                );
                &[]
            }
        }
    }

    /// Whatever was not taken is unknown here.
    pub(crate) fn end(self, found: &mut Found) {
        for (key, at, _) in self.left {
            let near = self.known.iter().find(|known| is_near(known, key));
            let cure = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", self.known.join(", ")),
            };
            found.add(*at, format!("unknown field `{key}`"), cure);
        }
    }
}

pub(crate) const PATH_CURE: &str = "write `$`, then `.name`, `['name']` or `[0]`";

pub(crate) fn text(node: &Node, name: &str, found: &mut Found) -> Option<String> {
    match &node.shape {
        Shape::Text(text) => Some(text.clone()),
        _ => {
            found.add(
                node.at,
                format!("`{name}` is {}, not a text", node.noun()),
                "write it in quotes",
            );
            None
        }
    }
}

/// One letter more, less or other, whatever the case.
pub(crate) fn is_near(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if long.len() - short.len() > 1 || short.is_empty() {
        return false;
    }
    let front = short.bytes().zip(long.bytes()).take_while(|(a, b)| a == b).count();
    let back = short.bytes().rev().zip(long.bytes().rev()).take_while(|(a, b)| a == b).count();
    front + back >= short.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::is_near;

    #[test]
    fn near_is_a_letter_away() {
        assert!(is_near("TimeoutSeconds", "TimeoutSecond"));
        assert!(is_near("Next", "next"));
        assert!(is_near("Share", "Shbre"));
        assert!(!is_near("Next", "End"));
        assert!(!is_near("Share", "Sahre2"));
    }
}
