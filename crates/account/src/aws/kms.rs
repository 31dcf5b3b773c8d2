//! A key in KMS: it signs, or makes the codes that other keys are derived from. Nobody ever sees it.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{MacAlgorithmSpec, MessageType, SigningAlgorithmSpec};
use aws_types::SdkConfig;
use contract::key::PublicKey;
use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

use super::error;
use crate::error::AccountError;

/// What KMS takes of a message.
const LONGEST: usize = 4096;

/// A key.
#[derive(Clone, Debug)]
pub struct Kms {
    pub(super) client: Client,
    pub(super) key: String,
}

impl Kms {
    /// The key of that ARN, or of an identifier or alias in the configuration's account.
    pub fn new(config: &SdkConfig, key: impl Into<String>) -> Self {
        Self { client: Client::new(config), key: key.into() }
    }

    /// The key's public half: the key must be one of ECDSA P-256.
    pub async fn public_key(&self) -> Result<PublicKey, AccountError> {
        let task = self.task("read the public half of");
        let answer = self.client.get_public_key().key_id(&self.key).send().await;
        let answer = answer.map_err(|err| error::of(&task, err))?;
        let der = answer.public_key.unwrap_or_else(|| Blob::new([])).into_inner();
        PublicKey::from_der(&der)
            .map_err(|err| AccountError::Other(format!("could not {task}: {err}")))
    }

    /// The signature of a message, ECDSA with SHA-256, in DER.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AccountError> {
        let task = self.task("sign with");
        // KMS hashes what it is sent whole; of a longer message it takes the hash.
        let (sort, message) = match message.len() <= LONGEST {
            true => (MessageType::Raw, message.to_vec()),
            false => (MessageType::Digest, digest(&SHA256, message).as_ref().to_vec()),
        };
        let request = self.client.sign().key_id(&self.key).message(Blob::new(message));
        let request =
            request.message_type(sort).signing_algorithm(SigningAlgorithmSpec::EcdsaSha256);
        let answer = request.send().await.map_err(|err| error::of(&task, err))?;
        answer.signature.map(Blob::into_inner).ok_or_else(|| error::unreadable(&task))
    }

    /// HMAC-SHA-256 of a message under the key. What is answered is wiped when it goes; what the HTTP client has read of it
    /// is not in our hands.
    pub async fn mac(&self, message: &str) -> Result<Zeroizing<[u8; 32]>, AccountError> {
        let task = self.task("derive a key from");
        if message.len() > LONGEST {
            return Err(AccountError::Other(format!("could not {task}: a name is too long")));
        }
        let request = self.client.generate_mac().key_id(&self.key).message(Blob::new(message));
        let request = request.mac_algorithm(MacAlgorithmSpec::HmacSha256);
        let answer = request.send().await.map_err(|err| error::of(&task, err))?;
        let mac = answer.mac.map(|mac| Zeroizing::new(mac.into_inner()));
        let mac = mac.and_then(|mac| mac.as_slice().try_into().ok().map(Zeroizing::new));
        mac.ok_or_else(|| error::unreadable(&task))
    }

    pub(super) fn task(&self, verb: &str) -> String {
        format!("{verb} the key `{}`", self.key)
    }
}
