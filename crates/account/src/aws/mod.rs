//! What this crate offers, on AWS: a lock in a DynamoDB table, documents in an S3 bucket, secrets in Secrets Manager, keys in
//! KMS, executions in Step Functions, a bus of EventBridge, an analyzer of access. The only code here that knows the SDK.
//!
//! A request that fails in passing is made again by the SDK two times, and then by the state machine; nothing here waits for
//! anything else, and nothing is logged.

mod analyzer;
pub mod arn;
pub mod ask;
mod bucket;
#[cfg(feature = "events")]
mod bus;
pub mod environment;
mod error;
#[cfg(feature = "states")]
mod history;
mod kms;
mod large;
mod look;
#[cfg(feature = "states")]
mod machine;
mod manager;
mod table;

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
pub use aws_types::SdkConfig;
use aws_types::region::Region;

pub use analyzer::Analyzer;
pub use arn::Arn;
pub use bucket::{Bucket, parse};
#[cfg(feature = "events")]
pub use bus::Bus;
pub use environment::Environment;
pub use kms::Kms;
pub use look::{State, Use};
#[cfg(feature = "states")]
pub use machine::{Follow, Machine, Told};
pub use manager::Manager;
pub use table::Table;

/// How long one attempt of a request may take: less than any step has.
const ATTEMPT: Duration = Duration::from_secs(50);

/// Region and credentials as the environment has them: a function's, a container's, a profile's.
pub async fn config() -> SdkConfig {
    loaded(None).await
}

/// The same where the region is known: nobody is asked for it.
pub async fn config_in(region: &str) -> SdkConfig {
    loaded(Some(Region::new(region.to_owned()))).await
}

async fn loaded(region: Option<Region>) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new();
    let http = http.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).build();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12());
    let config = match region {
        Some(region) => config.region(region),
        None => config,
    };
    config.http_client(http).timeout_config(timeouts).load().await
}

/// The same in another region.
pub fn in_region(config: SdkConfig, region: &str) -> SdkConfig {
    config.into_builder().region(Region::new(region.to_owned())).build()
}
