//! The masking engine behind the `anonymizer` command.
//!
//! Rules are parsed ([`rules`]), the database describes itself ([`catalog`]), a pure function joins the two ([`plan`]), and an
//! [`engine`] carries the plan out with the masking functions of [`mask`]. Any finding refuses the run before anything is
//! written. Row values appear in no message, log, plan or report.

pub mod catalog;
pub mod cli;
mod digits;
pub mod engine;
pub mod execute;
pub mod finding;
pub mod identifier;
pub mod kept;
pub mod mask;
pub mod page;
pub mod plan;
pub mod progress;
pub mod report;
pub mod rules;
pub mod scrub;
pub mod spread;
mod switches;
pub mod value;
pub mod verify;
