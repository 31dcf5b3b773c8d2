//! The key that signs a run's statement, and the key that a signed one is verified with: files alone.

use std::env;
use std::path::{Path, PathBuf};

use clap::Args;
use contract::key::{PublicKey, SigningKey};
use zeroize::Zeroizing;

use super::Error;

/// Names a signing key's file where the command line does not.
const VARIABLE: &str = "ANONYMIZER_SIGN_KEY";

/// Where the signing key comes from.
#[derive(Debug, Args)]
pub struct SignArguments {
    /// Sign the report with the ed25519 key in this PEM file (`openssl genpkey -algorithm ed25519` makes one) and write
    /// statement.dsse.json beside it; by default the file that the environment's ANONYMIZER_SIGN_KEY names.
    #[arg(long, value_name = "FILE", requires = "report")]
    sign_key: Option<PathBuf>,
}

impl SignArguments {
    /// The key, where one is named and there is a report to sign.
    pub fn key(&self, has_report: bool) -> Result<Option<SigningKey>, Error> {
        let named = self.sign_key.clone();
        let Some(file) = named.or_else(|| env::var_os(VARIABLE).map(PathBuf::from)) else {
            return Ok(None);
        };
        if !has_report {
            return Err(Error::Usage(format!(
                "sign the report: {VARIABLE} is set and there is no report\n(hint: --report DIR)"
            )));
        }
        let pem = read("the signing key", &file)?;
        let key = SigningKey::from_pem(&pem);
        key.map(Some).map_err(|error| unusable("the signing key", &file, &error))
    }
}

/// The key in a `--public-key` file.
pub fn public_key(file: &Path) -> Result<PublicKey, Error> {
    let pem = read("the public key", file)?;
    PublicKey::from_pem(&pem).map_err(|error| unusable("the public key", file, &error))
}

fn read(what: &str, file: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let bytes = std::fs::read(file).map_err(|error| {
        let (name, kind) = (file.display(), error.kind());
        Error::Usage(format!("read {what}: {name} cannot be read ({kind})"))
    })?;
    Ok(Zeroizing::new(bytes))
}

fn unusable(what: &str, file: &Path, error: &contract::key::KeyError) -> Error {
    Error::Usage(format!("read {what}: {}: {error}", file.display()))
}
