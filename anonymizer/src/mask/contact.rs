//! Ways to reach somebody, none of which reaches anybody: reserved domains (RFC 2606) and reserved telephone numbers.

use super::alphabet::{TOKEN_LENGTH, push_pattern, push_token};
use super::key::Draw;
use super::locale::{longest, scale};
use super::parameter::IGNORE_CASE;
use super::person::{PlainNames, TAG};
use super::source::{Source, Written};
use super::{Class, Function, Parameter, ParameterKind, Prepared, Rejection, Request};
use crate::catalog::Kind;
use crate::identifier::Identifier;

/// `first.last` in an e-mail address is cut here, so that every address fits 50 characters.
const EMAIL_NAMES: usize = 22;
/// `first.last` in a user name is cut here, so that every user name fits 30 characters.
const USERNAME_NAMES: usize = 16;
/// Reserved for documentation; all of one length.
const DOMAINS: [&str; 3] = ["@example.com", "@example.org", "@example.net"];

const SHORT: Parameter = Parameter {
    name: "short",
    kind: ParameterKind::Flag,
    required: false,
    summary: "leave the names out, for a narrow column; default: false",
};

/// `email`.
pub(super) static EMAIL: Function = Function {
    name: "email",
    class: Class::Pseudonymization,
    summary: "an address at a reserved domain: `first.last.<13 characters>@example.com`",
    fits: "text",
    accepts: |kind| matches!(kind, Kind::Text { .. }),
    parameters: &[SHORT, IGNORE_CASE],
    keyed: true,
    localized: true,
    identifies: Some(Identifier::Email),
    uniqueness: "unique: 65 keyed bits",
    normalisation: "none, unless the column ignores case or `ignore_case`",
    longest: "48 characters; 25 when `short`",
    space: "2^65",
    prepare: email,
};

/// `username`.
pub(super) static USERNAME: Function = Function {
    name: "username",
    class: Class::Pseudonymization,
    summary: "an identifier in lower case: `first.last.<13 characters>`",
    fits: "text",
    accepts: |kind| matches!(kind, Kind::Text { .. }),
    parameters: &[SHORT, IGNORE_CASE],
    keyed: true,
    localized: true,
    identifies: Some(Identifier::Username),
    uniqueness: "unique: 65 keyed bits",
    normalisation: "none, unless the column ignores case or `ignore_case`",
    longest: "30 characters; 14 when `short`",
    space: "2^65",
    prepare: username,
};

/// `phone`.
pub(super) static PHONE: Function = Function {
    name: "phone",
    class: Class::Pseudonymization,
    summary: "a telephone number in international form from a range that is reserved for fiction, or under the unassigned country code 999",
    fits: "text",
    accepts: |kind| matches!(kind, Kind::Text { .. }),
    parameters: &[
        Parameter {
            name: "unique",
            kind: ParameterKind::Flag,
            required: false,
            summary: "`+999` and 20 digits, for a unique column; default: false",
        },
        IGNORE_CASE,
    ],
    keyed: true,
    localized: true,
    identifies: Some(Identifier::Phone),
    uniqueness: "unique with `unique: true`: 66 keyed bits",
    normalisation: "none, unless the column ignores case or `ignore_case`",
    longest: "13 characters; 24 when `unique`",
    space: "4,000 (en_US) to 10^9 numbers by locale; 10^20 when `unique`",
    prepare: phone,
};

fn email(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let names = names(request, EMAIL_NAMES)?;
    let longest = prefix_length(&names, EMAIL_NAMES) + TOKEN_LENGTH + DOMAINS[0].len();
    let write = move |draw: &Draw, into: &mut String| {
        push_prefix(&names, draw, into);
        push_token(draw, into);
        // The token takes the upper half of words 2 and 3; the low bits of word 3 are free.
        into.push_str(DOMAINS[(draw.word(3) as u32 % 3) as usize]);
    };
    Ok(Prepared::new(Written::new(Source::new(request, TAG), write))
        .longest(longest)
        .unique(request.tells_apart())
        .disjoint())
}

fn username(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let names = names(request, USERNAME_NAMES)?;
    // Without names it begins with a letter all the same, as many systems ask of a user name.
    let longest = if names.is_some() { USERNAME_NAMES + 1 } else { 1 } + TOKEN_LENGTH;
    let write = move |draw: &Draw, into: &mut String| {
        if names.is_none() {
            into.push('u');
        }
        push_prefix(&names, draw, into);
        push_token(draw, into);
    };
    Ok(Prepared::new(Written::new(Source::new(request, TAG), write))
        .longest(longest)
        .unique(request.tells_apart())
        .disjoint())
}

fn names(request: &Request<'_>, limit: usize) -> Result<Option<PlainNames>, Rejection> {
    let locale = request.words()?;
    Ok((!request.flag(SHORT.name)).then(|| PlainNames::new(locale, limit)))
}

fn prefix_length(names: &Option<PlainNames>, limit: usize) -> usize {
    names.as_ref().map_or(0, |_| limit + 1)
}

fn push_prefix(names: &Option<PlainNames>, draw: &Draw, into: &mut String) {
    if let Some(names) = names {
        names.push(draw, into);
        into.push('.');
    }
}

fn phone(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let source = Source::new(request, "phone");
    let phones = request.words()?.phones;
    if request.flag("unique") {
        let pattern = "+999####################";
        let write = move |draw: &Draw, into: &mut String| push_pattern(pattern, draw.wide(2), into);
        return Ok(Prepared::new(Written::new(source, write))
            .longest(pattern.len())
            .unique(request.tells_apart())
            .disjoint());
    }
    let write = move |draw: &Draw, into: &mut String| {
        let pattern = phones[scale(draw.word(0), phones.len())];
        push_pattern(pattern, u128::from(draw.word(1)), into);
    };
    Ok(Prepared::new(Written::new(source, write))
        .longest(longest(phones.iter().copied()))
        .disjoint())
}

#[cfg(test)]
mod tests {
    use crate::mask::fixture::{Case, text};
    use crate::mask::locale::LOCALES;

    #[test]
    fn addresses_are_plain_and_at_reserved_domains() {
        for locale in LOCALES {
            for value in 0..200 {
                let address =
                    Case::new("email", text()).locale(locale.name).mask_text(&value.to_string());
                let (name, domain) = address.split_once('@').unwrap();
                assert!(["example.com", "example.org", "example.net"].contains(&domain));
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
                assert!(name.chars().all(plain) && !name.contains(".."), "{address}");
                assert!(!name.starts_with('.') && name.split('.').count() >= 2, "{address}");
            }
        }
    }

    #[test]
    fn case_matters_unless_the_column_or_the_rule_says_otherwise() {
        let case = Case::new("email", text());
        let (upper, lower) = ("Ünal@Example.EDU", "ünal@example.edu");
        assert_ne!(case.mask_text(upper), case.mask_text(lower));
        for folded in [case.clone().ignore_case(), case.clone().with("ignore_case", true)] {
            assert_eq!(folded.mask_text(upper), case.mask_text(lower));
        }
        assert!(case.clone().ignore_case().prepared().unique);
        // The rule gives one fake to two values that the column tells apart.
        assert!(!case.with("ignore_case", true).prepared().unique);
    }

    #[test]
    fn a_unique_phone_number_has_no_country() {
        let case = Case::new("phone", text()).with("unique", true);
        let number = case.mask_text("+33 6 12 34 56 78");
        assert!(number.starts_with("+999") && number.len() == 24, "{number}");
        assert!(case.prepared().unique);
        assert!(!Case::new("phone", text()).prepared().unique);
    }
}
