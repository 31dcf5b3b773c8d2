//! The production account's workflow: from the newest snapshot to a masked one that development may have.
//!
//! The definitions beside this crate's sources say what happens in which order, what is tried again and how long anything may
//! take; the steps do one thing each and return. No step waits, none shares what the gate has not let pass, and whatever a run
//! has made is found again by its name and its tag, by the run's own clean-up or by the reaper.

#[cfg(feature = "aws")]
pub mod aws;
pub mod clean;
pub mod definitions;
#[cfg(feature = "aws")]
pub mod doctor;
pub mod intent;
#[cfg(feature = "local")]
pub mod local;
pub mod names;
pub mod poll;
pub mod record;
pub mod report;
pub mod settings;
pub mod sizing;
pub mod steps;
pub mod world;

pub use settings::Settings;
pub use world::World;
