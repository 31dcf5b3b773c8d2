//! What a SQLite database declares is not always what it holds or compares: the rules must not believe it blindly.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use e2e::sqlite::{File, Run};

const LOOSE: &str = "
    CREATE TABLE loose(id INTEGER PRIMARY KEY, zip INTEGER, price NUMERIC, born DATE, seen DATETIME, active BOOLEAN, key UUID);
    INSERT INTO loose(zip, price, born, seen, active, key) VALUES
        (75001, 12.5, '1980-02-29', '2024-01-01T10:00:00.5Z', 1, '01234567-89ab-cdef-0123-456789abcdef'),
        (-1, '12345678901234567890.123', 2440587.5, 1700000000, 'false', zeroblob(16)),
        (NULL, '', '', '2024-01-01 10:00:00 UTC', '', NULL);";

#[test]
fn a_wildcard_decides_numbers_and_dates_only_where_they_are_some() {
    let rules = "version: 1\ntables: { loose: { columns: { '*': keep } } }";
    File::new(LOOSE).run(rules).tables();
    for (column, value) in [
        ("zip", "'Ada Canary'"),
        ("zip", "x'414461'"),
        ("price", "'12 Canary Street'"),
        ("born", "'Ada'"),
        ("seen", "'yesterday'"),
        ("active", "'Ada'"),
        ("key", "'Ada Canary'"),
        ("key", "x'414461'"),
    ] {
        let insert = format!("INSERT INTO loose({column}) VALUES ({value})");
        let file = File::new(&format!("{LOOSE}{insert}"));
        for whole in ["{ columns: { '*': keep } }", "keep"] {
            let complaint =
                file.run(&format!("version: 1\ntables: {{ loose: {whole} }}")).complaint();
            assert!(complaint.contains(&format!("main.loose.{column} (")), "{complaint}");
            assert!(complaint.contains("1 of its values are not of its type"), "{complaint}");
            assert!(!complaint.contains("Ada") && complaint.contains("1 finding"), "{complaint}");
        }
        // A rule that names the column is believed.
        let named = format!(
            "version: 1\ntables: {{ loose: {{ columns: {{ {column}: keep, '*': keep }} }} }}"
        );
        assert!(matches!(file.run(&named), Run::Masked(..)));
    }
}

#[test]
fn a_unique_key_without_case_asks_for_unique_fakes() {
    let file = File::new(
        "CREATE TABLE people(id INTEGER PRIMARY KEY, Email TEXT);
         CREATE UNIQUE INDEX people_by_email ON people(lower(email));
         INSERT INTO people(email) VALUES ('A@x'), ('b@x'), (NULL);",
    );
    let rules = |function: &str| {
        format!(
            "version: 1\ntables: {{ people: {{ columns: {{ id: keep, Email: {function} }} }} }}"
        )
    };
    let complaint = file.run(&rules("first_name")).complaint();
    assert!(complaint.contains("unique key `people_by_email`"), "{complaint}");
    file.run(&rules("email")).tables();
    assert_eq!(file.rows("SELECT count(DISTINCT lower(email)) FROM people"), ["Integer(2)"]);
}

#[test]
fn integers_of_two_widths_get_one_fake() {
    let file = File::new(
        "CREATE TABLE shops(id INTEGER PRIMARY KEY);
         CREATE TABLE sales(shop SMALLINT REFERENCES shops(id));
         INSERT INTO shops VALUES (7), (300), (20000); INSERT INTO sales VALUES (20000), (7);",
    );
    let rules = "version: 1\ntables: { shops: { columns: { id: hash } }, sales: { columns: { shop: hash } } }";
    file.run(rules).tables();
    let joined = "SELECT count(*), count(*) FILTER (WHERE shop IN (7, 20000)) FROM sales JOIN shops ON id = shop";
    assert_eq!(file.rows(joined), ["Integer(2) | Integer(0)"]);
}
