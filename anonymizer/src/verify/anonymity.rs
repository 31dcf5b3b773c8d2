//! How alone rows are in what masking has left of them: k-anonymity (Sweeney 2002) over quasi-identifiers that are kept or
//! only coarser. It is information and fails nothing.
//!
//! A quasi-identifier is a column, by its name, that tells something of a person which others may know too: date of birth or
//! age, sex, nationality, town, postal code, region, occupation, marital status. A table is looked at where two or more of
//! them are left. Rows are counted by a hash of their values; where there are more different ones than fit, a share of all
//! groups is counted, whole, and the rest not at all.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _};

use contract::report::Anonymity;
use foldhash::quality::RandomState;

use crate::engine::{Engine, EngineError, Read, Reader, Source};
use crate::mask::Class;
use crate::plan::{Action, ColumnPlan, Plan, TablePlan};

/// Groups that are counted at a time.
const MOST_GROUPS: usize = 1 << 18;

/// What names of quasi-identifiers are made of.
const WORDS: [&str; 38] = [
    "birth",
    "birthday",
    "birthdate",
    "birthyear",
    "dob",
    "born",
    "age",
    "naissance",
    "geburtsdatum",
    "gender",
    "sex",
    "sexe",
    "geschlecht",
    "nationality",
    "citizenship",
    "ethnicity",
    "race",
    "religion",
    "marital",
    "city",
    "town",
    "ville",
    "ort",
    "zip",
    "zipcode",
    "postcode",
    "postal",
    "plz",
    "region",
    "county",
    "district",
    "occupation",
    "profession",
    "job",
    "education",
    "country",
    "state",
    "province",
];

/// Looks at each table in which two quasi-identifiers or more are left.
pub async fn of<E: Engine>(engine: &E, plan: &Plan) -> Result<Vec<Anonymity>, EngineError> {
    let mut found = Vec::new();
    for table in plan.tables.iter().filter(|table| table.action != Action::Truncate) {
        let columns = quasi_identifiers(table);
        // A place alone, however exactly it is told, is no person's.
        if columns.len() < 2 {
            continue;
        }
        let source =
            Source { table: table.name.clone(), columns: columns.clone(), bytes: table.bytes };
        let mut groups = Groups::default();
        engine.read(&source, &mut groups).await?;
        if groups.rows > 0 {
            found.push(groups.report(table.name.to_string(), columns));
        }
    }
    Ok(found)
}

fn quasi_identifiers(table: &TablePlan) -> Vec<String> {
    let left = |column: &&ColumnPlan| {
        !column.generated
            && matches!(column.class, Some(Class::Keep | Class::Generalization))
            && is_quasi_identifier(&column.name)
    };
    table.columns.iter().filter(left).map(|column| column.name.clone()).collect()
}

fn is_quasi_identifier(name: &str) -> bool {
    let mut words = String::with_capacity(name.len() + 4);
    let mut small = false;
    for character in name.chars() {
        if character.is_uppercase() && small {
            words.push(' ');
        }
        small = character.is_lowercase();
        words.push(if character.is_alphanumeric() { character.to_ascii_lowercase() } else { ' ' });
    }
    // A key names no place.
    words.split(' ').any(|word| WORDS.contains(&word)) && !words.split(' ').any(|word| word == "id")
}

/// Rows counted by what they agree in.
#[derive(Default)]
struct Groups {
    hasher: RandomState,
    counts: HashMap<u64, u64>,
    /// Only hashes with so many zero bits at their end are counted.
    zeros: u32,
    rows: u64,
}

impl Reader for Groups {
    fn row(&mut self, row: &[Read<'_>]) {
        self.rows += 1;
        let mut hash = self.hasher.build_hasher();
        for field in row {
            match field {
                Read::Null => hash.write_u8(0),
                Read::Text(text) => hash.write(text.as_bytes()),
                Read::Bytes(bytes) => hash.write(bytes),
            }
            hash.write_u8(0xff);
        }
        let hash = hash.finish();
        if hash.trailing_zeros() < self.zeros {
            return;
        }
        *self.counts.entry(hash).or_default() += 1;
        while self.counts.len() > MOST_GROUPS {
            self.zeros += 1;
            let zeros = self.zeros;
            self.counts.retain(|hash, _| hash.trailing_zeros() >= zeros);
        }
    }
}

impl Groups {
    fn report(self, table: String, columns: Vec<String>) -> Anonymity {
        let alone = self.counts.values().filter(|count| **count == 1).count() as u64;
        Anonymity {
            table,
            columns,
            rows: self.rows,
            k: self.counts.values().copied().min().unwrap_or(0),
            alone: alone << self.zeros,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quasi_identifiers_are_known_by_their_names() {
        for name in
            ["birth_date", "DateOfBirth", "dob", "Sex", "postal_code", "billing_city", "PostalCode"]
        {
            assert!(is_quasi_identifier(name), "{name}");
        }
        for name in ["id", "city_id", "status", "message", "sort", "statement", "created_at"] {
            assert!(!is_quasi_identifier(name), "{name}");
        }
    }

    #[test]
    fn the_smallest_group_and_the_rows_that_are_alone_are_counted() {
        let mut groups = Groups::default();
        for row in [
            ["1980", "Paris"],
            ["1980", "Paris"],
            ["1981", "Paris"],
            ["1980", "Lyon"],
            ["1980", "Lyon"],
        ] {
            groups.row(&row.map(Read::Text));
        }
        let report = groups.report("t".into(), vec!["born".into(), "city".into()]);
        assert_eq!((report.rows, report.k, report.alone), (5, 1, 1));
    }

    #[test]
    fn memory_is_bounded_and_groups_stay_whole() {
        let mut groups = Groups::default();
        let all = MOST_GROUPS as u64 * 3;
        for round in 0..2 {
            for number in 0..all {
                let number = number.to_string();
                groups.row(&[Read::Text(&number)]);
                assert!(groups.counts.len() <= MOST_GROUPS);
            }
            let (zeros, left) = (groups.zeros, groups.counts.len() as u64);
            assert!(
                zeros >= 1 && (left << zeros).abs_diff(all) < all / 10,
                "{left} {zeros} {round}"
            );
        }
        assert_eq!(groups.report("t".into(), vec![]).k, 2);
    }
}
