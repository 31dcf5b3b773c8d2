//! The form in which identifiers are compared: what remains of a value when its spelling no longer matters.
//!
//! [`original`] runs while masking, on every original of an identifying column; the gate brings what it reads into the same
//! forms. Not every original is looked for. One that is short or common is in many places by chance, and a gate that cries
//! wolf is switched off; one that is skipped may leak. This is the rule:
//!
//! | kind | form | looked for |
//! |---|---|---|
//! | `email` | small letters; every address in the value | an address with a dot in its domain, unless its local part is a role that nobody is (`noreply`, `test`, `postmaster`, …) |
//! | `phone` | international and national form, see [`super::phone`] | national numbers of 8 to 13 digits that are no filler (`0000000000`, `0123456789`) |
//! | `iban`, `card` | letters and digits alone, capitals | with right check digits; others as `national_id` |
//! | `national_id` | letters and digits alone, capitals | 8 characters or more, 5 of them digits, no filler |
//! | `username`, `secret`, `other` | folded ([`super::fold`]) | see [`value`]: 4 characters or more (`secret`: 8), none of the words people write for nothing (`n/a`, `none`, `test`, …) |
//! | `full_name` | two folded words in the order of the alphabet: the first and the last, and the last two; of two columns see [`name`] | two words or more of two letters or more, titles and initials left out; one word of three characters or more in a script without blanks |
//! | `street_address` | folded words, punctuation left out | 8 characters or more with a digit and a letter |
//!
//! A username, secret or other value that is an e-mail address, card or IBAN is looked for as that too, because it may stand
//! in a sentence. How much one hit says is a [`Weight`].

use super::fold::{fold, fold_words};
use super::number::{is_card, is_filler, is_iban};
use super::{phone, token};
use crate::identifier::Identifier;

/// How much it says that a form of this shape is an original's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// One hit is a leak.
    Certain,
    /// A number of so many digits: as many hits as chance explains are none.
    Digits(u32),
    /// A word that means something else too: only many different ones in one place are a leak.
    Word,
}

/// Emits the normal forms of an original of that kind; none where the value is too short or too common to tell anybody.
pub fn original(kind: Identifier, text: &str, emit: &mut dyn FnMut(Identifier, &[u8])) {
    match kind {
        Identifier::Email => addresses(text, emit),
        Identifier::Phone => {
            phone::original(text, &mut |form| emit(Identifier::Phone, form.as_bytes()));
        }
        Identifier::Iban | Identifier::Card | Identifier::NationalId => {
            if !proven(text, emit) {
                account_number(kind, text, emit);
            }
        }
        Identifier::Username | Identifier::Secret | Identifier::Other => {
            if whole_address(text) {
                addresses(text, emit);
            }
            proven(text, emit);
            let mut folded = Vec::with_capacity(text.len());
            fold(text, &mut folded);
            if value(kind, &folded).is_some() {
                emit(kind, &folded);
            }
        }
        Identifier::FullName => full_name(text, emit),
        Identifier::StreetAddress => {
            let mut folded = Vec::with_capacity(text.len());
            fold_words(text, &mut folded);
            if is_street(&folded) {
                emit(kind, &folded);
            }
        }
    }
}

fn addresses(text: &str, emit: &mut dyn FnMut(Identifier, &[u8])) {
    let mut normal = Vec::new();
    token::addresses(text.as_bytes(), &mut |local, at, end| {
        if address(&text.as_bytes()[local..end], at - local, &mut normal) {
            emit(Identifier::Email, &normal);
        }
    });
}

/// Nothing but one address.
fn whole_address(text: &str) -> bool {
    let text = text.trim();
    text.contains('@') && !text.contains(|c: char| c.is_whitespace() || ",;<>\"".contains(c))
}

/// Puts an address into its normal form. False where it is not looked for.
pub(super) fn address(bytes: &[u8], at: usize, into: &mut Vec<u8>) -> bool {
    into.clear();
    if bytes.is_ascii() {
        into.extend(bytes.iter().map(u8::to_ascii_lowercase));
    } else {
        fold(&String::from_utf8_lossy(bytes), into);
    }
    let at = memchr::memchr(b'@', into).unwrap_or(at);
    at > 0 && !is_role(&into[..at])
}

