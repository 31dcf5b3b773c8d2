//! PostgreSQL, in three phases, for a role that is no superuser.
//!
//! 1. One transaction: the ledger, the rights, every foreign key around a rewritten table down ([`keys`], [`rights`]).
//! 2. One transaction per unit, several at a time ([`unit`]): COPY OUT, mask, spool, empty, COPY … FREEZE, rebuild. The table
//!    itself stays, and with it whatever hangs on it.
//! 3. One transaction per foreign key, then materialized views and statistics ([`finish`]).
//!
//! Then the database is looked at ([`sources`], [`read`], [`metadata`]) with the rights that the run has taken, and one last
//! transaction leaves the verdict and gives them back ([`marker`]).
//!
//! Whatever is taken down stands in the [`ledger`] first, so that a run killed at any moment can be run again.

pub mod catalog;

mod array_text;
mod binary;
mod cascade;
mod check;
mod codec;
mod connect;
mod error;
mod event_triggers;
mod fields;
mod finish;
mod guard;
mod indexes;
mod keys;
mod large_objects;
mod ledger;
mod loaded;
mod marker;
mod metadata;
mod numeric;
mod preview;
mod quiet;
mod read;
mod relation;
mod rights;
mod rows;
mod scrub;
mod sequences;
mod session;
mod sources;
mod spool;
mod statistics;
mod subscriptions;
mod text;
mod unit;
mod unvalidated;

use std::path::PathBuf;
use std::sync::OnceLock;

use sqlx::postgres::PgConnection;
use tokio::sync::Mutex;

use crate::catalog::{Catalog, TableName};
pub use crate::engine::postgres::connect::{Renew, Server, Trust};
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::run;
use crate::engine::{
    Begun, Engine, EngineError, Marker, Masked, Reader, RunOptions, Sample, Scope, Source,
    TableOutcome, Unit,
};
use crate::kept::Kept;
use crate::plan::{Action, Plan};
use crate::progress::Progress;
use contract::report::ScrubCheck;

/// A PostgreSQL database.
pub struct PostgresEngine {
    server: Server,
    /// The session that holds the run's lock.
    control: Mutex<PgConnection>,
    /// The tables that an earlier, interrupted run had masked when this one began.
    resumed: OnceLock<Vec<TableName>>,
}

impl PostgresEngine {
    /// Connects to the database at a URL.
    pub async fn connect(url: &str) -> Result<Self, EngineError> {
        Self::connect_to(Server::new(url, Trust::default(), None)?).await
    }

    /// Connects. URL and environment were read as libpq reads them (`sslmode`, `PGSSLROOTCERT`, …), but for a server on another
    /// machine, which has to show who it is.
    pub async fn connect_to(server: Server) -> Result<Self, EngineError> {
        let control = Mutex::new(session::open(&server).await?);
        Ok(Self { server, control, resumed: OnceLock::new() })
    }
}

impl Engine for PostgresEngine {
    fn location(&self) -> String {
        let options = self.server.named();
        let host = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        format!("{host}/{}", options.get_database().unwrap_or(options.get_username()))
    }

    async fn catalog(&self) -> Result<Catalog, EngineError> {
        let conn = &mut *self.control.lock().await;
        let mut catalog =
            catalog::read(conn).await.map_err(|error| engine_error("read the catalog", error))?;
        if ledger::exists(conn).await? {
            catalog.foreign_keys.extend(ledger::foreign_keys_down(conn).await?);
        }
        Ok(catalog)
    }

    async fn check(
        &self,
        plan: &Plan,
        scope: Scope,
    ) -> Result<Vec<(String, String, String)>, EngineError> {
        let catalog = self.catalog().await?;
        let conn = &mut *self.control.lock().await;
        refuse_read_only(conn).await?;
        run(conn, "check the database", "BEGIN TRANSACTION READ ONLY").await?;
        let findings = check::findings(conn, plan, &catalog).await;
        run(conn, "check the database", "ROLLBACK").await?;
        let mut findings = findings?;
        findings.extend(scrub::findings(conn, &self.server, &plan.scrub, scope).await?);
        Ok(findings)
    }

