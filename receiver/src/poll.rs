//! Waiting, seen from a step: what to say while something is not ready, and when to give up. The state machine waits.

use serde::{Deserialize, Serialize};
use workflow::StepError;

use crate::settings::Settings;

/// How long to wait between two looks: shortly at first, for what takes hours rarely. Step Functions keeps a limited history.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Pauses {
    /// Seconds, in the first two minutes.
    pub first: u64,
    /// Seconds, in the first twenty.
    pub then: u64,
    /// Seconds, after that.
    pub later: u64,
    /// So many looks in a row must find it ready: a database says `available` for a while after it was told to change.
    pub looks: u64,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { first: 20, then: 60, later: 120, looks: 2 }
    }
}

impl Pauses {
    fn after(&self, waited: u64) -> u64 {
        let seconds = match waited {
            0..120 => self.first,
            120..1200 => self.then,
            _ => self.later,
        };
        seconds.max(1)
    }
}

/// Where waiting stands: what a step is told, and what it says.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    /// There is nothing left to wait for.
    pub ready: bool,
    /// Seconds waited in all, the next pause included.
    pub waited: u64,
    /// Seconds to wait now.
    pub seconds: u64,
    /// Looks in a row that have found it ready.
    pub looks: u64,
}

impl Poll {
    /// Something has been begun: the first pause.
    pub fn begin(settings: &Settings) -> Self {
        let seconds = settings.pauses.after(0);
        Self { ready: false, waited: seconds, seconds, looks: 0 }
    }

    /// It was found ready this time.
    pub fn found(self, settings: &Settings) -> Self {
        let looks = self.looks + 1;
        if looks >= settings.pauses.looks {
            return Self { ready: true, seconds: 0, looks, ..self };
        }
        let seconds = settings.pauses.first.max(1);
        Self { ready: false, waited: self.waited + seconds, seconds, looks }
    }

    /// It is ready and will not change.
    pub fn done(self) -> Self {
        Self { ready: true, seconds: 0, ..self }
    }

    /// Not yet; the error once that has been said for too long. `what` completes “still waiting for …”.
    pub fn wait(self, settings: &Settings, deadline: u64, what: &str) -> Result<Self, StepError> {
        if self.waited >= deadline {
            return Err(StepError::Fatal(format!(
                "still waiting for {what} after {} s\n(hint: the deadlines stand in the settings)",
                self.waited
            )));
        }
        let seconds = settings.pauses.after(self.waited);
        Ok(Self { ready: false, waited: self.waited + seconds, seconds, looks: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::good;

    #[test]
    fn pauses_grow_and_waiting_ends() {
        let settings = good();
        let mut poll = Poll::begin(&settings);
        let mut seen = vec![poll.seconds];
        let error = loop {
            match poll.clone().wait(&settings, 2000, "it") {
                Ok(next) => poll = next,
                Err(error) => break error,
            }
            seen.push(poll.seconds);
        };
        assert_eq!(seen[..7], [20, 20, 20, 20, 20, 20, 60]);
        assert_eq!((seen.last(), seen.iter().sum()), (Some(&120), poll.waited));
        assert_eq!(error.name(), "Fatal");
    }

    #[test]
    fn one_look_is_not_enough_and_they_must_be_in_a_row() {
        let settings = good();
        let once = Poll::begin(&settings).found(&settings);
        assert!(!once.ready);
        assert!(once.clone().found(&settings).ready);
        let again = once.wait(&settings, 2000, "it").unwrap();
        assert!(!again.found(&settings).ready);
    }
}
