//! A database from a snapshot, into isolation. Every switch that RDS would set by itself is set here: an omitted one is the
//! source's, the network's or the region's default.
//!
//! Absent on purpose: an engine version and a key for an instance (it has those of its snapshot), and everything that opens a
//! way out (internet gateway, roles, log exports that nobody asked for, the source's tags).

use aws_sdk_rds::error::ProvideErrorMetadata;
use aws_sdk_rds::types::ServerlessV2ScalingConfiguration;

use super::error::Refusal;
use super::settings::{self as key_of, Asked};
use super::{Rds, checked, describe, error, key, tags};
use crate::arn::Arn;
use crate::error::SnapshotError;
use crate::name;
use crate::port::{Database, Kind, Login, Restore, Snapshot};

/// Who signs the server's certificate where nothing else is asked for.
const CA_CERTIFICATE: &str = "rds-ca-rsa2048-g1";

impl Rds {
    pub(super) async fn restore_snapshot(
        &self,
        arn: &str,
        restore: &Restore,
    ) -> Result<Database, SnapshotError> {
        let parts = self.own(arn)?;
        checked(&restore.name)?;
        key(&restore.key)?;
        let snapshot = self.describe_snapshot(arn).await?;
        let snapshot = snapshot.ok_or_else(|| SnapshotError::NotFound(arn.to_owned()))?;
        match snapshot.kind {
            Kind::Cluster if snapshot.engine.starts_with("aurora") => {
                self.restore_cluster(parts, &snapshot, restore).await
            }
            // A cluster of three instances that is not Aurora: its snapshots cannot be shared, those of one instance can.
            Kind::Cluster if !["mysql", "postgres"].contains(&snapshot.engine.as_str()) => {
                Err(SnapshotError::Malformed(format!("{arn}: its engine is {}", snapshot.engine)))
            }
            _ => self.restore_instance(parts, &snapshot, restore).await,
        }
    }

    async fn restore_instance(
        &self,
        arn: Arn<'_>,
        snapshot: &Snapshot,
        restore: &Restore,
    ) -> Result<Database, SnapshotError> {
        if !snapshot.encrypted || snapshot.key.as_ref() != Some(&restore.key) {
            return Err(SnapshotError::Malformed(format!(
                "{} is not encrypted under {}, and an instance has its snapshot's key\n(hint: copy it under that key first)",
                snapshot.arn, restore.key
            )));
        }
        let asked = Asked::of(Kind::Instance, &restore.settings)?;
        let request = self.client.restore_db_instance_from_db_snapshot();
        let request = match arn.kind {
            Kind::Instance => request.db_snapshot_identifier(arn.name),
            Kind::Cluster => request.db_cluster_snapshot_identifier(arn.name),
        };
        let request = request
            .db_instance_identifier(&restore.name)
            .db_instance_class(asked.needed(key_of::CLASS)?)
            .db_subnet_group_name(asked.needed(key_of::SUBNET_GROUP)?)
            .set_vpc_security_group_ids(Some(security_groups(&asked)?))
            .db_parameter_group_name(asked.needed(key_of::PARAMETER_GROUP)?)
            .set_option_group_name(asked.optional(key_of::OPTION_GROUP))
            .set_port(asked.parsed(key_of::PORT)?)
            .multi_az(asked.parsed(key_of::MULTI_AZ)?.unwrap_or(false))
            .publicly_accessible(false)
            .auto_minor_version_upgrade(false)
            .deletion_protection(false)
            .copy_tags_to_snapshot(false)
            .backup_retention_period(days(restore.backup_days)?)
            .set_preferred_backup_window(asked.optional(key_of::BACKUP_WINDOW))
            .set_enable_cloudwatch_logs_exports(Some(asked.list(key_of::LOG_EXPORTS)))
            .storage_type(asked.or(key_of::STORAGE_TYPE, "gp3"))
            .set_iops(asked.parsed(key_of::IOPS)?)
            .set_storage_throughput(asked.parsed(key_of::STORAGE_THROUGHPUT)?)
            .enable_iam_database_authentication(tokens(&asked, &restore.login)?)
            .ca_certificate_identifier(asked.or(key_of::CA_CERTIFICATE, CA_CERTIFICATE))
            .set_tags(Some(tags(&restore.tags)?));
        let answer = request.send().await.map_err(|err| about(&snapshot.arn, restore, err))?;
        let instance = answer.db_instance().map(describe::instance);
        instance.ok_or_else(|| unsaid(restore))
    }

