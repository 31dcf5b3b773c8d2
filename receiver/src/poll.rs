//! Where waiting stands, handed from one look to the next.

use serde::{Deserialize, Serialize};
use workflow::StepError;

use crate::settings::Settings;

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
        if looks >= settings.looks {
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
        let seconds = settings.pauses.next(self.waited, deadline, what)?;
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
