//! Snapshots: taken, copied, listed, deleted. Pages, names and owners are where others went wrong.

use e2e_aws::rds::{Answer, Script, answer, form};
use snapshots::{Kind, SnapshotError, Snapshots};

use crate::given::*;

const SHARE_KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/share";
const FOREIGN: &str = "arn:aws:rds:eu-west-1:222222222222:snapshot:anon-share-shop-1";

fn numbered(numbers: std::ops::Range<usize>) -> Vec<String> {
    let one = |number| {
        let name = format!("shop-{number}");
        let arn = format!("arn:aws:rds:eu-west-1:111111111111:snapshot:{name}");
        with(&with(&snapshot_xml(), "DBSnapshotIdentifier", &name), "DBSnapshotArn", &arn)
    };
    numbers.map(one).collect()
}

#[tokio::test]
async fn a_snapshot_of_an_instance_is_taken_with_tags_of_its_own() {
    let mut answers = the_instance();
    answers.push(answer("CreateDBSnapshot", &with(&snapshot_xml(), "Status", "creating")));
    let script = Script::new(answers);
    let snapshot = script.rds.take(INSTANCE, "anon-stage-run-1", &tags()).await.unwrap();
    assert_eq!((snapshot.kind, snapshot.status.as_str()), (Kind::Instance, "creating"));
    let expected = form(
        "CreateDBSnapshot",
        &[
            ("DBInstanceIdentifier", "shop"),
            ("DBSnapshotIdentifier", "anon-stage-run-1"),
            ("Tags.Tag.1.Key", "anonymizer:run"),
            ("Tags.Tag.1.Value", "run-1"),
        ],
    );
    assert_eq!(script.one("CreateDBSnapshot"), expected);
}

#[tokio::test]
async fn a_snapshot_of_a_cluster_is_one_of_the_cluster() {
    let mut answers = the_cluster();
    answers.push(answer("CreateDBClusterSnapshot", &cluster_snapshot_xml()));
    let script = Script::new(answers);
    let snapshot = script.rds.take(CLUSTER, "anon-stage-run-1", &tags()).await.unwrap();
    assert_eq!((snapshot.kind, snapshot.arn.as_str()), (Kind::Cluster, CLUSTER_SNAPSHOT));
    let expected = form(
        "CreateDBClusterSnapshot",
        &[
            ("DBClusterIdentifier", "till"),
            ("DBClusterSnapshotIdentifier", "anon-stage-run-1"),
            ("Tags.Tag.1.Key", "anonymizer:run"),
            ("Tags.Tag.1.Value", "run-1"),
        ],
    );
    assert_eq!(script.one("CreateDBClusterSnapshot"), expected);
}

#[tokio::test]
async fn a_copy_names_its_key_and_takes_no_tags_along() {
    let foreign_cluster = "arn:aws:rds:eu-west-1:222222222222:cluster-snapshot:anon-share-till-1";
    // One's own goes by its name, another account's by its ARN.
    for (arn, source) in [(SNAPSHOT, "shop-1"), (FOREIGN, FOREIGN)] {
        let script = Script::new([answer("CopyDBSnapshot", &snapshot_xml())]);
        script.rds.copy(arn, "anon-share-shop-2", SHARE_KEY, &tags()).await.unwrap();
        let expected = form(
            "CopyDBSnapshot",
            &[
                ("SourceDBSnapshotIdentifier", source),
                ("TargetDBSnapshotIdentifier", "anon-share-shop-2"),
                ("KmsKeyId", SHARE_KEY),
                ("CopyTags", "false"),
                ("Tags.Tag.1.Key", "anonymizer:run"),
                ("Tags.Tag.1.Value", "run-1"),
            ],
        );
        assert_eq!(script.asked(), [expected]);
    }
    for (arn, source) in [(CLUSTER_SNAPSHOT, "till-1"), (foreign_cluster, foreign_cluster)] {
        let script = Script::new([answer("CopyDBClusterSnapshot", &cluster_snapshot_xml())]);
        script.rds.copy(arn, "anon-share-till-2", SHARE_KEY, &tags()).await.unwrap();
        let expected = form(
            "CopyDBClusterSnapshot",
            &[
                ("SourceDBClusterSnapshotIdentifier", source),
                ("TargetDBClusterSnapshotIdentifier", "anon-share-till-2"),
                ("KmsKeyId", SHARE_KEY),
                ("CopyTags", "false"),
                ("Tags.Tag.1.Key", "anonymizer:run"),
                ("Tags.Tag.1.Value", "run-1"),
            ],
        );
        assert_eq!(script.asked(), [expected]);
    }
}

