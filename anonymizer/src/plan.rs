//! From rules and catalog to a plan, or to every finding at once. Pure: no database, no clock, no randomness.
//!
//! A [`Plan`] holds only masks that fit their columns; carrying it out has nothing left to check but the values.
//!
//! It goes from tables to columns to what joins them: [`tables`] finds the rule for each table, [`group`] the choice for each
//! column of a table and its partitions, [`equality`] what is compared without case, [`column`] whether a function fits,
//! [`unique`] and [`reference`] whether keys still hold, [`removal`] whom removed rows take along; [`assemble`] writes it down.
//!
//! What no plan can know, and a run then finds out, with the unit it happens in wholly original: a unique index over an
//! expression other than `lower(column)` or `upper(column)`, or over a generated column, or with a predicate that reads a
//! masked column; an exclusion constraint; a CHECK other than a list of values or `IS NOT NULL`; NULLs in some columns of a
//! key with MATCH FULL.

mod allowed;
mod assemble;
mod column;
mod equality;
mod forest;
mod group;
mod reference;
mod removal;
mod tables;
mod unique;

use std::sync::Arc;

use crate::catalog::{Catalog, ForeignKey, Kind, TableName};
use crate::finding::{Collected, Findings};
use crate::identifier::{Identifier, NamePart, Sought};
use crate::mask::key::Keyring;
use crate::mask::{Class, Mask};
use crate::rules::{Allow, RuleSet, ScrubRules};
use crate::switches;
use crate::value::Value;
use forest::Forest;

/// What will be done to a database.
#[derive(Clone)]
pub struct Plan {
    /// SHA-256 of the rules file, hex.
    pub rules_digest: String,
    /// SHA-256 of what it says about masking, hex: what a masked database is bound to.
    pub masking_digest: String,
    /// [`Catalog::fingerprint`].
    pub schema_fingerprint: String,
    /// One entry per table of the catalog that has rows of its own, by name. Every column is decided.
    pub tables: Vec<TablePlan>,
    /// What the leak gate may find.
    pub allow: Vec<Allow>,
    /// What the scrub does beyond rows.
    pub scrub: ScrubRules,
}

impl Plan {
    /// True where the gate has originals to look for.
    pub fn identifies(&self) -> bool {
        self.tables.iter().any(TablePlan::has_originals)
    }
}

/// What will be done to one table.
#[derive(Clone)]
pub struct TablePlan {
    /// The table.
    pub name: TableName,
    /// Keep, truncate or rewrite.
    pub action: Action,
    /// SQL predicate of rows that stay as they are, as written.
    pub skip_rows: Option<String>,
    /// SQL predicate of rows that are removed, as written.
    pub delete_rows: Option<String>,
    /// Rows that reference a row which is removed from another table are removed too: the foreign keys of this table (or of
    /// a table it is a partition or an inheritance child of) whose referenced row must still be there. Rows with NULL in
    /// the key's columns stay. The engine looks at the referenced tables' `delete_rows`, transitively.
    pub delete_orphans_of: Vec<ForeignKey>,
    /// Every column in the table's order, generated ones included.
    pub columns: Vec<ColumnPlan>,
    /// Estimated rows.
    pub estimated_rows: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

/// What will be done with a table's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Not written.
    Keep,
    /// Emptied.
    Truncate,
    /// Rewritten: at least one masked column, or `delete_rows`.
    Rewrite,
}

/// What will be done to one column.
#[derive(Clone)]
pub struct ColumnPlan {
    /// Column name.
    pub name: String,
    /// Type as the database prints it.
    pub data_type: String,
    /// Type as masks see it.
    pub kind: Kind,
    /// The database computes it: neither read nor written.
    pub generated: bool,
    /// The rules name it; false where a wildcard or the whole table's rule decides it by its type.
    pub named: bool,
    /// Function name, for the report.
    pub function: String,
    /// Function class, for the report; `None` for a generated column.
    pub class: Option<Class>,
    /// `None` for `keep` and for generated columns.
    pub mask: Option<Arc<dyn Mask>>,
    /// Index in [`TablePlan::columns`] of the seed column.
    pub seed: Option<usize>,
    /// The one value the mask always returns for a value that is not NULL, where there is one.
    pub constant: Option<Value<'static>>,
    /// What its originals identify: the leak gate looks for them afterwards.
    pub identifies: Option<Identifier>,
    /// Neither its rule nor its name says what its originals are: those that show it by their form are looked for.
    pub shapes: bool,
    /// It holds this part of a person's name, which is looked for together with the other.
    pub name_part: Option<NamePart>,
    /// The column is masked by a permutation of integers and draws from a sequence, which must move past the fakes.
    pub advance_sequence: bool,
}

impl TablePlan {
    /// Columns that together are a person's name, as indexes of given and family name: the first with the first, the second
    /// with the second; where there are fewer of one, its last with the rest.
    pub fn names(&self) -> Vec<(usize, usize)> {
        if switches::is_off("gate.names") {
            return Vec::new();
        }
        let of = |part| -> Vec<usize> {
            let columns = self.columns.iter().enumerate();
            columns.filter(|(_, column)| column.name_part == Some(part)).map(|(at, _)| at).collect()
        };
        let (first, last) = (of(NamePart::First), of(NamePart::Last));
        let Some(many) = first.len().max(last.len()).checked_sub(1) else { return Vec::new() };
        let one = |columns: &[usize], at: usize| columns.get(at).or(columns.last()).copied();
        (0..=many).filter_map(|at| one(&first, at).zip(one(&last, at))).collect()
    }

    /// True where its values, or parts of them, are collected for the gate.
    pub fn has_originals(&self) -> bool {
        self.columns.iter().any(ColumnPlan::has_originals) || !self.names().is_empty()
    }
}

impl ColumnPlan {
    /// What of its values is collected for the gate, besides parts that its mask knows of.
    pub fn sought(&self) -> Sought {
        match self.identifies {
            Some(kind) => Sought::Kind(kind),
            None if self.shapes => Sought::Shapes,
            None => Sought::Nothing,
        }
    }

    /// True where its values, or parts of them, are collected for the gate.
    pub fn has_originals(&self) -> bool {
        self.sought() != Sought::Nothing
            || self.mask.as_ref().is_some_and(|mask| mask.identifies_parts())
    }
}

/// Joins rules and catalog. The keyring decides no finding: `check` works without the run's key.
pub fn plan(rules: &RuleSet, catalog: &Catalog, keyring: &Keyring) -> Result<Plan, Findings> {
    let mut found = Collected::default();
    let forest = Forest::new(catalog);
    let decisions = tables::decide(rules, catalog, &forest, &mut found);
    let mut groups = group::form(rules, catalog, &forest, &decisions, &mut found);
    equality::settle(catalog, &mut groups);
    column::prepare_all(rules, keyring, &mut groups, &mut found);
    unique::check(&groups, &mut found);
    reference::check(rules, catalog, &groups, &mut found);
    removal::spread(catalog, &mut groups, &mut found);
    allowed::check(rules, catalog, &mut found);
    let tables = assemble::tables(&forest, &groups);
    let plan = Plan {
        rules_digest: rules.digest.clone(),
        masking_digest: rules.masking_digest.clone(),
        schema_fingerprint: catalog.fingerprint(),
        tables,
        allow: rules.allow.clone(),
        scrub: rules.scrub.clone(),
    };
    found.or(plan, format!("plan {}", rules.file), &rules.file)
}
