//! Names of databases and snapshots: what is allowed, and names made for a run.
//!
//! Letters, digits and hyphens; a letter first; no two hyphens side by side, none at the end; stored in lower case. A
//! database has 1 to 63 characters, an instance's snapshot 1 to 255, a cluster's snapshot 1 to 63 (Amazon RDS API
//! Reference). What is too long is cut and made unique again by a hash, so that two long names never become one.

use sha2::{Digest as _, Sha256};

/// The longest name that everything can have.
pub const LONGEST: usize = 63;
/// Hex digits that tell cut names apart.
const HASH: usize = 10;

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no name: {why}")]
pub struct BadName {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Checks a name of a database or a snapshot that is to be made.
pub fn check(text: &str) -> Result<(), BadName> {
    let why = if text.is_empty() || text.len() > LONGEST {
        "a name has 1 to 63 characters"
    } else if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        "a name has lower-case letters, digits and hyphens"
    } else if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        "a name begins with a letter"
    } else if text.contains("--") || text.ends_with('-') {
        "a name has no two hyphens side by side and none at the end"
    } else {
        return Ok(());
    };
    Err(BadName { text: text.to_owned(), why })
}

/// A name from a prefix and parts, always valid: other characters become hyphens, what is too long is cut and hashed.
pub fn join(prefix: &str, parts: &[&str]) -> String {
    let mut name = clean(prefix);
    for part in parts {
        name.push('-');
        name.push_str(&clean(part));
    }
    let name = clean(&name);
    let name = if name.starts_with(|c: char| c.is_ascii_lowercase()) {
        name
    } else {
        format!("db-{name}")
    };
    let name = name.trim_end_matches('-');
    // What was cut or replaced is still told apart.
    let whole =
        std::iter::once(&prefix).chain(parts).fold(String::new(), |all, part| all + part + "\0");
    let exact =
        name == std::iter::once(&prefix).chain(parts).copied().collect::<Vec<_>>().join("-");
    if exact && name.len() <= LONGEST {
        return name.to_owned();
    }
    let hash = &hex::encode(Sha256::digest(whole))[..HASH];
    let room = LONGEST - HASH - 1;
    let cut = name[..name.len().min(room)].trim_end_matches('-');
    format!("{cut}-{hash}")
}

/// Lower case, hyphens for everything that is not allowed, never two side by side.
fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => clean.push(c),
            _ if clean.is_empty() || clean.ends_with('-') => {}
            _ => clean.push('-'),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_that_fits_stays() {
        assert_eq!(
            join("anon-tmp", &["shop", "20240601t120000z"]),
            "anon-tmp-shop-20240601t120000z"
        );
    }

    #[test]
    fn two_long_names_stay_two() {
        let long = "x".repeat(80);
        let (one, other) = (join("anon-share", &[&long, "a"]), join("anon-share", &[&long, "b"]));
        assert_ne!(one, other);
        assert_eq!((one.len(), check(&one)), (LONGEST, Ok(())));
    }

    #[test]
    fn what_is_replaced_is_told_apart() {
        assert_ne!(join("anon", &["a_b"]), join("anon", &["a-b"]));
        assert_ne!(join("anon", &["rds:shop"]), join("anon", &["rds", "shop"]));
        assert_ne!(join("anon", &["a", "b-c"]), join("anon", &["a_", "b-c"]));
    }

    #[test]
    fn names_that_rds_refuses_are_refused() {
        for text in ["", "1a", "-a", "a-", "a--b", "a_b", "A", "a b", "é"] {
            assert!(check(text).is_err(), "{text}");
        }
        assert!(check(&"a".repeat(64)).is_err());
        assert_eq!(check("a-1"), Ok(()));
    }

    proptest! {
        #[test]
        fn every_joined_name_is_a_name(prefix in ".{0,90}", part in ".{0,90}") {
            let name = join(&prefix, &[&part]);
            prop_assert_eq!(check(&name), Ok(()), "{}", name);
        }
    }
}
