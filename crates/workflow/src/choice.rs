//! Rules of a choice state, and whether they hold.

use serde_json::Value;

use crate::defect::Found;
use crate::fields::Fields;
use crate::json::{Node, Shape};
use crate::path::Path;
use crate::template::Scope;

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// All hold.
    And(Vec<Rule>),
    /// One holds at least.
    Or(Vec<Rule>),
    /// It does not hold.
    Not(Box<Rule>),
    /// Something stands at the path, or nothing does.
    IsPresent(Path, bool),
    /// What stands there is a text, a number, … that compares so.
    Compare(Path, Operator, Operand),
}

/// How values are compared. Values of another type never compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Texts that are equal.
    StringEquals,
    /// Flags that are equal.
    BooleanEquals,
    /// Numbers that are equal.
    NumericEquals,
    /// Less than.
    NumericLessThan,
    /// Less than or equal.
    NumericLessThanEquals,
    /// Greater than.
    NumericGreaterThan,
    /// Greater than or equal.
    NumericGreaterThanEquals,
}

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A constant.
    Constant(Value),
    /// What stands at a path.
    At(Path),
}

const OPERATORS: [(Operator, &str, &str); 7] = [
    (Operator::StringEquals, "StringEquals", "StringEqualsPath"),
    (Operator::BooleanEquals, "BooleanEquals", "BooleanEqualsPath"),
    (Operator::NumericEquals, "NumericEquals", "NumericEqualsPath"),
    (Operator::NumericLessThan, "NumericLessThan", "NumericLessThanPath"),
    (Operator::NumericLessThanEquals, "NumericLessThanEquals", "NumericLessThanEqualsPath"),
    (Operator::NumericGreaterThan, "NumericGreaterThan", "NumericGreaterThanPath"),
    (
        Operator::NumericGreaterThanEquals,
        "NumericGreaterThanEquals",
        "NumericGreaterThanEqualsPath",
    ),
];

/// Reads a rule; the outermost has a target.
pub(crate) fn read(node: &Node, outermost: bool, found: &mut Found) -> Option<(Rule, String)> {
    let mut fields = Fields::of(node, "a choice", found)?;
    let _ = fields.take("Comment");
    let target = if outermost { fields.need_text("Next", found) } else { Some(String::new()) };
    // What compares is known only where what is compared could be read.
    let rule = rule(&mut fields, found)?;
    fields.end(found);
    Some((rule, target?))
}

fn rule(fields: &mut Fields<'_>, found: &mut Found) -> Option<Rule> {
    for (name, make) in [("And", Rule::And as fn(Vec<Rule>) -> Rule), ("Or", Rule::Or)] {
        let items = fields.list(name, found);
        if !items.is_empty() {
            let rules: Vec<_> = items.iter().map(|item| read(item, false, found)).collect();
            let rules = rules.into_iter().map(|rule| rule.map(|(rule, _)| rule));
            return rules.collect::<Option<_>>().map(make);
        }
    }
    if let Some(node) = fields.take("Not") {
        return read(node, false, found).map(|(rule, _)| Rule::Not(rule.into()));
    }
    let path = fields.need_path("Variable", found)?;
    comparison(path, fields, found)
}

fn comparison(path: Path, fields: &mut Fields<'_>, found: &mut Found) -> Option<Rule> {
    let mut rules = Vec::new();
    if let Some(present) = fields.flag("IsPresent", found) {
        rules.push(Rule::IsPresent(path.clone(), present));
    }
    for (operator, constant, at_path) in OPERATORS {
        if let Some(node) = fields.take(constant) {
            let fits = matches!(
                (operator, &node.shape),
                (Operator::StringEquals, Shape::Text(_))
                    | (Operator::BooleanEquals, Shape::Bool(_))
            ) || (!matches!(operator, Operator::StringEquals | Operator::BooleanEquals)
                && matches!(node.shape, Shape::Number(_)));
            if !fits {
                found.add(
                    node.at,
                    format!("`{constant}` is {}", node.noun()),
                    "write a value of its type",
                );
                return None;
            }
            rules.push(Rule::Compare(path.clone(), operator, Operand::Constant(node.value())));
        }
        if let Some(other) = fields.path(at_path, found) {
            rules.push(Rule::Compare(path.clone(), operator, Operand::At(other)));
        }
    }
    if rules.len() != 1 {
        found.add(fields.at, "not exactly one comparison", "compare `Variable` with one thing");
        return None;
    }
    rules.pop()
}

impl Rule {
    /// Whether it holds. A path that leads nowhere is an error, as in Step Functions, but for `IsPresent`.
    pub fn holds(&self, scope: Scope<'_>) -> Result<bool, String> {
        Ok(match self {
            Rule::And(rules) => {
                for rule in rules {
                    if !rule.holds(scope)? {
                        return Ok(false);
                    }
                }
                true
            }
            Rule::Or(rules) => {
                for rule in rules {
                    if rule.holds(scope)? {
                        return Ok(true);
                    }
                }
                false
            }
            Rule::Not(rule) => !rule.holds(scope)?,
            Rule::IsPresent(path, present) => lookup(path, scope).is_some() == *present,
            Rule::Compare(path, operator, operand) => {
                let one = need(path, scope)?;
                let other = match operand {
                    Operand::Constant(value) => value,
                    Operand::At(path) => need(path, scope)?,
                };
                operator.holds(one, other)
            }
        })
    }
}

fn lookup<'a>(path: &Path, scope: Scope<'a>) -> Option<&'a Value> {
    path.get(if path.context { scope.context } else { scope.input })
}

fn need<'a>(path: &Path, scope: Scope<'a>) -> Result<&'a Value, String> {
    lookup(path, scope).ok_or_else(|| format!("nothing stands at {path}"))
}

impl Operator {
    fn holds(self, one: &Value, other: &Value) -> bool {
        let numbers = one.as_f64().zip(other.as_f64());
        match self {
            Operator::StringEquals => one.is_string() && one == other,
            Operator::BooleanEquals => one.is_boolean() && one == other,
            Operator::NumericEquals => numbers.is_some_and(|(one, other)| one == other),
            Operator::NumericLessThan => numbers.is_some_and(|(one, other)| one < other),
            Operator::NumericLessThanEquals => numbers.is_some_and(|(one, other)| one <= other),
            Operator::NumericGreaterThan => numbers.is_some_and(|(one, other)| one > other),
            Operator::NumericGreaterThanEquals => numbers.is_some_and(|(one, other)| one >= other),
        }
    }
}
