//! The masking functions: one registry that the rules parser, the plan, `anonymizer functions`, the documentation and the
//! property tests all read. Adding a function is one [`Function`] in a family's file and one line in [`FUNCTIONS`].
//!
//! A function is *prepared* for a column while planning, where everything that can be wrong is found; a prepared [`Mask`]
//! only has values left to look at. A mask never returns a value it did not understand: it fails.

mod alphabet;
mod array;
mod basic;
pub(crate) mod civil;
mod company;
mod contact;
mod date;
mod decimal;
pub mod draws;
mod element;
mod finance;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod golden;
mod hash;
mod iso;
mod json;
pub mod key;
mod literal;
mod locale;
mod network;
mod noise;
mod parameter;
mod partial;
mod permutation;
mod person;
mod place;
#[cfg(test)]
mod properties;
mod round;
mod secret;
mod source;

use std::fmt;
use std::sync::Arc;

use crate::catalog::{Column, Kind};
use crate::finding::{Position, Spanned};
use crate::identifier::Identifier;
use crate::mask::draws::{Draws, Ticket};
use crate::mask::key::{Draw, Subkey};
use crate::rules::ColumnRule;
use crate::value::Value;

/// Raised whenever the same key, function, domain and value would give another fake than before.
pub const FUNCTION_SET: u32 = 1;

/// Every masking function, in the order the documentation lists them.
pub static FUNCTIONS: &[&Function] = &[
    &basic::KEEP,
    &basic::NULLIFY,
    &basic::CONSTANT,
    &basic::REDACT,
    &contact::EMAIL,
    &person::FIRST_NAME,
    &person::LAST_NAME,
    &person::FULL_NAME,
    &contact::USERNAME,
    &contact::PHONE,
    &place::STREET_ADDRESS,
    &place::CITY,
    &place::POSTAL_CODE,
    &place::COUNTRY,
    &company::COMPANY,
    &date::DATE_SHIFT,
    &network::UUID,
    &network::IP,
    &network::MAC,
    &finance::IBAN,
    &hash::HASH,
    &partial::PARTIAL,
    &noise::NOISE,
    &round::ROUND,
    &network::URL,
    &secret::PASSWORD_HASH,
    &json::JSON,
    &array::ARRAY,
];

/// The function of that name.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name).copied()
}

/// The class of a masking function, in the field's words (ISO/IEC 20889).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Not masked.
    Keep,
    /// Keyed and deterministic.
    Pseudonymization,
    /// Coarser, still true.
    Generalization,
    /// Moved by a keyed random amount.
    Noise,
    /// Removed or replaced by something that says nothing.
    Suppression,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Class::Keep => "keep",
            Class::Pseudonymization => "pseudonymization",
            Class::Generalization => "generalization",
            Class::Noise => "noise",
            Class::Suppression => "suppression",
        })
    }
}

/// One masking function, as named in a rules file.
pub struct Function {
    /// Name in a rules file.
    pub name: &'static str,
    /// Class in the field's words.
    pub class: Class,
    /// One sentence.
    pub summary: &'static str,
    /// The kinds of column it fits, in words, for messages and documentation.
    pub fits: &'static str,
    /// Whether it fits a column of that kind.
    pub accepts: fn(&Kind) -> bool,
    /// Its own parameters; `seed`, `domain` and `locale` are everybody's where `keyed` (and `localized`) say so.
    pub parameters: &'static [Parameter],
    /// Takes `seed` and `domain`.
    pub keyed: bool,
    /// Takes `locale`.
    pub localized: bool,
    /// What the originals of a column it masks identify, where they do.
    pub identifies: Option<Identifier>,
    /// Whether and how it can be unique on a unique column, in words.
    pub uniqueness: &'static str,
    /// What of a value does not matter to its fake, in words.
    pub normalisation: &'static str,
    /// Its longest output, in words.
    pub longest: &'static str,
    /// The size of its space, in words.
    pub space: &'static str,
    /// Binds it to one column.
    pub prepare: fn(&Request<'_>) -> Result<Prepared, Rejection>,
}

/// Functions that are written whatever the column holds.
const BLIND: [&str; 5] = ["nullify", "constant", "redact", "hash", "partial"];

impl Function {
    /// It says nothing of what it masks.
    pub fn is_blind(&self) -> bool {
        BLIND.contains(&self.name)
    }

