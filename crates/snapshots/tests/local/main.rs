//! The local adapter with real files: accounts, snapshots, refusals, faults, and processes that are killed.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests wait, and may be told what to do"
)]

mod encryption;
mod faults;
mod life;
mod postgres;
mod processes;
mod refusals;
mod world;
