//! Changes to databases that are there, and their end: each request holds what it changes and nothing else.

use e2e_aws::rds::{Answer, Form, Script, answer, form, refusal};
use snapshots::{Login, SnapshotError, Snapshots};

use crate::given::*;

const SECRET: &str = "<MasterUserSecret><SecretArn>arn:aws:secretsmanager:eu-west-1:111111111111:secret:rds!x</SecretArn>\
                      <SecretStatus>active</SecretStatus></MasterUserSecret>";

fn modified() -> Answer {
    answer("ModifyDBInstance", &instance_xml())
}

fn modified_cluster() -> Answer {
    answer("ModifyDBCluster", &cluster_xml())
}

fn after(mut found: Vec<Answer>, answers: impl IntoIterator<Item = Answer>) -> Script {
    found.extend(answers);
    Script::new(found)
}

/// What a take-over asks for beside the login.
fn taken_over(login: &[(&str, &str)]) -> Form {
    let fixed = [
        ("DBInstanceIdentifier", "shop"),
        ("BackupRetentionPeriod", "0"),
        ("EnablePerformanceInsights", "false"),
        ("DatabaseInsightsMode", "standard"),
        ("MonitoringInterval", "0"),
        ("DeletionProtection", "false"),
        ("ApplyImmediately", "true"),
    ];
    form("ModifyDBInstance", &fixed.iter().chain(login).copied().collect::<Vec<_>>())
}

#[tokio::test]
async fn an_instance_is_taken_over_at_once_with_a_password_nobody_sees() {
    let script = after(the_instance(), [modified()]);
    script.rds.take_over(INSTANCE, &temporary()).await.unwrap();
    let login = [("ManageMasterUserPassword", "true"), ("MasterUserSecretKmsKeyId", WORK_KEY)];
    assert_eq!(script.one("ModifyDBInstance"), taken_over(&login));
}

#[tokio::test]
async fn an_instance_can_be_taken_over_without_a_password() {
    let mut restore = temporary();
    restore.login = Login::Iam;
    let script = after(the_instance(), [modified()]);
    script.rds.take_over(INSTANCE, &restore).await.unwrap();
    let login = [("MasterUserAuthenticationType", "iam-db-auth")];
    assert_eq!(script.one("ModifyDBInstance"), taken_over(&login));
}

#[tokio::test]
async fn taking_over_again_does_not_ask_for_another_secret() {
    let found = vec![instances(&[plus(&instance_xml(), SECRET)])];
    let script = after(found, [modified()]);
    script.rds.take_over(INSTANCE, &temporary()).await.unwrap();
    assert_eq!(script.one("ModifyDBInstance"), taken_over(&[]));
    let script =
        Script::new([clusters(&[plus(&cluster_xml(), SECRET)]), instances(&[member_xml()])]);
    script.rds.take_over(CLUSTER, &temporary_cluster()).await.unwrap();
    assert_eq!(script.actions(), ["DescribeDBClusters", "DescribeDBInstances"]);
}

#[tokio::test]
async fn developments_own_backups_and_windows_are_taken_over() {
    let mut restore = temporary();
    restore.backup_days = 7;
    restore.settings.insert("maintenance_window".into(), "sun:03:00-sun:03:30".into());
    let script = after(the_instance(), [modified()]);
    script.rds.take_over(INSTANCE, &restore).await.unwrap();
    let asked = script.one("ModifyDBInstance");
    assert_eq!(asked["BackupRetentionPeriod"], "7");
    assert_eq!(asked["PreferredMaintenanceWindow"], "sun:03:00-sun:03:30");
}

#[tokio::test]
async fn a_cluster_is_taken_over_once_it_has_a_writer() {
    let script = after(the_cluster(), [modified_cluster()]);
    script.rds.take_over(CLUSTER, &temporary_cluster()).await.unwrap();
    let expected = form(
        "ModifyDBCluster",
        &[
            ("DBClusterIdentifier", "till"),
            ("ManageMasterUserPassword", "true"),
            ("MasterUserSecretKmsKeyId", WORK_KEY),
            ("ApplyImmediately", "true"),
        ],
    );
    assert_eq!(script.one("ModifyDBCluster"), expected);

    let script = Script::new([clusters(&[lone_cluster_xml()]), instances(&[])]);
    let refused = script.rds.take_over(CLUSTER, &temporary_cluster()).await;
    assert!(matches!(refused, Err(SnapshotError::InvalidState(_))), "{refused:?}");
    assert_eq!(script.actions(), ["DescribeDBClusters", "DescribeDBInstances"]);
}