    async fn preview(&self, plan: &Plan, rows: usize) -> Result<Vec<Sample>, EngineError> {
        let conn = &mut *self.control.lock().await;
        run(conn, "preview", "BEGIN TRANSACTION READ ONLY").await?;
        let tables: Vec<TableName> = plan.tables.iter().map(|table| table.name.clone()).collect();
        let unread = rights::unreadable(conn, &tables).await?;
        let mut samples = Vec::new();
        for table in plan
            .tables
            .iter()
            .filter(|table| table.columns.iter().any(|column| column.mask.is_some()))
        {
            samples.push(match unread.contains(&table.name) {
                true => preview::unreadable(table),
                false => preview::sample(conn, table, rows).await?,
            });
        }
        run(conn, "preview", "ROLLBACK").await?;
        Ok(samples)
    }

    async fn begin(&self, plan: &Plan, options: &RunOptions) -> Result<Begun, EngineError> {
        let catalog = self.catalog().await?;
        let conn = &mut *self.control.lock().await;
        guard::lock(conn).await?;
        if !options.allow_connections {
            guard::refuse_other_clients(conn).await?;
        }
        let mut units = units(conn, plan).await?;
        if ledger::exists(conn).await? {
            let run = ledger::read(conn).await?;
            run.must_match(plan, options)?;
            options.vault.bind(&run.run_id)?;
            let altered = altered_tables(&units, &catalog);
            if let Some(at) = run.finished_at {
                loaded::refuse_changed(conn, &altered).await?;
                return Ok(Begun::AlreadyDone(format!(
                    "masked with these rules and this key on {at}"
                )));
            }
            subscriptions::stop(conn, options.scope).await?;
            // A run that was concluded with a failed verdict has given its rights back.
            transaction(conn, async |conn| {
                ledger::renew(conn, plan, options.scope).await?;
                rights::take(conn, &altered).await?;
                event_triggers::silence(conn).await?;
                loaded::take_over(conn, run.failed).await
            })
            .await?;
        } else {
            refuse_small_spool(conn, &units, options).await?;
            subscriptions::stop(conn, options.scope).await?;
            options.vault.bind(&options.run_id)?;
            transaction(conn, async |conn| prepare(conn, plan, &catalog, &units, options).await)
                .await?;
        }
        for (name, outcomes) in ledger::finished_units(conn).await? {
            if let Some(unit) = units.iter_mut().find(|unit| unit.name == name) {
                unit.done = Some(outcomes);
            }
        }
        let done = units.iter().filter(|unit| unit.done.is_some());
        let done = done.flat_map(|unit| unit.tables.iter().cloned()).collect();
        // A run begins once.
        let _ = self.resumed.set(done);
        Ok(Begun::Work(units))
    }

    async fn mask_unit(
        &self,
        plan: &Plan,
        options: &RunOptions,
        unit: &Unit,
        progress: &dyn Progress,
    ) -> Result<Vec<TableOutcome>, EngineError> {
        let mut conn = session::open(&self.server).await?;
        let spool_dir = spool_dir(options);
        transaction(&mut conn, async |conn| {
            unit::mask(conn, plan, unit, &spool_dir, &options.vault, progress).await
        })
        .await
    }

    fn collected_by_begin(&self, plan: &Plan) -> Vec<String> {
        cascade::collects(plan).then(|| cascade::COLLECTED.to_owned()).into_iter().collect()
    }

    async fn finish(
        &self,
        plan: &Plan,
        _: &RunOptions,
        _: &dyn Progress,
    ) -> Result<Vec<String>, EngineError> {
        let conn = &mut *self.control.lock().await;
        finish::finish(conn, plan, &self.server).await
    }

