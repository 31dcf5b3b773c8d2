//! How a step fails: three kinds, whose names are what `Retry` and `Catch` match on.

use std::fmt;

/// Why a step did not do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepError {
    /// A passing fault: throttled, not yet there, a connection lost. Tried again.
    Retryable(String),
    /// A safety decision: what was found must not go on. Never tried again, always told, never ends in sharing.
    Refused(String),
    /// Anything else. Trying again would not help.
    Fatal(String),
}

impl StepError {
    /// The names of all kinds.
    pub const NAMES: [&'static str; 3] = ["Retryable", "Refused", "Fatal"];

    /// The kind's name: the error's type in a state machine.
    pub fn name(&self) -> &'static str {
        match self {
            StepError::Retryable(_) => "Retryable",
            StepError::Refused(_) => "Refused",
            StepError::Fatal(_) => "Fatal",
        }
    }

    /// What is wrong: a sentence without secrets and row values.
    pub fn cause(&self) -> &str {
        let (StepError::Retryable(cause) | StepError::Refused(cause) | StepError::Fatal(cause)) =
            self;
        cause
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.cause())
    }
}

impl std::error::Error for StepError {}
