//! Finds in a text what may be an identifier: tokens in normal form, each with what a hit on it says.
//!
//! One cheap pass says which bytes are there; each closer look is taken only where its bytes are. Scratch is reused, so a
//! common value costs no allocation. It looks into encodings through [`super::decode`], and knows no original.

use super::fold::{fold, fold_words};
use super::normal::{self, Weight};
use super::number::{LONGEST_IBAN, iban_length, is_iban};
use super::{decode, digits, names, streets};
use crate::identifier::Identifier;
use crate::switches;

/// Encodings inside encodings are followed so far: a JSON string in base64 in a JSON string in a text.
const DEPTH: u8 = 4;
/// Decoded bytes per value, besides four times its length: what a hostile value can cost.
const MOST_DECODED: usize = 1 << 16;
/// A cell of a longer text is looked up as a whole from this length on: a shorter one says too little …
const SHORTEST_CELL: usize = 8;
/// … and up to this length.
const LONGEST_CELL: usize = 256;

/// The longest user name with blanks in it.
const LONGEST_NAME: usize = 64;

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// These kinds.
    pub fn of(kinds: &[Identifier]) -> Self {
        kinds.iter().fold(Self(0), |set, kind| Self(set.0 | 1 << *kind as u16))
    }

    /// That one is in it.
    #[inline]
    pub fn has(self, kind: Identifier) -> bool {
        self.0 & 1 << kind as u16 != 0
    }

    /// One of these is in it.
    #[inline]
    pub fn any(self, other: Kinds) -> bool {
        self.0 & other.0 != 0
    }

    /// With one more.
    pub fn with(self, kind: Identifier) -> Self {
        Self(self.0 | 1 << kind as u16)
    }

    /// Without these.
    pub fn without(self, other: Kinds) -> Self {
        Self(self.0 & !other.0)
    }

    /// Both sets.
    pub fn and(self, other: Kinds) -> Self {
        Self(self.0 & other.0)
    }

    /// Nothing is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Takes a token: its kind, its normal form, what a hit says.
pub type Found<'a> = dyn FnMut(Identifier, &[u8], Weight) + 'a;

const VALUES: [Identifier; 3] = [Identifier::Username, Identifier::Secret, Identifier::Other];
const NUMBERS: [Identifier; 3] = [Identifier::NationalId, Identifier::Iban, Identifier::Card];

/// What a byte is, for the first pass.
const DIGIT: u32 = 1;
const LETTER: u32 = 2;
const AT: u32 = 4;
const BACKSLASH: u32 = 8;
const PERCENT: u32 = 16;
const AMPERSAND: u32 = 32;
/// Ends a cell.
const BREAK: u32 = 64;
const BLANK: u32 = 128;
const DOT: u32 = 256;
/// Ends a line or a quoted text, which may hold several cells.
const WIDE_BREAK: u32 = 512;
/// Not ASCII; a letter too.
const WIDE: u32 = 1024;
/// Any other sign.
const SIGN: u32 = 2048;
/// Of a text with digits, what its parts can have at most: a digit that no letter or digit of ASCII stands before …
const FREE: u32 = 4096;
/// … one with a letter before it …
const TIED: u32 = 8192;
/// … five digits, which a number of an account or a person has …
const FIVE: u32 = 16384;
/// … eight, which a number that is looked for in a sentence has.
const EIGHT: u32 = 32768;
/// A slash; a sign too.
const SLASH: u32 = 65536;
/// An equals sign, which ends a cell too.
const EQUALS: u32 = 131_072;
/// A colon, which ends a cell too.
const COLON: u32 = 262_144;
/// What a text says about its parts.
const SHAPE: u32 = FREE | TIED | FIVE | EIGHT;

static CLASSES: [u32; 256] = classes();

const fn classes() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            0x80.. => LETTER | WIDE,
            b'@' => AT,
            b'\\' => BACKSLASH | BREAK,
            b'%' => PERCENT,
            b'&' => AMPERSAND | BREAK,
            b'"' | b'\t' | b'\n' | b'\r' | b'|' | b'<' | b'>' => BREAK | WIDE_BREAK,
            b'\'' | b',' | b';' | b'{' | b'}' | b'[' | b']' | b'(' | b')' | b'?' | b'`' => BREAK,
            b'=' => BREAK | EQUALS,
            b':' => BREAK | COLON,
            b'/' => SIGN | SLASH,
            b' ' => BLANK,
            b'.' => DOT,
            _ => SIGN,
        };
        byte += 1;
    }
    table
}

