//! The masking key, its subkeys, and the keyed bits that fakes are drawn from.
//!
//! One subkey per domain, `HMAC-SHA-256(key, "anonymizer/domain/" + domain)`, or as a service that keeps the key has derived
//! it; one draw per value, `HMAC-SHA-256(subkey, tag + 0x00 + canonical value)`. The key is never printed: these types have no
//! `Debug` that shows it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rand::TryRng as _;
use ring::hmac;
use zeroize::Zeroizing;

use crate::value::Value;

/// The masking key of a run.
#[derive(Clone)]
pub struct Keyring {
    /// The key; where that stays with a service, one that the service has derived for everything but the domains.
    master: Zeroizing<[u8; 32]>,
    /// Subkeys of all domains, where a service has derived them.
    derived: Option<Arc<BTreeMap<String, Zeroizing<[u8; 32]>>>>,
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
        Ok(Self { master, derived: None, ephemeral: false })
    }

    /// Keys that a service has derived from one that it keeps: of each domain that the rules speak of
    /// ([`domains`](crate::rules::RuleSet::domains)), and one for everything else.
    pub fn derived(
        domains: BTreeMap<String, Zeroizing<[u8; 32]>>,
        other: Zeroizing<[u8; 32]>,
    ) -> Self {
        Self { master: other, derived: Some(Arc::new(domains)), ephemeral: false }
    }

    /// A random key for this run only.
    pub fn ephemeral() -> Self {
        let mut master = Zeroizing::new([0; 32]);
        rand::rngs::SysRng
            .try_fill_bytes(master.as_mut_slice())
            .expect("the operating system gives random bytes");
        Self { master, derived: None, ephemeral: true }
    }

    /// True for a key nobody else has: masked values agree within this run only.
    pub fn is_ephemeral(&self) -> bool {
        self.ephemeral
    }

    /// The subkey of a domain; the default domain is empty.
    pub fn subkey(&self, domain: &str) -> Subkey {
        match &self.derived {
            None => Subkey::new(&self.derive(&format!("anonymizer/domain/{domain}"))),
            Some(domains) => {
                Subkey::new(domains.get(domain).expect("every domain of the rules was derived"))
            }
        }
    }

    /// A value that tells two keys apart and reveals neither: 8 bytes, hex.
    pub fn check_value(&self) -> String {
        hex::encode(&self.derive("anonymizer/check")[..8])
    }

    /// A key for something other than masking: no domain's subkey and no other label's.
    pub fn secret(&self, label: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.derive(&format!("anonymizer/secret/{label}")))
    }

    fn derive(&self, label: &str) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.master.as_slice());
        bits(hmac::sign(&key, label.as_bytes()))
    }
}

fn bits(tag: hmac::Tag) -> [u8; 32] {
    tag.as_ref().try_into().expect("HMAC-SHA-256 gives 32 bytes")
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(..)")
    }
}

/// The key of one domain, its HMAC state computed once.
#[derive(Clone)]
pub struct Subkey {
    hmac: hmac::Key,
    /// SHA-256's states after the key's blocks, inner and outer: where the draws of many values begin.
    states: ([u32; 8], [u32; 8]),
    /// Tells subkeys apart.
    number: u64,
}

impl Subkey {
    fn new(key: &[u8; 32]) -> Self {
        let hmac = hmac::Key::new(hmac::HMAC_SHA256, key);
        let id = Draw { bits: bits(hmac::sign(&hmac, b"anonymizer/id")) };
        let states = (padded_state(key, 0x36), padded_state(key, 0x5c));
        Self { hmac, states, number: id.word(0) }
    }

    /// SHA-256's states after the key's blocks, inner and outer.
    pub(super) fn states(&self) -> ([u32; 8], [u32; 8]) {
        self.states
    }

