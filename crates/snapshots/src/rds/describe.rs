//! Answers of RDS as plain data: an instance, a cluster with its members, a snapshot. Asks nothing and decides nothing.

use aws_sdk_rds::primitives::{DateTime, DateTimeFormat};
use aws_sdk_rds::types::{
    DbCluster, DbClusterMember, DbClusterSnapshot, DbInstance, DbSnapshot, Endpoint,
    MasterUserSecret, Tag, VpcSecurityGroupMembership,
};

use super::settings as key;
use super::{outlets, settings};
use crate::arn::Arn;
use crate::port::{Database, Kind, Member, Secret, Settings, Snapshot, Tags};

/// An instance that is a database by itself.
pub(super) fn instance(found: &DbInstance) -> Database {
    let name = text(found.db_instance_identifier());
    Database {
        resource_id: text(found.dbi_resource_id()),
        kind: Kind::Instance,
        status: text(found.db_instance_status()),
        engine: text(found.engine()),
        engine_version: text(found.engine_version()),
        endpoint: endpoint(found.endpoint()),
        encrypted: found.storage_encrypted() == Some(true),
        key: found.kms_key_id().map(Into::into),
        public: found.publicly_accessible() == Some(true),
        backup_days: days(found.backup_retention_period()),
        pending: instance_pending(found),
        restart_needed: restart_needed(found),
        protected: found.deletion_protection() == Some(true),
        secret: found.master_user_secret().map(secret),
        iam_login: found.iam_database_authentication_enabled() == Some(true),
        members: Vec::new(),
        settings: instance_settings(found),
        outlets: outlets::of_instance(found),
        tags: tags(found.tag_list()),
        name,
    }
}

/// A cluster with those of the instances that are its members.
pub(super) fn cluster(found: &DbCluster, instances: &[DbInstance]) -> Database {
    let name = text(found.db_cluster_identifier());
    let members: Vec<&DbInstance> =
        instances.iter().filter(|one| one.db_cluster_identifier() == Some(name.as_str())).collect();
    Database {
        resource_id: text(found.db_cluster_resource_id()),
        kind: Kind::Cluster,
        status: text(found.status()),
        engine: text(found.engine()),
        engine_version: text(found.engine_version()),
        endpoint: found
            .endpoint()
            .map(|host| format!("{host}:{}", found.port().unwrap_or_default()))
            .unwrap_or_default(),
        encrypted: found.storage_encrypted() == Some(true),
        key: found.kms_key_id().map(Into::into),
        public: found.publicly_accessible() == Some(true)
            || members.iter().any(|one| one.publicly_accessible() == Some(true)),
        backup_days: days(found.backup_retention_period()),
        pending: cluster_pending(found)
            || !named(found.endpoint(), &name)
            || members.iter().any(|one| instance_pending(one)),
        restart_needed: members.iter().any(|one| restart_needed(one))
            || found
                .db_cluster_members()
                .iter()
                .any(|one| one.db_cluster_parameter_group_status() == Some("pending-reboot")),
        protected: found.deletion_protection() == Some(true),
        secret: found.master_user_secret().map(secret),
        iam_login: found.iam_database_authentication_enabled() == Some(true),
        members: all_members(found, &members),
        settings: cluster_settings(found, &members),
        outlets: outlets::of_cluster(found, &members),
        tags: tags(found.tag_list()),
        name,
    }
}

/// An instance's snapshot. One that is shared with this account bears its ARN as its name.
pub(super) fn snapshot(found: &DbSnapshot) -> Snapshot {
    let (arn, name, owner) = identity(found.db_snapshot_arn(), found.db_snapshot_identifier());
    let created_at = moment(found.snapshot_create_time());
    let original = moment(found.original_snapshot_create_time());
    let data_as_of = moment(found.snapshot_database_time());
    Snapshot {
        arn,
        name,
        kind: Kind::Instance,
        status: text(found.status()),
        owner,
        source_id: text(found.dbi_resource_id()),
        engine: text(found.engine()),
        engine_version: text(found.engine_version()),
        encrypted: found.encrypted() == Some(true),
        key: found.kms_key_id().map(Into::into),
        data_as_of: data_as_of.or(original).or_else(|| created_at.clone()).unwrap_or_default(),
        created_at: created_at.unwrap_or_default(),
        automatic: automatic(found.snapshot_type()),
        tags: tags(found.tag_list()),
    }
}

/// A cluster's snapshot. RDS says when it was made and nothing of its data's own moment: a copy looks as old as the copy.
pub(super) fn cluster_snapshot(found: &DbClusterSnapshot) -> Snapshot {
    let (arn, name, owner) =
        identity(found.db_cluster_snapshot_arn(), found.db_cluster_snapshot_identifier());
    let created_at = moment(found.snapshot_create_time()).unwrap_or_default();
    Snapshot {
        arn,
        name,
        kind: Kind::Cluster,
        status: text(found.status()),
        owner,
        source_id: text(found.db_cluster_resource_id()),
        engine: text(found.engine()),
        engine_version: text(found.engine_version()),
        encrypted: found.storage_encrypted() == Some(true),
        key: found.kms_key_id().map(Into::into),
        data_as_of: created_at.clone(),
        created_at,
        automatic: automatic(found.snapshot_type()),
        tags: tags(found.tag_list()),
    }
}

