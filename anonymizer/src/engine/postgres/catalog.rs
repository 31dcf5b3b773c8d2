//! Reads the catalog of a PostgreSQL database, versions 13 to 18, in a handful of set-based queries.
//!
//! System schemas, temporary ones and the ledger's own are left out; of `information_schema`, what came with the server. Nothing here writes, and no row of a user's table is
//! read. Expressions are printed under the connection's `search_path`, so a caller that compares two catalogs reads both
//! under the same one.

mod keys;
mod kinds;

use std::collections::HashMap;

use sqlx::postgres::types::Oid;
use sqlx::{PgConnection, Row as _};

use crate::catalog::{Catalog, Check, Column, Table, TableKind, TableName, View};
use kinds::Types;

/// The schema that holds the ledger; no rule ever speaks about it.
const LEDGER_SCHEMA: &str = "anonymizer";

const TABLES: &str = "
SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
       c.relrowsecurity AS row_security,
       greatest(c.reltuples, 0)::bigint AS rows,
       coalesce(pg_catalog.pg_total_relation_size(c.oid), 0) AS bytes,
       (SELECT count(*) FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) AS triggers,
       (SELECT e.extname::text FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
         WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
           AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e') AS extension
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> $1
   AND (n.nspname <> 'information_schema' OR c.oid >= 16384)
 ORDER BY n.nspname, c.relname";

const COLUMNS: &str = "
SELECT a.attrelid AS relation, a.attname::text AS name, a.atttypid AS type, a.atttypmod AS modifier,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS data_type, a.attnotnull AS not_null,
       a.attgenerated <> '' AS generated,
       a.attidentity <> '' OR s.refobjid IS NOT NULL AS identity,
       CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END AS expression,
       coalesce(NOT l.collisdeterministic, false) AS ignore_case
  FROM pg_catalog.pg_attribute a
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
  LEFT JOIN (SELECT DISTINCT o.refobjid, o.refobjsubid
               FROM pg_catalog.pg_depend o JOIN pg_catalog.pg_class q ON q.oid = o.objid AND q.relkind = 'S'
              WHERE o.classid = 'pg_catalog.pg_class'::regclass AND o.refclassid = 'pg_catalog.pg_class'::regclass
                AND o.deptype IN ('a', 'i')) s
         ON s.refobjid = a.attrelid AND s.refobjsubid = a.attnum
 WHERE a.attrelid = ANY($1) AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attrelid, a.attnum";

const PARENTS: &str = "
SELECT i.inhrelid AS relation, n.nspname::text AS schema, c.relname::text AS name
  FROM pg_catalog.pg_inherits i
  JOIN pg_catalog.pg_class c ON c.oid = i.inhparent JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE i.inhrelid = ANY($1)
 ORDER BY i.inhrelid, i.inhseqno";

// Each column that a partition key reads, bare or inside an expression, depends internally on its own table.
const PARTITION_KEYS: &str = "
SELECT p.partrelid AS relation, a.attname::text AS name
  FROM pg_catalog.pg_partitioned_table p
  JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE p.partrelid = ANY($1)
   AND (a.attnum = ANY(p.partattrs::smallint[])
        OR EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = p.partrelid AND d.objsubid = a.attnum
                      AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = p.partrelid
                      AND d.refobjsubid = 0 AND d.deptype = 'i'))
 ORDER BY p.partrelid, a.attnum";

const VIEWS: &str = "
SELECT n.nspname::text AS schema, c.relname::text AS name, c.relkind = 'm' AS materialized
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> $1
   AND (n.nspname <> 'information_schema' OR c.oid >= 16384)
 ORDER BY n.nspname, c.relname";

/// What the queries share: the tables so far, and where each one's object identifier leads.
struct Tables {
    tables: Vec<Table>,
    index: HashMap<Oid, usize>,
    oids: Vec<Oid>,
}

/// Reads the whole catalog.
pub async fn read(conn: &mut PgConnection) -> Result<Catalog, sqlx::Error> {
    let types = Types::read(conn).await?;
    let mut found = Tables::read(conn).await?;
    found.read_columns(conn, &types).await?;
    found.read_parents(conn).await?;
    found.read_partition_keys(conn).await?;
    keys::read_unique(conn, &mut found).await?;
    keys::read_checks(conn, &mut found).await?;
    let foreign_keys = keys::read_foreign(conn, &found.oids).await?;
    Ok(Catalog {
        engine: "postgres".into(),
        default_schema: "public".into(),
        tables: found.tables,
        foreign_keys,
        views: read_views(conn).await?,
    })
}

