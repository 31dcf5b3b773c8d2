//! Waiting, seen from a step: how long until the next look, and when to give up. The state machine waits.

use serde::{Deserialize, Serialize};

use crate::step_error::StepError;

/// How long to wait between two looks: shortly at first, for what takes hours rarely. Step Functions keeps a limited history.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Pauses {
    /// Seconds, in the first two minutes.
    pub first: u64,
    /// Seconds, in the first twenty.
    pub then: u64,
    /// Seconds, after that.
    pub later: u64,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { first: 20, then: 60, later: 120 }
    }
}

impl Pauses {
    /// Seconds until the next look after so many; one at least.
    pub fn after(&self, waited: u64) -> u64 {
        let seconds = match waited {
            0..120 => self.first,
            120..1200 => self.then,
            _ => self.later,
        };
        seconds.max(1)
    }

    /// The same; the error once something was waited for too long. `what` completes “still waiting for …”.
    pub fn next(&self, waited: u64, deadline: u64, what: &str) -> Result<u64, StepError> {
        if waited >= deadline {
            return Err(StepError::Fatal(format!(
                "still waiting for {what} after {waited} s\n(hint: the deadlines stand in the settings)"
            )));
        }
        Ok(self.after(waited))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_waiting_ends() {
        let mut seen = Vec::new();
        let mut waited = 0;
        let end = loop {
            match Pauses::default().next(waited, 2000, "it") {
                Ok(seconds) => {
                    waited += seconds;
                    seen.push(seconds);
                }
                Err(error) => break error,
            }
        };
        assert_eq!(seen[..7], [20, 20, 20, 20, 20, 20, 60]);
        assert_eq!((seen.last(), waited >= 2000), (Some(&120), true));
        assert_eq!(end.name(), "Fatal");
    }

    #[test]
    fn no_pause_is_none_at_all() {
        let none = Pauses { first: 0, then: 0, later: 0 };
        assert_eq!(none.next(0, 10, "it"), Ok(1));
    }
}
