//! One masked column: does the function fit it, and may its fakes stand there?

use super::group::{Choice, Group, Groups};
use crate::catalog::{Check, Column, Kind, Table, TableKind};
use crate::finding::{Collected, Spanned};
use crate::mask::key::Keyring;
use crate::mask::{self, Class, FUNCTIONS, Prepared, Request};
use crate::rules::sql::{Token, TokenKind, tokens};
use crate::rules::suggest::did_you_mean;
use crate::rules::{ColumnRule, RuleSet};
use crate::value::Value;

/// The locale of fakes where neither rule nor file names one.
const DEFAULT_LOCALE: &str = "en_US";

/// Prepares every masked column. Where there is a finding the column stays unprepared.
pub(super) fn prepare_all(
    rules: &RuleSet,
    keyring: &Keyring,
    groups: &mut Groups<'_>,
    found: &mut Collected,
) {
    let file_locale = rules.locale.as_ref().map_or(DEFAULT_LOCALE, |locale| &locale.value);
    for group in &mut groups.all {
        for index in 0..group.columns.len() {
            let Choice::Mask(rule) = group.columns[index].choice else { continue };
            let fitter = Fitter { group, index, rule, keyring, file_locale };
            group.columns[index].prepared = fitter.prepare(found);
        }
    }
}

struct Fitter<'g, 'a> {
    group: &'g Group<'a>,
    index: usize,
    rule: &'a ColumnRule,
    keyring: &'g Keyring,
    file_locale: &'g str,
}

impl Fitter<'_, '_> {
    fn column(&self) -> &Column {
        self.group.columns[self.index].column
    }

    fn add(&self, message: impl Into<String>, cure: impl Into<String>, found: &mut Collected) {
        let subject = self.group.subject(self.column());
        found.add(self.rule.function.at, subject, message, cure);
    }

    fn prepare(&self, found: &mut Collected) -> Option<Prepared> {
        let column = self.column();
        let name = &self.rule.function.value;
        let function = mask::function(name)?;
        self.place(found);
        let seed_fits = self.seed(found);
        if !(function.accepts)(&column.kind) {
            let fitting: Vec<&str> = FUNCTIONS
                .iter()
                .filter(|known| known.class != Class::Keep && (known.accepts)(&column.kind))
                .map(|known| known.name)
                .collect();
            let cure = format!("choose one that fits: `{}`", fitting.join("`, `"));
            self.add(format!("`{name}` fits {}", function.fits), cure, found);
            return None;
        }
        let request = Request {
            rule: self.rule,
            column,
            kind: &column.kind,
            locale: self.rule.locale.as_ref().map_or(self.file_locale, |locale| &locale.value),
            ignore_case: self.origin_ignores_case(),
            subkey: self.keyring.subkey(self.rule.domain.as_ref().map_or("", |d| &d.value)),
            keyring: self.keyring,
        };
        let prepared = match (function.prepare)(&request) {
            Ok(prepared) => prepared,
            Err(rejection) => {
                let subject = self.group.subject(column);
                found.add(rejection.at, subject, rejection.message, rejection.cure);
                return None;
            }
        };
        self.width(&prepared, found);
        self.nulls(&prepared, found);
        self.checks(&prepared, found);
        seed_fits.then_some(prepared)
    }

    fn origin_ignores_case(&self) -> bool {
        let seed = self.rule.seed.as_ref().and_then(|seed| self.group.column(&seed.value));
        seed.unwrap_or(&self.group.columns[self.index]).ignore_case
    }

    /// Places where no fake may stand, whatever it is.
    fn place(&self, found: &mut Collected) {
        let name = &self.column().name;
        let partitioned = self.group.tree.iter().any(|table| table.partition_key.contains(name));
        if partitioned {
            let cure = "write `keep`: a masked row would belong into another partition";
            self.add("partition key cannot be masked", cure, found);
        }
        if self.group.root.kind == TableKind::Virtual {
            let cure = "write `keep` or `truncate` for the table, and mask the tables it reads";
            self.add("column of a virtual table cannot be masked", cure, found);
        }
    }

    fn seed(&self, found: &mut Collected) -> bool {
        let Some(Spanned { value: name, at }) = &self.rule.seed else { return true };
        let subject = self.group.subject(self.column());
        let (message, cure) = match self.group.column(name).map(|decided| decided.column) {
            None => {
                let known = self.group.root.columns.iter().map(|column| column.name.as_str());
                let cure = did_you_mean(name, known, "name a column of the same table");
                (format!("unknown seed column `{name}`"), cure)
            }
            Some(seed) if seed.generated => (
                format!("seed column `{name}` is generated and cannot be read while masking"),
                "seed by a column that it is computed from".to_owned(),
            ),
            Some(seed) if matches!(seed.kind, Kind::Other(_) | Kind::Xml) => (
                format!("seed column `{name}` is of type {}", seed.data_type),
                "seed by a column of a simple type".to_owned(),
            ),
            Some(_) => return true,
        };
        found.add(*at, subject, message, cure);
        false
    }

    fn width(&self, prepared: &Prepared, found: &mut Collected) {
        let (Some(longest), Some(width)) = (prepared.longest, width(&self.column().kind)) else {
            return;
        };
        if longest > width as usize {
            let message = format!(
                "`{}` can be {longest} characters long, the column holds {width}",
                self.rule.function.value
            );
            self.add(message, "choose a function with shorter fakes, or widen the column", found);
        }
    }

