//! Databases as they are described: found by an identifier that names do not change, and not ready before they are.

use e2e_aws::rds::{Answer, Form, Script, answer, form, refusal};
use snapshots::status::Meaning;
use snapshots::{Database, Kind, Snapshots};

use crate::given::*;

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:rds!db-1";

async fn described(document: String) -> Database {
    let script = Script::new([instances(&[document])]);
    script.rds.by_resource_id(INSTANCE).await.unwrap().unwrap()
}

async fn described_cluster(cluster: String, members: &[String]) -> Database {
    let script = Script::new([clusters(&[cluster]), instances(members)]);
    script.rds.by_resource_id(CLUSTER).await.unwrap().unwrap()
}

fn filtered(action: &str, name: &str, value: &str) -> Form {
    form(
        action,
        &[
            ("Filters.Filter.1.Name", name),
            ("Filters.Filter.1.Values.Value.1", value),
            ("MaxRecords", "100"),
        ],
    )
}

#[tokio::test]
async fn an_instance_is_asked_for_by_its_resource_identifier() {
    let script = Script::new(the_instance());
    let database = script.rds.by_resource_id(INSTANCE).await.unwrap().unwrap();
    assert_eq!(script.asked(), [filtered("DescribeDBInstances", "dbi-resource-id", INSTANCE)]);
    assert_eq!((database.name.as_str(), database.kind), ("shop", Kind::Instance));
    assert_eq!(database.endpoint, "shop.c9akciq32xyz.eu-west-1.rds.amazonaws.com:5432");
    assert_eq!(database.key.as_deref(), Some(WORK_KEY));
    assert_eq!((database.encrypted, database.public, database.backup_days), (true, false, 0));
    assert_eq!(
        (database.pending, database.restart_needed, database.protected),
        (false, false, false)
    );
    assert_eq!((&database.secret, &database.members), (&None, &vec![]));
    assert_eq!(database.tags, tags());
    assert_eq!(database.outlets, Vec::<String>::new());
    assert_eq!(database.meaning(), Meaning::Ready);
}

#[tokio::test]
async fn a_cluster_is_asked_for_by_its_resource_identifier_and_comes_with_its_members() {
    let script = Script::new(the_cluster());
    let database = script.rds.by_resource_id(CLUSTER).await.unwrap().unwrap();
    assert_eq!(
        script.asked(),
        [
            filtered("DescribeDBClusters", "db-cluster-resource-id", CLUSTER),
            filtered("DescribeDBInstances", "db-cluster-id", "till"),
        ]
    );
    assert_eq!((database.name.as_str(), database.kind), ("till", Kind::Cluster));
    assert_eq!(database.endpoint, "till.cluster-c9akciq32xyz.eu-west-1.rds.amazonaws.com:5432");
    assert_eq!(database.members.len(), 1);
    assert!(database.members[0].writer);
    assert_eq!(database.meaning(), Meaning::Ready);
    assert_eq!(database.outlets, Vec::<String>::new());
}

#[tokio::test]
async fn settings_are_those_another_database_can_be_restored_with() {
    let instance = described(instance_xml()).await;
    let expected = [
        ("class", "db.r6g.large"),
        ("subnet_group", "isolated"),
        ("security_groups", "sg-0aaa,sg-0bbb"),
        ("parameter_group", "shop-pg16"),
        ("option_group", "default:postgres-16"),
        ("port", "5432"),
        // Without the operations and the throughput that so small a volume has by itself and cannot be asked for.
        ("storage_type", "gp3"),
        ("multi_az", "false"),
        ("ca_certificate", "rds-ca-rsa2048-g1"),
        ("backup_window", "02:10-02:40"),
        ("maintenance_window", "sun:03:00-sun:03:30"),
    ];
    assert_eq!(instance.settings, settings(&expected));
    let large = described(with(&instance_xml(), "AllocatedStorage", "400")).await;
    assert_eq!(large.settings["iops"], "3000");
    let tokens = described(with(&instance_xml(), "IAMDatabaseAuthenticationEnabled", "true")).await;
    assert_eq!(tokens.settings["iam_login"], "true");
    assert_eq!(large.settings["storage_throughput"], "125");

    let mut restore = temporary();
    restore.settings = large.settings;
    let restored = answer("RestoreDBInstanceFromDBSnapshot", &instance_xml());
    let script = Script::new([snapshots_page(&[snapshot_xml()], ""), restored]);
    script.rds.restore(SNAPSHOT, &restore).await.unwrap();
}

