//! Walks of the definition that has everything, with answers, faults and time of their own.

#![allow(clippy::unwrap_used, reason = "tests fail as tests do")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde_json::{Value, json};
use workflow::Machine;
use workflow::history::What;
use workflow::machine::Resource;
use workflow::run::{
    Answer, Calls, End, Execution, Failure, Fault, Faultless, Faults, Virtual, run,
};

fn machine() -> Machine {
    workflow::parse("good.asl.json", include_str!("good.asl.json")).unwrap()
}

/// Answers in order by state; `seconds` of time each.
#[derive(Default)]
struct Script {
    find: RefCell<VecDeque<Result<Value, Failure>>>,
    calls: Vec<(String, Value)>,
    mask_seconds: u64,
}

impl Calls for Script {
    async fn call(&mut self, state: &str, resource: &Resource, parameters: &Value) -> Answer {
        self.calls.push((state.to_owned(), parameters.clone()));
        match resource {
            Resource::RunTask => {
                Ok((json!({ "ExitCode": 0 }), Duration::from_secs(self.mask_seconds)))
            }
            _ => {
                let answer = self.find.borrow_mut().pop_front();
                let answer = answer.unwrap_or_else(|| Ok(json!({ "Payload": { "id": "snap" } })));
                answer.map(|value| (value, Duration::from_secs(1)))
            }
        }
    }
}

/// A fault each time a state is entered, in order.
struct Once(&'static str, VecDeque<Fault>);

impl Faults for Once {
    fn at(&mut self, state: &str) -> Fault {
        if state == self.0 { self.1.pop_front().unwrap_or(Fault::None) } else { Fault::None }
    }
}

fn input() -> Value {
    json!({ "seconds": 9, "databases": ["a", "b", "c"] })
}

fn walk(script: &mut Script, faults: &mut impl Faults) -> Execution {
    let context = json!({ "Execution": { "Name": "week-1" } });
    let (machine, mut clock) = (machine(), Virtual);
    let mut future = pin!(run(&machine, input(), context, script, &mut clock, faults));
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(execution) => execution,
        Poll::Pending => panic!("nothing here waits"),
    }
}

#[test]
fn a_run_goes_through_and_takes_the_time_it_says() {
    let mut script = Script { mask_seconds: 60, ..Script::default() };
    let execution = walk(&mut script, &mut Faultless);
    let End::Succeeded(output) = &execution.end else { panic!("{:?}", execution.end) };
    assert_eq!(output["found"], json!({ "id": "week-1-1", "polls": 2 }));
    assert_eq!(output["masked"], json!([{ "ExitCode": 0 }, { "ExitCode": 0 }, { "ExitCode": 0 }]));
    // Find 1, two pauses of 20, the longer branch 9, three maskings of 60 two at a time.
    assert_eq!(execution.took, Duration::from_secs(1 + 40 + 9 + 120));
    assert_eq!(
        script.calls[0],
        ("Find".into(), json!({ "FunctionName": "${find}", "Payload": input() }))
    );
    assert_eq!(execution.history.entered().iter().filter(|name| **name == "Pause").count(), 2);
}

#[test]
fn retries_wait_longer_each_time_and_end() {
    let throttled = || Err(Failure::new("Retryable", "throttled"));
    let mut script = Script {
        find: RefCell::new([throttled(), throttled(), throttled()].into()),
        ..Script::default()
    };
    let execution = walk(&mut script, &mut Faultless);
    assert!(matches!(execution.end, End::Succeeded(_)));
    // 2, 4, then 5 where 8 would be more than the longest delay.
    assert_eq!(execution.took.as_secs() - (1 + 40 + 9), 2 + 4 + 5);

    let four = [throttled(), throttled(), throttled(), throttled()];
    let mut script = Script { find: RefCell::new(four.into()), ..Script::default() };
    let execution = walk(&mut script, &mut Faultless);
    let End::Failed(failure) = execution.end else { panic!("it went on") };
    assert_eq!(failure, Failure::new("Retryable", "see the error"));
    assert_eq!(
        script.calls.len(),
        4,
        "the first retrier that fits decides, and it has had its tries"
    );
}

