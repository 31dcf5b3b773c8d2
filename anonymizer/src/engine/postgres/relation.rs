//! Tables as PostgreSQL sees them while a unit is worked on: their columns' types on the wire, and the partition trees they
//! belong to.

use sqlx::Row as _;
use sqlx::postgres::PgConnection;
use sqlx::postgres::types::Oid;

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::codec::Codec;
use crate::engine::postgres::error::engine_error;

/// A column on the wire.
pub struct WireColumn {
    /// Name as stored.
    pub name: String,
    /// How its fields are read and written.
    pub codec: Codec,
    /// Its type has binary input and output, down to the last part.
    pub has_binary: bool,
}

/// The tables' object identifiers. Unlike a cast to `regclass` this needs no right to look into their schemas.
pub async fn oids(conn: &mut PgConnection, tables: &[TableName]) -> Result<Vec<Oid>, EngineError> {
    let (schemas, names): (Vec<&str>, Vec<&str>) =
        tables.iter().map(|table| (table.schema.as_str(), table.name.as_str())).unzip();
    sqlx::query_scalar(
        "SELECT c.oid FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS x(schema, name)
         JOIN pg_catalog.pg_namespace n ON n.nspname = x.schema
         JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = x.name",
    )
    .bind(schemas)
    .bind(names)
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error("look the tables up", error))
}

/// A table's columns in order, those that the database computes left out.
pub async fn wire_columns(
    conn: &mut PgConnection,
    table: &TableName,
) -> Result<Vec<WireColumn>, EngineError> {
    // `part` walks from the column's type through domains, array elements, ranges, their subtypes and composite attributes.
    let rows = sqlx::query(
        r#"WITH RECURSIVE part(attnum, oid, depth) AS (
               SELECT a.attnum, a.atttypid, 0 FROM pg_catalog.pg_attribute a
               WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped
             UNION
               SELECT p.attnum, next.oid, p.depth + 1
               FROM part p
               JOIN pg_catalog.pg_type t ON t.oid = p.oid
               CROSS JOIN LATERAL (
                   SELECT t.typbasetype AS oid WHERE t.typtype = 'd'
                   UNION ALL SELECT t.typelem WHERE t.typcategory = 'A' AND t.typelem <> 0
                   UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid
                   UNION ALL SELECT r.rngtypid FROM pg_catalog.pg_range r WHERE pg_catalog.to_jsonb(r) ->> 'rngmultitypid' = t.oid::text
                   UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
                             WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
               ) next
               WHERE p.depth < 16
           )
           SELECT a.attname::text, tt.oid, tt.typname::text, tt.typtype::text, e.oid, e.typname::text, e.typtype::text,
                  (SELECT bool_and(t.typsend <> 0 AND t.typreceive <> 0)
                   FROM part p JOIN pg_catalog.pg_type t ON t.oid = p.oid WHERE p.attnum = a.attnum)
           FROM pg_catalog.pg_attribute a
           CROSS JOIN LATERAL (
               WITH RECURSIVE b(oid, depth) AS (
                   SELECT a.atttypid, 0
                   UNION ALL SELECT t.typbasetype, b.depth + 1 FROM b JOIN pg_catalog.pg_type t ON t.oid = b.oid WHERE t.typtype = 'd')
               SELECT t.* FROM b JOIN pg_catalog.pg_type t ON t.oid = b.oid ORDER BY b.depth DESC LIMIT 1) tt
           LEFT JOIN pg_catalog.pg_type e ON tt.typcategory = 'A' AND e.oid = tt.typelem
           WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
           ORDER BY a.attnum"#,
    )
    .bind(super::session::qualified(table))
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error(&format!("read the columns of {table}"), error))?;
    Ok(rows
        .iter()
        .map(|row| {
            let id =
                |index| row.get::<Option<sqlx::postgres::types::Oid>, _>(index).map(|oid| oid.0);
            let text = |index| row.get::<Option<String>, _>(index).unwrap_or_default();
            let base = codec(id(1).unwrap_or_default(), &text(2), &text(3));
            let codec = match id(4) {
                Some(element) => match codec(element, &text(5), &text(6)) {
                    Codec::Opaque => Codec::Opaque,
                    element => Codec::Array(Box::new(element)),
                },
                None => base,
            };
            WireColumn {
                name: row.get(0),
                codec,
                has_binary: row.get::<Option<bool>, _>(7).unwrap_or(false),
            }
        })
        .collect())
}

fn codec(oid: u32, name: &str, sort: &str) -> Codec {
    match (sort, name) {
        ("e", _) | ("b", "citext") => Codec::Text,
        _ => Codec::of_type(oid),
    }
}

/// Every partitioned table with its ancestors and descendants: pairs of a root and a member, from the
/// root down, roots and leaves included.
pub async fn partition_trees(
    conn: &mut PgConnection,
) -> Result<Vec<(TableName, TableName)>, EngineError> {
    let rows = sqlx::query(
        "WITH RECURSIVE tree(root, member, depth) AS (
             SELECT c.oid, c.oid, 0 FROM pg_catalog.pg_class c WHERE c.relkind = 'p' AND NOT c.relispartition
           UNION ALL
             SELECT t.root, i.inhrelid, t.depth + 1 FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.member)
         SELECT rn.nspname::text, r.relname::text, mn.nspname::text, m.relname::text FROM tree t
         JOIN pg_catalog.pg_class r ON r.oid = t.root JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
         JOIN pg_catalog.pg_class m ON m.oid = t.member JOIN pg_catalog.pg_namespace mn ON mn.oid = m.relnamespace
         ORDER BY 1, 2, t.depth, 3, 4",
    )
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error("read the partition trees", error))?;
    let name = |row: &sqlx::postgres::PgRow, at: usize| {
        TableName::new(row.get::<String, _>(at), row.get::<String, _>(at + 1))
    };
    Ok(rows.iter().map(|row| (name(row, 0), name(row, 2))).collect())
}
