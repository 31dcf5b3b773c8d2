//! What the leak gate reads: every relation with rows of its own, and of it every column that can hold somebody's data.
//!
//! Columns of whole numbers are read where by their statistics some have nine digits or more: shorter ones are nobody's. Left
//! out are other numbers, dates, enums, network addresses and the like, of which no value is an identifier's text, and what
//! belongs to an extension and is closed to this role, which the scrub tells. Everything else that cannot be read is refused by name: a gate that
//! looks past a table proves nothing about it. Foreign tables are somebody else's rows and are not read.

use sqlx::Row as _;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgConnection, PgRow};

use crate::catalog::TableName;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::ident;
use crate::engine::postgres::{large_objects, rights};
use crate::engine::{EngineError, Source};
use crate::switches;

/// Built-in types of which no value is looked at. A domain over one, and a range or a multirange of one, is the same.
const HARMLESS: &[&str] = &[
    "bool",
    "int2",
    "float4",
    "float8",
    "money",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "uuid",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "bit",
    "varbit",
    "char",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "oid",
    "xid",
    "xid8",
    "cid",
    "tid",
    "pg_lsn",
    "pg_snapshot",
    "txid_snapshot",
    "regclass",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "regtype",
];

/// Columns of the relations of one identifier, or of all. A type's `form` is that of what it is made of: `bytes` and `text`
/// are sent as they are, and everything else is printed. Of the ledger only what may quote the database is read. Multiranges,
/// from version 14 on, are ranges of their range.
const COLUMNS: &str = "
WITH RECURSIVE relation AS (
    SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE (c.oid = $1 OR $1 IS NULL) AND (c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated) AND c.relpersistence <> 't'
       AND n.nspname !~ '^pg_' AND (n.nspname <> 'information_schema' OR c.oid >= 16384)
       AND NOT (n.nspname = 'anonymizer' AND c.relname IN ('run', 'unit', 'loaded', 'cascade_delete', 'statement'))),
field AS (
    SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod
      FROM relation JOIN pg_catalog.pg_attribute a ON a.attrelid = relation.oid
     WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'),
walk(type, at, ranged) AS (
    SELECT DISTINCT atttypid, atttypid, false FROM field
  UNION
    SELECT w.type, CASE t.typtype WHEN 'd' THEN t.typbasetype WHEN 'm' THEN m.rngtypid ELSE r.rngsubtype END, w.ranged OR t.typtype <> 'd'
      FROM walk w JOIN pg_catalog.pg_type t ON t.oid = w.at LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
      LEFT JOIN pg_catalog.pg_range m ON pg_catalog.to_jsonb(m) ->> 'rngmultitypid' = t.oid::text
     WHERE t.typtype IN ('d', 'r', 'm')),
form AS (
    SELECT w.type, t.typtype = 'e' OR t.typnamespace = 'pg_catalog'::regnamespace AND (t.typname = ANY ($2)
               OR w.ranged AND t.typname IN ('int4', 'int8', 'numeric')) AS harmless,
           CASE WHEN w.ranged OR p.prolang <> 12 THEN 'printed'
                WHEN p.prosrc = 'byteasend' THEN 'bytes'
                WHEN p.prosrc IN ('int4send', 'int8send', 'numeric_send') THEN 'number'
                WHEN p.prosrc IN ('textsend', 'varcharsend', 'bpcharsend', 'namesend', 'json_send') THEN 'text'
                ELSE 'printed' END AS form
      FROM walk w JOIN pg_catalog.pg_type t ON t.oid = w.at LEFT JOIN pg_catalog.pg_proc p ON p.oid = t.typsend
     WHERE t.typtype NOT IN ('d', 'r', 'm'))
SELECT relation.oid, relation.nspname::text AS schema, relation.relname::text AS name, field.attname::text AS column, form.form,
       CASE WHEN form.form = 'number' THEN
           $3 OR field.atttypmod > 0 AND (field.atttypmod - 4) & 65535 > 0 OR coalesce((
               SELECT pg_catalog.bool_and(pg_catalog.concat(s.histogram_bounds, s.most_common_vals) !~ '[{,][0-9]{9}')
                 FROM pg_catalog.pg_stats s
                WHERE s.schemaname = relation.nspname AND s.tablename = relation.relname AND s.attname = field.attname), false)
           ELSE false END
           OR form.harmless OR relation.nspname = 'anonymizer' AND relation.relname = 'taken_down' AND field.attname IN ('id', 'kind', 'name')
           AS harmless
  FROM relation JOIN field ON field.attrelid = relation.oid JOIN form ON form.type = field.atttypid
 ORDER BY relation.nspname, relation.relname, field.attnum";

/// How a column's values come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text, as it is sent.
    Text,
    /// Bytes, as they are sent.
    Bytes,
    /// The text that the type's own output function prints.
    Printed,
}

