//! What the tests of the AWS side share: an HTTP server to talk to, and an RDS that answers from a script.

pub mod endpoint;
pub mod rds;
