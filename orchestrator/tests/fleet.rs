//! Two hundred servers in one weekend: the definitions of the fleet and of the workflow, walked with virtual time. How long each
//! state takes is what `sizing` says of the server's size; what each step asks of AWS is written down here.
//!
//! `cargo test --package orchestrator --features local --test fleet -- --nocapture` prints the numbers.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests fail, and tell, as tests do")]

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use orchestrator::definitions::{FLEET, WORKFLOW};
use orchestrator::poll::Poll;
use orchestrator::settings::Deadlines;
use orchestrator::sizing::{self, Load, Times};
use serde_json::{Value, json};
use workflow::Pauses;
use workflow::history::{MOST_EVENTS, What};
use workflow::machine::{Kind, Machine, Resource, State};
use workflow::run::{Answer, Calls, End, Execution, Faultless, Virtual, run};
use workflow::template::Template;

/// From Friday 20:00 to Monday 06:00.
const WEEKEND: f64 = 58.0;
/// What the settings say if they say nothing.
const AT_A_TIME: u64 = 12;

/// Servers by size: most of an organisation's are small, and the few large ones decide.
const SERVERS: [(usize, u32); 6] =
    [(100, 10), (60, 50), (25, 200), (10, 500), (4, 1_000), (1, 2_000)];

/// Quotas that AWS documents, as they are before anybody asks for more; of the regions that have less.
mod quota {
    /// Copies of instances' snapshots that are being made, for one account and region of destination.
    pub const COPIES: usize = 20;
    /// Items of a map within one execution.
    pub const ITEMS: u64 = 40;
    /// Executions that are started in a second.
    pub const STARTS: usize = 150;
    /// Transitions of state in a second.
    pub const TRANSITIONS: usize = 800;
    /// Functions that run.
    pub const FUNCTIONS: usize = 1_000;
    /// Tasks that are started on Fargate in a second.
    pub const TASKS: usize = 20;
    /// Bytes of a state's input.
    pub const INPUT: usize = 262_144;
}

/// Seconds until Access Analyzer says who would get at a snapshot, where it is asked: as here, for every server.
const PREVIEW: f64 = 60.0;

/// Seconds that RDS takes for an answer, and a page of snapshots has 100: 200 servers with seven automatic ones each, and three
/// releases.
const ANSWER: f64 = 0.15;
const PAGES: usize = 200 * (7 + 3) / 100;

/// Requests to RDS of a step: pages of a list, the list of clusters' snapshots beside it, and what it does with one thing.
fn requests(step: &str) -> usize {
    const ALL_SNAPSHOTS: usize = PAGES + 1;
    const ALL_DATABASES: usize = 3 + 1;
    match step {
        "FindSnapshot" => 2 + ALL_SNAPSHOTS,
        "Restore" | "TakeOver" | "Restart" | "StageSnapshot" | "ReEncrypt" | "Release" => 2,
        "AwaitDatabase" | "AwaitSnapshot" | "AddWriter" | "AssertIsolated" => 1,
        "Share" => 3,
        "CleanUp" => ALL_DATABASES + ALL_SNAPSHOTS + 4,
        "Retain" => ALL_SNAPSHOTS + 3,
        _ => 0,
    }
}

/// One server's run, answered as its size says.
struct Server {
    times: Times,
    waited: BTreeMap<String, u64>,
}

impl Server {
    fn poll(&mut self, state: &str, seconds: f64, deadline: u64) -> Value {
        let waited = self.waited.entry(state.to_owned()).or_default();
        let poll = match *waited as f64 >= seconds {
            true => Poll::ready(*waited),
            false => Poll::wait(*waited, deadline, &Pauses::default(), "it").unwrap(),
        };
        *waited = poll.waited;
        json!({ "resource_id": "db-A", "arn": "arn", "ready": poll.ready, "waited": poll.waited,
                "seconds": poll.seconds, "steady": 2, "left": [], "preview": "id" })
    }