fn classes_of(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |seen, byte| seen | CLASSES[usize::from(*byte)])
}

/// How the digits of a text stand.
fn shape_of(bytes: &[u8]) -> u32 {
    let (mut free, mut tied, mut digits, mut before) = (0, 0, 0_usize, 0);
    for byte in bytes {
        let class = CLASSES[usize::from(*byte)];
        let letter = before >> LETTER.trailing_zeros() & !(before >> WIDE.trailing_zeros());
        free |= class & !(before | letter) & DIGIT;
        tied |= class & letter & DIGIT;
        digits += usize::from(class & DIGIT != 0);
        before = class;
    }
    let when = |so: bool, bit| if so { bit } else { 0 };
    when(free > 0, FREE) | when(tied > 0, TIED) | when(digits >= 5, FIVE) | when(digits >= 8, EIGHT)
}

/// Scratch for one reader.
#[derive(Default)]
pub struct Scanner {
    folded: Vec<u8>,
    pair: names::Pair,
    /// Buffers for decoded text, one for each level that is open.
    spare: Vec<Vec<u8>>,
    left: usize,
}

impl Scanner {
    /// Gives every token of a text that may be of one of these kinds.
    pub fn text(&mut self, text: &str, kinds: Kinds, found: &mut Found<'_>) {
        if !kinds.is_empty() {
            self.left = 4 * text.len() + MOST_DECODED;
            self.scan(text, kinds, DEPTH, found);
        }
    }

    /// The same for bytes: texts in UTF-8 and UTF-16 among them.
    pub fn bytes(&mut self, bytes: &[u8], kinds: Kinds, found: &mut Found<'_>) {
        if !kinds.is_empty() {
            self.left = 4 * bytes.len() + MOST_DECODED;
            self.scan_bytes(bytes, kinds, DEPTH, found);
        }
    }

    fn scan(&mut self, text: &str, kinds: Kinds, depth: u8, found: &mut Found<'_>) {
        let bytes = text.as_bytes();
        let mut seen = classes_of(bytes);
        if seen & (DIGIT | LETTER) == 0 || bytes.len() < 4 {
            return;
        }
        if seen & DIGIT != 0 {
            seen |= shape_of(bytes);
        }
        if is_uuid(bytes) {
            self.cell(text, seen, kinds, true, found);
            return;
        }
        self.plain(text, seen, kinds, found);
        if depth > 0 {
            self.encoded(text, seen, kinds, depth - 1, found);
        }
    }

    /// Tokens of the text as it stands.
    fn plain(&mut self, text: &str, seen: u32, kinds: Kinds, found: &mut Found<'_>) {
        let bytes = text.as_bytes();
        if seen & AT != 0 && kinds.has(Identifier::Email) {
            self.addresses(bytes, found);
        }
        // In one word of letters and digits no run of digits is a number, and no two words are next to each other.
        let one_word = seen & LETTER != 0 && seen & (BLANK | BREAK | DOT | SIGN | AT | WIDE) == 0;
        if seen & EIGHT != 0 && !one_word {
            digits::scan(bytes, kinds, found);
        }
        if kinds.has(Identifier::FullName) && seen & LETTER != 0 && !one_word {
            names::scan(text, &mut self.pair, found);
        }
        let both = FREE | LETTER;
        if kinds.has(Identifier::StreetAddress) && seen & both == both && !one_word {
            streets::scan(text, &mut self.folded, found);
        }
        let rest = Kinds::of(&VALUES).0
            | Kinds::of(&NUMBERS).0
            | Kinds::of(&[Identifier::StreetAddress]).0;
        let kinds = kinds.and(Kinds(rest));
        if kinds.is_empty() {
            return;
        }
        self.cell(text, seen, kinds, true, found);
        // A part is a value, or a number of five digits or with letters before the first.
        let parts = kinds.any(Kinds::of(&VALUES)) || seen & (FIVE | TIED) != 0;
        if !parts || seen & (DIGIT | DOT) == 0 || bytes.len() <= SHORTEST_CELL {
            return;
        }
        if seen & BREAK != 0 {
            self.cells(text, seen, BREAK, kinds, found);
            let with_breaks = Kinds::of(&[Identifier::Secret, Identifier::Other]);
            if seen & WIDE_BREAK != 0 && kinds.any(with_breaks) {
                self.cells(text, seen, WIDE_BREAK, kinds.and(with_breaks), found);
            }
        } else if seen & BLANK != 0 {
            self.words(text, seen, kinds, found);
        }
        let one_piece = seen & (BLANK | BREAK) == 0;
        let beside = seen & SLASH != 0 || (seen & AT != 0 && has_lone_at(bytes, one_piece));
        if beside && !switches::is_off("gate.segments") {
            self.segments(text, seen, kinds, found);
        }
    }