impl Tables {
    async fn read(conn: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let rows = sqlx::query(TABLES).bind(LEDGER_SCHEMA).fetch_all(conn).await?;
        let mut found = Self { tables: Vec::new(), index: HashMap::new(), oids: Vec::new() };
        for row in rows {
            let oid: Oid = row.try_get("oid")?;
            found.index.insert(oid, found.tables.len());
            found.oids.push(oid);
            found.tables.push(Table {
                name: table_name(&row)?,
                kind: table_kind(row.try_get("kind")?),
                columns: Vec::new(),
                unique_keys: Vec::new(),
                checks: Vec::new(),
                exclusions: Vec::new(),
                parents: Vec::new(),
                partition_key: Vec::new(),
                triggers: u32::try_from(row.try_get::<i64, _>("triggers")?).unwrap_or(u32::MAX),
                row_security: row.try_get("row_security")?,
                estimated_rows: row.try_get::<i64, _>("rows")?.unsigned_abs(),
                bytes: row.try_get::<i64, _>("bytes")?.unsigned_abs(),
                extension: row.try_get("extension")?,
            });
        }
        Ok(found)
    }

    /// The table that a row of a later query speaks about; `None` when it appeared in between.
    fn of(&mut self, row: &sqlx::postgres::PgRow) -> Result<Option<&mut Table>, sqlx::Error> {
        let oid: Oid = row.try_get("relation")?;
        Ok(self.index.get(&oid).map(|at| &mut self.tables[*at]))
    }

    async fn read_columns(
        &mut self,
        conn: &mut PgConnection,
        types: &Types,
    ) -> Result<(), sqlx::Error> {
        for row in sqlx::query(COLUMNS).bind(&self.oids).fetch_all(conn).await? {
            let Some(table) = self.of(&row)? else { continue };
            let name: String = row.try_get("name")?;
            let data_type: String = row.try_get("data_type")?;
            let known = types.describe(row.try_get("type")?, row.try_get("modifier")?, &data_type);
            let folds_case: bool = row.try_get("ignore_case")?;
            let not_null: bool = row.try_get("not_null")?;
            table.checks.extend(known.checks.into_iter().map(|(check, expression)| Check {
                name: check,
                columns: vec![name.clone()],
                expression,
            }));
            table.columns.push(Column {
                name,
                data_type,
                kind: if folds_case { kinds::ignoring_case(known.kind) } else { known.kind },
                nullable: !not_null && !known.not_null,
                default: row.try_get("expression")?,
                generated: row.try_get("generated")?,
                identity: row.try_get("identity")?,
            });
        }
        Ok(())
    }

    async fn read_parents(&mut self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        for row in sqlx::query(PARENTS).bind(&self.oids).fetch_all(conn).await? {
            if let Some(table) = self.of(&row)? {
                table.parents.push(table_name(&row)?);
            }
        }
        Ok(())
    }

    async fn read_partition_keys(&mut self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        for row in sqlx::query(PARTITION_KEYS).bind(&self.oids).fetch_all(conn).await? {
            if let Some(table) = self.of(&row)? {
                table.partition_key.push(row.try_get("name")?);
            }
        }
        Ok(())
    }
}

async fn read_views(conn: &mut PgConnection) -> Result<Vec<View>, sqlx::Error> {
    let rows = sqlx::query(VIEWS).bind(LEDGER_SCHEMA).fetch_all(conn).await?;
    rows.iter()
        .map(|row| Ok(View { name: table_name(row)?, materialized: row.try_get("materialized")? }))
        .collect()
}

fn table_name(row: &sqlx::postgres::PgRow) -> Result<TableName, sqlx::Error> {
    Ok(TableName::new(row.try_get::<String, _>("schema")?, row.try_get::<String, _>("name")?))
}

fn table_kind(relkind: &str) -> TableKind {
    match relkind {
        "p" => TableKind::Partitioned,
        "f" => TableKind::Foreign,
        _ => TableKind::Plain,
    }
}