/// ARN, name and owner. They are told by the ARN: it is what another account cannot choose.
fn identity(arn: Option<&str>, identifier: Option<&str>) -> (String, String, String) {
    let arn = text(arn.or(identifier));
    let (name, owner) = match Arn::parse(&arn) {
        Some(parts) => (parts.name.to_owned(), parts.account.to_owned()),
        None => (text(identifier), String::new()),
    };
    (arn, name, owner)
}

fn automatic(sort: Option<&str>) -> bool {
    !matches!(sort, Some("manual" | "shared" | "public"))
}

fn instance_settings(found: &DbInstance) -> Settings {
    let group = found.db_parameter_groups().first();
    let options = found.option_group_memberships().first();
    let storage_type = found.storage_type();
    // What gp3 has by itself cannot be asked for where the volume is small.
    let own = storage_type == Some("gp3") && found.allocated_storage().is_some_and(|gb| gb < 400);
    let asked = |value: Option<i32>| value.filter(|value| !own && *value > 0);
    collect([
        (key::CLASS, found.db_instance_class().map(Into::into)),
        (key::SUBNET_GROUP, subnet_group(found)),
        (key::SECURITY_GROUPS, groups(found.vpc_security_groups())),
        (key::PARAMETER_GROUP, group.and_then(|g| g.db_parameter_group_name()).map(Into::into)),
        (key::OPTION_GROUP, options.and_then(|g| g.option_group_name()).map(Into::into)),
        (key::PORT, port(found.endpoint())),
        (key::STORAGE_TYPE, storage_type.map(Into::into)),
        (key::IOPS, asked(found.iops()).map(|n| n.to_string())),
        (key::STORAGE_THROUGHPUT, asked(found.storage_throughput()).map(|n| n.to_string())),
        (key::MULTI_AZ, found.multi_az().map(|on| on.to_string())),
        (key::CA_CERTIFICATE, found.ca_certificate_identifier().map(Into::into)),
        (key::BACKUP_WINDOW, found.preferred_backup_window().map(Into::into)),
        (key::MAINTENANCE_WINDOW, found.preferred_maintenance_window().map(Into::into)),
        (key::LOG_EXPORTS, logs(found.enabled_cloudwatch_logs_exports())),
        (key::IAM_LOGIN, on(found.iam_database_authentication_enabled())),
    ])
}

fn cluster_settings(found: &DbCluster, members: &[&DbInstance]) -> Settings {
    let writer = writer(found, members);
    let scaling = found.serverless_v2_scaling_configuration();
    let capacity = |value: Option<f64>| value.map(|n| n.to_string());
    let member_group = writer.and_then(|one| one.db_parameter_groups().first());
    collect([
        (key::CLASS, writer.and_then(|one| one.db_instance_class()).map(Into::into)),
        (key::SUBNET_GROUP, found.db_subnet_group().map(Into::into)),
        (key::SECURITY_GROUPS, groups(found.vpc_security_groups())),
        (key::PARAMETER_GROUP, found.db_cluster_parameter_group().map(Into::into)),
        (
            key::MEMBER_PARAMETER_GROUP,
            member_group.and_then(|g| g.db_parameter_group_name()).map(Into::into),
        ),
        (key::PORT, found.port().map(|port| port.to_string())),
        // Nothing is said of the ordinary one.
        (key::STORAGE_TYPE, Some(found.storage_type().unwrap_or("aurora").into())),
        (
            key::CA_CERTIFICATE,
            writer.and_then(|one| one.ca_certificate_identifier()).map(Into::into),
        ),
        (key::SERVERLESS_MIN, scaling.and_then(|s| capacity(s.min_capacity()))),
        (key::SERVERLESS_MAX, scaling.and_then(|s| capacity(s.max_capacity()))),
        (key::BACKUP_WINDOW, found.preferred_backup_window().map(Into::into)),
        (key::MAINTENANCE_WINDOW, found.preferred_maintenance_window().map(Into::into)),
        (key::LOG_EXPORTS, logs(found.enabled_cloudwatch_logs_exports())),
        (key::IAM_LOGIN, on(found.iam_database_authentication_enabled())),
    ])
}

fn collect<const N: usize>(settings: [(&str, Option<String>); N]) -> Settings {
    settings
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value.filter(|v| !v.is_empty())?)))
        .collect()
}

