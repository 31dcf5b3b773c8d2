//! `refresh`, as a developer calls it whose account is on AWS: the real program, and a server that stands for Step Functions
//! and EventBridge. It starts what it is asked to start, and lets it end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic, in its helpers too")]

use std::process::Output;
use std::sync::Mutex;

use e2e_aws::endpoint::{Answer, Asked, Endpoint};
use e2e_aws::script::{answer, refusal};
use serde_json::{Value, json};
use tokio::process::Command;

const MACHINE: &str = "arn:aws:states:eu-west-1:222222222222:stateMachine:dev-workflow";
const BUS: &str = "arn:aws:events:eu-west-1:111111111111:event-bus/shop-request";

/// Executions as they were entered, the newest first.
#[derive(Default)]
struct Machine {
    executions: Vec<Execution>,
}

struct Execution {
    name: String,
    input: Value,
    /// `RUNNING` for so many looks.
    looks: usize,
    end: (&'static str, Value),
}

impl Execution {
    fn new(name: &str, database: &str, looks: usize, end: (&'static str, Value)) -> Self {
        let input = json!({ "database": database, "reason": "the week" });
        Self { name: name.to_owned(), input, looks, end }
    }

    fn described(&mut self) -> Answer {
        let mut body = json!({
            "executionArn": self.arn(), "stateMachineArn": MACHINE, "name": self.name,
            "startDate": 1_700_000_000, "input": self.input.to_string(), "status": "RUNNING",
        });
        match self.looks {
            0 => {
                body["status"] = self.end.0.into();
                body["stopDate"] = 1_700_000_090.into();
                body.as_object_mut().unwrap().extend(self.end.1.as_object().unwrap().clone());
            }
            _ => self.looks -= 1,
        }
        answer(body)
    }

    fn arn(&self) -> String {
        format!("{}:{}", MACHINE.replace("stateMachine", "execution"), self.name)
    }
}

impl Machine {
    fn answer(&mut self, asked: &Asked) -> Answer {
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        match asked.header("x-amz-target").split('.').next_back().unwrap() {
            "ListExecutions" => {
                let running = body["statusFilter"] == "RUNNING";
                let listed = self.executions.iter().filter(|one| !running || one.looks > 0);
                let item = |one: &Execution| {
                    json!({ "executionArn": one.arn(), "stateMachineArn": MACHINE, "name": one.name,
                            "status": "RUNNING", "startDate": 1_700_000_000 })
                };
                answer(json!({ "executions": listed.map(item).collect::<Vec<_>>() }))
            }
            "StartExecution" => {
                assert_eq!(body["stateMachineArn"], MACHINE);
                let name = body["name"].as_str().unwrap();
                let input = serde_json::from_str(body["input"].as_str().unwrap()).unwrap();
                let new = Execution { input, ..Execution::new(name, "", 2, replaced("run")) };
                let answer =
                    answer(json!({ "executionArn": new.arn(), "startDate": 1_700_000_000 }));
                self.executions.insert(0, new);
                answer
            }
            "DescribeExecution" => {
                let arn = body["executionArn"].as_str().unwrap();
                match self.executions.iter_mut().find(|one| one.arn() == arn) {
                    Some(one) => one.described(),
                    None => refusal(400, "ExecutionDoesNotExist"),
                }
            }
            "GetExecutionHistory" => answer(json!({ "events": history() })),
            "PutEvents" => {
                answer(json!({ "FailedEntryCount": 0, "Entries": [{ "EventId": "e-1" }] }))
            }
            other => panic!("{other}"),
        }
    }
}

fn replaced(snapshot: &str) -> (&'static str, Value) {
    let result = json!({ "result": {
        "database": "shop", "changed": true, "endpoint": format!("shop.{snapshot}.rds.amazonaws.com:5432"),
        "data_as_of": "2026-11-20T00:00:00Z", "rules": "e2e2", "outage_ms": 61_500,
    } });
    ("SUCCEEDED", json!({ "output": result.to_string() }))
}

fn history() -> Vec<Value> {
    let event = |id: i64, after: i64, kind: &str, details: Value| {
        let mut event = json!({ "timestamp": 1_700_000_000 + 10 * id, "type": kind, "id": id,
                                "previousEventId": id - 1 });
        event["timestamp"] = (1_700_000_000 + after).into();
        event.as_object_mut().unwrap().extend(details.as_object().unwrap().clone());
        event
    };
    let name = json!({ "name": "Restore" });
    let failed = json!({ "resourceType": "lambda", "resource": "invoke", "error": "Retryable" });
    let scheduled = json!({ "resourceType": "lambda", "resource": "invoke", "region": "eu-west-1",
                            "parameters": "{}" });
    let mut events = vec![
        event(1, 0, "ExecutionStarted", json!({})),
        event(2, 60, "TaskStateEntered", json!({ "stateEnteredEventDetails": name })),
        event(3, 61, "TaskFailed", json!({ "taskFailedEventDetails": failed })),
        event(4, 62, "TaskScheduled", json!({ "taskScheduledEventDetails": scheduled })),
        event(5, 64, "TaskStateExited", json!({ "stateExitedEventDetails": name })),
    ];
    events.reverse();
    events
}

/// What the program says, and what it has asked.
struct Said {
    code: i32,
    answer: String,
    error: String,
    asked: Vec<(String, Value)>,
}

impl Said {
    fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.error);
        serde_json::from_str(&self.answer).unwrap()
    }

