//! What an execution has been through, and how many events of history it costs.
//!
//! Step Functions keeps at most 25,000 events of a standard execution and fails it at the next one. The number of events of
//! each kind of state is that of its execution history: entered, exited, and for calls scheduled, started, ended.

use std::time::Duration;

/// Events that an execution may have.
pub const MOST_EVENTS: u64 = 25_000;

/// One state that was gone through, or one try of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Time since the start.
    pub at: Duration,
    /// The state.
    pub state: String,
    /// What happened.
    pub what: What,
}

/// What happened to a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It was entered.
    Entered,
    /// Its call failed with this error.
    Failed(String),
    /// Its call is tried again.
    Retried,
    /// Its error was caught.
    Caught(String),
    /// It was left.
    Exited,
}

/// An execution's events.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// In order; those of branches one branch after the other.
    pub events: Vec<Event>,
    /// As Step Functions would count them.
    pub count: u64,
}

impl History {
    /// States entered, in order.
    pub fn entered(&self) -> Vec<&str> {
        let entered = self.events.iter().filter(|event| event.what == What::Entered);
        entered.map(|event| event.state.as_str()).collect()
    }
}
