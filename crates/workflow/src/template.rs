//! Payload templates: JSON in which a key that ends in `.$` has a path or an intrinsic function for a value.

use serde_json::Value;

use crate::defect::Found;
use crate::json::{Node, Shape};
use crate::path::Path;

/// A template.
#[derive(Clone, Debug, PartialEq)]
pub enum Template {
    /// As it is.
    Literal(Value),
    /// Whatever the expression gives.
    Expression(Expression),
    /// Items.
    List(Vec<Template>),
    /// Fields, whose keys have lost their `.$`.
    Object(Vec<(String, Template)>),
}

/// What can stand after a key with `.$`.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// What stands at a path.
    Path(Path),
    /// `States.Format('… {} …', …)`.
    Format(String, Vec<Expression>),
    /// `States.MathAdd(a, b)`.
    Add(Box<Expression>, Box<Expression>),
    /// `States.ArrayLength(list)`.
    Length(Box<Expression>),
    /// A number or a text in single quotes, inside a function.
    Constant(Value),
}

/// What an expression sees.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// `$`.
    pub input: &'a Value,
    /// `$$`.
    pub context: &'a Value,
}

impl Template {
    pub(crate) fn read(node: &Node, found: &mut Found) -> Option<Self> {
        Some(match &node.shape {
            Shape::List(items) => {
                let items: Vec<_> = items.iter().map(|item| Self::read(item, found)).collect();
                Template::List(items.into_iter().collect::<Option<_>>()?)
            }
            Shape::Object(fields) => {
                let mut read: Vec<(String, Template)> = Vec::new();
                for (key, at, value) in fields {
                    let template = match key.strip_suffix(".$") {
                        Some(_) => expression(value, key, found).map(Template::Expression),
                        None => {
                            refuse_forgotten_dollar(key, value, found);
                            Self::read(value, found)
                        }
                    };
                    let name = key.strip_suffix(".$").unwrap_or(key);
                    if read.iter().any(|(earlier, _)| earlier == name) {
                        found.add(*at, format!("`{name}` a second time"), "remove one of the two");
                    }
                    read.extend(template.map(|template| (name.to_owned(), template)));
                }
                Template::Object(read)
            }
            _ => Template::Literal(node.value()),
        })
    }

    /// The template's value, or the path that leads nowhere.
    pub fn render(&self, scope: Scope<'_>) -> Result<Value, String> {
        Ok(match self {
            Template::Literal(value) => value.clone(),
            Template::Expression(expression) => expression.render(scope)?,
            Template::List(items) => {
                Value::Array(items.iter().map(|item| item.render(scope)).collect::<Result<_, _>>()?)
            }
            Template::Object(fields) => {
                let fields =
                    fields.iter().map(|(key, field)| Ok((key.clone(), field.render(scope)?)));
                Value::Object(fields.collect::<Result<_, String>>()?)
            }
        })
    }
}

/// A text that reads like a path under a key without `.$` would be handed on as it is.
fn refuse_forgotten_dollar(key: &str, value: &Node, found: &mut Found) {
    if let Shape::Text(text) = &value.shape
        && (text == "$"
            || text.starts_with("$.")
            || text.starts_with("$$")
            || text.starts_with("States."))
    {
        found.add(
            value.at,
            format!("`{key}` is the text `{text}`, not what stands there"),
            format!("write the key as `{key}.$`"),
        );
    }
}

