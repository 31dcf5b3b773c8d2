//! A thousand copies of originals, planted in random cells of random columns of fifty tables, and a count of what the leak
//! gate has found of them.
//!
//! A column holds copies of one kind in one encoding only, and none of two kinds of which one contains the other, so that what
//! the gate counts by column and kind tells exactly which encoding was found and which was missed.

pub mod encoding;
pub mod people;
pub mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anonymizer::identifier::Identifier;
use anyhow::{Context as _, Result, ensure};
use contract::report::Gate;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use encoding::Encoding;
use people::{Person, people};
use tables::{Cell, Table, Type, tables};

/// People in the table that is masked.
const PEOPLE: usize = 400;
/// Tables that are kept.
const TABLES: usize = 50;

/// What is planted where.
pub struct Field {
    /// The masked table's rows.
    pub people: Vec<Person>,
    /// The kept tables, with the plants in their cells.
    pub tables: Vec<Table>,
    /// Plants by table, column and kind: their encoding and how many.
    planted: BTreeMap<(String, Identifier), (Encoding, u64)>,
}

/// What the gate has found of it.
pub struct Census {
    /// Planted and found, by encoding.
    pub encodings: BTreeMap<Encoding, (u64, u64)>,
    /// What was missed: place, kind, encoding.
    pub missed: Vec<String>,
    /// What was found that nobody has planted.
    pub invented: Vec<String>,
}

impl Field {
    /// The same for the same seed, whatever is planted. Only encodings that some column's type can hold are planted, of those
    /// that `takes` accepts.
    pub fn new(seed: u64, plants: usize, takes: impl Fn(Type) -> bool) -> Self {
        let rng = &mut StdRng::seed_from_u64(seed);
        let (people, others) = people(rng, PEOPLE);
        let mut tables = tables(rng, TABLES, &others);
        let mut planted = BTreeMap::new();
        let mut taken = BTreeSet::new();
        let fitting = |encoding: Encoding| {
            let columns = tables.iter().flat_map(|table| &table.columns);
            columns.clone().any(|column| takes(column.kind) && encoding.fits(column.kind))
        };
        let encodings: Vec<Encoding> =
            Encoding::ALL.into_iter().filter(|one| fitting(*one)).collect();
        let mut done = 0;
        while done < plants {
            let encoding = encodings[done % encodings.len()];
            let kind = encoding.kinds()[rng.random_range(0..encoding.kinds().len())];
            let at = rng.random_range(0..tables.len());
            let table = &mut tables[at];
            let column = rng.random_range(0..table.columns.len());
            let row = rng.random_range(0..table.rows);
            let column = &mut table.columns[column];
            let place = format!("{}.{}", table.name, column.name);
            if !takes(column.kind)
                || !encoding.fits(column.kind)
                || taken.contains(&(place.clone(), row))
                || !free(&planted, &place, kind, encoding)
            {
                continue;
            }
            let person = &people[rng.random_range(0..people.len())];
            column.cells[row] = encoding.write(rng, person, kind, column.kind);
            taken.insert((place.clone(), row));
            planted.entry((place, kind)).or_insert((encoding, 0)).1 += 1;
            done += 1;
        }
        Self { people, tables, planted }
    }

    /// The rules of somebody careless: the people are masked, everything else stays.
    pub fn rules(&self) -> String {
        let mut rules = "version: 1\ntables:\n  people:\n    columns:\n".to_owned();
        for (column, rule) in COLUMNS {
            let _ = writeln!(rules, "      {column}: {rule}");
        }
        rules += "      \"*\": keep\n";
        for table in &self.tables {
            let columns: String =
                table.columns.iter().map(|column| format!("{}: keep, ", column.name)).collect();
            let _ = writeln!(rules, "  {}: {{ columns: {{ {columns}\"*\": keep }} }}", table.name);
        }
        rules
    }

