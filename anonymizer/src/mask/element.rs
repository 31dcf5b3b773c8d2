//! Rules inside rules: what `array` and `json` bind to their elements and leaves.

use super::{Cell, MaskError, Prepared, Rejection, Request, function};
use crate::catalog::Kind;
use crate::rules::ColumnRule;
use crate::value::Value;

/// Binds a rule inside `request`'s to the kind of what it masks; `holder` says what that is a part of. The rule has its own
/// domain and locale; it sees no other column.
pub(super) fn nested(
    request: &Request<'_>,
    rule: &ColumnRule,
    kind: &Kind,
    holder: &str,
) -> Result<Prepared, Rejection> {
    let reject = |at, message: String, cure: String| Err(Rejection { at, message, cure });
    if let Some(seed) = &rule.seed {
        let message = "a rule inside another takes no `seed`".into();
        return reject(seed.at, message, "leave it out".into());
    }
    let at = rule.function.at;
    let Some(function) = function(&rule.function.value) else {
        let message = format!("unknown function `{}`", rule.function.value);
        return reject(at, message, "`anonymizer functions` lists them".into());
    };
    if !(function.accepts)(kind) {
        let message = format!("`{}` does not fit {holder}", function.name);
        return reject(at, message, format!("it fits {}", function.fits));
    }
    let domain = rule.domain.as_ref().map_or("", |domain| &domain.value);
    (function.prepare)(&Request {
        rule,
        kind,
        column: request.column,
        locale: rule.locale.as_ref().map_or(request.locale, |locale| &locale.value),
        subkey: request.keyring.subkey(domain),
        keyring: request.keyring,
        ignore_case: matches!(kind, Kind::Text { ignore_case: true, .. }),
    })
}

/// The fake of an element, with a buffer of its own.
pub(super) fn scratch(mask: &Prepared, value: &Value<'_>) -> Result<Value<'static>, MaskError> {
    let mut buffer = String::new();
    let fake = mask.mask.apply(&Cell { value, seed: None, draw: None }, &mut buffer)?;
    Ok(fake.into_owned())
}