    fn of(&self, operation: &str) -> Vec<&Value> {
        let of = self.asked.iter().filter(|(name, _)| name == operation);
        of.map(|(_, body)| body).collect()
    }
}

async fn refresh(executions: Vec<Execution>, arguments: &str) -> Said {
    let machine = Mutex::new(Machine { executions });
    let endpoint = Endpoint::new(move |asked| Some(machine.lock().unwrap().answer(asked)));
    let endpoint = endpoint.await.unwrap();
    let output: Output = Command::new(env!("CARGO_BIN_EXE_refresh-on-aws"))
        .args(arguments.split(' '))
        .env_clear()
        .env("ANONYMIZER_WORKFLOW", MACHINE)
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "hunter2")
        .env("AWS_ENDPOINT_URL", format!("http://{}", endpoint.address()))
        .output()
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let call = |asked: Asked| {
        // It asks where the state machine is, not where the environment says or does not say.
        assert!(asked.header("authorization").contains("/eu-west-1/"), "{asked:?}");
        let operation = asked.header("x-amz-target").split('.').next_back().unwrap().to_owned();
        (operation, serde_json::from_slice(&asked.body).unwrap())
    };
    Said {
        code: output.status.code().unwrap(),
        answer: text(output.stdout),
        error: text(output.stderr),
        asked: endpoint.asked().into_iter().map(call).collect(),
    }
}

#[tokio::test]
async fn a_developer_starts_the_workflow_and_sees_its_steps_with_their_times() {
    let others = vec![Execution::new("run-crm", "crm", 9, replaced("crm"))];
    let said = refresh(others, "request --wait --database shop --reason testing").await;
    assert_eq!(said.code, 0, "{}", said.error);
    let [started] = said.of("StartExecution")[..] else { panic!("{:?}", said.asked) };
    let input: Value = serde_json::from_str(started["input"].as_str().unwrap()).unwrap();
    assert_eq!(input, json!({ "database": "shop", "reason": "testing" }));
    let name = started["name"].as_str().unwrap();
    assert!(name.starts_with("refresh-") && receiver::names::is_run(name), "{name}");
    let steps = [
        "01:01  Restore          failed: Retryable",
        "01:02  Restore          is tried again",
        "01:04  Restore          4.0 s",
    ];
    assert_eq!(said.error.lines().collect::<Vec<_>>(), steps);
    for told in ["the newest release is in use", "shop.run.rds", "2026-11-20", "e2e2", "61.5 s"] {
        assert!(said.answer.contains(told), "{told}: {}", said.answer);
    }
}

