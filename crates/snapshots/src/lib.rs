//! Databases and their snapshots behind one small port: take, copy under a key, share, restore, rename, describe, delete,
//! list. Database instances and Aurora clusters are the same thing here; where they differ, the adapter knows.
//!
//! No verb waits. What a verb has begun is described until it is done: by the resource's own identifier, which stays the
//! same when a name changes hands, and by [`status`], which knows every word a database says of itself. Waiting, trying
//! again and deadlines belong to the state machine.

pub mod arn;
pub mod error;
#[cfg(feature = "local")]
pub mod local;
pub mod name;
pub mod port;
#[cfg(feature = "rds")]
pub mod rds;
pub mod select;
pub mod status;

pub use error::SnapshotError;
pub use port::{
    Database, Kind, Login, Member, Restore, Secret, Settings, Snapshot, Snapshots, Tags,
};
