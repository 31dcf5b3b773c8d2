//! Refusals of RDS as they come over the wire, and what a step may do next.

use e2e_aws::rds::{Answer, Script, garbage, refusal};
use snapshots::{SnapshotError, Snapshots};

use crate::given::*;

const SHARE_KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/share";

async fn copied(answer: Answer) -> SnapshotError {
    let script = Script::new([answer]);
    script.rds.copy(SNAPSHOT, "anon-share-shop-1", SHARE_KEY, &tags()).await.unwrap_err()
}

/// The sort of an error.
type Sort = fn(&SnapshotError) -> bool;

#[tokio::test]
async fn an_error_code_decides_what_can_be_done_next() {
    let cases: [(u16, &str, Sort); 19] = [
        (400, "Throttling", |e| matches!(e, SnapshotError::Passing(_))),
        (400, "RequestLimitExceeded", |e| matches!(e, SnapshotError::Passing(_))),
        (503, "ServiceUnavailable", |e| matches!(e, SnapshotError::Passing(_))),
        (500, "InternalFailure", |e| matches!(e, SnapshotError::Passing(_))),
        (400, "InsufficientDBInstanceCapacity", |e| matches!(e, SnapshotError::Passing(_))),
        (403, "ExpiredToken", |e| matches!(e, SnapshotError::Passing(_))),
        (400, "KMSKeyNotAccessibleFault", |e| matches!(e, SnapshotError::KeyNotAccessible(_))),
        (400, "SnapshotQuotaExceeded", |e| matches!(e, SnapshotError::Quota(_))),
        (400, "StorageQuotaExceeded", |e| matches!(e, SnapshotError::Quota(_))),
        (400, "InstanceQuotaExceeded", |e| matches!(e, SnapshotError::Quota(_))),
        (400, "SharedSnapshotQuotaExceeded", |e| matches!(e, SnapshotError::Quota(_))),
        (400, "DBClusterQuotaExceededFault", |e| matches!(e, SnapshotError::Quota(_))),
        (400, "InvalidDBSnapshotState", |e| matches!(e, SnapshotError::InvalidState(_))),
        (400, "InvalidDBClusterStateFault", |e| matches!(e, SnapshotError::InvalidState(_))),
        (403, "AccessDenied", |e| matches!(e, SnapshotError::Denied(_))),
        (403, "InvalidClientTokenId", |e| matches!(e, SnapshotError::Denied(_))),
        (400, "InvalidParameterCombination", |e| matches!(e, SnapshotError::Malformed(_))),
        (404, "DBSubnetGroupNotFoundFault", |e| matches!(e, SnapshotError::Malformed(_))),
        (400, "SomethingNewFault", |e| matches!(e, SnapshotError::Other(_))),
    ];
    for (status, code, sort) in cases {
        let err = copied(refusal(status, code)).await;
        assert!(sort(&err), "{code}: {err:?}");
        assert!(err.to_string().contains(code), "{err}");
    }
}

#[tokio::test]
async fn what_is_missing_and_what_is_taken_are_named() {
    let missing = copied(refusal(404, "DBSnapshotNotFound")).await;
    assert_eq!(missing, SnapshotError::NotFound(SNAPSHOT.into()));
    let taken = copied(refusal(400, "DBSnapshotAlreadyExists")).await;
    assert_eq!(taken, SnapshotError::Exists("anon-share-shop-1".into()));

    let page = || snapshots_page(&[snapshot_xml()], "");
    let script = Script::new([page(), refusal(400, "DBInstanceAlreadyExists")]);
    let taken = script.rds.restore(SNAPSHOT, &temporary()).await;
    assert_eq!(taken, Err(SnapshotError::Exists("anon-tmp-run-1".into())));
    let script = Script::new([page(), refusal(404, "DBSnapshotNotFound")]);
    let missing = script.rds.restore(SNAPSHOT, &temporary()).await;
    assert_eq!(missing, Err(SnapshotError::NotFound(SNAPSHOT.into())));
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_no_answer() {
    for status in [500, 502, 503] {
        let err = copied(garbage(status)).await;
        assert!(matches!(err, SnapshotError::Passing(_)), "{status}: {err:?}");
    }
    assert!(!matches!(copied(garbage(200)).await, SnapshotError::NotFound(_)));
}

#[tokio::test]
async fn a_broken_connection_passes_and_a_role_that_cannot_be_assumed_does_not() {
    let err = e2e_aws::rds::disconnected().by_resource_id(INSTANCE).await.unwrap_err();
    assert!(matches!(err, SnapshotError::Passing(_)), "{err:?}");
    let err = e2e_aws::rds::unsigned().by_resource_id(INSTANCE).await.unwrap_err();
    assert!(matches!(err, SnapshotError::Denied(_)), "{err:?}");
}
