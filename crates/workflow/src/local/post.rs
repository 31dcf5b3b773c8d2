//! Events on a bus and messages of a topic as files, one each: put by one process, taken by another.

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::file;
use crate::run::Failure;

/// A bus, or a topic.
#[derive(Clone, Debug)]
pub struct Post {
    /// One file each.
    pub directory: PathBuf,
}

/// What was put there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// What tells it from others; later ones come later in the order.
    pub id: String,
    /// The account it comes from.
    pub account: String,
    /// When.
    pub time: Timestamp,
    /// An event's source, or a topic's name.
    pub source: String,
    /// An event's kind, or a message's subject.
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    /// The rest.
    pub detail: Value,
}

impl Post {
    /// Puts one.
    pub fn put(
        &self,
        account: &str,
        source: &str,
        detail_type: &str,
        detail: &Value,
    ) -> io::Result<Item> {
        let time = Timestamp::now();
        let mut number = 0;
        loop {
            let id = format!("{:020}-{number:03}", time.as_nanosecond());
            let item = Item {
                account: account.to_owned(),
                time,
                source: source.to_owned(),
                detail_type: detail_type.to_owned(),
                detail: detail.clone(),
                id,
            };
            match file::write(&file::named(&self.directory, &item.id)?, &item, true) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                written => return written.map(|()| item),
            }
        }
    }

    /// Everything that is there, in order.
    pub fn list(&self) -> io::Result<Vec<Item>> {
        let mut items = Vec::new();
        for name in file::names(&self.directory)? {
            items.extend(file::read(&file::named(&self.directory, &name)?)?);
        }
        Ok(items)
    }

    /// Takes one away: it has been dealt with.
    pub fn remove(&self, id: &str) -> io::Result<()> {
        match std::fs::remove_file(file::named(&self.directory, id)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Answers `events:putEvents` of an account's state machine.
    pub fn put_events(&self, account: &str, parameters: &Value) -> Result<Value, Failure> {
        let mut ids = Vec::new();
        for entry in parameters["Entries"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let text = |key: &str| entry[key].as_str().unwrap_or_default();
            // A definition gives an object; the service's own callers give the text of one.
            let detail = match &entry["Detail"] {
                Value::String(text) => serde_json::from_str(text)
                    .map_err(|_| Failure::new("EventBridge.MalformedDetail", "no JSON"))?,
                detail => detail.clone(),
            };
            let put = self.put(account, text("Source"), text("DetailType"), &detail);
            ids.push(json!({ "EventId": put.map_err(|error| failed("EventBridge", &error))?.id }));
        }
        Ok(json!({ "FailedEntryCount": 0, "Entries": ids }))
    }

    /// Answers `sns:publish` of an account's state machine.
    pub fn publish(&self, account: &str, parameters: &Value) -> Result<Value, Failure> {
        let text = |key: &str| parameters[key].as_str().unwrap_or_default();
        let put = self.put(account, text("TopicArn"), text("Subject"), &parameters["Message"]);
        Ok(json!({ "MessageId": put.map_err(|error| failed("SNS", &error))?.id }))
    }
}

fn failed(service: &str, error: &io::Error) -> Failure {
    Failure::new(format!("{service}.InternalErrorException"), error.kind().to_string())
}
