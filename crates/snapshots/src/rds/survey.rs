//! What a preflight asks of RDS beside databases and snapshots: quotas, subnet groups, options, classes, allocated storage. It
//! only describes.

use std::collections::BTreeSet;

use super::{Rds, error};
use crate::error::SnapshotError;

/// A quota of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// As RDS names it: `ManualSnapshots`.
    pub name: String,
    /// What is used.
    pub used: u64,
    /// What there may be.
    pub most: u64,
}

/// A subnet group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetGroup {
    /// The network that it is in.
    pub network: String,
    /// Its subnets.
    pub subnets: BTreeSet<String>,
    /// Their zones.
    pub zones: BTreeSet<String>,
}

impl Rds {
    /// Every quota that RDS tells.
    pub async fn quotas(&self) -> Result<Vec<Quota>, SnapshotError> {
        let answer = self.client.describe_account_attributes().send().await;
        let answer = answer.map_err(|err| error::of("the account's quotas", err))?;
        let whole = |number: Option<i64>| number.and_then(|one| one.try_into().ok());
        let quota = |found: &aws_sdk_rds::types::AccountQuota| {
            Some(Quota {
                name: found.account_quota_name()?.to_owned(),
                used: whole(found.used())?,
                most: whole(found.max())?,
            })
        };
        Ok(answer.account_quotas().iter().filter_map(quota).collect())
    }

    /// What a subnet group consists of.
    pub async fn subnet_group(&self, name: &str) -> Result<SubnetGroup, SnapshotError> {
        let request = self.client.describe_db_subnet_groups();
        let answer = request.db_subnet_group_name(name).send().await;
        let answer = answer.map_err(|err| error::of(name, err))?;
        let found = answer.db_subnet_groups().first();
        let found = found.ok_or_else(|| SnapshotError::NotFound(format!("subnet group {name}")))?;
        let all = found.subnets();
        let zones = all.iter().filter_map(|subnet| subnet.subnet_availability_zone()?.name());
        let subnets = all.iter().filter_map(|subnet| subnet.subnet_identifier());
        Ok(SubnetGroup {
            network: found.vpc_id().unwrap_or_default().to_owned(),
            subnets: subnets.map(ToOwned::to_owned).collect(),
            zones: zones.map(ToOwned::to_owned).collect(),
        })
    }

    /// Gigabytes that an instance has; none where it is a cluster, whose storage grows by itself.
    pub async fn allocated(&self, name: &str) -> Result<Option<u32>, SnapshotError> {
        let request = self.client.describe_db_instances().db_instance_identifier(name);
        let answer = match request.send().await.map_err(|err| error::of(name, err)) {
            Err(SnapshotError::NotFound(_)) => return Ok(None),
            answer => answer?,
        };
        let found = answer.db_instances().iter().find(|one| {
            one.db_instance_identifier().is_some_and(|id| id.eq_ignore_ascii_case(name))
                && one.db_cluster_identifier().is_none()
        });
        Ok(found.and_then(|one| one.allocated_storage()?.try_into().ok()))
    }

    /// The options of a group that cannot be taken away from what has them: a snapshot with one is not shared.
    pub async fn staying_options(&self, group: &str) -> Result<Vec<String>, SnapshotError> {
        let answer = self.client.describe_option_groups().option_group_name(group).send().await;
        let answer = answer.map_err(|err| error::of(group, err))?;
        let options = answer.option_groups_list().iter().flat_map(|group| group.options());
        let stays = |option: &&aws_sdk_rds::types::Option| {
            option.permanent() == Some(true) || option.persistent() == Some(true)
        };
        let names = options.filter(stays).filter_map(|option| option.option_name());
        Ok(names.map(ToOwned::to_owned).collect())
    }

    /// A class can be had for an engine in this region.
    pub async fn offered(
        &self,
        engine: &str,
        version: &str,
        class: &str,
    ) -> Result<bool, SnapshotError> {
        let request = self.client.describe_orderable_db_instance_options();
        let request = request.engine(engine).engine_version(version).db_instance_class(class);
        let answer = request.max_records(20).send().await;
        let answer = answer.map_err(|err| error::of(class, err))?;
        let offered = answer.orderable_db_instance_options();
        Ok(offered.iter().any(|one| one.db_instance_class() == Some(class)))
    }
}
