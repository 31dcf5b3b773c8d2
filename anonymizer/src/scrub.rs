//! The scrub's checks: what a snapshot carries besides rows, and what becomes of it. One registry; it feeds the engines, the
//! rules file (`scrub: { accept: … }`) and the reference.
//!
//! It touches no database. An engine finds out and acts, [`settle`] turns what it found into the report's words.

mod reference;
mod registry;

pub use reference::reference;
pub use registry::{CHECKS, Check, Reach, check, checks_of};

use contract::report::{ScrubCheck, ScrubStatus};

use crate::engine::EngineError;
use crate::rules::ScrubRules;

/// Names in one detail; the rest are counted.
const NAMES: usize = 20;

/// What an engine found and did.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    status: ScrubStatus,
    detail: String,
    undo: Vec<String>,
}

impl Found {
    fn new(status: ScrubStatus, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), undo: Vec::new() }
    }

    /// There was something, and it is gone or disabled.
    pub fn done(detail: impl Into<String>) -> Self {
        Self::new(ScrubStatus::Done, detail)
    }

    /// There was nothing.
    pub fn nothing(detail: impl Into<String>) -> Self {
        Self::new(ScrubStatus::NotNeeded, detail)
    }

    /// The platform denies every tenant to look or to change.
    pub fn residual(detail: impl Into<String>) -> Self {
        Self::new(ScrubStatus::Residual, detail)
    }

    /// Found and left as it is.
    pub fn reported(detail: impl Into<String>) -> Self {
        Self::new(ScrubStatus::Reported, detail)
    }

    /// It could not be done.
    pub fn failed(detail: impl Into<String>) -> Self {
        Self::new(ScrubStatus::Failed, detail)
    }

    /// With the commands that enable again what was disabled.
    pub fn undo(mut self, undo: Vec<String>) -> Self {
        self.undo = undo;
        self
    }
}

/// What came of several things, one by one.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    done: Vec<String>,
    left: Vec<String>,
    undo: Vec<String>,
}

impl Tally {
    /// Notes what came of one thing: gone or disabled, or why not.
    pub fn note(&mut self, name: impl Into<String>, came: Result<(), String>) -> bool {
        let name = name.into();
        match came {
            Ok(()) => self.done.push(name),
            Err(why) => {
                self.left.push(format!("{name} ({why})"));
                return false;
            }
        }
        true
    }

    /// Notes a command that enables again what was disabled.
    pub fn undo(&mut self, command: impl Into<String>) {
        self.undo.push(command.into());
    }

    /// `dropped: a, b`; or `not dropped: c (insufficient privilege); dropped: a, b`, which fails.
    pub fn found(self, verb: &str, nothing: &str) -> Found {
        let found = match (self.done.is_empty(), self.left.is_empty()) {
            (true, true) => Found::nothing(nothing),
            (false, true) => Found::done(format!("{verb}: {}", names(&self.done))),
            (true, false) => Found::failed(format!("not {verb}: {}", names(&self.left))),
            (false, false) => Found::failed(format!(
                "not {verb}: {}; {verb}: {}",
                names(&self.left),
                names(&self.done)
            )),
        };
        found.undo(self.undo)
    }
}

/// A count and names: `3: a, b, c`.
pub fn names(names: &[String]) -> String {
    let shown = names.iter().take(NAMES).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The report's entry. What failed is accepted where the rules say so; a passing fault ends the scrub, and the same command
/// does it again.
pub fn settle(
    check: &Check,
    found: Result<Found, EngineError>,
    rules: &ScrubRules,
) -> Result<ScrubCheck, EngineError> {
    let found = match found {
        Ok(found) => found,
        Err(error @ EngineError::Temporary(_)) => return Err(error),
        // Errors of an engine hold codes and names only.
        Err(error) => Found::failed(first_line(&error.to_string())),
    };
    let reason = rules.reason(check.id).filter(|_| found.status == ScrubStatus::Failed);
    Ok(ScrubCheck {
        id: check.id.to_owned(),
        title: check.title.to_owned(),
        status: if reason.is_some() { ScrubStatus::Accepted } else { found.status },
        detail: found.detail,
        undo: found.undo,
        reason: reason.map(str::to_owned),
    })
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

impl ScrubRules {
    /// Why this check may stay undone, where it may.
    pub fn reason(&self, id: &str) -> Option<&str> {
        self.accept.iter().find(|(check, _)| check.value == id).map(|(_, reason)| reason.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Position, Spanned};

    fn accepting(id: &str) -> ScrubRules {
        let accept = vec![(Spanned::new(id.into(), Position::default()), "known".into())];
        ScrubRules { accept, ..ScrubRules::default() }
    }

    #[test]
    fn what_fails_is_red_unless_the_rules_accept_it_by_its_id() {
        let check = &CHECKS[0];
        let failed = || Err(EngineError::Database { task: "drop x".into(), detail: "no".into() });
        let settled = settle(check, failed(), &ScrubRules::default()).unwrap();
        assert_eq!((settled.status, settled.reason), (ScrubStatus::Failed, None));
        let settled = settle(check, failed(), &accepting(CHECKS[1].id)).unwrap();
        assert_eq!(settled.status, ScrubStatus::Failed);
        let settled = settle(check, failed(), &accepting(check.id)).unwrap();
        assert_eq!(settled.status, ScrubStatus::Accepted);
        assert_eq!(
            (settled.detail.as_str(), settled.reason.as_deref()),
            ("drop x: no", Some("known"))
        );
    }

    #[test]
    fn what_is_accepted_and_done_all_the_same_is_done() {
        let settled = settle(&CHECKS[0], Ok(Found::done("gone")), &accepting(CHECKS[0].id));
        let settled = settled.unwrap();
        assert_eq!((settled.status, settled.reason), (ScrubStatus::Done, None));
    }

    #[test]
    fn a_passing_fault_is_no_verdict() {
        let broken = Err(EngineError::Temporary("the connection broke".into()));
        assert!(settle(&CHECKS[0], broken, &accepting(CHECKS[0].id)).is_err());
    }

    #[test]
    fn a_tally_fails_with_what_is_left_and_still_says_what_is_done() {
        let mut tally = Tally::default();
        assert!(tally.note("a", Ok(())));
        assert!(!tally.note("b", Err("denied".into())));
        assert_eq!(
            tally.found("dropped", "none"),
            Found::failed("not dropped: b (denied); dropped: a")
        );
        assert_eq!(Tally::default().found("dropped", "none"), Found::nothing("none"));
    }
}
