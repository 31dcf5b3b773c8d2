//! What is deployed holds together: templates, definitions and steps know each other, nobody may do more than the code does,
//! and nothing that must stay goes. Each of these lints is proven by a copy that is broken in one place.
//!
//! It deploys nothing. What a linter of somebody else's finds, `make lint-infra` says.

#![allow(clippy::unwrap_used, reason = "tests fail as tests do")]

mod broken;
mod image;
mod lints;
mod permissions;
mod statements;
mod template;
mod tree;
mod yaml;

use tree::Files;

#[test]
fn the_templates_and_the_definitions_hold() {
    let found = lints::all(&Files::read().tree().unwrap());
    let lines: Vec<_> = found.iter().map(|one| format!("{}: {}", one.lint, one.text)).collect();
    assert!(lines.is_empty(), "\n{}", lines.join("\n"));
}

#[test]
fn the_listing_of_permissions_is_current() {
    let path = tree::root().join("infra/PERMISSIONS.md");
    let current = permissions::listing(&Files::read().tree().unwrap());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == current, "infra/PERMISSIONS.md is stale; `make bless` rewrites it");
}

#[test]
fn the_manual_has_the_chapters_that_alarms_send_to() {
    // Where there is none yet, the other lints still hold which chapters may be named.
    let Ok(manual) = std::fs::read_to_string(tree::root().join("infra/README.md")) else { return };
    let headings = manual.lines().filter(|line| line.starts_with('#'));
    let headings: Vec<_> =
        headings.map(|line| line.trim_matches(['#', ' ']).to_lowercase()).collect();
    for chapter in lints::CHAPTERS {
        assert!(headings.iter().any(|heading| heading == chapter), "no chapter `{chapter}`");
    }
}
