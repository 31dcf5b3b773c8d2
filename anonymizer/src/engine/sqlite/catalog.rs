//! Reads the catalog of a SQLite database from its pragmas, and from DDL text where SQLite keeps nothing else.
//!
//! Hidden: SQLite's own tables, the shadow tables behind virtual ones, and our run marker. A full-text index that follows
//! another table is listed as a materialized view, for that is what it is.

use rusqlite::{Connection, OptionalExtension as _, Result};

use super::ddl;
use super::kind::kind;
use super::marker;
use super::sql::quoted;
use super::virtual_table::{Storage, storage};
use crate::catalog::{
    Catalog, Check, Column, ForeignKey, Table, TableKind, TableName, UniqueKey, View,
};

/// The one schema a SQLite database has.
pub(super) const MAIN: &str = "main";

/// Reads everything the plan looks at.
pub(super) fn read(connection: &Connection) -> Result<Catalog> {
    let mut catalog = Catalog {
        engine: "sqlite".to_owned(),
        default_schema: MAIN.to_owned(),
        views: views(connection)?,
        ..Catalog::default()
    };
    for (name, sort, sql) in listed(connection)? {
        let kind = match sort.as_str() {
            "table" => TableKind::Plain,
            "virtual" => match storage(&sql) {
                Storage::Nothing => {
                    catalog.views.push(view(&name, false));
                    continue;
                }
                Storage::Follows(_) => {
                    catalog.views.push(view(&name, true));
                    continue;
                }
                Storage::Rows { .. } => TableKind::Plain,
                Storage::WordsOnly | Storage::Unknown => TableKind::Virtual,
            },
            _ => continue,
        };
        catalog.tables.push(table(connection, &name, kind, &sql)?);
    }
    catalog.foreign_keys = foreign_keys(connection, &catalog.tables)?;
    Ok(catalog)
}

/// Name, sort and CREATE statement of every table that is neither SQLite's own nor ours.
fn listed(connection: &Connection) -> Result<Vec<(String, String, String)>> {
    let mut statement = connection.prepare(
        "SELECT l.name, l.type, s.sql FROM pragma_table_list l \
         JOIN main.sqlite_schema s ON s.type = 'table' AND s.name = l.name \
         WHERE l.schema = 'main' AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND l.name <> ?1 \
         ORDER BY l.name",
    )?;
    let rows = statement.query_map([marker::TABLE], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<String>>(2)?.unwrap_or_default()))
    })?;
    rows.collect()
}

fn views(connection: &Connection) -> Result<Vec<View>> {
    let mut statement = connection
        .prepare("SELECT name FROM main.sqlite_schema WHERE type = 'view' ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok(view(&row.get::<_, String>(0)?, false)))?;
    rows.collect()
}

fn view(name: &str, materialized: bool) -> View {
    View { name: TableName::new(MAIN, name), materialized }
}

fn table(connection: &Connection, name: &str, kind: TableKind, sql: &str) -> Result<Table> {
    // The module of a virtual table may be unknown here: then it has no columns that anyone could name.
    let columns = match kind {
        TableKind::Virtual => columns(connection, name).unwrap_or_default(),
        _ => columns(connection, name)?,
    };
    let checks = if kind == TableKind::Plain { checks(sql, &columns) } else { Vec::new() };
    let unique_keys = if kind == TableKind::Plain {
        unique_keys(connection, name, &columns)?
    } else {
        Vec::new()
    };
    Ok(Table {
        name: TableName::new(MAIN, name),
        kind,
        columns,
        unique_keys,
        checks,
        exclusions: Vec::new(),
        parents: Vec::new(),
        partition_key: Vec::new(),
        triggers: connection.query_row(
            "SELECT count(*) FROM main.sqlite_schema \
             WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE",
            [name],
            |row| row.get(0),
        )?,
        row_security: false,
        estimated_rows: count(connection, name, kind)?,
        bytes: 0,
        extension: None,
    })
}

/// SQLite keeps no estimate; counting reads the smallest index only.
fn count(connection: &Connection, name: &str, kind: TableKind) -> Result<u64> {
    let sql = format!("SELECT count(*) FROM main.{}", quoted(name));
    let counted = connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
    if kind == TableKind::Virtual { Ok(counted.unwrap_or(0)) } else { counted }
}

/// The columns one can write in a rules file; those that a virtual table hides are its own affair.
fn columns(connection: &Connection, table: &str) -> Result<Vec<Column>> {
    let mut statement = connection.prepare(
        "SELECT name, type, \"notnull\", dflt_value, hidden FROM pragma_table_xinfo(?1, 'main') \
         WHERE hidden <> 1 ORDER BY cid",
    )?;
    let mut rows = statement.query([table])?;
    let mut columns = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let data_type: String = row.get(1)?;
        let (_, collation, _, _, autoincrement) =
            connection.column_metadata(Some(MAIN), table, &name)?;
        let collation = collation.map(|c| c.to_string_lossy().into_owned()).unwrap_or_default();
        columns.push(Column {
            kind: kind(&data_type, &collation),
            nullable: !row.get::<_, bool>(2)?,
            default: row.get(3)?,
            generated: row.get::<_, i64>(4)? > 1,
            identity: autoincrement,
            name,
            data_type,
        });
    }
    if let Some(alias) = Shape::read(connection, MAIN, table)?.rowid_column {
        for column in columns.iter_mut().filter(|column| column.name == alias) {
            column.nullable = false;
        }
    }
    Ok(columns)
}

