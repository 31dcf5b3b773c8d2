//! From a rules file's bytes to a [`RuleSet`], or to everything that is wrong with it.

use sha2::{Digest as _, Sha256};

use super::column::{self, Place, flag, plain, text};
use super::masking;
use super::name::{NamePattern, Part};
use super::suggest::did_you_mean;
use super::yaml::{self, Key, Node, Shape};
use super::{Allow, ColumnRule, RuleSet, ScrubRules, TableRule, predicate, scrub, verify};
use crate::finding::{Collected, Findings, Position, Spanned};

/// Reads a rules file; `file` is its name for messages. Never panics, whatever the bytes are.
pub fn parse(file: &str, bytes: &[u8]) -> Result<RuleSet, Findings> {
    let mut found = Collected::default();
    let Document { masking_digest, locale, tables, allow, scrub } =
        document(bytes, &mut found).unwrap_or_default();
    let digest = hex::encode(Sha256::digest(bytes));
    let file_name = file.to_owned();
    let rules = RuleSet { file: file_name, digest, masking_digest, locale, tables, allow, scrub };
    found.or(rules, format!("read {file}"), file)
}

type Tables = Vec<(Spanned<NamePattern>, TableRule)>;

/// What a file says, section by section.
#[derive(Default)]
struct Document {
    masking_digest: String,
    locale: Option<Spanned<String>>,
    tables: Tables,
    allow: Vec<Allow>,
    scrub: ScrubRules,
}

/// `None` always comes with a finding.
fn document(bytes: &[u8], found: &mut Collected) -> Option<Document> {
    let text = characters(bytes, found)?;
    let Some(root) = yaml::read(text, found) else {
        if found.is_empty() {
            found.add(Position::default(), "", "empty file", EMPTY_CURE);
        }
        return None;
    };
    if root.is_null() {
        found.add(Position::default(), "", "empty file", EMPTY_CURE);
        return None;
    }
    let Shape::Mapping(entries) = &root.shape else {
        if !matches!(root.shape, Shape::Unusable) {
            let message = format!("{} where a mapping is expected", root.noun());
            found.add(root.at, "", message, EMPTY_CURE);
        }
        return None;
    };
    Some(top(entries, found))
}

const EMPTY_CURE: &str = "begin with `version: 1`, then `tables:` with a rule for each table";

/// The bytes as text without what YAML does not allow, and what its parser would take for the end of the file.
fn characters<'a>(bytes: &'a [u8], found: &mut Collected) -> Option<&'a str> {
    let (text, bad) = match std::str::from_utf8(bytes) {
        Ok(text) => (text, text.find(forbidden)),
        Err(error) => {
            let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]);
            found.add(
                position_after(valid.unwrap_or_default()),
                "",
                "not UTF-8 text",
                "save the file in UTF-8",
            );
            return None;
        }
    };
    if let Some(index) = bad {
        let cure = "remove it; inside double quotes YAML writes such a character with a backslash";
        found.add(position_after(&text[..index]), "", "control character", cure);
        return None;
    }
    Some(text)
}

fn forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}')
}

fn position_after(text: &str) -> Position {
    let line_start = text.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.matches('\n').count() + 1;
    Position { line, column: text[line_start..].chars().count() + 1 }
}

fn top(entries: &[(Key, Node)], found: &mut Collected) -> Document {
    let (mut version, mut tables) = (None, None);
    let mut document = Document { masking_digest: masking::digest(entries), ..Document::default() };
    for (key, node) in entries {
        match key.text.as_str() {
            "version" => version = Some(node),
            "locale" => document.locale = text("", "locale", node, found),
            "tables" => tables = Some(node),
            "scrub" => document.scrub = scrub::read(node, found),
            "verify" => document.allow = verify::read(node, found),
            unknown => {
                let known = ["version", "locale", "tables", "scrub", "verify"];
                let otherwise =
                    "a rules file has `version`, `locale`, `tables`, `scrub` and `verify`";
                let cure = did_you_mean(unknown, known, otherwise);
                found.add(key.at, "", format!("unknown key `{unknown}`"), cure);
            }
        }
    }
    check_version(version, found);
    match tables {
        Some(node) => document.tables = read_tables(node, found),
        None => {
            let cure = "add `tables:` with a rule for each table";
            found.add(Position::default(), "", "no `tables`", cure);
        }
    }
    document
}

