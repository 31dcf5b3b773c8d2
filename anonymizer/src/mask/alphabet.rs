//! Writing keyed bits as characters: base 32, hex, digits, patterns and transliterated names.

use super::key::Draw;

/// Digits and lower-case letters without i, l, o and u, which are misread or spell things.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Characters of [`push_token`]: 65 bits.
pub(super) const TOKEN_LENGTH: usize = 13;

/// Appends 65 bits of the words 2 and 3 in base 32: enough to be unique by construction. The lowest 63 bits of the draw
/// are left for other choices.
pub(super) fn push_token(draw: &Draw, into: &mut String) {
    let mut bits = draw.wide(2) >> 63;
    let mut token = [0; TOKEN_LENGTH];
    for character in token.iter_mut().rev() {
        *character = BASE32[(bits & 31) as usize];
        bits >>= 5;
    }
    into.push_str(std::str::from_utf8(&token).expect("base 32 is ASCII"));
}

/// Choices made from 64 bits at a time, which are divided faster than 128; 36^12 is just below 2^64.
const PER_CHUNK: u32 = 12;

/// Keyed bits, and what of them is left for choices.
struct Choices {
    bits: u128,
    chunk: u64,
    left: u32,
}

impl Choices {
    // Inlined, so that each radix is a constant: divisions by one are multiplications.
    #[inline(always)]
    fn next(&mut self, radix: u64) -> u32 {
        if self.left == 0 {
            let size = 36_u128.pow(PER_CHUNK);
            let others = self.bits / size;
            (self.chunk, self.left) = ((self.bits - others * size) as u64, PER_CHUNK);
            self.bits = others;
        }
        let choice = (self.chunk % radix) as u32;
        self.chunk /= radix;
        self.left -= 1;
        choice
    }
}

/// Appends a pattern: `#` is a digit, `%` a digit other than 0, `@` a capital letter, `$` a digit or a capital letter,
/// anything else is itself.
pub(super) fn push_pattern(pattern: &str, bits: u128, into: &mut String) {
    let mut choices = Choices { bits, chunk: 0, left: 0 };
    for character in pattern.chars() {
        into.push(match character {
            '#' => digit(choices.next(10)),
            '%' => digit(1 + choices.next(9)),
            '@' => letter(choices.next(26)),
            '$' => match choices.next(36) {
                number @ 0..10 => digit(number),
                number => letter(number - 10),
            },
            itself => itself,
        });
    }
}

fn digit(number: u32) -> char {
    char::from_digit(number, 10).expect("a digit is below ten")
}

fn letter(number: u32) -> char {
    char::from(b'A' + number as u8)
}

/// Appends bytes in lower-case hex.
pub(super) fn push_hex(bytes: &[u8], into: &mut String) {
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            into.push(char::from_digit(u32::from(nibble), 16).expect("a nibble is below sixteen"));
        }
    }
}

/// A name in `[a-z0-9]`, for addresses and identifiers; `user` where nothing is left of it.
pub(super) fn plain_name(name: &str) -> Box<str> {
    use deunicode::AsciiChars as _;
    let plain: String = name
        .ascii_chars()
        .flatten()
        .flat_map(str::chars)
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    if plain.is_empty() { "user".into() } else { plain.into() }
}
