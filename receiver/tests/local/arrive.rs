//! Releases that are let in.

use receiver::record;
use serde_json::json;
use snapshots::Snapshots as _;

use crate::world::{Both, customers, made_by_hand, result};

#[tokio::test]
async fn the_first_release_arrives_where_there_is_no_database() {
    let both = Both::new();
    let released = both.release("1", 11).await;
    let execution = both.refresh("run-1").await;
    let result = result(&execution);
    let shop = both.database("shop").await.unwrap();
    assert_eq!(result["changed"], true);
    assert_eq!(result["endpoint"], json!(shop.endpoint));
    assert_eq!(
        (&result["data_as_of"], &result["rules"]),
        (&json!(released.data_as_of), &json!("e2e2"))
    );
    assert_eq!(result["outage_ms"], 0, "there was nothing to be out");
    assert_eq!(shop.key, Some(both.world.settings.key.clone()));
    assert_eq!((both.customers().await, customers(&shop.endpoint)), (11, 11));
    assert_eq!(shop.tags["anonymizer:source-snapshot"], released.arn);
    assert_eq!(both.world.snapshots.databases().await.unwrap().len(), 1);
    // Production may take its own back: what is here is this account's.
    both.production.delete_snapshot(&released.arn).await.unwrap();
    assert_eq!(both.customers().await, 11);
    assert_eq!(both.world.locks.owner("shop").await, Ok(None));
    let said = both.account.messages().list().unwrap();
    assert!(said[0].detail.as_str().unwrap().contains(&released.data_as_of), "{said:?}");
}

#[tokio::test]
async fn a_newer_one_takes_the_place_of_the_one_that_is_there() {
    let both = Both::new();
    both.release("1", 11).await;
    result(&both.refresh("run-1").await);
    let first = both.database("shop").await.unwrap();
    both.release("2", 22).await;
    let execution = both.refresh("run-2").await;
    let shop = both.database("shop").await.unwrap();
    assert_ne!(shop.resource_id, first.resource_id);
    assert_eq!(shop.endpoint, first.endpoint, "applications find it where it was");
    assert_eq!(both.customers().await, 22);
    // Without a grace the old one is gone.
    assert_eq!(both.world.snapshots.databases().await.unwrap().len(), 1);
    let swaps = record::list(&both.world.documents, "shop").await.unwrap();
    assert_eq!((swaps.len(), swaps[1].old.as_ref()), (2, Some(&first.resource_id)));
    assert_eq!(result(&execution)["outage_ms"], json!(swaps[1].outage_ms));
    assert!(swaps[1].outage_ms > 0 && swaps[1].retired);
    let order = execution.history.entered();
    let place = |name| order.iter().position(|state| *state == name).unwrap();
    assert!(
        place("SmokeCheck") < place("RenameOld"),
        "it is looked at before anything is given up"
    );
    assert!(place("PointSecret") < place("Retire"), "nothing is deleted before it is replaced");
}

#[tokio::test]
async fn what_is_in_use_already_is_not_brought_again() {
    let both = Both::new();
    both.release("1", 11).await;
    result(&both.refresh("run-1").await);
    let first = both.database("shop").await.unwrap();
    let again = both.refresh("run-2").await;
    assert_eq!(result(&again)["changed"], false);
    assert!(!again.history.entered().contains(&"CopySnapshot"));
    assert_eq!(both.database("shop").await.unwrap(), first);
    both.assert_no_trace("run-2").await;
}

#[tokio::test]
async fn older_data_never_replaces_newer() {
    let both = Both::new();
    both.release("1", 11).await;
    let newer = both.release("2", 22).await;
    result(&both.refresh("run-1").await);
    both.production.delete_snapshot(&newer.arn).await.unwrap();
    assert_eq!(result(&both.refresh("run-2").await)["changed"], false);
    assert_eq!(both.customers().await, 22);
}

#[tokio::test]
async fn a_database_that_people_have_made_is_replaced_and_never_deleted() {
    let both = Both::new();
    let by_hand = made_by_hand(&both, 5).await;
    both.release("1", 11).await;
    result(&both.refresh("run-1").await);
    assert_eq!(both.customers().await, 11);
    let kept = both.database("shop-old-run-1").await.unwrap();
    assert_eq!((kept.resource_id, customers(&kept.endpoint)), (by_hand.resource_id, 5));
}

#[tokio::test]
async fn the_old_one_is_kept_for_its_grace_and_goes_although_it_is_protected() {
    let mut both = Both::new();
    both.shop().grace_hours = 1;
    both.shop().protect = true;
    for (run, customers) in [("1", 11), ("2", 22)] {
        both.release(run, customers).await;
        result(&both.refresh(&format!("run-{run}")).await);
    }
    let old = both.database("shop-old-run-2").await.unwrap();
    assert!(old.protected && both.database("shop").await.unwrap().protected);
    result_of_reaper(&both).await;
    assert!(both.database("shop-old-run-2").await.is_some(), "its grace has not ended");
    both.shop().grace_hours = 0;
    result_of_reaper(&both).await;
    assert!(both.database("shop-old-run-2").await.is_none());
    assert_eq!(both.customers().await, 22);
}

async fn result_of_reaper(both: &Both) {
    let end = both.reap().await.end;
    assert!(matches!(end, workflow::run::End::Succeeded(_)), "{end:?}");
}

#[tokio::test]
async fn the_newest_copies_are_kept() {
    let both = Both::new();
    for number in 1..=4 {
        both.release(&number.to_string(), number).await;
        result(&both.refresh(&format!("run-{number}")).await);
    }
    let copies = both.world.snapshots.snapshots().await.unwrap();
    let names: Vec<_> = copies.iter().map(|copy| copy.name.as_str()).collect();
    assert_eq!(names, ["dev-anon-shop-run-3", "dev-anon-shop-run-4"]);
}
