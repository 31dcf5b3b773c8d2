//! Keys of signatures: ed25519 and ECDSA P-256 to verify, ed25519 to sign. PEM files as OpenSSL and KMS write them.
//!
//! Other curves, RSA, encrypted private keys and certificates are refused. A private key is never printed.

use std::fmt;

use ring::digest::{SHA256, digest};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey,
    VerificationAlgorithm,
};
use zeroize::Zeroizing;

/// Everything of a SubjectPublicKeyInfo before an ed25519 key's 32 bytes (RFC 8410). DER has one way to write it.
const ED25519_HEAD: &[u8] = &[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
/// The same before the 65 bytes of an uncompressed point on P-256 (RFC 5480).
const P256_HEAD: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 3, 1, 7, 3, 0x42, 0,
];
const ED25519_LENGTH: usize = 32;
const P256_LENGTH: usize = 65;

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not one PEM document of the kind that was asked for.
    #[error("it is not a PEM file that begins with `-----BEGIN {0}-----`")]
    Pem(&'static str),
    /// Some other kind of key.
    #[error("it is neither an ed25519 nor an ECDSA P-256 key")]
    Kind,
    /// A private key of a kind that this tool does not sign with.
    #[error("it is not an ed25519 key\n(hint: `openssl genpkey -algorithm ed25519` makes one)")]
    SigningKind,
}

/// A public key that signatures are verified with.
pub struct PublicKey {
    algorithm: &'static dyn VerificationAlgorithm,
    point: Vec<u8>,
    id: String,
}

impl PublicKey {
    /// From a PEM file (`-----BEGIN PUBLIC KEY-----`).
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        Self::from_der(&body(pem, "PUBLIC KEY")?)
    }

    /// From a SubjectPublicKeyInfo, as KMS's GetPublicKey answers.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let algorithm: &'static dyn VerificationAlgorithm;
        let point = if let Some(point) = rest(der, ED25519_HEAD, ED25519_LENGTH) {
            algorithm = &ED25519;
            point
        } else if let Some(point) = rest(der, P256_HEAD, P256_LENGTH) {
            algorithm = &ECDSA_P256_SHA256_ASN1;
            point
        } else {
            return Err(KeyError::Kind);
        };
        let id = hex::encode(digest(&SHA256, der));
        Ok(Self { algorithm, point: point.to_vec(), id })
    }

    /// The key's fingerprint: SHA-256 of its SubjectPublicKeyInfo, hex.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// True where this key's owner has signed the message: 64 bytes for ed25519, DER for ECDSA.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(self.algorithm, &self.point).verify(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "public key {}", self.id)
    }
}

/// An ed25519 key in a local file.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// From a PKCS#8 PEM file (`-----BEGIN PRIVATE KEY-----`) without a passphrase.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let der = Zeroizing::new(body(pem, "PRIVATE KEY")?);
        // OpenSSL writes version 1, without the public half that version 2 has and that could be checked.
        let pair =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| KeyError::SigningKind)?;
        let der = [ED25519_HEAD, pair.public_key().as_ref()].concat();
        Ok(Self { pair, public: PublicKey::from_der(&der)? })
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signature of a message: 64 bytes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signing key {}", self.public.id)
    }
}

fn body(pem: &[u8], label: &'static str) -> Result<Vec<u8>, KeyError> {
    match pem_rfc7468::decode_vec(pem) {
        Ok((found, der)) if found == label => Ok(der),
        _ => Err(KeyError::Pem(label)),
    }
}

fn rest<'a>(der: &'a [u8], head: &[u8], length: usize) -> Option<&'a [u8]> {
    der.strip_prefix(head).filter(|rest| rest.len() == length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(head: &[u8], key: &str) -> PublicKey {
        PublicKey::from_der(&[head, &hex::decode(key).unwrap()].concat()).unwrap()
    }

    /// RFC 8032, 7.1, tests 1 to 3: secret key, public key, message, signature.
    const RFC_8032: [[&str; 4]; 3] = [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ],
        [
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ],
    ];

    /// A PKCS#8 version 1 file of a secret key, as OpenSSL writes it.
    fn private_pem(secret: &str) -> String {
        let head = hex::decode("302e020100300506032b657004220420").unwrap();
        let der = [head, hex::decode(secret).unwrap()].concat();
        pem_rfc7468::encode_string("PRIVATE KEY", pem_rfc7468::LineEnding::LF, &der).unwrap()
    }

    #[test]
    fn ed25519_gives_the_answers_of_rfc_8032() {
        for [secret, key, message, signature] in RFC_8032 {
            let signing = SigningKey::from_pem(private_pem(secret).as_bytes()).unwrap();
            let (message, signature) =
                (hex::decode(message).unwrap(), hex::decode(signature).unwrap());
            assert_eq!(signing.sign(&message), signature);
            let public = public(ED25519_HEAD, key);
            assert_eq!(signing.public().id(), public.id());
            assert!(public.verifies(&message, &signature));
            let mut other = signature.clone();
            other[5] ^= 1;
            assert!(!public.verifies(&message, &other));
            assert!(!public.verifies(b"another message", &signature));
            assert!(!public.verifies(&message, &signature[..63]));
        }
    }

    /// RFC 6979, A.2.5, SHA-256, "sample"; the signature in DER, as KMS gives it.
    #[test]
    fn ecdsa_p256_accepts_the_answer_of_rfc_6979() {
        let key = public(
            P256_HEAD,
            "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
        );
        let signature = hex::decode(
            "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        )
        .unwrap();
        assert!(key.verifies(b"sample", &signature));
        assert!(!key.verifies(b"test", &signature));
        // The bare pair of numbers that other systems write is not DER.
        assert!(!key.verifies(b"sample", &[&signature[5..37], &signature[40..72]].concat()));
    }

    #[test]
    fn other_keys_are_refused() {
        let pem = |label: &str, der: &[u8]| {
            pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, der).unwrap()
        };
        let read = |text: &str| PublicKey::from_pem(text.as_bytes()).unwrap_err();
        let good = [ED25519_HEAD, &[7; 32]].concat();
        assert!(PublicKey::from_pem(pem("PUBLIC KEY", &good).as_bytes()).is_ok());
        assert_eq!(read(""), KeyError::Pem("PUBLIC KEY"));
        assert_eq!(read(&pem("CERTIFICATE", &good)), KeyError::Pem("PUBLIC KEY"));
        assert_eq!(read(&pem("PUBLIC KEY", &[&good[..], &[0]].concat())), KeyError::Kind);
        assert_eq!(read(&pem("PUBLIC KEY", &good[..40])), KeyError::Kind);
        // An EC point that is not compressed but of another length: secp384r1.
        assert_eq!(read(&pem("PUBLIC KEY", &[P256_HEAD, &[4; 97]].concat())), KeyError::Kind);
        let read = |text: &str| SigningKey::from_pem(text.as_bytes()).unwrap_err();
        assert_eq!(read(&pem("PUBLIC KEY", &good)), KeyError::Pem("PRIVATE KEY"));
        assert_eq!(read(&pem("PRIVATE KEY", &good)), KeyError::SigningKind);
        assert_eq!(read(&pem("ENCRYPTED PRIVATE KEY", &good)), KeyError::Pem("PRIVATE KEY"));
    }

    #[test]
    fn a_key_prints_its_fingerprint_alone() {
        let key = SigningKey::from_pem(private_pem(RFC_8032[0][0]).as_bytes()).unwrap();
        assert_eq!(format!("{key:?}"), format!("signing key {}", key.public().id()));
        assert_eq!(key.public().id().len(), 64);
    }
}