/// A local part in small letters behind which there is nobody.
pub(super) fn is_role(local: &[u8]) -> bool {
    local.len() <= LONGEST_ROLE && ROLES.contains(&local)
}

/// Most local parts are longer.
const LONGEST_ROLE: usize = 13;

const ROLES: &[&[u8]] = &[
    b"noreply",
    b"no-reply",
    b"no_reply",
    b"donotreply",
    b"do-not-reply",
    b"nobody",
    b"none",
    b"null",
    b"test",
    b"example",
    b"unknown",
    b"anonymous",
    b"mailer-daemon",
    b"postmaster",
    b"abuse",
    b"webmaster",
    b"root",
    b"user",
    b"username",
    b"email",
    b"name",
    b"na",
    b"n/a",
    b"x",
    b"xx",
    b"xxx",
    b"a",
    b"b",
];

/// Emits a card number or an IBAN that proves itself by its check digits.
fn proven(text: &str, emit: &mut dyn FnMut(Identifier, &[u8])) -> bool {
    let mut number = Vec::with_capacity(text.len());
    account(text, &mut number);
    let kind = if is_iban(&number) {
        Identifier::Iban
    } else if number.iter().all(u8::is_ascii_digit) && is_card(&number) {
        Identifier::Card
    } else {
        return false;
    };
    emit(kind, &number);
    true
}

fn account_number(kind: Identifier, text: &str, emit: &mut dyn FnMut(Identifier, &[u8])) {
    let mut number = Vec::with_capacity(text.len());
    account(text, &mut number);
    if account_weight(&number).is_some() {
        emit(kind, &number);
    }
}

/// Letters and digits alone, in capitals.
pub(super) fn account(text: &str, into: &mut Vec<u8>) {
    into.extend(text.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_uppercase()));
}

/// Whether a number of an account or a person is looked for, and what a hit says.
pub(super) fn account_weight(number: &[u8]) -> Option<Weight> {
    let digits = number.iter().filter(|byte| byte.is_ascii_digit()).count();
    if !(8..=40).contains(&number.len()) || digits < 5 {
        return None;
    }
    match digits == number.len() {
        true if is_filler(number) => None,
        true if digits <= 12 => Some(Weight::Digits(digits as u32)),
        _ => Some(Weight::Certain),
    }
}

/// Whether a folded user name, secret or other value is looked for, and what a hit says.
///
/// * Fewer than 4 characters (8 of a secret), fewer than 4 letters and digits, or a word that people write for nothing: not
///   looked for. Digits alone: 8 at least.
/// * Letters with digits, 8 characters or more; two words of letters joined by a dot; or several words, 12 characters or
///   more: one hit is a leak.
/// * Everything else (`marie`, `mp3`, `on_hold`) may be an ordinary word.
pub(super) fn value(kind: Identifier, folded: &[u8]) -> Option<Weight> {
    let secret = kind == Identifier::Secret;
    let (mut digits, mut letters, mut blanks, mut dots) = (0, 0, 0, 0);
    for byte in folded {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'a'..=b'z' | 0x80.. => letters += 1,
            b' ' => blanks += 1,
            b'.' => dots += 1,
            _ => {}
        }
    }
    let short = if secret { 8 } else { 4 };
    if folded.len() < short || digits + letters < 4 || is_nothing(folded) {
        return None;
    }
    if letters == 0 {
        let mut alone = [0; 32];
        let mut length = 0;
        for byte in folded.iter().filter(|byte| byte.is_ascii_digit()).take(alone.len()) {
            (alone[length], length) = (*byte, length + 1);
        }
        return match digits {
            ..8 => None,
            _ if is_filler(&alone[..length]) => None,
            8..=12 => Some(Weight::Digits(digits)),
            _ => Some(Weight::Certain),
        };
    }
    let telling = match blanks {
        0 => folded.len() >= 8 && (digits > 0 || (dots > 0 && joined(folded))),
        _ => folded.len() >= 12,
    };
    Some(if telling { Weight::Certain } else { Weight::Word })
}

