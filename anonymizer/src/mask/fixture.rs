//! Rules and columns for tests of masking functions.

use super::key::Keyring;
use super::{Argument, Cell, Function, Prepared, Rejection, Request, function};
use crate::catalog::{Column, Kind};
use crate::engine::render;
use crate::finding::{Position, Spanned};
use crate::rules::ColumnRule;
use crate::value::Value;

/// A text column without a bound.
pub(super) fn text() -> Kind {
    Kind::Text { max_chars: None, ignore_case: false }
}

/// Something at the beginning of the file.
pub(super) fn at<T>(value: T) -> Spanned<T> {
    Spanned { value, at: Position { line: 1, column: 1 } }
}

/// A function bound to a column of a kind.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) function: &'static Function,
    pub(super) rule: ColumnRule,
    pub(super) kind: Kind,
    keyring: Keyring,
    ignore_case: bool,
}

impl Case {
    pub(super) fn new(name: &str, kind: Kind) -> Self {
        let rule = ColumnRule {
            function: at(name.to_owned()),
            seed: None,
            domain: None,
            locale: None,
            arguments: Vec::new(),
        };
        let function = function(name).expect("the test names a function that exists");
        let keyring = Keyring::from_hex(&"1".repeat(64)).unwrap();
        Self { function, rule, kind, keyring, ignore_case: false }
    }

    pub(super) fn with(mut self, name: &str, argument: impl Into<Argument>) -> Self {
        self.rule.arguments.push((at(name.to_owned()), at(argument.into())));
        self
    }

    /// A key of 64 times that digit.
    pub(super) fn key(mut self, digit: &str) -> Self {
        self.keyring = Keyring::from_hex(&digit.repeat(64)).unwrap();
        self
    }

    pub(super) fn locale(mut self, locale: &str) -> Self {
        self.rule.locale = Some(at(locale.to_owned()));
        self
    }

    pub(super) fn ignore_case(mut self) -> Self {
        self.ignore_case = true;
        self
    }

    pub(super) fn ignores_case(&self) -> bool {
        self.ignore_case
    }

    pub(super) fn prepare(&self) -> Result<Prepared, Rejection> {
        let column = Column {
            name: "c".into(),
            data_type: "test".into(),
            kind: self.kind.clone(),
            nullable: true,
            default: None,
            generated: false,
            identity: false,
        };
        let locale = self.rule.locale.as_ref().map_or("en_US", |locale| &locale.value);
        let domain = self.rule.domain.as_ref().map_or("", |domain| &domain.value);
        (self.function.prepare)(&Request {
            rule: &self.rule,
            column: &column,
            kind: &self.kind,
            locale,
            ignore_case: self.ignore_case,
            subkey: self.keyring.subkey(domain),
            keyring: &self.keyring,
        })
    }

    pub(super) fn prepared(&self) -> Prepared {
        self.prepare().unwrap_or_else(|rejection| panic!("{}: {rejection:?}", self.function.name))
    }

    /// The masked value as text.
    pub(super) fn mask(&self, value: Value<'_>) -> String {
        self.prepared().shown(&value, None)
    }

    /// The masked text.
    pub(super) fn mask_text(&self, value: &str) -> String {
        self.mask(Value::Text(value.into()))
    }

    /// The masked value, derived from a seed.
    pub(super) fn mask_seeded(&self, value: Value<'_>, seed: Value<'_>) -> String {
        self.prepared().shown(&value, Some(&seed))
    }

    /// Why it was rejected.
    pub(super) fn rejection(&self) -> String {
        match self.prepare() {
            Ok(_) => panic!("{} was not rejected", self.function.name),
            Err(Rejection { message, cure, .. }) => format!("{message}\n(hint: {cure})"),
        }
    }
}

impl Prepared {
    /// The masked value as text, `NULL` or the error.
    pub(super) fn shown(&self, value: &Value<'_>, seed: Option<&Value<'_>>) -> String {
        match self.mask.apply(&Cell { value, seed, draw: None }, &mut String::new()) {
            Ok(value) => render(&value).unwrap_or_else(|| "NULL".into()),
            Err(error) => format!("error: {error}"),
        }
    }
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        Argument::Text(text.into())
    }
}

impl From<i32> for Argument {
    fn from(number: i32) -> Self {
        Argument::Integer(number.into())
    }
}

impl From<f64> for Argument {
    fn from(number: f64) -> Self {
        Argument::Number(number)
    }
}

impl From<bool> for Argument {
    fn from(flag: bool) -> Self {
        Argument::Flag(flag)
    }
}

impl From<Case> for Argument {
    fn from(element: Case) -> Self {
        Argument::Rule(Box::new(element.rule))
    }
}

impl From<Vec<(&str, Case)>> for Argument {
    fn from(paths: Vec<(&str, Case)>) -> Self {
        Argument::Paths(
            paths.into_iter().map(|(path, case)| (at(path.to_owned()), case.rule)).collect(),
        )
    }
}
