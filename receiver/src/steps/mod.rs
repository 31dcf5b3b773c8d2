//! The steps: one file each, called by name. Each reads its input strictly, and called twice leaves what one call leaves.

mod acquire_lock;
mod add_writer;
mod await_database;
mod await_snapshot;
mod clean_up;
mod copy_snapshot;
mod credentials;
mod current_state;
mod find_release;
mod point_secret;
mod reap;
mod release_lock;
mod rename_new;
mod rename_old;
mod restore;
mod retain;
mod retire;
mod rollback;
mod smoke_check;
mod start_current;
mod take_over;
mod verify_release;

use snapshots::Snapshots;

use crate::world::World;

workflow::steps! {
    World over Snapshots:
    "AcquireLock" => acquire_lock,
    "FindRelease" => find_release,
    "VerifyRelease" => verify_release,
    "CurrentState" => current_state,
    "CopySnapshot" => copy_snapshot,
    "AwaitSnapshot" => await_snapshot,
    "Restore" => restore,
    "AwaitDatabase" => await_database,
    "AddWriter" => add_writer,
    "TakeOver" => take_over,
    "Credentials" => credentials,
    "SmokeCheck" => smoke_check,
    "StartCurrent" => start_current,
    "RenameOld" => rename_old,
    "RenameNew" => rename_new,
    "PointSecret" => point_secret,
    "Retire" => retire,
    "Retain" => retain,
    "Rollback" => rollback,
    "CleanUp" => clean_up,
    "ReleaseLock" => release_lock,
    "Reap" => reap,
}