    async fn scrub(
        &self,
        plan: &Plan,
        options: &RunOptions,
    ) -> Result<Vec<ScrubCheck>, EngineError> {
        let conn = &mut *self.control.lock().await;
        let resumed = self.resumed.get().map_or(&[][..], Vec::as_slice);
        scrub::scrub(conn, &self.server, plan, options.scope, resumed).await
    }

    async fn arrivals(
        &self,
        plan: &Plan,
        options: &RunOptions,
    ) -> Result<Vec<ScrubCheck>, EngineError> {
        let conn = &mut *self.control.lock().await;
        scrub::arrivals(conn, &plan.scrub, options.allow_connections).await
    }

    async fn masked(&self, plan: &Plan, options: &RunOptions) -> Result<Masked, EngineError> {
        let conn = &mut *self.control.lock().await;
        if !ledger::exists(conn).await? {
            return Err(EngineError::Refused("no run has masked this database".to_owned()));
        }
        let run = ledger::read(conn).await?;
        run.must_match(plan, options)?;
        if let Some(at) = run.finished_at {
            return Err(EngineError::Refused(format!(
                "its run has passed on {at}, and nothing is kept of the originals after that"
            )));
        }
        let finished = ledger::finished_units(conn).await?;
        let all = units(conn, plan).await?;
        if all.iter().any(|unit| finished.iter().all(|(name, _)| *name != unit.name)) {
            let (some, all) = (finished.len(), all.len());
            return Err(EngineError::Refused(format!(
                "{some} of {all} units are masked\n(hint: the same `run` again masks the rest)"
            )));
        }
        Ok(Masked {
            run_id: run.run_id,
            units: finished.iter().map(|(name, _)| name.to_string()).collect(),
            tables: finished.into_iter().flat_map(|(_, outcomes)| outcomes).collect(),
        })
    }

    async fn sources(&self) -> Result<Vec<Source>, EngineError> {
        sources::list(&mut *self.control.lock().await).await
    }

    async fn read(&self, source: &Source, reader: &mut dyn Reader) -> Result<(), EngineError> {
        read::read(&self.server, source, reader).await
    }

    async fn metadata(&self) -> Result<Vec<(String, String)>, EngineError> {
        metadata::read(&mut *self.control.lock().await).await
    }

    async fn kept(&self) -> Result<Option<Kept>, EngineError> {
        ledger::kept(&mut *self.control.lock().await).await
    }

    async fn conclude(&self, _: &RunOptions, marker: &Marker) -> Result<(), EngineError> {
        marker::conclude(&mut *self.control.lock().await, marker).await
    }
}

/// Phase 1, in one transaction.
async fn prepare(
    conn: &mut PgConnection,
    plan: &Plan,
    catalog: &Catalog,
    units: &[Unit],
    options: &RunOptions,
) -> Result<(), EngineError> {
    ledger::create(conn, plan, options).await?;
    let altered = altered_tables(units, catalog);
    let unread = rights::unreadable(conn, &altered).await?;
    rights::take(conn, &altered).await?;
    event_triggers::silence(conn).await?;
    check::refuse_unread(conn, plan, catalog, units, &unread).await?;
    keys::take_down(conn, catalog, &members(units)).await?;
    cascade::delete(conn, plan, catalog, options).await
}

/// Runs a body in a transaction: all of it or nothing.
async fn transaction<T>(
    conn: &mut PgConnection,
    body: impl AsyncFnOnce(&mut PgConnection) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    run(conn, "begin a transaction", "BEGIN").await?;
    match body(conn).await {
        Ok(value) => {
            run(conn, "commit", "COMMIT").await?;
            Ok(value)
        }
        Err(error) => {
            // The first error is the one to tell; a connection that is gone has rolled back by itself.
            let _ = run(conn, "roll back", "ROLLBACK").await;
            Err(error)
        }
    }
}

