//! Who may restore a snapshot. The list is read, compared, and changed in one request, so that there is no moment at which
//! nobody or too many are on it. Everybody (`all`) is never put on it, and always taken off.

use std::collections::BTreeSet;

use super::{Rds, error};
use crate::error::SnapshotError;
use crate::port::Kind;

/// The attribute that says who may copy or restore.
const RESTORE: &str = "restore";
/// More accounts cannot stand on a snapshot.
const MOST: usize = 20;

impl Rds {
    pub(super) async fn set_accounts(
        &self,
        arn: &str,
        accounts: &[String],
    ) -> Result<(), SnapshotError> {
        let name = self.own(arn)?.name;
        let wanted: BTreeSet<String> = accounts.iter().cloned().collect();
        if let Some(stranger) = wanted.iter().find(|account| !is_account(account)) {
            return Err(SnapshotError::Malformed(format!("`{stranger}` is no account")));
        }
        if wanted.len() > MOST {
            return Err(SnapshotError::Quota(format!("{arn}: more than {MOST} accounts")));
        }
        let snapshot = self.describe_snapshot(arn).await?;
        let snapshot = snapshot.ok_or_else(|| SnapshotError::NotFound(arn.to_owned()))?;
        if !snapshot.encrypted && !wanted.is_empty() {
            return Err(SnapshotError::Denied(format!(
                "{arn} is not encrypted and is not shared\n(hint: copy it under a key)"
            )));
        }
        let current: BTreeSet<String> = self.accounts(arn).await?.into_iter().collect();
        let add = list(wanted.difference(&current));
        let remove = list(current.difference(&wanted));
        if add.is_none() && remove.is_none() {
            return Ok(());
        }
        match snapshot.kind {
            Kind::Instance => {
                let request = self.client.modify_db_snapshot_attribute();
                let request = request.db_snapshot_identifier(name).attribute_name(RESTORE);
                let request = request.set_values_to_add(add).set_values_to_remove(remove);
                request.send().await.map(drop).map_err(|err| error::of(arn, err))
            }
            Kind::Cluster => {
                let request = self.client.modify_db_cluster_snapshot_attribute();
                let request = request.db_cluster_snapshot_identifier(name).attribute_name(RESTORE);
                let request = request.set_values_to_add(add).set_values_to_remove(remove);
                request.send().await.map(drop).map_err(|err| error::of(arn, err))
            }
        }
    }

    pub(super) async fn accounts(&self, arn: &str) -> Result<Vec<String>, SnapshotError> {
        let parts = self.own(arn)?;
        let mut accounts: Vec<String> = match parts.kind {
            Kind::Instance => {
                let request = self.client.describe_db_snapshot_attributes();
                let request = request.db_snapshot_identifier(parts.name);
                let answer = request.send().await.map_err(|err| error::of(arn, err))?;
                let result = answer.db_snapshot_attributes_result().ok_or_else(|| unsaid(arn))?;
                let attributes = result.db_snapshot_attributes().iter();
                let restore = attributes.filter(|one| one.attribute_name() == Some(RESTORE));
                restore.flat_map(|one| one.attribute_values().to_vec()).collect()
            }
            Kind::Cluster => {
                let request = self.client.describe_db_cluster_snapshot_attributes();
                let request = request.db_cluster_snapshot_identifier(parts.name);
                let answer = request.send().await.map_err(|err| error::of(arn, err))?;
                let result =
                    answer.db_cluster_snapshot_attributes_result().ok_or_else(|| unsaid(arn))?;
                let attributes = result.db_cluster_snapshot_attributes().iter();
                let restore = attributes.filter(|one| one.attribute_name() == Some(RESTORE));
                restore.flat_map(|one| one.attribute_values().to_vec()).collect()
            }
        };
        accounts.sort_unstable();
        Ok(accounts)
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn list<'a>(accounts: impl Iterator<Item = &'a String>) -> Option<Vec<String>> {
    let accounts: Vec<String> = accounts.cloned().collect();
    (!accounts.is_empty()).then_some(accounts)
}

/// An answer without the list is not an empty list.
fn unsaid(arn: &str) -> SnapshotError {
    SnapshotError::Other(format!("{arn}: the answer of RDS does not say who may restore it"))
}
