//! Leases in a DynamoDB table whose key is `pk`. `lease` is the second it runs out, as the table's time to live takes it.
//!
//! Whether a lease may be had is decided by the table and not by a reader: one conditional write.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use aws_types::SdkConfig;
use jiff::{SignedDuration, Timestamp};

use super::error;
use crate::error::AccountError;
use crate::locks::Acquired;

/// `owner` is one of DynamoDB's reserved words.
const OWNER: (&str, &str) = ("#owner", "owner");

/// A table of leases.
#[derive(Clone, Debug)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// The table of that name.
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self { client: Client::new(config), name: name.into() }
    }

    pub(crate) async fn acquire(
        &self,
        name: &str,
        owner: &str,
        span: SignedDuration,
    ) -> Result<Acquired, AccountError> {
        let now = Timestamp::now();
        let until = now.checked_add(span).unwrap_or(Timestamp::MAX);
        let request = self.client.put_item().table_name(&self.name);
        let request = request.item("pk", text(name)).item("owner", text(owner));
        let request = request.item("lease", second(until));
        let request = request
            .condition_expression("attribute_not_exists(pk) OR lease < :now OR #owner = :owner")
            .expression_attribute_names(OWNER.0, OWNER.1)
            .expression_attribute_values(":now", second(now))
            .expression_attribute_values(":owner", text(owner))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(_) => Ok(Acquired::Yes),
            Err(refusal) => match refusal.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(held)) => {
                    let owner = held.item().and_then(owner_of).unwrap_or("somebody else");
                    Ok(Acquired::HeldBy(owner.to_owned()))
                }
                _ => Err(error::of(&format!("take the lease `{name}`"), refusal)),
            },
        }
    }

    pub(crate) async fn owner(&self, name: &str) -> Result<Option<String>, AccountError> {
        let request = self.client.get_item().table_name(&self.name).key("pk", text(name));
        let answer = request.consistent_read(true).send().await;
        let answer = answer.map_err(|err| error::of(&format!("read the lease `{name}`"), err))?;
        let runs = |item: &HashMap<String, AttributeValue>| {
            let until = item.get("lease").and_then(|lease| lease.as_n().ok());
            let until = until.and_then(|second| second.parse::<i64>().ok());
            until.is_some_and(|until| until >= Timestamp::now().as_second())
        };
        Ok(answer.item().filter(|item| runs(item)).and_then(owner_of).map(ToOwned::to_owned))
    }

    pub(crate) async fn release(&self, name: &str, owner: &str) -> Result<(), AccountError> {
        let request = self.client.delete_item().table_name(&self.name).key("pk", text(name));
        let request = request
            .condition_expression("#owner = :owner")
            .expression_attribute_names(OWNER.0, OWNER.1)
            .expression_attribute_values(":owner", text(owner));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(refusal) => match refusal.as_service_error() {
                // Nobody's, or by now somebody else's.
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(error::of(&format!("give back the lease `{name}`"), refusal)),
            },
        }
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn second(moment: Timestamp) -> AttributeValue {
    AttributeValue::N(moment.as_second().to_string())
}

fn owner_of(item: &HashMap<String, AttributeValue>) -> Option<&str> {
    item.get("owner")?.as_s().ok().map(String::as_str)
}
