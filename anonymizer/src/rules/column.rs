//! A column's rule: a function by name, or a mapping with the function and its parameters, read against the registry of
//! masking functions.

use super::ColumnRule;
use super::suggest::did_you_mean;
use super::yaml::{Key, Node, Shape};
use crate::finding::{Collected, Position, Spanned};
use crate::mask::{self, Argument, Class, FUNCTIONS, Function, Parameter, ParameterKind};

/// Where a rule stands: a column's own, or inside the rule of one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A column's.
    Column,
    /// An element's or a JSON path's: there is no other column to be seeded by.
    Inside,
}

/// Reads a rule. `None` where there is a finding.
pub(super) fn read(
    subject: &str,
    node: &Node,
    place: Place,
    found: &mut Collected,
) -> Option<ColumnRule> {
    if node.is_null() {
        let cure = "write `nullify` to set NULL, or `keep` to leave it as it is";
        found.add(node.at, subject, "YAML null, which decides nothing", cure);
        return None;
    }
    match &node.shape {
        Shape::Scalar { text, .. } => {
            let function = known_function(subject, text, node.at, found)?;
            let rule = ColumnRule {
                function: Spanned::new(text.clone(), node.at),
                seed: None,
                domain: None,
                locale: None,
                identifies: None,
                arguments: Vec::new(),
            };
            all_required(subject, function, &[], node.at, found).then_some(rule)
        }
        Shape::Mapping(entries) => mapping(subject, node.at, entries, place, found),
        Shape::List(_) => {
            let cure = "write a function name, or `{ function: name, parameter: value }`";
            found.add(node.at, subject, "a list where a function is expected", cure);
            None
        }
        Shape::Unusable => None,
    }
}

fn mapping(
    subject: &str,
    at: Position,
    entries: &[(Key, Node)],
    place: Place,
    found: &mut Collected,
) -> Option<ColumnRule> {
    let Some((_, name)) = entries.iter().find(|(key, _)| key.text == "function") else {
        let known = entries.iter().map(|(key, _)| key.text.as_str());
        let near = did_you_mean("function", known, "");
        let cure = match near.is_empty() {
            true => "add `function: name`; `anonymizer functions` lists the names".to_owned(),
            false => near.replace("did you mean", "`function` is missing: is it").to_owned(),
        };
        found.add(at, subject, "rule without `function`", cure);
        return None;
    };
    let name = text(subject, "function", name, found)?;
    let function = known_function(subject, &name.value, name.at, found)?;
    let mut rule = ColumnRule {
        identifies: None,
        function: name,
        seed: None,
        domain: None,
        locale: None,
        arguments: Vec::new(),
    };
    let mut complete = true;
    for (key, node) in entries.iter().filter(|(key, _)| key.text != "function") {
        complete &= parameter(subject, function, key, node, place, &mut rule, found).is_some();
    }
    // The order of parameters says nothing, and rules are compared.
    rule.arguments.sort_by(|(a, _), (b, _)| a.value.cmp(&b.value));
    (all_required(subject, function, entries, rule.function.at, found) && complete).then_some(rule)
}

fn known_function(
    subject: &str,
    name: &str,
    at: Position,
    found: &mut Collected,
) -> Option<&'static Function> {
    let function = mask::function(name);
    if function.is_none() {
        let names = FUNCTIONS.iter().map(|function| function.name);
        let cure = did_you_mean(name, names, "`anonymizer functions` lists the names");
        found.add(at, subject, format!("unknown function `{name}`"), cure);
    }
    function
}

/// Puts one entry into the rule. `None` where there is a finding.
fn parameter(
    subject: &str,
    function: &'static Function,
    key: &Key,
    node: &Node,
    place: Place,
    rule: &mut ColumnRule,
    found: &mut Collected,
) -> Option<()> {
    let name = key.text.as_str();
    if let Some(parameter) = function.parameters.iter().find(|known| known.name == name) {
        let argument = argument(subject, parameter, node, found)?;
        rule.arguments.push((Spanned::new(key.text.clone(), key.at), argument));
        return Some(());
    }
    match name {
        "seed" if function.keyed && place == Place::Inside => {
            let cure = "remove it: inside a value each part is derived from itself";
            found.add(key.at, subject, "`seed` in a rule inside another", cure);
            None
        }
        "seed" if function.keyed => text(subject, name, node, found).map(|t| rule.seed = Some(t)),
        "domain" if function.keyed => {
            text(subject, name, node, found).map(|t| rule.domain = Some(t))
        }
        "locale" if function.localized => {
            text(subject, name, node, found).map(|t| rule.locale = Some(t))
        }
        "identifies" => {
            let identifies = plain(subject, name, "`true` or `false`", node, flag, found)?;
            if identifies && function.class == Class::Keep {
                let cure = "mask it, or remove `identifies`";
                let message = "kept, though its values identify somebody: the leak gate would find every one of them";
                found.add(node.at, subject, message, cure);
                return None;
            }
            rule.identifies = Some(Spanned::new(identifies, node.at));
            Some(())
        }
        _ => {
            unknown_parameter(subject, function, key, found);
            None
        }
    }
}

