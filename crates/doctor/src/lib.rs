//! Looks at an account before a run does: each check says that something is well, what is wrong and what cures it, or that it
//! could not look. It changes nothing, and finds out everything before it says anything.

pub mod ec2;
pub mod functions;
pub mod keys;
pub mod machines;
pub mod network;
pub mod policy;
pub mod quotas;
pub mod servers;

use std::fmt::{self, Display};

/// What became of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Well(String),
    /// Wrong: what, and what to do.
    Wrong(String, String),
    /// Nobody could look: why.
    Unknown(String),
}

/// A check and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub about: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// All of them, in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// Something is well.
    pub fn well(&mut self, about: impl Into<String>, what: impl Into<String>) {
        self.add(about, Outcome::Well(what.into()));
    }

    /// Something is wrong.
    pub fn wrong(
        &mut self,
        about: impl Into<String>,
        what: impl Into<String>,
        cure: impl Into<String>,
    ) {
        self.add(about, Outcome::Wrong(what.into(), cure.into()));
    }

    /// Something could not be looked at.
    pub fn unknown(&mut self, about: impl Into<String>, why: impl Into<String>) {
        self.add(about, Outcome::Unknown(why.into()));
    }

    /// A check of which only the outcome is at hand.
    pub fn add(&mut self, about: impl Into<String>, outcome: Outcome) {
        self.0.push(Finding { about: about.into(), outcome });
    }

    /// An answer that is there; what an error says otherwise. A message with a hint is one with a cure.
    pub fn answered<T, E: Display>(&mut self, about: &str, answer: Result<T, E>) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer),
            Err(error) => {
                let text = error.to_string();
                match text.split_once("\n(hint: ") {
                    Some((what, hint)) => self.wrong(about, what, hint.trim_end_matches(')')),
                    None => self.unknown(about, text),
                }
                None
            }
        }
    }

    /// Something is wrong.
    pub fn any_wrong(&self) -> bool {
        self.0.iter().any(|finding| matches!(finding.outcome, Outcome::Wrong(..)))
    }
}

impl Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|finding| finding.about.chars().count()).max().unwrap_or(0);
        for Finding { about, outcome } in &self.0 {
            match outcome {
                Outcome::Well(what) => writeln!(f, "ok     {about:width$}  {what}")?,
                Outcome::Unknown(why) => {
                    let why = why.replace('\n', " ");
                    writeln!(f, "?      {about:width$}  {why}")?;
                }
                Outcome::Wrong(what, cure) => {
                    let what = what.replace('\n', " ");
                    writeln!(f, "wrong  {about:width$}  {what}")?;
                    writeln!(f, "       {:width$}  (hint: {cure})", "")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_says_how_it_is_and_what_cures_it() {
        let mut findings = Findings::default();
        findings.well("settings", "two databases");
        findings.unknown("work key", "denied");
        assert!(!findings.any_wrong());
        let refused: Result<(), _> = Err("the newest is old\n(hint: take one)");
        assert_eq!(findings.answered("shop", refused), None);
        assert!(findings.any_wrong());
        let text = findings.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "ok     settings  two databases",
                "?      work key  denied",
                "wrong  shop      the newest is old",
                "                 (hint: take one)",
            ]
        );
    }
}
