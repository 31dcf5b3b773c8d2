//! A DSSE envelope, version 1: bytes, what they are, and signatures of both
//! (<https://github.com/secure-systems-lab/dsse>, protocol and envelope).
//!
//! Stricter than DSSE asks of a reader: one form of JSON is accepted, the one that is written here. A field that nobody
//! knows, a field that stands twice and anything after the envelope are refused, for a signature covers none of them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};

use crate::key::{PublicKey, SigningKey};

/// A signed document.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    /// The document, base64.
    pub payload: String,
    /// What the document is: a media type.
    pub payload_type: String,
    /// At least one.
    pub signatures: Vec<Signature>,
}

/// One signature of the payload and its type.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The key's fingerprint, [`PublicKey::id`]. A hint: nothing is decided by it.
    #[serde(default)]
    pub keyid: String,
    /// The signature, base64.
    pub sig: String,
}

/// Why an envelope is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not JSON of this form.
    #[error("it is not a DSSE envelope")]
    Form,
    /// The payload is something else.
    #[error("what it carries is of another type")]
    PayloadType,
    /// No signature by the key.
    #[error("it is not signed by this key, or was changed after it was signed")]
    Unsigned,
}

/// What is signed: DSSE's pre-authentication encoding of a payload and its type.
pub fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl Envelope {
    /// Signs a payload with a local key.
    pub fn sign(payload_type: &str, payload: &[u8], key: &SigningKey) -> Self {
        let signature = key.sign(&pre_authentication(payload_type, payload));
        Self::new(payload_type, payload, key.public().id(), &signature)
    }

    /// A payload with a signature of its [`pre_authentication`] that was made elsewhere.
    pub fn new(payload_type: &str, payload: &[u8], keyid: &str, signature: &[u8]) -> Self {
        Self {
            payload: STANDARD.encode(payload),
            payload_type: payload_type.into(),
            signatures: vec![Signature { keyid: keyid.into(), sig: STANDARD.encode(signature) }],
        }
    }

    /// Reads an envelope; trusts nothing in it.
    pub fn read(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        serde_json::from_slice(bytes).map_err(|_| EnvelopeError::Form)
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("keys are strings");
        bytes.push(b'\n');
        bytes
    }

    /// True where this is the payload, whoever has signed it.
    pub fn carries(&self, payload: &[u8]) -> bool {
        decode(&self.payload).is_ok_and(|carried| carried == payload)
    }

    /// The payload, if it is of this type and one of the signatures is by this key.
    pub fn open(&self, payload_type: &str, key: &PublicKey) -> Result<Vec<u8>, EnvelopeError> {
        if self.payload_type != payload_type {
            return Err(EnvelopeError::PayloadType);
        }
        let payload = decode(&self.payload)?;
        let message = pre_authentication(&self.payload_type, &payload);
        let by_key = |signature: &Signature| {
            decode(&signature.sig).is_ok_and(|signature| key.verifies(&message, &signature))
        };
        if self.signatures.iter().any(by_key) { Ok(payload) } else { Err(EnvelopeError::Unsigned) }
    }
}

/// A writer may choose between the two alphabets.
fn decode(text: &str) -> Result<Vec<u8>, EnvelopeError> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).map_err(|_| EnvelopeError::Form)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "http://example.com/HelloWorld";

    fn key(secret: u8) -> SigningKey {
        let head = hex::decode("302e020100300506032b657004220420").unwrap();
        let der = [head, vec![secret; 32]].concat();
        let pem = pem_rfc7468::encode_string("PRIVATE KEY", pem_rfc7468::LineEnding::LF, &der);
        SigningKey::from_pem(pem.unwrap().as_bytes()).unwrap()
    }

    #[test]
    fn what_is_signed_is_as_the_protocol_shows_it() {
        assert_eq!(
            pre_authentication(TYPE, b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        assert_eq!(pre_authentication("\u{e9}", b""), "DSSEv1 2 \u{e9} 0 ".as_bytes());
    }

    /// The protocol's example, its key and signature; the signature's two numbers in DER.
    #[test]
    fn the_example_of_the_protocol_opens() {
        let point = "67cd390f77aa359cb08c2235f652270493a9ed832b0abcc01f70954c0390d2380c782bd54e269125a44f4433aff1432ce94e12bca73aa67ac80cea12608ddf74";
        let head = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";
        let key = hex::decode(format!("{head}{point}")).unwrap();
        let key = PublicKey::from_der(&key).unwrap();
        let text = r#"{"payload": "aGVsbG8gd29ybGQ=",
            "payloadType": "http://example.com/HelloWorld",
            "signatures": [{"sig": "MEQCIANyarEBrVbCdjtsaqyOSHJ14qeRk6CdxfhZ2fjvPEo7AiBR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="}]}"#;
        let envelope = Envelope::read(text.as_bytes()).unwrap();
        assert_eq!(envelope.open(TYPE, &key).unwrap(), b"hello world");
        assert_eq!(envelope.open("application/json", &key), Err(EnvelopeError::PayloadType));
        let other = Envelope { payload: STANDARD.encode("hello worle"), ..envelope };
        assert_eq!(other.open(TYPE, &key), Err(EnvelopeError::Unsigned));
    }

    #[test]
    fn any_signature_by_the_key_will_do_whatever_it_says_of_itself() {
        let mut envelope = Envelope::sign(TYPE, b"?>", &key(1));
        let second = Envelope::sign(TYPE, b"?>", &key(2)).signatures.remove(0);
        envelope.signatures.push(Signature { keyid: key(1).public().id().into(), ..second });
        envelope.signatures.insert(0, Signature { keyid: String::new(), sig: "!".into() });
        let open = |secret| envelope.open(TYPE, key(secret).public());
        assert_eq!(open(1).unwrap(), b"?>");
        assert_eq!(open(2).unwrap(), b"?>");
        assert_eq!(open(3), Err(EnvelopeError::Unsigned));
    }

    #[test]
    fn a_type_that_was_exchanged_is_not_signed() {
        let envelope = Envelope::sign("a", b"b", &key(1));
        let other = Envelope { payload_type: "c".into(), ..envelope };
        assert_eq!(other.open("c", key(1).public()), Err(EnvelopeError::Unsigned));
    }

    #[test]
    fn both_alphabets_are_read() {
        let envelope = Envelope::sign(TYPE, &[0xfb, 0xff], &key(1));
        assert_eq!(envelope.payload, "+/8=");
        let other = Envelope { payload: "-_8=".into(), ..envelope.clone() };
        assert_eq!(other.open(TYPE, key(1).public()).unwrap(), [0xfb, 0xff]);
        let other = Envelope { payload: "+/9=".into(), ..envelope };
        assert_eq!(other.open(TYPE, key(1).public()), Err(EnvelopeError::Form));
    }

    #[test]
    fn what_is_not_exactly_an_envelope_is_refused() {
        let good = serde_json::to_string(&Envelope::sign(TYPE, b"x", &key(1))).unwrap();
        assert!(Envelope::read(good.as_bytes()).is_ok());
        let bad = [
            String::new(),
            "{}".to_owned(),
            format!("{good} {good}"),
            format!("{good}x"),
            good.replacen('{', r#"{"payload":"","#, 1),
            good.replacen('{', r#"{"extra":1,"#, 1),
            good.replace(r#""sig""#, r#""cert":"","sig""#),
            good.replace(r#""sig""#, r#""sig":"","sig""#),
            good.replace(r#""sig""#, r#""gis""#),
        ];
        for text in bad {
            assert_eq!(Envelope::read(text.as_bytes()), Err(EnvelopeError::Form), "{text}");
        }
    }
}
