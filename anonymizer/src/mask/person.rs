//! People's names. All draw from one tag, so that names, e-mail address and user name of the same seed belong together.

use super::alphabet::plain_name;
use super::key::Draw;
use super::locale::{Locale, NameOrder, Picker};
use super::parameter::{IGNORE_CASE, MAX_LENGTH};
use super::source::{Source, Written};
use super::{Class, Function, Prepared, Rejection, Request};
use crate::catalog::Kind;
use crate::identifier::Identifier;

/// The tag that functions about a person share: word 0 is the given name, word 1 the family name, words 2 and 3 are a token.
pub(super) const TAG: &str = "person";

const SPACE: &str = "the locale's list; see `locale`";

/// `first_name`.
pub(super) static FIRST_NAME: Function = Function {
    name: "first_name",
    class: Class::Pseudonymization,
    summary: "a given name of the locale",
    fits: "text",
    accepts: |kind| matches!(kind, Kind::Text { .. }),
    parameters: &[MAX_LENGTH, IGNORE_CASE],
    keyed: true,
    localized: true,
    identifies: None,
    uniqueness: "never unique",
    normalisation: "none, unless `ignore_case`",
    longest: "the locale's longest given name, or `max_length`",
    space: SPACE,
    prepare: |request| one_name(request, request.words()?.first_names, 0),
};

/// `last_name`.
pub(super) static LAST_NAME: Function = Function {
    name: "last_name",
    class: Class::Pseudonymization,
    summary: "a family name of the locale",
    fits: "text",
    accepts: |kind| matches!(kind, Kind::Text { .. }),
    parameters: &[MAX_LENGTH, IGNORE_CASE],
    keyed: true,
    localized: true,
    identifies: None,
    uniqueness: "never unique",
    normalisation: "none, unless `ignore_case`",
    longest: "the locale's longest family name, or `max_length`",
    space: SPACE,
    prepare: |request| one_name(request, request.words()?.last_names, 1),
};

/// `full_name`.
pub(super) static FULL_NAME: Function = Function {
    name: "full_name",
    class: Class::Pseudonymization,
    summary: "`first_name` and `last_name` of the same seed, in the locale's order",
    fits: "text",
    accepts: |kind| matches!(kind, Kind::Text { .. }),
    parameters: &[MAX_LENGTH, IGNORE_CASE],
    keyed: true,
    localized: true,
    identifies: Some(Identifier::FullName),
    uniqueness: "never unique",
    normalisation: "none, unless `ignore_case`",
    longest: "the locale's longest names together, or `max_length`: given names then become initials where needed",
    space: "the locale's given names times its family names",
    prepare: full_name,
};

fn one_name(
    request: &Request<'_>,
    words: &'static [&'static str],
    word: usize,
) -> Result<Prepared, Rejection> {
    let names = request.picker(words)?;
    let longest = names.longest();
    let write = move |draw: &Draw, into: &mut String| into.push_str(names.pick(draw.word(word)));
    Ok(Prepared::new(Written::new(Source::new(request, TAG), write)).longest(longest))
}

fn full_name(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let locale = request.words()?;
    let limit = request.max_length()?;
    let first = Picker::new(locale.first_names, None).expect("a locale has given names");
    let last = request.picker(locale.last_names)?;
    let order = locale.name_order;
    let longest = first.longest() + last.longest() + order.space().len();
    let limit = limit.unwrap_or(longest);
    let write = move |draw: &Draw, into: &mut String| {
        let (first, last) = (first.pick(draw.word(0)), last.pick(draw.word(1)));
        order.join(first, last, limit, into);
    };
    Ok(Prepared::new(Written::new(Source::new(request, TAG), write)).longest(longest.min(limit)))
}

impl NameOrder {
    fn space(self) -> &'static str {
        match self {
            NameOrder::FamilyFirst => "",
            _ => " ",
        }
    }

    /// Both names; an initial where they are too long; the family name alone where even that is.
    fn join(self, first: &str, last: &str, limit: usize, into: &mut String) {
        let space = self.space();
        let left = limit.saturating_sub(last.chars().count() + space.len());
        let initial = match first.chars().next() {
            _ if first.chars().count() <= left => None,
            Some(letter) if left >= 2 && matches!(self, NameOrder::GivenFirst) => Some(letter),
            _ => return into.push_str(last),
        };
        match (self, initial) {
            (_, Some(letter)) => {
                into.push(letter);
                into.push('.');
            }
            (NameOrder::GivenFirst, None) => into.push_str(first),
            (_, None) => into.push_str(last),
        }
        into.push_str(space);
        into.push_str(match self {
            NameOrder::GivenFirst => last,
            _ => first,
        });
    }
}

