//! The development account's workflow: from a released snapshot to the development database.
//!
//! It lets in what production has signed and nothing else, and it never gives up the database that is there before the new
//! one has taken its place. It links neither the production account's workflow nor the masking engine: what it knows of them
//! is the signed statement and the marker in the database.

#[cfg(feature = "aws")]
pub mod aws;
pub mod current;
pub mod definitions;
#[cfg(feature = "aws")]
pub mod doctor;
pub mod intent;
pub mod local;
pub mod names;
pub mod pointer;
pub mod poll;
pub mod reader;
pub mod record;
pub mod refresh;
pub mod retire;
pub mod set_up;
pub mod settings;
pub mod steps;
pub mod undo;
pub mod world;

pub use settings::Settings;
pub use world::World;
