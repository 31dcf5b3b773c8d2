//! What the tests of the AWS side share: an HTTP server to talk to.

pub mod endpoint;