/// `first.last` in plain letters, for addresses and identifiers.
pub(super) struct PlainNames {
    first: Vec<Box<str>>,
    last: Vec<Box<str>>,
    limit: usize,
}

impl PlainNames {
    /// The names of a locale, never longer than `limit` together.
    pub(super) fn new(locale: &Locale, limit: usize) -> Self {
        let plain = |names: &[&str]| names.iter().map(|name| plain_name(name)).collect();
        Self { first: plain(locale.first_names), last: plain(locale.last_names), limit }
    }

    /// Appends the names of a draw.
    pub(super) fn push(&self, draw: &Draw, into: &mut String) {
        let start = into.len();
        into.push_str(&self.first[draw.below(0, self.first.len() as u64) as usize]);
        into.push('.');
        into.push_str(&self.last[draw.below(1, self.last.len() as u64) as usize]);
        into.truncate(start + self.limit);
        if into.ends_with('.') {
            into.pop();
        }
    }
}

impl Request<'_> {
    /// A choice from words under `max_length`.
    pub(super) fn picker(&self, words: &'static [&'static str]) -> Result<Picker, Rejection> {
        Picker::new(words, self.max_length()?).ok_or_else(|| {
            self.reject(
                MAX_LENGTH.name,
                format!("no word of locale {} is that short", self.locale),
                "give a larger `max_length`",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::mask::fixture::{Case, text};
    use crate::mask::locale::LOCALES;
    use crate::value::Value;

    #[test]
    fn names_of_one_seed_belong_together() {
        for locale in LOCALES {
            for seed in 0..50 {
                let fake = |name: &str| {
                    let case = Case::new(name, text()).locale(locale.name);
                    case.mask_seeded(Value::Text("whatever".into()), Value::Int(seed))
                };
                let (first, last, full) =
                    (fake("first_name"), fake("last_name"), fake("full_name"));
                let orders = [
                    format!("{first} {last}"),
                    format!("{last} {first}"),
                    format!("{last}{first}"),
                ];
                assert!(orders.contains(&full), "{full} is not {first} and {last}");
            }
        }
    }

    #[test]
    fn addresses_and_user_names_carry_the_same_names() {
        let fake = |name: &str| Case::new(name, text()).mask_text("x");
        let plain = fake("full_name").to_lowercase().replace(' ', ".");
        assert!(fake("email").starts_with(&plain), "{} {plain}", fake("email"));
        assert!(fake("username").starts_with(&plain[..10]));
    }

    #[test]
    fn a_limit_shortens_only_what_is_too_long() {
        let seeded = |case: &Case, seed| case.mask_seeded(Value::Text("".into()), Value::Int(seed));
        let (free, short) =
            (Case::new("full_name", text()), Case::new("full_name", text()).with("max_length", 12));
        let mut initials = 0;
        for seed in 0..200 {
            let (free, short) = (seeded(&free, seed), seeded(&short, seed));
            assert!(short.chars().count() <= 12);
            if free.chars().count() <= 12 {
                assert_eq!(free, short);
            }
            initials += usize::from(short.contains(". "));
        }
        assert!(initials > 10, "{initials}");
    }

    #[test]
    fn rejects_what_no_locale_has() {
        insta::assert_snapshot!(Case::new("city", text()).locale("xx_XX").rejection(), @r"
        unknown locale `xx_XX`
        (hint: use one of en_US, en_GB, fr_FR, de_DE, it_IT, nl_NL, pt_BR, pt_PT, tr_TR, cy_GB, ar_SA, fa_IR, ja_JP, zh_CN, zh_TW)
        ");
        insta::assert_snapshot!(Case::new("city", text()).with("max_length", 1).rejection(), @r"
        no word of locale en_US is that short
        (hint: give a larger `max_length`)
        ");
        insta::assert_snapshot!(Case::new("city", text()).with("max_length", 0).rejection(), @r"
        `max_length` is out of range
        (hint: write a whole number from 1 to 1000)
        ");
    }
}
