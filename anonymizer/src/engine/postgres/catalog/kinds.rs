//! What a PostgreSQL type is to a masking function: domains resolved, type modifiers read.
//!
//! Only built-in types, enums, `citext` and arrays of these get a kind of their own. A composite, a range or another
//! extension's type is [`Kind::Other`], and so is an array of a domain.

use std::collections::HashMap;

use sqlx::postgres::types::Oid;
use sqlx::{PgConnection, Row as _};

use crate::catalog::Kind;

// Row types of tables and ranges are left out: there are many, and they are `Kind::Other` anyway.
const TYPES: &str = "
SELECT t.oid, t.typname::text AS name, pg_catalog.format_type(t.oid, NULL) AS printed, t.typtype::text AS sort,
       n.nspname = 'pg_catalog' AS built_in, t.typbasetype AS base, t.typtypmod AS modifier, t.typnotnull AS not_null,
       e.oid AS element,
       ARRAY(SELECT l.enumlabel::text FROM pg_catalog.pg_enum l WHERE l.enumtypid = t.oid ORDER BY l.enumsortorder) AS labels,
       EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
                WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
                  AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND x.extname = 'citext') AS of_citext
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_type e ON e.typarray = t.oid
 WHERE t.typtype IN ('b', 'd', 'e') AND coalesce(e.typtype, 'b') IN ('b', 'd', 'e')";

const DOMAIN_CHECKS: &str = "
SELECT c.contypid AS domain, c.conname::text AS name, pg_catalog.pg_get_expr(c.conbin, 0, true) AS expression
  FROM pg_catalog.pg_constraint c
 WHERE c.contypid <> 0 AND c.contype = 'c'
 ORDER BY c.contypid, c.conname";

/// Longest text of a type that counts in bytes: `name` holds 63 of them, which is 15 characters of four bytes.
const NAME_CHARS: u32 = 15;

/// The types of the database, by object identifier.
pub(super) struct Types(HashMap<Oid, Type>);

struct Type {
    name: String,
    printed: String,
    built_in: bool,
    of_citext: bool,
    sort: Sort,
}

enum Sort {
    Base,
    Enum(Vec<String>),
    Array(Oid),
    Domain { base: Oid, modifier: i32, not_null: bool, checks: Vec<(String, String)> },
}

/// What a column's type says about its values.
pub(super) struct Description {
    /// The type itself.
    pub kind: Kind,
    /// A domain on the way forbids NULL.
    pub not_null: bool,
    /// Name and expression of each CHECK of the domains on the way.
    pub checks: Vec<(String, String)>,
}

impl Types {
    pub(super) async fn read(conn: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let mut types = HashMap::new();
        for row in sqlx::query(TYPES).fetch_all(&mut *conn).await? {
            let element: Option<Oid> = row.try_get("element")?;
            let sort = match (row.try_get("sort")?, element) {
                ("d", _) => Sort::Domain {
                    base: row.try_get("base")?,
                    modifier: row.try_get("modifier")?,
                    not_null: row.try_get("not_null")?,
                    checks: Vec::new(),
                },
                ("e", _) => Sort::Enum(row.try_get("labels")?),
                (_, Some(element)) => Sort::Array(element),
                (_, None) => Sort::Base,
            };
            let described = Type {
                name: row.try_get("name")?,
                printed: row.try_get("printed")?,
                built_in: row.try_get("built_in")?,
                of_citext: row.try_get("of_citext")?,
                sort,
            };
            types.insert(row.try_get("oid")?, described);
        }
        for row in sqlx::query(DOMAIN_CHECKS).fetch_all(conn).await? {
            let domain = types.get_mut(&row.try_get::<Oid, _>("domain")?);
            if let Some(Type { sort: Sort::Domain { checks, .. }, .. }) = domain {
                checks.push((row.try_get("name")?, row.try_get("expression")?));
            }
        }
        Ok(Self(types))
    }

