//! The server's other databases: a snapshot of an instance holds every one of them.

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};

use crate::engine::EngineError;
use crate::engine::postgres::connect::Server;
use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::attempt::{alone, flag, number, rows, texts};
use crate::engine::postgres::scrub::platform;
use crate::engine::postgres::session::{self, ident};
use crate::rules::{DatabaseRule, ScrubRules};
use crate::scrub::{Found, Tally, names};

const ID: &str = "postgres.other-databases";

/// Numbers below it come with every database.
const FIRST_OWN: u32 = 16384;

struct Other {
    name: String,
    connectable: bool,
    /// The run's role may drop it.
    ours: bool,
    template: bool,
}

async fn others(conn: &mut PgConnection) -> Result<Vec<Other>, EngineError> {
    let sql = format!(
        "SELECT d.datname::text, d.datallowconn, pg_catalog.pg_has_role(d.datdba, 'USAGE'), d.datistemplate FROM pg_catalog.pg_database d
         WHERE d.datname NOT IN (pg_catalog.current_database(), 'template0') AND NOT {} ORDER BY 1",
        platform::DATABASE
    );
    let rows = rows(conn, "read the server's databases", &sql).await?;
    let other = |row: &sqlx::postgres::PgRow| Other {
        name: row.get(0),
        connectable: row.get(1),
        ours: row.get(2),
        template: row.get(3),
    };
    Ok(rows.iter().map(other).collect())
}

fn rule(rules: &ScrubRules, database: &str) -> Option<DatabaseRule> {
    rules.databases.iter().find(|(name, _)| name.value == database).map(|(_, rule)| *rule)
}

/// Why a database may not leave as it is, or that it may: it is empty, or it was masked as the rules say.
async fn look(
    server: &Server,
    other: &Other,
    rule: Option<DatabaseRule>,
) -> Result<Result<(), String>, EngineError> {
    if !other.connectable {
        return Ok(Err("nobody may connect to it".to_owned()));
    }
    let mut conn = match session::open_in(server, Some(&other.name)).await {
        Ok(conn) => conn,
        Err(EngineError::Database { detail, .. }) => return Ok(Err(detail)),
        Err(error) => return Err(error),
    };
    let looked = match rule {
        Some(_) => is_masked(&mut conn, &other.name).await,
        None => is_empty(&mut conn, &other.name).await,
    };
    // It was only asked; how the conversation ends says nothing.
    let _ = conn.close().await;
    looked
}

async fn is_masked(conn: &mut PgConnection, name: &str) -> Result<Result<(), String>, EngineError> {
    let task = format!("ask {name} for its statement");
    let there = "SELECT pg_catalog.to_regclass('anonymizer.statement') IS NOT NULL";
    if !flag(conn, &task, there).await? {
        return Ok(Err("no run has masked it".to_owned()));
    }
    let passed = "SELECT count(*) FROM anonymizer.statement WHERE verdict = 'passed'";
    match number(conn, &task, passed).await {
        Ok(0) => Ok(Err("the run that masked it has not passed".to_owned())),
        Ok(_) => Ok(Ok(())),
        Err(EngineError::Database { detail, .. }) => Ok(Err(detail)),
        Err(error) => Err(error),
    }
}

