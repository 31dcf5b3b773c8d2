//! What things are called and marked with: a run finds by these what is its own, and clean-up touches nothing else.

use snapshots::{Tags, name};

/// The run that made it.
pub const RUN_TAG: &str = "anonymizer:run";
/// The database it is for.
pub const DATABASE_TAG: &str = "anonymizer:database";
/// What it is: `copy` or `received`.
pub const STAGE_TAG: &str = "anonymizer:stage";
/// The released snapshot that is in it.
pub const SOURCE_TAG: &str = "anonymizer:source-snapshot";
/// When production's data was as it is in it.
pub const AS_OF_TAG: &str = "anonymizer:data-as-of";

/// The longest name of a run: it becomes part of the names of all that it makes.
pub const LONGEST_RUN: usize = 40;

/// A run's name can become part of others.
pub fn is_run(run: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=LONGEST_RUN).contains(&run.len()) && run.chars().all(fits)
}

/// What the names of a database's releases begin with.
pub fn release_prefix(database: &str) -> String {
    name::join("anon-share", &[database]) + "-"
}

/// A run's copy of a release.
pub fn copy(database: &str, run: &str) -> String {
    name::join("dev-anon", &[database, run])
}

/// The database that a run restores, until it has the name that people use.
pub fn new(name: &str, run: &str) -> String {
    name::join(name, &["new", run])
}

/// What the database that a run replaces is called from then on.
pub fn old(name: &str, run: &str) -> String {
    name::join(name, &["old", run])
}

/// Where a run's new credentials are until they are the ones that people use.
pub fn next_secret(secret: &str, run: &str) -> String {
    format!("{secret}-{run}")
}

/// What everything is marked with.
pub fn tags(database: &str, run: &str, stage: &str) -> Tags {
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    Tags::from([tag(RUN_TAG, run), tag(DATABASE_TAG, database), tag(STAGE_TAG, stage)])
}
