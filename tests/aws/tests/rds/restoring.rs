//! Databases from snapshots: what is asked of RDS, to the last parameter, and what is refused before it is asked.

use e2e_aws::rds::{Answer, Form, Script, answer, form};
use snapshots::{Kind, Login, Restore, SnapshotError, Snapshots};

use crate::given::*;

fn the_snapshot(document: String) -> Answer {
    snapshots_page(&[document], "")
}

fn restored_instance() -> Answer {
    let instance = with(&instance_xml(), "DBInstanceIdentifier", "anon-tmp-run-1");
    let instance = with(&instance, "DBInstanceStatus", "creating");
    answer("RestoreDBInstanceFromDBSnapshot", &instance)
}

fn restored_cluster() -> Answer {
    let cluster = with(&lone_cluster_xml(), "DBClusterIdentifier", "anon-tmp-run-1");
    answer("RestoreDBClusterFromSnapshot", &with(&cluster, "Status", "creating"))
}

/// What is asked for a temporary instance; `EnableCloudwatchLogsExports` is an empty list, not an absent one.
fn asked_for_an_instance() -> Form {
    form(
        "RestoreDBInstanceFromDBSnapshot",
        &[
            ("DBInstanceIdentifier", "anon-tmp-run-1"),
            ("DBSnapshotIdentifier", "shop-1"),
            ("DBInstanceClass", "db.r6g.large"),
            ("DBSubnetGroupName", "isolated"),
            ("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-0aaa"),
            ("VpcSecurityGroupIds.VpcSecurityGroupId.2", "sg-0bbb"),
            ("DBParameterGroupName", "shop-pg16"),
            ("PubliclyAccessible", "false"),
            ("MultiAZ", "false"),
            ("AutoMinorVersionUpgrade", "false"),
            ("DeletionProtection", "false"),
            ("BackupRetentionPeriod", "0"),
            ("CopyTagsToSnapshot", "false"),
            ("EnableCloudwatchLogsExports", ""),
            ("EnableIAMDatabaseAuthentication", "false"),
            ("StorageType", "gp3"),
            ("CACertificateIdentifier", "rds-ca-rsa2048-g1"),
            ("Tags.Tag.1.Key", "anonymizer:run"),
            ("Tags.Tag.1.Value", "run-1"),
        ],
    )
}

fn asked_for_a_cluster() -> Form {
    form(
        "RestoreDBClusterFromSnapshot",
        &[
            ("DBClusterIdentifier", "anon-tmp-run-1"),
            ("SnapshotIdentifier", "till-1"),
            ("Engine", "aurora-postgresql"),
            ("EngineVersion", "16.4"),
            ("KmsKeyId", WORK_KEY),
            ("DBSubnetGroupName", "isolated"),
            ("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-0aaa"),
            ("DBClusterParameterGroupName", "till-pg16"),
            ("EnableCloudwatchLogsExports", ""),
            ("DeletionProtection", "false"),
            ("CopyTagsToSnapshot", "false"),
            ("BackupRetentionPeriod", "1"),
            ("EnablePerformanceInsights", "false"),
            ("EnableIAMDatabaseAuthentication", "false"),
            ("StorageType", "aurora"),
            ("ServerlessV2ScalingConfiguration.MinCapacity", "0.5"),
            ("ServerlessV2ScalingConfiguration.MaxCapacity", "16.0"),
            ("Tags.Tag.1.Key", "anonymizer:run"),
            ("Tags.Tag.1.Value", "run-1"),
        ],
    )
}

#[tokio::test]
async fn an_instance_is_restored_into_isolation_and_nothing_is_left_to_a_default() {
    let script = Script::new([the_snapshot(snapshot_xml()), restored_instance()]);
    let database = script.rds.restore(SNAPSHOT, &temporary()).await.unwrap();
    assert_eq!((database.name.as_str(), database.kind), ("anon-tmp-run-1", Kind::Instance));
    assert_eq!(database.resource_id, INSTANCE);
    let asked = script.asked();
    let describe = form("DescribeDBSnapshots", &[("DBSnapshotIdentifier", "shop-1")]);
    assert_eq!(asked, [describe, asked_for_an_instance()]);
}