fn expression(node: &Node, key: &str, found: &mut Found) -> Option<Expression> {
    let parsed = match &node.shape {
        Shape::Text(text) => Parser { rest: text }.whole(),
        _ => None,
    };
    if parsed.is_none() {
        let cure = "write a path, States.Format, States.MathAdd or States.ArrayLength, or take `.$` from the key";
        found.add(node.at, format!("the value of `{key}` is no expression"), cure);
    }
    parsed
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn whole(mut self) -> Option<Expression> {
        let expression = self.expression(true)?;
        self.rest.is_empty().then_some(expression)
    }

    fn expression(&mut self, outermost: bool) -> Option<Expression> {
        self.blanks();
        if self.rest.starts_with('$') {
            let end = if outermost { self.rest.len() } else { self.rest.find([',', ')'])? };
            let (path, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Path::parse(path.trim_end()).map(Expression::Path);
        }
        if let Some(rest) = self.rest.strip_prefix('\'').filter(|_| !outermost) {
            let (text, rest) = rest.split_once('\'')?;
            self.rest = rest;
            return (!text.contains('\\')).then(|| Expression::Constant(text.into()));
        }
        if !outermost && self.rest.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            let end = self.rest.find([',', ')', ' '])?;
            let (number, rest) = self.rest.split_at(end);
            self.rest = rest;
            return number.parse::<i64>().ok().map(|number| Expression::Constant(number.into()));
        }
        let (name, rest) = self.rest.split_once('(')?;
        let name = name.to_owned();
        self.rest = rest;
        call(&name, self.arguments()?)
    }

    fn arguments(&mut self) -> Option<Vec<Expression>> {
        let mut arguments = Vec::new();
        loop {
            arguments.push(self.expression(false)?);
            self.blanks();
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
            } else {
                self.rest = self.rest.strip_prefix(')')?;
                return Some(arguments);
            }
        }
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

fn call(name: &str, mut arguments: Vec<Expression>) -> Option<Expression> {
    match (name, arguments.len()) {
        ("States.Format", 1..) => {
            let Expression::Constant(Value::String(text)) = arguments.remove(0) else {
                return None;
            };
            (text.matches("{}").count() == arguments.len())
                .then_some(Expression::Format(text, arguments))
        }
        ("States.MathAdd", 2) => {
            let (second, first) = (arguments.pop()?, arguments.pop()?);
            Some(Expression::Add(first.into(), second.into()))
        }
        ("States.ArrayLength", 1) => Some(Expression::Length(arguments.pop()?.into())),
        _ => None,
    }
}

impl Expression {
    /// The expression's value, or what is wrong with what it sees.
    pub fn render(&self, scope: Scope<'_>) -> Result<Value, String> {
        match self {
            Expression::Constant(value) => Ok(value.clone()),
            Expression::Path(path) => {
                let document = if path.context { scope.context } else { scope.input };
                path.get(document).cloned().ok_or_else(|| format!("nothing stands at {path}"))
            }
            Expression::Format(text, arguments) => {
                let mut parts = text.split("{}");
                let mut formatted = parts.next().unwrap_or_default().to_owned();
                for (argument, part) in arguments.iter().zip(parts) {
                    match argument.render(scope)? {
                        Value::String(text) => formatted.push_str(&text),
                        value @ (Value::Number(_) | Value::Bool(_) | Value::Null) => {
                            formatted.push_str(&value.to_string());
                        }
                        _ => return Err("States.Format takes no list and no object".into()),
                    }
                    formatted.push_str(part);
                }
                Ok(formatted.into())
            }
            Expression::Add(one, other) => {
                let number = |expression: &Expression| {
                    let value = expression.render(scope)?;
                    value.as_i64().ok_or_else(|| "States.MathAdd takes whole numbers".to_owned())
                };
                let sum = number(one)?.checked_add(number(other)?);
                sum.map(Value::from).ok_or_else(|| "States.MathAdd beyond its range".to_owned())
            }
            Expression::Length(list) => match list.render(scope)? {
                Value::Array(items) => Ok(items.len().into()),
                _ => Err("States.ArrayLength takes a list".into()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(expression: &str) -> Option<Result<Value, String>> {
        let input = json!({ "a": "x", "n": 2, "list": [1, 2, 3] });
        let context = json!({ "Execution": { "Name": "run-1" } });
        let expression = Parser { rest: expression }.whole()?;
        Some(expression.render(Scope { input: &input, context: &context }))
    }

    #[test]
    fn expressions_are_paths_and_a_few_functions() {
        assert_eq!(value("$.a"), Some(Ok(json!("x"))));
        assert_eq!(value("$$.Execution.Name"), Some(Ok(json!("run-1"))));
        assert_eq!(
            value("States.Format('{}-{}', $.a, States.MathAdd($.n, -1))"),
            Some(Ok(json!("x-1")))
        );
        assert_eq!(value("States.ArrayLength($.list)"), Some(Ok(json!(3))));
        assert_eq!(value("$.missing"), Some(Err("nothing stands at $['missing']".into())));
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "a",
            "'a'",
            "5",
            "States.Fmt('a{}', $.a)",
            "States.Format('{}')",
            "States.Format($.a)",
            "States.UUID()",
            "$.a)",
            "States.MathAdd($.n)",
            "States.Format('a', $.a",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
    }
}
