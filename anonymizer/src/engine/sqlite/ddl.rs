//! Just enough SQL lexing to read what SQLite keeps only as text: CHECK constraints, index expressions, the arguments of a
//! virtual table. It never judges a statement: everything it reads was accepted by SQLite before.

/// One token with the place it stands at.
#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    start: usize,
}

impl Token<'_> {
    fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }

    fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// The name it may stand for, quotes removed; `None` for a string literal, a number or punctuation.
    fn name(&self) -> Option<String> {
        let text = self.text;
        let inner = || text[1..text.len() - 1].to_owned();
        match text.chars().next()? {
            '"' => Some(inner().replace("\"\"", "\"")),
            '`' => Some(inner().replace("``", "`")),
            '[' => Some(inner()),
            first if first.is_alphabetic() || first == '_' || !first.is_ascii() => {
                Some(text.to_owned())
            }
            _ => None,
        }
    }
}

/// A CHECK constraint as written.
pub(super) struct WrittenCheck {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// What stands between its parentheses.
    pub expression: String,
    /// Every name in it: columns, but functions and keywords too.
    pub names: Vec<String>,
}

/// The CHECK constraints of a CREATE TABLE statement, in the order written.
pub(super) fn checks(create_table: &str) -> Vec<WrittenCheck> {
    let tokens = tokens(create_table);
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let opens = tokens.get(at + 1).is_some_and(|next| next.text == "(");
        if !token.is("check") || !opens {
            continue;
        }
        let close = closing(&tokens, at + 1);
        let inside = &tokens[at + 2..close];
        let named = at >= 2 && tokens[at - 2].is("constraint");
        found.push(WrittenCheck {
            name: if named { tokens[at - 1].name() } else { None },
            expression: create_table[tokens[at + 1].end()..tokens[close].start].trim().to_owned(),
            names: inside.iter().filter_map(Token::name).collect(),
        });
    }
    found
}

/// The key parts of a CREATE INDEX statement as written, and the predicate of a partial index.
pub(super) fn index_parts(create_index: &str) -> (Vec<String>, Option<String>) {
    let tokens = tokens(create_index);
    let Some(open) = tokens.iter().position(|token| token.text == "(") else {
        return (Vec::new(), None);
    };
    let close = closing(&tokens, open);
    let parts = split(create_index, &tokens, open, close);
    let predicate = tokens.get(close + 1).filter(|token| token.is("where"));
    (parts, predicate.map(|token| create_index[token.end()..].trim().to_owned()))
}

/// The column of an index's key part that reads `lower(column)` or `upper(column)`, and nothing else but an order.
pub(super) fn folded(part: &str) -> Option<String> {
    let tokens = tokens(part);
    let [function, open, column, close, order @ ..] = tokens.as_slice() else { return None };
    let folds = function.is("lower") || function.is("upper");
    let ordered = order.iter().all(|word| word.is("asc") || word.is("desc"));
    (folds && open.text == "(" && close.text == ")" && ordered).then(|| column.name())?
}

/// The module of a CREATE VIRTUAL TABLE statement and its arguments as written.
pub(super) fn module(create_virtual_table: &str) -> Option<(String, Vec<String>)> {
    let tokens = tokens(create_virtual_table);
    let using = tokens.iter().position(|token| token.is("using"))?;
    let name = tokens.get(using + 1)?.name()?;
    let arguments = match tokens.get(using + 2) {
        Some(token) if token.text == "(" => {
            let close = closing(&tokens, using + 2);
            split(create_virtual_table, &tokens, using + 2, close)
        }
        _ => Vec::new(),
    };
    Some((name, arguments))
}

/// A text without the quotes of any sort that may surround it.
pub(super) fn unquoted(text: &str) -> String {
    let text = text.trim();
    match text.chars().next() {
        Some('\'') if text.len() > 1 => text[1..text.len() - 1].replace("''", "'"),
        Some('"' | '`' | '[') if text.len() > 1 => {
            Token { text, start: 0 }.name().unwrap_or_default()
        }
        _ => text.to_owned(),
    }
}

