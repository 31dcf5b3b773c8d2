//! The definitions against the steps: what they call exists, what exists is called, what they retry may be retried, and the
//! longest run that is allowed fits into the history that Step Functions keeps.

#![allow(clippy::unwrap_used, reason = "tests fail as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use orchestrator::definitions::{ALL, Definition, FLEET, REAPER, REQUEST, WORKFLOW};
use orchestrator::poll::Poll;
use orchestrator::settings::Deadlines;
use serde_json::{Value, json};
use workflow::Pauses;
use workflow::history::MOST_EVENTS;
use workflow::machine::{Kind, Resource, State, Task};
use workflow::run::{Answer, Calls, End, Execution, Failure, Faultless, Virtual, run};
use workflow::template::Template;
use workflow::{Machine, StepError, Steps};

/// The names of the steps are the same whatever is behind the port.
type World = orchestrator::World<snapshots::local::Local>;

fn machine(definition: Definition) -> Machine {
    definition.machine().unwrap_or_else(|defects| panic!("{defects}"))
}

fn states() -> Vec<State> {
    let machines = ALL.map(machine);
    let all = machines.iter().flat_map(|machine| machine.all_states());
    all.map(|(_, state)| state.clone()).collect()
}

fn function(task: &Task) -> Option<&str> {
    let Some(Template::Object(fields)) = &task.parameters else { return None };
    let name = fields.iter().find(|(key, _)| key == "FunctionName");
    let Some((_, Template::Literal(Value::String(name)))) = name else { return None };
    name.strip_prefix("${")?.strip_suffix('}')
}

fn tasks(states: &[State]) -> impl Iterator<Item = (&State, &Task)> {
    states.iter().filter_map(|state| match &state.kind {
        Kind::Task(task) => Some((state, task)),
        _ => None,
    })
}

#[test]
fn every_function_is_a_step_and_every_step_is_used() {
    let states = states();
    let lambdas = tasks(&states).filter(|(_, task)| task.resource == Resource::Lambda);
    let called: BTreeSet<&str> = lambdas.map(|(_, task)| function(task).unwrap()).collect();
    let known: BTreeSet<&str> = World::NAMES.iter().copied().collect();
    assert_eq!(called, known);
    assert_eq!(known.len(), World::NAMES.len());
}

#[test]
fn every_call_has_a_time_out_and_only_what_passes_is_tried_again() {
    for (state, task) in tasks(&states()) {
        let name = &state.name;
        assert!(task.timeout_seconds.is_some(), "{name} has no time-out");
        assert!(!task.ending.retry.is_empty(), "{name} is never tried again");
        for error in task.ending.retry.iter().flat_map(|retrier| &retrier.errors) {
            assert!(
                !["Refused", "Fatal", "States.ALL", "States.TaskFailed"].contains(&error.as_str()),
                "{name} retries {error}"
            );
        }
    }
}

#[test]
fn every_error_that_is_looked_for_exists() {
    for state in states() {
        let Some(ending) = state.ending() else { continue };
        let retried = ending.retry.iter().flat_map(|retrier| &retrier.errors);
        let caught = ending.catch.iter().flat_map(|catcher| &catcher.errors);
        for error in retried.chain(caught) {
            let service = match &state.kind {
                Kind::Task(task) => match task.resource {
                    Resource::Lambda => "Lambda.",
                    Resource::RunTask => "ECS.",
                    Resource::StartExecution => "StepFunctions.",
                    Resource::Publish => "SNS.",
                    Resource::PutEvents => "EventBridge.",
                },
                _ => "States.",
            };
            let known = StepError::NAMES.contains(&error.as_str())
                || error.starts_with("States.")
                || error.starts_with(service)
                || (service == "ECS." && error == "AmazonECS.Unknown");
            assert!(known, "{}: {error}", state.name);
        }
    }
}

#[test]
fn the_body_is_caught_and_every_failure_ends_badly() {
    let machine = machine(WORKFLOW);
    let work = machine.state("Work").unwrap();
    assert_eq!(work.ending().unwrap().catch[0].errors, ["States.ALL"]);
    // From where failures go there is no way to an end but through Failed.
    let seen = reached(&machine, &["GiveUp", "Unannounced"], "");
    for name in &seen {
        let ends = machine.state(name).unwrap().is_terminal();
        assert!(*name == "Failed" || !ends, "{name} ends well after a failure");
    }
    assert!(seen.contains("Failed") && seen.contains("Withdraw") && seen.contains("GiveBackLock"));
    for (_, task) in tasks(&machine.states) {
        assert!(task.ending.catch.iter().any(|catcher| catcher.errors == ["States.ALL"]));
    }
}