    /// What stands next to a slash, or to an `@` that is none of an e-mail address: `/home/ada_1815/mail`, `@ada_1815`. Not a
    /// host, and not what is far into a long piece, which is base64.
    fn segments(&mut self, text: &str, all: u32, kinds: Kinds, found: &mut Found<'_>) {
        const ENDS: u32 = BREAK | BLANK | SLASH | AT;
        const LONGEST_PATH: usize = 96;
        let (bytes, shape) = (text.as_bytes(), all & SHAPE);
        let (mut start, mut seen, mut beside, mut piece) = (0, shape, false, 0);
        for place in 0..=bytes.len() {
            let class = bytes.get(place).map_or(BLANK, |byte| CLASSES[usize::from(*byte)]);
            if class & ENDS == 0 || (class & AT != 0 && domain_end(bytes, place + 1).is_some()) {
                seen |= class;
                if class & DOT != 0 {
                    piece = place;
                }
                continue;
            }
            let is_beside = class & (SLASH | AT) != 0;
            let segment = &text[start..place];
            let is_host = bytes[..start].ends_with(b"//");
            if (beside || is_beside)
                && (SHORTEST_CELL..=LONGEST_CELL).contains(&segment.len())
                && seen & (DIGIT | DOT) != 0
                && place - piece <= LONGEST_PATH
                && !is_host
            {
                self.cell(segment, seen, kinds, false, found);
            }
            if class & (BREAK | BLANK) != 0 {
                piece = place;
            }
            (start, seen, beside) = (place + 1, shape, is_beside);
        }
    }

    /// What stands between quotes, commas, tags, brackets: an element, a JSON string, a CSV cell.
    fn cells(&mut self, text: &str, all: u32, breaks: u32, kinds: Kinds, found: &mut Found<'_>) {
        let shape = all & SHAPE;
        let (mut start, mut seen) = (0, shape);
        for (place, byte) in text.bytes().enumerate() {
            let class = CLASSES[usize::from(byte)];
            if class & breaks == 0 {
                seen |= class;
                continue;
            }
            self.one_cell(&text[start..place], seen, breaks, kinds, found);
            (start, seen) = (place + 1, shape);
        }
        self.one_cell(&text[start..], seen, breaks, kinds, found);
    }

    #[inline]
    fn one_cell(
        &mut self,
        cell: &str,
        seen: u32,
        breaks: u32,
        kinds: Kinds,
        found: &mut Found<'_>,
    ) {
        if cell.len() < SHORTEST_CELL || seen & (DIGIT | DOT) == 0 {
            return;
        }
        // What has no break in it was looked at as a smaller cell.
        if cell.len() <= LONGEST_CELL && (breaks == BREAK || seen & BREAK != 0) {
            self.cell(cell, seen, kinds, false, found);
        }
        if seen & BLANK != 0 && breaks == BREAK {
            self.words(cell, seen, kinds, found);
        }
    }

    fn words(&mut self, cell: &str, all: u32, kinds: Kinds, found: &mut Found<'_>) {
        let shape = all & SHAPE;
        let (mut start, mut seen) = (0, shape);
        for (place, byte) in cell.bytes().chain([b' ']).enumerate() {
            if byte != b' ' {
                seen |= CLASSES[usize::from(byte)];
                continue;
            }
            let word = &cell[start..place];
            if word.len() >= 4 && seen & (DIGIT | DOT) != 0 {
                if seen & TIED != 0 && kinds.has(Identifier::Iban) {
                    iban(&cell.as_bytes()[start..], found);
                }
                let odd = |c: char| c.is_ascii_punctuation();
                let word = word.trim_end_matches(odd).trim_start_matches(odd);
                if word.len() >= SHORTEST_CELL {
                    self.cell(word, seen, kinds, false, found);
                }
            }
            (start, seen) = (place + 1, shape);
        }
    }

