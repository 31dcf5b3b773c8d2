//! The scrub's checks as `run` prints them: a line for each that found something.

use contract::report::{ScrubCheck, ScrubStatus};

/// Without those that found nothing: the report has them all.
pub fn of_interest(mut checks: Vec<ScrubCheck>) -> Vec<ScrubCheck> {
    checks.retain(|check| check.status != ScrubStatus::NotNeeded);
    checks
}

/// `scrub: postgres.login-roles: done: grafana (locked)`.
pub fn line(check: &ScrubCheck) -> String {
    let status = match check.status {
        ScrubStatus::Done => "done",
        ScrubStatus::NotNeeded => "not needed",
        ScrubStatus::Residual => "residual",
        ScrubStatus::Reported => "reported",
        ScrubStatus::Accepted => "accepted",
        ScrubStatus::Failed => "failed",
    };
    let reason = check.reason.as_ref().map_or(String::new(), |reason| format!(" ({reason})"));
    format!("scrub: {}: {status}{reason}: {}\n", check.id, check.detail)
}