/// The states that others lead to, these included, on ways that do not go on from one.
fn reached<'a>(machine: &'a Machine, from: &[&'a str], not_beyond: &str) -> BTreeSet<&'a str> {
    let (mut open, mut seen) = (from.to_vec(), BTreeSet::new());
    while let Some(name) = open.pop() {
        if seen.insert(name) && name != not_beyond {
            open.extend(machine.state(name).unwrap().targets());
        }
    }
    seen
}

#[test]
fn nothing_is_announced_that_could_be_taken_back() {
    let machine = machine(WORKFLOW);
    // Only what has been cleaned up, and is forgotten, is announced.
    for before in ["Work", "CleanUp", "Retain", "ReleaseLock"] {
        let seen = reached(&machine, &[&machine.start_at], before);
        assert!(seen.contains(before) && !seen.contains("Announce"), "not after {before}");
    }
    let after = reached(&machine, &["Announce"], "");
    assert_eq!(after, BTreeSet::from(["Announce", "Unannounced", "Failed"]));
    let states = states();
    let announcing = tasks(&states).filter(|(_, task)| task.resource == Resource::PutEvents);
    let announcing: Vec<_> = announcing.map(|(state, _)| state.name.as_str()).collect();
    assert_eq!(announcing, ["Announce"]);
}

#[test]
fn no_secret_can_be_in_what_the_container_is_told() {
    let text = WORKFLOW.text;
    for word in ["PASSWORD", "ANONYMIZER_KEY", "DATABASE_URL", "SecretString"] {
        assert!(!text.contains(word), "{word}");
    }
}

/// Answers with whatever takes longest.
struct Slowest {
    waited: BTreeMap<String, u64>,
    masking: Duration,
    interruptions: u64,
    released: bool,
}

impl Slowest {
    fn poll(&mut self, state: &str, deadline: u64) -> Value {
        let waited = self.waited.entry(state.to_owned()).or_default();
        // Ready at the last look before the deadline.
        let poll = Poll::wait(*waited, deadline, &Pauses::default(), "it")
            .unwrap_or_else(|_| Poll::ready(*waited));
        *waited = poll.waited;
        json!({ "resource_id": "db-A", "arn": "arn", "ready": poll.ready, "waited": poll.waited,
                "seconds": poll.seconds, "steady": 0, "left": [], "preview": "id" })
    }

    fn answer(&mut self, state: &str, function: &str) -> Value {
        let deadlines = Deadlines::default();
        let changed = json!({ "resource_id": "db-A" });
        match function {
            "AcquireLock" => json!({ "database": "shop", "acquired": true, "holder": "run-1",
                                     "max_age_hours": 48 }),
            "FindRules" => json!({ "databases": [{ "name": "shop", "scope": "instance",
                "rules": "r", "rules_digest": "d", "report": "p", "state": "s" }] }),
            "FindSnapshot" => json!({ "arn": "arn", "kind": "instance", "data_as_of": "then",
                                      "copy_first": true, "key": "key" }),
            "AwaitSnapshot" if state == "AwaitStaged" => self.poll(state, deadlines.take),
            "AwaitSnapshot" => self.poll(state, deadlines.copy),
            "AwaitDatabase" if state == "AwaitRestored" => self.poll(state, deadlines.restore),
            "AwaitDatabase" => self.poll(state, deadlines.change),
            "CleanUp" | "Reap" => self.poll(state, deadlines.delete),
            "PreviewAccess" => self.poll(state, deadlines.preview),
            "Restore" | "AddWriter" | "TakeOver" | "Restart" => changed,
            "AssertIsolated" => json!({ "resource_id": "db-A", "engine": "postgres",
                                        "endpoint": "h:1", "secret": "arn" }),
            "Resume" => json!({ "interruptions": self.interruptions, "seconds": 60 }),
            "CheckReport" => json!({ "name": "shop", "run_id": "run-1", "report_digest": "a",
                                     "rules_digest": "b", "verdict": "passed" }),
            "Release" => json!({ "arn": "arn", "statement": "s", "data_as_of": "then" }),
            _ => json!({ "arn": "arn" }),
        }
    }
}

impl Calls for Slowest {
    async fn call(&mut self, state: &str, resource: &Resource, parameters: &Value) -> Answer {
        match resource {
            Resource::Lambda => {
                let name = parameters["FunctionName"].as_str().unwrap();
                let name = name.trim_start_matches("${").trim_end_matches('}');
                let payload = self.answer(state, name);
                if name == "Share" && !self.released {
                    return Err(Failure::new("Refused", "no"));
                }
                Ok((json!({ "Payload": payload }), Duration::from_secs(2)))
            }
            Resource::RunTask if self.interruptions < 5 => {
                self.interruptions += 1;
                Err(Failure::new("States.TaskFailed", "{}"))
            }
            Resource::RunTask => Ok((
                json!({ "Containers": [], "StopCode": "EssentialContainerExited" }),
                self.masking,
            )),
            _ => Ok((json!({}), Duration::from_secs(1))),
        }
    }
}

fn slowest(hours: u64, released: bool) -> Execution {
    let masking = Duration::from_secs(hours * 3600);
    let mut calls = Slowest { waited: BTreeMap::new(), masking, interruptions: 0, released };
    let input = json!({ "database": "shop" });
    let context = workflow::local::context("workflow", "run-1", "2024-01-01T00:00:00Z", &input);
    let machine = machine(WORKFLOW);
    let (mut clock, mut faults) = (Virtual, Faultless);
    let running = run(&machine, input, context, &mut calls, &mut clock, &mut faults);
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(running)
}

#[test]
fn the_longest_run_fits_into_its_history() {
    let well = slowest(8, true);
    assert!(matches!(well.end, End::Succeeded(_)), "{:?}", well.end);
    let hours = well.took.as_secs() / 3600;
    assert!((46..48).contains(&hours), "{hours} h");
    assert!(well.history.count < MOST_EVENTS, "{} events", well.history.count);
    // Everything but the release, and then all of it to be removed.
    let badly = slowest(8, false);
    assert!(matches!(badly.end, End::Failed(_)), "{:?}", badly.end);
    assert!(badly.history.count < MOST_EVENTS, "{} events", badly.history.count);
    // What would take longer is ended; the reaper removes what it leaves.
    assert_eq!(slowest(20, true).end, End::TimedOut);
}

#[test]
fn the_others_are_small() {
    for definition in [FLEET, REQUEST, REAPER] {
        assert!(machine(definition).timeout_seconds.is_some(), "{}", definition.name);
    }
}
