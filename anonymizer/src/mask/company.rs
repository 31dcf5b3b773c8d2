//! `company`: a family name with a legal form.

use super::key::Draw;
use super::parameter::{IGNORE_CASE, MAX_LENGTH};
use super::source::{Source, Written};
use super::{Class, Function, Prepared, Rejection, Request};
use crate::catalog::Kind;

/// `company`.
pub(super) static COMPANY: Function = Function {
    name: "company",
    class: Class::Pseudonymization,
    summary: "a company of the locale: a family name and a legal form",
    fits: "text",
    accepts: |kind| matches!(kind, Kind::Text { .. }),
    parameters: &[MAX_LENGTH, IGNORE_CASE],
    keyed: true,
    localized: true,
    identifies: None,
    uniqueness: "never unique",
    normalisation: "none, unless the column ignores case or `ignore_case`",
    longest: "the locale's longest company, or `max_length`",
    space: "the locale's family names times 3 to 14 legal forms",
    prepare: company,
};

fn company(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let locale = request.words()?;
    let template = request.template(locale.company, locale.company_words)?;
    let longest = template.longest();
    let write = move |draw: &Draw, into: &mut String| template.push(draw, into);
    Ok(Prepared::new(Written::new(Source::new(request, "company"), write)).longest(longest))
}
