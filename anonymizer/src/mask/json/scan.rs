//! A JSON document piece by piece, each with its place in the text. It keeps no stack: nesting is the reader's.

use std::borrow::Cow;
use std::ops::Range;

use crate::mask::MaskError;

/// What any fault in a document is called.
pub(super) const MALFORMED: MaskError = MaskError("value is not JSON");

/// What a value begins with, or a whole scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Object,
    Array,
    Text,
    Number,
    Boolean,
    Null,
}

/// Reads a document from left to right.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The bytes read so far.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The text of a place.
    pub(super) fn text(&self, place: Range<usize>) -> &'a str {
        &self.text[place]
    }

    /// Reads a scalar to its end, or the opening bracket of an object or array.
    pub(super) fn value(&mut self) -> Result<(Sort, Range<usize>), MaskError> {
        self.skip_space();
        let start = self.at;
        let sort = match self.peek() {
            Some(b'{') => Sort::Object,
            Some(b'[') => Sort::Array,
            Some(b'"') => Sort::Text,
            Some(b'-' | b'0'..=b'9') => Sort::Number,
            Some(b'n') => Sort::Null,
            _ => Sort::Boolean,
        };
        match sort {
            Sort::Object | Sort::Array => self.at += 1,
            Sort::Text => self.string()?,
            Sort::Number => self.number()?,
            Sort::Null => self.word(&["null"])?,
            Sort::Boolean => self.word(&["true", "false"])?,
        }
        Ok((sort, start..self.at))
    }

    /// Reads a key and its colon.
    pub(super) fn key(&mut self) -> Result<Range<usize>, MaskError> {
        self.skip_space();
        let start = self.at;
        self.string()?;
        let end = self.at;
        if self.take(b':') { Ok(start..end) } else { Err(MALFORMED) }
    }

    /// Reads that character, where it is the next one after white space.
    pub(super) fn take(&mut self, expected: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(expected);
        self.at += usize::from(found);
        found
    }

    /// Nothing but white space is left.
    pub(super) fn is_done(&mut self) -> bool {
        self.skip_space();
        self.peek().is_none()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Result<(), MaskError> {
        if self.peek() != Some(b'"') {
            return Err(MALFORMED);
        }
        loop {
            self.at += 1;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 1,
                Some(0..0x20) | None => return Err(MALFORMED),
                Some(_) => {}
            }
        }
        self.at += 1;
        Ok(())
    }

    fn number(&mut self) -> Result<(), MaskError> {
        self.at += usize::from(self.peek() == Some(b'-'));
        let leading_zero = self.peek() == Some(b'0');
        match self.digits() {
            0 => return Err(MALFORMED),
            2.. if leading_zero => return Err(MALFORMED),
            _ => {}
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(MALFORMED);
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return Err(MALFORMED);
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn word(&mut self, words: &[&str]) -> Result<(), MaskError> {
        let rest = &self.text[self.at..];
        let word = words.iter().find(|word| rest.starts_with(**word)).ok_or(MALFORMED)?;
        self.at += word.len();
        Ok(())
    }
}

/// What a string in quotes says. A surrogate without its other half, which is no character, reads as U+FFFD.
pub(super) fn unquote(quoted: &str) -> Result<Cow<'_, str>, MaskError> {
    let inside = &quoted[1..quoted.len() - 1];
    if !inside.contains('\\') {
        return Ok(Cow::Borrowed(inside));
    }
    let mut said = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some((before, escape)) = rest.split_once('\\') {
        said.push_str(before);
        let (character, after) = unescape(escape).ok_or(MALFORMED)?;
        said.push(character);
        rest = after;
    }
    said.push_str(rest);
    Ok(Cow::Owned(said))
}

/// The character after a backslash, and what follows it.
fn unescape(text: &str) -> Option<(char, &str)> {
    let simple = match text.as_bytes().first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(&text[1..]),
        _ => return None,
    };
    Some((simple, &text[1..]))
}

fn unicode(text: &str) -> Option<(char, &str)> {
    let (unit, after) = code_unit(text)?;
    if let Some((low @ 0xdc00..0xe000, last)) = after.strip_prefix("\\u").and_then(code_unit)
        && (0xd800..0xdc00).contains(&unit)
    {
        let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        return Some((char::from_u32(code)?, last));
    }
    Some((char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), after))
}

fn code_unit(text: &str) -> Option<(u32, &str)> {
    let (digits, after) = text.split_at_checked(4)?;
    let all_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some((u32::from_str_radix(digits, 16).ok().filter(|_| all_hex)?, after))
}

/// Appends a text in quotes.
pub(super) fn push_quoted(text: &str, into: &mut String) {
    into.push('"');
    for character in text.chars() {
        match character {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            '\0'..' ' => into.push_str(&format!("\\u{:04x}", character as u32)),
            other => into.push(other),
        }
    }
    into.push('"');
}