#[tokio::test]
async fn a_clusters_settings_are_its_own_and_its_writers() {
    let reader = with(&member_xml(), "DBInstanceIdentifier", "till-2");
    let reader = with(&reader, "DBInstanceClass", "db.r6g.large");
    let cluster = described_cluster(cluster_xml(), &[reader, member_xml()]).await;
    let expected = [
        ("class", "db.serverless"),
        ("subnet_group", "isolated"),
        ("security_groups", "sg-0aaa"),
        ("parameter_group", "till-pg16"),
        ("member_parameter_group", "till-members"),
        ("port", "5432"),
        ("storage_type", "aurora"),
        ("ca_certificate", "rds-ca-rsa2048-g1"),
        ("serverless_min", "0.5"),
        ("serverless_max", "16"),
        ("backup_window", "02:10-02:40"),
        ("maintenance_window", "sun:03:00-sun:03:30"),
    ];
    assert_eq!(cluster.settings, settings(&expected));

    let mut restore = temporary_cluster();
    restore.settings = cluster.settings;
    let restored = answer("RestoreDBClusterFromSnapshot", &lone_cluster_xml());
    let script = Script::new([cluster_snapshots_page(&[cluster_snapshot_xml()]), restored]);
    script.rds.restore(CLUSTER_SNAPSHOT, &restore).await.unwrap();
}

/// What is changed in the description of an instance, and what that means.
#[tokio::test]
async fn available_is_not_ready_while_something_is_pending() {
    let group = "shop-pg16</DBParameterGroupName>\n      <ParameterApplyStatus>";
    let secret = |status: &str| {
        format!(
            "<MasterUserSecret><SecretArn>{SECRET}</SecretArn><SecretStatus>{status}</SecretStatus>\
             <KmsKeyId>{WORK_KEY}</KmsKeyId></MasterUserSecret>"
        )
    };
    let base = instance_xml();
    let pending = |inside| with_pending(&base, inside);
    for (document, ready) in [
        (base.clone(), true),
        (pending("<MasterUserPassword>****</MasterUserPassword>"), false),
        (pending("<DBInstanceIdentifier>shop-old</DBInstanceIdentifier>"), false),
        (pending("<BackupRetentionPeriod>0</BackupRetentionPeriod>"), false),
        (
            pending("<IAMDatabaseAuthenticationEnabled>true</IAMDatabaseAuthenticationEnabled>"),
            false,
        ),
        (pending("<ProcessorFeatures/>"), true),
        (plus(&base, &secret("creating")), false),
        (plus(&base, &secret("rotating")), false),
        (plus(&base, &secret("impaired")), false),
        (plus(&base, &secret("active")), true),
        (base.replace(&format!("{group}in-sync"), &format!("{group}applying")), false),
        (base.replacen("<Status>active</Status>", "<Status>adding</Status>", 1), false),
        // Renamed a moment ago: the name is new, the endpoint is not.
        (with(&base, "DBInstanceIdentifier", "shop-old"), false),
        (with(&base, "Address", "shop-old.c9akciq32xyz.eu-west-1.rds.amazonaws.com"), false),
        (with(&base, "DBInstanceStatus", "storage-optimization"), true),
        (with(&base, "DBInstanceStatus", "renaming"), false),
    ] {
        let changed = document.clone();
        let database = described(document).await;
        let expected = if ready { Meaning::Ready } else { Meaning::Wait };
        assert_eq!(database.meaning(), expected, "{changed}");
    }
    let failed = with(&pending("<Port>1</Port>"), "DBInstanceStatus", "failed");
    assert_eq!(described(failed).await.meaning(), Meaning::Broken);
}

fn with_pending(document: &str, inside: &str) -> String {
    let pending = format!("<PendingModifiedValues>{inside}</PendingModifiedValues>");
    assert!(document.contains("<PendingModifiedValues/>"));
    document.replace("<PendingModifiedValues/>", &pending)
}

#[tokio::test]
async fn the_master_users_secret_is_told_and_whether_it_holds() {
    let secret = format!(
        "<MasterUserSecret><SecretArn>{SECRET}</SecretArn><SecretStatus>active</SecretStatus></MasterUserSecret>"
    );
    let database = described(plus(&instance_xml(), &secret)).await;
    let secret = database.secret.unwrap();
    assert_eq!((secret.arn.as_str(), secret.active), (SECRET, true));
}

