//! Why a service of the account did not answer as asked.

use workflow::StepError;

/// What went wrong; names of things, never what is in them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// A passing fault.
    #[error("{0}")]
    Passing(String),
    /// Nobody with these rights may do this.
    #[error("{0}")]
    Denied(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl AccountError {
    /// A file or directory that could not be worked with.
    pub(crate) fn file(task: &str, name: &str, error: &std::io::Error) -> Self {
        let text = format!("could not {task} `{name}`: {}", error.kind());
        match error.kind() {
            std::io::ErrorKind::PermissionDenied => Self::Denied(text),
            _ => Self::Other(text),
        }
    }
}

impl From<AccountError> for StepError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Passing(text) => StepError::Retryable(text),
            AccountError::Denied(text) | AccountError::Other(text) => StepError::Fatal(text),
        }
    }
}
