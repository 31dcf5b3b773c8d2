//! Writes a table anew, and believes that nothing removed is left in it only when the server says so.
//!
//! VACUUM FULL takes along whatever rows somebody may still see: any transaction that runs anywhere on the server, a slot, a
//! prepared transaction. So everything that ran when the rows were removed is waited for, and afterwards the table's oldest
//! transaction (`relfrozenxid`, which VACUUM FULL sets to the point before which it took no removed row along) is held against
//! that moment.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use tokio::time::{Instant, sleep};

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::scrub::attempt::{Attempt, alone, flag, number, texts};
use crate::engine::postgres::session::{literal, qualified, run};
use crate::scrub::names;

/// How long others' transactions are waited for, all in all.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);
/// Rows are written again after a pause that grows up to this: who only reads, as ANALYZE in the background does, holds removed
/// rows back without being among the transactions that can be waited for, and not every role is shown it.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// How a session is told of, as opposed to a slot or a prepared transaction.
const SESSION: &str = "session ";

/// A moment in the order of transactions: what was removed before it is to go.
pub struct Horizon {
    /// As SQL.
    xid: String,
    until: Instant,
}

impl Horizon {
    /// Now.
    pub async fn now(conn: &mut PgConnection) -> Result<Self, EngineError> {
        let sql = "SELECT (pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::numeric % 4294967296)::text";
        let xid = texts(conn, "read the transaction counter", sql).await?.concat();
        Ok(Self { xid: format!("{}::xid", literal(&xid)), until: Instant::now() + PATIENCE })
    }

    /// Waits until whatever ran at that moment has ended, as long as it may last.
    async fn wait(&self, conn: &mut PgConnection) -> Result<(), EngineError> {
        let sql = format!(
            "SELECT pg_catalog.age((pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text::numeric % 4294967296)::text::xid)
                    <= pg_catalog.age({})
                 OR EXISTS (SELECT FROM pg_catalog.pg_prepared_xacts)",
            self.xid
        );
        while !flag(conn, "wait for other transactions", &sql).await? {
            if Instant::now() > self.until {
                return Ok(());
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// The table took along nothing that was removed before.
    async fn passed(&self, conn: &mut PgConnection, name: &str) -> Result<bool, EngineError> {
        let sql = format!(
            "SELECT pg_catalog.age(relfrozenxid) <= pg_catalog.age({}) FROM pg_catalog.pg_class WHERE oid = {}::regclass",
            self.xid,
            literal(name)
        );
        flag(conn, "look at a table's oldest transaction", &sql).await
    }

    /// Waits until nobody is shown to hold rows back, as long as it may last; who still does. Only sessions end by themselves.
    async fn outlasted(&self, conn: &mut PgConnection) -> Result<Vec<String>, EngineError> {
        loop {
            let holders = self.holders(conn).await?;
            let ends = holders.iter().all(|holder| holder.starts_with(SESSION));
            if holders.is_empty() || !ends || Instant::now() > self.until {
                return Ok(holders);
            }
            sleep(PAUSE).await;
        }
    }

    /// Who may still see what was removed before; of sessions of other roles not every role is told.
    async fn holders(&self, conn: &mut PgConnection) -> Result<Vec<String>, EngineError> {
        let sql = format!(
            "WITH horizon AS (SELECT pg_catalog.age({}) AS age)
             SELECT 'slot ' || slot_name FROM pg_catalog.pg_replication_slots, horizon
             WHERE greatest(pg_catalog.age(xmin), pg_catalog.age(catalog_xmin)) >= age
             UNION ALL
             SELECT 'prepared transaction ' || gid || ' of database ' || database FROM pg_catalog.pg_prepared_xacts, horizon
             WHERE pg_catalog.age(transaction) >= age
             UNION ALL
             SELECT '{SESSION}' || pid || coalesce(' of database ' || datname, '') FROM pg_catalog.pg_stat_activity, horizon
             WHERE pid <> pg_catalog.pg_backend_pid()
               AND greatest(pg_catalog.age(backend_xmin), pg_catalog.age(backend_xid)) >= age",
            self.xid
        );
        texts(conn, "look for whoever holds old rows back", &sql).await
    }
}

/// Writes a table anew, with its indexes and its TOAST, under a path on which the functions of its indexes are found. PostgreSQL
/// answers a refusal with a warning only, so the new file is looked at.
pub async fn write_anew(
    conn: &mut PgConnection,
    table: &TableName,
    path: &str,
    horizon: &Horizon,
) -> Result<Attempt, EngineError> {
    let name = qualified(table);
    let before = file_of(conn, &name).await?;
    let mut pause = PAUSE;
    let holders = loop {
        horizon.wait(conn).await?;
        if let Err(why) = vacuum(conn, table, path).await? {
            return Ok(Err(why));
        }
        if file_of(conn, &name).await? == before {
            return Ok(Err("insufficient privilege".to_owned()));
        }
        if horizon.passed(conn, &name).await? {
            return Ok(Ok(()));
        }
        let holders = horizon.outlasted(conn).await?;
        if !holders.is_empty() || Instant::now() > horizon.until {
            break holders;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    };
    Ok(Err(match holders.is_empty() {
        true => {
            "removed rows are held back by a transaction that this role is not shown".to_owned()
        }
        false => format!("removed rows are held back for {}", names(&holders)),
    }))
}

async fn vacuum(
    conn: &mut PgConnection,
    table: &TableName,
    path: &str,
) -> Result<Attempt, EngineError> {
    let task = format!("write {table} anew");
    let set = |path: &str| {
        format!("SELECT pg_catalog.set_config('search_path', {}, false)", literal(path))
    };
    run(conn, &task, &set(path)).await?;
    let done = alone(conn, &task, &format!("VACUUM (FULL) {}", qualified(table))).await;
    run(conn, &task, &set("pg_catalog")).await?;
    done
}

async fn file_of(conn: &mut PgConnection, name: &str) -> Result<i64, EngineError> {
    let sql = format!(
        "SELECT coalesce(pg_catalog.pg_relation_filenode({}::regclass)::bigint, 0)",
        literal(name)
    );
    number(conn, "look at a table's file", &sql).await
}
