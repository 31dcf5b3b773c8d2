//! PostgreSQL.

pub mod catalog;