/// `first.last`: letters on both sides of every dot.
fn joined(folded: &[u8]) -> bool {
    folded.split(|byte| *byte == b'.').all(|part| part.len() >= 2)
}

fn is_nothing(folded: &[u8]) -> bool {
    // Most are told apart by length and first letter; a call for each to compare them would cost more than the rest.
    let same = |word: &&&[u8]| word.len() == folded.len() && word[0] == folded[0];
    folded.len() <= LONGEST_NOTHING && NOTHING.iter().filter(same).any(|word| *word == folded)
}

const LONGEST_NOTHING: usize = 14;

/// What people write where there is nothing to write.
const NOTHING: &[&[u8]] = &[
    b"none",
    b"null",
    b"n.a.",
    b"n/a.",
    b"unknown",
    b"anonymous",
    b"anonymized",
    b"test",
    b"tester",
    b"test123",
    b"testtest",
    b"admin",
    b"administrator",
    b"root",
    b"guest",
    b"user",
    b"username",
    b"demo",
    b"example",
    b"default",
    b"undefined",
    b"not available",
    b"not applicable",
    b"not provided",
    b"password",
    b"password1",
    b"password123",
    b"changeme",
    b"secret",
    b"system",
    b"postgres",
    b"nobody",
    b"true",
    b"false",
    b"deleted",
    b"redacted",
    b"keine angabe",
    b"non renseigne",
];

/// Whether a folded street address is looked for.
pub(super) fn is_street(folded: &[u8]) -> bool {
    folded.len() >= 8
        && folded.iter().any(u8::is_ascii_digit)
        && folded.iter().filter(|byte| byte.is_ascii_lowercase() || !byte.is_ascii()).count() >= 3
}

fn full_name(text: &str, emit: &mut dyn FnMut(Identifier, &[u8])) {
    let mut folded = Vec::with_capacity(text.len());
    fold_words(text, &mut folded);
    let words: Vec<&[u8]> =
        folded.split(|byte| *byte == b' ').filter(|word| is_name(word)).collect();
    match *words {
        [whole] if is_whole_name(whole) => emit(Identifier::FullName, whole),
        [first, last] => emit_pair(first, last, emit),
        [first, .., before, last] => {
            emit_pair(first, last, emit);
            emit_pair(before, last, emit);
        }
        _ => {}
    }
}

/// Emits the forms of a name whose parts are in two columns.
pub fn name(first: &str, last: &str, emit: &mut dyn FnMut(Identifier, &[u8])) {
    let folded = |text: &str| {
        let mut folded = Vec::with_capacity(text.len());
        fold_words(text, &mut folded);
        folded
    };
    let (first, last) = (folded(first), folded(last));
    // Where no blank parts the names the family name comes first.
    let whole = [last.as_slice(), first.as_slice()].concat();
    if is_whole_name(&whole) {
        emit(Identifier::FullName, &whole);
    }
    name_pairs(names(&first), names(&last), &mut Vec::new(), emit);
}

/// The words of a folded text that can be part of a name.
pub(super) fn names(folded: &[u8]) -> impl Iterator<Item = &[u8]> {
    folded.split(|byte| *byte == b' ').filter(|word| is_name(word))
}

/// Emits which two words of a given and of a family name may stand next to each other: the first with the first, the last
/// given with the first family name, the first given with the last family name.
pub(super) fn name_pairs<'a>(
    mut given: impl Iterator<Item = &'a [u8]>,
    mut family: impl Iterator<Item = &'a [u8]>,
    form: &mut Vec<u8>,
    emit: &mut dyn FnMut(Identifier, &[u8]),
) {
    let (Some(first), Some(name)) = (given.next(), family.next()) else { return };
    let others = [given.last().map(|last| (last, name)), family.last().map(|last| (first, last))];
    for (one, other) in std::iter::once((first, name)).chain(others.into_iter().flatten()) {
        if pair(one, other, form) {
            emit(Identifier::FullName, form);
        }
    }
}

