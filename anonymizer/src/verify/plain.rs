//! The normal forms of originals in plain ASCII, which most are: what [`normal::original`] answers, in one pass over the
//! bytes and without allocation.
//!
//! It decides nothing of its own: what is not of the usual shape is left to [`normal::original`], and a property test holds
//! the two together.

use super::normal;
use crate::identifier::Identifier;

/// Longer originals are left to [`normal::original`].
const LONGEST: usize = 256;

/// A byte of a word in small letters; zero for what parts words.
static SMALL: [u8; 256] = table(b"");
/// A byte of a local part that begins nowhere but at its start, in small letters; zero for any other.
static LOCAL: [u8; 256] = table(b".-_+");
/// A byte of a domain in small letters; zero for any other.
static DOMAIN: [u8; 256] = table(b".-");

const fn table(besides: &[u8]) -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            table[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    let mut other = 0;
    while other < besides.len() {
        table[besides[other] as usize] = besides[other];
        other += 1;
    }
    table
}

/// Room for normal forms.
pub(super) struct Room {
    form: [u8; LONGEST + 1],
    pair: Vec<u8>,
    given: Vec<u8>,
}

impl Default for Room {
    fn default() -> Self {
        let room = || Vec::with_capacity(LONGEST);
        Self { form: [0; LONGEST + 1], pair: room(), given: room() }
    }
}

impl Room {
    /// Emits the normal forms of an original; answers false, and has emitted nothing, where that is not for it to do.
    pub(super) fn original(
        &mut self,
        kind: Identifier,
        text: &str,
        emit: &mut impl FnMut(Identifier, &[u8]),
    ) -> bool {
        let bytes = text.as_bytes();
        if bytes.len() > LONGEST || !bytes.is_ascii() {
            return false;
        }
        match kind {
            Identifier::Email => self.address(bytes, emit),
            Identifier::FullName => {
                self.full_name(bytes, emit);
                true
            }
            Identifier::StreetAddress => {
                let street = self.words(bytes);
                if normal::is_street(street) {
                    emit(kind, street);
                }
                true
            }
            _ => false,
        }
    }

    /// The same for [`normal::name`].
    pub(super) fn name(
        &mut self,
        first: &str,
        last: &str,
        emit: &mut impl FnMut(Identifier, &[u8]),
    ) -> bool {
        let is_plain = |text: &str| text.len() <= LONGEST && text.is_ascii();
        if !is_plain(first) || !is_plain(last) {
            return false;
        }
        let mut given = std::mem::take(&mut self.given);
        let mut pair = std::mem::take(&mut self.pair);
        given.clear();
        given.extend_from_slice(self.words(first.as_bytes()));
        let family = self.words(last.as_bytes());
        normal::name_pairs(normal::names(&given), normal::names(family), &mut pair, emit);
        (self.given, self.pair) = (given, pair);
        true
    }

    /// Nothing but one address as most are.
    fn address(&mut self, text: &[u8], emit: &mut impl FnMut(Identifier, &[u8])) -> bool {
        let Some(at) = memchr::memchr(b'@', text) else { return false };
        let (local, domain) = (&text[..at], &text[at + 1..]);
        let begins = local.first().is_some_and(|byte| byte.is_ascii_alphanumeric());
        let ends = domain.last().is_some_and(|byte| byte.is_ascii_alphanumeric());
        let dot = memchr::memrchr(b'.', domain).unwrap_or(0);
        if !begins || !ends || local.len() > 64 || domain.len() > 253 {
            return false;
        }
        if dot == 0 || domain.len() - dot <= 2 {
            return false;
        }
        let (own, rest) = self.form.split_at_mut(at);
        rest[0] = b'@';
        if !spell(local, &LOCAL, own) || !spell(domain, &DOMAIN, &mut rest[1..]) {
            return false;
        }
        if !normal::is_role(own) {
            emit(Identifier::Email, &self.form[..text.len()]);
        }
        true
    }

    fn full_name(&mut self, text: &[u8], emit: &mut impl FnMut(Identifier, &[u8])) {
        let mut pair = std::mem::take(&mut self.pair);
        let words = self.words(text).split(|byte| *byte == b' ');
        let mut words = words.filter(|word| normal::is_name(word));
        // In ASCII there is no name of one word.
        if let (Some(first), Some(mut last)) = (words.next(), words.next()) {
            let mut before = None;
            for word in words {
                (before, last) = (Some(last), word);
            }
            for one in [Some(first), before].into_iter().flatten() {
                if normal::pair(one, last, &mut pair) {
                    emit(Identifier::FullName, &pair);
                }
            }
        }
        self.pair = pair;
    }

