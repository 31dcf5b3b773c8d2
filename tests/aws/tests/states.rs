//! What is asked of Step Functions and EventBridge, and what their answers become.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic, in its helpers too")]

use account::aws::{Bus, Machine};
use account::{AccountError, Executions};
use e2e_aws::endpoint::Answer;
use e2e_aws::script::{Script, answer, refusal};
use serde_json::{Value, json};

const MACHINE: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:shop-workflow";
const EXECUTION: &str = "arn:aws:states:eu-west-1:111111111111:execution:shop-workflow:run-7";
const BUS: &str = "arn:aws:events:eu-central-1:333333333333:event-bus/shop-request";

fn described(status: &str) -> Answer {
    answer(json!({
        "executionArn": EXECUTION, "stateMachineArn": MACHINE, "name": "run-7", "status": status,
        "startDate": 1700000000.5, "input": "{}",
    }))
}

async fn runs(said: Answer, machine: &str) -> (Result<bool, AccountError>, Value) {
    let script = Script::new([said]);
    let machine = Machine::new(&script.config, machine).unwrap();
    let runs = Executions::Machine(machine).runs("run-7").await;
    let (target, body) = script.calls().remove(0);
    assert_eq!(target, "AWSStepFunctions.DescribeExecution");
    (runs, body)
}