fn check_version(node: Option<&Node>, found: &mut Collected) {
    let Some(node) = node else {
        found.add(Position::default(), "", "no `version`", "begin the file with `version: 1`");
        return;
    };
    let known = matches!(&node.shape, Shape::Scalar { text, plain: true } if text == "1");
    if !known && !matches!(node.shape, Shape::Unusable) {
        found.add(node.at, "", "unknown version of the rules file", "write `version: 1`");
    }
}

fn read_tables(node: &Node, found: &mut Collected) -> Tables {
    let Shape::Mapping(entries) = &node.shape else {
        if !matches!(node.shape, Shape::Unusable) {
            let cure = "write one entry per table, as in `public.users: keep`";
            found.add(node.at, "", "`tables` is not a mapping", cure);
        }
        return Vec::new();
    };
    let mut tables: Tables = Vec::new();
    for (key, node) in entries {
        let name = match NamePattern::read(&key.text) {
            Ok(name) => Some(name),
            Err((message, cure)) => {
                found.add(key.at, &key.text, message, cure);
                None
            }
        };
        let rule = table(&key.text, node, found);
        let (Some(name), Some(rule)) = (name, rule) else { continue };
        if let Some((first, _)) = tables.iter().find(|(known, _)| known.value == name) {
            let message = format!("second rule for this table, the first is at {}", first.at);
            found.add(key.at, &key.text, message, "write one rule per table");
            continue;
        }
        tables.push((Spanned::new(name, key.at), rule));
    }
    tables
}

fn table(subject: &str, node: &Node, found: &mut Collected) -> Option<TableRule> {
    const CURE: &str = "write `keep`, `truncate`, or a mapping with `columns`";
    if node.is_null() {
        found.add(node.at, subject, "YAML null, which decides nothing", CURE);
        return None;
    }
    match &node.shape {
        Shape::Scalar { text, .. } => match text.as_str() {
            "keep" => Some(TableRule::Keep),
            "truncate" => Some(TableRule::Truncate { cascade: false }),
            other => {
                let cure = did_you_mean(other, ["keep", "truncate"], CURE);
                found.add(node.at, subject, format!("unknown table rule `{other}`"), cure);
                None
            }
        },
        Shape::Mapping(entries) => table_mapping(subject, node.at, entries, found),
        Shape::List(_) => {
            found.add(node.at, subject, "a list where a table's rule is expected", CURE);
            None
        }
        Shape::Unusable => None,
    }
}

/// What a table's mapping says, key by key.
#[derive(Default)]
struct Entries<'a> {
    skip_rows: Option<Spanned<String>>,
    delete_rows: Option<Spanned<String>>,
    truncate: Option<&'a Key>,
    cascade: Option<&'a Key>,
    columns: Option<Vec<(Spanned<Part>, ColumnRule)>>,
}

fn table_mapping(
    subject: &str,
    at: Position,
    entries: &[(Key, Node)],
    found: &mut Collected,
) -> Option<TableRule> {
    let mut read = Entries::default();
    for (key, node) in entries {
        let name = key.text.as_str();
        match name {
            "skip_rows" => read.skip_rows = predicate_text(subject, name, node, found),
            "delete_rows" => read.delete_rows = predicate_text(subject, name, node, found),
            "truncate" | "cascade" => {
                let set = plain(subject, name, "`true` or `false`", node, flag, found);
                let set = (set == Some(true)).then_some(key);
                *(if name == "truncate" { &mut read.truncate } else { &mut read.cascade }) = set;
            }
            "columns" => read.columns = Some(columns(subject, node, found)),
            unknown => {
                let known = ["columns", "skip_rows", "delete_rows", "truncate", "cascade"];
                let otherwise = "a table has `columns`, `skip_rows`, `delete_rows`, `truncate` and \
                                 `cascade`; a column's rule stands under `columns`";
                let cure = did_you_mean(unknown, known, otherwise);
                found.add(key.at, subject, format!("unknown key `{unknown}`"), cure);
            }
        }
    }
    combine(subject, at, read, found)
}

