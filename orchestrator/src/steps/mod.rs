//! The steps: one file each, called by name. Each reads its input strictly and says in its own words what it refuses.

mod acquire_lock;
mod add_writer;
mod assert_isolated;
mod authorise;
mod await_database;
mod await_snapshot;
mod check_report;
mod clean_up;
mod encrypt_snapshot;
mod find_rules;
mod find_snapshot;
mod judge_fleet;
mod list_databases;
mod preview_access;
mod re_encrypt;
mod reap;
mod release;
mod release_lock;
mod restart;
mod restore;
mod resume;
mod retain;
mod share;
mod stage_snapshot;
mod take_over;

pub use resume::CONTAINER;
use snapshots::Snapshots;

use crate::world::World;

workflow::steps! {
    World over Snapshots:
    "AcquireLock" => acquire_lock,
    "FindRules" => find_rules,
    "FindSnapshot" => find_snapshot,
    "EncryptSnapshot" => encrypt_snapshot,
    "AwaitSnapshot" => await_snapshot,
    "Restore" => restore,
    "AwaitDatabase" => await_database,
    "AddWriter" => add_writer,
    "TakeOver" => take_over,
    "Restart" => restart,
    "AssertIsolated" => assert_isolated,
    "Resume" => resume,
    "CheckReport" => check_report,
    "StageSnapshot" => stage_snapshot,
    "ReEncrypt" => re_encrypt,
    "PreviewAccess" => preview_access,
    "Release" => release,
    "Share" => share,
    "CleanUp" => clean_up,
    "Retain" => retain,
    "ReleaseLock" => release_lock,
    "Reap" => reap,
    "Authorise" => authorise,
    "ListDatabases" => list_databases,
    "JudgeFleet" => judge_fleet,
}
