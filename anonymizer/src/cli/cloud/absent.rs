//! In place of AWS where the program was built without it: refuses.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::cli::Error;
use crate::mask::key::Keyring;
use crate::verify::vault::Elsewhere;

/// Refuses to read.
pub async fn document(task: &str, _uri: &str) -> Result<Vec<u8>, Error> {
    Err(absent(task))
}

/// Refuses any place.
pub fn fits(task: &str, _uri: &str) -> Result<(), Error> {
    Err(absent(task))
}

/// Refuses to write.
pub async fn put(task: &str, _uri: &str, _name: &str, _bytes: &[u8]) -> Result<(), Error> {
    Err(absent(task))
}

/// Refuses to keep anything.
pub async fn state(task: &str, _uri: &str, _directory: &Path) -> Result<Arc<dyn Elsewhere>, Error> {
    Err(absent(task))
}

/// Refuses to read a secret.
pub async fn secret(task: &str, _arn: &str) -> Result<Zeroizing<String>, Error> {
    Err(absent(task))
}

/// Refuses to derive keys.
pub async fn keyring(_key: &str, _domains: BTreeSet<String>) -> Result<Keyring, Error> {
    Err(absent("derive the masking keys"))
}

fn absent(task: &str) -> Error {
    Error::Usage(format!(
        "{task}: this program was built without the feature `aws`\n(hint: `cargo build --release --package anonymizer --features aws`)"
    ))
}
