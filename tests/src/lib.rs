//! What the tests, the benchmark and the demo share: private servers, databases to spoil, a way to run the command, and
//! ways to look at what is left.
//!
//! Nothing of the product depends on this crate.

pub mod canary;
pub mod command;
pub mod gate;
pub mod hostile;
pub mod masked;
pub mod postgres;
pub mod residue;
pub mod rows;
pub mod samples;
pub mod scrub;
pub mod seen;
pub mod servers;
pub mod shop;
pub mod sqlite;
