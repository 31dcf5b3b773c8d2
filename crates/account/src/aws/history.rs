//! The events of an execution of Step Functions, read as the lines that executions on one machine have: what entered, what was
//! left, what failed, what was tried again. Only the events of a state's beginning and end name it; every other one leads back
//! to such by the event before it.

use std::collections::HashMap;

use aws_sdk_sfn::types::{HistoryEvent, HistoryEventType};
use workflow::local::Line;

use super::machine::moment;

/// What was read so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    events: HashMap<i64, Known>,
    last: i64,
    state: Option<String>,
}

/// An event.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Whose it is.
    state: String,
    /// It says that a call failed.
    failed: bool,
}

impl Reader {
    /// The number of the last event that was read.
    pub(super) fn last(&self) -> i64 {
        self.last
    }

    /// The state that was entered last.
    pub(super) fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Reads the next event; most say nothing.
    pub(super) fn read(&mut self, event: &HistoryEvent) -> Option<Line> {
        let before = self.events.get(&event.previous_event_id()).cloned().unwrap_or_default();
        let entered = event.state_entered_event_details().map(|details| details.name());
        let exited = event.state_exited_event_details().map(|details| details.name());
        let (state, what, error) = if let Some(name) = entered {
            self.state = Some(name.to_owned());
            (name.to_owned(), Some("entered"), None)
        } else if let Some(name) = exited {
            (name.to_owned(), Some("exited"), None)
        } else if let Some(error) = failure(event) {
            (before.state, Some("failed"), Some(error.to_owned()))
        } else if before.failed && is_scheduled(event.r#type()) {
            (before.state, Some("retried"), None)
        } else {
            (before.state, None, None)
        };
        let known = Known { state: state.clone(), failed: what == Some("failed") };
        self.events.insert(event.id(), known);
        self.last = self.last.max(event.id());
        let time = moment(event.timestamp());
        what.map(|what| Line { time, state, what: what.to_owned(), error })
    }
}

/// The error of a call that failed.
fn failure(event: &HistoryEvent) -> Option<&str> {
    let error = match event.r#type() {
        HistoryEventType::TaskFailed => event.task_failed_event_details()?.error(),
        HistoryEventType::TaskTimedOut => event.task_timed_out_event_details()?.error(),
        HistoryEventType::TaskStartFailed => event.task_start_failed_event_details()?.error(),
        HistoryEventType::TaskSubmitFailed => event.task_submit_failed_event_details()?.error(),
        _ => return None,
    };
    Some(error.unwrap_or_default())
}

fn is_scheduled(of: &HistoryEventType) -> bool {
    matches!(of, HistoryEventType::TaskScheduled)
}