    /// A text that may be an identifier as a whole; `value` where it is all there is.
    fn cell(&mut self, cell: &str, seen: u32, kinds: Kinds, value: bool, found: &mut Found<'_>) {
        let cell = cell.trim();
        if kinds.has(Identifier::Iban) && seen & TIED != 0 {
            iban(cell.as_bytes(), found);
        }
        let mut folded = std::mem::take(&mut self.folded);
        if kinds.any(Kinds::of(&VALUES)) {
            values(cell, seen, kinds, value, &mut folded, found);
        }
        if seen & FIVE != 0
            && kinds.any(Kinds::of(&NUMBERS))
            && seen & (DIGIT | LETTER | AT) == DIGIT | LETTER
            && cell.len() <= 64
        {
            folded.clear();
            normal::account(cell, &mut folded);
            if let Some(weight) = normal::account_weight(&folded) {
                for kind in NUMBERS.into_iter().filter(|kind| kinds.has(*kind)) {
                    found(kind, &folded, weight);
                }
            }
        }
        let both = DIGIT | LETTER;
        if value
            && kinds.has(Identifier::StreetAddress)
            && seen & both == both
            && seen & (BLANK | SIGN | BREAK) != 0
            && cell.len() <= LONGEST_CELL
        {
            folded.clear();
            fold_words(cell, &mut folded);
            if normal::is_street(&folded) {
                found(Identifier::StreetAddress, &folded, Weight::Certain);
            }
        }
        self.folded = folded;
    }

    fn addresses(&mut self, bytes: &[u8], found: &mut Found<'_>) {
        let mut address = std::mem::take(&mut self.folded);
        addresses(bytes, &mut |start, at, end| {
            if normal::address(&bytes[start..end], at - start, &mut address) {
                found(Identifier::Email, &address, Weight::Certain);
            }
        });
        self.folded = address;
    }

    /// Tokens of what the text holds in an encoding.
    fn encoded(&mut self, text: &str, seen: u32, kinds: Kinds, depth: u8, found: &mut Found<'_>) {
        let bytes = text.as_bytes();
        type Decoder = fn(&[u8], &mut Vec<u8>) -> bool;
        let decoders: [(u32, Decoder); 5] = [
            (BACKSLASH, decode::escapes),
            (PERCENT, decode::percent),
            (AMPERSAND, decode::entities),
            (EQUALS, decode::quoted),
            (COLON, decode::octets),
        ];
        for (sign, decode) in decoders {
            if seen & sign != 0 && self.left >= bytes.len() {
                self.decoded(kinds, depth, found, |into| decode(bytes, into));
            }
        }
        decode::runs(bytes, &mut |run, wrapped| {
            if self.left < run.len() {
                return;
            }
            self.decoded(kinds, depth, found, |into| decode::hex(run, into));
            self.decoded(kinds, depth, found, |into| decode::base64(run, into));
            // A slash or a hyphen may be the text's own.
            if !wrapped && memchr::memchr3(b'/', b'-', b'_', run).is_some() {
                for part in run
                    .split(|byte| b"/-_".contains(byte))
                    .filter(|part| part.len() >= decode::SHORTEST)
                {
                    self.decoded(kinds, depth, found, |into| decode::hex(part, into));
                    self.decoded(kinds, depth, found, |into| decode::base64(part, into));
                }
            }
        });
    }

    fn decoded(
        &mut self,
        kinds: Kinds,
        depth: u8,
        found: &mut Found<'_>,
        decode: impl FnOnce(&mut Vec<u8>) -> bool,
    ) {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        if decode(&mut buffer) {
            self.left = self.left.saturating_sub(buffer.len());
            self.scan_bytes(&buffer, kinds, depth, found);
        }
        self.spare.push(buffer);
    }

    fn scan_bytes(&mut self, bytes: &[u8], kinds: Kinds, depth: u8, found: &mut Found<'_>) {
        match std::str::from_utf8(bytes) {
            Ok(text) if memchr::memchr(0, bytes).is_none() => self.scan(text, kinds, depth, found),
            _ => {
                decode::strings(bytes, &mut |text| self.scan(text, kinds, depth, found));
                let mut buffer = self.spare.pop().unwrap_or_default();
                decode::utf16(bytes, &mut buffer, &mut |text| self.scan(text, kinds, depth, found));
                self.spare.push(buffer);
            }
        }
    }
}

