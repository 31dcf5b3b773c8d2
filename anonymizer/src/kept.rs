//! The report as the masked database keeps it, so that a run that died before it had written its report leaves it all the same.
//!
//! It is sealed with the masking key: whoever may write to a database could put any report there, and is not believed.

use ring::hmac;

use crate::mask::key::Keyring;

/// A report and its seal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// `report.json`, byte for byte.
    pub report: String,
    /// Over the report, hex.
    pub seal: String,
}

impl Kept {
    /// Seals a report.
    pub fn new(report: String, keyring: &Keyring) -> Self {
        let seal = hex::encode(hmac::sign(&key(keyring), report.as_bytes()));
        Self { report, seal }
    }

    /// The report, where it is one that was sealed with this key.
    pub fn open(self, keyring: &Keyring) -> Option<String> {
        let seal = hex::decode(&self.seal).ok()?;
        hmac::verify(&key(keyring), self.report.as_bytes(), &seal).ok()?;
        Some(self.report)
    }
}

fn key(keyring: &Keyring) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, keyring.secret("report").as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_believed_with_its_own_key_and_seal_only() {
        let keyring = |digit: &str| Keyring::from_hex(&digit.repeat(64)).unwrap();
        let kept = Kept::new("{}".to_owned(), &keyring("1"));
        assert_eq!(kept.clone().open(&keyring("1")), Some("{}".to_owned()));
        assert_eq!(kept.clone().open(&keyring("2")), None);
        assert_eq!(Kept { report: "{ }".to_owned(), ..kept.clone() }.open(&keyring("1")), None);
        for seal in ["", "00", &kept.seal[2..], "no hex"] {
            let forged = Kept { seal: seal.to_owned(), ..kept.clone() };
            assert_eq!(forged.open(&keyring("1")), None, "{seal}");
        }
    }
}