fn combine(
    subject: &str,
    at: Position,
    read: Entries<'_>,
    found: &mut Collected,
) -> Option<TableRule> {
    let Entries { skip_rows, delete_rows, truncate, cascade, columns } = read;
    if truncate.is_some() {
        if columns.is_some() || skip_rows.is_some() || delete_rows.is_some() {
            let cure = "remove `truncate`, or everything beside it but `cascade`";
            found.add(at, subject, "`truncate` beside rules for rows that would be gone", cure);
            return None;
        }
        return Some(TableRule::Truncate { cascade: cascade.is_some() });
    }
    if let Some(key) = cascade.filter(|_| delete_rows.is_none()) {
        let cure = "add `delete_rows` or `truncate: true`, or remove `cascade`";
        found.add(key.at, subject, "`cascade` without rows that are removed", cure);
    }
    let columns = columns.unwrap_or_default();
    Some(TableRule::Columns { skip_rows, delete_rows, cascade: cascade.is_some(), columns })
}

fn predicate_text(
    subject: &str,
    name: &str,
    node: &Node,
    found: &mut Collected,
) -> Option<Spanned<String>> {
    let predicate = text(subject, name, node, found)?;
    for (message, cure) in predicate::problems(&predicate.value) {
        found.add(predicate.at, format!("{subject} {name}"), message, cure);
    }
    Some(predicate)
}