    fn answer(&mut self, state: &str, step: &str) -> Value {
        let (times, deadlines) = (self.times, Deadlines::default());
        // Of the time until it is isolated: a writer is for clusters only.
        let restored = times.restore - 300.0 - 120.0;
        match (step, state) {
            ("AcquireLock", _) => json!({ "database": "db-000", "acquired": true, "holder": "run",
                                          "max_age_hours": 48 }),
            ("FindRules", _) => json!({ "databases": [{ "name": "app", "scope": "instance",
                "rules": "r", "rules_digest": "d", "report": "p", "state": "s" }] }),
            ("FindSnapshot", _) => json!({ "arn": "arn", "kind": "instance", "data_as_of": "then",
                                           "copy_first": false, "key": "key" }),
            ("AwaitDatabase", "AwaitRestored") => self.poll(state, restored, deadlines.restore),
            ("AwaitDatabase", "AwaitTakenOver") => self.poll(state, 300.0, deadlines.change),
            ("AwaitDatabase", "AwaitRestarted") => self.poll(state, 120.0, deadlines.change),
            ("AwaitDatabase", _) => self.poll(state, 0.0, deadlines.change),
            ("AwaitSnapshot", "AwaitStaged") => self.poll(state, times.take, deadlines.take),
            ("AwaitSnapshot", _) => self.poll(state, times.copy, deadlines.copy),
            ("CleanUp", _) => self.poll(state, times.delete, deadlines.delete),
            ("PreviewAccess", _) => self.poll(state, PREVIEW, deadlines.preview),
            ("AssertIsolated", _) => json!({ "resource_id": "db-A", "engine": "postgres",
                                             "endpoint": "h:1", "secret": "arn" }),
            ("CheckReport", _) => json!({ "name": "app", "run_id": "run", "report_digest": "a",
                                          "rules_digest": "b", "verdict": "passed" }),
            ("Release", _) => json!({ "arn": "arn", "statement": "s", "data_as_of": "then" }),
            ("Restore" | "AddWriter" | "TakeOver" | "Restart", _) => {
                json!({ "resource_id": "db-A" })
            }
            _ => json!({ "arn": "arn" }),
        }
    }
}

impl Calls for Server {
    async fn call(&mut self, state: &str, resource: &Resource, parameters: &Value) -> Answer {
        Ok(match resource {
            Resource::Lambda => {
                let step = function(parameters);
                let took = 0.5 + requests(&step) as f64 * ANSWER;
                let payload = self.answer(state, &step);
                (json!({ "Payload": payload }), Duration::from_secs_f64(took))
            }
            Resource::RunTask => (
                json!({ "Containers": [], "StopCode": "EssentialContainerExited" }),
                Duration::from_secs_f64(self.times.mask),
            ),
            _ => (json!({}), Duration::from_millis(500)),
        })
    }
}

fn function(parameters: &Value) -> String {
    let name = parameters["FunctionName"].as_str().unwrap();
    name.trim_start_matches("${").trim_end_matches('}').to_owned()
}

/// The fleet, whose executions are walked one inside the other.
struct Fleet {
    workflow: Machine,
    functions: BTreeMap<String, String>,
    sizes: BTreeMap<String, u32>,
    order: Vec<String>,
    at_a_time: u64,
    /// Servers of one size run alike.
    of_size: BTreeMap<u32, Rc<Execution>>,
    runs: Vec<Rc<Execution>>,
}

impl Calls for Fleet {
    async fn call(&mut self, _: &str, resource: &Resource, parameters: &Value) -> Answer {
        let second = Duration::from_secs(1);
        match resource {
            Resource::Lambda if function(parameters) == "ListDatabases" => Ok((
                json!({ "Payload": { "databases": self.order, "at_a_time": self.at_a_time } }),
                second,
            )),
            Resource::Lambda => Ok((json!({ "Payload": { "databases": 200 } }), second)),
            _ => {
                let size = self.sizes[parameters["Input"]["database"].as_str().unwrap()];
                let run = match self.of_size.get(&size) {
                    Some(run) => run.clone(),
                    None => Rc::new(one(&self.workflow, size, &parameters["Input"]).await),
                };
                self.of_size.insert(size, run.clone());
                let took = run.took;
                self.runs.push(run);
                Ok((json!({ "Status": "SUCCEEDED" }), took))
            }
        }
    }
}

/// One server's run.
async fn one(workflow: &Machine, size: u32, input: &Value) -> Execution {
    let (_, times) = sizing::size(&Load::allocated(f64::from(size)));
    let mut server = Server { times, waited: BTreeMap::new() };
    let run = walk(workflow, input.clone(), &mut server).await;
    assert!(matches!(run.end, End::Succeeded(_)), "{size} GB: {:?}", run.end);
    run
}

