//! The demo's shop and its rules, which are the example people start from.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use e2e::sqlite::File;
use e2e::{residue, shop};

const CUSTOMERS: i64 = 1_200;

#[test]
fn the_shop_is_masked_by_its_rules() {
    let file = File::new("");
    shop::build(&file.path(), CUSTOMERS).unwrap();
    let text = |query: &str| -> Vec<String> {
        let connection = file.open();
        let mut statement = connection.prepare(query).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let customers = "FROM customers WHERE email NOT LIKE '%@shop.test'";
    let originals: Vec<String> = [
        &format!("SELECT email {customers}"),
        &format!("SELECT phone {customers}"),
        &format!("SELECT notes {customers} AND notes IS NOT NULL"),
        "SELECT iban FROM payment_tokens",
        "SELECT token FROM payment_tokens",
        "SELECT token FROM sessions",
        "SELECT body FROM reviews WHERE body LIKE '%Write to me%'",
    ]
    .into_iter()
    .flat_map(text)
    .collect();
    let staff = text("SELECT email FROM customers WHERE email LIKE '%@shop.test' ORDER BY id");
    assert_eq!(staff.len(), 3);

    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/shop.yaml");
    file.run(&fs::read_to_string(rules).unwrap()).tables();

    assert_eq!(residue::found_in(&file.path(), &originals).unwrap(), Vec::<String>::new());
    assert_eq!(
        text("SELECT email FROM customers WHERE email LIKE '%@shop.test' ORDER BY id"),
        staff
    );
    // One person has one name, and one e-mail address, wherever they stand.
    let name = "first_name || ' ' || last_name";
    let disagree = text(&format!(
        "SELECT o.ship_name FROM orders o JOIN customers c ON c.id = o.customer_id \
         WHERE o.ship_name <> {name} AND c.email NOT LIKE '%@shop.test' \
         UNION ALL SELECT r.author FROM reviews r JOIN customers c ON c.id = r.customer_id \
         WHERE r.author <> {name} AND c.email NOT LIKE '%@shop.test' \
         UNION ALL SELECT email FROM customers WHERE email <> profile ->> '$.contact.email'"
    ));
    assert_eq!(disagree, Vec::<String>::new());
    let emails: HashSet<String> = text("SELECT lower(email) FROM customers").into_iter().collect();
    assert_eq!(emails.len(), CUSTOMERS as usize);
    assert_eq!(file.rows("PRAGMA foreign_key_check"), Vec::<String>::new());
}

#[test]
fn the_shop_is_the_same_every_time() {
    let (one, other) = (File::new(""), File::new(""));
    for file in [&one, &other] {
        shop::build(&file.path(), 50).unwrap();
    }
    let people = "SELECT c.*, o.* FROM customers c LEFT JOIN orders o ON o.customer_id = c.id";
    assert_eq!(one.rows(people), other.rows(people));
}
