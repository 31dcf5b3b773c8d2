//! Where somebody is: `street_address`, `city`, `postal_code`, `country`. They draw from one tag each, so that the city of a
//! seed does not tell its street; towns and countries exist, the streets in them do not.

use std::borrow::Cow;

use super::alphabet::push_pattern;
use super::draws::{Draws, Ticket};
use super::key::Draw;
use super::locale::{Template, Words, longest, scale};
use super::parameter::{IGNORE_CASE, MAX_LENGTH};
use super::source::{Source, Written};
use super::{
    Cell, Class, Function, Mask, MaskError, Parameter, ParameterKind, Prepared, Rejection, Request,
};
use crate::catalog::Kind;
use crate::value::Value;

/// `street_address`.
pub(super) static STREET_ADDRESS: Function = Function {
    name: "street_address",
    class: Class::Pseudonymization,
    summary: "a house number and a street, in the locale's order",
    fits: "text",
    accepts: |kind| matches!(kind, Kind::Text { .. }),
    parameters: &[MAX_LENGTH, IGNORE_CASE],
    keyed: true,
    localized: true,
    uniqueness: "never unique",
    normalisation: "none, unless the column ignores case or `ignore_case`",
    longest: "the locale's longest street, or `max_length`",
    space: "199 house numbers times the locale's family names and street words",
    prepare: street_address,
};

/// `city`.
pub(super) static CITY: Function = Function {
    name: "city",
    class: Class::Pseudonymization,
    summary: "a town of the locale",
    fits: "text",
    accepts: |kind| matches!(kind, Kind::Text { .. }),
    parameters: &[MAX_LENGTH, IGNORE_CASE],
    keyed: true,
    localized: true,
    uniqueness: "never unique",
    normalisation: "none, unless the column ignores case or `ignore_case`",
    longest: "the locale's longest town, or `max_length`",
    space: "20 to 60 towns by locale",
    prepare: |request| one_word(request, request.words()?.cities, "city"),
};

/// `postal_code`.
pub(super) static POSTAL_CODE: Function = Function {
    name: "postal_code",
    class: Class::Pseudonymization,
    summary: "a postal code in the locale's form, or in the original's",
    fits: "text",
    accepts: |kind| matches!(kind, Kind::Text { .. }),
    parameters: &[
        Parameter {
            name: "keep_shape",
            kind: ParameterKind::Flag,
            required: false,
            summary: "other digits for digits and other letters for letters, all else as in the original; default: false",
        },
        IGNORE_CASE,
    ],
    keyed: true,
    localized: true,
    uniqueness: "never unique",
    normalisation: "none, unless the column ignores case or `ignore_case`",
    longest: "11 characters; as the original with `keep_shape`",
    space: "10^4 to 10^10 codes by locale; with `keep_shape` the codes of the original's shape",
    prepare: postal_code,
};

/// `country`.
pub(super) static COUNTRY: Function = Function {
    name: "country",
    class: Class::Pseudonymization,
    summary: "a country in the locale's language, or its code",
    fits: "text",
    accepts: |kind| matches!(kind, Kind::Text { .. }),
    parameters: &[
        Parameter {
            name: "code",
            kind: ParameterKind::Text,
            required: false,
            summary: "`alpha2`: the two letters of ISO 3166-1; default: the name",
        },
        MAX_LENGTH,
        IGNORE_CASE,
    ],
    keyed: true,
    localized: true,
    uniqueness: "never unique",
    normalisation: "none, unless the column ignores case or `ignore_case`",
    longest: "the locale's longest country, or `max_length`; 2 characters with `code: alpha2`",
    space: "30 to 250 countries by locale",
    prepare: country,
};

fn one_word(request: &Request<'_>, words: Words, tag: &'static str) -> Result<Prepared, Rejection> {
    let words = request.picker(words)?;
    let longest = words.longest();
    let write = move |draw: &Draw, into: &mut String| into.push_str(words.pick(draw.word(0)));
    Ok(Prepared::new(Written::new(Source::new(request, tag), write)).longest(longest))
}