    /// What the parameter `identifies` means, which every function takes.
    pub fn about_identifies(&self) -> &'static str {
        let inside = |parameter: &Parameter| {
            matches!(parameter.kind, ParameterKind::Rule | ParameterKind::Paths)
        };
        if self.class == Class::Keep {
            "Only `false`: what is kept is not looked for."
        } else if self.identifies.is_some() {
            "the originals identify somebody, so the leak gate looks for them afterwards; by default `true`"
        } else if self.is_blind() {
            "the originals identify somebody, so the leak gate looks for them afterwards; by default where the column's name says so, or a value's form"
        } else if self.parameters.iter().any(inside) {
            "the originals identify somebody, so the leak gate looks for them afterwards; by default as the functions inside say"
        } else {
            "the originals identify somebody, so the leak gate looks for them afterwards; by default `false`"
        }
    }
}

/// What the originals under a rule identify: as the rule says, else as its function does; those of an array as its elements.
pub fn identifies(rule: &ColumnRule) -> Option<Identifier> {
    let inside = rule.arguments.iter().find_map(|(_, argument)| match &argument.value {
        Argument::Rule(inside) => Some(identifies(inside)),
        _ => None,
    });
    let own = inside.unwrap_or_else(|| function(&rule.function.value)?.identifies);
    match rule.identifies.as_ref().map(|identifies| identifies.value) {
        None => own,
        Some(true) => own.or(Some(Identifier::Other)),
        Some(false) => None,
    }
}

/// A parameter of a function.
pub struct Parameter {
    /// Name in a rules file.
    pub name: &'static str,
    /// What may be written.
    pub kind: ParameterKind,
    /// Must be given.
    pub required: bool,
    /// Meaning, unit and default.
    pub summary: &'static str,
}

/// What may be written for a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Any scalar, as its source text.
    Text,
    /// A whole number.
    Integer,
    /// A decimal number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A masking rule for elements: a function name or a mapping.
    Rule,
    /// A mapping from JSON path to masking rule.
    Paths,
}

/// What was written for a parameter; its shape was checked against [`ParameterKind`] by the parser.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// A scalar's source text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A decimal number.
    Number(f64),
    /// A flag.
    Flag(bool),
    /// An element's rule.
    Rule(Box<ColumnRule>),
    /// Rules by JSON path, in the order written.
    Paths(Vec<(Spanned<String>, ColumnRule)>),
}

/// Everything `prepare` may look at.
pub struct Request<'a> {
    /// The rule as written.
    pub rule: &'a ColumnRule,
    /// The column to be masked.
    pub column: &'a Column,
    /// The kind to be masked: the column's, or an array's element's, or what a JSON path holds (text).
    pub kind: &'a Kind,
    /// The rule's locale, or the file's, or `en_US`.
    pub locale: &'a str,
    /// What the fake is derived from (the seed column where there is one, else the column) ignores case (citext, NOCASE, a
    /// unique index over `lower(column)`): values that differ in case only are one value and must get one fake, and fakes
    /// must differ in more than case.
    pub ignore_case: bool,
    /// The subkey of the rule's domain.
    pub subkey: Subkey,
    /// Subkeys of other domains, for the rules inside `json` and `array`.
    pub keyring: &'a key::Keyring,
}

impl Request<'_> {
    /// The argument of that name.
    pub fn argument(&self, name: &str) -> Option<&Argument> {
        self.rule
            .arguments
            .iter()
            .find(|(key, _)| key.value == name)
            .map(|(_, argument)| &argument.value)
    }

    /// The rule says that no original under it identifies anybody.
    fn says_nothing_identifies(&self) -> bool {
        self.rule.identifies.as_ref().is_some_and(|identifies| !identifies.value)
    }

    /// Where the argument of that name is written, or the rule itself.
    pub fn position(&self, name: &str) -> Position {
        let argument = self.rule.arguments.iter().find(|(key, _)| key.value == name);
        argument.map_or(self.rule.function.at, |(_, argument)| argument.at)
    }
}

