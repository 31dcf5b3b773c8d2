//! AWS as the environment gives it: region and credentials of the container, the profile, the variables.

use std::collections::{BTreeMap, BTreeSet};

use account::aws::{Bucket, Kms, Manager, SdkConfig, config, parse};
use account::{AccountError, Documents, Secrets};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use super::message;
use crate::cli::Error;
use crate::engine::EngineError;
use crate::mask::key::Keyring;

/// Asked for once: so are its credentials.
static CONFIG: OnceCell<SdkConfig> = OnceCell::const_new();

async fn aws() -> &'static SdkConfig {
    CONFIG.get_or_init(config).await
}

/// The document at a URI.
pub async fn document(task: &str, uri: &str) -> Result<Vec<u8>, Error> {
    let (bucket, key) = place(task, uri).await?;
    let found = Documents::Bucket(bucket).get(key).await;
    let found = found.map_err(|error| unusable(task, error))?;
    found.ok_or_else(|| Error::Usage(format!("{task}: there is no `{uri}`")))
}

/// Refuses what is no place below which something could be written.
pub fn fits(task: &str, uri: &str) -> Result<(), Error> {
    parse(uri).map(drop).map_err(|error| unusable(task, error))
}

/// Writes a document below a URI.
pub async fn put(task: &str, uri: &str, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let (bucket, key) = place(task, uri).await?;
    let put = Documents::Bucket(bucket).put(&format!("{key}/{name}"), bytes).await;
    put.map_err(|error| {
        let source = match error {
            AccountError::Passing(text) => EngineError::Temporary(text),
            error => EngineError::Unexpected(error.to_string()),
        };
        Error::engine(task, source)
    })
}

/// The text of a secret.
pub async fn secret(task: &str, arn: &str) -> Result<Zeroizing<String>, Error> {
    // The account is in the ARN.
    let secrets = Secrets::Manager(Manager::new(aws().await, ""));
    let found = secrets.get(arn).await.map_err(|error| unusable(task, error))?;
    let found = found.ok_or_else(|| Error::Usage(format!("{task}: there is no secret `{arn}`")))?;
    Ok(Zeroizing::new(found.expose().to_owned()))
}

/// Keys derived by a key that stays in KMS: one request for each domain, and one for everything else.
pub async fn keyring(key: &str, domains: BTreeSet<String>) -> Result<Keyring, Error> {
    let task = "derive the masking keys";
    let kms = Kms::new(aws().await, key);
    let derive =
        async |message: String| kms.mac(&message).await.map_err(|error| unusable(task, error));
    let mut derived = BTreeMap::new();
    for domain in domains {
        let subkey = derive(message(Some(&domain))).await?;
        derived.insert(domain, subkey);
    }
    Ok(Keyring::derived(derived, derive(message(None)).await?))
}

/// The bucket and the key of a URI.
pub(super) async fn place<'a>(task: &str, uri: &'a str) -> Result<(Bucket, &'a str), Error> {
    let (bucket, key) = parse(uri).map_err(|error| unusable(task, error))?;
    Ok((Bucket::new(aws().await, bucket), key))
}

/// Something that was to be there before anything is done.
pub(super) fn unusable(task: &str, error: AccountError) -> Error {
    match error {
        AccountError::Passing(text) => Error::engine(task, EngineError::Temporary(text)),
        error => Error::Usage(format!("{task}: {error}")),
    }
}
