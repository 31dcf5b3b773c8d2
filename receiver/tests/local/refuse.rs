//! What is not let in, and what is left after that: the database that was there, and nothing else.

use snapshots::Snapshots as _;
use snapshots::local::{Faults, Limits, NewDatabase};
use snapshots::{Kind, SnapshotError};

use crate::world::*;

/// A first release is in use, something is tried, and everything is as before.
async fn refused(both: &Both, error: &str, said: &str) {
    let before = both.world.snapshots.databases().await.unwrap();
    let execution = both.refresh("run-x").await;
    let failure = failure(&execution);
    assert_eq!(failure.error, error, "{failure:?}");
    assert!(failure.cause.contains(said), "{failure:?}");
    assert_eq!(both.world.snapshots.databases().await.unwrap(), before);
    both.assert_no_trace("run-x").await;
    let told = both.account.messages().list().unwrap();
    assert!(told.last().unwrap().detail.as_str().unwrap().contains(error));
}

async fn in_use() -> Both {
    let both = Both::new();
    both.release("1", 11).await;
    result(&both.refresh("run-1").await);
    both
}

#[tokio::test]
async fn nothing_released_is_an_error_that_says_so() {
    refused(&Both::new(), "Fatal", "there is no release of shop").await;
}

#[tokio::test]
async fn a_strangers_snapshot_of_the_same_name_is_ignored() {
    let both = in_use().await;
    let stranger = open(&both.root(), STRANGER);
    let key = stranger.key("theirs", &[DEVELOPMENT.into()]).unwrap();
    both.share(&stranger, "2", 99, &key, &FLAWLESS).await;
    // The newest that production has released is in use already.
    assert_eq!(result(&both.refresh("run-2").await)["changed"], false);
    assert_eq!(both.customers().await, 11);
}

#[tokio::test]
async fn one_under_another_key_or_not_encrypted_is_ignored() {
    let both = in_use().await;
    let other = both.production.key("other", &[DEVELOPMENT.into()]).unwrap();
    both.share(&both.production, "2", 99, &other, &FLAWLESS).await;
    let file = both.directory.path().join("open.sqlite");
    rusqlite::Connection::open(&file).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    let new = NewDatabase { name: "open", kind: Kind::Instance, key: None, tags: tags() };
    let open = both.production.import_sqlite(&new, &file).unwrap();
    let name = "anon-share-shop-3";
    let open = both.production.take(&open.resource_id, name, &tags()).await.unwrap();
    both.production.snapshot(&open.arn).await.unwrap();
    let denied = both.production.share(&open.arn, &[DEVELOPMENT.into()]).await;
    assert!(matches!(denied, Err(SnapshotError::Denied(_))), "{denied:?}");
    both.production.expose(&open.arn, &[DEVELOPMENT.into()]).unwrap();
    assert_eq!(both.world.snapshots.shared().await.unwrap().len(), 3);
    assert_eq!(result(&both.refresh("run-2").await)["changed"], false);
}

#[tokio::test]
async fn a_release_of_a_database_whose_name_begins_alike_is_ignored() {
    let both = in_use().await;
    let other = both.release_with("archive-1", 99, &Flaws { signer: None, ..FLAWLESS }).await;
    let key = format!("releases/shop-archive/{}.json", other.name);
    both.world.handover.put(&key, b"{}").await.unwrap();
    assert_eq!(result(&both.refresh("run-2").await)["changed"], false);
}

#[tokio::test]
async fn one_that_is_not_complete_is_left_for_later() {
    let both = in_use().await;
    let released = both.release("2", 22).await;
    let name = "anon-share-shop-3";
    let stuck = Faults { stuck_snapshots: [name.to_owned()].into(), ..Faults::default() };
    both.production.set_faults(&stuck).unwrap();
    let begun = both.production.take(&released.source_id, name, &tags()).await.unwrap();
    both.production.expose(&begun.arn, &[DEVELOPMENT.into()]).unwrap();
    assert_eq!(result(&both.refresh("run-2").await)["changed"], true);
    assert_eq!(both.customers().await, 22);
}

