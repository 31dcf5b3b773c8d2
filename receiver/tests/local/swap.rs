//! How a new database takes the old one's place, whatever the old one is.

use receiver::settings::Swap;
use snapshots::Snapshots as _;
use snapshots::local::Faults;

use crate::world::*;

async fn two_releases() -> Both {
    let both = Both::new();
    both.release("1", 11).await;
    result(&both.refresh("run-1").await);
    both.release("2", 22).await;
    both
}

#[tokio::test]
async fn a_stopped_one_is_started_first() {
    let both = two_releases().await;
    let first = both.database("shop").await.unwrap();
    both.world.snapshots.stop(&first.resource_id).unwrap();
    let execution = both.refresh("run-2").await;
    assert_eq!(result(&execution)["changed"], true);
    assert!(execution.history.entered().contains(&"StartCurrent"));
    assert_eq!(both.customers().await, 22);
}

#[tokio::test]
async fn a_broken_one_cannot_be_renamed_and_somebody_is_told() {
    for status in ["failed", "storage-full"] {
        let both = two_releases().await;
        let first = both.database("shop").await.unwrap();
        both.world.snapshots.set_status(&first.resource_id, status).unwrap();
        let execution = both.refresh("run-2").await;
        let failure = failure(&execution);
        assert_eq!(failure.error, "Refused");
        assert!(failure.cause.contains(status) && failure.cause.contains("hint"), "{failure:?}");
        assert!(!execution.history.entered().contains(&"CopySnapshot"), "it costs nothing");
        both.assert_no_trace("run-2").await;
        // The cure that it names.
        both.world.snapshots.delete_database(&first.resource_id).await.unwrap();
        assert_eq!(result(&both.refresh("run-3").await)["changed"], true);
        assert_eq!(both.customers().await, 22);
    }
}

#[tokio::test]
async fn where_the_secret_may_lead_elsewhere_a_broken_one_is_left_behind() {
    let mut both = two_releases().await;
    both.shop().swap = Swap::Both;
    both.shop().grace_hours = 1;
    let first = both.database("shop").await.unwrap();
    both.world.snapshots.set_status(&first.resource_id, "storage-full").unwrap();
    assert_eq!(result(&both.refresh("run-2").await)["changed"], true);
    assert_eq!(both.customers().await, 22);
    assert_eq!(
        both.pointer().await.resource_id,
        both.database("shop-new-run-2").await.unwrap().resource_id
    );
    assert_eq!(both.database("shop").await.unwrap().status, "storage-full");
}

#[tokio::test]
async fn names_stay_where_the_secret_alone_leads() {
    let mut both = Both::new();
    both.shop().swap = Swap::Pointer;
    for (run, customers) in [("1", 11), ("2", 22), ("3", 33)] {
        both.release(run, customers).await;
        let execution = both.refresh(&format!("run-{run}")).await;
        assert_eq!(result(&execution)["outage_ms"], 0);
        assert!(!execution.history.entered().iter().any(|state| state.starts_with("Rename")));
        assert_eq!(both.customers().await, customers);
        let all = both.world.snapshots.databases().await.unwrap();
        let names: Vec<_> = all.iter().map(|database| database.name.clone()).collect();
        assert_eq!(names, [format!("shop-new-run-{run}")], "the one before is gone");
    }
    assert_eq!(result(&both.refresh("run-4").await)["changed"], false);
    // The reaper knows what is in use.
    both.reap().await;
    assert_eq!(both.customers().await, 33);
}

#[tokio::test]
async fn a_second_rename_that_fails_is_taken_back() {
    let both = two_releases().await;
    let first = both.database("shop").await.unwrap();
    let pointer = both.pointer().await;
    // Every try of it; giving the name back is the one after.
    let refused = Faults { refused_renames: [("shop".to_owned(), 21)].into(), ..Faults::default() };
    both.world.snapshots.set_faults(&refused).unwrap();
    let execution = both.refresh("run-2").await;
    assert_eq!(failure(&execution).error, "Retryable");
    let order = execution.history.entered();
    assert!(order.contains(&"RenameNew") && order.contains(&"Rollback"), "{order:?}");
    let shop = both.database("shop").await.unwrap();
    assert_eq!((shop.resource_id, shop.status.as_str()), (first.resource_id, "available"));
    assert_eq!((both.pointer().await, both.customers().await), (pointer, 11));
    both.assert_no_trace("run-2").await;
    assert_eq!(result(&both.refresh("run-3").await)["changed"], true);
}