    /// Small letters and digits, with one space for what parts them.
    fn words(&mut self, text: &[u8]) -> &[u8] {
        let (mut length, mut last) = (0, 0);
        for byte in text {
            let small = SMALL[usize::from(*byte)];
            self.form[length] = if small == 0 { b' ' } else { small };
            length += usize::from(small | last != 0);
            last = small;
        }
        // What parts the last word from nothing.
        if last == 0 {
            length = length.saturating_sub(1);
        }
        &self.form[..length]
    }
}

/// Writes a text by a table; false where it holds a byte that the table does not.
fn spell(text: &[u8], table: &[u8; 256], into: &mut [u8]) -> bool {
    let mut all = true;
    for (byte, to) in text.iter().zip(into) {
        *to = table[usize::from(*byte)];
        all &= *to != 0;
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KINDS: [Identifier; 3] =
        [Identifier::Email, Identifier::FullName, Identifier::StreetAddress];

    type Forms = Vec<(Identifier, Vec<u8>)>;

    fn plainly(kind: Identifier, text: &str) -> Option<Forms> {
        let mut forms = Vec::new();
        let done = Room::default()
            .original(kind, text, &mut |kind, form| forms.push((kind, form.to_vec())));
        assert!(done || forms.is_empty());
        done.then_some(forms)
    }

    fn expected(kind: Identifier, text: &str) -> Forms {
        let mut forms = Vec::new();
        normal::original(kind, text, &mut |kind, form| forms.push((kind, form.to_vec())));
        forms
    }

    fn agrees_on_a_name(first: &str, last: &str) {
        let (mut plainly, mut expected) = (Vec::new(), Vec::new());
        let done = Room::default()
            .name(first, last, &mut |kind, form| plainly.push((kind, form.to_vec())));
        normal::name(first, last, &mut |kind, form| expected.push((kind, form.to_vec())));
        assert_eq!(done, first.is_ascii() && last.is_ascii(), "{first:?} {last:?}");
        assert!(plainly == expected || !done, "{first:?} {last:?}");
    }

    fn agrees(text: &str) {
        for kind in KINDS {
            if let Some(forms) = plainly(kind, text) {
                assert_eq!(forms, expected(kind, text), "{} {text:?}", kind.name());
            }
        }
    }

    #[test]
    fn the_usual_shapes_are_not_left_to_others() {
        for (kind, text) in [
            (Identifier::Email, "Marie.Dupont+x@mail-3.Shop.FR"),
            (Identifier::Email, "noreply@shop.fr"),
            (Identifier::FullName, "Dr. Marie de la Tour"),
            (Identifier::StreetAddress, "12, Rue de l'Eglise"),
        ] {
            assert_eq!(plainly(kind, text), Some(expected(kind, text)), "{text}");
        }
    }

    #[test]
    fn long_and_odd_texts_agree() {
        for length in [0, 1, 62, 63, 64, 65, 66, 240, 255, 256, 257, 300] {
            agrees(&format!("{}@b.fr", "a".repeat(length)));
            agrees(&format!("a@{}.fr", "b".repeat(length)));
            agrees(&format!("{}1 road", " ".repeat(length)));
            agrees(&format!("long road 1{}", ".".repeat(length)));
            agrees(&"ab1 ".repeat(length));
        }
        for byte in 0..=127 {
            let odd = char::from(byte);
            for text in
                ["x@b.fr", "@", "x@", "@b.fr", "x@b.fr", "x@b.f", "x@.fr", "x y", " 1 abc defg "]
            {
                for at in 0..=text.len() {
                    let (one, other) = text.split_at(at);
                    agrees(&format!("{one}{odd}{other}"));
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..Default::default() })]
        #[test]
        fn every_text_has_the_same_forms(
            any in "\\PC{0,30}",
            ascii in "[ -~]{0,30}",
            address in "[a-zA-Z0-9._+' -]{0,8}@[a-zA-Z0-9.-]{0,8}(\\.[a-z]{0,3}){0,2}[ .@]{0,2}",
            name in "(Dr|Mr|the|Ann|Ann|O'Hara|[A-Z][a-z]{0,6}|[0-9 ])([ ,.-]{1,2}[A-Za-z]{0,7}){0,4}",
            street in "[0-9]{0,3}[ ,]{0,2}[A-Z][a-z]{0,6}[ ,.]{1,2}[a-z]{0,6}[0-9]{0,2}[ .]{0,2}",
        ) {
            for (first, last) in [(&name, &name), (&name, &any), (&ascii, &name), (&any, &ascii)] {
                agrees_on_a_name(first, last);
            }
            for text in [any, ascii, address, name, street] {
                agrees(&text);
            }
        }
    }
}