/// A column that can be read.
pub struct Column {
    /// Its table.
    table: TableName,
    /// The table's object identifier.
    oid: Oid,
    /// Its name.
    pub name: String,
    /// How its values come.
    pub form: Form,
    /// None of its values is looked for.
    harmless: bool,
}

impl Column {
    /// What is selected to get its values. A cast to text might run a function of the user's; `concat` prints. Only whole
    /// values are NULL here: one whose parts are all NULL is not.
    pub fn expression(&self) -> String {
        let name = ident(&self.name);
        match self.form {
            Form::Text | Form::Bytes => name,
            Form::Printed => {
                format!("CASE WHEN {name} IS DISTINCT FROM NULL THEN pg_catalog.concat({name}) END")
            }
        }
    }

    /// What its fields hold is text.
    pub fn is_text(&self) -> bool {
        self.form != Form::Bytes
    }
}

/// Columns of every relation that has rows, or of one.
pub async fn columns(
    conn: &mut PgConnection,
    relation: Option<Oid>,
) -> Result<Vec<Column>, EngineError> {
    let rows = sqlx::query(COLUMNS)
        .bind(relation)
        .bind(HARMLESS)
        .bind(switches::is_off("gate.numbers"))
        .fetch_all(conn)
        .await
        .map_err(|error| engine_error("read the columns to look at", error))?;
    let column = |row: &PgRow| Column {
        table: TableName::new(row.get::<String, _>("schema"), row.get::<String, _>("name")),
        oid: row.get("oid"),
        name: row.get("column"),
        form: match row.get::<&str, _>("form") {
            "text" => Form::Text,
            "bytes" => Form::Bytes,
            _ => Form::Printed,
        },
        harmless: row.get("harmless"),
    };
    Ok(rows.iter().map(column).collect())
}

/// Everything to read, largest first.
pub async fn list(conn: &mut PgConnection) -> Result<Vec<Source>, EngineError> {
    let columns: Vec<Column> =
        columns(conn, None).await?.into_iter().filter(|column| !column.harmless).collect();
    let relations: Vec<&[Column]> = columns.chunk_by(|a, b| a.oid == b.oid).collect();
    let oids: Vec<Oid> = relations.iter().map(|columns| columns[0].oid).collect();
    let access = rights::access(conn, &oids).await?;
    let mut sources = Vec::new();
    for (columns, access) in relations.into_iter().zip(access) {
        let table = columns[0].table.clone();
        match access.readable {
            true => sources.push(Source {
                table,
                columns: columns.iter().map(|column| column.name.clone()).collect(),
                bytes: access.bytes,
            }),
            false if access.of_extension => {}
            false => return Err(refused(&table.to_string())),
        }
    }
    sources.extend(large_objects::source(conn).await?);
    sources.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.table.cmp(&b.table)));
    Ok(sources)
}

/// What is closed to this role cannot be proved clean.
pub fn refused(what: &str) -> EngineError {
    EngineError::Refused(format!(
        "{what} cannot be read as a whole by this role\n(hint: connect as a role that is a member of its owner)"
    ))
}
