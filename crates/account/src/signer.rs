//! Signs statements. A key file, or a KMS key that nobody ever sees.

use contract::key::{PublicKey, SigningKey};

use crate::error::AccountError;

/// Who signs.
pub enum Signer {
    /// An ed25519 key.
    Key(SigningKey),
}

impl Signer {
    /// A key from a PEM file.
    pub fn from_pem(pem: &[u8]) -> Result<Self, AccountError> {
        let key = SigningKey::from_pem(pem)
            .map_err(|error| AccountError::Other(format!("the signing key: {error}")))?;
        Ok(Self::Key(key))
    }

    /// The identifier of its public key.
    pub async fn key_id(&self) -> Result<String, AccountError> {
        let Self::Key(key) = self;
        Ok(PublicKey::id(key.public()).to_owned())
    }

    /// The signature of a message.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AccountError> {
        let Self::Key(key) = self;
        Ok(key.sign(message))
    }
}
