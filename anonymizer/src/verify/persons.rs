//! Kept columns that are about people: names, user names, street addresses. The column's name says what its values may be, and
//! the values whether they are; names of well-known people are seen without.
//!
//! It reads a sample and keeps hashes of a few values. What a column's name calls a thing (a product, a town) is no
//! person's name, whatever its values look like.

use std::collections::HashSet;
use std::hash::BuildHasher as _;
use std::sync::OnceLock;

use fake::locales::{DE_DE, Data, EN, FR_FR, IT_IT, NL_NL, PT_BR, PT_PT, TR_TR};
use foldhash::fast::FixedState;

use super::fold::fold_words;
use super::naming::{self, Hint};
use crate::identifier::Identifier;

/// Words that a street's name begins or ends with, and their ends where a language writes them in one.
#[rustfmt::skip]
const WAYS: &[&str] = &[
    "street", "st", "road", "rd", "avenue", "ave", "lane", "drive", "boulevard", "blvd", "court", "square", "rue", "chemin",
    "impasse", "quai", "strasse", "str", "weg", "platz", "allee", "gasse", "viale", "piazza", "corso", "calle", "avenida",
    "plaza", "paseo", "rua", "travessa", "straat", "laan", "plein", "gatan", "vagen", "ulica", "ul",
];
const WAYS_AT_THE_END: &[&str] =
    &["strasse", "str", "weg", "platz", "allee", "gasse", "straat", "laan", "gatan"];

/// Different values that look like one, unless the column has fewer …
const FEW: u64 = 3;
/// … and where only the values say so.
const SEVERAL: u64 = 5;

/// Values of one kind: how many, and a few different ones.
#[derive(Debug, Default)]
struct Counted {
    matched: u64,
    different: Vec<u64>,
}

impl Counted {
    fn count(&mut self, text: &str) {
        self.matched += 1;
        let hash = FixedState::default().hash_one(text);
        if (self.different.len() as u64) < SEVERAL && !self.different.contains(&hash) {
            self.different.push(hash);
        }
    }

    fn is(&self, looked: u64, percent: u64, different: u64) -> bool {
        let different = different.min(looked).max(1);
        self.different.len() as u64 >= different && self.matched * 100 >= percent * looked
    }
}

/// What a sample of a column says.
#[derive(Debug, Default)]
pub struct Persons {
    hint: Hint,
    names: Counted,
    users: Counted,
    streets: Counted,
}

impl Persons {
    /// For a column of a table.
    pub fn of(table: &str, column: &str) -> Self {
        Self { hint: naming::hint(table, column), ..Self::default() }
    }

    /// Looks at a value.
    pub fn look(&mut self, text: &str) {
        // A sentence is none.
        if text.len() > 120 {
            return;
        }
        let mut folded = Vec::with_capacity(text.len());
        fold_words(text, &mut folded);
        let folded = String::from_utf8(folded).unwrap_or_default();
        match self.hint {
            hint if hint.is_name() && is_name(&folded) => self.names.count(text),
            Hint::Nothing | Hint::Other(_) if is_known_name(&folded) => self.names.count(text),
            Hint::User if is_user(text) => self.users.count(text),
            Hint::Street if has_number_and_words(&folded) => self.streets.count(text),
            Hint::Nothing | Hint::Other(_) | Hint::Thing if is_street(&folded) => {
                self.streets.count(text)
            }
            _ => {}
        }
    }

    /// What the values are, of so many: kind and how many.
    pub fn found(&self, looked: u64) -> impl Iterator<Item = (Identifier, u64)> {
        let hinted = self.hint.is_name();
        let (share, different) = if hinted { (50, FEW) } else { (60, SEVERAL) };
        let many = hinted || looked >= SEVERAL;
        let names = many && self.names.is(looked, share, different);
        let users = self.users.is(looked, 80, FEW);
        let streets = self.streets.is(looked, 30, FEW);
        let kinds = [
            (names, Identifier::FullName, self.names.matched),
            (users, Identifier::Username, self.users.matched),
            (streets, Identifier::StreetAddress, self.streets.matched),
        ];
        kinds.into_iter().filter(move |one| looked > 0 && one.0).map(|one| (one.1, one.2))
    }
}

fn is_letters(word: &str) -> bool {
    word.chars().all(char::is_alphabetic)
}

/// One to five words without a digit.
fn is_name(folded: &str) -> bool {
    (2..=60).contains(&folded.len())
        && folded.split(' ').count() <= 5
        && folded.split(' ').all(is_letters)
}

/// No blank, and a letter at least.
fn is_user(text: &str) -> bool {
    (3..=40).contains(&text.len())
        && !text.contains(|c: char| c.is_whitespace() || "/:\\".contains(c))
        && text.contains(char::is_alphabetic)
}

fn has_number_and_words(folded: &str) -> bool {
    let words = folded.split(' ');
    let of_letters = words.filter(|word| word.len() > 1 && is_letters(word)).count();
    of_letters > 0 && folded.contains(|c: char| c.is_ascii_digit())
}

