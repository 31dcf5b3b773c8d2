//! Waiting, seen from a step: what to say while something is not ready, and when to give up. The state machine waits.

use serde::{Deserialize, Serialize};
use workflow::StepError;

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
    fn after(&self, waited: u64) -> u64 {
        match waited {
            0..120 => self.first,
            120..1200 => self.then,
            _ => self.later,
        }
        .max(1)
    }
}

/// What a step that looks says.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Poll {
    /// There is nothing left to wait for.
    pub ready: bool,
    /// Seconds waited in all, the next pause included.
    pub waited: u64,
    /// Seconds to wait now.
    pub seconds: u64,
}

impl Poll {
    /// It is there.
    pub fn ready(waited: u64) -> Self {
        Self { ready: true, waited, seconds: 0 }
    }

    /// Not yet; the error once that has been said for too long. `what` completes “still waiting for …”.
    pub fn wait(
        waited: u64,
        deadline: u64,
        pauses: &Pauses,
        what: &str,
    ) -> Result<Self, StepError> {
        if waited >= deadline {
            return Err(StepError::Fatal(format!(
                "still waiting for {what} after {waited} s\n(hint: the deadlines stand in the settings)"
            )));
        }
        let seconds = pauses.after(waited);
        Ok(Self { ready: false, waited: waited + seconds, seconds })
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
            match Poll::wait(waited, 2000, &Pauses::default(), "it") {
                Ok(poll) => {
                    assert!(!poll.ready);
                    waited = poll.waited;
                    seen.push(poll.seconds);
                }
                Err(error) => break error,
            }
        };
        assert_eq!(seen[..7], [20, 20, 20, 20, 20, 20, 60]);
        assert_eq!(seen.last(), Some(&120));
        assert_eq!(seen.iter().sum::<u64>(), waited);
        assert_eq!(end.name(), "Fatal");
    }

    #[test]
    fn no_pause_is_none_at_all() {
        let none = Pauses { first: 0, then: 0, later: 0 };
        assert_eq!(Poll::wait(0, 10, &none, "it").unwrap().seconds, 1);
    }
}