#[tokio::test]
async fn a_parameter_group_that_waits_for_a_restart_asks_for_one() {
    let waiting = instance_xml()
        .replace("<ParameterApplyStatus>in-sync", "<ParameterApplyStatus>pending-reboot");
    assert!(described(waiting).await.restart_needed);
    let member = member_xml()
        .replace("<ParameterApplyStatus>in-sync", "<ParameterApplyStatus>pending-reboot");
    assert!(described_cluster(cluster_xml(), &[member]).await.restart_needed);
    let cluster = with(&cluster_xml(), "DBClusterParameterGroupStatus", "pending-reboot");
    assert!(described_cluster(cluster, &[member_xml()]).await.restart_needed);
    assert!(!described_cluster(cluster_xml(), &[member_xml()]).await.restart_needed);
}

#[tokio::test]
async fn a_cluster_without_a_usable_writer_is_not_ready() {
    let creating = with(&member_xml(), "DBInstanceStatus", "creating");
    assert_eq!(described_cluster(cluster_xml(), &[creating]).await.meaning(), Meaning::Wait);
    let broken = with(&member_xml(), "DBInstanceStatus", "incompatible-network");
    assert_eq!(described_cluster(cluster_xml(), &[broken]).await.meaning(), Meaning::Broken);
    // The cluster lists a member that is not described yet.
    let listed = described_cluster(cluster_xml(), &[]).await;
    assert_eq!((listed.members.len(), listed.meaning()), (1, Meaning::Unknown));
    // Just restored: a writer can be added, and nothing is pending.
    let lone = described_cluster(lone_cluster_xml(), &[]).await;
    assert_eq!((lone.members.len(), lone.meaning()), (0, Meaning::Ready));
    let renamed = with(&cluster_xml(), "DBClusterIdentifier", "till-old");
    assert_eq!(described_cluster(renamed, &[]).await.meaning(), Meaning::Unknown);
    let pending = plus(
        &lone_cluster_xml(),
        "<PendingModifiedValues><MasterUserPassword>****</MasterUserPassword></PendingModifiedValues>",
    );
    assert_eq!(described_cluster(pending, &[]).await.meaning(), Meaning::Wait);
}

#[tokio::test]
async fn every_way_out_of_an_instance_is_named() {
    let base = instance_xml();
    for (document, outlet) in [
        (with(&base, "PerformanceInsightsEnabled", "true"), "performance insights keep its SQL"),
        (with(&base, "DatabaseInsightsMode", "advanced"), "advanced database insights keep its SQL"),
        (with(&base, "MonitoringInterval", "60"), "enhanced monitoring lists its processes"),
        (with(&base, "ActivityStreamStatus", "started"), "an activity stream carries its SQL away"),
        (with(&base, "CopyTagsToSnapshot", "true"), "its snapshots get its tags"),
        (
            plus(
                &base,
                "<EnabledCloudwatchLogsExports><member>upgrade</member><member>postgresql</member>\
                 </EnabledCloudwatchLogsExports>",
            ),
            "its logs leave it: postgresql,upgrade",
        ),
        (
            base.replace(
                "<AssociatedRoles/>",
                "<AssociatedRoles><DBInstanceRole><RoleArn>arn:aws:iam::1:role/x</RoleArn></DBInstanceRole></AssociatedRoles>",
            ),
            "roles let it reach other services",
        ),
        (
            base.replace(
                "<ReadReplicaDBInstanceIdentifiers/>",
                "<ReadReplicaDBInstanceIdentifiers><ReadReplicaDBInstanceIdentifier>x</ReadReplicaDBInstanceIdentifier>\
                 </ReadReplicaDBInstanceIdentifiers>",
            ),
            "it has read replicas",
        ),
        (
            plus(&base, "<AwsBackupRecoveryPointArn>arn:aws:backup:x</AwsBackupRecoveryPointArn>"),
            "AWS Backup keeps copies of it",
        ),
    ] {
        assert_eq!(described(document).await.outlets, [outlet]);
    }
    assert!(described(with(&base, "PubliclyAccessible", "true")).await.public);
}