#[tokio::test]
async fn a_secrets_key_is_named_in_full() {
    let mut restore = temporary();
    restore.login = Login::Managed { key: "alias/work".into() };
    let script = Script::new(the_instance());
    let refused = script.rds.take_over(INSTANCE, &restore).await;
    assert!(matches!(refused, Err(SnapshotError::Malformed(_))), "{refused:?}");
}

#[tokio::test]
async fn a_rename_is_nothing_but_a_rename() {
    let script = after(the_instance(), [modified()]);
    script.rds.rename(INSTANCE, "shop-old").await.unwrap();
    let expected = form(
        "ModifyDBInstance",
        &[
            ("DBInstanceIdentifier", "shop"),
            ("NewDBInstanceIdentifier", "shop-old"),
            ("ApplyImmediately", "true"),
        ],
    );
    assert_eq!(script.one("ModifyDBInstance"), expected);
    // RDS restarts what it renames, also to the name it has.
    let script = Script::new(the_instance());
    script.rds.rename(INSTANCE, "shop").await.unwrap();
    assert_eq!(script.actions(), ["DescribeDBInstances"]);
    let script = after(the_instance(), [refusal(400, "DBInstanceAlreadyExists")]);
    let refused = script.rds.rename(INSTANCE, "shop-old").await;
    assert_eq!(refused, Err(SnapshotError::Exists("shop-old".into())));
    assert!(Script::new([]).rds.rename(INSTANCE, "Shop").await.is_err());
}

#[tokio::test]
async fn a_cluster_takes_the_members_that_are_named_after_it_along() {
    let other = with(&member_xml(), "DBInstanceIdentifier", "reporting");
    let found = vec![clusters(&[cluster_xml()]), instances(&[member_xml(), other])];
    let script = after(found, [modified(), modified_cluster()]);
    script.rds.rename(CLUSTER, "till-old").await.unwrap();
    let expected = [
        form(
            "ModifyDBInstance",
            &[
                ("DBInstanceIdentifier", "till-w"),
                ("NewDBInstanceIdentifier", "till-old-w"),
                ("ApplyImmediately", "true"),
            ],
        ),
        form(
            "ModifyDBCluster",
            &[
                ("DBClusterIdentifier", "till"),
                ("NewDBClusterIdentifier", "till-old"),
                ("ApplyImmediately", "true"),
            ],
        ),
    ];
    assert_eq!(script.asked()[2..], expected);
    // Asked again after the member was renamed and the cluster refused, the cluster is what is left.
    let member = with(&member_xml(), "DBInstanceIdentifier", "till-old-w");
    let found =
        vec![clusters(&[cluster_xml().replace("till-w", "till-old-w")]), instances(&[member])];
    let script = after(found, [modified_cluster()]);
    script.rds.rename(CLUSTER, "till-old").await.unwrap();
    script.asked();
}

#[tokio::test]
async fn a_cluster_gets_its_name_whoever_has_those_of_its_members() {
    for refused in [refusal(400, "DBInstanceAlreadyExists"), refusal(404, "DBInstanceNotFound")] {
        let script = after(the_cluster(), [refused, modified_cluster()]);
        script.rds.rename(CLUSTER, "till-old").await.unwrap();
        assert_eq!(script.actions()[2..], ["ModifyDBInstance", "ModifyDBCluster"]);
    }
    // The cluster's own name is another matter, and so is any other refusal.
    let taken = refusal(400, "DBClusterAlreadyExistsFault");
    let script = after(the_cluster(), [modified(), taken]);
    let refused = script.rds.rename(CLUSTER, "till-old").await;
    assert_eq!(refused, Err(SnapshotError::Exists("till-old".into())));
    let script = after(the_cluster(), [refusal(403, "AccessDenied")]);
    assert!(matches!(script.rds.rename(CLUSTER, "till-old").await, Err(SnapshotError::Denied(_))));
    assert_eq!(script.actions().last().map(String::as_str), Some("ModifyDBInstance"));
}