    /// Describes a column of this type and modifier; `printed` names a type that is not in the map.
    pub(super) fn describe(&self, mut oid: Oid, mut modifier: i32, printed: &str) -> Description {
        let (mut not_null, mut checks) = (false, Vec::new());
        while let Some(Type {
            sort: Sort::Domain { base, modifier: own, not_null: n, checks: c },
            ..
        }) = self.0.get(&oid)
        {
            not_null |= n;
            checks.extend(c.iter().cloned());
            (oid, modifier) = (*base, *own);
        }
        Description { kind: self.kind(oid, modifier, printed), not_null, checks }
    }

    fn kind(&self, oid: Oid, modifier: i32, printed: &str) -> Kind {
        let Some(found) = self.0.get(&oid) else { return Kind::Other(printed.into()) };
        match &found.sort {
            Sort::Base => base_kind(found, modifier),
            Sort::Enum(labels) => Kind::Enum(labels.clone()),
            Sort::Array(element) => match self.0.get(element) {
                None | Some(Type { sort: Sort::Domain { .. }, .. }) => {
                    Kind::Other(found.printed.clone())
                }
                Some(_) => Kind::Array(Box::new(self.kind(*element, modifier, printed))),
            },
            Sort::Domain { .. } => Kind::Other(found.printed.clone()),
        }
    }
}

fn base_kind(found: &Type, modifier: i32) -> Kind {
    if found.of_citext && found.name == "citext" {
        return Kind::Text { max_chars: None, ignore_case: true };
    }
    if !found.built_in {
        return Kind::Other(found.printed.clone());
    }
    let text = |max_chars| Kind::Text { max_chars, ignore_case: false };
    match found.name.as_str() {
        "bool" => Kind::Bool,
        "int2" => Kind::Int(16),
        "int4" => Kind::Int(32),
        "int8" => Kind::Int(64),
        "float4" | "float8" => Kind::Float,
        "numeric" => Kind::Decimal(precision_and_scale(modifier)),
        "text" => text(None),
        "varchar" | "bpchar" => text(u32::try_from(modifier - 4).ok()),
        "name" => text(Some(NAME_CHARS)),
        "json" | "jsonb" => Kind::Json,
        "xml" => Kind::Xml,
        "bytea" => Kind::Bytes,
        "date" => Kind::Date,
        "timestamp" | "timestamptz" => Kind::Timestamp,
        "time" => Kind::Time,
        "uuid" => Kind::Uuid,
        "inet" | "cidr" => Kind::Inet,
        "macaddr" => Kind::Mac(6),
        "macaddr8" => Kind::Mac(8),
        _ => Kind::Other(found.printed.clone()),
    }
}

/// `numeric(p, s)` packs both into the modifier. A negative scale (from version 15 on) rounds to the left of the point:
/// the widest value then has as many more digits, and no decimals.
fn precision_and_scale(modifier: i32) -> Option<(u32, u32)> {
    let packed = u32::try_from(modifier - 4).ok()?;
    let precision = packed >> 16;
    let scale = ((packed & 0x7ff) as i32 ^ 1024) - 1024;
    match u32::try_from(scale) {
        Ok(scale) => Some((precision, scale)),
        Err(_) => Some((precision + scale.unsigned_abs(), 0)),
    }
}

/// The same kind under a collation that takes different spellings for equal.
pub(super) fn ignoring_case(kind: Kind) -> Kind {
    match kind {
        Kind::Text { max_chars, .. } => Kind::Text { max_chars, ignore_case: true },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_modifiers_are_unpacked() {
        let packed = |precision: i32, scale: i32| ((precision << 16) | (scale & 0x7ff)) + 4;
        assert_eq!(precision_and_scale(-1), None);
        assert_eq!(precision_and_scale(packed(10, 2)), Some((10, 2)));
        assert_eq!(precision_and_scale(packed(1000, 1000)), Some((1000, 1000)));
        assert_eq!(precision_and_scale(packed(3, -2)), Some((5, 0)));
    }
}
