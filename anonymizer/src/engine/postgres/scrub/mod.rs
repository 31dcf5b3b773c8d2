//! What a snapshot carries besides rows: one check after the other, in the registry's order, and none left out.
//!
//! What belongs to this database is changed whatever the scope; what belongs to the server only with `--scope instance`. A check
//! answers with what it found; that the server refuses something is an answer too. No value of a row, an option or a setting
//! is read here that is not needed to tell whether it is there, and none is told.

mod anew;
mod arrivals;
mod attempt;
mod calls;
mod catalogs;
mod databases;
mod events;
mod extensions;
mod files;
mod foreign;
mod large_objects;
mod platform;
mod query_texts;
mod roles;
mod secret;
mod settings;
mod slots;
mod statistics;
mod subscriptions;
mod tables;
mod triggers;

use contract::report::ScrubCheck;
use sqlx::postgres::PgConnection;

use crate::catalog::TableName;
use crate::engine::postgres::connect::Server;
use crate::engine::postgres::{members, units};
use crate::engine::{EngineError, Scope};
use crate::plan::Plan;
use crate::rules::ScrubRules;
use crate::scrub::{Check, Found, checks_of, settle};
use crate::switches;

use calls::Calls;

/// What every check is given.
struct Scrub<'a> {
    conn: &'a mut PgConnection,
    server: &'a Server,
    plan: &'a Plan,
    scope: Scope,
    /// The tables that the run has written, by the names SQL knows them by.
    masked: Vec<String>,
    /// Those of them that an earlier, interrupted run had masked.
    resumed: &'a [TableName],
    /// What calls out of the database.
    calls: Calls,
}

pub use arrivals::arrivals;

/// Carries out every check but that of [`arrivals`], which comes after the last look.
pub async fn scrub(
    conn: &mut PgConnection,
    server: &Server,
    plan: &Plan,
    scope: Scope,
    resumed: &[TableName],
) -> Result<Vec<ScrubCheck>, EngineError> {
    let masked = members(&units(conn, plan).await?);
    let masked = masked.iter().map(super::session::qualified).collect();
    let calls = Calls::read(conn).await?;
    let mut scrub = Scrub { conn, server, plan, scope, masked, resumed, calls };
    let mut checks = Vec::new();
    for check in checks_of("postgres").filter(|check| check.id != arrivals::ID) {
        let found = if switches::is_off(check.id) {
            Ok(Found::nothing("switched off for a test"))
        } else {
            scrub.carry_out(check).await
        };
        checks.push(settle(check, found, &plan.scrub)?);
    }
    Ok(checks)
}

/// What would fail and can be known before anything is written: subject, message, cure.
pub async fn findings(
    conn: &mut PgConnection,
    server: &Server,
    rules: &ScrubRules,
    scope: Scope,
) -> Result<Vec<(String, String, String)>, EngineError> {
    let mut findings = large_objects::findings(conn, rules).await?;
    findings.extend(super::subscriptions::findings(conn, scope).await?);
    if scope == Scope::Instance {
        findings.extend(databases::findings(conn, server, rules).await?);
    }
    Ok(findings)
}

impl Scrub<'_> {
    async fn carry_out(&mut self, check: &Check) -> Result<Found, EngineError> {
        match check.id.strip_prefix("postgres.").unwrap_or_default() {
            "masked-tables" => tables::masked(self).await,
            "materialized-views" => tables::materialized_views(self).await,
            "generated-columns" => Ok(tables::generated_columns(self.plan)),
            "kept-tables" => tables::kept(self).await,
            "large-objects" => large_objects::scrub(self).await,
            "triggers" => triggers::triggers(self).await,
            "rules" => triggers::rules(self).await,
            "event-triggers" => events::event_triggers(self).await,
            "functions" => Ok(events::functions(&self.calls)),
            "cron-jobs" => extensions::cron_jobs(self).await,
            "subscriptions" => subscriptions::subscriptions(self).await,
            "publications" => subscriptions::publications(self).await,
            "user-mappings" => foreign::user_mappings(self).await,
            "foreign-options" => foreign::options(self).await,
            "extension-tables" => extensions::tables(self).await,
            "database-settings" => settings::of_database(self).await,
            "other-databases" => databases::scrub(self).await,
            "prepared-transactions" => databases::prepared_transactions(self).await,
            "replication-slots" => slots::scrub(self).await,
            "login-roles" => roles::login(self).await,
            "role-passwords" => roles::passwords(self).await,
            "role-settings" => settings::of_roles(self).await,
            "column-statistics" => statistics::scrub(self, &statistics::COLUMNS).await,
            "extended-statistics" => statistics::scrub(self, &statistics::EXTENDED).await,
            "catalogs" => catalogs::own(self).await,
            "shared-catalogs" => catalogs::shared(self).await,
            "query-texts" => query_texts::scrub(self).await,
            "leftover-files" => files::leftover(self).await,
            "wal" => files::wal(self).await,
            "server-logs" => Ok(files::server_logs(self.scope)),
            _ => Err(EngineError::Unexpected(format!("{} is not carried out", check.id))),
        }
    }

    /// What belongs to the server may be changed.
    fn whole_server(&self) -> bool {
        self.scope == Scope::Instance
    }
}