#[tokio::test]
async fn what_has_not_ended_runs() {
    for (status, expected) in [
        ("RUNNING", true),
        ("PENDING_REDRIVE", true),
        ("NEVER_HEARD_OF", true),
        ("SUCCEEDED", false),
        ("FAILED", false),
        ("TIMED_OUT", false),
        ("ABORTED", false),
    ] {
        let (runs, asked) = runs(described(status), MACHINE).await;
        assert_eq!(runs, Ok(expected), "{status}");
        assert_eq!(asked, json!({ "executionArn": EXECUTION }));
    }
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_an_error_and_what_is_not_there_does_not_run() {
    let said = |status, code| runs(refusal(status, code), MACHINE);
    assert_eq!(said(400, "ExecutionDoesNotExist").await.0, Ok(false));
    for (status, code, sort) in [
        (400, "AccessDeniedException", "Denied"),
        (400, "ThrottlingException", "Passing"),
        (400, "KmsThrottlingException", "Passing"),
        (503, "ServiceUnavailable", "Passing"),
        (400, "InvalidArn", "Other"),
        (400, "StateMachineDoesNotExist", "Other"),
    ] {
        let error = said(status, code).await.0.unwrap_err();
        assert!(format!("{error:?}").starts_with(sort), "{code}: {error:?}");
    }
}

#[tokio::test]
async fn an_execution_goes_by_its_machine_also_where_an_alias_is_told() {
    let (_, asked) = runs(described("RUNNING"), &format!("{MACHINE}:live")).await;
    assert_eq!(asked, json!({ "executionArn": EXECUTION }));
    let script = Script::new([]);
    for bad in ["shop-workflow", EXECUTION, "arn:aws:states:eu-west-1:111111111111:stateMachine:"] {
        assert!(Machine::new(&script.config, bad).is_err(), "{bad}");
    }
}

fn event(id: i64, previous: i64, kind: &str, details: Value) -> Value {
    let mut event = json!({ "timestamp": 1_700_000_000 + id, "type": kind, "id": id,
                            "previousEventId": previous });
    event.as_object_mut().unwrap().extend(details.as_object().unwrap().clone());
    event
}

fn entered(name: &str) -> Value {
    json!({ "stateEnteredEventDetails": { "name": name } })
}

fn exited(name: &str) -> Value {
    json!({ "stateExitedEventDetails": { "name": name } })
}

fn failed(error: &str) -> Value {
    json!({ "taskFailedEventDetails": { "resourceType": "lambda", "resource": "invoke", "error": error } })
}

/// A page as it is asked for: the newest first.
fn page(mut events: Vec<Value>, next: Option<&str>) -> Answer {
    events.reverse();
    answer(json!({ "events": events, "nextToken": next }))
}

#[tokio::test]
async fn a_history_is_read_once_and_each_event_is_its_states() {
    let nothing = || json!({});
    let scheduled = || {
        json!({ "taskScheduledEventDetails": { "resourceType": "lambda",
        "resource": "invoke", "region": "eu-west-1", "parameters": "{}" } })
    };
    let early = vec![
        event(1, 0, "ExecutionStarted", nothing()),
        event(2, 0, "ParallelStateEntered", entered("Work")),
        event(3, 2, "ParallelStateStarted", nothing()),
        event(4, 3, "TaskStateEntered", entered("FindRelease")),
    ];
    let middle = vec![
        event(5, 4, "TaskScheduled", scheduled()),
        event(
            6,
            5,
            "TaskStarted",
            json!({ "taskStartedEventDetails": { "resourceType": "lambda", "resource": "invoke" } }),
        ),
        event(7, 6, "TaskFailed", failed("Retryable")),
    ];
    let late = vec![
        event(8, 7, "TaskScheduled", scheduled()),
        event(9, 8, "TaskStateExited", exited("FindRelease")),
        event(10, 9, "TaskStateEntered", entered("Restore")),
    ];
    let known = middle.last().unwrap().clone();
    let script = Script::new([
        described("RUNNING"),
        page(middle, Some("older")),
        page(early, None),
        described("RUNNING"),
        page([vec![known], late].concat(), Some("never asked for")),
    ]);
    let mut follow = Machine::new(&script.config, MACHINE).unwrap().follow("run-7");
    let first = follow.look().await.unwrap().unwrap();
    assert_eq!((first.history.len(), first.state.as_deref()), (3, Some("FindRelease")));
    let record = follow.look().await.unwrap().unwrap();
    let lines: Vec<_> = record
        .history
        .iter()
        .map(|line| {
            let error = line.error.as_deref().unwrap_or_default();
            format!(
                "{} {} {} {error}",
                line.time.as_second() - 1_700_000_000,
                line.state,
                line.what
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "2 Work entered ",
            "4 FindRelease entered ",
            "7 FindRelease failed Retryable",
            "8 FindRelease retried ",
            "9 FindRelease exited ",
            "10 Restore entered ",
        ]
    );
    assert_eq!(record.state.as_deref(), Some("Restore"));
    let asked = &script.calls()[1].1;
    assert_eq!(
        *asked,
        json!({ "executionArn": EXECUTION, "maxResults": 1000, "reverseOrder": true,
                "includeExecutionData": false })
    );
}

#[tokio::test]
async fn an_event_is_put_on_the_bus_of_another_account_in_its_region() {
    let script = Script::new([
        answer(json!({ "FailedEntryCount": 0, "Entries": [{ "EventId": "e-1" }] })),
        answer(json!({ "FailedEntryCount": 1, "Entries": [
            { "ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "no" }] })),
        answer(
            json!({ "FailedEntryCount": 1, "Entries": [{ "ErrorCode": "ThrottlingException" }] }),
        ),
        answer(json!({ "FailedEntryCount": 0, "Entries": [] })),
    ]);
    let bus = Bus::new(&script.config, BUS).unwrap();
    let put = async || bus.put("anonymizer.refresh", "RefreshRequested", &json!({ "a": 1 })).await;
    assert_eq!(put().await, Ok("e-1".to_owned()));
    assert!(matches!(put().await, Err(AccountError::Other(_))));
    assert!(matches!(put().await, Err(AccountError::Passing(_))));
    assert!(put().await.is_err());
    let asked = script.asked().remove(0);
    assert!(asked.path.starts_with("https://events.eu-central-1."), "{}", asked.path);
    assert_eq!(asked.header("x-amz-target"), "AWSEvents.PutEvents");
    assert_eq!(
        serde_json::from_slice::<Value>(&asked.body).unwrap(),
        json!({ "Entries": [{
            "Source": "anonymizer.refresh",
            "DetailType": "RefreshRequested",
            "Detail": "{\"a\":1}",
            "EventBusName": BUS,
        }] })
    );
}
