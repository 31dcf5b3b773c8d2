//! What can be found out about a key without using it: its state, its policy, and whether a request would be allowed. KMS answers
//! a dry run as it would the request, and does nothing.

use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{KeyUsageType, MacAlgorithmSpec, MessageType, SigningAlgorithmSpec};
use serde_json::Value;

use super::{Kms, error};
use crate::error::AccountError;

/// What KMS refuses a dry run with that would have been allowed.
const ALLOWED: &str = "DryRunOperationException";

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Encrypting what RDS stores.
    Encrypt,
    /// Deriving masking keys.
    Mac,
    /// Signing releases.
    Sign,
}

impl Use {
    /// What one does with it.
    pub fn verb(self) -> &'static str {
        match self {
            Use::Encrypt => "encrypt",
            Use::Mac => "derive keys",
            Use::Sign => "sign",
        }
    }
}

/// A key as it is described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// It can be used.
    pub enabled: bool,
    /// KMS's word for that.
    pub word: String,
    /// `SYMMETRIC_DEFAULT`, `HMAC_256`, `ECC_NIST_P256`.
    pub spec: String,
    /// What it is for, where that is something that is known here.
    pub used_for: Option<Use>,
}

impl Kms {
    /// What it is, and whether it can be used.
    pub async fn state(&self) -> Result<State, AccountError> {
        let task = self.task("describe");
        let answer = self.client.describe_key().key_id(&self.key).send().await;
        let found = answer.map_err(|err| error::of(&task, err))?.key_metadata;
        let found = found.ok_or_else(|| error::unreadable(&task))?;
        let used_for = found.key_usage().and_then(|usage| match usage {
            KeyUsageType::EncryptDecrypt => Some(Use::Encrypt),
            KeyUsageType::GenerateVerifyMac => Some(Use::Mac),
            KeyUsageType::SignVerify => Some(Use::Sign),
            _ => None,
        });
        Ok(State {
            enabled: found.enabled(),
            word: found.key_state().map_or("unknown", |state| state.as_str()).to_lowercase(),
            spec: found.key_spec().map_or("of no known kind", |spec| spec.as_str()).to_owned(),
            used_for,
        })
    }

    /// Its policy, as it is written.
    pub async fn policy(&self) -> Result<Value, AccountError> {
        let task = self.task("read the policy of");
        let request = self.client.get_key_policy().key_id(&self.key).policy_name("default");
        let answer = request.send().await.map_err(|err| error::of(&task, err))?;
        let text = answer.policy().unwrap_or_default();
        serde_json::from_str(text).map_err(|_| error::unreadable(&task))
    }

    /// Whether whoever asks may use it so.
    pub async fn may(&self, used: Use) -> Result<bool, AccountError> {
        let task = self.task("try");
        let nothing = Blob::new([0]);
        match used {
            Use::Encrypt => {
                let request = self.client.encrypt().key_id(&self.key).plaintext(nothing);
                tried(&task, request.dry_run(true).send().await)
            }
            Use::Mac => {
                let request = self.client.generate_mac().key_id(&self.key).message(nothing);
                let request = request.mac_algorithm(MacAlgorithmSpec::HmacSha256);
                tried(&task, request.dry_run(true).send().await)
            }
            Use::Sign => {
                let request = self.client.sign().key_id(&self.key).message(nothing);
                let request = request.message_type(MessageType::Raw);
                let request = request.signing_algorithm(SigningAlgorithmSpec::EcdsaSha256);
                tried(&task, request.dry_run(true).send().await)
            }
        }
    }
}

/// A dry run never succeeds: it is refused as one, or as the request would be.
fn tried<T, E>(
    task: &str,
    answer: Result<T, SdkError<E, aws_sdk_kms::config::http::HttpResponse>>,
) -> Result<bool, AccountError>
where
    E: ProvideErrorMetadata,
{
    let Err(refusal) = answer else {
        return Err(AccountError::Other(format!("could not {task}: a dry run was carried out")));
    };
    if refusal.code() == Some(ALLOWED) {
        return Ok(true);
    }
    match error::of(task, refusal) {
        AccountError::Denied(_) => Ok(false),
        other => Err(other),
    }
}
