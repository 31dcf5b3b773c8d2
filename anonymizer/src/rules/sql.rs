//! SQL text as tokens: enough to tell words, texts and quoted names apart, and no grammar.

/// A piece of SQL; `text` is as written, quotes included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub kind: TokenKind,
    pub text: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A keyword, a bare identifier or a number.
    Word,
    /// A text literal, in single quotes or between dollar signs.
    Literal,
    /// An identifier in double quotes, backticks or brackets.
    Quoted,
    /// `--` or `/*`.
    Comment,
    /// A quote that is never closed.
    Unclosed,
    /// White space.
    Space,
    /// One other character.
    Symbol,
}

impl Token<'_> {
    /// It is that word, case aside; a quoted name is no word.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

/// Splits into tokens that, put together, are the text again.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (kind, length) = next(rest);
        let (text, after) = rest.split_at(length);
        rest = after;
        Some(Token { kind, text })
    })
}

/// Kind and length in bytes of the token that `text` begins with.
fn next(text: &str) -> (TokenKind, usize) {
    let first = text.chars().next().expect("text is not empty");
    let run = |fits: fn(char) -> bool| text.find(|c| !fits(c)).unwrap_or(text.len());
    match first {
        '\'' => quoted(text, '\'', TokenKind::Literal),
        '"' | '`' => quoted(text, first, TokenKind::Quoted),
        '$' => dollar_quoted(text),
        '-' if text.starts_with("--") => (TokenKind::Comment, 2),
        '/' if text.starts_with("/*") => (TokenKind::Comment, 2),
        c if c.is_whitespace() => (TokenKind::Space, run(char::is_whitespace)),
        c if is_word_char(c) => (TokenKind::Word, run(is_word_char)),
        c => (TokenKind::Symbol, c.len_utf8()),
    }
}

fn is_word_char(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// A doubled quote stands for itself, which two adjacent tokens say as well.
fn quoted(text: &str, quote: char, kind: TokenKind) -> (TokenKind, usize) {
    match text[1..].find(quote) {
        Some(end) => (kind, end + 2),
        None => (TokenKind::Unclosed, text.len()),
    }
}

/// PostgreSQL's `$tag$ … $tag$`.
fn dollar_quoted(text: &str) -> (TokenKind, usize) {
    let tag_end = text[1..].find(|c| !is_word_char(c)).map(|end| end + 1);
    let Some(tag) = tag_end.filter(|&end| text[end..].starts_with('$')).map(|end| &text[..=end])
    else {
        return (TokenKind::Symbol, 1);
    };
    match text[tag.len()..].find(tag) {
        Some(end) => (TokenKind::Literal, end + 2 * tag.len()),
        None => (TokenKind::Unclosed, text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn tokens_put_together_are_the_text(text in "\\PC*") {
            let together: String = tokens(&text).map(|token| token.text).collect();
            assert_eq!(together, text);
        }
    }
}
