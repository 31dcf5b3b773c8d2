//! What a deployment tells a function in its environment, and the document of settings, over which the deployment decides.
//!
//! Everything that is missing is told at once. Whom data goes to, and where it may lie, is the deployment's to say: a document
//! that says it too is refused, whatever it says.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::documents::Documents;
use crate::error::AccountError;

/// The key under which the document of settings lies.
pub const SETTINGS: &str = "settings.json";

/// Variables that are all there.
#[derive(Clone, Debug)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The process's own.
    pub fn of_process(names: &[&str]) -> Result<Self, AccountError> {
        #[expect(clippy::disallowed_methods, reason = "a deployment tells a function so")]
        let value = |name: &str| std::env::var(name).ok();
        Self::of(names, value)
    }

    /// Those of that name. An empty one is missing.
    pub fn of(
        names: &[&str],
        value: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, AccountError> {
        let (mut all, mut missing) = (BTreeMap::new(), Vec::new());
        for name in names {
            match value(name).filter(|value| !value.trim().is_empty()) {
                Some(value) => drop(all.insert((*name).to_owned(), value.trim().to_owned())),
                None => missing.push(*name),
            }
        }
        if missing.is_empty() {
            return Ok(Self(all));
        }
        Err(AccountError::Other(format!(
            "the environment lacks {}\n(hint: the stack's template sets it)",
            missing.join(", ")
        )))
    }

    /// Those of that name in the JSON object of texts that the AWS command line prints.
    pub fn of_json(names: &[&str], json: &[u8]) -> Result<Self, String> {
        let told: BTreeMap<String, String> =
            serde_json::from_slice(json).map_err(|error| error.to_string())?;
        Self::of(names, |name| told.get(name).cloned()).map_err(|error| error.to_string())
    }

    /// One of those that were asked for.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A bucket: `s3://BUCKET`.
    pub fn bucket(&self, name: &str) -> Result<&str, AccountError> {
        let text = self.text(name);
        let bucket = text.strip_prefix("s3://").map(|rest| rest.trim_end_matches('/'));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        let bucket = bucket.filter(|name| !name.is_empty() && name.chars().all(plain));
        bucket.ok_or_else(|| {
            AccountError::Other(format!("{name}: `{text}` is not of the form s3://BUCKET"))
        })
    }

    /// Words between commas.
    pub fn list(&self, name: &str) -> Vec<String> {
        let words = self.text(name).split(',').map(str::trim);
        words.filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect()
    }
}

/// Reads the document; its place, for messages about it.
pub async fn document(documents: &Documents) -> Result<(Vec<u8>, String), AccountError> {
    let place = documents.uri(SETTINGS);
    match documents.get(SETTINGS).await? {
        Some(document) => Ok((document, place)),
        None => Err(AccountError::Other(format!(
            "there is no {place}\n(hint: it says which databases there are)"
        ))),
    }
}

/// The document's settings with what the deployment decides.
pub fn decided(
    document: &[u8],
    by_deployment: Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    let parsed: Value = serde_json::from_slice(document).map_err(|error| error.to_string())?;
    let Value::Object(mut settings) = parsed else { return Err("it is no object".to_owned()) };
    decide(&mut settings, by_deployment, "")?;
    Ok(settings)
}

/// Puts in what is decided; refused where something of that name is there. `place` says where, in a message.
pub fn decide(
    settings: &mut Map<String, Value>,
    by_deployment: Map<String, Value>,
    place: &str,
) -> Result<(), String> {
    for (name, value) in by_deployment {
        if settings.insert(name.clone(), value).is_some() {
            return Err(format!(
                "{place}`{name}` is decided by the stack\n(hint: take it out of {SETTINGS})"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Environment, AccountError> {
        let value = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Environment::of(&["DOCUMENTS", "TABLE", "ACCOUNTS"], value)
    }

    #[test]
    fn everything_that_is_missing_is_told_at_once() {
        let error = of(&[("TABLE", " "), ("ACCOUNTS", "1")]).unwrap_err().to_string();
        assert!(error.starts_with("the environment lacks DOCUMENTS, TABLE\n"), "{error}");
    }

    #[test]
    fn a_bucket_is_a_bucket_and_nothing_in_it() {
        let bucket = |text: &str| {
            let all = of(&[("DOCUMENTS", text), ("TABLE", "t"), ("ACCOUNTS", " 1, 2 ,")]).unwrap();
            assert_eq!(all.list("ACCOUNTS"), ["1", "2"]);
            all.bucket("DOCUMENTS").map(ToOwned::to_owned)
        };
        assert_eq!(bucket("s3://shop-documents"), Ok("shop-documents".to_owned()));
        assert_eq!(bucket("s3://shop-documents/"), Ok("shop-documents".to_owned()));
        for bad in ["shop-documents", "s3://", "s3://shop/rules", "s3://Shop", "arn:aws:s3:::shop"]
        {
            assert!(bucket(bad).is_err(), "{bad}");
        }
    }
}
