//! Which kinds are looked for in which column.
//!
//! An unmasked copy is looked for in every column that the rules leave as it is. In a column that a function has written
//! stand fakes, and a fake must not be taken for somebody:
//!
//! * The kind that the rule masks is not looked for in the rule's own column: what stands there is the mask's answer, and each
//!   answer was compared with its own original while masking ([`super::unchanged`]).
//! * Rows that `skip_rows` keeps stand beside the masked ones, and what they hold may be masked in another table. In a table
//!   with `skip_rows` nothing is looked for in columns that are masked as a whole: whatever is there is a mask's answer or was
//!   kept on purpose. Where parts are masked, the kinds that the table's rules mask are not.
//! * A fake from a list equals somebody's real name. Where a function wrote that draws from a list (names, towns, streets,
//!   companies), and in documents and arrays whose parts are masked, names, addresses and words are not looked for; in e-mail
//!   addresses and user names, which are made of names, names are not.
//! * Generated columns, materialized views and other tables that no rule decides may be copies of masked columns: there too,
//!   names, addresses and words are not looked for.
//!
//! E-mail addresses, telephone numbers, IBANs and tokens that functions write lie in reserved ranges or carry 64 keyed bits:
//! they are no original's, and these kinds are looked for everywhere else.

use super::token::Kinds;
use crate::identifier::Identifier;
use crate::mask::Class;
use crate::plan::{ColumnPlan, TablePlan};
use crate::switches;

/// What is looked for in one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// These kinds.
    pub kinds: Kinds,
    /// Ordinary words too, which count in numbers only.
    pub words: bool,
    /// Whether the column is one of those in which identifiers that nobody masked would stand.
    pub detect: Detect,
}

/// Which detectors look at a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detect {
    /// None: its values are masked.
    Nothing,
    /// E-mail addresses outside reserved domains: the column may be a copy of masked ones.
    Addresses,
    /// All: the rules keep it, or so much of each document as no path leads to.
    Everything,
}

/// Functions that draw from lists.
const LISTS: [&str; 7] =
    ["first_name", "last_name", "full_name", "city", "country", "company", "street_address"];
/// Functions that mask parts and leave the rest.
const PARTS: [&str; 2] = ["json", "array"];
/// Functions whose fakes are made of names.
const NAMED: [&str; 2] = ["email", "username"];

const NAMES: [Identifier; 2] = [Identifier::FullName, Identifier::StreetAddress];

impl Scope {
    /// Where texts of the catalog are searched.
    pub fn of_metadata(present: Kinds) -> Self {
        Self { kinds: present, words: false, detect: Detect::Nothing }
    }

    /// A column of a table, where the plan knows them.
    pub fn new(present: Kinds, table: Option<&TablePlan>, column: Option<&ColumnPlan>) -> Self {
        let copied = Kinds::of(&NAMES);
        let decided = table.zip(column).filter(|(_, column)| !column.generated);
        let Some((table, column)) = decided else {
            let detect = if column.is_some() { Detect::Nothing } else { Detect::Addresses };
            return Self { kinds: present.without(copied), words: false, detect };
        };
        if column.mask.is_none() {
            let kept = column.class == Some(Class::Keep);
            let detect = if kept { Detect::Everything } else { Detect::Nothing };
            return Self { kinds: present, words: true, detect };
        }
        let function = column.function.as_str();
        let parts = PARTS.contains(&function);
        let own = match &table.skip_rows {
            None => Kinds::of(column.identifies.as_slice()),
            Some(_) if parts => table
                .columns
                .iter()
                .filter_map(|c| c.identifies)
                .fold(Kinds::default(), Kinds::with),
            Some(_) => present,
        };
        let (without, words) = if LISTS.contains(&function) {
            (
                Kinds::of(&[
                    Identifier::FullName,
                    Identifier::StreetAddress,
                    Identifier::Username,
                    Identifier::Other,
                ]),
                false,
            )
        } else if parts {
            (copied, false)
        } else if NAMED.contains(&function) {
            (Kinds::of(&[Identifier::FullName]), true)
        } else {
            (Kinds::default(), true)
        };
        let left = column.mask.as_ref().is_some_and(|mask| mask.leaves_parts());
        let detect = match left && !switches::is_off("gate.rest") {
            // Of an array's documents the rest is not told apart; fakes are at reserved domains.
            true if function == "array" => Detect::Addresses,
            true => Detect::Everything,
            false => Detect::Nothing,
        };
        Self { kinds: present.without(own).without(without), words, detect }
    }
}
