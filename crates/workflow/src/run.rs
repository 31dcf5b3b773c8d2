//! Walks a definition in one process: calls answered by whatever it is given, time that passes as the clock says, faults
//! made on purpose.
//!
//! It follows the specification where the subset has something to say: results placed by `ResultSelector` and `ResultPath`,
//! retriers in order with their own counts, catchers after them, `States.ALL` for everything but `States.Runtime`, time-outs
//! of tasks and of the whole execution. Branches and items run one after the other and count as if side by side.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde_json::{Value, json};

use crate::history::{Event, History, What};
use crate::machine::{
    Catcher, Ending, Kind, Machine, Next, Number, Resource, ResultPath, Retrier, State, Task, Text,
};
use crate::template::{Scope, Template};

/// A failure as a state machine sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The error's name.
    pub error: String,
    /// A sentence.
    pub cause: String,
}

impl Failure {
    /// A failure of that name.
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { error: error.into(), cause: cause.into() }
    }

    fn runtime(cause: impl Into<String>) -> Self {
        Self::new("States.Runtime", cause)
    }
}

/// The answer of a call: its result and how long it took.
pub type Answer = Result<(Value, Duration), Failure>;

/// Answers the calls of tasks.
pub trait Calls {
    /// Calls a resource for a state with what its parameters say.
    fn call(
        &mut self,
        state: &str,
        resource: &Resource,
        parameters: &Value,
    ) -> impl Future<Output = Answer>;
}

/// Lets time pass.
pub trait Clock {
    /// Waits, or only says so.
    fn wait(&mut self, span: Duration) -> impl Future<Output = ()>;
}

/// Time that passes at once.
pub struct Virtual;

impl Clock for Virtual {
    async fn wait(&mut self, _: Duration) {}
}

/// What is done to a state on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Its call fails, and is not made.
    Fail(Failure),
    /// Its call is made and takes longer than it may.
    TimeOut,
    /// Its call is made twice; the second answer counts.
    Repeat,
    /// The execution is stopped: no further state runs, nothing is caught.
    Stop,
}

/// Decides what is done to a state each time it is entered.
pub trait Faults {
    /// The fault for this state.
    fn at(&mut self, state: &str) -> Fault;
}

/// No faults.
pub struct Faultless;

impl Faults for Faultless {
    fn at(&mut self, _: &str) -> Fault {
        Fault::None
    }
}

/// Is told what an execution goes through while it does.
pub trait Observer {
    /// A state was entered, was left, failed, …
    fn note(&mut self, event: &Event);
}

/// Nobody looks.
pub struct Unobserved;

impl Observer for Unobserved {
    fn note(&mut self, _: &Event) {}
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// Well, with its output.
    Succeeded(Value),
    /// Badly.
    Failed(Failure),
    /// After its time.
    TimedOut,
    /// It was stopped.
    Stopped,
}

/// An execution that has ended.
#[derive(Clone, Debug)]
pub struct Execution {
    /// How.
    pub end: End,
    /// Time it took.
    pub took: Duration,
    /// What it went through.
    pub history: History,
}

/// Runs a machine with an input; `context` is the context object (`$$`).
pub async fn run(
    machine: &Machine,
    input: Value,
    context: Value,
    calls: &mut impl Calls,
    clock: &mut impl Clock,
    faults: &mut impl Faults,
) -> Execution {
    observed(machine, input, context, calls, clock, faults, &mut Unobserved).await
}

/// Runs a machine while somebody looks.
pub async fn observed(
    machine: &Machine,
    input: Value,
    context: Value,
    calls: &mut impl Calls,
    clock: &mut impl Clock,
    faults: &mut impl Faults,
    observer: &mut dyn Observer,
) -> Execution {
    let limit = machine.timeout_seconds.map(Duration::from_secs);
    let mut walker = Walker {
        context,
        calls,
        clock,
        faults,
        observer,
        history: History::default(),
        now: Duration::ZERO,
        limit,
    };
    walker.history.count = 2;
    let end = match walker.walk(machine, input).await {
        Ok(output) => End::Succeeded(output),
        Err(Halt::Failed(failure)) => End::Failed(failure),
        Err(Halt::TimedOut) => End::TimedOut,
        Err(Halt::Stopped) => End::Stopped,
    };
    Execution { end, took: walker.now, history: walker.history }
}