#[tokio::test]
async fn a_rename_that_is_refused_for_minutes_is_asked_for_again() {
    for name in ["shop-old-run-2", "shop"] {
        let both = two_releases().await;
        let refused =
            Faults { refused_renames: [(name.to_owned(), 15)].into(), ..Faults::default() };
        both.world.snapshots.set_faults(&refused).unwrap();
        assert_eq!(result(&both.refresh("run-2").await)["changed"], true, "{name}");
        assert_eq!(both.customers().await, 22);
    }
}

#[tokio::test]
async fn a_rename_that_comes_to_nothing_is_noticed() {
    for name in ["shop-old-run-2", "shop"] {
        let both = two_releases().await;
        let lost = Faults { lost_renames: [(name.to_owned(), 1)].into(), ..Faults::default() };
        both.world.snapshots.set_faults(&lost).unwrap();
        let execution = both.refresh("run-2").await;
        assert!(failure(&execution).cause.contains("still waiting"), "{:?}", execution.end);
        assert_eq!(both.customers().await, 11);
        both.assert_no_trace("run-2").await;
    }
}

#[tokio::test]
async fn what_cannot_be_taken_back_keeps_everybody_else_out_until_it_is() {
    let both = two_releases().await;
    // Neither the new one gets the name, nor the old one gets it back within its time.
    let refused =
        Faults { refused_renames: [("shop".to_owned(), 1000)].into(), ..Faults::default() };
    both.world.snapshots.set_faults(&refused).unwrap();
    assert_eq!(failure(&both.refresh("run-2").await).error, "Retryable");
    assert_eq!(both.world.locks.owner("shop").await.unwrap().as_deref(), Some("run-2"));
    assert!(both.database("shop-old-run-2").await.is_some(), "the old one is whole");
    assert!(both.database("shop-new-run-2").await.is_some(), "and so is the new one");
    assert!(failure(&both.refresh("run-3").await).cause.contains("reaper"));
    both.world.snapshots.set_faults(&Faults::default()).unwrap();
    both.reap().await;
    assert_eq!(both.customers().await, 11);
    both.assert_no_trace("run-2").await;
    assert_eq!(result(&both.refresh("run-4").await)["changed"], true);
}

#[tokio::test]
async fn a_run_that_dies_right_after_the_swap_is_written_down_by_the_reaper() {
    let both = two_releases().await;
    both.refresh_with("run-2", &mut At("Retire", workflow::run::Fault::Stop, 1)).await;
    both.world.documents.delete("swaps/shop/run-2.json").await.unwrap();
    both.reap().await;
    let swaps = receiver::record::list(&both.world.documents, "shop").await.unwrap();
    assert_eq!((swaps[1].run.as_str(), swaps[1].retired), ("run-2", true));
    assert_eq!(both.customers().await, 22);
    assert_eq!(both.world.snapshots.databases().await.unwrap().len(), 1, "the old one went");
    assert_eq!(both.world.locks.owner("shop").await, Ok(None));
}

#[tokio::test]
async fn the_reaper_is_not_misled_by_a_name_that_was_cut() {
    let mut both = Both::new();
    both.shop().name = "customers-and-their-orders".into();
    both.shop().grace_hours = 24;
    // As Step Functions calls an execution that nobody has given a name.
    let runs = ["4a2bd4b1-6a0c-4d50-9c2b-1f4f2b8d0c11", "4a2bd4b1-6a0c-4d50-9c2b-1f4f2b8d0c22"];
    for (release, run) in ["1", "2"].iter().zip(runs) {
        both.release(release, 11).await;
        assert_eq!(result(&both.refresh(run).await)["changed"], true);
    }
    let before = both.world.snapshots.databases().await.unwrap();
    assert!(before.iter().any(|one| one.name.contains("-old-") && !one.name.ends_with(runs[1])));
    let reaped = both.reap().await;
    assert!(matches!(reaped.end, workflow::run::End::Succeeded(_)), "{:?}", reaped.end);
    assert_eq!(both.world.snapshots.databases().await.unwrap(), before);
}