fn street_address(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let locale = request.words()?;
    let template = request.template(locale.street, locale.street_words)?;
    let longest = template.longest();
    let write = move |draw: &Draw, into: &mut String| template.push(draw, into);
    Ok(Prepared::new(Written::new(Source::new(request, "street_address"), write)).longest(longest))
}

fn country(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let locale = request.words()?;
    let countries = match request.text("code") {
        None => locale.countries,
        Some("alpha2") => <fake::locales::EN as fake::locales::Data>::ADDRESS_COUNTRY_CODE,
        Some(_) => {
            return Err(request.reject(
                "code",
                "unknown `code`",
                "write `alpha2`, or leave it out",
            ));
        }
    };
    one_word(request, countries, "country")
}

fn postal_code(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let patterns = request.words()?.postal_codes;
    let source = Source::new(request, "postal_code");
    if request.flag("keep_shape") {
        return Ok(Prepared::new(Shaped { source }));
    }
    let write = move |draw: &Draw, into: &mut String| {
        let pattern = patterns[scale(draw.word(0), patterns.len())];
        push_pattern(pattern, draw.wide(1), into);
    };
    Ok(Prepared::new(Written::new(source, write)).longest(longest(patterns.iter().copied())))
}

/// Characters of a shape that one word of a draw decides; 36^12 is just below 2^64.
const PER_WORD: usize = 12;

struct Shaped {
    source: Source,
}

impl Mask for Shaped {
    fn apply<'b>(&self, cell: &Cell<'_>, buffer: &'b mut String) -> Result<Value<'b>, MaskError> {
        let Value::Text(text) = cell.value else {
            return Err(MaskError("value is not text"));
        };
        let draw = self.source.draw(cell);
        let mut bits = 0;
        for (index, character) in text.chars().enumerate() {
            if index % PER_WORD == 0 {
                // Nothing that is this long is a postal code: words may repeat.
                bits = draw.word(index / PER_WORD % 4);
            }
            let radix = if character.is_numeric() { 10 } else { 26 };
            let choice = (bits % radix) as u8;
            bits /= radix;
            buffer.push(match character {
                _ if character.is_numeric() => char::from(b'0' + choice),
                _ if character.is_lowercase() => char::from(b'a' + choice),
                _ if character.is_alphabetic() => char::from(b'A' + choice),
                other => other,
            });
        }
        Ok(Value::Text(Cow::Borrowed(buffer)))
    }

    fn ask(&self, cell: &Cell<'_>, draws: &mut Draws) -> Option<Ticket> {
        self.source.ask(cell, draws)
    }
}

impl Request<'_> {
    /// A template over the locale's family names under `max_length`.
    pub(super) fn template(
        &self,
        pattern: &'static str,
        words: Words,
    ) -> Result<Template, Rejection> {
        let names: Words = self.words()?.last_names;
        Template::new(pattern, words, names, self.max_length()?).ok_or_else(|| {
            self.reject(
                MAX_LENGTH.name,
                format!("no name of locale {} leaves room for the rest", self.locale),
                "give a larger `max_length`",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::mask::fixture::{Case, text};

    #[test]
    fn a_shape_is_kept_character_by_character() {
        let fake =
            Case::new("postal_code", text()).with("keep_shape", true).mask_text("Sw1-0ÉÄ 7٣");
        let shape: String = fake
            .chars()
            .map(|c| match c {
                '0'..='9' => '9',
                'a'..='z' => 'a',
                'A'..='Z' => 'A',
                other => other,
            })
            .collect();
        assert_eq!(shape, "Aa9-9AA 99");
    }

    #[test]
    fn a_country_is_a_name_or_a_code() {
        let case = Case::new("country", text());
        assert_eq!(case.clone().with("code", "alpha2").mask_text("x").len(), 2);
        assert!(case.clone().with("max_length", 15).prepared().longest <= Some(15));
        insta::assert_snapshot!(case.with("code", "alpha4").rejection(), @r"
        unknown `code`
        (hint: write `alpha2`, or leave it out)
        ");
    }
}
