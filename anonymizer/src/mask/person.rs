//! People's names. All draw from one tag, so that names, e-mail address and user name of the same seed belong together.

use super::alphabet::plain_name;
use super::key::Draw;
use super::locale::{Locale, NameOrder, Picker};
use super::parameter::{IGNORE_CASE, MAX_LENGTH};
use super::source::{Source, Written};
use super::{Class, Function, Prepared, Rejection, Request};
use crate::catalog::Kind;

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
        let initial = first.chars().next().map(|letter| format!("{letter}."));
        let first = match initial {
            _ if first.chars().count() <= left => first,
            Some(ref initial) if left >= 2 && matches!(self, NameOrder::GivenFirst) => initial,
            _ => return into.push_str(last),
        };
        let (one, other) = match self {
            NameOrder::GivenFirst => (first, last),
            _ => (last, first),
        };
        for part in [one, space, other] {
            into.push_str(part);
        }
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