    async fn restore_cluster(
        &self,
        arn: Arn<'_>,
        snapshot: &Snapshot,
        restore: &Restore,
    ) -> Result<Database, SnapshotError> {
        let asked = Asked::of(Kind::Cluster, &restore.settings)?;
        asked.needed(key_of::CLASS)?;
        let request = self
            .client
            .restore_db_cluster_from_snapshot()
            .db_cluster_identifier(&restore.name)
            .snapshot_identifier(arn.name)
            .engine(&snapshot.engine)
            // Otherwise it is the region's default version.
            .engine_version(&snapshot.engine_version)
            .kms_key_id(&restore.key)
            .db_subnet_group_name(asked.needed(key_of::SUBNET_GROUP)?)
            .set_vpc_security_group_ids(Some(security_groups(&asked)?))
            .db_cluster_parameter_group_name(asked.needed(key_of::PARAMETER_GROUP)?)
            .set_port(asked.parsed(key_of::PORT)?)
            .deletion_protection(false)
            .copy_tags_to_snapshot(false)
            // It cannot be none.
            .backup_retention_period(days(restore.backup_days)?.max(1))
            .set_preferred_backup_window(asked.optional(key_of::BACKUP_WINDOW))
            .set_enable_cloudwatch_logs_exports(Some(asked.list(key_of::LOG_EXPORTS)))
            .enable_performance_insights(false)
            .enable_iam_database_authentication(tokens(&asked, &restore.login)?)
            .storage_type(asked.or(key_of::STORAGE_TYPE, "aurora"))
            .set_backtrack_window((snapshot.engine == "aurora-mysql").then_some(0))
            .set_serverless_v2_scaling_configuration(scaling(&asked)?)
            .set_tags(Some(tags(&restore.tags)?));
        let answer = request.send().await.map_err(|err| about(&snapshot.arn, restore, err))?;
        let cluster = answer.db_cluster().map(|cluster| describe::cluster(cluster, &[]));
        cluster.ok_or_else(|| unsaid(restore))
    }

    /// A restored cluster has no instance, and none of its endpoints answers until it has one.
    pub(super) async fn create_writer(
        &self,
        resource_id: &str,
        restore: &Restore,
    ) -> Result<(), SnapshotError> {
        let cluster = self.the(resource_id).await?;
        if cluster.kind == Kind::Instance || !cluster.members.is_empty() {
            return Ok(());
        }
        let asked = Asked::of(Kind::Cluster, &restore.settings)?;
        let name = name::join(&cluster.name, &["w"]);
        let request = self
            .client
            .create_db_instance()
            .db_instance_identifier(&name)
            .db_cluster_identifier(&cluster.name)
            .db_instance_class(asked.needed(key_of::CLASS)?)
            .engine(&cluster.engine)
            .set_db_parameter_group_name(asked.optional(key_of::MEMBER_PARAMETER_GROUP))
            .publicly_accessible(false)
            .auto_minor_version_upgrade(false)
            .enable_performance_insights(false)
            .monitoring_interval(0)
            .ca_certificate_identifier(asked.or(key_of::CA_CERTIFICATE, CA_CERTIFICATE))
            .set_tags(Some(tags(&restore.tags)?));
        request.send().await.map(drop).map_err(|err| error::of(&name, err))
    }
}

/// Whether anybody can log in with a token.
fn tokens(asked: &Asked<'_>, login: &Login) -> Result<bool, SnapshotError> {
    Ok(*login == Login::Iam || asked.parsed(key_of::IAM_LOGIN)?.unwrap_or(false))
}

/// None would be the network's default group, in which everything talks to everything.
fn security_groups(asked: &Asked<'_>) -> Result<Vec<String>, SnapshotError> {
    asked.needed(key_of::SECURITY_GROUPS)?;
    Ok(asked.list(key_of::SECURITY_GROUPS))
}

/// Serverless members scale between two bounds; without them, RDS refuses such a class.
fn scaling(asked: &Asked<'_>) -> Result<Option<ServerlessV2ScalingConfiguration>, SnapshotError> {
    let (min, max) = (asked.parsed(key_of::SERVERLESS_MIN)?, asked.parsed(key_of::SERVERLESS_MAX)?);
    if asked.optional(key_of::CLASS).as_deref() == Some("db.serverless") {
        asked.needed(key_of::SERVERLESS_MIN)?;
        asked.needed(key_of::SERVERLESS_MAX)?;
    }
    let scaling = ServerlessV2ScalingConfiguration::builder();
    let scaling = scaling.set_min_capacity(min).set_max_capacity(max).build();
    Ok((min.is_some() || max.is_some()).then_some(scaling))
}

pub(super) fn days(days: u32) -> Result<i32, SnapshotError> {
    i32::try_from(days)
        .ok()
        .filter(|days| *days <= 35)
        .ok_or_else(|| SnapshotError::Malformed(format!("backups cannot be kept for {days} days")))
}

/// What is missing is the snapshot; what exists is the database.
fn about<E>(arn: &str, restore: &Restore, err: Refusal<E>) -> SnapshotError
where
    E: ProvideErrorMetadata,
{
    match error::of(&restore.name, err) {
        SnapshotError::NotFound(_) => SnapshotError::NotFound(arn.to_owned()),
        other => other,
    }
}

fn unsaid(restore: &Restore) -> SnapshotError {
    SnapshotError::Other(format!("{}: the answer of RDS describes no database", restore.name))
}