/// How a table's rows are identified, which decides how they are copied.
pub(super) struct Shape {
    /// The INTEGER PRIMARY KEY column, which is the rowid.
    pub rowid_column: Option<String>,
    /// A name for a rowid that no column has: none where there is no such rowid, or where columns shadow all its names.
    pub rowid_alias: Option<&'static str>,
    /// The columns of the primary key, in its order.
    pub primary_key: Vec<String>,
}

impl Shape {
    /// Reads it.
    pub(super) fn read(connection: &Connection, schema: &str, table: &str) -> Result<Self> {
        let without_rowid: bool = connection.query_row(
            "SELECT wr FROM pragma_table_list WHERE schema = ?1 AND name = ?2",
            [schema, table],
            |row| row.get(0),
        )?;
        let mut statement = connection
            .prepare("SELECT name, type, pk FROM pragma_table_xinfo(?1, ?2) ORDER BY pk")?;
        let columns = statement
            .query_map([table, schema], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<Vec<(String, String, i64)>>>()?;
        let key: Vec<&(String, String, i64)> =
            columns.iter().filter(|(_, _, pk)| *pk > 0).collect();
        let has_key_index: bool = connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM pragma_index_list(?1, ?2) WHERE origin = 'pk')",
            [table, schema],
            |row| row.get(0),
        )?;
        // `INTEGER PRIMARY KEY DESC` is no alias of the rowid: such a key has an index of its own.
        let rowid_column = match key.as_slice() {
            [(name, declared, _)]
                if declared.eq_ignore_ascii_case("integer") && !without_rowid && !has_key_index =>
            {
                Some(name.clone())
            }
            _ => None,
        };
        let is_free =
            |alias: &&str| !columns.iter().any(|(name, ..)| name.eq_ignore_ascii_case(alias));
        let rowid_alias = ["rowid", "_rowid_", "oid"].into_iter().find(is_free);
        Ok(Self {
            rowid_alias: rowid_alias.filter(|_| !without_rowid && rowid_column.is_none()),
            rowid_column,
            primary_key: key.into_iter().map(|(name, ..)| name.clone()).collect(),
        })
    }
}

fn unique_keys(connection: &Connection, table: &str, columns: &[Column]) -> Result<Vec<UniqueKey>> {
    let mut keys = Vec::new();
    let shape = Shape::read(connection, MAIN, table)?;
    if let Some(column) = shape.rowid_column {
        keys.push(UniqueKey {
            name: "primary key".to_owned(),
            columns: vec![column],
            expressions: Vec::new(),
            primary: true,
            predicate: None,
            ignore_case: false,
            nulls_collide: false,
        });
    }
    let mut statement = connection.prepare(
        "SELECT name, origin FROM pragma_index_list(?1, 'main') WHERE \"unique\" ORDER BY name",
    )?;
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let (name, origin): (String, String) = (row.get(0)?, row.get(1)?);
        keys.push(unique_key(connection, columns, name, origin == "pk")?);
    }
    Ok(keys)
}

