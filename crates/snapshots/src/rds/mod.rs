//! The adapter for Amazon RDS: database instances and Aurora clusters of one account in one region. The only code that knows
//! the SDK's client for RDS.
//!
//! It never waits: the SDK's waiters give up after half an hour, take a rename for its end, and one of them takes a snapshot
//! that does not exist for a finished one. It asks for nothing that it can leave out, and leaves nothing out that RDS would
//! fill from the source database or from the account's defaults.

mod delete;
mod describe;
mod error;
mod find;
mod modify;
mod outlets;
mod restore;
pub mod settings;
mod share;
mod snapshots;
pub mod survey;

use aws_sdk_rds::Client;
use aws_types::SdkConfig;

use crate::arn::Arn;
use crate::error::SnapshotError;
use crate::name;
use crate::port::{Database, Restore, Snapshot, Snapshots, Tags};

/// Databases and snapshots of one account on RDS.
#[derive(Clone, Debug)]
pub struct Rds {
    client: Client,
    account: String,
    region: String,
}

impl Rds {
    /// Works with the region and the credentials of a configuration, as `aws_config` loads it. They must be those of the
    /// account: what another account owns is told by it.
    pub fn new(config: &SdkConfig, account: impl Into<String>) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        Self { client: Client::new(config), account: account.into(), region }
    }

    /// The parts of the ARN of a snapshot of this account's own, in this region.
    fn own<'a>(&self, arn: &'a str) -> Result<Arn<'a>, SnapshotError> {
        let parts = self.here(arn)?;
        if parts.account == self.account {
            Ok(parts)
        } else {
            Err(SnapshotError::Malformed(format!(
                "{arn} belongs to another account\n(hint: copy it first)"
            )))
        }
    }

    /// The parts of the ARN of a snapshot in this region, whoever owns it.
    fn here<'a>(&self, arn: &'a str) -> Result<Arn<'a>, SnapshotError> {
        match Arn::parse(arn) {
            Some(parts) if parts.region == self.region => Ok(parts),
            Some(_) => Err(SnapshotError::Malformed(format!("{arn} is in another region"))),
            None => Err(SnapshotError::Malformed(format!("`{arn}` is no snapshot's ARN"))),
        }
    }
}

impl Snapshots for Rds {
    fn account(&self) -> &str {
        &self.account
    }

    async fn database(&self, name: &str) -> Result<Option<Database>, SnapshotError> {
        self.find_by_name(name).await
    }

    async fn by_resource_id(&self, resource_id: &str) -> Result<Option<Database>, SnapshotError> {
        self.find_by_id(resource_id).await
    }

    async fn databases(&self) -> Result<Vec<Database>, SnapshotError> {
        self.find_all().await
    }

    async fn snapshot(&self, arn: &str) -> Result<Option<Snapshot>, SnapshotError> {
        self.describe_snapshot(arn).await
    }

    async fn snapshots(&self) -> Result<Vec<Snapshot>, SnapshotError> {
        self.list_snapshots(None).await
    }

    async fn shared(&self) -> Result<Vec<Snapshot>, SnapshotError> {
        let mut shared = self.list_snapshots(Some("shared")).await?;
        // RDS is asked for nothing else; what is this account's own is nobody's gift all the same.
        shared.retain(|snapshot| snapshot.owner != self.account);
        Ok(shared)
    }

    async fn take(
        &self,
        resource_id: &str,
        name: &str,
        tags: &Tags,
    ) -> Result<Snapshot, SnapshotError> {
        self.create_snapshot(resource_id, name, tags).await
    }

    async fn copy(
        &self,
        arn: &str,
        name: &str,
        key: &str,
        tags: &Tags,
    ) -> Result<Snapshot, SnapshotError> {
        self.copy_snapshot(arn, name, key, tags).await
    }

    async fn share(&self, arn: &str, accounts: &[String]) -> Result<(), SnapshotError> {
        self.set_accounts(arn, accounts).await
    }

    async fn shared_with(&self, arn: &str) -> Result<Vec<String>, SnapshotError> {
        self.accounts(arn).await
    }

    async fn tag(&self, arn: &str, tags: &Tags) -> Result<(), SnapshotError> {
        self.add_tags(arn, tags).await
    }

    async fn delete_snapshot(&self, arn: &str) -> Result<(), SnapshotError> {
        self.remove_snapshot(arn).await
    }

    async fn restore(&self, arn: &str, restore: &Restore) -> Result<Database, SnapshotError> {
        self.restore_snapshot(arn, restore).await
    }

    async fn add_writer(&self, resource_id: &str, restore: &Restore) -> Result<(), SnapshotError> {
        self.create_writer(resource_id, restore).await
    }

    async fn take_over(&self, resource_id: &str, restore: &Restore) -> Result<(), SnapshotError> {
        self.replace_login(resource_id, restore).await
    }

    async fn start(&self, resource_id: &str) -> Result<(), SnapshotError> {
        self.start_stopped(resource_id).await
    }

    async fn restart(&self, resource_id: &str) -> Result<(), SnapshotError> {
        self.reboot(resource_id).await
    }

    async fn rename(&self, resource_id: &str, name: &str) -> Result<(), SnapshotError> {
        self.change_name(resource_id, name).await
    }

    async fn protect(&self, resource_id: &str, on: bool) -> Result<(), SnapshotError> {
        self.set_protection(resource_id, on).await
    }

    async fn delete_database(&self, resource_id: &str) -> Result<(), SnapshotError> {
        self.remove_database(resource_id).await
    }

    async fn automatic_backups(&self, resource_id: &str) -> Result<Vec<String>, SnapshotError> {
        self.backups(resource_id).await
    }

    async fn delete_automatic_backups(&self, resource_id: &str) -> Result<(), SnapshotError> {
        self.remove_backups(resource_id).await
    }
}

/// A name that something is to get.
fn checked(name: &str) -> Result<&str, SnapshotError> {
    name::check(name).map_err(|bad| SnapshotError::Malformed(bad.to_string()))?;
    Ok(name)
}

/// Tags as RDS wants them. None at all would mean those of the source.
fn tags(tags: &Tags) -> Result<Vec<aws_sdk_rds::types::Tag>, SnapshotError> {
    if tags.is_empty() {
        return Err(SnapshotError::Malformed(
            "there are no tags: RDS would copy those of the source".into(),
        ));
    }
    let tag = |(key, value)| aws_sdk_rds::types::Tag::builder().key(key).value(value).build();
    Ok(tags.iter().map(tag).collect())
}

/// The full ARN of a key: an identifier or an alias is one of the caller's own account, and what is described is the ARN.
fn key(text: &str) -> Result<&str, SnapshotError> {
    let mut parts = text.split(':');
    let known = parts.next() == Some("arn")
        && parts.next().is_some_and(|partition| partition.starts_with("aws"))
        && parts.next() == Some("kms")
        && parts.nth(2).is_some_and(|resource| resource.starts_with("key/"));
    if known {
        Ok(text)
    } else {
        Err(SnapshotError::Malformed(format!("`{text}` is not the ARN of a key")))
    }
}