async fn walk(machine: &Machine, input: Value, calls: &mut impl Calls) -> Execution {
    let context = workflow::local::context("m", "run-1", "2024-01-01T00:00:00Z", &input);
    run(machine, input, context, calls, &mut Virtual, &mut Faultless).await
}

/// What each state of the workflow calls.
fn functions(machine: &Machine) -> BTreeMap<String, String> {
    let called = |state: &State| {
        let Kind::Task(task) = &state.kind else { return None };
        let Some(Template::Object(fields)) = &task.parameters else { return None };
        let name = fields.iter().find(|(key, _)| key == "FunctionName");
        let Some((_, Template::Literal(name))) = name else { return None };
        Some((state.name.clone(), function(&json!({ "FunctionName": name }))))
    };
    machine.all_states().into_iter().filter_map(|(_, state)| called(state)).collect()
}

/// Everything that happened, in seconds since the fleet's start.
struct Weekend {
    hours: f64,
    events: u64,
    longest_history: u64,
    input: usize,
    transitions: Vec<f64>,
    starts: Vec<f64>,
    tasks: Vec<f64>,
    requests: Vec<f64>,
    functions: Vec<(f64, f64)>,
    copies: Vec<(f64, f64)>,
    runs: Vec<(f64, f64)>,
}

/// The servers' names and sizes. Names come in no order of size, as real ones.
fn sizes() -> BTreeMap<String, u32> {
    let sizes = SERVERS.iter().flat_map(|(count, size)| vec![*size; *count]);
    let sizes: Vec<u32> = sizes.collect();
    (0..sizes.len())
        .map(|index| (format!("db-{index:03}"), sizes[index * 77 % sizes.len()]))
        .collect()
}

fn refresh(at_a_time: u64, largest_first: bool) -> (Execution, Fleet) {
    let workflow = WORKFLOW.machine().unwrap();
    let sizes = sizes();
    let mut order: Vec<String> = sizes.keys().cloned().collect();
    if largest_first {
        order.sort_by_key(|name| std::cmp::Reverse(sizes[name]));
    }
    let functions = functions(&workflow);
    let mut fleet = Fleet {
        workflow,
        functions,
        sizes,
        order,
        at_a_time,
        of_size: BTreeMap::new(),
        runs: Vec::new(),
    };
    let machine = FLEET.machine().unwrap();
    let walking = walk(&machine, json!({}), &mut fleet);
    let execution =
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(walking);
    // Too few at a time, and not even the fleet's own time is enough.
    assert!(matches!(execution.end, End::Succeeded(_) | End::TimedOut), "{:?}", execution.end);
    (execution, fleet)
}

fn hours(at_a_time: u64, largest_first: bool) -> f64 {
    refresh(at_a_time, largest_first).0.took.as_secs_f64() / 3600.0
}

fn gather(execution: &Execution, fleet: &Fleet) -> Weekend {
    let input = json!({ "fleet": { "databases": fleet.order },
        "results": fleet.order.iter().map(|name| json!({ "database": name, "ended_well": true }))
            .collect::<Vec<_>>() });
    let entered = |state: &'static str| {
        let events = execution.history.events.iter();
        let events =
            events.filter(move |event| event.what == What::Entered && event.state == state);
        events.map(|event| event.at)
    };
    let starts: Vec<Duration> = entered("Refresh").collect();
    assert_eq!(starts.len(), fleet.runs.len());
    let mut weekend = Weekend {
        hours: execution.took.as_secs_f64() / 3600.0,
        events: execution.history.count,
        longest_history: fleet.runs.iter().map(|run| run.history.count).max().unwrap(),
        input: input.to_string().len(),
        transitions: execution.history.events.iter().map(|event| event.at.as_secs_f64()).collect(),
        starts: starts.iter().map(Duration::as_secs_f64).collect(),
        tasks: Vec::new(),
        requests: Vec::new(),
        functions: Vec::new(),
        copies: Vec::new(),
        runs: Vec::new(),
    };
    for (start, run) in starts.iter().zip(&fleet.runs) {
        weekend.add(*start, run, &fleet.functions);
    }
    weekend
}

