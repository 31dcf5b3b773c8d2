//! The definitions, as they are deployed: the same text for AWS and for one machine.

use workflow::{Defects, Machine};

/// One execution for each server: from its newest snapshot to a released one.
pub const WORKFLOW: Definition =
    Definition { name: "workflow.asl.json", text: include_str!("../workflow.asl.json") };
/// Every server, some at a time.
pub const FLEET: Definition =
    Definition { name: "fleet.asl.json", text: include_str!("../fleet.asl.json") };
/// Development's wish for a new release.
pub const REQUEST: Definition =
    Definition { name: "request.asl.json", text: include_str!("../request.asl.json") };
/// What is left of executions that no longer run.
pub const REAPER: Definition =
    Definition { name: "reaper.asl.json", text: include_str!("../reaper.asl.json") };

/// All of them.
pub const ALL: [Definition; 4] = [WORKFLOW, FLEET, REQUEST, REAPER];

/// A definition's file.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Its name, for messages.
    pub name: &'static str,
    /// What is in it.
    pub text: &'static str,
}

impl Definition {
    /// The machine, or everything that is wrong with it.
    pub fn machine(&self) -> Result<Machine, Defects> {
        workflow::parse(self.name, self.text)
    }
}