fn unique_key(
    connection: &Connection,
    of: &[Column],
    name: String,
    primary: bool,
) -> Result<UniqueKey> {
    let sql: Option<String> = connection
        .query_row(
            "SELECT sql FROM main.sqlite_schema WHERE type = 'index' AND name = ?1",
            [&name],
            |row| row.get(0),
        )
        .optional()?
        .flatten();
    let (parts, predicate) = sql.as_deref().map(ddl::index_parts).unwrap_or_default();
    let mut statement = connection.prepare(
        "SELECT name, coll FROM pragma_index_xinfo(?1, 'main') WHERE \"key\" ORDER BY seqno",
    )?;
    let members = statement
        .query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(Option<String>, String)>>>()?;
    let mut ignore_case =
        members.iter().any(|(_, collation)| collation.eq_ignore_ascii_case("nocase"));
    let (mut columns, mut expressions) = (Vec::new(), Vec::new());
    for (at, (column, _)) in members.into_iter().enumerate() {
        let part = parts.get(at).map(String::as_str).unwrap_or_default();
        // `lower(column)` and `upper(column)` count as the column itself, compared without case.
        let folded = if column.is_none() { ddl::folded(part) } else { None };
        ignore_case |= folded.is_some();
        match column.or(folded.map(|folded| as_stored(of, &folded))) {
            Some(column) => columns.push(column),
            None => expressions.push(part.to_owned()),
        }
    }
    let nulls_collide = false;
    Ok(UniqueKey { name, columns, expressions, primary, predicate, ignore_case, nulls_collide })
}

fn checks(create_table: &str, columns: &[Column]) -> Vec<Check> {
    let check = |(at, written): (usize, ddl::WrittenCheck)| Check {
        name: written.name.unwrap_or_else(|| format!("check {}", at + 1)),
        columns: columns
            .iter()
            .filter(|column| {
                written.names.iter().any(|name| name.eq_ignore_ascii_case(&column.name))
            })
            .map(|column| column.name.clone())
            .collect(),
        expression: written.expression,
    };
    ddl::checks(create_table).into_iter().enumerate().map(check).collect()
}

/// Foreign keys between the tables that exist, with names as stored: SQLite keeps them as written, in any case.
fn foreign_keys(connection: &Connection, tables: &[Table]) -> Result<Vec<ForeignKey>> {
    let mut keys = Vec::new();
    for child in tables.iter().filter(|table| table.kind == TableKind::Plain) {
        let mut statement = connection.prepare(
            "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1, 'main') \
             ORDER BY id, seq",
        )?;
        let members = statement
            .query_map([&child.name.name], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?
            .collect::<Result<Vec<(i64, String, String, Option<String>)>>>()?;
        for key in members.chunk_by(|a, b| a.0 == b.0) {
            let parent = tables.iter().find(|t| t.name.name.eq_ignore_ascii_case(&key[0].1));
            keys.extend(
                parent.map(|parent| foreign_key(connection, child, parent, key)).transpose()?,
            );
        }
    }
    Ok(keys)
}

fn foreign_key(
    connection: &Connection,
    child: &Table,
    parent: &Table,
    members: &[(i64, String, String, Option<String>)],
) -> Result<ForeignKey> {
    let columns: Vec<String> =
        members.iter().map(|(_, _, from, _)| as_stored(&child.columns, from)).collect();
    let named: Option<Vec<String>> = members
        .iter()
        .map(|(.., to)| to.as_ref().map(|to| as_stored(&parent.columns, to)))
        .collect();
    let referenced_columns = match named {
        Some(named) => named,
        // A key that names no columns means the parent's primary key.
        None => Shape::read(connection, MAIN, &parent.name.name)?.primary_key,
    };
    Ok(ForeignKey {
        name: format!("{}_{}_fkey", child.name.name, columns.join("_")),
        table: child.name.clone(),
        columns,
        references: parent.name.clone(),
        referenced_columns,
        validated: true,
        period: false,
    })
}

fn as_stored(columns: &[Column], written: &str) -> String {
    let column = columns.iter().find(|column| column.name.eq_ignore_ascii_case(written));
    column.map_or_else(|| written.to_owned(), |column| column.name.clone())
}
