//! State machines: the subset of the Amazon States Language (states-language.net) that this product uses, read strictly,
//! and a runner that walks a definition in one process.
//!
//! AWS Step Functions and the runner walk the same file. What the subset does not have is an error with its position, never
//! something the runner passes over: JSONPath only, no JSONata; no activities, no timestamps to wait for, no distributed
//! maps. The runner knows no step: it is given something that answers calls ([`run::Calls`], for a whole account on one
//! machine [`local`]), a clock, and faults to make.

pub mod choice;
pub mod defect;
pub mod graph;
pub mod history;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod local;
pub mod machine;
pub mod parse;
pub mod path;
pub mod pauses;
pub mod run;
pub mod step_error;
pub mod steps;
pub mod template;

mod fields;
mod json;

pub use defect::{Defect, Defects, Position};
pub use machine::Machine;
pub use parse::parse;
pub use pauses::Pauses;
pub use step_error::StepError;
pub use steps::Steps;
