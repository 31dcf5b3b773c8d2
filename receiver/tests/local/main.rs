//! The whole definition on one machine: real SQLite files, real encryption, real signatures, and time that does not pass.

#![allow(clippy::unwrap_used, reason = "tests fail as tests do")]

mod arrive;
mod command;
mod definition;
mod faults;
mod postgres;
mod refuse;
mod swap;
mod world;
