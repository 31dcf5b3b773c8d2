//! Large objects as a source of bytes: one row each, and more for one that is larger than a piece.
//!
//! Nothing is written. An object that this role may not read is refused by its number.

use sqlx::AssertSqlSafe;
use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use crate::catalog::TableName;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::{read, sources};
use crate::engine::{EngineError, Read, Reader, Source};

/// Bytes that are read at a time: an object may be larger than a field of a row.
const PIECE: i64 = 16 << 20;
/// Bytes that two pieces share, so that nothing is cut in two.
const OVERLAP: i64 = 4 << 10;

/// A condition on `m` in `pg_largeobject_metadata`: this role may read it.
pub const READABLE: &str = "(pg_catalog.pg_has_role(m.lomowner, 'USAGE')
    OR pg_catalog.current_setting('lo_compat_privileges')::bool
    OR EXISTS (SELECT FROM pg_catalog.aclexplode(m.lomacl) a WHERE a.privilege_type = 'SELECT'
                AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE'))))";

/// The catalog they lie in.
pub fn name() -> TableName {
    TableName::new("pg_catalog", "pg_largeobject")
}

/// The source, where there are any.
pub async fn source(conn: &mut PgConnection) -> Result<Option<Source>, EngineError> {
    let sql = format!(
        "SELECT count(*) AS objects, pg_catalog.pg_relation_size('pg_catalog.pg_largeobject') AS bytes,
                min(m.oid::bigint) FILTER (WHERE NOT {READABLE}) AS closed
           FROM pg_catalog.pg_largeobject_metadata m"
    );
    let row = sqlx::query(AssertSqlSafe(sql))
        .fetch_one(conn)
        .await
        .map_err(|error| engine_error("look for large objects", error))?;
    if let Some(closed) = row.get::<Option<i64>, _>("closed") {
        return Err(sources::refused(&format!("large object {closed}")));
    }
    let bytes = row.get::<i64, _>("bytes").unsigned_abs();
    let source = || Source { table: name(), columns: vec!["data".to_owned()], bytes };
    Ok((row.get::<i64, _>("objects") > 0).then(source))
}

/// Reads every object.
pub async fn read(conn: &mut PgConnection, reader: &mut dyn Reader) -> Result<(), EngineError> {
    let mut long = Vec::new();
    let first = format!(
        "SELECT m.oid, pg_catalog.lo_get(m.oid, 0, {PIECE}) FROM pg_catalog.pg_largeobject_metadata m"
    );
    pieces(conn, &first, &mut |object, data| {
        reader.row(&[Read::Bytes(data)]);
        if data.len() as i64 == PIECE {
            long.push(object);
        }
    })
    .await?;
    for object in long {
        let (mut at, mut whole) = (0, true);
        while whole {
            at += PIECE - OVERLAP;
            let next = format!("SELECT {object}::oid, pg_catalog.lo_get({object}, {at}, {PIECE})");
            pieces(conn, &next, &mut |_, data| {
                reader.row(&[Read::Bytes(data)]);
                whole = data.len() as i64 == PIECE;
            })
            .await?;
        }
    }
    Ok(())
}

/// Hands on the identifier and the bytes of each row.
async fn pieces(
    conn: &mut PgConnection,
    query: &str,
    piece: &mut (dyn FnMut(u32, &[u8]) + Send),
) -> Result<(), EngineError> {
    let copy_out = format!("COPY ({query}) TO STDOUT (FORMAT binary)");
    read::copy(conn, "read the large objects", &copy_out, &[false, false], &mut |row| {
        if let [Read::Bytes(object), Read::Bytes(data)] = row {
            // An oid is four bytes.
            let object = object.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
            piece(object, data);
        }
    })
    .await
}
