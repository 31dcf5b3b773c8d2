//! What the tests and the benchmark share: private servers, databases to spoil, and a way to run the command.
//!
//! Nothing of the product depends on this crate.

pub mod command;
pub mod hostile;
pub mod postgres;
