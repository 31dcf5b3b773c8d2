//! The command itself against servers on this machine that answer as KMS, S3 and Secrets Manager do: codes are real ones, and
//! documents are kept. The databases are real SQLite and PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic, in its helpers too")]

mod cloud;
mod places;
mod resumed;
