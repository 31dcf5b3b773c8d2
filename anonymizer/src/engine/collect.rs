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
    match sought {
        Sought::Kind(kind) => add(collector, kind, value),
        Sought::Shapes => texts(value, &mut |text| collector.add_shape(text)),
        Sought::Nothing => {}
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

fn add(collector: &mut Collector, kind: Identifier, value: &Value<'_>) {
    texts(value, &mut |text| collector.add(kind, text));
}

/// Shows the texts of a value. Containers count by what is in them: elsewhere it would stand without the container.
fn texts(value: &Value<'_>, show: &mut dyn FnMut(&str)) {
    match value {
        Value::Text(text) => show(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, show)),
        Value::Json(text) => match serde_json::from_str(text) {
            Ok(document) => texts_of(&document, show),
            Err(_) => show(text),
        },
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => show(text),
            Err(_) => show(&hex::encode(bytes)),
        },
        other => {
            if let Some(text) = render(other) {
                show(&text);
            }
        }
    }
}

/// Strings and numbers of a document, however deep they lie: the library's own limit bounds the depth.
fn texts_of(document: &Json, show: &mut dyn FnMut(&str)) {
    match document {
        Json::String(text) => show(text),
        Json::Number(number) => show(&number.to_string()),
        Json::Array(items) => items.iter().for_each(|item| texts_of(item, show)),
        Json::Object(members) => members.values().for_each(|member| texts_of(member, show)),
        Json::Null | Json::Bool(_) => {}
    }
}