fn emit_pair(one: &[u8], other: &[u8], emit: &mut dyn FnMut(Identifier, &[u8])) {
    let mut normal = Vec::with_capacity(one.len() + other.len() + 1);
    if pair(one, other, &mut normal) {
        emit(Identifier::FullName, &normal);
    }
}

/// Two folded words in the order of the alphabet: either order of names meets. False for a word twice.
pub(super) fn pair(one: &[u8], other: &[u8], into: &mut Vec<u8>) -> bool {
    into.clear();
    let (first, last) = if one <= other { (one, other) } else { (other, one) };
    into.extend_from_slice(first);
    into.push(b' ');
    into.extend_from_slice(last);
    first != last && into.len() >= 6
}

/// A folded word that can be part of a name: two letters at least, no digit, no title, none of the words that stand
/// between the words of every text.
pub(super) fn is_name(word: &[u8]) -> bool {
    let wide = word.first().is_some_and(|byte| !byte.is_ascii());
    (word.len() >= 2 || wide)
        && !word.iter().any(u8::is_ascii_digit)
        && (word.len() > 4 || IGNORED_BITS.binary_search(&packed(word)).is_err())
}

/// A folded word in a script that puts no blank between the names: three characters or more of Chinese, Japanese, Korean.
pub(super) fn is_whole_name(word: &[u8]) -> bool {
    (9..=36).contains(&word.len())
        && word.iter().step_by(3).all(|byte| matches!(byte, 0xe1 | 0xe3..=0xed))
}

/// A word of four bytes at most as a number.
const fn packed(word: &[u8]) -> u32 {
    let (mut number, mut at) = (0, 0);
    while at < word.len() {
        number = number << 8 | word[at] as u32;
        at += 1;
    }
    number
}

/// [`IGNORED`] as numbers, in order.
static IGNORED_BITS: [u32; IGNORED.len()] = sorted();

const fn sorted() -> [u32; IGNORED.len()] {
    let mut numbers = [0; IGNORED.len()];
    let mut filled = 0;
    while filled < numbers.len() {
        let number = packed(IGNORED[filled]);
        let mut at = filled;
        while at > 0 && numbers[at - 1] > number {
            numbers[at] = numbers[at - 1];
            at -= 1;
        }
        numbers[at] = number;
        filled += 1;
    }
    numbers
}

