//! JSON with positions: strict, a key twice is a defect.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions};

use crate::defect::{Found, Position};

/// A value and where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) shape: Shape,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Position, Node)>),
}

impl Node {
    /// The same without positions.
    pub(crate) fn value(&self) -> serde_json::Value {
        match &self.shape {
            Shape::Null => serde_json::Value::Null,
            Shape::Bool(flag) => (*flag).into(),
            Shape::Number(number) => number.clone().into(),
            Shape::Text(text) => text.clone().into(),
            Shape::List(items) => items.iter().map(Node::value).collect(),
            Shape::Object(fields) => {
                let fields = fields.iter().map(|(key, _, node)| (key.clone(), node.value()));
                serde_json::Value::Object(fields.collect())
            }
        }
    }

    /// What it is called in messages.
    pub(crate) fn noun(&self) -> &'static str {
        match &self.shape {
            Shape::Null => "null",
            Shape::Bool(_) => "a flag",
            Shape::Number(_) => "a number",
            Shape::Text(_) => "a text",
            Shape::List(_) => "a list",
            Shape::Object(_) => "an object",
        }
    }
}

/// JSON as RFC 8259 has it, and nothing that is more lenient.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads a document.
pub(crate) fn read(text: &str, found: &mut Found) -> Option<Node> {
    let lines = Lines::new(text);
    match jsonc_parser::parse_to_ast(text, &CollectOptions::default(), &STRICT) {
        Ok(parsed) => match parsed.value {
            Some(value) => node(&value, &lines, found),
            None => {
                found.add(Position { line: 1, column: 1 }, "empty file", "write a state machine");
                None
            }
        },
        Err(error) => {
            let at = lines.position(error.range().start);
            found.add(at, format!("not JSON: {}", error.kind()), "mend the syntax");
            None
        }
    }
}

fn node(value: &ast::Value<'_>, lines: &Lines<'_>, found: &mut Found) -> Option<Node> {
    let at = lines.position(value.range().start);
    let shape = match value {
        ast::Value::NullKeyword(_) => Shape::Null,
        ast::Value::BooleanLit(flag) => Shape::Bool(flag.value),
        ast::Value::StringLit(text) => Shape::Text(text.value.to_string()),
        ast::Value::NumberLit(number) => match number.value.parse() {
            Ok(number) => Shape::Number(number),
            Err(_) => {
                found.add(at, "a number that JSON does not have", "write another");
                return None;
            }
        },
        ast::Value::Array(array) => {
            let items = array.elements.iter().map(|item| node(item, lines, found));
            Shape::List(items.collect::<Vec<_>>().into_iter().flatten().collect())
        }
        ast::Value::Object(object) => Shape::Object(fields(object, lines, found)),
    };
    Some(Node { at, shape })
}

fn fields(
    object: &ast::Object<'_>,
    lines: &Lines<'_>,
    found: &mut Found,
) -> Vec<(String, Position, Node)> {
    let mut fields: Vec<(String, Position, Node)> = Vec::new();
    for property in &object.properties {
        let (key, at) = (property.name.as_str(), lines.position(property.range().start));
        if fields.iter().any(|(earlier, ..)| earlier == key) {
            found.add(at, format!("`{key}` a second time"), "remove one of the two");
            continue;
        }
        if let Some(value) = node(&property.value, lines, found) {
            fields.push((key.to_owned(), at, value));
        }
    }
    fields
}

/// Where lines begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let starts = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(starts).collect() }
    }

    fn position(&self, byte: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = self.starts[line - 1];
        Position { line, column: self.text[start..byte].chars().count() + 1 }
    }
}