impl Weekend {
    fn add(&mut self, start: Duration, run: &Execution, functions: &BTreeMap<String, String>) {
        self.runs.push((start.as_secs_f64(), (start + run.took).as_secs_f64()));
        let mut copying = start.as_secs_f64();
        for event in &run.history.events {
            if event.what != What::Entered {
                continue;
            }
            let at = (start + event.at).as_secs_f64();
            self.transitions.push(at);
            match event.state.as_str() {
                "Anonymize" => self.tasks.push(at),
                "ReEncrypt" => copying = at,
                "Release" => self.copies.push((copying, at)),
                _ => {}
            }
            let Some(step) = functions.get(&event.state) else { continue };
            let count = requests(step);
            self.functions.push((at, at + 0.5 + count as f64 * ANSWER));
            self.requests.extend((0..count).map(|index| at + index as f64 * ANSWER));
        }
    }
}

/// The most moments within a span of so many seconds.
fn most_within(moments: &[f64], span: f64) -> usize {
    let mut sorted = moments.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut first = 0;
    let counts = sorted.iter().enumerate().map(|(last, at)| {
        while *at - sorted[first] >= span {
            first += 1;
        }
        last - first + 1
    });
    counts.max().unwrap_or(0)
}

/// The most spans that are open at one moment.
fn most_at_a_time(spans: &[(f64, f64)]) -> usize {
    // What ends at a moment has ended before anything begins then.
    let ends = spans.iter().map(|(_, to)| (*to, -1));
    let mut moments: Vec<(f64, isize)> =
        spans.iter().map(|(from, _)| (*from, 1)).chain(ends).collect();
    moments.sort_by(|(a, x), (b, y)| a.total_cmp(b).then(x.cmp(y)));
    let mut open = 0;
    let counts = moments.iter().map(|(_, step)| {
        open += step;
        open
    });
    counts.max().unwrap_or(0) as usize
}

#[test]
fn two_hundred_servers_are_refreshed_in_a_weekend() {
    println!("at a time    hours   by name");
    for at_a_time in [3, 6, AT_A_TIME, quota::COPIES as u64] {
        let (largest_first, by_name) = (hours(at_a_time, true), hours(at_a_time, false));
        println!("{at_a_time:9} {largest_first:8.1} {by_name:9.1}");
        assert!(largest_first < by_name);
        // Half as many are too few, and so is the right number in the wrong order.
        assert_eq!(largest_first < WEEKEND, at_a_time >= AT_A_TIME);
        assert_eq!(by_name < WEEKEND, at_a_time > AT_A_TIME);
    }
    let (execution, fleet) = refresh(AT_A_TIME, true);
    let weekend = gather(&execution, &fleet);
    let (runs, copies) = (most_at_a_time(&weekend.runs), most_at_a_time(&weekend.copies));
    let functions = most_at_a_time(&weekend.functions);
    let second = |moments: &[f64]| most_within(moments, 1.0);
    println!("\n{AT_A_TIME} at a time, the largest first: {:.1} h of {WEEKEND} h", weekend.hours);
    println!("runs at a time           {runs:6}  of {}", quota::ITEMS);
    println!("copies at a time         {copies:6}  of {}", quota::COPIES);
    println!("functions at a time      {functions:6}  of {}", quota::FUNCTIONS);
    println!("events of the fleet      {:6}  of {MOST_EVENTS}", weekend.events);
    println!("events of a run, at most {:6}  of {MOST_EVENTS}", weekend.longest_history);
    println!("bytes of state           {:6}  of {}", weekend.input, quota::INPUT);
    let transitions = second(&weekend.transitions);
    println!("transitions in a second  {transitions:6}  of {}", quota::TRANSITIONS);
    let (starts, tasks) = (second(&weekend.starts), second(&weekend.tasks));
    println!("starts in a second       {starts:6}  of {}", quota::STARTS);
    println!("tasks in a second        {tasks:6}  of {}", quota::TASKS);
    println!(
        "requests to RDS          {:6}  of which in a second {}, in a minute {}",
        weekend.requests.len(),
        second(&weekend.requests),
        most_within(&weekend.requests, 60.0)
    );

    assert!(weekend.hours < WEEKEND);
    assert_eq!(runs, AT_A_TIME as usize);
    assert!(runs as u64 <= quota::ITEMS && copies <= quota::COPIES);
    assert!(weekend.events < MOST_EVENTS / 2 && weekend.longest_history < MOST_EVENTS / 2);
    assert!(weekend.input < quota::INPUT / 2);
    assert!(transitions < quota::TRANSITIONS / 4 && functions < quota::FUNCTIONS / 10);
    assert!(starts < quota::STARTS / 4 && tasks <= quota::TASKS);
}