/// The cell as a user name, secret or other value. A word that may be an ordinary one counts only where it is all there is.
fn values(
    cell: &str,
    seen: u32,
    kinds: Kinds,
    whole: bool,
    folded: &mut Vec<u8>,
    found: &mut Found<'_>,
) {
    // A secret has no blanks, a user name is no sentence.
    let kinds = match seen & BLANK {
        0 => kinds,
        _ if cell.len() > LONGEST_NAME => kinds.and(Kinds::of(&[Identifier::Other])),
        _ => kinds.and(Kinds::of(&[Identifier::Other, Identifier::Username])),
    };
    if !kinds.any(Kinds::of(&VALUES)) {
        return;
    }
    folded.clear();
    fold(cell, folded);
    for kind in VALUES.into_iter().filter(|kind| kinds.has(*kind)) {
        match normal::value(kind, folded) {
            Some(weight @ (Weight::Certain | Weight::Digits(_))) => found(kind, folded, weight),
            Some(Weight::Word) if whole => found(kind, folded, Weight::Word),
            _ => {}
        }
    }
}

/// A UUID, in which nothing else stands.
fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// An IBAN at the start of a text, in groups or in one.
fn iban(text: &[u8], found: &mut Found<'_>) {
    let text = match text.split_at_checked(4) {
        Some((word, rest)) if word.eq_ignore_ascii_case(b"iban") => rest.trim_ascii_start(),
        _ => text,
    };
    let [one, two, b'0'..=b'9', b'0'..=b'9', ..] = text else { return };
    let Some(length) = iban_length(&[one.to_ascii_uppercase(), two.to_ascii_uppercase()]) else {
        return;
    };
    let mut number = [0; LONGEST_IBAN];
    let (mut filled, mut gap) = (0, 0);
    for (place, byte) in text.iter().enumerate() {
        match byte {
            _ if byte.is_ascii_alphanumeric() && filled < length => {
                (number[filled], gap) = (byte.to_ascii_uppercase(), 0);
                filled += 1;
            }
            b' ' | b'-' | b'.' | 0xc2 | 0xa0 if filled < length && gap < 2 => gap += 1,
            _ if filled == length && !byte.is_ascii_alphanumeric() => break,
            _ if filled == length && text[place - 1].is_ascii_alphanumeric() => return,
            _ => break,
        }
    }
    if filled == length && is_iban(&number[..length]) {
        found(Identifier::Iban, &number[..length], Weight::Certain);
    }
}

/// An `@` that is none of an e-mail address. One piece with a dot behind its `@` is one, or as good as one.
fn has_lone_at(text: &[u8], one_piece: bool) -> bool {
    memchr::memchr_iter(b'@', text).any(|at| {
        let (before, after) = text.split_at(at);
        let usual = one_piece
            && !before.is_empty()
            && !after.get(1).is_some_and(u8::is_ascii_digit)
            && memchr::memchr(b'.', after).is_some();
        !usual && domain_end(text, at + 1).is_none()
    })
}

/// Ways to read where an address begins, the shortest first.
const WAYS: usize = 5;

/// Bytes of a local part, RFC 5321's and everything beyond ASCII.
fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte) || !byte.is_ascii()
}

fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-' || !byte.is_ascii()
}

/// Finds e-mail addresses: gives where each begins, where its `@` is and where it ends. Where an address begins is not
/// always plain (`to=a@b.de`, `'a@b.de'`): each way to read it is given.
pub(super) fn addresses(text: &[u8], found: &mut dyn FnMut(usize, usize, usize)) {
    for at in memchr::memchr_iter(b'@', text) {
        let Some(end) = domain_end(text, at + 1) else { continue };
        let local = text[..at].iter().rev().take(64).take_while(|byte| is_local(**byte)).count();
        // Dots, hyphens, underscores and plus signs are in the middle of real addresses; other signs seldom.
        let doubtful = |byte: u8| byte.is_ascii_punctuation() && !b"._-+".contains(&byte);
        let (mut start, mut ways) = (at, 0);
        while start > at - local && ways < WAYS {
            start -= 1;
            let begins = start == at - local || doubtful(text[start - 1]);
            if begins
                && (text[start].is_ascii_alphanumeric()
                    || !text[start].is_ascii()
                    || text[start] == b'_')
            {
                found(start, at, end);
                ways += 1;
            }
        }
    }
}

/// The end of a domain with a dot in it.
fn domain_end(text: &[u8], start: usize) -> Option<usize> {
    let length = text[start..].iter().take(253).take_while(|byte| is_domain(**byte)).count();
    let domain = &text[start..start + length];
    let trimmed = domain.iter().rposition(|byte| !b".-".contains(byte))? + 1;
    let dot = memchr::memrchr(b'.', &domain[..trimmed])?;
    (dot > 0 && trimmed - dot > 2).then_some(start + trimmed)
}
