//! What a step needs of its account besides databases: a lock, documents, secrets, a signature, whether a run still runs, and
//! who would get at what is shared. Each is a thing on AWS or a thing in a directory, and which one it is only this crate knows.
//!
//! Nothing here waits, and nothing here prints a secret.

#[cfg(feature = "aws")]
pub mod aws;
pub mod documents;
pub mod error;
pub mod executions;
mod file;
pub mod locks;
pub mod previews;
pub mod secrets;
pub mod signer;

pub use documents::Documents;
pub use error::AccountError;
pub use executions::Executions;
pub use locks::{Acquired, Locks};
pub use previews::Previews;
pub use secrets::{Secret, Secrets};
pub use signer::Signer;