/// Why a machine did not end well.
enum Halt {
    Failed(Failure),
    TimedOut,
    Stopped,
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Halt::Failed(failure)
    }
}

struct Walker<'a, C, K, F> {
    context: Value,
    calls: &'a mut C,
    clock: &'a mut K,
    faults: &'a mut F,
    observer: &'a mut dyn Observer,
    history: History,
    now: Duration,
    limit: Option<Duration>,
}

/// Where a state leads, and with what.
type Step = (Next, Value);

impl<C: Calls, K: Clock, F: Faults> Walker<'_, C, K, F> {
    /// Machines lie inside machines: the future must be boxed.
    fn walk<'s>(
        &'s mut self,
        machine: &'s Machine,
        input: Value,
    ) -> Pin<Box<dyn Future<Output = Result<Value, Halt>> + 's>> {
        Box::pin(async move {
            let (mut name, mut document) = (machine.start_at.as_str(), input);
            loop {
                let state = machine
                    .state(name)
                    .ok_or_else(|| Failure::runtime(format!("there is no state `{name}`")))?;
                self.note(name, What::Entered);
                let (next, output) = self.state(state, document).await?;
                self.note(name, What::Exited);
                if self.limit.is_some_and(|limit| self.now > limit) {
                    return Err(Halt::TimedOut);
                }
                document = output;
                match next {
                    Next::End => return Ok(document),
                    Next::State(next) => {
                        name = &machine
                            .state(&next)
                            .ok_or_else(|| Failure::runtime(format!("there is no state `{next}`")))?
                            .name;
                    }
                }
            }
        })
    }

    async fn state(&mut self, state: &State, input: Value) -> Result<Step, Halt> {
        self.history.count += 2;
        match &state.kind {
            Kind::Task(Task { ending, .. })
            | Kind::Parallel { ending, .. }
            | Kind::Map { ending, .. } => self.tried(state, ending, input).await,
            _ => {
                if self.faults.at(&state.name) == Fault::Stop {
                    return Err(Halt::Stopped);
                }
                self.plain(state, input).await
            }
        }
    }

    /// States that call nothing.
    async fn plain(&mut self, state: &State, input: Value) -> Result<Step, Halt> {
        let scope = Scope { input: &input, context: &self.context };
        match &state.kind {
            Kind::Wait { seconds, next } => {
                let seconds = number(seconds, &input)?;
                self.pass(Duration::from_secs(seconds)).await;
                Ok((next.clone(), input))
            }
            Kind::Choice { rules, default } => {
                for (rule, target) in rules {
                    if rule.holds(scope).map_err(Failure::runtime)? {
                        return Ok((Next::State(target.clone()), input));
                    }
                }
                let none = || Failure::new("States.NoChoiceMatched", "no rule holds");
                let target = default.clone().ok_or_else(none)?;
                Ok((Next::State(target), input))
            }
            Kind::Pass { result, result_path, next } => {
                let result = match result {
                    Some(template) => template.render(scope).map_err(Failure::runtime)?,
                    None => input.clone(),
                };
                Ok((next.clone(), place(result_path, input, result)?))
            }
            Kind::Fail { error, cause } => {
                let text = |text: &Option<Text>| match text {
                    Some(Text::Fixed(text)) => text.clone(),
                    Some(Text::At(path)) => {
                        let value = path.get(&input).cloned().unwrap_or_default();
                        value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
                    }
                    None => String::new(),
                };
                Err(Failure::new(text(error), text(cause)).into())
            }
            _ => Ok((Next::End, input)),
        }
    }

    /// States whose errors can be tried again and caught.
    async fn tried(&mut self, state: &State, ending: &Ending, input: Value) -> Result<Step, Halt> {
        let mut tries = vec![0; ending.retry.len()];
        loop {
            let failure = match self.once(state, ending, &input).await {
                Ok(output) => return Ok((ending.next.clone(), output)),
                Err(Halt::Failed(failure)) => failure,
                Err(halt) => return Err(halt),
            };
            self.note(&state.name, What::Failed(failure.error.clone()));
            let retrier =
                ending.retry.iter().position(|retrier| catches(&retrier.errors, &failure));
            if let Some(index) = retrier
                && tries[index] < ending.retry[index].max_attempts
            {
                self.pass(delay(&ending.retry[index], tries[index])).await;
                tries[index] += 1;
                self.note(&state.name, What::Retried);
                continue;
            }
            let catcher = ending.catch.iter().find(|catcher| catches(&catcher.errors, &failure));
            let Some(Catcher { result_path, next, .. }) = catcher else {
                return Err(failure.into());
            };
            self.note(&state.name, What::Caught(failure.error.clone()));
            let told = json!({ "Error": failure.error, "Cause": failure.cause });
            return Ok((Next::State(next.clone()), place(result_path, input, told)?));
        }
    }

    async fn once(&mut self, state: &State, ending: &Ending, input: &Value) -> Result<Value, Halt> {
        let fault = self.faults.at(&state.name);
        let result = match (&state.kind, fault) {
            (_, Fault::Stop) => return Err(Halt::Stopped),
            (_, Fault::Fail(failure)) => {
                self.history.count += 3;
                return Err(failure.into());
            }
            (Kind::Task(task), fault) => self.task(&state.name, task, input, &fault).await?,
            (Kind::Parallel { branches, .. }, _) => self.branches(branches, input).await?,
            (Kind::Map { items, selector, at_a_time, each, .. }, _) => {
                let list = items
                    .get(input)
                    .and_then(Value::as_array)
                    .ok_or_else(|| Failure::runtime(format!("no list stands at {items}")))?;
                let list = list.clone();
                let at_a_time = number(at_a_time, input)?;
                self.items(&list, selector.as_ref(), at_a_time, each, input).await?
            }
            _ => return Err(Failure::runtime("the state calls nothing").into()),
        };
        let selected = match &ending.result_selector {
            Some(selector) => selector
                .render(Scope { input: &result, context: &self.context })
                .map_err(Failure::runtime)?,
            None => result,
        };
        Ok(place(&ending.result_path, input.clone(), selected)?)
    }

    async fn task(
        &mut self,
        name: &str,
        task: &Task,
        input: &Value,
        fault: &Fault,
    ) -> Result<Value, Halt> {
        // Scheduled, started, ended; a container's start is told besides.
        self.history.count += if task.resource == Resource::Lambda { 3 } else { 4 };
        let parameters = match &task.parameters {
            Some(template) => template
                .render(Scope { input, context: &self.context })
                .map_err(|cause| Failure::new("States.ParameterPathFailure", cause))?,
            None => input.clone(),
        };
        let mut answer = self.calls.call(name, &task.resource, &parameters).await;
        if *fault == Fault::Repeat {
            answer = self.calls.call(name, &task.resource, &parameters).await;
        }
        let limit = task.timeout_seconds.map(Duration::from_secs);
        let (result, took) = match (answer, fault) {
            (Ok((result, took)), Fault::TimeOut) => {
                (result, limit.map_or(took, |limit| limit + Duration::from_secs(1)))
            }
            (answer, _) => answer?,
        };
        match limit.filter(|limit| took > *limit) {
            Some(limit) => {
                self.pass(limit).await;
                Err(Failure::new("States.Timeout", format!("no answer in {} s", limit.as_secs()))
                    .into())
            }
            // Without a limit nobody notices; the fault is made all the same.
            None if *fault == Fault::TimeOut => {
                Err(Failure::new("States.Timeout", "no answer in time").into())
            }
            None => {
                self.pass(took).await;
                Ok(result)
            }
        }
    }

    /// Side by side: each begins at the same time, the longest decides.
    async fn branches(&mut self, branches: &[Machine], input: &Value) -> Result<Value, Halt> {
        let (start, mut end) = (self.now, self.now);
        let mut results = Vec::new();
        self.history.count += 2;
        for branch in branches {
            self.now = start;
            results.push(self.walk(branch, input.clone()).await?);
            end = end.max(self.now);
        }
        self.now = end;
        Ok(results.into())
    }

    async fn items(
        &mut self,
        list: &[Value],
        selector: Option<&Template>,
        at_a_time: u64,
        each: &Machine,
        input: &Value,
    ) -> Result<Value, Halt> {
        let lanes = if at_a_time == 0 { list.len().max(1) } else { at_a_time as usize };
        let mut free = vec![self.now; lanes];
        let mut results = Vec::new();
        self.history.count += 1;
        for (index, item) in list.iter().enumerate() {
            // The next one begins where a place is free first.
            let lane = (0..lanes).min_by_key(|lane| free[*lane]).unwrap_or(0);
            self.now = free[lane];
            self.history.count += 2;
            let mut context = self.context.clone();
            context["Map"] = json!({ "Item": { "Index": index, "Value": item } });
            let item = match selector {
                Some(selector) => {
                    selector.render(Scope { input, context: &context }).map_err(Failure::runtime)?
                }
                None => item.clone(),
            };
            results.push(self.walk(each, item).await?);
            free[lane] = self.now;
        }
        self.now = free.into_iter().max().unwrap_or(self.now);
        Ok(results.into())
    }

    fn note(&mut self, state: &str, what: What) {
        let event = Event { at: self.now, state: state.to_owned(), what };
        self.observer.note(&event);
        self.history.events.push(event);
    }

    async fn pass(&mut self, span: Duration) {
        self.now += span;
        self.clock.wait(span).await;
    }
}