/// A house number, and a word that streets have.
fn is_street(folded: &str) -> bool {
    let mut words = folded.split(' ');
    let is_way = |word: &str| {
        WAYS.contains(&word)
            || WAYS_AT_THE_END.iter().any(|end| word.len() > end.len() + 2 && word.ends_with(end))
    };
    let is_number = |word: &str| {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        (1..=5).contains(&digits) && word.len() <= digits + 1
    };
    let count = words.clone().count();
    (2..=12).contains(&count) && words.clone().any(is_number) && words.any(is_way)
}

/// A first name, a last name, or words of which the first or the last is a first name.
fn is_known_name(folded: &str) -> bool {
    let (first, last) = known();
    let words: Vec<&str> = folded.split(' ').collect();
    match *words {
        [word] => word.len() > 2 && (first.contains(word) || last.contains(word)),
        [one, .., other] if words.len() <= 4 && words.iter().all(|word| is_letters(word)) => {
            first.contains(one) || first.contains(other)
        }
        _ => false,
    }
}

/// First and last names of the languages whose fakes there are, folded.
fn known() -> &'static (HashSet<String>, HashSet<String>) {
    static KNOWN: OnceLock<(HashSet<String>, HashSet<String>)> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let first = [
            EN::NAME_FIRST_NAME,
            FR_FR::NAME_FIRST_NAME,
            DE_DE::NAME_FIRST_NAME,
            IT_IT::NAME_FIRST_NAME,
            NL_NL::NAME_FIRST_NAME,
            PT_BR::NAME_FIRST_NAME,
            PT_PT::NAME_FIRST_NAME,
            TR_TR::NAME_FIRST_NAME,
        ];
        let last = [
            EN::NAME_LAST_NAME,
            FR_FR::NAME_LAST_NAME,
            DE_DE::NAME_LAST_NAME,
            IT_IT::NAME_LAST_NAME,
            NL_NL::NAME_LAST_NAME,
            PT_BR::NAME_LAST_NAME,
            PT_PT::NAME_LAST_NAME,
            TR_TR::NAME_LAST_NAME,
        ];
        (folded(&first), folded(&last))
    })
}

fn folded(lists: &[&[&str]]) -> HashSet<String> {
    let fold = |name: &&str| {
        let mut folded = Vec::with_capacity(name.len());
        fold_words(name, &mut folded);
        String::from_utf8(folded).unwrap_or_default()
    };
    lists.iter().flat_map(|list| list.iter()).map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::super::naming::is_birth_date;
    use super::*;

    fn found(table: &str, column: &str, values: &[&str]) -> String {
        let mut persons = Persons::of(table, column);
        values.iter().for_each(|value| persons.look(value));
        let found = persons.found(values.len() as u64);
        found.map(|(kind, many)| format!("{} {many}", kind.name())).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn columns_about_people_are_seen() {
        let names = ["Wanjiru", "Thandiwe", "Nomvula"];
        for column in
            ["first_name", "FirstName", "cust_lname", "prénom", "Nachname", "primer_apellido"]
        {
            assert_eq!(found("t", column, &names), "full_name 3", "{column}");
        }
        assert_eq!(found("t", "contact_name", &["Ada Byron", "O'Neil, Kim"]), "full_name 2");
        let known =
            ["James Smith", "Mary Jones", "Smith, John", "Marie Martin", "x", "Patricia Lee"];
        assert_eq!(found("t", "label", &known), "full_name 5");
        assert_eq!(found("t", "login", &["kim7", "ada.b", "joe_x"]), "username 3");
        let streets = ["12 Main Street", "Gartenweg 3a", "5, rue de l'Église", "PO box"];
        assert_eq!(found("t", "value", &streets), "street_address 3");
        assert_eq!(
            found("t", "ship_address1", &["Plot 7 Baker Farm", "Hof 9"]),
            "street_address 2"
        );
        for column in ["birth_date", "DateOfBirth", "dob", "date_naissance", "Geburtsdatum"] {
            assert!(is_birth_date(column), "{column}");
        }
    }

    #[test]
    fn columns_about_things_are_not() {
        let cities = ["Paris", "Florence", "Lincoln", "Jackson", "Sydney", "Austin"];
        for (table, column) in [("t", "city"), ("cities", "name"), ("customer", "billing_city")] {
            assert_eq!(found(table, column, &cities), "", "{column}");
        }
        let products = ["Chai", "Ikura", "Tofu", "Pavlova", "Alice Mutton", "Carnarvon Tigers"];
        assert_eq!(found("t", "name", &products), "");
        assert_eq!(
            found("t", "name", &["iPhone 12", "Model 3", "Windows 11", "24 inch screen"]),
            ""
        );
        assert_eq!(found("t", "status", &["paid", "on hold", "sent"]), "");
        assert_eq!(found("t", "ip_address", &["10.0.0.1", "10.0.0.2", "10.0.0.3"]), "");
        assert_eq!(found("t", "last_name", &["1", "2", "3"]), "");
        assert_eq!(found("t", "first_name", &[]), "");
        assert!(!is_birth_date("created_at") && !is_birth_date("inventory_date"));
    }
}
