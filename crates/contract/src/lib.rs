//! What crosses a process or an account: exit codes and the JSON report.
//!
//! These types belong to the boundary and are plain data. Nothing here computes, connects or decides; a reader in another
//! account, built on another day, must be able to rely on them. Row values never appear in any of them.

pub mod exit_codes;
pub mod report;