    /// Equal for subkeys of one key and domain.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// 256 keyed bits for a value under a tag. Functions that must agree with each other share a tag.
    pub fn draw(&self, tag: &str, value: &Value<'_>) -> Draw {
        match value {
            // The common case needs no copy.
            Value::Text(text) => self.draw_bytes(tag, text.as_bytes()),
            other => {
                let mut canonical = Vec::with_capacity(32);
                other.canonical(&mut canonical);
                self.draw_bytes(tag, &canonical)
            }
        }
    }

    /// 256 keyed bits for a message: a tag, a zero byte, and the canonical form of a value.
    pub(super) fn draw_message(&self, message: &[u8]) -> Draw {
        Draw { bits: bits(hmac::sign(&self.hmac, message)) }
    }

    fn draw_bytes(&self, tag: &str, canonical: &[u8]) -> Draw {
        let mut hmac = hmac::Context::with_key(&self.hmac);
        hmac.update(tag.as_bytes());
        hmac.update(&[0]);
        hmac.update(canonical);
        Draw { bits: bits(hmac.sign()) }
    }

    /// A key for a block cipher under a tag, for permutations.
    pub fn cipher_key(&self, tag: &str) -> Zeroizing<[u8; 32]> {
        // No function has this tag: the fake of no value is a key.
        Zeroizing::new(self.draw("anonymizer/cipher", &Value::Text(tag.into())).bits)
    }
}

/// SHA-256's state after the block that HMAC (RFC 2104) makes of a key and a pad.
fn padded_state(key: &[u8; 32], pad: u8) -> [u32; 8] {
    let mut padded = Zeroizing::new([pad; 64]);
    for (byte, key) in padded.iter_mut().zip(key) {
        *byte ^= key;
    }
    let mut block = [[0; lanes::LANES]; 16];
    for (word, bytes) in block.iter_mut().zip(padded.as_chunks().0) {
        word[0] = u32::from_be_bytes(*bytes);
    }
    let mut state = lanes::START.map(|word| [word; lanes::LANES]);
    lanes::compress(&mut state, &block);
    state.map(|word| word[0])
}

impl fmt::Debug for Subkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subkey(..)")
    }
}

/// 256 keyed bits: four independent 64-bit words.
#[derive(Clone, Copy, Default)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_hmac_sha_256() {
        // RFC 4231, test case 2.
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
        let tag = bits(hmac::sign(&key, b"what do ya want for nothing?"));
        assert_eq!(
            hex::encode(tag),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let subkey = Keyring::from_hex(&"1".repeat(64)).unwrap().subkey("d");
        let message = bits(hmac::sign(&subkey.hmac, b"tag\x005"));
        assert_eq!(subkey.draw("tag", &Value::Int(5)).bits, message);
        assert_eq!(subkey.draw("tag", &Value::Text("5".into())).bits, message);
    }

    #[test]
    fn keys_that_were_derived_elsewhere_are_each_their_own() {
        let key = |byte: u8| Zeroizing::new([byte; 32]);
        let domains = BTreeMap::from([("".to_owned(), key(1)), ("d".to_owned(), key(2))]);
        let keyring = Keyring::derived(domains, key(3));
        let draw = |subkey: &Subkey| subkey.draw("tag", &Value::Int(5)).bits;
        let expected = |byte: u8| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32]);
            bits(hmac::sign(&key, b"tag\x005"))
        };
        assert_eq!(draw(&keyring.subkey("")), expected(1));
        assert_eq!(draw(&keyring.subkey("d")), expected(2));
        let local = Keyring::from_hex(&"03".repeat(32)).unwrap();
        assert_eq!(keyring.check_value(), local.check_value());
        assert_eq!(keyring.secret("x"), local.secret("x"));
        assert!(!keyring.is_ephemeral());
    }

    #[test]
    fn no_fake_is_a_cipher_key() {
        let subkey = Keyring::from_hex(&"1".repeat(64)).unwrap().subkey("");
        let empty = subkey.draw("hash", &Value::Text("".into())).bits;
        assert_ne!(*subkey.cipher_key("hash"), empty);
    }
}