    fn nulls(&self, prepared: &Prepared, found: &mut Collected) {
        let may_be_null = prepared.may_return_null || prepared.constant == Some(Value::Null);
        if !may_be_null {
            return;
        }
        let forbids = |check: &Check| not_null(check, &self.column().name);
        let check = self.group.tree.iter().flat_map(|table| &table.checks).find(|c| forbids(c));
        let message = match check {
            _ if !self.column().nullable => {
                format!("`{}` on a NOT NULL column", self.rule.function.value)
            }
            Some(check) => {
                format!("`{}` where CHECK `{}` forbids NULL", self.rule.function.value, check.name)
            }
            None => return,
        };
        self.add(message, "choose a function that returns a value, such as `redact`", found);
    }

    /// A CHECK that lists the values a column may hold: no fake is in it, and a constant where it is listed.
    fn checks(&self, prepared: &Prepared, found: &mut Collected) {
        let column = &self.column().name;
        let checks = |table: &'_ &Table| table.checks.clone();
        for check in self.group.tree.iter().flat_map(checks) {
            let Some(listed) = listed_values(&check, column) else { continue };
            let fits = match &prepared.constant {
                Some(Value::Null) => true,
                Some(Value::Text(text)) => listed.iter().any(|value| value == text),
                _ => false,
            };
            if !fits {
                let message = format!("CHECK `{}` allows listed values only", check.name);
                self.add(message, "write `keep`, or `constant` with a listed value", found);
                return;
            }
        }
    }
}

/// The longest text a column holds, or each element of an array.
fn width(kind: &Kind) -> Option<u32> {
    match kind {
        Kind::Text { max_chars, .. } => *max_chars,
        Kind::Array(element) => width(element),
        _ => None,
    }
}

/// It reads `column IS NOT NULL` and nothing else.
fn not_null(check: &Check, column: &str) -> bool {
    let words: Vec<Token> = tokens(&check.expression)
        .filter(|token| token.kind != TokenKind::Space && !matches!(token.text, "(" | ")"))
        .collect();
    match words.as_slice() {
        [name, rest @ ..] if is_column(name, column) => {
            let wanted = ["is", "not", "null"];
            rest.len() == 3 && rest.iter().zip(wanted).all(|(token, word)| token.is_word(word))
        }
        _ => false,
    }
}

/// The texts in `column IN ('a', 'b')`, however a database prints it; `None` for any other expression.
fn listed_values(check: &Check, column: &str) -> Option<Vec<String>> {
    const WORDS: &[&str] =
        &["any", "array", "in", "text", "character", "varying", "varchar", "bpchar"];
    let (mut listed, mut is_list, mut names_column) = (Vec::new(), false, false);
    for token in tokens(&check.expression) {
        match token.kind {
            TokenKind::Space => {}
            TokenKind::Symbol if matches!(token.text, "(" | ")" | "[" | "]" | "," | "=" | ":") => {}
            TokenKind::Literal => {
                listed.push(token.text.strip_prefix('\'')?.strip_suffix('\'')?.to_owned())
            }
            _ if is_column(&token, column) => names_column = true,
            TokenKind::Word => {
                WORDS.iter().find(|word| token.is_word(word))?;
                is_list |= token.is_word("any") || token.is_word("in");
            }
            _ => return None,
        }
    }
    (is_list && names_column && !listed.is_empty()).then_some(listed)
}

/// The column's name, or `VALUE` as a domain's CHECK has it.
fn is_column(token: &Token<'_>, column: &str) -> bool {
    match token.kind {
        TokenKind::Word => token.text == column || token.is_word("value"),
        TokenKind::Quoted => token.text.trim_matches(['"', '`']) == column,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str) -> Check {
        Check { name: "c".into(), columns: Vec::new(), expression: expression.into() }
    }

    #[test]
    fn lists_are_read_as_databases_print_them() {
        let listed = |expression: &str| listed_values(&check(expression), "status");
        let both = Some(vec!["new".to_owned(), "paid".to_owned()]);
        assert_eq!(listed("status IN ('new', 'paid')"), both);
        assert_eq!(listed("\"status\" in ('new','paid')"), both);
        assert_eq!(listed("status = ANY (ARRAY['new'::text, 'paid'::text])"), both);
        assert_eq!(
            listed(
                "(status)::text = ANY ((ARRAY['new'::character varying, 'paid'::character varying])::text[])"
            ),
            both
        );
        assert_eq!(listed("VALUE = ANY (ARRAY['new'::text, 'paid'::text])"), both);
        assert_eq!(listed("status NOT IN ('new')"), None);
        assert_eq!(listed("status <> ALL (ARRAY['new'::text])"), None);
        assert_eq!(listed("kind IN ('new')"), None);
        assert_eq!(listed("status IN ('new') OR other"), None);
    }

    #[test]
    fn not_null_is_read_as_databases_print_it() {
        assert!(not_null(&check("((email IS NOT NULL))"), "email"));
        assert!(not_null(&check("\"email\" is not null"), "email"));
        assert!(!not_null(&check("email IS NOT NULL OR phone IS NOT NULL"), "email"));
        assert!(!not_null(&check("phone IS NOT NULL"), "email"));
    }
}