/// The cluster's own list names the writer; the instances say what they are. One that only the list knows is on its way.
fn all_members(found: &DbCluster, instances: &[&DbInstance]) -> Vec<Member> {
    let listed = found.db_cluster_members();
    let role = |name: &str| listed.iter().find(|one| one.db_instance_identifier() == Some(name));
    let described = instances.iter().map(|one| Member {
        name: text(one.db_instance_identifier()),
        status: text(one.db_instance_status()),
        writer: one.db_instance_identifier().and_then(role).is_some_and(is_writer),
    });
    let known = |name: Option<&str>| instances.iter().any(|i| i.db_instance_identifier() == name);
    let on_its_way = listed.iter().filter(|one| !known(one.db_instance_identifier()));
    let on_its_way = on_its_way.map(|one| Member {
        name: text(one.db_instance_identifier()),
        status: String::new(),
        writer: is_writer(one),
    });
    described.chain(on_its_way).collect()
}

fn is_writer(member: &DbClusterMember) -> bool {
    member.is_cluster_writer() == Some(true)
}

fn writer<'a>(found: &DbCluster, members: &[&'a DbInstance]) -> Option<&'a DbInstance> {
    let name = found.db_cluster_members().iter().find(|one| is_writer(one));
    let name = name.and_then(DbClusterMember::db_instance_identifier);
    let writer = members.iter().find(|one| one.db_instance_identifier() == name);
    writer.or(members.first()).copied()
}

/// Something has been asked for that is not done, whatever the status says: it still reads `available` for a while.
fn instance_pending(found: &DbInstance) -> bool {
    let pending = found.pending_modified_values().cloned().map(|mut values| {
        // An empty list is nothing to wait for.
        values.processor_features.take_if(|list| list.is_empty());
        values.additional_storage_volumes.take_if(|list| list.is_empty());
        values
    });
    let nothing = aws_sdk_rds::types::PendingModifiedValues::builder().build();
    let mut parameters = found.db_parameter_groups().iter().map(|g| g.parameter_apply_status());
    let mut options = found.option_group_memberships().iter().map(|g| g.status());
    let address = found.endpoint().and_then(Endpoint::address);
    pending.is_some_and(|values| values != nothing)
        || !named(address, found.db_instance_identifier().unwrap_or_default())
        || parameters.any(|status| status == Some("applying"))
        || options.any(|status| matches!(status, Some("applying" | "pending-apply" | "removing")))
        || changing(found.vpc_security_groups())
        || found.master_user_secret().is_some_and(|found| !secret(found).active)
}

fn cluster_pending(found: &DbCluster) -> bool {
    let nothing = aws_sdk_rds::types::ClusterPendingModifiedValues::builder().build();
    let parameters = found.db_cluster_members().iter();
    let mut parameters = parameters.map(DbClusterMember::db_cluster_parameter_group_status);
    found.pending_modified_values().is_some_and(|values| *values != nothing)
        || parameters.any(|status| status == Some("applying"))
        || changing(found.vpc_security_groups())
        || found.master_user_secret().is_some_and(|found| !secret(found).active)
}

fn changing(groups: &[VpcSecurityGroupMembership]) -> bool {
    groups.iter().any(|group| !matches!(group.status(), Some("active") | None))
}

fn restart_needed(found: &DbInstance) -> bool {
    let mut groups = found.db_parameter_groups().iter();
    groups.any(|group| group.parameter_apply_status() == Some("pending-reboot"))
}

/// Whether an endpoint has the name that its database has. After a rename it has the old one for minutes.
fn named(address: Option<&str>, name: &str) -> bool {
    match address {
        Some(address) if address.contains(".rds.amazonaws.") => {
            address.split('.').next() == Some(name)
        }
        _ => true,
    }
}

fn secret(found: &MasterUserSecret) -> Secret {
    Secret { arn: text(found.secret_arn()), active: found.secret_status() == Some("active") }
}

fn subnet_group(found: &DbInstance) -> Option<String> {
    found.db_subnet_group().and_then(|group| group.db_subnet_group_name()).map(Into::into)
}

fn groups(groups: &[VpcSecurityGroupMembership]) -> Option<String> {
    settings::joined(groups.iter().filter_map(|group| group.vpc_security_group_id()))
}

fn logs(logs: &[String]) -> Option<String> {
    settings::joined(logs.iter().map(String::as_str))
}

fn endpoint(found: Option<&Endpoint>) -> String {
    let host = found.and_then(Endpoint::address);
    host.map(|host| format!("{host}:{}", port(found).unwrap_or_default())).unwrap_or_default()
}

/// A switch is a setting where it is on.
fn on(switch: Option<bool>) -> Option<String> {
    switch.filter(|on| *on).map(|on| on.to_string())
}

fn port(found: Option<&Endpoint>) -> Option<String> {
    found.and_then(Endpoint::port).map(|port| port.to_string())
}

fn days(days: Option<i32>) -> u32 {
    days.and_then(|days| days.try_into().ok()).unwrap_or_default()
}

fn tags(tags: &[Tag]) -> Tags {
    tags.iter().map(|tag| (text(tag.key()), text(tag.value()))).collect()
}

fn moment(moment: Option<&DateTime>) -> Option<String> {
    moment.and_then(|moment| moment.fmt(DateTimeFormat::DateTime).ok())
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}
