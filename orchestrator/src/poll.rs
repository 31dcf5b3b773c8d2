//! What a step says that looks whether something is ready.

use serde::{Deserialize, Serialize};
use workflow::{Pauses, StepError};

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
        let seconds = pauses.next(waited, deadline, what)?;
        Ok(Self { ready: false, waited: waited + seconds, seconds })
    }
}
