//! Reference paths: `$`, `$.name`, `$['name']`, `$[0]`, and the same from `$$`, the context object. No wildcards, slices or
//! filters: what a path names is one place.

use std::fmt;

use serde_json::Value;

/// A place in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// In the context object (`$$`), not in the state's input.
    pub context: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

impl Path {
    /// Reads a path; `None` where it is none of this subset.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('$')?;
        let (context, mut rest) = match rest.strip_prefix('$') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, left) = step(rest)?;
            steps.push(step);
            rest = left;
        }
        Some(Self { context, steps })
    }

    /// The whole document.
    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    /// What stands there.
    pub fn get<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.steps.iter().try_fold(document, |value, step| match step {
            Step::Name(name) => value.get(name),
            Step::Index(index) => value.get(index),
        })
    }

    /// Puts a value there; objects on the way are made where there are none. False where something else is in the way.
    pub fn put(&self, document: &mut Value, value: Value) -> bool {
        let mut place = document;
        for step in &self.steps {
            let Step::Name(name) = step else { return false };
            if place.is_null() {
                *place = Value::Object(serde_json::Map::new());
            }
            let Some(object) = place.as_object_mut() else { return false };
            place = object.entry(name.as_str()).or_insert(Value::Null);
        }
        *place = value;
        true
    }
}

fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let fits = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        return (!name.is_empty() && name.chars().all(fits))
            .then(|| (Step::Name(name.to_owned()), rest));
    }
    let rest = text.strip_prefix('[')?;
    let (inside, rest) = rest.split_once(']')?;
    if let Some(name) = inside.strip_prefix('\'').and_then(|inside| inside.strip_suffix('\'')) {
        return (!name.is_empty() && !name.contains('\''))
            .then(|| (Step::Name(name.to_owned()), rest));
    }
    let index = inside.parse().ok().filter(|_| inside.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((Step::Index(index), rest))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.context { "$$" } else { "$" })?;
        self.steps.iter().try_for_each(|step| match step {
            Step::Name(name) => write!(f, "['{name}']"),
            Step::Index(index) => write!(f, "[{index}]"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_one_place() {
        let document = json!({ "a": { "b c": [1, { "d": 2 }] } });
        let get = |path: &str| Path::parse(path).unwrap().get(&document).cloned();
        assert_eq!(get("$"), Some(document.clone()));
        assert_eq!(get("$.a['b c'][0]"), Some(json!(1)));
        assert_eq!(get("$['a']['b c'][1].d"), Some(json!(2)));
        assert_eq!(get("$.a.x"), None);
        assert_eq!(get("$.a[0]"), None);
        assert!(Path::parse("$$.Execution.Id").unwrap().context);
    }

    #[test]
    fn what_could_be_several_places_or_none_is_no_path() {
        for text in [
            "",
            "a",
            "$.",
            "$..a",
            "$.*",
            "$[*]",
            "$[-1]",
            "$[0:2]",
            "$.x[",
            "$['']",
            "$.a b",
            "$[?(@.a)]",
            "$[+1]",
        ] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }

    #[test]
    fn puts_a_value_and_makes_what_is_missing() {
        let mut document = json!({ "a": 1 });
        assert!(Path::parse("$.b.c").unwrap().put(&mut document, json!(2)));
        assert_eq!(document, json!({ "a": 1, "b": { "c": 2 } }));
        assert!(!Path::parse("$.a.c").unwrap().put(&mut document, json!(2)));
        assert!(Path::parse("$").unwrap().put(&mut document, json!(3)));
        assert_eq!(document, json!(3));
    }
}
