//! The rules file: from YAML text to a [`RuleSet`], every name and value with its position.
//!
//! It knows the file's own grammar and the masking functions' names and parameters; it knows no database. What a rule means
//! for a table is [`crate::plan`]'s business.
//!
//! ```yaml
//! version: 1
//! locale: fr_FR
//! tables:
//!   public.customers:
//!     skip_rows: "email LIKE '%@ourcompany.com'"
//!     columns: { id: keep, email: email, last_name: { function: last_name, seed: id } }
//!   public.orders: { delete_rows: "paid", cascade: true, columns: { "*": keep } }
//!   public.sessions: truncate
//!   public.carts: { truncate: true, cascade: true }   # and the tables that reference it
//! verify: { allow: [{ column: public.shops.contact, kind: email, reason: "the shops' own, on their doors" }] }
//! ```

mod column;
mod domains;
mod masking;
pub mod name;
mod parse;
mod predicate;
pub mod schema;
mod scrub;
pub(crate) mod sql;
pub(crate) mod suggest;
mod verify;
mod yaml;

pub use name::{NamePattern, Part};
pub use parse::parse;

use crate::finding::Spanned;
use crate::mask::Argument;

/// A parsed rules file.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSet {
    /// The file as the user named it.
    pub file: String,
    /// SHA-256 of the file's bytes, hex.
    pub digest: String,
    /// SHA-256 of what it says about masking, hex: all but `verify` and `scrub`.
    pub masking_digest: String,
    /// Default locale for fakes.
    pub locale: Option<Spanned<String>>,
    /// Rules by table pattern, in the order written.
    pub tables: Vec<(Spanned<NamePattern>, TableRule)>,
    /// What the leak gate may find.
    pub allow: Vec<Allow>,
    /// What the scrub does beyond rows.
    pub scrub: ScrubRules,
}

/// Something the leak gate may find: `verify: { allow: [{ column: …, reason: … }] }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Allow {
    /// `schema.table.column`, as the report names it.
    pub column: Spanned<String>,
    /// Only this kind of identifier; any where absent.
    pub kind: Option<Spanned<String>>,
    /// Why.
    pub reason: String,
}

/// What the scrub does beyond rows: `scrub: { accept: …, roles: …, databases: …, large_objects: … }`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScrubRules {
    /// Checks that may stay undone, by id, with the reason.
    pub accept: Vec<(Spanned<String>, String)>,
    /// What happens to login roles with `--scope instance`, by name or with stars; a role that is not named is locked.
    pub roles: Vec<(Spanned<Part>, RoleRule)>,
    /// What happens to the server's other databases with `--scope instance`; one that is not named refuses the run.
    pub databases: Vec<(Spanned<String>, DatabaseRule)>,
    /// What happens to large objects; where there are some and nothing is said, the run is refused.
    pub large_objects: Option<Spanned<LargeObjectsRule>>,
}

/// What happens to large objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LargeObjectsRule {
    /// `drop`: all of them.
    Drop,
    /// `keep`: they stay as they are.
    Keep,
}

/// What happens to a login role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleRule {
    /// `lock`: no login, no password. The default.
    Lock,
    /// `drop`: what it owns goes to the run's role, then it is dropped.
    Drop,
}

/// What happens to another database of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseRule {
    /// `drop`.
    Drop,
    /// `masked`: it must hold the marker of a run of its own that has passed.
    Masked,
}

/// What the rules say about a table.
#[derive(Clone, Debug, PartialEq)]
pub enum TableRule {
    /// `keep`: as a column wildcard `keep`, it decides only columns a wildcard may decide.
    Keep,
    /// `truncate`.
    Truncate {
        /// Also empty the tables that reference it.
        cascade: bool,
    },
    /// A mapping.
    Columns {
        /// SQL predicate: rows that stay as they are.
        skip_rows: Option<Spanned<String>>,
        /// SQL predicate: rows that are removed.
        delete_rows: Option<Spanned<String>>,
        /// `delete_rows` also removes the rows that reference a removed one.
        cascade: bool,
        /// Rules by column pattern, in the order written.
        columns: Vec<(Spanned<Part>, ColumnRule)>,
    },
}

/// A masking function with its parameters, for a column, an element or a JSON path.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnRule {
    /// Function name; it exists in the registry.
    pub function: Spanned<String>,
    /// The column the fake is derived from.
    pub seed: Option<Spanned<String>>,
    /// Separates or joins meanings; empty by default.
    pub domain: Option<Spanned<String>>,
    /// Locale of the fakes.
    pub locale: Option<Spanned<String>>,
    /// The column's originals identify a person, or do not, whatever the function's kind is.
    pub identifies: Option<Spanned<bool>>,
    /// The function's own parameters, checked against the registry.
    pub arguments: Vec<(Spanned<String>, Spanned<Argument>)>,
}