/// What is worked on in one transaction each: tables that are not kept, partitions together under their root; largest first.
async fn units(conn: &mut PgConnection, plan: &Plan) -> Result<Vec<Unit>, EngineError> {
    let trees = relation::partition_trees(conn).await?;
    let mut units: Vec<(u64, Unit)> = Vec::new();
    for table in plan.tables.iter().filter(|table| table.action != Action::Keep) {
        let root = trees
            .iter()
            .find(|(_, member)| *member == table.name)
            .map_or(&table.name, |(root, _)| root);
        match units.iter_mut().find(|(_, unit)| unit.name == *root) {
            Some((bytes, unit)) => {
                *bytes += table.bytes;
                unit.tables.push(table.name.clone());
            }
            None => {
                let mut members: Vec<TableName> = trees
                    .iter()
                    .filter(|(tree, _)| tree == root)
                    .map(|(_, member)| member.clone())
                    .collect();
                if members.is_empty() {
                    members.push(table.name.clone());
                }
                let unit = Unit {
                    name: root.clone(),
                    tables: vec![table.name.clone()],
                    members,
                    done: None,
                };
                units.push((table.bytes, unit));
            }
        }
    }
    units.sort_by(|(a, left), (b, right)| b.cmp(a).then_with(|| left.name.cmp(&right.name)));
    Ok(units.into_iter().map(|(_, unit)| unit).collect())
}

/// Every table of the units, partitioned ones included.
fn members(units: &[Unit]) -> Vec<TableName> {
    units.iter().flat_map(|unit| unit.members.iter().cloned()).collect()
}

/// The tables of the units, and those at the other end of their foreign keys: who takes a key down and puts it back needs
/// rights on both.
fn altered_tables(units: &[Unit], catalog: &Catalog) -> Vec<TableName> {
    let mut tables = members(units);
    let keys = catalog.foreign_keys.iter();
    let touching =
        keys.filter(|key| tables.contains(&key.table) || tables.contains(&key.references));
    let ends: Vec<TableName> =
        touching.flat_map(|key| [key.table.clone(), key.references.clone()]).collect();
    tables.extend(ends);
    tables.sort();
    tables.dedup();
    tables
}

fn spool_dir(options: &RunOptions) -> PathBuf {
    options.spool_dir.clone().unwrap_or_else(std::env::temp_dir)
}

/// A spool holds a table's rows without its indexes; values that the server keeps compressed are longer in it.
async fn refuse_small_spool(
    conn: &mut PgConnection,
    units: &[Unit],
    options: &RunOptions,
) -> Result<(), EngineError> {
    let mut needed = 0;
    for unit in units.iter().take(options.jobs) {
        let oids = relation::oids(conn, &unit.tables).await?;
        let bytes: i64 = sqlx::query_scalar(
            "SELECT coalesce(sum(pg_catalog.pg_table_size(oid)), 0)::bigint FROM pg_catalog.unnest($1::oid[]) oid",
        )
        .bind(oids)
        .fetch_one(&mut *conn)
        .await
        .map_err(|error| engine_error(&format!("read the size of {}", unit.name), error))?;
        needed += bytes.unsigned_abs();
    }
    let directory = spool_dir(options);
    let Ok(available) = fs4::available_space(&directory) else {
        return Err(EngineError::Usage(format!(
            "spool directory {} cannot be read",
            directory.display()
        )));
    };
    if available >= needed {
        return Ok(());
    }
    Err(EngineError::Refused(format!(
        "spool directory {} has {} MB free and about {} MB are needed\n(hint: name another with --spool-dir, or lower --jobs)",
        directory.display(),
        available >> 20,
        needed >> 20
    )))
}

async fn refuse_read_only(conn: &mut PgConnection) -> Result<(), EngineError> {
    let read_only: bool = sqlx::query_scalar(
        "SELECT pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('transaction_read_only')::bool",
    )
    .fetch_one(conn)
    .await
    .map_err(|error| engine_error("read the server's state", error))?;
    if !read_only {
        return Ok(());
    }
    Err(EngineError::Refused(
        "the server is read-only or recovering\n(hint: connect to the primary, or promote the copy)".to_owned(),
    ))
}
