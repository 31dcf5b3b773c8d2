//! What crosses a process or an account: exit codes, the report of a run, the statement that carries it, its signature.
//!
//! These types belong to the boundary and are plain data. Nothing here connects or decides what is masked; a reader in
//! another account, built on another day, must be able to rely on them. Row values never appear in any of them.

pub mod dsse;
pub mod exit_codes;
pub mod key;
pub mod release;
pub mod report;
pub mod statement;