#[tokio::test]
async fn a_second_developer_looks_on() {
    let running = || {
        vec![
            Execution::new("run-crm", "crm", 9, replaced("crm")),
            Execution::new("run-9", "shop", 9, replaced("9")),
        ]
    };
    let said = refresh(running(), "request --database shop --format json").await;
    assert_eq!(said.json(), json!({ "run": "run-9", "attached": true }));
    assert_eq!(said.of("StartExecution").len(), 0);
    let said = refresh(running(), "request --wait --database shop").await;
    assert_eq!((said.code, said.of("StartExecution").len()), (0, 0));
    assert!(said.error.starts_with("run-9 is at it already\n"), "{}", said.error);
    assert!(said.answer.contains("shop.9.rds"), "{}", said.answer);
}

#[tokio::test]
async fn what_is_in_use_and_what_was_done_is_told_by_the_executions() {
    let unchanged = json!({ "result": { "database": "shop", "changed": false } });
    let executions = || {
        vec![
            Execution::new("run-5", "shop", 99, replaced("5")),
            Execution::new(
                "run-4",
                "shop",
                0,
                ("FAILED", json!({ "error": "Refused", "cause": "no" })),
            ),
            Execution::new(
                "run-3",
                "shop",
                0,
                ("SUCCEEDED", json!({ "output": unchanged.to_string() })),
            ),
            Execution::new("run-2", "crm", 0, replaced("crm")),
            Execution::new("run-1", "shop", 0, replaced("1")),
        ]
    };
    let status = refresh(executions(), "status --database shop --format json").await.json();
    assert_eq!(status["endpoint"], "shop.1.rds.amazonaws.com:5432");
    assert_eq!(
        (&status["rules"], &status["since"]),
        (&json!("e2e2"), &json!("2023-11-14T22:14:50Z"))
    );
    assert_eq!(status["running"], json!({ "run": "run-5", "state": "Restore" }));
    let history = refresh(executions(), "history --database shop --format json").await.json();
    let rows = history.as_array().unwrap().iter();
    let rows: Vec<_> = rows.map(|row| format!("{} {}", row["run"], row["outcome"])).collect();
    assert_eq!(
        rows,
        [
            r#""run-5" "running: Restore""#,
            r#""run-4" "failed: Refused""#,
            r#""run-3" "unchanged""#,
            r#""run-1" "replaced""#,
        ]
    );
}

#[tokio::test]
async fn how_a_run_ended_is_the_exit_code() {
    for (end, code, told) in [
        (
            ("FAILED", json!({ "error": "Refused", "cause": "a stranger's" })),
            3,
            "Refused: a stranger's",
        ),
        (("TIMED_OUT", json!({})), 75, "has taken too long"),
        (("ABORTED", json!({})), 75, "was stopped"),
    ] {
        let running = vec![Execution::new("run-9", "shop", 3, end)];
        let said = refresh(running, "request --wait --database shop").await;
        assert_eq!((said.code, said.error.contains(told)), (code, true), "{}", said.error);
    }
}

#[tokio::test]
async fn production_is_asked_for_a_new_one_with_one_event_and_no_more() {
    let line = format!("request --new --max-age 4 --reason demo --database shop --bus {BUS}");
    let said = refresh(Vec::new(), &line).await;
    assert_eq!(said.code, 0, "{}", said.error);
    assert!(said.answer.contains("production was asked") && said.answer.contains("e-1"));
    let detail = json!({ "database": "shop", "reason": "demo", "max_age_hours": 4 });
    let [(operation, body)] = &said.asked[..] else { panic!("{:?}", said.asked) };
    assert_eq!(operation, "PutEvents");
    assert_eq!(
        *body,
        json!({ "Entries": [{
            "Source": "anonymizer.refresh", "DetailType": "RefreshRequested",
            "Detail": detail.to_string(), "EventBusName": BUS,
        }] })
    );
}

#[tokio::test]
async fn what_is_not_said_is_asked_for_before_anything_happens() {
    for (line, told) in [
        ("request", "which database is meant?"),
        ("status", "which database is meant?"),
        ("request --new --reason x --database shop", "no bus given"),
        ("request --new --reason x --database shop --bus shop", "is not an ARN of events"),
        ("status --database shop --workflow dev", "is not an ARN of states"),
        ("execute --run a --database shop", "for an account on this machine"),
    ] {
        let said = refresh(Vec::new(), line).await;
        assert_eq!((said.code, said.asked.len()), (2, 0), "{line}: {}", said.error);
        assert!(said.error.contains(told), "{line}: {}", said.error);
    }
}