/// The texts between the commas of a bracketed list.
fn split(sql: &str, tokens: &[Token<'_>], open: usize, close: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut from = tokens[open].end();
    let mut at = open + 1;
    while at < close {
        match tokens[at].text {
            "(" => at = closing(tokens, at),
            "," => {
                parts.push(sql[from..tokens[at].start].trim().to_owned());
                from = tokens[at].end();
            }
            _ => {}
        }
        at += 1;
    }
    let until = tokens.get(close).map_or(sql.len(), |token| token.start);
    parts.push(sql[from..until].trim().to_owned());
    parts
}

/// The token that closes the bracket at `open`, or the last one.
fn closing(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len() - 1
}

/// The statement's tokens, comments and white space left out.
fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let length = match first {
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '-' if rest.starts_with("--") => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            '/' if rest.starts_with("/*") => {
                at += rest.find("*/").map_or(rest.len(), |end| end + 2);
                continue;
            }
            '\'' | '"' | '`' => quoted_length(rest, first),
            '[' => rest.find(']').map_or(rest.len(), |end| end + 1),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        tokens.push(Token { text: &rest[..length], start: at });
        at += length;
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

/// The length of a quoted token, its quotes included; a doubled quote does not end it.
fn quoted_length(text: &str, quote: char) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        if bytes[at] == quote as u8 {
            if bytes.get(at + 1) != Some(&(quote as u8)) {
                return at + 1;
            }
            at += 1;
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_found_with_their_names() {
        let sql = "CREATE TABLE t(a TEXT CHECK (length(a) < 9 /* ) */), \"b (\" INT,\n\
                   -- CHECK (nothing)\n CONSTRAINT [x y] CHECK ((\"b (\" > 0) AND a <> ')'))";
        let found = checks(sql);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].name, None);
        assert_eq!(found[0].expression, "length(a) < 9 /* ) */");
        assert_eq!(found[1].name.as_deref(), Some("x y"));
        assert_eq!(found[1].expression, "(\"b (\" > 0) AND a <> ')'");
        assert!(found[1].names.contains(&"b (".to_owned()));
    }

    #[test]
    fn index_parts_are_split_at_their_own_commas() {
        let sql = "CREATE UNIQUE INDEX i ON t(lower(a), substr(b, 1, 2) COLLATE NOCASE DESC) \
                   WHERE a IS NOT NULL";
        let (parts, predicate) = index_parts(sql);
        assert_eq!(parts, ["lower(a)", "substr(b, 1, 2) COLLATE NOCASE DESC"]);
        assert_eq!(predicate.as_deref(), Some("a IS NOT NULL"));
    }

    #[test]
    fn a_folded_column_is_told_from_other_expressions() {
        for part in ["lower(e)", "UPPER ( \"e\" ) DESC", "lower([e])"] {
            assert_eq!(folded(part).as_deref(), Some("e"), "{part}");
        }
        for part in ["e", "lower(e) || x", "lower(trim(e))", "lower('e')", "substr(e, 1, 2)"] {
            assert_eq!(folded(part), None, "{part}");
        }
    }

    #[test]
    fn a_virtual_table_names_its_module_and_arguments() {
        let sql = "CREATE VIRTUAL TABLE f USING fts5(a, b, content='it''s', prefix='2 3')";
        let (module, arguments) = module(sql).unwrap();
        assert_eq!(module, "fts5");
        assert_eq!(arguments, ["a", "b", "content='it''s'", "prefix='2 3'"]);
        assert_eq!(unquoted("'it''s'"), "it's");
        assert_eq!(unquoted("\"a\"\"b\""), "a\"b");
        assert_eq!(unquoted("plain "), "plain");
    }
}