#[tokio::test]
async fn what_must_not_be_asked_for_an_instance_is_not_even_with_every_setting_given() {
    let mut restore = temporary();
    restore.login = Login::Iam;
    restore.backup_days = 7;
    let more = [
        ("option_group", "shop-options"),
        ("port", "6432"),
        ("storage_type", "io2"),
        ("iops", "12000"),
        ("storage_throughput", "500"),
        ("multi_az", "true"),
        ("ca_certificate", "rds-ca-ecc384-g1"),
        ("backup_window", "05:00-05:30"),
        ("maintenance_window", "sun:03:00-sun:03:30"),
        ("log_exports", "postgresql,upgrade"),
    ];
    restore.settings.extend(settings(&more));
    let script = Script::new([the_snapshot(snapshot_xml()), restored_instance()]);
    script.rds.restore(SNAPSHOT, &restore).await.unwrap();
    let mut expected = asked_for_an_instance();
    expected.remove("EnableCloudwatchLogsExports");
    expected.extend(form(
        "RestoreDBInstanceFromDBSnapshot",
        &[
            ("OptionGroupName", "shop-options"),
            ("Port", "6432"),
            ("StorageType", "io2"),
            ("Iops", "12000"),
            ("StorageThroughput", "500"),
            ("MultiAZ", "true"),
            ("CACertificateIdentifier", "rds-ca-ecc384-g1"),
            ("PreferredBackupWindow", "05:00-05:30"),
            ("EnableCloudwatchLogsExports.member.1", "postgresql"),
            ("EnableCloudwatchLogsExports.member.2", "upgrade"),
            ("EnableIAMDatabaseAuthentication", "true"),
            ("BackupRetentionPeriod", "7"),
        ],
    ));
    let asked = script.one("RestoreDBInstanceFromDBSnapshot");
    assert_eq!(asked, expected);
    for absent in ["KmsKeyId", "EngineVersion", "ManageMasterUserPassword", "Engine"] {
        assert!(!asked.contains_key(absent), "{absent}");
    }
}

#[tokio::test]
async fn tokens_are_for_whom_they_are_asked_for() {
    let mut restore = temporary();
    restore.settings.insert("iam_login".into(), "true".into());
    let script = Script::new([the_snapshot(snapshot_xml()), restored_instance()]);
    script.rds.restore(SNAPSHOT, &restore).await.unwrap();
    let asked = script.one("RestoreDBInstanceFromDBSnapshot");
    assert_eq!(asked["EnableIAMDatabaseAuthentication"], "true");
    assert!(!asked.contains_key("ManageMasterUserPassword"));
}

#[tokio::test]
async fn a_cluster_is_restored_into_isolation_with_its_snapshots_version_and_another_key() {
    let script =
        Script::new([cluster_snapshots_page(&[cluster_snapshot_xml()]), restored_cluster()]);
    let database = script.rds.restore(CLUSTER_SNAPSHOT, &temporary_cluster()).await.unwrap();
    assert_eq!((database.kind, database.members.len()), (Kind::Cluster, 0));
    let asked = script.one("RestoreDBClusterFromSnapshot");
    assert_eq!(asked, asked_for_a_cluster());
    for absent in [
        "PubliclyAccessible",
        "EnableInternetAccessGateway",
        "EnableVPCNetworking",
        "AssociatedRoles",
        "DBClusterInstanceClass",
        "BacktrackWindow",
    ] {
        assert!(!asked.keys().any(|name| name.starts_with(absent)), "{absent}");
    }
}

#[tokio::test]
async fn a_cluster_for_mysql_keeps_no_backtrack() {
    let snapshot = with(&cluster_snapshot_xml(), "Engine", "aurora-mysql");
    let script = Script::new([cluster_snapshots_page(&[snapshot]), restored_cluster()]);
    script.rds.restore(CLUSTER_SNAPSHOT, &temporary_cluster()).await.unwrap();
    assert_eq!(script.one("RestoreDBClusterFromSnapshot")["BacktrackWindow"], "0");
}

#[tokio::test]
async fn a_cluster_that_is_not_aurora_becomes_an_instance() {
    let snapshot = with(&cluster_snapshot_xml(), "Engine", "postgres");
    let snapshot = with(&snapshot, "KmsKeyId", WORK_KEY);
    let script = Script::new([cluster_snapshots_page(&[snapshot]), restored_instance()]);
    let database = script.rds.restore(CLUSTER_SNAPSHOT, &temporary()).await.unwrap();
    assert_eq!(database.kind, Kind::Instance);
    let mut expected = asked_for_an_instance();
    expected.remove("DBSnapshotIdentifier");
    expected.insert("DBClusterSnapshotIdentifier".into(), "till-1".into());
    assert_eq!(script.one("RestoreDBInstanceFromDBSnapshot"), expected);
}

#[tokio::test]
async fn an_instance_is_not_restored_under_another_key_than_was_asked_for() {
    let source = "arn:aws:kms:eu-west-1:111111111111:key/source";
    let unencrypted = with(&snapshot_xml(), "Encrypted", "false");
    for document in [with(&snapshot_xml(), "KmsKeyId", source), unencrypted] {
        let script = Script::new([the_snapshot(document)]);
        let refused = script.rds.restore(SNAPSHOT, &temporary()).await;
        assert!(matches!(refused, Err(SnapshotError::Malformed(_))), "{refused:?}");
        assert_eq!(script.actions(), ["DescribeDBSnapshots"]);
    }
}

#[tokio::test]
async fn what_would_be_a_default_of_the_account_is_demanded() {
    for key in ["class", "subnet_group", "security_groups", "parameter_group"] {
        let mut restore = temporary();
        restore.settings.remove(key);
        let script = Script::new([the_snapshot(snapshot_xml())]);
        let refused = script.rds.restore(SNAPSHOT, &restore).await;
        assert_eq!(refused, Err(SnapshotError::Malformed(format!("setting `{key}` is missing"))));
        assert_eq!(script.actions(), ["DescribeDBSnapshots"]);

        let mut restore = temporary_cluster();
        restore.settings.remove(key);
        let script = Script::new([cluster_snapshots_page(&[cluster_snapshot_xml()])]);
        let refused = script.rds.restore(CLUSTER_SNAPSHOT, &restore).await;
        assert_eq!(refused, Err(SnapshotError::Malformed(format!("setting `{key}` is missing"))));
        assert_eq!(script.actions(), ["DescribeDBClusterSnapshots"]);
    }
}

