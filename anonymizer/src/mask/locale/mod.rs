//! The words fakes are made of, per locale: names from the `fake` crate's lists, places and patterns from ours.
//!
//! A word is picked from a constant list by keyed bits; no random generator is involved, so that a fake depends on the
//! lists alone. Changing a list changes fakes and raises [`super::FUNCTION_SET`].

mod ar_sa;
mod cy_gb;
mod de_de;
mod en_gb;
mod en_us;
mod fa_ir;
mod fr_fr;
mod it_it;
mod ja_jp;
mod nl_nl;
mod pt_br;
mod pt_pt;
mod tr_tr;
mod zh_cn;
mod zh_tw;

use super::key::Draw;
use super::{Rejection, Request};
use crate::finding::Position;

/// A list of words.
pub(super) type Words = &'static [&'static str];

/// One locale.
pub(super) struct Locale {
    /// Language and territory, as in a rules file.
    pub(super) name: &'static str,
    /// Given names.
    pub(super) first_names: Words,
    /// Family names.
    pub(super) last_names: Words,
    /// How a full name is put together.
    pub(super) name_order: NameOrder,
    /// Towns.
    pub(super) cities: Words,
    /// What a street's name ends or begins with.
    pub(super) street_words: Words,
    /// Where the parts of a street address go: `{n}` number, `{w}` street word, `{s}` a name.
    pub(super) street: &'static str,
    /// Patterns of postal codes, for [`super::alphabet::push_pattern`].
    pub(super) postal_codes: Words,
    /// Countries in the locale's language.
    pub(super) countries: Words,
    /// Legal forms and the like.
    pub(super) company_words: Words,
    /// Where the parts of a company go: `{s}` a name, `{w}` a company word.
    pub(super) company: &'static str,
    /// Patterns of telephone numbers that are reserved for fiction, in international form.
    pub(super) phones: Words,
}

/// Every locale, in the order messages list them.
pub(super) static LOCALES: &[Locale] = &[
    en_us::LOCALE,
    en_gb::LOCALE,
    fr_fr::LOCALE,
    de_de::LOCALE,
    it_it::LOCALE,
    nl_nl::LOCALE,
    pt_br::LOCALE,
    pt_pt::LOCALE,
    tr_tr::LOCALE,
    cy_gb::LOCALE,
    ar_sa::LOCALE,
    fa_ir::LOCALE,
    ja_jp::LOCALE,
    zh_cn::LOCALE,
    zh_tw::LOCALE,
];

/// Country code 999 is assigned to nobody.
const UNASSIGNED_PHONES: Words = &["+999#########"];

/// How a full name is put together.
#[derive(Clone, Copy)]
pub(super) enum NameOrder {
    /// `Ada Lovelace`.
    GivenFirst,
    /// `王伟`, without a space.
    FamilyFirst,
    /// `佐藤 あかり`.
    FamilyFirstSpaced,
}

impl Request<'_> {
    /// The locale asked for.
    pub(super) fn words(&self) -> Result<&'static Locale, Rejection> {
        LOCALES.iter().find(|locale| locale.name == self.locale).ok_or_else(|| Rejection {
            at: self.locale_position(),
            message: format!("unknown locale `{}`", self.locale),
            cure: format!(
                "use one of {}",
                LOCALES.iter().map(|locale| locale.name).collect::<Vec<_>>().join(", ")
            ),
        })
    }

    fn locale_position(&self) -> Position {
        self.rule.locale.as_ref().map_or(self.rule.function.at, |locale| locale.at)
    }
}

/// A list with a choice of shorter words for what does not fit.
pub(super) struct Picker {
    words: Words,
    short: Vec<&'static str>,
    limit: usize,
}

impl Picker {
    /// All words, none longer than `limit` characters in the end; `None` where no word is short enough.
    ///
    /// A word that is too long is replaced by a short one, so that two columns with different limits agree wherever both
    /// can.
    pub(super) fn new(words: Words, limit: Option<usize>) -> Option<Self> {
        let limit = limit.unwrap_or(usize::MAX);
        let (short, long): (Vec<_>, Vec<_>) =
            words.iter().copied().partition(|word| word.chars().count() <= limit);
        let limit = if long.is_empty() { usize::MAX } else { limit };
        (!short.is_empty()).then_some(Self { words, short, limit })
    }

    /// The word for 64 keyed bits.
    pub(super) fn pick(&self, bits: u64) -> &'static str {
        let word = self.words[scale(bits, self.words.len())];
        if self.limit == usize::MAX || word.chars().count() <= self.limit {
            return word;
        }
        self.short[scale(bits.rotate_left(32), self.short.len())]
    }

    /// Characters of the longest word it picks.
    pub(super) fn longest(&self) -> usize {
        longest(self.short.iter().copied())
    }
}

/// Characters of the longest word.
pub(super) fn longest<'a>(words: impl IntoIterator<Item = &'a str>) -> usize {
    words.into_iter().map(|word| word.chars().count()).max().unwrap_or(0)
}

/// An index below `length`, by multiplication.
pub(super) fn scale(bits: u64, length: usize) -> usize {
    ((u128::from(bits) * length as u128) >> 64) as usize
}

/// House numbers of a [`Template`] are 1 to this.
const HOUSE_NUMBERS: u64 = 199;

/// A pattern with a name, a word and a house number in it.
pub(super) struct Template {
    parts: Vec<Part>,
    words: Words,
    names: Picker,
    longest: usize,
}

/// What a [`Template`] is put together from.
enum Part {
    Text(&'static str),
    Number,
    Word,
    Name,
}

/// The parts of a pattern, in their order.
fn parts(mut pattern: &'static str) -> Vec<Part> {
    let mut parts = Vec::new();
    while let Some((before, after)) = pattern.split_once('{') {
        parts.extend((!before.is_empty()).then_some(Part::Text(before)));
        parts.push(match after.as_bytes()[0] {
            b's' => Part::Name,
            b'w' => Part::Word,
            _ => Part::Number,
        });
        pattern = &after[2..];
    }
    parts.extend((!pattern.is_empty()).then_some(Part::Text(pattern)));
    parts
}

impl Template {
    /// `{n}` is a house number, `{w}` one of `words`, `{s}` one of `names`; all together no longer than `limit`, or `None`
    /// where no name is short enough.
    pub(super) fn new(
        pattern: &'static str,
        words: Words,
        names: Words,
        limit: Option<usize>,
    ) -> Option<Self> {
        let places = ["{n}", "{w}", "{s}"].map(|place| pattern.matches(place).count());
        let fixed = pattern.chars().count() - 3 * places.iter().sum::<usize>()
            + places[0] * HOUSE_NUMBERS.to_string().len()
            + places[1] * longest(words.iter().copied());
        let limit = match limit {
            Some(limit) => Some(limit.checked_sub(fixed)?),
            None => None,
        };
        let names = Picker::new(names, limit)?;
        let longest = fixed + names.longest();
        Some(Self { parts: parts(pattern), words, names, longest })
    }

    /// The longest text it writes, in characters.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Appends the text of a draw.
    pub(super) fn push(&self, draw: &Draw, into: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => into.push_str(text),
                Part::Name => into.push_str(self.names.pick(draw.word(0))),
                Part::Word => into.push_str(self.words[scale(draw.word(1), self.words.len())]),
                Part::Number => {
                    let number = 1 + draw.below(2, HOUSE_NUMBERS);
                    into.push_str(itoa::Buffer::new().format(number));
                }
            }
        }
    }
}