#[tokio::test]
async fn what_is_stopped_is_started_and_what_runs_is_not() {
    for (status, action) in [
        ("stopped", Some("StartDBInstance")),
        ("available", None),
        ("starting", None),
        ("storage-optimization", None),
    ] {
        let found = vec![instances(&[with(&instance_xml(), "DBInstanceStatus", status)])];
        let script = after(found, action.map(|action| answer(action, &instance_xml())));
        script.rds.start(INSTANCE).await.unwrap();
        if let Some(action) = action {
            assert_eq!(script.one(action), form(action, &[("DBInstanceIdentifier", "shop")]));
        }
        script.asked();
    }
    for status in ["stopping", "failed", "storage-full", "deleting", "unheard-of"] {
        let script = Script::new([instances(&[with(&instance_xml(), "DBInstanceStatus", status)])]);
        let refused = script.rds.start(INSTANCE).await;
        assert!(matches!(refused, Err(SnapshotError::InvalidState(_))), "{status}: {refused:?}");
        script.asked();
    }
    let found =
        vec![clusters(&[with(&cluster_xml(), "Status", "stopped")]), instances(&[member_xml()])];
    let script = after(found, [answer("StartDBCluster", &cluster_xml())]);
    script.rds.start(CLUSTER).await.unwrap();
    assert_eq!(
        script.one("StartDBCluster"),
        form("StartDBCluster", &[("DBClusterIdentifier", "till")])
    );
}

#[tokio::test]
async fn a_restart_of_a_cluster_is_one_of_its_members() {
    let script = after(the_instance(), [answer("RebootDBInstance", &instance_xml())]);
    script.rds.restart(INSTANCE).await.unwrap();
    let expected = form("RebootDBInstance", &[("DBInstanceIdentifier", "shop")]);
    assert_eq!(script.one("RebootDBInstance"), expected);
    let script = after(the_cluster(), [answer("RebootDBInstance", &member_xml())]);
    script.rds.restart(CLUSTER).await.unwrap();
    let expected = form("RebootDBInstance", &[("DBInstanceIdentifier", "till-w")]);
    assert_eq!(script.one("RebootDBInstance"), expected);
}

#[tokio::test]
async fn protection_is_changed_where_it_is_another() {
    let script = after(the_instance(), [modified()]);
    script.rds.protect(INSTANCE, true).await.unwrap();
    let expected = [
        ("DBInstanceIdentifier", "shop"),
        ("DeletionProtection", "true"),
        ("ApplyImmediately", "true"),
    ];
    assert_eq!(script.one("ModifyDBInstance"), form("ModifyDBInstance", &expected));
    let script = Script::new(the_instance());
    script.rds.protect(INSTANCE, false).await.unwrap();
    script.asked();
    let found = vec![
        clusters(&[with(&cluster_xml(), "DeletionProtection", "true")]),
        instances(&[member_xml()]),
    ];
    let script = after(found, [modified_cluster()]);
    script.rds.protect(CLUSTER, false).await.unwrap();
    let expected = [
        ("DBClusterIdentifier", "till"),
        ("DeletionProtection", "false"),
        ("ApplyImmediately", "true"),
    ];
    assert_eq!(script.one("ModifyDBCluster"), form("ModifyDBCluster", &expected));
}

#[tokio::test]
async fn an_instance_goes_without_a_last_snapshot_and_with_its_backups() {
    let script = after(the_instance(), [answer("DeleteDBInstance", &instance_xml())]);
    script.rds.delete_database(INSTANCE).await.unwrap();
    let expected = form(
        "DeleteDBInstance",
        &[
            ("DBInstanceIdentifier", "shop"),
            ("SkipFinalSnapshot", "true"),
            ("DeleteAutomatedBackups", "true"),
        ],
    );
    assert_eq!(script.one("DeleteDBInstance"), expected);
}

#[tokio::test]
async fn a_cluster_goes_after_its_members() {
    let going = with(&member_xml(), "DBInstanceIdentifier", "till-2");
    let going = with(&going, "DBInstanceStatus", "deleting");
    let found = vec![clusters(&[cluster_xml()]), instances(&[member_xml(), going])];
    let script = after(found, [answer("DeleteDBInstance", &member_xml())]);
    let again = script.rds.delete_database(CLUSTER).await;
    assert!(matches!(again, Err(SnapshotError::InvalidState(_))), "{again:?}");
    let expected = [("DBInstanceIdentifier", "till-w"), ("SkipFinalSnapshot", "true")];
    assert_eq!(script.one("DeleteDBInstance"), form("DeleteDBInstance", &expected));

    // Its own list is believed while the members are no longer described.
    let script = after(
        vec![clusters(&[cluster_xml()]), instances(&[])],
        [refusal(404, "DBInstanceNotFound")],
    );
    let again = script.rds.delete_database(CLUSTER).await;
    assert!(matches!(again, Err(SnapshotError::InvalidState(_))), "{again:?}");

    let found = vec![clusters(&[lone_cluster_xml()]), instances(&[])];
    let script = after(found, [answer("DeleteDBCluster", &cluster_xml())]);
    script.rds.delete_database(CLUSTER).await.unwrap();
    let expected = form(
        "DeleteDBCluster",
        &[
            ("DBClusterIdentifier", "till"),
            ("SkipFinalSnapshot", "true"),
            ("DeleteAutomatedBackups", "true"),
        ],
    );
    assert_eq!(script.one("DeleteDBCluster"), expected);
}

