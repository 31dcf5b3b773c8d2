//! Databases by name, by the identifier that names do not change, and all of them.
//!
//! An instance that is a member of a cluster is no database; its cluster is. Every answer is looked through again for what was
//! asked for: an endpoint that does not know a filter answers with everything there is.

use aws_sdk_rds::types::{DbCluster, DbInstance, Filter};

use super::{Rds, describe, error};
use crate::error::SnapshotError;
use crate::port::{Database, Kind};

impl Rds {
    pub(super) async fn find_by_name(&self, name: &str) -> Result<Option<Database>, SnapshotError> {
        let instance =
            self.client.describe_db_instances().db_instance_identifier(name).send().await;
        let instance = match instance.map_err(|err| error::of(name, err)) {
            Ok(answer) => answer.db_instances.unwrap_or_default().into_iter().find(|one| {
                is_called(one.db_instance_identifier(), name)
                    && one.db_cluster_identifier().is_none()
            }),
            Err(SnapshotError::NotFound(_)) => None,
            Err(err) => return Err(err),
        };
        let cluster = self.client.describe_db_clusters().db_cluster_identifier(name).send().await;
        let cluster = match cluster.map_err(|err| error::of(name, err)) {
            Ok(answer) => answer
                .db_clusters
                .unwrap_or_default()
                .into_iter()
                .find(|one| is_called(one.db_cluster_identifier(), name)),
            Err(SnapshotError::NotFound(_)) => None,
            Err(err) => return Err(err),
        };
        match (instance, cluster) {
            (Some(_), Some(_)) => Err(SnapshotError::Malformed(format!(
                "an instance and a cluster are both called {name}\n(hint: rename one of them)"
            ))),
            (Some(instance), None) => Ok(Some(describe::instance(&instance))),
            (None, Some(cluster)) => self.with_members(&cluster).await.map(Some),
            (None, None) => Ok(None),
        }
    }

    pub(super) async fn find_by_id(&self, id: &str) -> Result<Option<Database>, SnapshotError> {
        match kind(id)? {
            Kind::Instance => {
                let found = self.instances(Some(("dbi-resource-id", id))).await?;
                let found = found.iter().find(|one| {
                    one.dbi_resource_id() == Some(id) && one.db_cluster_identifier().is_none()
                });
                Ok(found.map(describe::instance))
            }
            Kind::Cluster => {
                let found = self.clusters(Some(("db-cluster-resource-id", id))).await?;
                match found.iter().find(|one| one.db_cluster_resource_id() == Some(id)) {
                    Some(cluster) => self.with_members(cluster).await.map(Some),
                    None => Ok(None),
                }
            }
        }
    }

    /// The database with that identifier, which there must be.
    pub(super) async fn the(&self, id: &str) -> Result<Database, SnapshotError> {
        self.find_by_id(id).await?.ok_or_else(|| SnapshotError::NotFound(id.to_owned()))
    }

    pub(super) async fn find_all(&self) -> Result<Vec<Database>, SnapshotError> {
        let instances = self.instances(None).await?;
        let clusters = self.clusters(None).await?;
        let alone = instances.iter().filter(|one| one.db_cluster_identifier().is_none());
        Ok(alone
            .map(describe::instance)
            .chain(clusters.iter().map(|one| describe::cluster(one, &instances)))
            .collect())
    }

    async fn with_members(&self, cluster: &DbCluster) -> Result<Database, SnapshotError> {
        let name = cluster.db_cluster_identifier().unwrap_or_default();
        let members = self.instances(Some(("db-cluster-id", name))).await?;
        Ok(describe::cluster(cluster, &members))
    }

    /// All pages; a page may be empty and have a next one.
    async fn instances(&self, by: Option<(&str, &str)>) -> Result<Vec<DbInstance>, SnapshotError> {
        let request = self.client.describe_db_instances().set_filters(filters(by));
        let pages = request.into_paginator().page_size(100).items().send();
        let all: Result<Vec<_>, _> = pages.collect().await;
        all.map_err(|err| error::of(subject(by), err))
    }

    async fn clusters(&self, by: Option<(&str, &str)>) -> Result<Vec<DbCluster>, SnapshotError> {
        let request = self.client.describe_db_clusters().set_filters(filters(by));
        let pages = request.into_paginator().page_size(100).items().send();
        let all: Result<Vec<_>, _> = pages.collect().await;
        // A filter that nothing fits is answered by an empty list or by a fault.
        match all.map_err(|err| error::of(subject(by), err)) {
            Err(SnapshotError::NotFound(_)) => Ok(Vec::new()),
            other => other,
        }
    }
}

/// RDS keeps names in lower case and finds them in any.
fn is_called(found: Option<&str>, name: &str) -> bool {
    found.is_some_and(|found| found.eq_ignore_ascii_case(name))
}

/// What a resource identifier is of: `db-…` or `cluster-…`. It can be asked of one that is gone.
pub(super) fn kind(resource_id: &str) -> Result<Kind, SnapshotError> {
    if resource_id.starts_with("db-") {
        Ok(Kind::Instance)
    } else if resource_id.starts_with("cluster-") {
        Ok(Kind::Cluster)
    } else {
        Err(SnapshotError::Malformed(format!("`{resource_id}` is no resource identifier")))
    }
}

fn filters(by: Option<(&str, &str)>) -> Option<Vec<Filter>> {
    by.map(|(name, value)| vec![Filter::builder().name(name).values(value).build()])
}

fn subject<'a>(by: Option<(&str, &'a str)>) -> &'a str {
    by.map_or("databases", |(_, value)| value)
}