fn unknown_parameter(subject: &str, function: &Function, key: &Key, found: &mut Collected) {
    let mut known: Vec<&str> = function.parameters.iter().map(|known| known.name).collect();
    known.extend(function.keyed.then_some(["seed", "domain"]).into_iter().flatten());
    known.extend(function.localized.then_some("locale"));
    known.push("identifies");
    let takes = format!("`{}` takes `{}`", function.name, known.join("`, `"));
    let message = format!("unknown parameter `{}` of `{}`", key.text, function.name);
    found.add(key.at, subject, message, did_you_mean(&key.text, known, &takes));
}

fn all_required(
    subject: &str,
    function: &Function,
    entries: &[(Key, Node)],
    at: Position,
    found: &mut Collected,
) -> bool {
    let given = |name: &str| entries.iter().any(|(key, _)| key.text == name);
    let mut complete = true;
    for missing in function.parameters.iter().filter(|p| p.required && !given(p.name)) {
        let message = format!("`{}` without its parameter `{}`", function.name, missing.name);
        let cure = format!("add `{}`: {}", missing.name, missing.summary);
        found.add(at, subject, message, cure);
        complete = false;
    }
    complete
}

/// Reads a parameter's value in the form the registry declares.
fn argument(
    subject: &str,
    parameter: &Parameter,
    node: &Node,
    found: &mut Collected,
) -> Option<Spanned<Argument>> {
    let name = parameter.name;
    let value = match parameter.kind {
        ParameterKind::Text => Argument::Text(text(subject, name, node, found)?.value),
        ParameterKind::Integer => {
            Argument::Integer(plain(subject, name, "a whole number", node, integer, found)?)
        }
        ParameterKind::Number => {
            Argument::Number(plain(subject, name, "a number", node, number, found)?)
        }
        ParameterKind::Flag => {
            Argument::Flag(plain(subject, name, "`true` or `false`", node, flag, found)?)
        }
        ParameterKind::Rule => Argument::Rule(Box::new(read(subject, node, Place::Inside, found)?)),
        ParameterKind::Paths => Argument::Paths(paths(subject, name, node, found)?),
    };
    Some(Spanned::new(value, node.at))
}

fn paths(
    subject: &str,
    name: &str,
    node: &Node,
    found: &mut Collected,
) -> Option<Vec<(Spanned<String>, ColumnRule)>> {
    let Shape::Mapping(entries) = &node.shape else {
        if !matches!(node.shape, Shape::Unusable) {
            let cure = "write one line per path, as in `\"$.contact.email\": email`";
            found.add(node.at, subject, format!("`{name}` is not a mapping"), cure);
        }
        return None;
    };
    let read_one = |(key, node): &(Key, Node)| {
        let subject = format!("{subject} {}", key.text);
        let rule = read(&subject, node, Place::Inside, found)?;
        Some((Spanned::new(key.text.clone(), key.at), rule))
    };
    let rules: Vec<_> = entries.iter().map(read_one).collect();
    rules.into_iter().collect()
}

/// Any scalar but a null, as its source text.
pub(super) fn text(
    subject: &str,
    name: &str,
    node: &Node,
    found: &mut Collected,
) -> Option<Spanned<String>> {
    if node.is_null() {
        let cure = "give it a value, or remove it; to write the word null, put it in quotes";
        found.add(node.at, subject, format!("`{name}` is a YAML null"), cure);
        return None;
    }
    match &node.shape {
        Shape::Scalar { text, .. } => Some(Spanned::new(text.clone(), node.at)),
        Shape::Unusable => None,
        Shape::List(_) | Shape::Mapping(_) => {
            let message = format!("`{name}` is {} where a word is expected", node.noun());
            found.add(
                node.at,
                subject,
                message,
                "write one value; put brackets and braces in quotes",
            );
            None
        }
    }
}

/// An unquoted scalar of a given form.
pub(super) fn plain<T>(
    subject: &str,
    name: &str,
    form: &str,
    node: &Node,
    read: fn(&str) -> Option<T>,
    found: &mut Collected,
) -> Option<T> {
    let value = match &node.shape {
        Shape::Scalar { text, plain: true } => read(text),
        Shape::Unusable => return None,
        _ => None,
    };
    if value.is_none() {
        let cure = format!("write {form}, without quotes");
        found.add(node.at, subject, format!("`{name}` is not {form}"), cure);
    }
    value
}

pub(super) fn flag(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn integer(text: &str) -> Option<i64> {
    text.parse().ok()
}

fn number(text: &str) -> Option<f64> {
    let numeric =
        text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E'));
    text.parse().ok().filter(|number: &f64| numeric && number.is_finite())
}
