//! The masking key of a run: from a file, from the environment, in KMS, or made for this run and forgotten.

use std::env;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use zeroize::Zeroizing;

use super::{Error, cloud, say};
use crate::mask::key::Keyring;
use crate::rules::RuleSet;

/// Where the key comes from.
#[derive(Debug, Args)]
pub struct KeyArguments {
    /// A file that holds the masking key, 64 hex digits (`openssl rand -hex 32` makes one); by default the environment's
    /// ANONYMIZER_KEY. Without either, a random key is made for this run and forgotten.
    #[arg(long, value_name = "FILE", env = "ANONYMIZER_KEY_FILE", hide_env_values = true)]
    key_file: Option<PathBuf>,
    /// Derive the masking keys in AWS KMS from this HMAC key, which nobody ever sees: one GenerateMac request for each domain
    /// of the rules, and one more. Another key makes other fakes.
    #[arg(long, value_name = "ARN", env = "ANONYMIZER_KMS_KEY", conflicts_with = "key_file")]
    kms_key: Option<String>,
}

impl KeyArguments {
    /// The key for these rules; says so where it is made for this run.
    pub async fn keyring(&self, rules: &RuleSet) -> Result<Keyring, Error> {
        if let Some(key) = &self.kms_key {
            return self.in_kms(key, rules).await;
        }
        match self.text()? {
            Some(text) => Keyring::from_hex(&text)
                .map_err(|error| Error::Usage(format!("read the masking key: {error}"))),
            None => {
                say(
                    "no masking key given: a random one is made for this run and forgotten. Masked values agree within this \
                     run only, and an interrupted run cannot be resumed.\n(hint: --key-file FILE or the environment's \
                     ANONYMIZER_KEY; `openssl rand -hex 32` makes one)",
                );
                Ok(Keyring::ephemeral())
            }
        }
    }

    /// The key of an earlier run, for a command that is of no use without it.
    pub async fn given(&self, command: &str, rules: &RuleSet) -> Result<Keyring, Error> {
        if self.kms_key.is_none() && self.text()?.is_none() {
            return Err(Error::Usage(format!(
                "{command} without the run's masking key\n(hint: --key-file FILE, --kms-key ARN or the environment's ANONYMIZER_KEY)"
            )));
        }
        self.keyring(rules).await
    }

    async fn in_kms(&self, key: &str, rules: &RuleSet) -> Result<Keyring, Error> {
        if env::var_os("ANONYMIZER_KEY").is_some() {
            return Err(Error::Usage(
                "choose the masking key: one in KMS is named, and ANONYMIZER_KEY is set\n(hint: unset one)".into(),
            ));
        }
        cloud::keyring(key, rules.domains()).await
    }

    fn text(&self) -> Result<Option<Zeroizing<String>>, Error> {
        if let Some(file) = &self.key_file {
            let text = fs::read_to_string(file).map_err(|error| {
                let (name, kind) = (file.display(), error.kind());
                Error::Usage(format!("read the masking key: {name} cannot be read ({kind})"))
            })?;
            return Ok(Some(Zeroizing::new(text)));
        }
        match env::var("ANONYMIZER_KEY") {
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => {
                Err(Error::Usage("read the masking key: ANONYMIZER_KEY is not valid UTF-8".into()))
            }
        }
    }
}
