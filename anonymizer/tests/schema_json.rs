//! `rules/schema.json` is what the types and the registry say. `UPDATE_EXPECT=1` writes it.

use std::fs;
use std::path::Path;

use anonymizer::rules::schema::json_schema;

#[test]
#[expect(clippy::disallowed_methods, reason = "UPDATE_EXPECT is for whoever runs the tests")]
fn the_published_schema_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/schema.json");
    let actual = json_schema();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("writable");
        fs::write(&path, &actual).expect("writable");
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert!(published == actual, "rules/schema.json is stale: UPDATE_EXPECT=1 rewrites it");
}
