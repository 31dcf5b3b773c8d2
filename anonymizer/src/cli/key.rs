//! The masking key of a run: from a file, from the environment, or made for this run and forgotten.

use std::env;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use zeroize::Zeroizing;

use super::{Error, say};
use crate::mask::key::Keyring;

/// Where the key comes from.
#[derive(Debug, Args)]
pub struct KeyArguments {
    /// A file that holds the masking key, 64 hex digits (`openssl rand -hex 32` makes one); by default the environment's
    /// ANONYMIZER_KEY. Without either, a random key is made for this run and forgotten.
    #[arg(long, value_name = "FILE", env = "ANONYMIZER_KEY_FILE", hide_env_values = true)]
    key_file: Option<PathBuf>,
}

impl KeyArguments {
    /// The key; says so where it is made for this run.
    pub fn keyring(&self) -> Result<Keyring, Error> {
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
    pub fn given(&self, command: &str) -> Result<Keyring, Error> {
        if self.text()?.is_none() {
            return Err(Error::Usage(format!(
                "{command} without the run's masking key\n(hint: --key-file FILE or the environment's ANONYMIZER_KEY)"
            )));
        }
        self.keyring()
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
