//! What the tests of the AWS side share: answers of services and of RDS from a script, and an HTTP server to talk to.

pub mod ec2;
pub mod endpoint;
pub mod function;
pub mod rds;
pub mod script;
