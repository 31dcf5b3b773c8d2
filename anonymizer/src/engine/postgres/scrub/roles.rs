//! Roles that could log in to a restored copy: locked or dropped, and passwords that nobody needs.

use sqlx::Row as _;

use crate::engine::EngineError;
use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::attempt::{Attempt, attempt, flag, rows};
use crate::engine::postgres::scrub::platform;
use crate::engine::postgres::session::{ident, literal};
use crate::engine::postgres::{ledger, rights};
use crate::rules::{RoleRule, ScrubRules};
use crate::scrub::{Found, Tally, names};

/// An exact name beats one with stars, and of these the first counts; a role that is not named is locked.
fn rule(rules: &ScrubRules, role: &str) -> RoleRule {
    let mut matching = rules.roles.iter().filter(|(name, _)| name.value.matches(role));
    let exact =
        rules.roles.iter().find(|(name, _)| !name.value.wildcard && name.value.text == role);
    exact.or_else(|| matching.next()).map_or(RoleRule::Lock, |(_, rule)| *rule)
}

/// Roles that are neither the run's own nor the platform's: name, and whether the run's role is a member.
async fn others(
    scrub: &mut Scrub<'_>,
    condition: &str,
) -> Result<Vec<(String, bool)>, EngineError> {
    let sql = format!(
        "SELECT r.rolname::text, pg_catalog.pg_has_role(r.oid, 'USAGE') FROM pg_catalog.pg_roles r
         WHERE r.rolname NOT IN (current_user, session_user) AND NOT {} AND {condition} ORDER BY 1",
        platform::ROLE
    );
    let rows = rows(scrub.conn, "read the roles", &sql).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Login roles.
pub async fn login(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    let roles = others(scrub, "r.rolcanlogin").await?;
    if !scrub.whole_server() {
        let roles: Vec<String> = roles.into_iter().map(|(role, _)| role).collect();
        return Ok(match roles.is_empty() {
            true => Found::nothing("no other login role"),
            false => Found::reported(format!("left: {}", names(&roles))),
        });
    }
    let mut tally = Tally::default();
    for (role, is_member) in roles {
        let name = ident(&role);
        let mut undo = format!("ALTER ROLE {name} LOGIN PASSWORD '…'");
        let (label, done) = match rule(&scrub.plan.scrub, &role) {
            RoleRule::Lock => (format!("{role} (locked)"), lock(scrub, &role).await?),
            RoleRule::Drop => match drop(scrub, &role, is_member).await? {
                Ok(()) => {
                    undo = format!("CREATE ROLE {name} LOGIN PASSWORD '…'");
                    (format!("{role} (dropped)"), Ok(()))
                }
                // What cannot go shall at least let nobody in.
                Err(why) => {
                    let locked = lock(scrub, &role).await?.is_ok();
                    let state = if locked { "only locked" } else { "not even locked" };
                    (role.clone(), Err(format!("{state}: {why}")))
                }
            },
        };
        if tally.note(label, done) {
            tally.undo(undo);
        }
    }
    Ok(tally.found("locked or dropped", "no other login role"))
}

async fn lock(scrub: &mut Scrub<'_>, role: &str) -> Result<Attempt, EngineError> {
    let sql = format!("ALTER ROLE {} NOLOGIN PASSWORD NULL", ident(role));
    attempt(scrub.conn, &format!("lock the role {role}"), &sql).await
}

/// Who gives away what a role owns must be a member of it.
async fn drop(scrub: &mut Scrub<'_>, role: &str, is_member: bool) -> Result<Attempt, EngineError> {
    let name = ident(role);
    let join = match is_member {
        true => String::new(),
        false => format!("{}; ", rights::join(scrub.conn, role).await?),
    };
    // The run may have made itself a member, and has nothing to leave then.
    let forget = format!(
        "DELETE FROM anonymizer.taken_down WHERE kind = {} AND name = {}; ",
        literal(ledger::MEMBERSHIP),
        literal(role)
    );
    let sql = format!(
        "{forget}{join}REASSIGN OWNED BY {name} TO CURRENT_USER; DROP OWNED BY {name}; DROP ROLE {name}"
    );
    attempt(scrub.conn, &format!("drop the role {role}"), &sql).await
}

/// Passwords of roles that cannot log in: one that was locked by hand still has its hash. Only a superuser sees who has one.
pub async fn passwords(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    if !scrub.whole_server() {
        return Ok(Found::reported("left as they are"));
    }
    let may_look = "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT')";
    let condition = match flag(scrub.conn, "read the rights of this role", may_look).await? {
        true => {
            "r.oid IN (SELECT a.oid FROM pg_catalog.pg_authid a WHERE a.rolpassword IS NOT NULL)"
        }
        false => "NOT r.rolcanlogin",
    };
    let mut tally = Tally::default();
    for (role, _) in others(scrub, condition).await? {
        let sql = format!("ALTER ROLE {} PASSWORD NULL", ident(&role));
        let done = attempt(scrub.conn, &format!("remove the password of {role}"), &sql).await?;
        tally.note(role, done);
    }
    Ok(tally.found("without a password now", "no other role has a password"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_name_beats_a_pattern_and_the_default_is_to_lock() {
        let text =
            "version: 1\ntables: {}\nscrub: { roles: { 'report_*': drop, report_daily: lock } }\n";
        let rules = crate::rules::parse("x.yaml", text.as_bytes()).unwrap().scrub;
        assert_eq!(rule(&rules, "report_weekly"), RoleRule::Drop);
        assert_eq!(rule(&rules, "report_daily"), RoleRule::Lock);
        assert_eq!(rule(&rules, "somebody"), RoleRule::Lock);
    }
}
