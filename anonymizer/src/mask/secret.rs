//! `password_hash`: one hash for a whole column, of a password that developers know or that nobody does.

use super::alphabet::push_hex;
use super::basic::constant_of;
use super::{Class, Function, Parameter, ParameterKind, Prepared, Rejection, Request};
use crate::catalog::Kind;
use crate::identifier::Identifier;
use crate::value::Value;

/// What bcrypt reads of a password; more would be dropped without a word.
const MOST_BYTES: usize = 71;

/// `password_hash`.
pub(super) static PASSWORD_HASH: Function = Function {
    name: "password_hash",
    class: Class::Suppression,
    summary: "one bcrypt hash for every row: of `password`, or of a random password that nobody knows",
    fits: "text",
    accepts: |kind| matches!(kind, Kind::Text { .. }),
    parameters: &[
        Parameter {
            name: "password",
            kind: ParameterKind::Text,
            required: false,
            summary: "the password of every account, at most 71 bytes; default: one that nobody knows",
        },
        Parameter {
            name: "scheme",
            kind: ParameterKind::Text,
            required: false,
            summary: "`bcrypt` (`$2b$`), `bcrypt-2a` or `bcrypt-2y`; default: bcrypt",
        },
        Parameter {
            name: "cost",
            kind: ParameterKind::Integer,
            required: false,
            summary: "bcrypt's cost, 4 to 14; default: 10",
        },
    ],
    keyed: false,
    localized: false,
    identifies: Some(Identifier::Secret),
    uniqueness: "never unique",
    normalisation: "none",
    longest: "60 characters",
    space: "one value for a key and its parameters",
    prepare: password_hash,
};

fn password_hash(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let version = match request.text("scheme").unwrap_or("bcrypt") {
        "bcrypt" => bcrypt::Version::TwoB,
        "bcrypt-2a" => bcrypt::Version::TwoA,
        "bcrypt-2y" => bcrypt::Version::TwoY,
        _ => {
            return Err(request.reject(
                "scheme",
                "unknown `scheme`",
                "write `bcrypt`, `bcrypt-2a` or `bcrypt-2y`",
            ));
        }
    };
    let cost = request.integer("cost", 4..=14)?.unwrap_or(10) as u32;
    let draw = request.subkey.draw("password_hash", &Value::Null);
    let unknown = || {
        let mut password = String::new();
        push_hex(&draw.bits[16..], &mut password);
        password
    };
    let password = request.text("password").map_or_else(unknown, str::to_owned);
    if password.len() > MOST_BYTES {
        return Err(request.reject(
            "password",
            "bcrypt reads 71 bytes of a password",
            "write a shorter one",
        ));
    }
    // The salt is keyed: the same key and rules give the same database.
    let salt = draw.wide(0).to_be_bytes();
    let hash = bcrypt::hash_with_salt(password, cost, salt).expect("the cost is one of bcrypt's");
    Ok(constant_of(Value::Text(hash.format_for_version(version).into())))
}

#[cfg(test)]
mod tests {
    use crate::mask::fixture::{Case, text};

    #[test]
    fn is_a_hash_of_the_password() {
        let case =
            Case::new("password_hash", text()).with("password", "open sesame").with("cost", 4);
        let hash = case.mask_text("anything");
        assert!(bcrypt::verify("open sesame", &hash).unwrap());
        assert!(!bcrypt::verify("anything", &hash).unwrap());
        assert_eq!(hash.len(), 60);
    }

    #[test]
    fn is_of_a_password_that_depends_on_the_key() {
        let hash =
            |digit| Case::new("password_hash", text()).key(digit).with("cost", 4).mask_text("");
        assert_eq!(hash("1"), hash("1"));
        assert_ne!(hash("1"), hash("2"));
    }
}
