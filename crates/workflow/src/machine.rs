//! A state machine as plain data.

use crate::choice::Rule;
use crate::defect::Position;
use crate::path::Path;
use crate::template::Template;

/// States and where to begin. Also what a branch of a parallel state is, and what a map does with each item.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// The first state.
    pub start_at: String,
    /// Seconds after which the whole execution has timed out.
    pub timeout_seconds: Option<u64>,
    /// By name, in the file's order.
    pub states: Vec<State>,
}

/// One state.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Its name.
    pub name: String,
    /// Where it stands in the file.
    pub at: Position,
    /// What it does.
    pub kind: Kind,
}

/// What a state does.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Calls a resource.
    Task(Task),
    /// Lets time pass.
    Wait {
        /// How long.
        seconds: Number,
        /// Where to.
        next: Next,
    },
    /// Goes where the first rule that holds says.
    Choice {
        /// Rules with their targets.
        rules: Vec<(Rule, String)>,
        /// Where to if none holds.
        default: Option<String>,
    },
    /// Changes the document.
    Pass {
        /// What it gives; its input where there is none.
        result: Option<Template>,
        /// Where that goes.
        result_path: ResultPath,
        /// Where to.
        next: Next,
    },
    /// Runs machines side by side; its result is the list of theirs.
    Parallel {
        /// The machines.
        branches: Vec<Machine>,
        /// What follows.
        ending: Ending,
    },
    /// Runs a machine for each item of a list.
    Map {
        /// The list.
        items: Path,
        /// What the machine gets; the item where there is none.
        selector: Option<Template>,
        /// At most so many at a time; 0 for any.
        at_a_time: Number,
        /// The machine.
        each: Machine,
        /// What follows.
        ending: Ending,
    },
    /// Ends the execution well.
    Succeed,
    /// Ends the execution badly.
    Fail {
        /// The error's name.
        error: Option<Text>,
        /// A sentence.
        cause: Option<Text>,
    },
}

/// A fixed text, or what stands at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    /// As it is.
    Fixed(String),
    /// At a path.
    At(Path),
}

/// A whole number, of seconds for instance.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    /// As many.
    Fixed(u64),
    /// As many as stand at a path.
    At(Path),
}

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// What is called.
    pub resource: Resource,
    /// What it is given; the state's input where there is none.
    pub parameters: Option<Template>,
    /// Seconds after which the call has timed out.
    pub timeout_seconds: Option<u64>,
    /// What follows.
    pub ending: Ending,
}

/// What follows a task, a parallel state or a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// What is made of the result.
    pub result_selector: Option<Template>,
    /// Where that goes.
    pub result_path: ResultPath,
    /// What is tried again.
    pub retry: Vec<Retrier>,
    /// What is caught.
    pub catch: Vec<Catcher>,
    /// Where to.
    pub next: Next,
}

/// What can be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// `arn:aws:states:::lambda:invoke`.
    Lambda,
    /// `arn:aws:states:::ecs:runTask.sync`: a container, to its end.
    RunTask,
    /// `arn:aws:states:::states:startExecution.sync:2`: another machine, to its end.
    StartExecution,
    /// `arn:aws:states:::sns:publish`.
    Publish,
    /// `arn:aws:states:::events:putEvents`.
    PutEvents,
}

impl Resource {
    /// All of them with what a definition calls them.
    pub const ALL: [(Resource, &'static str); 5] = [
        (Resource::Lambda, "arn:aws:states:::lambda:invoke"),
        (Resource::RunTask, "arn:aws:states:::ecs:runTask.sync"),
        (Resource::StartExecution, "arn:aws:states:::states:startExecution.sync:2"),
        (Resource::Publish, "arn:aws:states:::sns:publish"),
        (Resource::PutEvents, "arn:aws:states:::events:putEvents"),
    ];

    /// What a definition calls it.
    pub fn arn(&self) -> &'static str {
        let known = Self::ALL.iter().find(|(resource, _)| resource == self);
        known.map_or("", |(_, arn)| arn)
    }
}

/// Where to go next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// To a state.
    State(String),
    /// Out of the machine, well.
    End,
}

/// Where a result goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResultPath {
    /// To a place in the input; the whole of it for `$`.
    At(Path),
    /// Nowhere: the output is the input.
    Discard,
}

/// Errors that are tried again.
#[derive(Clone, Debug, PartialEq)]
pub struct Retrier {
    /// Names of errors.
    pub errors: Vec<String>,
    /// Seconds before the first try.
    pub interval_seconds: u64,
    /// Tries.
    pub max_attempts: u64,
    /// What the interval is multiplied by for each further try.
    pub backoff_rate: f64,
    /// The longest interval.
    pub max_delay_seconds: Option<u64>,
}

/// Errors that are caught.
#[derive(Clone, Debug, PartialEq)]
pub struct Catcher {
    /// Names of errors.
    pub errors: Vec<String>,
    /// Where the error goes.
    pub result_path: ResultPath,
    /// Where to.
    pub next: String,
}

impl Machine {
    /// The state of that name.
    pub fn state(&self, name: &str) -> Option<&State> {
        self.states.iter().find(|state| state.name == name)
    }

    /// Every state, those of branches and maps included, with the machine that it belongs to.
    pub fn all_states(&self) -> Vec<(&Machine, &State)> {
        let mut all = Vec::new();
        for state in &self.states {
            all.push((self, state));
            for inner in state.inner() {
                all.extend(inner.all_states());
            }
        }
        all
    }
}

impl State {
    /// The machines inside it.
    pub fn inner(&self) -> &[Machine] {
        match &self.kind {
            Kind::Parallel { branches, .. } => branches,
            Kind::Map { each, .. } => std::slice::from_ref(each),
            _ => &[],
        }
    }

    /// What follows it, where errors can be tried again and caught.
    pub fn ending(&self) -> Option<&Ending> {
        match &self.kind {
            Kind::Task(Task { ending, .. })
            | Kind::Parallel { ending, .. }
            | Kind::Map { ending, .. } => Some(ending),
            _ => None,
        }
    }

    /// Every state it can lead to, by name.
    pub fn targets(&self) -> Vec<&str> {
        let mut targets: Vec<&str> = Vec::new();
        let next = match &self.kind {
            Kind::Wait { next, .. } | Kind::Pass { next, .. } => Some(next),
            _ => self.ending().map(|ending| &ending.next),
        };
        if let Some(Next::State(name)) = next {
            targets.push(name);
        }
        if let Kind::Choice { rules, default } = &self.kind {
            targets.extend(rules.iter().map(|(_, target)| target.as_str()));
            targets.extend(default.as_deref());
        }
        let catchers = self.ending().into_iter().flat_map(|ending| &ending.catch);
        targets.extend(catchers.map(|catcher| catcher.next.as_str()));
        targets
    }

    /// It can end the machine it is in.
    pub fn is_terminal(&self) -> bool {
        let next = match &self.kind {
            Kind::Succeed | Kind::Fail { .. } => return true,
            Kind::Wait { next, .. } | Kind::Pass { next, .. } => Some(next),
            _ => self.ending().map(|ending| &ending.next),
        };
        next == Some(&Next::End)
    }
}