#[tokio::test]
async fn every_way_out_of_a_cluster_is_named() {
    let base = cluster_xml();
    for (document, outlet) in [
        (
            plus(&base, "<InternetAccessGatewayEnabled>true</InternetAccessGatewayEnabled>"),
            "an internet gateway leads to it",
        ),
        (
            plus(&base, "<VPCNetworkingEnabled>false</VPCNetworkingEnabled>"),
            "it stands in no network of the account's",
        ),
        (with(&base, "HttpEndpointEnabled", "true"), "it can be queried over the data API"),
        (with(&base, "CrossAccountClone", "true"), "another account can clone it"),
        (
            plus(&base, "<GlobalClusterIdentifier>everywhere</GlobalClusterIdentifier>"),
            "it is part of a global cluster",
        ),
    ] {
        assert_eq!(described_cluster(document, &[member_xml()]).await.outlets, [outlet]);
    }
    // A member's way out is the cluster's, named once.
    let insights = with(&base, "PerformanceInsightsEnabled", "true");
    let member = with(&member_xml(), "PerformanceInsightsEnabled", "true");
    let database = described_cluster(insights, &[member]).await;
    assert_eq!(database.outlets, ["performance insights keep its SQL"]);
    let open = with(&member_xml(), "PubliclyAccessible", "true");
    assert!(described_cluster(base, &[open]).await.public);
}

#[tokio::test]
async fn a_database_is_found_by_name_whatever_it_is() {
    let no_instance = || refusal(404, "DBInstanceNotFound");
    let no_cluster = || refusal(404, "DBClusterNotFoundFault");
    let find = |answers: Vec<Answer>, name: &'static str| async move {
        let script = Script::new(answers);
        let found = script.rds.database(name).await;
        (found, script.asked())
    };
    let (found, asked) = find(vec![instances(&[instance_xml()]), no_cluster()], "shop").await;
    assert_eq!(found.unwrap().unwrap().resource_id, INSTANCE);
    let expected = [
        form("DescribeDBInstances", &[("DBInstanceIdentifier", "shop")]),
        form("DescribeDBClusters", &[("DBClusterIdentifier", "shop")]),
    ];
    assert_eq!(asked, expected);
    let cluster = vec![no_instance(), clusters(&[cluster_xml()]), instances(&[member_xml()])];
    assert_eq!(find(cluster, "till").await.0.unwrap().unwrap().resource_id, CLUSTER);
    assert_eq!(find(vec![no_instance(), no_cluster()], "shop").await.0, Ok(None));
    let (found, _) = find(vec![instances(&[instance_xml()]), no_cluster()], "Shop").await;
    assert!(found.unwrap().is_some(), "names are kept in lower case");
    // A member of a cluster is no database of its own.
    let member = vec![instances(&[member_xml()]), no_cluster()];
    assert_eq!(find(member, "till-w").await.0, Ok(None));
    // Two of one name: which of them is meant is not guessed.
    let both = clusters(&[with(&cluster_xml(), "DBClusterIdentifier", "shop")]);
    assert!(find(vec![instances(&[instance_xml()]), both], "shop").await.0.is_err());
    // Not being allowed to look is not the same as there being none.
    assert!(find(vec![refusal(403, "AccessDenied")], "shop").await.0.is_err());
    assert!(find(vec![no_instance(), refusal(400, "Throttling")], "shop").await.0.is_err());
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_found() {
    // An endpoint that does not know the filter answers with everything there is.
    let other = with(&instance_xml(), "DbiResourceId", "db-ANOTHER");
    let script = Script::new([instances(&[other.clone(), instance_xml()])]);
    let found = script.rds.by_resource_id(INSTANCE).await.unwrap().unwrap();
    assert_eq!(found.resource_id, INSTANCE);
    let script = Script::new([instances(&[other])]);
    assert_eq!(script.rds.by_resource_id(INSTANCE).await, Ok(None));
    let script = Script::new([instances(&[member_xml()])]);
    assert_eq!(script.rds.by_resource_id("db-MEMBERMEMBER").await, Ok(None));
    let script = Script::new([refusal(404, "DBClusterNotFoundFault")]);
    assert_eq!(script.rds.by_resource_id(CLUSTER).await, Ok(None));
    let script = Script::new([]);
    assert!(script.rds.by_resource_id("shop").await.is_err());
}

#[tokio::test]
async fn all_databases_are_instances_without_members_and_clusters_with_them() {
    let page = |documents: &[String], marker: &str| {
        let inside = documents.concat();
        let marker =
            if marker.is_empty() { String::new() } else { format!("<Marker>{marker}</Marker>") };
        answer("DescribeDBInstances", &format!("{marker}<DBInstances>{inside}</DBInstances>"))
    };
    let script = Script::new([
        page(&[instance_xml()], "next"),
        page(&[], "after"),
        page(&[member_xml()], ""),
        clusters(&[cluster_xml()]),
    ]);
    let all = script.rds.databases().await.unwrap();
    let names: Vec<_> = all.iter().map(|one| (one.name.as_str(), one.members.len())).collect();
    assert_eq!(names, [("shop", 0), ("till", 1)]);
}
