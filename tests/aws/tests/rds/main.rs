//! What the adapter for Amazon RDS asks, to the last parameter, and what it makes of the answers. The forms are compared whole:
//! a parameter too many fails a test like one too few.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic, in its helpers too")]

mod changes;
mod databases;
mod given;
mod refusals;
mod restoring;
mod sharing;
mod snapshots;
