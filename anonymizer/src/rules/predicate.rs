//! SQL predicates of `skip_rows` and `delete_rows`: what can be said about one without a database.
//!
//! A predicate is one boolean expression over the table's own columns. It may not read a clock (`now()` is the engine's, and
//! taken once per run), nor another table (whose rows may be masked already, or not yet), nor be more than an expression. Whether it parses, and which columns it names, only the database can tell.

use super::sql::{Token, TokenKind, tokens};

/// Words that read a clock, and so would give another answer to a run that is started again.
const CLOCKS: &[&str] = &[
    "clock_timestamp",
    "current_date",
    "current_time",
    "current_timestamp",
    "getdate",
    "localtime",
    "localtimestamp",
    "statement_timestamp",
    "sysdate",
    "timeofday",
    "transaction_timestamp",
];

/// Functions that answer otherwise each time they are asked, which a run does more than once for a row.
const RANDOM: &[&str] = &["gen_random_uuid", "random", "randomblob", "uuid_generate_v4", "uuidv4"];

/// SQLite's date functions, which read the clock where an argument is the text `now`.
const DATE_FUNCTIONS: &[&str] =
    &["date", "time", "datetime", "julianday", "strftime", "timediff", "unixepoch"];

/// Texts that PostgreSQL's date types read the clock for.
const CLOCK_TEXTS: &[&str] = &["now", "today", "tomorrow", "yesterday"];

/// What is wrong with a predicate: message and cure.
pub(super) fn problems(predicate: &str) -> Vec<(String, String)> {
    let tokens: Vec<Token> =
        tokens(predicate).filter(|token| token.kind != TokenKind::Space).collect();
    let mut problems: Vec<(String, String)> = Vec::new();
    let mut add = |message: &str, cure: &str| problems.push((message.into(), cure.into()));
    if tokens.is_empty() {
        add("empty predicate", "write a SQL condition, or remove the line");
    }
    if tokens.iter().any(|token| token.kind == TokenKind::Unclosed) {
        add("unclosed quote in the predicate", "close it; write a quote inside a text twice");
    }
    if tokens.iter().any(|token| token.kind == TokenKind::Comment) {
        add("comment in the predicate", "write the comment outside, after a `#`");
    }
    if !balanced(&tokens) {
        add("unbalanced parentheses in the predicate", "close each parenthesis that is opened");
    }
    if tokens.iter().any(|token| token.text == ";") {
        add("semicolon in the predicate", "write one condition, not a statement");
    }
    if tokens.iter().any(|token| token.is_word("select")) {
        add(
            "predicate reads another table, whose rows may be masked already",
            "state the condition on the table's own columns",
        );
    }
    let random = |token: &&Token<'_>| RANDOM.iter().any(|function| token.is_word(function));
    let called = |[function, open]: &[Token<'_>; 2]| open.text == "(" && random(&function);
    if let Some([function, _]) = tokens.array_windows().find(|pair| called(pair)) {
        let cure = "state a condition that is the same each time, such as `id % 10 = 0`";
        add(&format!("predicate draws a random number with `{}`", function.text), cure);
    }
    if let Some(clock) = clock(&tokens) {
        let cure = "write `now()`, which is taken once per run";
        add(&format!("predicate reads the clock with `{clock}`"), cure);
    }
    problems
}

fn balanced(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0_i32;
    for token in tokens {
        match token.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

/// The first thing that reads a clock.
fn clock<'a>(tokens: &[Token<'a>]) -> Option<&'a str> {
    let any_of = |token: &Token<'_>, words: &[&str]| words.iter().any(|word| token.is_word(word));
    let dates = tokens.iter().any(|token| any_of(token, DATE_FUNCTIONS));
    tokens.iter().enumerate().find_map(|(index, token)| match token.kind {
        TokenKind::Word if any_of(token, CLOCKS) => Some(token.text),
        // The server's own, by its full name.
        TokenKind::Word if token.is_word("now") && index > 0 && tokens[index - 1].text == "." => {
            Some(token.text)
        }
        TokenKind::Literal => {
            let text = token.text.trim_matches('\'').trim();
            let reads_clock = CLOCK_TEXTS.iter().any(|clock| text.eq_ignore_ascii_case(clock));
            let cast = tokens.get(index + 1).is_some_and(|next| next.text == ":");
            let typed = index > 0
                && any_of(&tokens[index - 1], &["date", "timestamp", "timestamptz", "time"]);
            (reads_clock && (cast || typed || dates)).then_some(token.text)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(predicate: &str) -> String {
        problems(predicate).into_iter().map(|(message, _)| message).next().unwrap_or_default()
    }

    #[test]
    fn ordinary_conditions_pass() {
        for predicate in [
            "email LIKE '%@ourcompany.com'",
            "created_at < now() - interval '3 years'",
            "note = 'a; -- b ('' select'",
            "\"select\" = 1 AND status IN ('now', 'later')",
            "\"current_date\" > '2020-01-01'::date",
            "name = $$it's (fine$$",
            "(a = 1) OR (b = 2)",
        ] {
            assert_eq!(first(predicate), "", "{predicate}");
        }
    }

    #[test]
    fn clocks_and_statements_do_not() {
        assert_eq!(
            first("a < CURRENT_TIMESTAMP"),
            "predicate reads the clock with `CURRENT_TIMESTAMP`"
        );
        assert_eq!(
            first("a < datetime('now', '-3 years')"),
            "predicate reads the clock with `'now'`"
        );
        assert_eq!(first("a < 'today'::date"), "predicate reads the clock with `'today'`");
        assert_eq!(first("a < timestamp 'now'"), "predicate reads the clock with `'now'`");
        assert_eq!(first("a < pg_catalog.now()"), "predicate reads the clock with `now`");
        assert_eq!(first("RANDOM() < 0.1"), "predicate draws a random number with `RANDOM`");
        assert_eq!(first("random < 0.1"), "");
        assert_eq!(first("  "), "empty predicate");
        assert_eq!(first("a = 'b"), "unclosed quote in the predicate");
        assert_eq!(first("1=1) OR (1=1"), "unbalanced parentheses in the predicate");
        assert_eq!(first("1=1; drop table t"), "semicolon in the predicate");
        assert_eq!(first("a = 1 -- all"), "comment in the predicate");
        assert_eq!(
            first("id IN (SELECT id FROM staff)"),
            "predicate reads another table, whose rows may be masked already"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            problems(&text);
        }
    }
}