#[tokio::test]
async fn deleting_what_goes_already_asks_for_nothing_and_what_is_protected_stays() {
    let script = Script::new([instances(&[with(&instance_xml(), "DBInstanceStatus", "deleting")])]);
    script.rds.delete_database(INSTANCE).await.unwrap();
    script.asked();
    let script = Script::new([instances(&[with(&instance_xml(), "DeletionProtection", "true")])]);
    let refused = script.rds.delete_database(INSTANCE).await;
    assert!(matches!(refused, Err(SnapshotError::Denied(_))), "{refused:?}");
    // It is for whoever has asked for the deletion to call this success.
    let script = Script::new([instances(&[])]);
    let gone = script.rds.delete_database(INSTANCE).await;
    assert_eq!(gone, Err(SnapshotError::NotFound(INSTANCE.into())));
}

fn backups(of: &[&str]) -> Answer {
    let one = |id: &&str| {
        format!(
            "<DBInstanceAutomatedBackup><DbiResourceId>{id}</DbiResourceId><Status>retained</Status>\
             <DBInstanceAutomatedBackupsArn>arn:backup:{id}</DBInstanceAutomatedBackupsArn></DBInstanceAutomatedBackup>"
        )
    };
    let inside: String = of.iter().map(one).collect();
    answer(
        "DescribeDBInstanceAutomatedBackups",
        &format!("<DBInstanceAutomatedBackups>{inside}</DBInstanceAutomatedBackups>"),
    )
}

#[tokio::test]
async fn automatic_backups_of_a_database_that_is_gone_are_found_and_deleted() {
    let script = Script::new([backups(&[INSTANCE, "db-ANOTHER"])]);
    let left = script.rds.automatic_backups(INSTANCE).await.unwrap();
    assert_eq!(left, [format!("arn:backup:{INSTANCE}")]);
    let asked = [("DbiResourceId", INSTANCE), ("MaxRecords", "100")];
    assert_eq!(script.asked(), [form("DescribeDBInstanceAutomatedBackups", &asked)]);

    let deleted = answer("DeleteDBInstanceAutomatedBackup", "");
    let script = Script::new([backups(&[INSTANCE]), deleted]);
    script.rds.delete_automatic_backups(INSTANCE).await.unwrap();
    let expected = form("DeleteDBInstanceAutomatedBackup", &[("DbiResourceId", INSTANCE)]);
    assert_eq!(script.one("DeleteDBInstanceAutomatedBackup"), expected);

    let script = Script::new([backups(&[])]);
    script.rds.delete_automatic_backups(INSTANCE).await.unwrap();
    script.asked();
}

#[tokio::test]
async fn a_clusters_automatic_backups_are_asked_for_by_its_own_call() {
    let inside = format!(
        "<DBClusterAutomatedBackups><DBClusterAutomatedBackup><DbClusterResourceId>{CLUSTER}</DbClusterResourceId>\
         <DBClusterIdentifier>till</DBClusterIdentifier></DBClusterAutomatedBackup></DBClusterAutomatedBackups>"
    );
    let found = || answer("DescribeDBClusterAutomatedBackups", &inside);
    let deleted = answer("DeleteDBClusterAutomatedBackup", "");
    let script = Script::new([found(), found(), deleted]);
    assert_eq!(script.rds.automatic_backups(CLUSTER).await.unwrap(), ["till"]);
    script.rds.delete_automatic_backups(CLUSTER).await.unwrap();
    let asked = [("DbClusterResourceId", CLUSTER), ("MaxRecords", "100")];
    let describe = form("DescribeDBClusterAutomatedBackups", &asked);
    let delete = form("DeleteDBClusterAutomatedBackup", &[("DbClusterResourceId", CLUSTER)]);
    assert_eq!(script.asked(), [describe.clone(), describe, delete]);

    let script = Script::new([refusal(404, "DBClusterAutomatedBackupNotFoundFault")]);
    assert_eq!(script.rds.automatic_backups(CLUSTER).await, Ok(vec![]));
    let script = Script::new([refusal(403, "AccessDenied")]);
    assert!(script.rds.automatic_backups(CLUSTER).await.is_err());
}
