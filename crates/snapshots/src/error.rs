//! What an adapter says when a verb was refused. The sort decides what a step may do next; the text is for people.

use workflow::StepError;

/// Why a verb did nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// There is none of that name. Success for a deletion that one has asked for oneself, and for nothing else.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The name is taken. Whether by an earlier try of the same run must be looked up, by its tag.
    #[error("{0} exists already")]
    Exists(String),
    /// It is in a state in which this cannot be done, now.
    #[error("{0}")]
    InvalidState(String),
    /// What was asked for: no name, a setting that is unknown or missing, a value that the platform refuses.
    #[error("{0}")]
    Malformed(String),
    /// The key cannot be used from this account.
    #[error("{0}")]
    KeyNotAccessible(String),
    /// A limit of the account.
    #[error("{0}")]
    Quota(String),
    /// Nobody with these rights may do this.
    #[error("{0}")]
    Denied(String),
    /// A passing fault.
    #[error("{0}")]
    Passing(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// What is not yet in the state it must be in is tried again; a limit of the account is not, for it does not pass by itself.
impl From<SnapshotError> for StepError {
    fn from(error: SnapshotError) -> Self {
        let text = error.to_string();
        match error {
            SnapshotError::InvalidState(_) | SnapshotError::Passing(_) => {
                StepError::Retryable(text)
            }
            _ => StepError::Fatal(text),
        }
    }
}
