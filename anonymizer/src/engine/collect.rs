//! From a cell to the originals that the gate will look for: the texts that a person would read in it.

use serde_json::Value as Json;

use super::render;
use crate::identifier::{Identifier, Sought};
use crate::mask::{Mask, MaskError};
use crate::value::Value;
use crate::verify::vault::Collector;

/// Collects what identifies somebody in a cell: the whole of it where its column does, and the parts that its mask knows of.
/// A table that is emptied has no masks.
pub fn collect(
    collector: &mut Collector,
    sought: Sought,
    mask: Option<&dyn Mask>,
    value: &Value<'_>,
) -> Result<(), MaskError> {
    match (sought, value) {
        (Sought::Kind(kind), value) => add(collector, kind, value),
        (Sought::Shapes, Value::Text(text)) => collector.add_shape(text),
        (Sought::Shapes | Sought::Nothing, _) => {}
    }
    match mask.filter(|mask| mask.identifies_parts()) {
        Some(mask) => mask.parts(value, &mut |kind, part| add(collector, kind, part)),
        None => Ok(()),
    }
}

/// Collects a person's name whose parts are two cells of a row.
pub fn collect_name(collector: &mut Collector, first: &Value<'_>, last: &Value<'_>) {
    if let (Value::Text(first), Value::Text(last)) = (first, last) {
        collector.add_name(first, last);
    }
}

/// Containers count by what is in them: elsewhere it would stand without the container.
fn add(collector: &mut Collector, kind: Identifier, value: &Value<'_>) {
    match value {
        Value::Text(text) => collector.add(kind, text),
        Value::Array(items) => items.iter().for_each(|item| add(collector, kind, item)),
        Value::Json(text) => match serde_json::from_str(text) {
            Ok(document) => add_document(collector, kind, &document),
            Err(_) => collector.add(kind, text),
        },
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => collector.add(kind, text),
            Err(_) => collector.add(kind, &hex::encode(bytes)),
        },
        other => {
            if let Some(text) = render(other) {
                collector.add(kind, &text);
            }
        }
    }
}

/// Strings and numbers of a document, however deep they lie: the library's own limit bounds the depth.
fn add_document(collector: &mut Collector, kind: Identifier, document: &Json) {
    match document {
        Json::String(text) => collector.add(kind, text),
        Json::Number(number) => collector.add(kind, &number.to_string()),
        Json::Array(items) => items.iter().for_each(|item| add_document(collector, kind, item)),
        Json::Object(members) => {
            members.values().for_each(|member| add_document(collector, kind, member));
        }
        Json::Null | Json::Bool(_) => {}
    }
}