/// What is changed in an order to restore.
type Spoil = fn(&mut Restore);

#[tokio::test]
async fn an_order_that_makes_no_sense_is_not_carried_out() {
    let spoils: [Spoil; 5] = [
        |restore| restore.tags.clear(),
        |restore| restore.name = "anon--tmp".into(),
        |restore| restore.key = "alias/work".into(),
        |restore| restore.backup_days = 36,
        |restore| drop(restore.settings.insert("securty_groups".into(), "sg-1".into())),
    ];
    for (number, spoil) in spoils.iter().enumerate() {
        for (arn, page, mut restore) in [
            (SNAPSHOT, the_snapshot(snapshot_xml()), temporary()),
            (
                CLUSTER_SNAPSHOT,
                cluster_snapshots_page(&[cluster_snapshot_xml()]),
                temporary_cluster(),
            ),
        ] {
            spoil(&mut restore);
            // Whether the snapshot is looked at before is of no account; nothing is restored.
            let needs_no_snapshot = [1, 2].contains(&number);
            let script = Script::new((!needs_no_snapshot).then_some(page));
            let refused = script.rds.restore(arn, &restore).await;
            assert!(matches!(refused, Err(SnapshotError::Malformed(_))), "{number}: {refused:?}");
            assert!(script.actions().iter().all(|action| action.starts_with("Describe")));
        }
    }
}

#[tokio::test]
async fn a_serverless_class_has_its_bounds() {
    let mut restore = temporary_cluster();
    restore.settings.remove("serverless_max");
    let script = Script::new([cluster_snapshots_page(&[cluster_snapshot_xml()])]);
    let refused = script.rds.restore(CLUSTER_SNAPSHOT, &restore).await;
    assert!(matches!(refused, Err(SnapshotError::Malformed(_))), "{refused:?}");
    restore.settings.remove("serverless_min");
    restore.settings.insert("class".into(), "db.r6g.large".into());
    let script =
        Script::new([cluster_snapshots_page(&[cluster_snapshot_xml()]), restored_cluster()]);
    script.rds.restore(CLUSTER_SNAPSHOT, &restore).await.unwrap();
    let asked = script.one("RestoreDBClusterFromSnapshot");
    assert!(!asked.keys().any(|name| name.starts_with("ServerlessV2")));
}

#[tokio::test]
async fn another_accounts_snapshot_is_copied_first() {
    let script = Script::new([]);
    let foreign = "arn:aws:rds:eu-west-1:222222222222:snapshot:anon-share-shop-1";
    let elsewhere = "arn:aws:rds:us-east-1:111111111111:snapshot:shop-1";
    for arn in [foreign, elsewhere, "shop-1"] {
        let refused = script.rds.restore(arn, &temporary()).await;
        assert!(matches!(refused, Err(SnapshotError::Malformed(_))), "{arn}: {refused:?}");
    }
    assert!(script.asked().is_empty());
}

#[tokio::test]
async fn a_restored_cluster_gets_a_writer_that_cannot_be_reached_from_outside() {
    let mut answers = vec![clusters(&[lone_cluster_xml()]), instances(&[])];
    answers.push(answer("CreateDBInstance", &member_xml()));
    let script = Script::new(answers);
    let mut restore = temporary_cluster();
    restore.settings.insert("member_parameter_group".into(), "till-members".into());
    script.rds.add_writer(CLUSTER, &restore).await.unwrap();
    let expected = form(
        "CreateDBInstance",
        &[
            ("DBInstanceIdentifier", "till-w"),
            ("DBClusterIdentifier", "till"),
            ("DBInstanceClass", "db.serverless"),
            ("Engine", "aurora-postgresql"),
            ("DBParameterGroupName", "till-members"),
            ("PubliclyAccessible", "false"),
            ("AutoMinorVersionUpgrade", "false"),
            ("EnablePerformanceInsights", "false"),
            ("MonitoringInterval", "0"),
            ("CACertificateIdentifier", "rds-ca-rsa2048-g1"),
            ("Tags.Tag.1.Key", "anonymizer:run"),
            ("Tags.Tag.1.Value", "run-1"),
        ],
    );
    assert_eq!(script.one("CreateDBInstance"), expected);
}

#[tokio::test]
async fn a_cluster_gets_one_writer_however_often_it_is_asked_for() {
    let script = Script::new(the_cluster());
    script.rds.add_writer(CLUSTER, &temporary_cluster()).await.unwrap();
    assert_eq!(script.actions(), ["DescribeDBClusters", "DescribeDBInstances"]);
    let script = Script::new(the_instance());
    script.rds.add_writer(INSTANCE, &temporary()).await.unwrap();
    assert_eq!(script.actions(), ["DescribeDBInstances"]);
}
