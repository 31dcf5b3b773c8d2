//! The digest of what a rules file says about masking: every section but those that are about the look afterwards.
//!
//! A masked database is bound to it. `verify` and `scrub` may change after a run, because they change no row; comments and
//! the way in which something is written may too. A section that is not known here binds.

use sha2::{Digest as _, Sha256};

use super::yaml::{Key, Node, Shape};

/// Sections that decide nothing about rows.
const AFTERWARDS: [&str; 2] = ["scrub", "verify"];

/// SHA-256 of the sections, hex.
pub(super) fn digest(sections: &[(Key, Node)]) -> String {
    let mut hash = Sha256::new();
    for (key, node) in sections {
        if !AFTERWARDS.contains(&key.text.as_str()) {
            text(&mut hash, &key.text);
            add(&mut hash, node);
        }
    }
    hex::encode(hash.finalize())
}

/// Each node begins with what it is and how long: no two trees give the same bytes.
fn add(hash: &mut Sha256, node: &Node) {
    match &node.shape {
        Shape::Scalar { text: scalar, plain } => {
            hash.update(if *plain { b"p" } else { b"q" });
            text(hash, scalar);
        }
        Shape::List(items) => {
            hash.update(b"l");
            hash.update((items.len() as u64).to_be_bytes());
            items.iter().for_each(|item| add(hash, item));
        }
        Shape::Mapping(entries) => {
            hash.update(b"m");
            hash.update((entries.len() as u64).to_be_bytes());
            for (key, node) in entries {
                text(hash, &key.text);
                add(hash, node);
            }
        }
        Shape::Unusable => hash.update(b"u"),
    }
}

fn text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text);
}

#[cfg(test)]
mod tests {
    use crate::rules::parse;

    fn digest(text: &str) -> String {
        parse("x.yaml", text.as_bytes()).unwrap().masking_digest
    }

    #[test]
    fn what_is_said_about_rows_binds_and_nothing_else() {
        let rules = "version: 1\ntables:\n  a: { columns: { b: email, c: keep } }\n";
        let same = [
            "version: 1\n# why\ntables: { a: { columns: { b: email,  c: keep } } }\n".to_owned(),
            format!("{rules}verify: {{ allow: [{{ column: public.a.c, reason: x }}] }}\n"),
            format!("{rules}scrub: {{ large_objects: keep }}\n"),
        ];
        for other in same {
            assert_eq!(digest(rules), digest(&other), "{other}");
        }
        let different = [
            rules.replace("email", "keep"),
            rules.replace("email", "{ function: email }"),
            rules.replace("email", "{ function: email, identifies: true }"),
            rules.replace("c: keep", "d: keep"),
            format!("{rules}  d: keep\n"),
            format!("{rules}locale: fr_FR\n"),
        ];
        for other in different {
            assert_ne!(digest(rules), digest(&other), "{other}");
        }
    }
}
