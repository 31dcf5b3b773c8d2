//! The masking key, its subkeys, and the keyed bits that fakes are drawn from.
//!
//! One subkey per domain, `HMAC-SHA-256(key, "anonymizer/domain/" + domain)`; one draw per value,
//! `HMAC-SHA-256(subkey, tag + 0x00 + canonical value)`. The key is never printed: these types have no `Debug` that shows it.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::TryRng as _;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::value::Value;

/// The masking key of a run.
#[derive(Clone)]
pub struct Keyring {
    master: Zeroizing<[u8; 32]>,
    ephemeral: bool,
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// The text is not 64 hex digits.
    #[error("masking key is not 64 hex digits\n(hint: make one with `openssl rand -hex 32`)")]
    Form,
}

impl Keyring {
    /// A key from 64 hex digits; white space around them is ignored.
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        let mut master = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), master.as_mut_slice()).map_err(|_| KeyError::Form)?;
        Ok(Self { master, ephemeral: false })
    }

    /// A random key for this run only.
    pub fn ephemeral() -> Self {
        let mut master = Zeroizing::new([0; 32]);
        rand::rngs::SysRng
            .try_fill_bytes(master.as_mut_slice())
            .expect("the operating system gives random bytes");
        Self { master, ephemeral: true }
    }

    /// True for a key nobody else has: masked values agree within this run only.
    pub fn is_ephemeral(&self) -> bool {
        self.ephemeral
    }

    /// The subkey of a domain; the default domain is empty.
    pub fn subkey(&self, domain: &str) -> Subkey {
        Subkey::new(&self.derive(&format!("anonymizer/domain/{domain}")))
    }

    /// A value that tells two keys apart and reveals neither: 8 bytes, hex.
    pub fn check_value(&self) -> String {
        hex::encode(&self.derive("anonymizer/check")[..8])
    }

    fn derive(&self, label: &str) -> [u8; 32] {
        let mut hmac = Hmac::<Sha256>::new_from_slice(self.master.as_slice())
            .expect("HMAC takes keys of any length");
        hmac.update(label.as_bytes());
        hmac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(..)")
    }
}

/// The key of one domain, its HMAC state computed once.
#[derive(Clone)]
pub struct Subkey {
    hmac: Hmac<Sha256>,
}

impl Subkey {
    fn new(key: &[u8; 32]) -> Self {
        Self { hmac: Hmac::new_from_slice(key).expect("HMAC takes keys of any length") }
    }

    /// 256 keyed bits for a value under a tag. Functions that must agree with each other share a tag.
    pub fn draw(&self, tag: &str, value: &Value<'_>) -> Draw {
        let mut hmac = self.hmac.clone();
        hmac.update(tag.as_bytes());
        hmac.update(&[0]);
        match value {
            // The common case needs no copy.
            Value::Text(text) => hmac.update(text.as_bytes()),
            other => {
                let mut canonical = Vec::with_capacity(32);
                other.canonical(&mut canonical);
                hmac.update(&canonical);
            }
        }
        Draw { bits: hmac.finalize().into_bytes().into() }
    }

    /// A key for a block cipher under a tag, for permutations.
    pub fn cipher_key(&self, tag: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.draw(tag, &Value::Text("".into())).bits)
    }
}

impl fmt::Debug for Subkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subkey(..)")
    }
}

/// 256 keyed bits: four independent 64-bit words.
#[derive(Clone, Copy)]
pub struct Draw {
    /// The bits.
    pub bits: [u8; 32],
}

impl Draw {
    /// Word 0 to 3.
    pub fn word(&self, index: usize) -> u64 {
        let bytes = self.bits[index * 8..index * 8 + 8].try_into().expect("a word has eight bytes");
        u64::from_be_bytes(bytes)
    }

    /// Words `index` and `index + 1` as one number.
    pub fn wide(&self, index: usize) -> u128 {
        u128::from(self.word(index)) << 64 | u128::from(self.word(index + 1))
    }

    /// A number below `bound`, from a word, by multiplication (no modulo bias that matters below 2^32).
    pub fn below(&self, index: usize, bound: u64) -> u64 {
        ((u128::from(self.word(index)) * u128::from(bound)) >> 64) as u64
    }
}
