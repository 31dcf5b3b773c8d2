//! The rights a run needs, as a managed service's master user has them: no superuser, but a member of the owners.
//!
//! Where the role may make itself a member of an owner, it does so for the run's time, and the ledger remembers to undo it.

use sqlx::postgres::PgConnection;
use sqlx::postgres::types::Oid;
use sqlx::{AssertSqlSafe, Row as _};

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::{ident, run};
use crate::engine::postgres::{large_objects, ledger, relation};

/// An owner that the run's role must be able to act as.
struct Owner {
    name: String,
    example: String,
    is_member: bool,
    may_join: bool,
    /// It is one already, by a grant of its own that lends no rights.
    without_rights: bool,
}

/// From version 16 on a membership itself says whether it lends the rights of the role, and whoever may grant it says so.
const SAYS_ITSELF: &str = "pg_catalog.current_setting('server_version_num')::int >= 160000";

/// Conditions on `c` in `pg_class` and `n` in `pg_namespace`: this role can read its rows, all of them.
pub const READABLE: &str = "(pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
    AND NOT pg_catalog.row_security_active(c.oid))";
/// It is an extension's own.
pub const OF_EXTENSION: &str =
    "EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
              AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e')";

/// Owners of the tables, of the materialized views and of the database (who alone may rewrite the statistics catalogs); and
/// of what the leak gate could not read otherwise.
const OWNERS: &str = "
WITH needed(owner, example) AS (
    SELECT c.relowner, min(n.nspname || '.' || c.relname)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = ANY ($1)
       OR (c.relkind = 'm' AND c.relispopulated AND n.nspname !~ '^pg_')
       OR (c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
           AND (n.nspname <> 'information_schema' OR c.oid >= 16384)
           AND NOT {readable} AND NOT {of_extension})
    GROUP BY c.relowner
  UNION ALL
    SELECT m.lomowner, 'large object ' || min(m.oid::bigint) FROM pg_catalog.pg_largeobject_metadata m
    WHERE NOT {readable_object} GROUP BY m.lomowner
  UNION ALL
    SELECT datdba, 'the database' FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
SELECT r.rolname::text, min(needed.example), pg_catalog.pg_has_role(r.oid, 'USAGE'),
       NOT r.rolsuper AND CASE WHEN {says_itself}
           THEN pg_catalog.pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION') ELSE me.rolinherit AND me.rolcreaterole END,
       EXISTS (SELECT FROM pg_catalog.pg_auth_members m
                WHERE m.roleid = r.oid AND m.member = me.oid AND pg_catalog.pg_has_role(m.grantor, 'USAGE'))
FROM needed JOIN pg_catalog.pg_roles r ON r.oid = needed.owner
JOIN pg_catalog.pg_roles me ON me.rolname = current_user
GROUP BY r.oid, r.rolname, r.rolsuper, me.oid, me.rolinherit, me.rolcreaterole ORDER BY 1";

async fn owners(conn: &mut PgConnection, tables: &[TableName]) -> Result<Vec<Owner>, EngineError> {
    let oids = relation::oids(conn, tables).await?;
    let sql = OWNERS
        .replace("{readable}", READABLE)
        .replace("{of_extension}", OF_EXTENSION)
        .replace("{says_itself}", SAYS_ITSELF)
        .replace("{readable_object}", large_objects::READABLE);
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(oids)
        .fetch_all(conn)
        .await
        .map_err(|error| engine_error("read the owners of the tables", error))?;
    let owner = |row: &sqlx::postgres::PgRow| Owner {
        name: row.get(0),
        example: row.get(1),
        is_member: row.get(2),
        may_join: row.get(3),
        without_rights: row.get(4),
    };
    Ok(rows.iter().map(owner).collect())
}

/// What is missing and cannot be had: subject, message, cure.
pub async fn findings(
    conn: &mut PgConnection,
    tables: &[TableName],
) -> Result<Vec<(String, String, String)>, EngineError> {
    let mut findings = Vec::new();
    for owner in owners(conn, tables).await? {
        if !owner.is_member && !owner.may_join {
            findings.push((
                owner.example,
                format!("is owned by {}, and this role is not a member of it", owner.name),
                format!("GRANT {} to this role, as a role that may", ident(&owner.name)),
            ));
        }
    }
    let oids = relation::oids(conn, tables).await?;
    // Whoever builds an index needs CREATE on its schema, and on its tablespace.
    let places = sqlx::query(
        "SELECT DISTINCT 'schema ' || n.nspname, 'GRANT CREATE ON SCHEMA ' || pg_catalog.quote_ident(n.nspname)
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = ANY ($1)
           AND NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE') AND NOT pg_catalog.has_schema_privilege(c.relowner, n.oid, 'CREATE')
         UNION
         SELECT DISTINCT 'tablespace ' || t.spcname, 'GRANT CREATE ON TABLESPACE ' || pg_catalog.quote_ident(t.spcname)
         FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
         JOIN pg_catalog.pg_class c ON c.oid = x.indrelid JOIN pg_catalog.pg_tablespace t ON t.oid = i.reltablespace
         WHERE x.indrelid = ANY ($1)
           AND NOT pg_catalog.has_tablespace_privilege(t.oid, 'CREATE') AND NOT pg_catalog.has_tablespace_privilege(c.relowner, t.oid, 'CREATE')
         UNION
         SELECT 'database ' || pg_catalog.current_database(), 'GRANT CREATE ON DATABASE ' || pg_catalog.quote_ident(pg_catalog.current_database())
         FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
           AND NOT pg_catalog.has_database_privilege(d.oid, 'CREATE') AND NOT pg_catalog.has_database_privilege(d.datdba, d.oid, 'CREATE')",
    )
    .bind(oids)
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error("read the privileges of this role", error))?;
    for row in &places {
        findings.push((
            row.get(0),
            "nothing may be created in it by this role".to_owned(),
            format!("{} to this role", row.get::<String, _>(1)),
        ));
    }
    Ok(findings)
}