/// Titles, and words of texts. Names that are such words (`An`, `Do`, `Will`) are not looked for.
const IGNORED: &[&[u8]] = &[
    b"mr", b"mrs", b"ms", b"miss", b"dr", b"prof", b"sir", b"mme", b"mlle", b"herr", b"frau",
    b"jr", b"sr", b"ii", b"iii", b"the", b"a", b"an", b"and", b"or", b"of", b"to", b"in", b"on",
    b"at", b"is", b"it", b"as", b"by", b"be", b"we", b"he", b"she", b"you", b"they", b"for",
    b"with", b"from", b"this", b"that", b"was", b"are", b"has", b"had", b"have", b"not", b"no",
    b"yes", b"do", b"so", b"if", b"but", b"my", b"our", b"your", b"his", b"her", b"its", b"will",
    b"can", b"may", b"all", b"le", b"la", b"les", b"un", b"une", b"et", b"du", b"des", b"de",
    b"au", b"aux", b"en", b"est", b"der", b"die", b"das", b"und", b"ein", b"eine", b"von", b"vom",
    b"van", b"den", b"dem", b"im", b"zu", b"el", b"los", b"las", b"y", b"da", b"dos", b"di",
    b"del", b"il", b"per", b"bin", b"ibn", b"al",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(kind: Identifier, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        original(kind, text, &mut |kind, normal| {
            found.push(format!("{} {}", kind.name(), String::from_utf8_lossy(normal)));
        });
        found
    }

    #[test]
    fn each_kind_has_its_form() {
        use Identifier::*;
        for (kind, text, expected) in [
            (Email, " Marie.Dupont@Shop.FR ", "email marie.dupont@shop.fr"),
            (Email, "Marie <m.d@shop.fr>, j@b.de", "email m.d@shop.fr|email j@b.de"),
            (Phone, "06 12 34 56 78", "phone 0612345678"),
            (Iban, "fr14 2004 1010 0505 0001 3M02 606", "iban FR1420041010050500013M02606"),
            (Iban, "12-34-56 12345679", "iban 12345612345679"),
            (Card, "4111 1111 1111 1111", "card 4111111111111111"),
            (NationalId, "1 85 05 78 006 084 36", "national_id 185057800608436"),
            (Username, "Marie_D42", "username marie_d42"),
            (Username, "m.d@shop.fr", "email m.d@shop.fr|username m.d@shop.fr"),
            (Secret, "sk_live_aB3dE", "secret sk_live_ab3de"),
            (Other, "4111-1111-1111-1111", "card 4111111111111111|other 4111-1111-1111-1111"),
            (FullName, "Dr. Jürgen MÜLLER", "full_name jurgen muller"),
            (FullName, "Müller, Jürgen", "full_name jurgen muller"),
            (FullName, "Jean Pierre de la Tour", "full_name jean tour|full_name pierre tour"),
            (StreetAddress, "12, Rue de l'Église", "street_address 12 rue de l eglise"),
        ] {
            assert_eq!(forms(kind, text).join("|"), expected, "{text}");
        }
    }

    #[test]
    fn names_of_two_columns_are_pairs_of_their_words() {
        for (first, last, expected) in [
            ("Maria", "Gonzalez", "gonzalez maria"),
            ("María del Carmen", "GONZÁLEZ López", "gonzalez maria|carmen gonzalez|lopez maria"),
            ("Dr. Jürgen", "von der Müller-Straße", "jurgen muller|jurgen strasse"),
            ("J.", "Smith", ""),
            ("Ada", "", ""),
            ("Kim", "Kim", ""),
            ("太郎", "山田", "山田太郎|太郎 山田"),
        ] {
            let mut forms = Vec::new();
            name(first, last, &mut |_, form| {
                forms.push(String::from_utf8_lossy(form).into_owned())
            });
            assert_eq!(forms.join("|"), expected, "{first} {last}");
        }
    }

    #[test]
    fn what_is_short_or_common_is_not_looked_for() {
        use Identifier::*;
        for (kind, text) in [
            (Email, "noreply@shop.fr"),
            (Email, "root@localhost"),
            (Email, "n/a"),
            (Phone, "0000000000"),
            (Card, "0000 0000"),
            (NationalId, "none given"),
            (Username, "bob"),
            (Username, "Admin"),
            (Username, "1234567"),
            (Secret, "********"),
            (Secret, "short1"),
            (Other, "N/A"),
            (FullName, "Madonna"),
            (FullName, "Dr. X"),
            (StreetAddress, "Main Street"),
        ] {
            assert_eq!(forms(kind, text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn lists_of_words_are_looked_up_as_they_are_written() {
        assert!(IGNORED.iter().all(|word| word.len() <= 4 && !is_name(word)));
        assert!(is_name(b"anna") && is_name(b"li") && is_name(b"thee"));
        assert!(NOTHING.iter().all(|word| word.len() <= LONGEST_NOTHING && is_nothing(word)));
        assert!(!is_nothing(b"nonesuch") && !is_nothing(b""));
    }

    #[test]
    fn an_ordinary_word_says_less_than_a_made_up_one() {
        for (text, weight) in [
            ("orange", Weight::Word),
            ("on_hold", Weight::Word),
            ("in-progress", Weight::Word),
            ("marie.dupont", Weight::Certain),
            ("jdoe2042", Weight::Certain),
            ("12345679", Weight::Digits(8)),
        ] {
            assert_eq!(value(Identifier::Username, text.as_bytes()), Some(weight), "{text}");
        }
    }
}
