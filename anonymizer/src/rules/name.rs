//! Names of tables and columns as written in a rules file: quotes, dots and stars.
//!
//! Names are compared as stored, case and Unicode form included. A star stands for any run of characters without a dot;
//! inside double quotes it is itself, as is a dot, and a double quote is written twice.

use std::fmt;

/// A table's name as written: one part (unqualified) or two, each literal or with stars.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamePattern {
    /// Schema part, where written.
    pub schema: Option<Part>,
    /// Table part.
    pub name: Part,
}

/// One part of a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// The text, quotes removed.
    pub text: String,
    /// It has stars that stand for any run of characters (a star inside double quotes is itself).
    pub wildcard: bool,
}

/// Why a name cannot be read: message and cure.
pub(super) type Unreadable = (String, String);

impl NamePattern {
    /// Reads `table`, `schema.table`, `"Sche.ma"."Ta""ble"`, `schema.log_*`.
    pub(super) fn read(text: &str) -> Result<Self, Unreadable> {
        let mut parts = parts(text)?.into_iter();
        match (parts.next(), parts.next(), parts.next()) {
            (Some(name), None, None) => Ok(Self { schema: None, name }),
            (Some(schema), Some(name), None) => Ok(Self { schema: Some(schema), name }),
            _ => Err((
                "table name of more than two parts".into(),
                format!(
                    "write `schema.table`; double quotes around a part with a dot, as in `'{}'`",
                    quoted(text)
                ),
            )),
        }
    }

    /// True where a star in it stands for other characters.
    pub fn is_wildcard(&self) -> bool {
        self.name.wildcard || self.schema.as_ref().is_some_and(|schema| schema.wildcard)
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        self.name.fmt(f)
    }
}

impl Part {
    /// Reads a column's name: one part.
    pub(super) fn read(text: &str) -> Result<Self, Unreadable> {
        let mut parts = parts(text)?;
        match (parts.pop(), parts.is_empty()) {
            (Some(part), true) => Ok(part),
            _ => Err((
                "column name with a dot".into(),
                format!("put double quotes around the name, as in `'{}'`", quoted(text)),
            )),
        }
    }

    /// True where it stands for `name`.
    pub fn matches(&self, name: &str) -> bool {
        if self.wildcard { star_matches(&self.text, name) } else { self.text == name }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.wildcard && (self.text.is_empty() || self.text.contains(['.', '"', '*'])) {
            f.write_str(&quoted(&self.text))
        } else {
            f.write_str(&self.text)
        }
    }
}

/// A name as a rules file would write it: quoted where a bare word would mean something else.
pub fn written(name: &str) -> String {
    Part { text: name.to_owned(), wildcard: false }.to_string()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Splits at dots outside double quotes.
fn parts(text: &str) -> Result<Vec<Part>, Unreadable> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(inside) => quoted_part(inside)?,
            None => bare_part(rest)?,
        };
        parts.push(part);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(parts),
            None => {
                return Err((
                    "text after a closing double quote".into(),
                    "a quoted part ends at a dot or at the end of the name; write a double quote \
                     inside it twice"
                        .into(),
                ));
            }
        }
    }
}

fn bare_part(text: &str) -> Result<(Part, &str), Unreadable> {
    let end = text.find('.').unwrap_or(text.len());
    let (part, after) = text.split_at(end);
    if part.is_empty() {
        let cure = "write `table` or `schema.table`; double quotes around a part with a dot";
        return Err(("name with an empty part".into(), cure.into()));
    }
    if part.contains('"') {
        let cure = format!("put double quotes around the whole part, as in `'{}'`", quoted(part));
        return Err(("double quote inside an unquoted name".into(), cure));
    }
    Ok((Part { text: part.to_owned(), wildcard: part.contains('*') }, after))
}

/// `inside` begins after the opening quote.
fn quoted_part(inside: &str) -> Result<(Part, &str), Unreadable> {
    let mut text = String::new();
    let mut rest = inside;
    loop {
        let Some(end) = rest.find('"') else {
            let cure = "close the double quote; put single quotes around the whole key, as in \
                        `'public.\"Order.Details\"'`";
            return Err(("unclosed double quote in a name".into(), cure.into()));
        };
        text.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                text.push('"');
                rest = after;
            }
            None if text.is_empty() => {
                return Err((
                    "name with an empty part".into(),
                    "write a name between the quotes".into(),
                ));
            }
            None => return Ok((Part { text, wildcard: false }, rest)),
        }
    }
}

/// Greedy matching with one point to come back to: the last star seen.
fn star_matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        if p < pattern.len() && pattern[p] == '*' {
            p += 1;
            retry = Some((p, n));
        } else if p < pattern.len() && pattern[p] == name[n] {
            p += 1;
            n += 1;
        } else {
            match retry {
                Some((after_star, taken)) if name[taken] != '.' => {
                    retry = Some((after_star, taken + 1));
                    p = after_star;
                    n = taken + 1;
                }
                _ => return false,
            }
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> String {
        match NamePattern::read(text) {
            Ok(NamePattern { schema, name }) => {
                let show = |p: &Part| format!("<{}>{}", p.text, if p.wildcard { "*" } else { "" });
                let schema = schema.as_ref().map(|schema| show(schema) + " ").unwrap_or_default();
                format!("{schema}{}", show(&name))
            }
            Err((message, _)) => message,
        }
    }

    #[test]
    fn names_are_read_as_written() {
        assert_eq!(name("users"), "<users>");
        assert_eq!(name("public.users"), "<public> <users>");
        assert_eq!(name("Public.Üser Köln 東京"), "<Public> <Üser Köln 東京>");
        assert_eq!(name("public.\"Order.Details\""), "<public> <Order.Details>");
        assert_eq!(name("\"a\"\"b\".\"c*\""), "<a\"b> <c*>");
        assert_eq!(name("*.log_*"), "<*>* <log_*>*");
        assert_eq!(name("a.b.c"), "table name of more than two parts");
        assert_eq!(name("a."), "name with an empty part");
        assert_eq!(name(".a"), "name with an empty part");
        assert_eq!(name("\"\""), "name with an empty part");
        assert_eq!(name("\"\".a"), "name with an empty part");
        assert_eq!(name("a\"b\""), "double quote inside an unquoted name");
        assert_eq!(name("\"a\"b"), "text after a closing double quote");
        assert_eq!(name("\"a"), "unclosed double quote in a name");
    }

    #[test]
    fn a_name_reads_back_as_written() {
        for stored in ["users", "Order.Details", "a\"b", "st*r", "naïve", "a b"] {
            let part = Part::read(&written(stored)).unwrap();
            assert_eq!((part.text.as_str(), part.wildcard), (stored, false));
        }
    }

    #[test]
    fn a_star_stands_for_any_run_without_a_dot() {
        let matches = |pattern: &str, name: &str| Part::read(pattern).unwrap().matches(name);
        assert!(matches("*", "anything"));
        assert!(matches("utm_*", "utm_"));
        assert!(matches("*_at", "created_at"));
        assert!(matches("a*b*c", "a-b-b-c"));
        assert!(matches("*é*", "cafés"));
        assert!(!matches("a*b", "a-c"));
        assert!(!matches("utm_*", "UTM_x"));
        assert!(!matches("*", "a.b"));
        assert!(!matches("a*b", "a.b"));
        assert!(!matches("\"*\"", "x"));
        assert!(matches("\"*\"", "*"));
    }
}