fn columns(subject: &str, node: &Node, found: &mut Collected) -> Vec<(Spanned<Part>, ColumnRule)> {
    let Shape::Mapping(entries) = &node.shape else {
        if !matches!(node.shape, Shape::Unusable) {
            let cure = "write one entry per column, as in `email: email`";
            found.add(node.at, subject, "`columns` is not a mapping", cure);
        }
        return Vec::new();
    };
    let mut columns: Vec<(Spanned<Part>, ColumnRule)> = Vec::new();
    for (key, node) in entries {
        let subject = format!("{subject}.{}", key.text);
        let name = match Part::read(&key.text) {
            Ok(name) => Some(name),
            Err((message, cure)) => {
                found.add(key.at, &subject, message, cure);
                None
            }
        };
        let rule = column::read(&subject, node, Place::Column, found);
        let (Some(name), Some(rule)) = (name, rule) else { continue };
        if let Some((first, _)) = columns.iter().find(|(known, _)| known.value == name) {
            let message = format!("second rule for this column, the first is at {}", first.at);
            found.add(key.at, &subject, message, "write one rule per column");
            continue;
        }
        columns.push((Spanned::new(name, key.at), rule));
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The findings as a user reads them, or the tables and columns that were read.
    fn check(text: &str) -> String {
        match parse("shop.yaml", text.as_bytes()) {
            Ok(rules) => outline(&rules),
            Err(findings) => findings.to_string(),
        }
    }

    fn outline(rules: &RuleSet) -> String {
        let mut lines = Vec::new();
        for (name, rule) in &rules.tables {
            lines.push(match rule {
                TableRule::Keep => format!("{} keep", name.value),
                TableRule::Truncate { cascade } => format!("{} truncate {cascade}", name.value),
                TableRule::Columns { columns, delete_rows, cascade, .. } => {
                    let columns: Vec<String> = columns
                        .iter()
                        .map(|(name, rule)| format!("{}={}", name.value, rule.function.value))
                        .collect();
                    let deletes = delete_rows.is_some();
                    format!("{} {} {deletes} {cascade}", name.value, columns.join(" "))
                }
            });
        }
        lines.join("\n")
    }

    #[test]
    fn tables_in_every_form() {
        let text = r#"
version: 1
tables:
  no: keep
  on: truncate
  007: { truncate: true, cascade: true }
  "null": { delete_rows: "x < now()", cascade: true }
  'public."Order.Details"': {}
  "*.log_*": keep
"#;
        insta::assert_snapshot!(check(text), @r#"
        no keep
        on truncate false
        007 truncate true
        null  true true
        public."Order.Details"  false false
        *.log_* keep
        "#);
    }

    #[test]
    fn the_digest_is_that_of_the_bytes() {
        let rules = parse("x.yaml", b"version: 1\ntables: {}\n").unwrap();
        insta::assert_snapshot!(rules.digest, @"0fb717f309fa738842b26f2230ac610900a29db315a93b47e4dbab08acf0ff2e");
    }

    #[test]
    fn everything_is_reported_at_once() {
        let text = "version: 2\nlocal: fr_FR\ntables:\n  users: kep\n  a.b.c: keep\n  logs: ~\n";
        insta::assert_snapshot!(check(text), @r#"
        failed to read shop.yaml: 5 findings
          shop.yaml:1:10: unknown version of the rules file
            (hint: write `version: 1`)
          shop.yaml:2:1: unknown key `local`
            (hint: did you mean `locale`? a rules file has `version`, `locale`, `tables`, `scrub` and `verify`)
          shop.yaml:4:10: users: unknown table rule `kep`
            (hint: did you mean `keep`? write `keep`, `truncate`, or a mapping with `columns`)
          shop.yaml:5:3: a.b.c: table name of more than two parts
            (hint: write `schema.table`; double quotes around a part with a dot, as in `'"a.b.c"'`)
          shop.yaml:6:9: logs: YAML null, which decides nothing
            (hint: write `keep`, `truncate`, or a mapping with `columns`)
        "#);
    }

    #[test]
    fn bytes_that_are_no_text() {
        let error = parse("shop.yaml", b"version: 1\nlocale: \xff\n").unwrap_err();
        insta::assert_snapshot!(error, @r"
        failed to read shop.yaml: 1 finding
          shop.yaml:2:9: not UTF-8 text
            (hint: save the file in UTF-8)
        ");
        insta::assert_snapshot!(check("version: 1\0\ntables: {}\n"), @r"
        failed to read shop.yaml: 1 finding
          shop.yaml:1:11: control character
            (hint: remove it; inside double quotes YAML writes such a character with a backslash)
        ");
    }

    /// Pieces that rules files are made of, right and wrong.
    fn pieces() -> impl proptest::strategy::Strategy<Value = String> {
        let words = proptest::sample::select(vec![
            "version: 1",
            "tables:",
            "\n",
            "\n  ",
            "\n    ",
            "users:",
            "columns:",
            "email: email",
            "{",
            "}",
            "[",
            "]",
            "&a",
            "*a",
            "*",
            "!x",
            "<<:",
            "\"",
            "'",
            "|",
            ">",
            "-",
            "?",
            ":",
            "#",
            ",",
            "\t",
            "null",
            "---",
            "...",
            "skip_rows: a",
            "delete_rows: 'now()'",
            "function: date_shift",
            "max_days: 1",
            "\u{feff}",
            "é",
            "%YAML 1.2",
        ]);
        proptest::strategy::Strategy::prop_map(proptest::collection::vec(words, 0..40), |words| {
            words.join("")
        })
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse("x.yaml", &bytes);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = parse("x.yaml", text.as_bytes());
        }

        #[test]
        fn no_arrangement_makes_it_panic(text in pieces()) {
            let _ = parse("x.yaml", text.as_bytes());
        }
    }

    #[test]
    fn depth_is_bounded() {
        let text = format!("version: 1\ntables: {}", "[".repeat(100_000));
        assert!(check(&text).contains("levels deep") || check(&text).contains("malformed"));
    }
}
