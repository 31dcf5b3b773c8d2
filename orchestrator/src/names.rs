//! What a run makes is called after the run and tagged with it. Both must agree before anything is touched.

use snapshots::{Tags, name};

/// Restored databases.
pub const TEMPORARY: &str = "anon-tmp";
/// Encrypted copies of snapshots that are not encrypted: raw.
pub const RAW: &str = "anon-raw";
/// Snapshots of masked databases.
pub const STAGE: &str = "anon-stage";
/// Copies of them under the key that development may use.
pub const SHARE: &str = "anon-share";

/// The tag with the run's name. Whatever has it is the product's own.
pub const RUN_TAG: &str = "anonymizer:run";
/// The tag with the database's name.
pub const DATABASE_TAG: &str = "anonymizer:database";
/// The tag that says which of the four it is.
pub const STAGE_TAG: &str = "anonymizer:stage";
/// What that tag of a copy for others says once it has passed the gate: nothing else is ever shared.
pub const RELEASED: &str = "released";

/// The name of one of the four.
pub fn of(prefix: &str, database: &str, run: &str) -> String {
    name::join(prefix, &[database, run])
}

/// Its tags.
pub fn tags(prefix: &str, database: &str, run: &str) -> Tags {
    let stage = prefix.strip_prefix("anon-").unwrap_or(prefix);
    let tags = [(RUN_TAG, run), (DATABASE_TAG, database), (STAGE_TAG, stage)];
    tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// The run that has made it: by its name one of these, and tagged.
pub fn maker<'a>(prefixes: &[&str], name: &str, tags: &'a Tags) -> Option<&'a str> {
    let stage = tags.get(STAGE_TAG).map(String::as_str);
    let named = |prefix: &&str| {
        name.strip_prefix(*prefix).is_some_and(|rest| rest.starts_with('-'))
            && (stage == prefix.strip_prefix("anon-") || *prefix == SHARE && is_released(tags))
    };
    prefixes.iter().any(named).then(|| tags.get(RUN_TAG)).flatten().map(String::as_str)
}

/// It has passed the gate.
pub fn is_released(tags: &Tags) -> bool {
    tags.get(STAGE_TAG).is_some_and(|stage| stage == RELEASED)
}

/// Where the signed statement of a released snapshot stands.
pub fn statement(database: &str, snapshot: &str) -> String {
    format!("releases/{database}/{snapshot}.json")
}

/// Where the report of a run on one of a server's databases stands.
pub fn report(database: &str, run: &str, name: &str) -> String {
    format!("reports/{database}/{run}/{name}")
}

/// Where a masking run keeps what its rerun must know.
pub fn state(database: &str, run: &str) -> String {
    format!("state/{database}/{run}")
}

/// Where the rules of a server's databases stand.
pub fn rules(database: &str) -> String {
    format!("rules/{database}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_name_and_tag_has_a_maker() {
        let all = [TEMPORARY, RAW];
        let (name, tags) = (of(TEMPORARY, "shop", "run-1"), tags(TEMPORARY, "shop", "run-1"));
        assert_eq!(maker(&all, &name, &tags), Some("run-1"));
        assert_eq!(maker(&[RAW], &name, &tags), None);
        assert_eq!(maker(&all, "shop", &tags), None);
        assert_eq!(maker(&all, "anon-tmpx-shop", &tags), None);
        assert_eq!(maker(&all, &name, &Tags::new()), None);
        // A restored database that was given its source's tags is somebody else's until its own are on it.
        assert_eq!(maker(&all, &name, &super::tags(RAW, "shop", "run-1")), None);
    }

    #[test]
    fn a_release_has_a_maker_and_nothing_else_is_one() {
        let mut tags = tags(SHARE, "shop", "run-1");
        let name = of(SHARE, "shop", "run-1");
        assert_eq!((maker(&[SHARE], &name, &tags), is_released(&tags)), (Some("run-1"), false));
        tags.insert(STAGE_TAG.into(), RELEASED.into());
        assert_eq!((maker(&[SHARE], &name, &tags), is_released(&tags)), (Some("run-1"), true));
        // A name of another kind does not become one by that word.
        for prefix in [TEMPORARY, RAW, STAGE] {
            assert_eq!(maker(&[prefix], &of(prefix, "shop", "run-1"), &tags), None);
        }
    }
}
