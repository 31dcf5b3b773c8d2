//! What the database says it has: plain data, read once by an engine and never changed.
//!
//! It holds what [`crate::plan`] needs to decide and what a reader of a finding wants to know. What an engine needs to take
//! a table down and put it back (index definitions, trigger states, …) stays with the engine.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A table's name as stored. SQLite has no schemas: there it is `main`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableName {
    /// Schema, as stored.
    pub schema: String,
    /// Table, as stored.
    pub name: String,
}

impl TableName {
    /// A name from its two parts.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// Everything the plan looks at.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Catalog {
    /// `postgres`, `sqlite`.
    pub engine: String,
    /// The schema an unqualified name is looked up in first (`public`, `main`).
    pub default_schema: String,
    /// Base tables, partitioned tables, partitions, foreign tables; by name. Not views.
    pub tables: Vec<Table>,
    /// Foreign keys between `tables`. Inherited copies on partitions are not listed.
    pub foreign_keys: Vec<ForeignKey>,
    /// Views and materialized views.
    pub views: Vec<View>,
}

/// One table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Table {
    /// Name as stored.
    pub name: TableName,
    /// Which sort of table.
    pub kind: TableKind,
    /// Columns in the table's order, dropped ones left out.
    pub columns: Vec<Column>,
    /// Primary key, unique constraints and unique indexes.
    pub unique_keys: Vec<UniqueKey>,
    /// CHECK constraints, those of the columns' domains included.
    pub checks: Vec<Check>,
    /// Exclusion constraints: name and the columns they name.
    pub exclusions: Vec<UniqueKey>,
    /// For a partition, its parent. For an inheritance child, its parents.
    pub parents: Vec<TableName>,
    /// For a partitioned table, the columns its partition key reads.
    pub partition_key: Vec<String>,
    /// Number of user triggers.
    pub triggers: u32,
    /// Row security is enabled.
    pub row_security: bool,
    /// The server's estimate of the number of rows; 0 where unknown.
    pub estimated_rows: u64,
    /// Bytes on disk, indexes included; 0 where unknown.
    pub bytes: u64,
    /// Name of the extension that owns the table.
    pub extension: Option<String>,
}

/// The sort of table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    /// Rows of its own.
    Plain,
    /// A partitioned table: no rows of its own.
    Partitioned,
    /// Rows live elsewhere; never written.
    Foreign,
    /// SQLite virtual table without rows that could be read and written: only `keep` and `truncate` fit.
    Virtual,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Name as stored.
    pub name: String,
    /// Type as the database prints it, for messages and the report.
    pub data_type: String,
    /// Type as masking functions see it, domains resolved.
    pub kind: Kind,
    /// May hold NULL (the domain's NOT NULL counts too).
    pub nullable: bool,
    /// Default expression, as the database prints it.
    pub default: Option<String>,
    /// The database computes it: never read, never written, recomputed by itself.
    pub generated: bool,
    /// An identity column, or one that owns a sequence (`serial`), or SQLite's AUTOINCREMENT.
    pub identity: bool,
}

/// A column's type in engine-neutral terms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Boolean.
    Bool,
    /// Integer of 16, 32 or 64 bits.
    Int(u8),
    /// Binary floating point.
    Float,
    /// Exact decimal: precision and scale where declared.
    Decimal(Option<(u32, u32)>),
    /// Text: longest length in characters where declared, and whether the type ignores case (citext, NOCASE).
    Text {
        /// Longest length in characters.
        max_chars: Option<u32>,
        /// Equality ignores case.
        ignore_case: bool,
    },
    /// An enumerated type with its labels.
    Enum(Vec<String>),
    /// JSON.
    Json,
    /// XML.
    Xml,
    /// Bytes.
    Bytes,
    /// Date.
    Date,
    /// Timestamp, with or without zone.
    Timestamp,
    /// Time of day.
    Time,
    /// UUID.
    Uuid,
    /// Network address with prefix (`inet`, `cidr`).
    Inet,
    /// Hardware address of 6 or 8 bytes.
    Mac(u8),
    /// Array of a kind.
    Array(Box<Kind>),
    /// Anything else (composite, range, tsvector, geometry, interval, …), with the type's own name: only `keep`, `nullify` and `constant` fit.
    Other(String),
}

impl Kind {
    /// True where a wildcard `keep` may decide the column: numbers, booleans, dates, enums and uuids. Whatever can hold
    /// free text, or that we cannot look into, is named one by one.
    pub fn wildcard_may_keep(&self) -> bool {
        matches!(
            self,
            Kind::Bool
                | Kind::Int(_)
                | Kind::Float
                | Kind::Decimal(_)
                | Kind::Enum(_)
                | Kind::Date
                | Kind::Timestamp
                | Kind::Time
                | Kind::Uuid
        )
    }
}

/// A set of columns that identifies a row, by constraint or unique index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UniqueKey {
    /// Constraint or index name.
    pub name: String,
    /// The plain columns in it; expressions are in `expressions`.
    pub columns: Vec<String>,
    /// Expressions in it, as the database prints them.
    pub expressions: Vec<String>,
    /// The primary key.
    pub primary: bool,
    /// The predicate of a partial index.
    pub predicate: Option<String>,
    /// Equality under the index ignores case (citext, NOCASE, nondeterministic collation, `lower(column)`).
    pub ignore_case: bool,
    /// A second NULL is refused like any other value (NULLS NOT DISTINCT).
    #[serde(default)]
    pub nulls_collide: bool,
}

/// A CHECK constraint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Constraint name.
    pub name: String,
    /// Columns it reads, where the database tells.
    pub columns: Vec<String>,
    /// The expression, as the database prints it.
    pub expression: String,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Constraint name.
    pub name: String,
    /// Referencing table.
    pub table: TableName,
    /// Referencing columns, in order.
    pub columns: Vec<String>,
    /// Referenced table.
    pub references: TableName,
    /// Referenced columns, in order.
    pub referenced_columns: Vec<String>,
    /// False for NOT VALID and NOT ENFORCED.
    pub validated: bool,
    /// Its last columns are periods: one that references lies within those that it references together.
    #[serde(default)]
    pub period: bool,
}

/// A view or materialized view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Name as stored.
    pub name: TableName,
    /// It stores rows (and so must be refreshed).
    pub materialized: bool,
}

impl Catalog {
    /// The table of that name.
    pub fn table(&self, name: &TableName) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == *name)
    }

    /// SHA-256, hex, over tables, columns, types and nullability: what rules speak about. Foreign keys, indexes and
    /// estimates are left out, so that it is the same in the middle of a run.
    pub fn fingerprint(&self) -> String {
        let mut tables: Vec<&Table> = self.tables.iter().collect();
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        let mut hash = Sha256::new();
        for table in tables {
            hash.update(format!("{:?}\n", table.name));
            for column in &table.columns {
                let Column { name, data_type, nullable, generated, .. } = column;
                hash.update(format!("{name:?} {data_type:?} {nullable} {generated}\n"));
            }
        }
        hex::encode(hash.finalize())
    }
}

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}
