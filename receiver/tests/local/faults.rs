//! Whatever fails, takes too long, is stopped or comes twice, at any state: the database that was in use is, or the new one
//! is as a whole, and nothing else is left.

use std::collections::BTreeSet;

use receiver::definitions::WORKFLOW;
use workflow::machine::Kind;
use workflow::run::{End, Failure, Fault};

use crate::world::*;

/// States that call something, by name.
fn states() -> Vec<String> {
    let machine = WORKFLOW.parse().unwrap();
    let all = machine.all_states().into_iter();
    let called = all.filter(|(_, state)| matches!(state.kind, Kind::Task(_)));
    called.map(|(_, state)| state.name.clone()).collect()
}

async fn two_releases() -> Both {
    let both = Both::new();
    both.release("1", 11).await;
    result(&both.refresh("run-1").await);
    both.release("2", 22).await;
    both
}

/// One whole database is in use, and its name and the secret agree.
async fn assert_whole(both: &Both, state: &str) -> u32 {
    both.reap().await;
    both.reap().await;
    let shop = both.database("shop").await.unwrap_or_else(|| panic!("{state}: no database"));
    assert_eq!(shop.status, "available", "{state}");
    let customers = both.customers().await;
    assert_eq!(customers, crate::world::customers(&shop.endpoint), "{state}");
    assert_eq!(both.pointer().await.resource_id, shop.resource_id, "{state}");
    if customers == 11 {
        both.assert_no_trace("run-2").await;
    }
    assert_eq!(both.world.locks.owner("shop").await, Ok(None), "{state}");
    // And the next one goes through.
    result(&both.refresh("run-3").await);
    assert_eq!(both.customers().await, 22, "{state}");
    customers
}

async fn each(fault: impl Fn() -> Fault, times: u32) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    for state in states() {
        let both = two_releases().await;
        let execution = both.refresh_with("run-2", &mut At(&state, fault(), times)).await;
        if execution.history.entered().contains(&state.as_str()) {
            // A message that nobody gets is no reason to be red.
            let quiet = state == "Notify";
            assert_eq!(matches!(execution.end, End::Succeeded(_)), quiet, "{state}");
            reached.insert(state.clone());
        }
        assert_whole(&both, &state).await;
    }
    reached
}

#[tokio::test]
async fn any_state_can_fail() {
    let reached = each(|| Fault::Fail(Failure::new("Fatal", "made to")), 99).await;
    assert!(reached.len() > 20, "{reached:?}");
}

#[tokio::test]
async fn any_state_can_take_too_long() {
    let reached = each(|| Fault::TimeOut, 99).await;
    assert!(reached.len() > 20, "{reached:?}");
}

#[tokio::test]
async fn any_step_can_be_called_twice() {
    for state in states() {
        let both = two_releases().await;
        let execution = both.refresh_with("run-2", &mut At(&state, Fault::Repeat, 99)).await;
        assert_eq!(result(&execution)["changed"], true, "{state}");
        assert_eq!(assert_whole(&both, &state).await, 22, "{state}");
    }
}

#[tokio::test]
async fn an_execution_can_be_stopped_anywhere() {
    let machine = WORKFLOW.parse().unwrap();
    let names: Vec<_> = machine.all_states().iter().map(|(_, state)| state.name.clone()).collect();
    for state in names {
        let both = two_releases().await;
        both.refresh_with("run-2", &mut At(&state, Fault::Stop, 1)).await;
        assert_whole(&both, &state).await;
    }
}

#[tokio::test]
async fn a_copy_that_never_ends_is_given_up_within_the_history_that_there_is() {
    let both = two_releases().await;
    let stuck = snapshots::local::Faults {
        stuck_snapshots: ["dev-anon-shop-run-2".to_owned()].into(),
        ..Default::default()
    };
    both.world.snapshots.set_faults(&stuck).unwrap();
    let execution = both.refresh("run-2").await;
    assert!(
        failure(&execution).cause.contains("still waiting for snapshot"),
        "{:?}",
        execution.end
    );
    assert!(execution.took.as_secs() >= both.world.settings.deadlines.copy);
    // An execution may take twice as long as this, however it is divided.
    let whole = WORKFLOW.parse().unwrap().timeout_seconds.unwrap();
    assert!(execution.took.as_secs() * 2 >= whole, "{:?}", execution.took);
    assert!(execution.history.count * 4 < workflow::history::MOST_EVENTS);
    both.assert_no_trace("run-2").await;
    both.world.snapshots.set_faults(&Default::default()).unwrap();
    assert_whole(&both, "AwaitSnapshot").await;
}
