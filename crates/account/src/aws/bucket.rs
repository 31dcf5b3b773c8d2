//! Documents in an S3 bucket.
//!
//! A role that may not list a bucket is told of a missing document that access is denied; give it `s3:ListBucket`.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{ObjectLockMode, ServerSideEncryption};
use aws_types::SdkConfig;
use jiff::{SignedDuration, Timestamp};

use super::error;
use crate::error::AccountError;
use crate::file;

/// A bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub(super) client: Client,
    pub(super) name: String,
    key: Option<String>,
    kept: Option<SignedDuration>,
}

impl Bucket {
    /// The bucket of that name. What is put there is encrypted as the bucket's own configuration says.
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self { client: Client::new(config), name: name.into(), key: None, kept: None }
    }

    /// Encrypts what is put there under a KMS key, whose ARN a reader in another account must be allowed to use.
    pub fn encrypted(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// Locks what is put there for that long: nobody, not even the account's root, can change or remove it before. The bucket
    /// must have been made with Object Lock.
    pub fn kept(self, span: SignedDuration) -> Self {
        Self { kept: Some(span), ..self }
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, AccountError> {
        let task = self.task("read", key)?;
        let answer = match self.client.get_object().bucket(&self.name).key(key).send().await {
            Ok(answer) => answer,
            Err(refusal) => match refusal.as_service_error() {
                Some(GetObjectError::NoSuchKey(_)) => return Ok(None),
                _ => return Err(error::of(&task, refusal)),
            },
        };
        let body = answer.body.collect().await.map_err(|_| error::unreadable(&task))?;
        Ok(Some(body.to_vec()))
    }

    pub(crate) async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), AccountError> {
        let task = self.task("write", key)?;
        let mut request = self.client.put_object().bucket(&self.name).key(key);
        if let Some(key) = &self.key {
            request = request.server_side_encryption(ServerSideEncryption::AwsKms);
            request = request.ssekms_key_id(key).bucket_key_enabled(true);
        }
        if let Some(span) = self.kept {
            let until = Timestamp::now().checked_add(span).unwrap_or(Timestamp::MAX);
            request = request.object_lock_mode(ObjectLockMode::Compliance);
            let until = DateTime::from_secs(until.as_second());
            request = request.object_lock_retain_until_date(until);
        }
        let sent = request.body(ByteStream::from(bytes.to_vec())).send().await;
        sent.map(drop).map_err(|err| error::of(&task, err))
    }

    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<String>, AccountError> {
        let task = self.task("list", prefix)?;
        let request = self.client.list_objects_v2().bucket(&self.name).prefix(format!("{prefix}/"));
        let mut pages = request.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|err| error::of(&task, err))?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|one| one.key));
        }
        keys.sort();
        Ok(keys)
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), AccountError> {
        let task = self.task("remove", key)?;
        let sent = self.client.delete_object().bucket(&self.name).key(key).send().await;
        sent.map(drop).map_err(|err| error::of(&task, err))
    }

    pub(crate) fn uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    pub(super) fn task(&self, verb: &str, key: &str) -> Result<String, AccountError> {
        file::fits(key)?;
        Ok(format!("{verb} `{}`", self.uri(key)))
    }
}

/// Bucket and key of `s3://bucket/key`.
pub fn parse(uri: &str) -> Result<(&str, &str), AccountError> {
    let parts = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    let parts = parts.map(|(bucket, key)| (bucket, key.trim_end_matches('/')));
    match parts.filter(|(bucket, key)| !bucket.is_empty() && file::fits(key).is_ok()) {
        Some(parts) => Ok(parts),
        None => Err(AccountError::Other(format!("`{uri}` is not of the form s3://BUCKET/KEY"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_has_a_bucket_and_a_key() {
        assert_eq!(parse("s3://rules/shop/v1.yaml"), Ok(("rules", "shop/v1.yaml")));
        assert_eq!(parse("s3://reports/shop/run-1/"), Ok(("reports", "shop/run-1")));
        for uri in ["s3://", "s3://b", "s3://b/", "s3:///k", "s3://b/../k", "s3://b//k", "b/k", ""]
        {
            assert!(parse(uri).is_err(), "{uri}");
        }
    }
}