/// Nothing in it that did not come with it or with an extension: no relation, and no function, type or schema either, whose
/// text may hold anything. An extension's table counts where it holds rows.
async fn is_empty(conn: &mut PgConnection, name: &str) -> Result<Result<(), String>, EngineError> {
    const OBJECTS: &str = "
        SELECT 'pg_catalog.pg_class'::regclass AS class, oid, relname::text AS name FROM pg_catalog.pg_class
        WHERE relkind IN ('r', 'p', 'm', 'f', 'v', 'S') AND relpersistence <> 't'
        UNION ALL SELECT 'pg_catalog.pg_proc'::regclass, oid, proname::text FROM pg_catalog.pg_proc
        UNION ALL SELECT 'pg_catalog.pg_type'::regclass, oid, typname::text FROM pg_catalog.pg_type
        WHERE typtype IN ('d', 'e', 'r') OR typtype = 'c' AND typrelid IN (SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'c')
        UNION ALL SELECT 'pg_catalog.pg_namespace'::regclass, oid, nspname::text FROM pg_catalog.pg_namespace
        WHERE nspname !~ '^pg_'
        UNION ALL SELECT 'pg_catalog.pg_foreign_server'::regclass, oid, srvname::text FROM pg_catalog.pg_foreign_server
        UNION ALL SELECT 'pg_catalog.pg_event_trigger'::regclass, oid, evtname::text FROM pg_catalog.pg_event_trigger
        UNION ALL SELECT 'pg_catalog.pg_ts_dict'::regclass, oid, dictname::text FROM pg_catalog.pg_ts_dict
        UNION ALL SELECT 'pg_catalog.pg_largeobject'::regclass, oid, 'large object ' || oid FROM pg_catalog.pg_largeobject_metadata";
    let sql = format!(
        "SELECT name FROM ({OBJECTS}) AS object
         WHERE (oid >= {FIRST_OWN} OR class = 'pg_catalog.pg_largeobject'::regclass)
           AND (NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = class AND d.objid = oid
                              AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e')
                OR class = 'pg_catalog.pg_class'::regclass AND pg_catalog.pg_relation_size(oid) > 0
                   AND oid IN (SELECT oid FROM pg_catalog.pg_class WHERE relkind IN ('r', 'm')))
         ORDER BY 1"
    );
    let objects = texts(conn, &format!("look into {name}"), &sql).await?;
    Ok(if objects.is_empty() {
        Ok(())
    } else {
        Err(format!("no rule decides it, and it is not empty ({})", names(&objects)))
    })
}

/// What would fail: undecided ones, some that are not masked, some that this role cannot drop.
pub async fn findings(
    conn: &mut PgConnection,
    server: &Server,
    rules: &ScrubRules,
) -> Result<Vec<(String, String, String)>, EngineError> {
    let mut findings = Vec::new();
    if rules.reason(ID).is_some() {
        return Ok(findings);
    }
    for other in others(conn).await? {
        let rule = rule(rules, &other.name);
        let (why, cure) = match rule {
            Some(DatabaseRule::Drop) if other.ours => continue,
            Some(DatabaseRule::Drop) => (
                Err("is to be dropped and belongs to somebody else".to_owned()),
                "make this role a member of its owner",
            ),
            Some(DatabaseRule::Masked) => {
                (look(server, &other, rule).await?, "mask it first, with rules of its own")
            }
            None => (
                look(server, &other, rule).await?,
                "add it to `scrub: { databases: … }` as `drop` or `masked`",
            ),
        };
        if let Err(why) = why {
            findings.push((format!("database {}", other.name), why, cure.to_owned()));
        }
    }
    Ok(findings)
}

/// Drops those that go, and looks into the others.
pub async fn scrub(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    let others = others(scrub.conn).await?;
    if !scrub.whole_server() {
        let others: Vec<String> = others.into_iter().map(|other| other.name).collect();
        return Ok(Found::reported(format!("left: {}", names(&others))));
    }
    let mut tally = Tally::default();
    for other in &others {
        let rule = rule(&scrub.plan.scrub, &other.name);
        if rule == Some(DatabaseRule::Drop) {
            let name = ident(&other.name);
            let task = format!("drop the database {}", other.name);
            if other.template {
                let plain = format!("ALTER DATABASE {name} IS_TEMPLATE false");
                // Where this is refused, so is what follows.
                let _ = alone(scrub.conn, &task, &plain).await?;
            }
            let dropped =
                alone(scrub.conn, &task, &format!("DROP DATABASE {name} WITH (FORCE)")).await?;
            tally.note(format!("{} (dropped)", other.name), dropped);
            continue;
        }
        let state = if rule.is_some() { "masked" } else { "empty" };
        let looked = look(scrub.server, other, rule).await?;
        tally.note(format!("{} ({state})", other.name), looked);
    }
    Ok(tally.found("decided", "no other database"))
}

/// They hold locks and changes in databases that nobody here is connected to.
pub async fn prepared_transactions(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    let sql = "SELECT gid || ' in ' || database FROM pg_catalog.pg_prepared_xacts ORDER BY 1";
    let all = texts(scrub.conn, "read the prepared transactions", sql).await?;
    Ok(match (all.is_empty(), scrub.whole_server()) {
        (true, _) => Found::nothing("no prepared transaction"),
        (false, true) => {
            Found::failed(format!("neither committed nor rolled back: {}", names(&all)))
        }
        (false, false) => Found::reported(format!("left: {}", names(&all))),
    })
}