#[tokio::test]
async fn without_a_statement_that_counts_nothing_is_let_in() {
    let flaws: [(Flaws, &str); 10] = [
        (Flaws { signer: None, ..FLAWLESS }, "has no statement"),
        (Flaws { signer: Some(2), ..FLAWLESS }, "not signed by this key"),
        (Flaws { statement: |s| s.database = "crm".into(), ..FLAWLESS }, "another database"),
        (Flaws { statement: |s| s.snapshot += "9", ..FLAWLESS }, "another snapshot"),
        (Flaws { statement: |s| s.resource_id += "9", ..FLAWLESS }, "another database"),
        (
            Flaws { statement: |s| s.created_at = "2024-01-01T00:00:00Z".into(), ..FLAWLESS },
            "another time",
        ),
        (Flaws { statement: |s| s.key += "9", ..FLAWLESS }, "another key"),
        (Flaws { statement: |s| s.engine = "postgres".into(), ..FLAWLESS }, "another engine"),
        (
            Flaws { statement: |s| s.expires_at = "2024-01-01T00:00:00Z".into(), ..FLAWLESS },
            "expired",
        ),
        (Flaws { statement: |s| s.expires_at = "never".into(), ..FLAWLESS }, "expired"),
    ];
    for (index, (flaws, said)) in flaws.iter().enumerate() {
        let both = in_use().await;
        both.release_with(&format!("2-{index}"), 22, flaws).await;
        refused(&both, "Refused", said).await;
        assert_eq!(both.customers().await, 11, "{said}");
    }
}

#[tokio::test]
async fn a_statement_of_which_a_bit_has_changed_does_not_count() {
    let both = in_use().await;
    let released = both.release("2", 22).await;
    let key = format!("releases/shop/{}.json", released.name);
    let mut envelope = both.world.handover.get(&key).await.unwrap().unwrap();
    let payload = envelope.windows(10).position(|at| at == b"\"payload\":").unwrap() + 60;
    envelope[payload] = if envelope[payload] == b'A' { b'B' } else { b'A' };
    both.world.handover.put(&key, &envelope).await.unwrap();
    refused(&both, "Refused", "does not count").await;
}

#[tokio::test]
async fn what_is_in_the_database_must_be_what_the_statement_says() {
    let flaws = [
        (Flaws { marker: None, ..FLAWLESS }, 22, "no marker"),
        (Flaws { marker: Some("d2d2"), ..FLAWLESS }, 22, "another run"),
        (Flaws { verdict: "failed", ..FLAWLESS }, 22, "has not passed"),
        (FLAWLESS, 0, "table customers has no rows"),
    ];
    for (index, (flaws, customers, said)) in flaws.iter().enumerate() {
        let both = in_use().await;
        both.release_with(&format!("2-{index}"), *customers, flaws).await;
        refused(&both, "Refused", said).await;
        assert_eq!(both.customers().await, 11, "{said}");
    }
}

#[tokio::test]
async fn a_question_with_another_answer_keeps_it_out_and_the_answer_is_not_told() {
    let mut both = in_use().await;
    let checks = both.shop().checks.get_mut("shop").unwrap();
    checks.canaries[0].query = "SELECT email FROM customers LIMIT 1".into();
    both.release("2", 22).await;
    refused(&both, "Refused", "`no customer is real` has another answer").await;
    let told = format!("{:?}", both.account.messages().list().unwrap());
    assert!(!told.contains("@example.com"), "{told}");
}

#[tokio::test]
async fn two_at_once_are_one() {
    let both = in_use().await;
    both.release("2", 22).await;
    let span = jiff::SignedDuration::from_hours(1);
    both.world.locks.acquire("shop", "run-2", span).await.unwrap();
    // Somebody runs it: the lease is his, whoever comes later.
    let executions = both.account.executions();
    let input = serde_json::json!({ "database": "shop" });
    let running = executions.start("run-2", "receiver", &input).unwrap();
    assert_eq!(result(&both.refresh("run-3").await)["running"], "run-2");
    assert_eq!(both.customers().await, 11);
    assert_eq!(both.world.locks.owner("shop").await.unwrap().as_deref(), Some("run-2"));
    // He dies: nobody goes on before the reaper has been there.
    drop(running);
    assert!(failure(&both.refresh("run-4").await).cause.contains("reaper"));
    both.reap().await;
    assert_eq!(result(&both.refresh("run-5").await)["changed"], true);
}

#[tokio::test]
async fn a_limit_that_is_reached_leaves_everything_as_it_was() {
    // There is one of each from the first release.
    for limits in
        [Limits { snapshots: 1, ..Limits::default() }, Limits { databases: 1, ..Limits::default() }]
    {
        let both = in_use().await;
        both.release("2", 22).await;
        both.world.snapshots.set_limits(&limits).unwrap();
        refused(&both, "Fatal", "there may be no more").await;
        both.world.snapshots.set_limits(&Limits::default()).unwrap();
        assert_eq!(result(&both.refresh("run-3").await)["changed"], true);
    }
}
