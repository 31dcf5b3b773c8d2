//! Who may restore a snapshot: exactly those who were named, and never everybody.

use e2e_aws::rds::{Answer, Script, answer, form};
use snapshots::{SnapshotError, Snapshots};

use crate::given::*;

const DEV: &str = "222222222222";

fn attributes(accounts: &[&str]) -> Answer {
    let values: String =
        accounts.iter().map(|one| format!("<AttributeValue>{one}</AttributeValue>")).collect();
    answer(
        "DescribeDBSnapshotAttributes",
        &format!(
            "<DBSnapshotAttributesResult><DBSnapshotIdentifier>shop-1</DBSnapshotIdentifier><DBSnapshotAttributes>\
             <DBSnapshotAttribute><AttributeName>something-else</AttributeName><AttributeValues>\
             <AttributeValue>999999999999</AttributeValue></AttributeValues></DBSnapshotAttribute>\
             <DBSnapshotAttribute><AttributeName>restore</AttributeName><AttributeValues>{values}</AttributeValues>\
             </DBSnapshotAttribute></DBSnapshotAttributes></DBSnapshotAttributesResult>"
        ),
    )
}

fn cluster_attributes(accounts: &[&str]) -> Answer {
    let values: String =
        accounts.iter().map(|one| format!("<AttributeValue>{one}</AttributeValue>")).collect();
    answer(
        "DescribeDBClusterSnapshotAttributes",
        &format!(
            "<DBClusterSnapshotAttributesResult><DBClusterSnapshotIdentifier>till-1</DBClusterSnapshotIdentifier>\
             <DBClusterSnapshotAttributes><DBClusterSnapshotAttribute><AttributeName>restore</AttributeName>\
             <AttributeValues>{values}</AttributeValues></DBClusterSnapshotAttribute></DBClusterSnapshotAttributes>\
             </DBClusterSnapshotAttributesResult>"
        ),
    )
}

fn modified() -> Answer {
    answer("ModifyDBSnapshotAttribute", "<DBSnapshotAttributesResult/>")
}

/// The script of a snapshot that is shared with these accounts, and is to be shared with those.
async fn share(now: &[&str], then: &[&str]) -> Vec<e2e_aws::rds::Form> {
    let mut answers = vec![snapshots_page(&[snapshot_xml()], ""), attributes(now)];
    answers.extend((now != then).then(modified));
    let script = Script::new(answers);
    let then: Vec<String> = then.iter().map(|one| (*one).to_owned()).collect();
    script.rds.share(SNAPSHOT, &then).await.unwrap();
    script.asked().split_off(2)
}

#[tokio::test]
async fn what_is_missing_is_added_and_what_is_too_much_is_taken_away() {
    let fixed = [("DBSnapshotIdentifier", "shop-1"), ("AttributeName", "restore")];
    let change = |more: &[(&str, &str)]| {
        let all: Vec<_> = fixed.iter().chain(more).copied().collect();
        vec![form("ModifyDBSnapshotAttribute", &all)]
    };
    let add = ("ValuesToAdd.AttributeValue.1", DEV);
    assert_eq!(share(&[], &[DEV]).await, change(&[add]));
    assert_eq!(
        share(&["all", "333333333333"], &[DEV]).await,
        change(&[
            add,
            ("ValuesToRemove.AttributeValue.1", "333333333333"),
            ("ValuesToRemove.AttributeValue.2", "all"),
        ])
    );
    assert_eq!(
        share(&[DEV, "333333333333"], &[DEV]).await,
        change(&[("ValuesToRemove.AttributeValue.1", "333333333333")])
    );
    assert_eq!(share(&[DEV], &[]).await, change(&[("ValuesToRemove.AttributeValue.1", DEV)]));
    assert_eq!(share(&[DEV], &[DEV]).await, []);
}

