//! The definitions and the steps know each other, and the crate knows nothing of the other account's.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use receiver::World;
use receiver::definitions::{ALL, FLEET};
use serde_json::{Value, json};
use snapshots::local::Local;
use workflow::machine::{Kind, Resource, Task};
use workflow::run::{Answer, Calls, End, Failure, Faultless, Virtual, run};
use workflow::template::Template;
use workflow::{StepError, Steps};

fn tasks() -> Vec<(String, Task)> {
    let mut tasks = Vec::new();
    for definition in ALL {
        let machine = definition.parse().unwrap_or_else(|defects| panic!("{defects}"));
        for (_, state) in machine.all_states() {
            if let Kind::Task(task) = &state.kind {
                tasks.push((state.name.clone(), task.clone()));
            }
        }
    }
    tasks
}

fn function(task: &Task) -> Option<String> {
    let Some(Template::Object(fields)) = &task.parameters else { return None };
    let (_, name) = fields.iter().find(|(key, _)| key == "FunctionName")?;
    let Template::Literal(name) = name else { return None };
    Some(name.as_str()?.strip_prefix("${")?.strip_suffix('}')?.to_owned())
}

#[test]
fn every_function_is_a_step_and_every_step_a_function() {
    let lambdas = tasks().into_iter().filter(|(_, task)| task.resource == Resource::Lambda);
    let called: BTreeSet<_> = lambdas.map(|(name, task)| function(&task).expect(&name)).collect();
    let steps: BTreeSet<_> = <World<Local> as Steps>::NAMES.iter().map(|n| n.to_string()).collect();
    assert_eq!(called, steps);
}

#[test]
fn every_task_has_an_end_and_no_decision_is_tried_again() {
    for (name, task) in tasks() {
        assert!(task.timeout_seconds.is_some(), "{name}");
        assert!(!task.ending.retry.is_empty(), "{name}");
        let notifies = task.resource == Resource::Publish;
        let calls = task.resource == Resource::Lambda;
        for errors in task.ending.retry.iter().map(|retrier| &retrier.errors) {
            let decided = ["Refused", "Fatal", "States.ALL", "States.TaskFailed"];
            let again = errors.iter().any(|error| decided.contains(&error.as_str()));
            assert!(notifies || !again, "{name}");
        }
        let names: Vec<_> = task.ending.retry.iter().flat_map(|retrier| &retrier.errors).collect();
        assert!(!calls || names.iter().any(|name| *name == StepError::NAMES[0]), "{name}");
    }
}

#[test]
fn neither_the_other_account_nor_the_masking_engine_is_linked() {
    let tree = [
        "tree",
        "--offline",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--package",
        "receiver",
    ];
    let output = Command::new(env!("CARGO")).args(tree).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("snapshots") && names.contains("contract"), "{names:?}");
    assert!(!names.contains("orchestrator") && !names.contains("anonymizer"), "{names:?}");
}

/// Executions that a fleet starts: what they are given, and that of `till` fails.
#[derive(Default)]
struct Started(Vec<Value>);

impl Calls for Started {
    async fn call(&mut self, _: &str, resource: &Resource, parameters: &Value) -> Answer {
        assert_eq!(*resource, Resource::StartExecution);
        self.0.push(parameters["Input"].clone());
        match parameters["Input"]["database"] == "till" {
            true => Err(Failure::new("States.TaskFailed", "refused")),
            false => Ok((json!({ "Output": {} }), Duration::from_secs(3600))),
        }
    }
}

#[tokio::test]
async fn a_fleet_brings_every_database_though_one_fails_and_ends_badly_then() {
    let (end, given, _) = bring(&["shop", "till", "stock"], None).await;
    assert_eq!(given.len(), 3, "{given:?}");
    assert!(given.contains(&json!({ "database": "stock", "reason": "schedule" }).to_string()));
    let End::Failed(failure) = end else { panic!("{end:?}") };
    assert_eq!(failure.error, "NotBrought");
    let (end, given, _) = bring(&["shop", "stock"], None).await;
    assert!(matches!(end, End::Succeeded(_)) && given.len() == 2, "{end:?} {given:?}");
}

/// An hour each: what it takes says how many there were at a time.
#[tokio::test]
async fn a_fleet_brings_as_many_at_a_time_as_it_is_told_and_a_few_otherwise() {
    let six = ["a", "b", "c", "d", "e", "f"];
    for (told, hours) in [(Some(1), 6), (Some(2), 3), (Some(6), 1), (None, 2)] {
        let (end, given, took) = bring(&six, told).await;
        assert!(matches!(end, End::Succeeded(_)) && given.len() == 6, "{end:?}");
        assert_eq!(took, Duration::from_secs(3600 * hours), "{told:?}");
    }
}

/// How the fleet ends, what it has given to those that it has started, and how long it took.
async fn bring(databases: &[&str], at_a_time: Option<u64>) -> (End, BTreeSet<String>, Duration) {
    let machine = FLEET.parse().unwrap_or_else(|defects| panic!("{defects}"));
    let mut input = json!({ "databases": databases, "reason": "schedule" });
    if let Some(most) = at_a_time {
        input["at_a_time"] = most.into();
    }
    let context = workflow::local::context("fleet", "run-1", "2024-01-01T00:00:00Z", &input);
    let mut started = Started::default();
    let done = run(&machine, input, context, &mut started, &mut Virtual, &mut Faultless).await;
    (done.end, started.0.iter().map(Value::to_string).collect(), done.took)
}