#[test]
fn the_first_catcher_that_fits_catches() {
    let refused = Fault::Fail(Failure::new("Refused", "no"));
    // `States.ALL` of the retriers takes it once.
    let execution =
        walk(&mut Script::default(), &mut Once("Find", [refused.clone(), refused].into()));
    assert_eq!(execution.history.entered(), ["Find", "Failed"]);
    assert_eq!(execution.end, End::Failed(Failure::new("Refused", "see the error")));
    assert!(
        execution.history.events.iter().any(|event| event.what == What::Caught("Refused".into()))
    );
}

#[test]
fn what_is_broken_in_the_machine_is_not_caught() {
    let broken = Fault::Fail(Failure::new("States.Runtime", "no"));
    let execution = walk(&mut Script::default(), &mut Once("Each", [broken].into()));
    assert_eq!(execution.end, End::Failed(Failure::new("States.Runtime", "no")));
    assert!(!execution.history.entered().contains(&"Clean"));
}

#[test]
fn a_task_that_takes_too_long_fails_and_its_time_has_passed() {
    let mut script = Script { mask_seconds: 601, ..Script::default() };
    let execution = walk(&mut script, &mut Faultless);
    assert!(execution.history.entered().contains(&"Clean"));
    assert_eq!(execution.end, End::Failed(Failure::new("States.Timeout", "see the error")));
    let made = walk(&mut Script::default(), &mut Once("Mask", [Fault::TimeOut].into()));
    assert_eq!(made.end, execution.end);
    assert_eq!(made.took, Duration::from_secs(1 + 40 + 9 + 600));
}

#[test]
fn an_execution_that_takes_too_long_has_timed_out_and_nothing_catches_that() {
    let mut machine = machine();
    machine.timeout_seconds = Some(30);
    let mut script = Script::default();
    let mut clock = Virtual;
    let mut faults = Faultless;
    let mut future = pin!(run(
        &machine,
        input(),
        json!({ "Execution": { "Name": "x" } }),
        &mut script,
        &mut clock,
        &mut faults
    ));
    let Poll::Ready(execution) = future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("nothing here waits")
    };
    assert_eq!(execution.end, End::TimedOut);
    assert!(!execution.history.entered().contains(&"Failed"));
}

#[test]
fn every_state_can_be_stopped_at_and_nothing_runs_after() {
    let mut stopped = 0;
    for (_, state) in machine().all_states() {
        let execution = walk(
            &mut Script::default(),
            &mut Once(Box::leak(state.name.clone().into_boxed_str()), [Fault::Stop].into()),
        );
        if execution.history.entered().contains(&state.name.as_str()) {
            assert_eq!(execution.end, End::Stopped, "{}", state.name);
            assert_eq!(execution.history.entered().last(), Some(&state.name.as_str()));
            stopped += 1;
        }
    }
    assert_eq!(stopped, 10, "all but the two that only a failure leads to");
}

#[test]
fn a_repeated_step_is_called_twice_and_its_second_answer_counts() {
    let answers = ["first", "second"].map(|id| Ok(json!({ "Payload": { "id": id } })));
    let mut script = Script { find: RefCell::new(answers.into()), ..Script::default() };
    let execution = walk(&mut script, &mut Once("Find", [Fault::Repeat].into()));
    assert!(matches!(execution.end, End::Succeeded(_)));
    assert_eq!(script.calls.iter().filter(|(state, _)| state == "Find").count(), 2);
}

#[test]
fn a_poll_costs_the_events_that_step_functions_counts() {
    let short = walk(&mut Script::default(), &mut Faultless).history.count;
    // Started and ended; Find 5; three choices, two pauses, two counts 14; both 2 + 2 + 2 * 2; the map 2 + 1 and for each item
    // 2 and a container's 6; the end 2.
    assert_eq!(short, 2 + 5 + 14 + 8 + (3 + 3 * 8) + 2);
}