/// A function bound to a column.
#[derive(Clone)]
pub struct Prepared {
    /// Does the work.
    pub mask: Arc<dyn Mask>,
    /// The longest text it can return, in characters, where the column holds text; `None` where it never returns text
    /// longer than what it was given.
    pub longest: Option<usize>,
    /// Distinct origins ([`Cell::origin`]) get distinct fakes under the column's own equality, by permutation or by 64
    /// keyed bits at least.
    pub unique: bool,
    /// No fake can realistically be an original: it lies in a reserved range, or carries 64 keyed bits at least.
    pub disjoint: bool,
    /// It may return NULL.
    pub may_return_null: bool,
    /// The one value it always returns, where there is one: such a column has a plain SQL form.
    pub constant: Option<Value<'static>>,
}

impl Prepared {
    /// A mask that promises nothing yet.
    fn new(mask: impl Mask + 'static) -> Self {
        Self {
            mask: Arc::new(mask),
            longest: None,
            unique: false,
            disjoint: false,
            may_return_null: false,
            constant: None,
        }
    }

    /// With a bound on its text, in characters.
    fn longest(self, characters: usize) -> Self {
        Self { longest: Some(characters), ..self }
    }

    /// Unique where `unique`.
    fn unique(self, unique: bool) -> Self {
        Self { unique, ..self }
    }

    /// Disjoint from originals.
    fn disjoint(self) -> Self {
        Self { disjoint: true, ..self }
    }
}

/// Why a function cannot be used on a column: becomes a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Where in the rules file.
    pub at: Position,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What to do: an imperative fragment.
    pub cure: String,
}

/// One cell to be masked.
pub struct Cell<'a> {
    /// The value; never NULL.
    pub value: &'a Value<'a>,
    /// The value of the rule's `seed` column, where the rule has one and the value is not NULL.
    pub seed: Option<&'a Value<'a>>,
    /// The keyed bits that [`Mask::ask`] asked for, where it did.
    pub draw: Option<&'a Draw>,
}

impl Cell<'_> {
    /// What the fake is derived from: the seed where there is one, else the value.
    pub fn origin(&self) -> &Value<'_> {
        self.seed.unwrap_or(self.value)
    }
}

/// A prepared masking function. The same cell gets the same value, on every thread and in every run with the same key.
pub trait Mask: Send + Sync {
    /// The fake for a cell. `buffer` is empty scratch space: text written to it may be borrowed by the answer, which
    /// spares an allocation per value.
    fn apply<'b>(&self, cell: &Cell<'_>, buffer: &'b mut String) -> Result<Value<'b>, MaskError>;
    /// Asks for the cell's keyed bits ahead of `apply`, which then finds them in [`Cell::draw`]: bits of many cells are drawn
    /// faster together. `None` for a mask that draws none, or others than a cell's.
    fn ask(&self, _cell: &Cell<'_>, _draws: &mut Draws) -> Option<Ticket> {
        None
    }
    /// The answer holds parts of the value that no rule masks, so that `preview` may not show it.
    fn leaves_parts(&self) -> bool {
        false
    }
    /// What it leaves as it is of a value, or of what it has made of one; `None` where that is nothing.
    fn rest(&self, _value: &Value<'_>) -> Option<String> {
        None
    }
    /// It masks parts of a value that identify somebody by themselves, which [`Mask::parts`] shows.
    fn identifies_parts(&self) -> bool {
        false
    }
    /// Shows the parts of an original that identify somebody by themselves. The whole value is its column's business.
    fn parts(
        &self,
        _value: &Value<'_>,
        _show: &mut dyn FnMut(Identifier, &Value<'_>),
    ) -> Result<(), MaskError> {
        Ok(())
    }
}

/// A value that a mask could not understand. Says which sort of thing is wrong, never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MaskError(pub &'static str);