#[tokio::test]
async fn a_clusters_snapshot_is_shared_by_the_clusters_call() {
    let script = Script::new([
        cluster_snapshots_page(&[cluster_snapshot_xml()]),
        cluster_attributes(&[]),
        answer("ModifyDBClusterSnapshotAttribute", "<DBClusterSnapshotAttributesResult/>"),
    ]);
    script.rds.share(CLUSTER_SNAPSHOT, &[DEV.into()]).await.unwrap();
    let expected = form(
        "ModifyDBClusterSnapshotAttribute",
        &[
            ("DBClusterSnapshotIdentifier", "till-1"),
            ("AttributeName", "restore"),
            ("ValuesToAdd.AttributeValue.1", DEV),
        ],
    );
    assert_eq!(script.one("ModifyDBClusterSnapshotAttribute"), expected);
}

#[tokio::test]
async fn nobody_can_share_with_everybody() {
    for stranger in ["all", "", "22222222222", "2222222222222", "22222222222a", " 22222222222"] {
        let script = Script::new([]);
        let refused = script.rds.share(SNAPSHOT, &[DEV.into(), stranger.into()]).await;
        assert!(matches!(refused, Err(SnapshotError::Malformed(_))), "{stranger}: {refused:?}");
        assert!(script.asked().is_empty());
    }
}

#[tokio::test]
async fn an_unencrypted_snapshot_is_not_shared_but_can_be_taken_back() {
    let unencrypted = || snapshots_page(&[with(&snapshot_xml(), "Encrypted", "false")], "");
    let script = Script::new([unencrypted()]);
    let refused = script.rds.share(SNAPSHOT, &[DEV.into()]).await;
    assert!(matches!(refused, Err(SnapshotError::Denied(_))), "{refused:?}");
    assert_eq!(script.actions(), ["DescribeDBSnapshots"]);

    let script = Script::new([unencrypted(), attributes(&["all"]), modified()]);
    script.rds.share(SNAPSHOT, &[]).await.unwrap();
    assert_eq!(script.one("ModifyDBSnapshotAttribute")["ValuesToRemove.AttributeValue.1"], "all");
}

#[tokio::test]
async fn what_is_read_back_is_the_whole_list() {
    let script = Script::new([attributes(&[DEV, "all"])]);
    assert_eq!(script.rds.shared_with(SNAPSHOT).await.unwrap(), [DEV, "all"]);
    let expected = form("DescribeDBSnapshotAttributes", &[("DBSnapshotIdentifier", "shop-1")]);
    assert_eq!(script.asked(), [expected]);

    let script = Script::new([cluster_attributes(&[DEV])]);
    assert_eq!(script.rds.shared_with(CLUSTER_SNAPSHOT).await.unwrap(), [DEV]);
    let parameters = [("DBClusterSnapshotIdentifier", "till-1")];
    assert_eq!(script.asked(), [form("DescribeDBClusterSnapshotAttributes", &parameters)]);
}

#[tokio::test]
async fn an_answer_without_the_list_is_not_an_empty_list() {
    let script = Script::new([answer("DescribeDBSnapshotAttributes", "")]);
    assert!(script.rds.shared_with(SNAPSHOT).await.is_err());
}

#[tokio::test]
async fn a_tag_is_put_on_ones_own_snapshot_alone() {
    let tags = [("anonymizer:stage".to_owned(), "released".to_owned())].into();
    for arn in [SNAPSHOT, CLUSTER_SNAPSHOT] {
        let script = Script::new([answer("AddTagsToResource", "")]);
        script.rds.tag(arn, &tags).await.unwrap();
        let expected = form(
            "AddTagsToResource",
            &[
                ("ResourceName", arn),
                ("Tags.Tag.1.Key", "anonymizer:stage"),
                ("Tags.Tag.1.Value", "released"),
            ],
        );
        assert_eq!(script.asked(), [expected]);
    }
    let script = Script::new([]);
    let foreign = SNAPSHOT.replace("111111111111", "222222222222");
    for (arn, tags) in [(foreign.as_str(), &tags), (SNAPSHOT, &Default::default())] {
        let refused = script.rds.tag(arn, tags).await;
        assert!(matches!(refused, Err(SnapshotError::Malformed(_))), "{arn}: {refused:?}");
    }
    assert!(script.asked().is_empty());
}
