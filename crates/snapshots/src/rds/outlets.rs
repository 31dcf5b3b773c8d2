//! Ways in which data can leave a database on RDS beside a connection from within its network. A restored database has none
//! of them; nothing here says whether another one may.

use aws_sdk_rds::types::{ActivityStreamStatus, DatabaseInsightsMode, DbCluster, DbInstance};

use super::settings::joined;

/// Those of an instance.
pub(super) fn of_instance(found: &DbInstance) -> Vec<String> {
    let mut outlets = Vec::new();
    let mut add = |on: bool, what: &str| {
        if on {
            outlets.push(what.to_owned());
        }
    };
    add(found.performance_insights_enabled() == Some(true), "performance insights keep its SQL");
    add(
        found.database_insights_mode() == Some(&DatabaseInsightsMode::Advanced),
        "advanced database insights keep its SQL",
    );
    add(
        found.monitoring_interval().unwrap_or_default() > 0,
        "enhanced monitoring lists its processes",
    );
    add(streams(found.activity_stream_status()), "an activity stream carries its SQL away");
    add(!found.associated_roles().is_empty(), "roles let it reach other services");
    add(
        found.read_replica_source_db_instance_identifier().is_some(),
        "it replicates another instance",
    );
    add(
        !found.read_replica_db_instance_identifiers().is_empty()
            || !found.read_replica_db_cluster_identifiers().is_empty(),
        "it has read replicas",
    );
    add(
        !found.db_instance_automated_backups_replications().is_empty(),
        "its automatic backups are copied to another region",
    );
    add(found.aws_backup_recovery_point_arn().is_some(), "AWS Backup keeps copies of it");
    add(found.copy_tags_to_snapshot() == Some(true), "its snapshots get its tags");
    logs(&mut outlets, found.enabled_cloudwatch_logs_exports());
    outlets
}

/// Those of a cluster and of its members, each once.
pub(super) fn of_cluster(found: &DbCluster, members: &[&DbInstance]) -> Vec<String> {
    let mut outlets = Vec::new();
    let mut add = |on: bool, what: &str| {
        if on {
            outlets.push(what.to_owned());
        }
    };
    add(found.internet_access_gateway_enabled() == Some(true), "an internet gateway leads to it");
    add(found.vpc_networking_enabled() == Some(false), "it stands in no network of the account's");
    add(found.http_endpoint_enabled() == Some(true), "it can be queried over the data API");
    add(
        found.global_cluster_identifier().is_some_and(|id| !id.is_empty()),
        "it is part of a global cluster",
    );
    add(found.cross_account_clone() == Some(true), "another account can clone it");
    add(
        found.replication_source_identifier().is_some_and(|id| !id.is_empty()),
        "it replicates another database",
    );
    add(!found.read_replica_identifiers().is_empty(), "it has read replicas");
    add(streams(found.activity_stream_status()), "an activity stream carries its SQL away");
    add(!found.associated_roles().is_empty(), "roles let it reach other services");
    add(found.performance_insights_enabled() == Some(true), "performance insights keep its SQL");
    add(
        found.database_insights_mode() == Some(&DatabaseInsightsMode::Advanced),
        "advanced database insights keep its SQL",
    );
    add(found.aws_backup_recovery_point_arn().is_some(), "AWS Backup keeps copies of it");
    add(found.copy_tags_to_snapshot() == Some(true), "its snapshots get its tags");
    logs(&mut outlets, found.enabled_cloudwatch_logs_exports());
    for outlet in members.iter().flat_map(|member| of_instance(member)) {
        if !outlets.contains(&outlet) {
            outlets.push(outlet);
        }
    }
    outlets
}

fn streams(status: Option<&ActivityStreamStatus>) -> bool {
    status.is_some_and(|status| *status != ActivityStreamStatus::Stopped)
}

fn logs(outlets: &mut Vec<String>, exported: &[String]) {
    if let Some(logs) = joined(exported.iter().map(String::as_str)) {
        outlets.push(format!("its logs leave it: {logs}"));
    }
}