/// `States.ALL` is everything but `States.Runtime`; `States.TaskFailed` everything of tasks but time-outs.
fn catches(errors: &[String], failure: &Failure) -> bool {
    errors.iter().any(|error| match error.as_str() {
        "States.ALL" => {
            failure.error != "States.Runtime" && failure.error != "States.DataLimitExceeded"
        }
        "States.TaskFailed" => {
            failure.error == "States.TaskFailed" || !failure.error.starts_with("States.")
        }
        name => name == failure.error,
    })
}

/// The number itself, or the one at its path.
fn number(number: &Number, input: &Value) -> Result<u64, Failure> {
    match number {
        Number::Fixed(number) => Ok(*number),
        Number::At(path) => path
            .get(input)
            .and_then(Value::as_u64)
            .ok_or_else(|| Failure::runtime(format!("no whole number stands at {path}"))),
    }
}

/// Before try number `tries` + 1.
fn delay(retrier: &Retrier, tries: u64) -> Duration {
    let exponent = i32::try_from(tries).unwrap_or(i32::MAX);
    let seconds = retrier.interval_seconds as f64 * retrier.backoff_rate.powi(exponent);
    let most = retrier.max_delay_seconds.map_or(f64::from(u32::MAX), |most| most as f64);
    Duration::from_secs_f64(seconds.min(most))
}

fn place(path: &ResultPath, mut input: Value, result: Value) -> Result<Value, Failure> {
    match path {
        ResultPath::Discard => Ok(input),
        ResultPath::At(path) => {
            if path.put(&mut input, result) {
                Ok(input)
            } else {
                let cause = format!("nothing can be put at {path}");
                Err(Failure::new("States.ResultPathMatchFailure", cause))
            }
        }
    }
}