#[tokio::test]
async fn a_copy_that_makes_no_sense_is_not_asked_for() {
    let script = Script::new([]);
    let rds = &script.rds;
    let none = Default::default();
    for refused in [
        // The key of another account by its identifier would be looked for in this one.
        rds.copy(FOREIGN, "dev-1", "1234abcd-12ab-34cd-56ef-1234567890ab", &tags()).await,
        rds.copy(FOREIGN, "dev-1", "arn:aws:kms:eu-west-1:1:alias/dev", &tags()).await,
        rds.copy(FOREIGN, "rds:dev-1", SHARE_KEY, &tags()).await,
        rds.copy(FOREIGN, "dev-1", SHARE_KEY, &none).await,
        rds.copy("anon-share-shop-1", "dev-1", SHARE_KEY, &tags()).await,
        rds.take(INSTANCE, "dev-1", &none).await,
    ] {
        assert!(matches!(refused, Err(SnapshotError::Malformed(_))), "{refused:?}");
    }
    assert!(script.asked().is_empty());
}

#[tokio::test]
async fn all_pages_are_read_also_behind_an_empty_one() {
    let script = Script::new([
        snapshots_page(&numbered(0..100), "page-2"),
        snapshots_page(&[], "page-3"),
        snapshots_page(&numbered(100..130), ""),
        cluster_snapshots_page(&[cluster_snapshot_xml()]),
    ]);
    let all = script.rds.snapshots().await.unwrap();
    assert_eq!(all.len(), 131);
    assert_eq!((all[129].name.as_str(), all[130].kind), ("shop-129", Kind::Cluster));
    let page = |marker: &[(&str, &str)]| {
        let mut page = form("DescribeDBSnapshots", &[("MaxRecords", "100")]);
        page.extend(marker.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        page
    };
    assert_eq!(
        script.asked(),
        [
            page(&[]),
            page(&[("Marker", "page-2")]),
            page(&[("Marker", "page-3")]),
            form("DescribeDBClusterSnapshots", &[("MaxRecords", "100")]),
        ]
    );
}

#[tokio::test]
async fn a_page_that_fails_is_not_the_last_one() {
    let script = Script::new([
        snapshots_page(&numbered(0..100), "page-2"),
        e2e_aws::rds::refusal(503, "ServiceUnavailable"),
    ]);
    let all = script.rds.snapshots().await;
    assert!(matches!(all, Err(SnapshotError::Passing(_))), "{all:?}");
    assert_eq!(script.actions().len(), 2);
}

#[tokio::test]
async fn what_others_share_bears_their_account_and_is_asked_for_without_a_database() {
    let shared = with(&snapshot_xml(), "DBSnapshotIdentifier", FOREIGN);
    let shared = with(&shared, "DBSnapshotArn", FOREIGN);
    let shared = with(&shared, "SnapshotType", "shared");
    let script =
        Script::new([snapshots_page(&[shared, snapshot_xml()], ""), cluster_snapshots_page(&[])]);
    let all = script.rds.shared().await.unwrap();
    assert_eq!(all.len(), 1, "one's own is nobody's gift");
    assert_eq!(all[0].name, "anon-share-shop-1");
    assert_eq!((all[0].owner.as_str(), all[0].arn.as_str()), ("222222222222", FOREIGN));
    assert!(!all[0].automatic);
    let asked = [("MaxRecords", "100"), ("SnapshotType", "shared")];
    let expected =
        [form("DescribeDBSnapshots", &asked), form("DescribeDBClusterSnapshots", &asked)];
    assert_eq!(script.asked(), expected);
}

#[tokio::test]
async fn a_snapshot_says_of_when_its_data_is_and_not_when_it_was_copied() {
    let described = |document: String| async move {
        let script = Script::new([snapshots_page(&[document], "")]);
        script.rds.snapshot(SNAPSHOT).await.unwrap().unwrap()
    };
    let snapshot = described(snapshot_xml()).await;
    assert_eq!(snapshot.created_at, "2024-06-09T03:04:05.678Z");
    assert_eq!(snapshot.data_as_of, "2024-06-09T02:00:00Z");
    assert_eq!(snapshot.tags, tags());
    let without = snapshot_xml().replace("SnapshotDatabaseTime", "Left");
    assert_eq!(described(without.clone()).await.data_as_of, "2024-06-09T02:04:05.678Z");
    let without = without.replace("OriginalSnapshotCreateTime", "Left");
    assert_eq!(described(without.clone()).await.data_as_of, "2024-06-09T03:04:05.678Z");
    // One that is being made says nothing yet.
    let without = without.replace("SnapshotCreateTime", "Left");
    assert_eq!(described(without).await.data_as_of, "");
}

#[tokio::test]
async fn an_automatic_snapshot_is_found_by_its_type_and_known_as_one() {
    let arn = "arn:aws:rds:eu-west-1:111111111111:snapshot:rds:shop-2024-06-09-02-00";
    let document = with(&snapshot_xml(), "DBSnapshotArn", arn);
    let document = with(&document, "SnapshotType", "automated");
    let script = Script::new([snapshots_page(&[document], "")]);
    let snapshot = script.rds.snapshot(arn).await.unwrap().unwrap();
    assert!(snapshot.automatic);
    assert_eq!(snapshot.name, "rds:shop-2024-06-09-02-00");
    let expected = form(
        "DescribeDBSnapshots",
        &[("DBSnapshotIdentifier", "rds:shop-2024-06-09-02-00"), ("SnapshotType", "automated")],
    );
    assert_eq!(script.asked(), [expected]);
}

#[tokio::test]
async fn a_snapshot_that_is_not_there_is_none_and_any_other_refusal_is_an_error() {
    let describe = |answer: Answer| async move {
        let script = Script::new([answer]);
        script.rds.snapshot(SNAPSHOT).await
    };
    let refusal = |code| e2e_aws::rds::refusal(404, code);
    assert_eq!(describe(refusal("DBSnapshotNotFound")).await, Ok(None));
    assert_eq!(describe(snapshots_page(&[], "")).await, Ok(None));
    assert!(describe(refusal("DBInstanceQuantum")).await.is_err());
    assert!(describe(e2e_aws::rds::garbage(502)).await.is_err());
    // Something else than what was asked for.
    let other = with(&snapshot_xml(), "DBSnapshotArn", FOREIGN);
    assert_eq!(describe(snapshots_page(&[other], "")).await, Ok(None));
}

#[tokio::test]
async fn deleting_a_snapshot_that_is_not_there_is_not_success() {
    let script = Script::new([answer("DeleteDBSnapshot", &snapshot_xml())]);
    script.rds.delete_snapshot(SNAPSHOT).await.unwrap();
    assert_eq!(script.asked(), [form("DeleteDBSnapshot", &[("DBSnapshotIdentifier", "shop-1")])]);

    let script = Script::new([answer("DeleteDBClusterSnapshot", &cluster_snapshot_xml())]);
    script.rds.delete_snapshot(CLUSTER_SNAPSHOT).await.unwrap();
    let expected = form("DeleteDBClusterSnapshot", &[("DBClusterSnapshotIdentifier", "till-1")]);
    assert_eq!(script.asked(), [expected]);

    let script = Script::new([e2e_aws::rds::refusal(404, "DBSnapshotNotFound")]);
    let gone = script.rds.delete_snapshot(SNAPSHOT).await;
    assert_eq!(gone, Err(SnapshotError::NotFound(SNAPSHOT.into())));

    let script = Script::new([]);
    assert!(script.rds.delete_snapshot(FOREIGN).await.is_err());
}
