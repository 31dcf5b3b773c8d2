//! The definitions, as they are deployed: the same text for AWS and for one machine.

use workflow::{Defects, Machine};

/// From the newest release to the development database.
pub const WORKFLOW: Definition = Definition {
    machine: "receiver",
    file: "workflow.asl.json",
    text: include_str!("../workflow.asl.json"),
};
/// Several databases, each in an execution of its own.
pub const FLEET: Definition = Definition {
    machine: "receiver-fleet",
    file: "fleet.asl.json",
    text: include_str!("../fleet.asl.json"),
};
/// What is left of executions that no longer run, and databases whose grace has ended.
pub const REAPER: Definition = Definition {
    machine: "receiver-reaper",
    file: "reaper.asl.json",
    text: include_str!("../reaper.asl.json"),
};

/// All of them.
pub const ALL: [Definition; 3] = [WORKFLOW, FLEET, REAPER];

/// A definition's file.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// What its executions are executions of.
    pub machine: &'static str,
    /// The file's name, for messages.
    pub file: &'static str,
    /// What is in it.
    pub text: &'static str,
}

impl Definition {
    /// The machine, or everything that is wrong with it.
    pub fn parse(&self) -> Result<Machine, Defects> {
        workflow::parse(self.file, self.text)
    }
}
