//! Kept columns that nobody has thought of: people's names, streets, dates of birth, and identifiers that are stored as
//! numbers. Each test runs once more with its defence switched off, and then nothing is found.

use anyhow::{Result, ensure};
use contract::exit_codes;
use e2e::gate::{leaks, run, suspects};

const PEOPLE: &str = "
CREATE TABLE staff (id int PRIMARY KEY, first_name text, nachname text, label text, login text, address1 text, born_on date,
    date_of_birth date, city text, product_name text);
INSERT INTO staff SELECT i, (ARRAY['Wanjiru', 'Thandiwe', 'Nomvula', 'Sipho'])[1 + i % 4], 'Abara' || chr(97 + i),
    (ARRAY['James', 'Mary', 'Robert', 'Patricia', 'John', 'Linda'])[1 + i % 6] || ' Abara' || chr(97 + i), 'abara' || i,
    i || ' Baker Street', date '1960-01-01' + 31 * i, date '1960-01-01' + 77 * i,
    (ARRAY['Paris', 'Florence', 'Lincoln', 'Jackson', 'Austin'])[1 + i % 5], (ARRAY['Chai', 'Ikura', 'iPhone 12'])[1 + i % 3]
    FROM generate_series(1, 20) i;";

const PEOPLE_KEPT: &str = "version: 1
tables:
  staff:
    columns:
      first_name: keep
      nachname: keep
      label: keep
      login: keep
      address1: keep
      city: keep
      product_name: keep
      '*': keep
";

#[test]
fn kept_columns_are_full_of_names_addresses_and_dates_of_birth() -> Result<()> {
    let (code, gate) = run("kept_people", PEOPLE, PEOPLE_KEPT, "")?;
    assert_eq!(code, Some(i32::from(exit_codes::VERIFY_FAILED)));
    let expected = [
        "public.staff.address1 street_address 20/20",
        "public.staff.date_of_birth birth_date 20/20",
        "public.staff.first_name full_name 20/20",
        "public.staff.label full_name 20/20",
        "public.staff.login username 20/20",
        "public.staff.nachname full_name 20/20",
    ];
    assert_eq!(suspects(&gate), expected);

    let (code, gate) = run("kept_people_off", PEOPLE, PEOPLE_KEPT, "gate.persons")?;
    assert_eq!((code, suspects(&gate).len()), (Some(0), 0));
    Ok(())
}

#[test]
fn a_reason_clears_them() -> Result<()> {
    let columns = ["address1", "date_of_birth", "first_name", "label", "login", "nachname"];
    let entry = |column| format!("    - {{ column: public.staff.{column}, reason: made up }}\n");
    let allow: String = columns.map(entry).concat();
    let rules = format!("{PEOPLE_KEPT}verify:\n  allow:\n{allow}");
    let (code, gate) = run("kept_people_allowed", PEOPLE, &rules, "")?;
    assert_eq!(code, Some(0));
    ensure!(suspects(&gate).iter().filter(|one| one.ends_with(" allowed")).count() == 6);
    Ok(())
}

/// Telephone numbers and numbers of persons, and copies of them in columns of numbers; ids and amounts are none.
const NUMBERS: &str = "
CREATE TABLE customer (id bigint PRIMARY KEY, phone text, insured text);
INSERT INTO customer SELECT i, '0' || 612000000 + i * 7919, 185057800000000 + i * 104729 FROM generate_series(1, 300) i;
CREATE TABLE call (id bigint PRIMARY KEY, caller bigint, insured numeric, at bigint, price numeric(12, 2), customer_id bigint);
INSERT INTO call SELECT i, 612000000 + i * 7919, 185057800000000 + i * 104729, 1700000000000 + i * 86400, i * 1000000, i
    FROM generate_series(1, 300) i;";

const NUMBERS_KEPT: &str = "version: 1
tables:
  customer: { columns: { phone: { function: phone, locale: fr_FR }, insured: { function: hash, identifies: true }, '*': keep } }
  call: keep
";

#[test]
fn columns_of_numbers_hold_telephone_numbers_and_numbers_of_persons() -> Result<()> {
    let (code, gate) = run("kept_numbers", NUMBERS, NUMBERS_KEPT, "")?;
    assert_eq!(code, Some(i32::from(exit_codes::VERIFY_FAILED)), "{:?}", gate.leaks);
    assert_eq!(leaks(&gate), ["public.call.caller phone 300", "public.call.insured other 300"]);

    let (code, gate) = run("kept_numbers_off", NUMBERS, NUMBERS_KEPT, "gate.numbers")?;
    assert_eq!((code, gate.leaks.len()), (Some(0), 0));
    Ok(())
}
