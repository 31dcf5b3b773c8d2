//! Signs statements. A key file, or a KMS key that nobody ever sees.

use contract::key::{PublicKey, SigningKey};

use crate::error::AccountError;

/// Who signs.
pub enum Signer {
    /// An ed25519 key.
    Key(SigningKey),
    /// A key in KMS.
    #[cfg(feature = "aws")]
    Kms(crate::aws::Kms),
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
        match self {
            Self::Key(key) => Ok(PublicKey::id(key.public()).to_owned()),
            #[cfg(feature = "aws")]
            Self::Kms(key) => Ok(key.public_key().await?.id().to_owned()),
        }
    }

    /// The signature of a message.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AccountError> {
        match self {
            Self::Key(key) => Ok(key.sign(message)),
            #[cfg(feature = "aws")]
            Self::Kms(key) => key.sign(message).await,
        }
    }
}