/// Those of the tables whose rows this role cannot read before it has joined their owners, or because of row security.
pub async fn unreadable(
    conn: &mut PgConnection,
    tables: &[TableName],
) -> Result<Vec<TableName>, EngineError> {
    let oids = relation::oids(conn, tables).await?;
    let rows = sqlx::query(
        "SELECT n.nspname::text, c.relname::text
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = ANY ($1) AND (NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
            OR NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.row_security_active(c.oid))",
    )
    .bind(oids)
    .fetch_all(conn)
    .await
    .map_err(|error| engine_error("read the privileges of this role", error))?;
    Ok(rows
        .iter()
        .map(|row| TableName::new(row.get::<String, _>(0), row.get::<String, _>(1)))
        .collect())
}

/// What this role may see of a table.
pub struct Access {
    /// All of its rows, though row security may have to be lifted first.
    pub readable: bool,
    /// Row security is in the way of the owner too, whom this role may act as.
    pub forced: bool,
    /// The table is an extension's own.
    pub of_extension: bool,
    /// Bytes on disk, indexes left out.
    pub bytes: u64,
}

/// What this role may see of these tables, in their order.
pub async fn access(conn: &mut PgConnection, tables: &[Oid]) -> Result<Vec<Access>, EngineError> {
    let sql = format!(
        "SELECT {READABLE}, {OF_EXTENSION}, coalesce(pg_catalog.pg_table_size(c.oid), 0),
                pg_catalog.pg_has_role(c.relowner, 'USAGE') AND pg_catalog.row_security_active(c.oid)
         FROM ROWS FROM (pg_catalog.unnest($1::oid[])) WITH ORDINALITY x(oid, number)
         JOIN pg_catalog.pg_class c ON c.oid = x.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ORDER BY x.number"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(tables)
        .fetch_all(conn)
        .await
        .map_err(|error| engine_error("read the privileges of this role", error))?;
    let access = |row: &sqlx::postgres::PgRow| Access {
        readable: row.get::<bool, _>(0) || row.get::<bool, _>(3),
        of_extension: row.get(1),
        bytes: row.get::<i64, _>(2).unsigned_abs(),
        forced: row.get(3),
    };
    Ok(rows.iter().map(access).collect())
}

/// Joins the owners that the role is not a member of; part of the caller's transaction.
pub async fn take(conn: &mut PgConnection, tables: &[TableName]) -> Result<(), EngineError> {
    for owner in owners(conn, tables).await?.into_iter().filter(|owner| !owner.is_member) {
        let task = format!("become a member of {}", owner.name);
        let join = join(conn, &owner.name).await?;
        run(conn, &task, &join).await?;
        let undo = match owner.without_rights {
            true => join.replace("INHERIT TRUE", "INHERIT FALSE"),
            false => format!("REVOKE {} FROM CURRENT_USER", ident(&owner.name)),
        };
        let undo = vec![undo];
        ledger::record(conn, ledger::MEMBERSHIP, &owner.name, &undo, None).await?;
    }
    Ok(())
}

/// The statement by which this role gets the rights of another.
pub async fn join(conn: &mut PgConnection, role: &str) -> Result<String, EngineError> {
    let says_itself: bool = sqlx::query_scalar(AssertSqlSafe(format!("SELECT {SAYS_ITSELF}")))
        .fetch_one(conn)
        .await
        .map_err(|error| engine_error("read the server's version", error))?;
    let lending = if says_itself { " WITH INHERIT TRUE" } else { "" };
    Ok(format!("GRANT {} TO CURRENT_USER{lending}", ident(role)))
}

/// Leaves the owners that the run joined; part of the transaction that concludes the run.
pub async fn give_back(conn: &mut PgConnection) -> Result<(), EngineError> {
    for entry in ledger::taken_down(conn, ledger::MEMBERSHIP).await? {
        // The entry goes first: without the membership the ledger may be somebody else's.
        ledger::clear(conn, &entry).await?;
        for statement in &entry.restore {
            run(conn, &format!("leave {}", entry.name), statement).await?;
        }
    }
    Ok(())
}
