//! Unique keys, exclusions, CHECKs and foreign keys.
//!
//! A unique index that is not ready (left behind by a failed concurrent build) enforces nothing and is left out. Copies of a
//! foreign key that the server keeps on partitions are left out as well, and so are CHECKs that are NOT ENFORCED.
//!
//! What only newer versions have is read from a row as JSON, in which an older one simply lacks it.

use sqlx::postgres::PgRow;
use sqlx::postgres::types::Oid;
use sqlx::{PgConnection, Row as _};

use super::Tables;
use crate::catalog::{Check, ForeignKey, TableName, UniqueKey};

// `lower(column)` and `upper(column)` count as the column itself, compared without case.
const UNIQUE_KEYS: &str = "
SELECT i.indrelid AS relation, c.relname::text AS name, i.indisprimary AS is_primary, i.indisunique AS is_unique,
       coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false) AS nulls_collide,
       pg_catalog.pg_get_expr(i.indpred, i.indrelid, true) AS predicate, k.columns, k.expressions, k.ignore_case
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
 CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(a.attname::text ORDER BY p.n) FILTER (WHERE a.attname IS NOT NULL), '{}') AS columns,
              coalesce(array_agg(pg_catalog.pg_get_indexdef(i.indexrelid, p.n, true) ORDER BY p.n)
                       FILTER (WHERE a.attname IS NULL), '{}') AS expressions,
              coalesce(bool_or(i.indkey[p.n - 1] = 0 AND a.attname IS NOT NULL
                       OR NOT coalesce(l.collisdeterministic, true)
                       OR o.opcname IN ('citext_ops', 'citext_pattern_ops')), false) AS ignore_case
         FROM pg_catalog.generate_series(1, i.indnkeyatts::int) AS p(n)
         LEFT JOIN pg_catalog.pg_collation l ON l.oid = i.indcollation[p.n - 1]
         LEFT JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[p.n - 1]
         LEFT JOIN LATERAL (
              SELECT b.attname FROM pg_catalog.pg_attribute b
               WHERE b.attrelid = i.indrelid AND b.attnum > 0 AND NOT b.attisdropped
                 AND CASE WHEN i.indkey[p.n - 1] <> 0 THEN b.attnum = i.indkey[p.n - 1]
                          ELSE pg_catalog.pg_get_indexdef(i.indexrelid, p.n, false) IN (
                               pg_catalog.format('lower(%I)', b.attname), pg_catalog.format('lower((%I)::text)', b.attname),
                               pg_catalog.format('upper(%I)', b.attname), pg_catalog.format('upper((%I)::text)', b.attname))
                     END
              ) a ON true) k
 WHERE i.indrelid = ANY($1) AND (i.indisunique OR i.indisexclusion) AND i.indisready
 ORDER BY i.indrelid, i.indisprimary DESC, c.relname";

const CHECKS: &str = "
SELECT c.conrelid AS relation, c.conname::text AS name, pg_catalog.pg_get_expr(c.conbin, c.conrelid, true) AS expression,
       ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY AS k(attnum, n)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum ORDER BY k.n) AS columns
  FROM pg_catalog.pg_constraint c
 WHERE c.conrelid = ANY($1) AND c.contype = 'c' AND pg_catalog.to_jsonb(c) ->> 'conenforced' IS DISTINCT FROM 'false'
 ORDER BY c.conrelid, c.conname";

const FOREIGN_KEYS: &str = "
SELECT f.conname::text AS name, f.convalidated AS validated,
       coalesce((pg_catalog.to_jsonb(f) ->> 'conperiod')::bool, false) AS period,
       n.nspname::text AS schema, t.relname::text AS relation,
       m.nspname::text AS referenced_schema, r.relname::text AS referenced,
       ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(f.conkey) WITH ORDINALITY AS k(attnum, n)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum ORDER BY k.n) AS columns,
       ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(f.confkey) WITH ORDINALITY AS k(attnum, n)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum ORDER BY k.n)
         AS referenced_columns
  FROM pg_catalog.pg_constraint f
  JOIN pg_catalog.pg_class t ON t.oid = f.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_catalog.pg_class r ON r.oid = f.confrelid JOIN pg_catalog.pg_namespace m ON m.oid = r.relnamespace
 WHERE f.contype = 'f' AND f.conparentid = 0 AND f.conrelid = ANY($1)
 ORDER BY n.nspname, t.relname, f.conname";

/// Fills the tables' unique keys and exclusions.
pub(super) async fn read_unique(
    conn: &mut PgConnection,
    found: &mut Tables,
) -> Result<(), sqlx::Error> {
    for row in sqlx::query(UNIQUE_KEYS).bind(&found.oids).fetch_all(conn).await? {
        let Some(table) = found.of(&row)? else { continue };
        let key = UniqueKey {
            name: row.try_get("name")?,
            columns: row.try_get("columns")?,
            expressions: row.try_get("expressions")?,
            primary: row.try_get("is_primary")?,
            predicate: row.try_get("predicate")?,
            ignore_case: row.try_get("ignore_case")?,
            nulls_collide: row.try_get("nulls_collide")?,
        };
        if row.try_get("is_unique")? { &mut table.unique_keys } else { &mut table.exclusions }
            .push(key);
    }
    Ok(())
}

/// Adds the tables' own CHECKs to those of their domains.
pub(super) async fn read_checks(
    conn: &mut PgConnection,
    found: &mut Tables,
) -> Result<(), sqlx::Error> {
    for row in sqlx::query(CHECKS).bind(&found.oids).fetch_all(conn).await? {
        let Some(table) = found.of(&row)? else { continue };
        table.checks.push(Check {
            name: row.try_get("name")?,
            columns: row.try_get("columns")?,
            expression: row.try_get("expression")?,
        });
    }
    Ok(())
}

/// Reads the foreign keys of these tables.
pub(super) async fn read_foreign(
    conn: &mut PgConnection,
    oids: &[Oid],
) -> Result<Vec<ForeignKey>, sqlx::Error> {
    let rows = sqlx::query(FOREIGN_KEYS).bind(oids).fetch_all(conn).await?;
    rows.iter().map(foreign_key).collect()
}

fn foreign_key(row: &PgRow) -> Result<ForeignKey, sqlx::Error> {
    let text = |column: &str| row.try_get::<String, _>(column);
    Ok(ForeignKey {
        name: text("name")?,
        table: TableName::new(text("schema")?, text("relation")?),
        columns: row.try_get("columns")?,
        references: TableName::new(text("referenced_schema")?, text("referenced")?),
        referenced_columns: row.try_get("referenced_columns")?,
        validated: row.try_get("validated")?,
        period: row.try_get("period")?,
    })
}
