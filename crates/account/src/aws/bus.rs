//! A bus of EventBridge, also one of another account's, which lets this one put events there.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_types::SdkConfig;
use serde_json::Value;

use super::{Arn, error, in_region};
use crate::error::AccountError;

/// A bus.
#[derive(Clone, Debug)]
pub struct Bus {
    client: Client,
    arn: String,
}

impl Bus {
    /// The bus of that ARN, in its own region.
    pub fn new(config: &SdkConfig, arn: &str) -> Result<Self, AccountError> {
        let arn = Arn::parse(arn, "events")?;
        let config = in_region(config.clone(), &arn.region);
        Ok(Self { client: Client::new(&config), arn: arn.text })
    }

    /// Puts one event; answers with what tells it from others.
    pub async fn put(
        &self,
        source: &str,
        detail_type: &str,
        detail: &Value,
    ) -> Result<String, AccountError> {
        let task = format!("put an event on {}", self.arn);
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.arn)
            .source(source)
            .detail_type(detail_type)
            .detail(detail.to_string())
            .build();
        let answer = self.client.put_events().entries(entry).send().await;
        let answer = answer.map_err(|err| error::of(&task, err))?;
        // An answer that says yes can hold entries that were refused.
        let entry = answer.entries().first().ok_or_else(|| error::unreadable(&task))?;
        match (entry.event_id(), entry.error_code()) {
            (Some(id), None) if answer.failed_entry_count() == 0 => Ok(id.to_owned()),
            (_, code) => {
                Err(error::by_code(&task, 200, code.unwrap_or_default(), entry.error_message()))
            }
        }
    }
}
