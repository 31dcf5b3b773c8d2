//! Snapshots: listed, taken, copied, tagged, deleted. Each in two forms, for RDS calls an instance's and a cluster's differently.

use aws_sdk_rds::error::ProvideErrorMetadata;

use super::error::Refusal;
use super::{Rds, checked, describe, error, key, tags};
use crate::error::SnapshotError;
use crate::port::{Kind, Snapshot, Tags};

impl Rds {
    pub(super) async fn describe_snapshot(
        &self,
        arn: &str,
    ) -> Result<Option<Snapshot>, SnapshotError> {
        let parts = self.own(arn)?;
        // RDS does not find an automatic one that is asked for by name without its type.
        let sort = parts.name.starts_with("rds:").then_some("automated").map(String::from);
        let found = match parts.kind {
            Kind::Instance => self
                .client
                .describe_db_snapshots()
                .db_snapshot_identifier(parts.name)
                .set_snapshot_type(sort)
                .send()
                .await
                .map(|answer| answer.db_snapshots().iter().map(describe::snapshot).collect())
                .map_err(|err| error::of(arn, err)),
            Kind::Cluster => self
                .client
                .describe_db_cluster_snapshots()
                .db_cluster_snapshot_identifier(parts.name)
                .set_snapshot_type(sort)
                .send()
                .await
                .map(|answer| {
                    answer.db_cluster_snapshots().iter().map(describe::cluster_snapshot).collect()
                })
                .map_err(|err| error::of(arn, err)),
        };
        match found {
            Ok(found) => {
                let found: Vec<Snapshot> = found;
                Ok(found.into_iter().find(|snapshot| snapshot.arn == arn))
            }
            Err(SnapshotError::NotFound(_)) => Ok(None),
            Err(err) => Err(err),
        }
    }

    /// Every snapshot of one sort, of instances and of clusters; without a sort the automatic ones and the manual ones. Never
    /// together with the name of a database: RDS answers that with nothing where the sort is `shared`.
    pub(super) async fn list_snapshots(
        &self,
        sort: Option<&str>,
    ) -> Result<Vec<Snapshot>, SnapshotError> {
        let sort = sort.map(String::from);
        let request = self.client.describe_db_snapshots().set_snapshot_type(sort.clone());
        let pages = request.into_paginator().page_size(100).items().send();
        let of_instances: Result<Vec<_>, _> = pages.collect().await;
        let of_instances = of_instances.map_err(|err| error::of("snapshots", err))?;
        let request = self.client.describe_db_cluster_snapshots().set_snapshot_type(sort);
        let pages = request.into_paginator().page_size(100).items().send();
        let of_clusters: Result<Vec<_>, _> = pages.collect().await;
        let of_clusters = of_clusters.map_err(|err| error::of("snapshots of clusters", err))?;
        Ok(of_instances
            .iter()
            .map(describe::snapshot)
            .chain(of_clusters.iter().map(describe::cluster_snapshot))
            .collect())
    }

    pub(super) async fn create_snapshot(
        &self,
        resource_id: &str,
        name: &str,
        with: &Tags,
    ) -> Result<Snapshot, SnapshotError> {
        let (name, tags) = (checked(name)?, tags(with)?);
        let database = self.the(resource_id).await?;
        match database.kind {
            Kind::Instance => {
                let request = self.client.create_db_snapshot();
                let request = request.db_instance_identifier(database.name);
                let request = request.db_snapshot_identifier(name).set_tags(Some(tags));
                let answer = request.send().await.map_err(|err| error::of(name, err))?;
                answer.db_snapshot().map(describe::snapshot)
            }
            Kind::Cluster => {
                let request = self.client.create_db_cluster_snapshot();
                let request = request.db_cluster_identifier(database.name);
                let request = request.db_cluster_snapshot_identifier(name).set_tags(Some(tags));
                let answer = request.send().await.map_err(|err| error::of(name, err))?;
                answer.db_cluster_snapshot().map(describe::cluster_snapshot)
            }
        }
        .ok_or_else(|| unsaid(name))
    }

    /// Copies under a key that is always named: for a shared, encrypted snapshot RDS demands it, and for one's own the copy
    /// would be under the source's.
    pub(super) async fn copy_snapshot(
        &self,
        arn: &str,
        name: &str,
        under: &str,
        with: &Tags,
    ) -> Result<Snapshot, SnapshotError> {
        let (name, tags, key) = (checked(name)?, tags(with)?, key(under)?);
        let parts = self.here(arn)?;
        // One's own goes by its name, another account's by its ARN.
        let source = if parts.account == self.account { parts.name } else { arn };
        match parts.kind {
            Kind::Instance => {
                let request = self.client.copy_db_snapshot();
                let request = request.source_db_snapshot_identifier(source);
                let request = request.target_db_snapshot_identifier(name).kms_key_id(key);
                let request = request.copy_tags(false).set_tags(Some(tags));
                let answer = request.send().await.map_err(|err| copy_error(arn, name, err))?;
                answer.db_snapshot().map(describe::snapshot)
            }
            Kind::Cluster => {
                let request = self.client.copy_db_cluster_snapshot();
                let request = request.source_db_cluster_snapshot_identifier(source);
                let request = request.target_db_cluster_snapshot_identifier(name).kms_key_id(key);
                let request = request.copy_tags(false).set_tags(Some(tags));
                let answer = request.send().await.map_err(|err| copy_error(arn, name, err))?;
                answer.db_cluster_snapshot().map(describe::cluster_snapshot)
            }
        }
        .ok_or_else(|| unsaid(name))
    }

    pub(super) async fn add_tags(&self, arn: &str, with: &Tags) -> Result<(), SnapshotError> {
        self.own(arn)?;
        let request = self.client.add_tags_to_resource().resource_name(arn);
        let request = request.set_tags(Some(tags(with)?));
        request.send().await.map(drop).map_err(|err| error::of(arn, err))
    }

    pub(super) async fn remove_snapshot(&self, arn: &str) -> Result<(), SnapshotError> {
        let parts = self.own(arn)?;
        match parts.kind {
            Kind::Instance => {
                let request = self.client.delete_db_snapshot().db_snapshot_identifier(parts.name);
                request.send().await.map(drop).map_err(|err| error::of(arn, err))
            }
            Kind::Cluster => {
                let request = self.client.delete_db_cluster_snapshot();
                let request = request.db_cluster_snapshot_identifier(parts.name);
                request.send().await.map(drop).map_err(|err| error::of(arn, err))
            }
        }
    }
}

/// What is missing is the source; what exists is the copy.
fn copy_error<E>(arn: &str, name: &str, err: Refusal<E>) -> SnapshotError
where
    E: ProvideErrorMetadata,
{
    match error::of(arn, err) {
        SnapshotError::Exists(_) => SnapshotError::Exists(name.to_owned()),
        other => other,
    }
}

fn unsaid(name: &str) -> SnapshotError {
    SnapshotError::Other(format!("{name}: the answer of RDS describes no snapshot"))
}
