//! What a run keeps in S3 for its successor. The files are sealed already, and stay what they are.

use std::path::Path;
use std::sync::Arc;

use account::aws::Bucket;
use account::{AccountError, Documents};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::reach::{place, unusable};
use crate::cli::Error;
use crate::verify::vault::{Elsewhere, VaultError};

/// The files of one database's run.
struct Kept {
    bucket: Bucket,
    key: String,
    uri: String,
}

/// Brings what an earlier run has kept below a URI into a directory. What is kept from now on goes there too.
pub async fn state(task: &str, uri: &str, directory: &Path) -> Result<Arc<dyn Elsewhere>, Error> {
    let (bucket, key) = place(task, uri).await?;
    let kept = Kept { bucket, key: key.to_owned(), uri: uri.to_owned() };
    kept.fetch(directory).await.map_err(|error| unusable(task, error))?;
    Ok(Arc::new(kept))
}

impl Kept {
    fn documents(&self) -> Documents {
        Documents::Bucket(self.bucket.clone())
    }

    async fn fetch(&self, directory: &Path) -> Result<(), AccountError> {
        for key in self.documents().list(&self.key).await? {
            // Directories below it are not ours.
            if let Some((parent, name)) = key.rsplit_once('/')
                && parent == self.key
            {
                self.bucket.download(&key, &directory.join(name)).await?;
            }
        }
        Ok(())
    }

    async fn put(&self, file: &Path) -> Result<(), VaultError> {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        self.bucket.upload(&format!("{}/{name}", self.key), file).await.map_err(unkept)
    }

    async fn remove(&self) -> Result<(), VaultError> {
        for key in self.documents().list(&self.key).await.map_err(unkept)? {
            self.documents().delete(&key).await.map_err(unkept)?;
        }
        Ok(())
    }
}

impl Elsewhere for Kept {
    fn keep<'a>(&'a self, file: &'a Path) -> BoxFuture<'a, Result<(), VaultError>> {
        self.put(file).boxed()
    }

    fn discard(&self) -> BoxFuture<'_, Result<(), VaultError>> {
        self.remove().boxed()
    }

    fn name(&self) -> &str {
        &self.uri
    }
}

fn unkept(error: AccountError) -> VaultError {
    VaultError::Elsewhere {
        passing: matches!(error, AccountError::Passing(_)),
        text: error.to_string(),
    }
}
