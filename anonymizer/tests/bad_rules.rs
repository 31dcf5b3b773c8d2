//! Broken rules files: `bad_rules/<case>.yaml` against the schema in `bad_rules/schema.txt`, and what a user reads in
//! `<case>.txt`. `UPDATE_EXPECT=1` writes what is read now.
//!
//! A case that is about a few tables keeps the others by the lines of `bad_rules/rest.txt`, which are added where the file
//! says `# the rest`.

mod schema;

use std::fs;
use std::path::{Path, PathBuf};

use anonymizer::mask::key::Keyring;
use anonymizer::plan::plan;
use anonymizer::rules;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_rules")
}

/// What the user reads.
fn message(case: &Path) -> String {
    let name = case.file_name().and_then(|name| name.to_str()).expect("cases have plain names");
    let mut bytes = fs::read(case).expect("the case was listed");
    let rest = fs::read(folder().join("rest.txt")).expect("rest.txt is there");
    if bytes.ends_with(b"# the rest\n") {
        bytes.extend(rest);
    }
    let schema = fs::read_to_string(folder().join("schema.txt")).expect("schema.txt is there");
    let keyring = Keyring::from_hex(&"7".repeat(64)).expect("a key");
    match rules::parse(name, &bytes) {
        Err(findings) => findings.to_string(),
        Ok(rules) => match plan(&rules, &schema::catalog(&schema), &keyring) {
            Err(findings) => findings.to_string(),
            Ok(_) => "no finding".into(),
        },
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "UPDATE_EXPECT is for whoever runs the tests")]
fn every_broken_file_says_what_is_wrong() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut cases: Vec<PathBuf> = fs::read_dir(folder())
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    cases.sort();
    let mut wrong = Vec::new();
    for case in &cases {
        let actual = message(case) + "\n";
        let expected = case.with_extension("txt");
        if update {
            fs::write(&expected, &actual).expect("writable");
        }
        let expected = fs::read_to_string(expected).unwrap_or_default();
        let refused = !actual.starts_with("no finding");
        if actual != expected || !refused {
            wrong.push(format!("{}\n--- expected\n{expected}--- actual\n{actual}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}\n(UPDATE_EXPECT=1 accepts)", wrong.join("\n"));
    assert!(cases.len() >= 40, "{} cases", cases.len());
}