    /// Holds what the gate reports against what was planted.
    pub fn census(&self, gate: &Gate) -> Result<Census> {
        let mut found: BTreeMap<(String, Identifier), u64> = BTreeMap::new();
        for leak in &gate.leaks {
            // `public.stock_01.note_1`
            let place = leak.place.split_once('.').context("a place has a schema")?.1.to_owned();
            let kind = Identifier::ALL.into_iter().find(|kind| kind.name() == leak.kind);
            let key = (place, kind.context("a leak is of a kind")?);
            ensure!(found.insert(key, leak.count).is_none(), "{} is reported twice", leak.place);
        }
        let mut census =
            Census { encodings: BTreeMap::new(), missed: Vec::new(), invented: Vec::new() };
        for ((place, kind), (encoding, planted)) in &self.planted {
            let count = found.remove(&(place.clone(), *kind)).unwrap_or(0);
            let sums = census.encodings.entry(*encoding).or_insert((0, 0));
            (sums.0, sums.1) = (sums.0 + planted, sums.1 + count.min(*planted));
            let said =
                || format!("{place}: {count} of {planted} {} as {}", kind.name(), encoding.name());
            match count.cmp(planted) {
                std::cmp::Ordering::Less => census.missed.push(said()),
                std::cmp::Ordering::Equal => {}
                std::cmp::Ordering::Greater => census.invented.push(said()),
            }
        }
        for ((place, kind), count) in found {
            let inside = containing(kind)
                .iter()
                .filter_map(|other| self.planted.get(&(place.clone(), *other)));
            let explained: u64 = inside.map(|(_, planted)| planted).sum();
            if count > explained {
                census.invented.push(format!(
                    "{place}: {count} {}, and {explained} of it planted",
                    kind.name()
                ));
            }
        }
        census.invented.extend(gate.suspects.iter().map(|suspect| {
            format!(
                "{}: {} of {} look like {}",
                suspect.column, suspect.matched, suspect.sampled, suspect.kind
            )
        }));
        Ok(census)
    }
}

/// The columns of `people`, in the order of a person's originals, and what masks them.
pub const COLUMNS: [(&str, &str); 9] = [
    ("email", "email"),
    ("phone", "phone"),
    ("username", "username"),
    ("iban", "iban"),
    ("card", "{ function: hash, identifies: true }"),
    ("full_name", "full_name"),
    ("street", "street_address"),
    ("token", "{ function: password_hash, cost: 4 }"),
    ("member", "{ function: hash, identifies: true }"),
];

/// Whether a plant's count cannot be mixed up with another's in the same column.
fn free(
    planted: &BTreeMap<(String, Identifier), (Encoding, u64)>,
    place: &str,
    kind: Identifier,
    encoding: Encoding,
) -> bool {
    let there = |kind: Identifier| planted.get(&(place.to_owned(), kind));
    there(kind).is_none_or(|(known, _)| *known == encoding)
        && !Identifier::ALL.into_iter().any(|other| {
            there(other).is_some()
                && (containing(kind).contains(&other) || containing(other).contains(&kind))
        })
}

/// Kinds whose values contain one of this kind: `marie.dupont@shop.fr` names Marie Dupont, and the number of a card in a column
/// whose rule only says `identifies` is looked for as a card and as the text it was.
fn containing(kind: Identifier) -> &'static [Identifier] {
    match kind {
        Identifier::FullName => &[Identifier::Email, Identifier::Username],
        Identifier::Other => &[Identifier::Card],
        _ => &[],
    }
}

impl Census {
    /// A line for each encoding.
    pub fn table(&self) -> String {
        let mut text = format!("{:<26} planted  found\n", "encoding");
        let (mut all, mut seen) = (0, 0);
        for (encoding, (planted, found)) in &self.encodings {
            let _ = writeln!(text, "{:<26} {planted:>7} {found:>6}", encoding.name());
            (all, seen) = (all + planted, seen + found);
        }
        let _ = write!(text, "{:<26} {all:>7} {seen:>6}", "all");
        text
    }
}

impl Cell {
    /// As `COPY … FROM STDIN` reads it.
    pub fn copied(&self) -> String {
        let escape = |text: &str| {
            text.replace('\\', r"\\").replace('\t', r"\t").replace('\n', r"\n").replace('\r', r"\r")
        };
        match self {
            Cell::Null => r"\N".to_owned(),
            Cell::Text(text) => escape(text),
            Cell::Bytes(bytes) => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!(r"\\x{digits}")
            }
        }
    }
}
