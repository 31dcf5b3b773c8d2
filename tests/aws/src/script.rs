//! Services that answer from a script: every request is kept as it was sent, every answer is a document as the service writes
//! it. It decides nothing and remembers nothing.

use aws_credential_types::Credentials;
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::{RetryConfig, SharedCredentialsProvider};
use serde_json::{Value, json};

use crate::endpoint::{Answer, Asked};

/// The account that is asked.
pub const ACCOUNT: &str = "111111111111";
/// The region it is asked in.
pub const REGION: &str = "eu-west-1";

/// The script, and what was asked.
pub struct Script {
    /// Clients of this configuration ask the script.
    pub config: SdkConfig,
    replay: StaticReplayClient,
    answers: usize,
}

impl Script {
    /// Answers in this order. Another request than these gets none, and fails the test.
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let events: Vec<_> = answers.into_iter().map(event).collect();
        let answers = events.len();
        let replay = StaticReplayClient::new(events);
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled())
            .http_client(replay.clone())
            .build();
        Self { config, replay, answers }
    }

    /// What was asked, in order. All answers must have been asked for.
    pub fn asked(&self) -> Vec<Asked> {
        let asked: Vec<Asked> = self.replay.actual_requests().map(asked).collect();
        assert_eq!(asked.len(), self.answers, "{asked:#?}");
        asked
    }

    /// The operations and bodies that were asked for, of services that speak JSON.
    pub fn calls(&self) -> Vec<(String, Value)> {
        let call = |asked: Asked| {
            let body = serde_json::from_slice(&asked.body).expect("the body is JSON");
            (asked.header("x-amz-target").to_owned(), body)
        };
        self.asked().into_iter().map(call).collect()
    }
}

/// An answer of a service that speaks JSON.
pub fn answer(body: Value) -> Answer {
    Answer::new(200, body.to_string())
}

/// A refusal of such a service.
pub fn refusal(status: u16, code: &str) -> Answer {
    let body = json!({ "__type": code, "message": format!("because of {code}") });
    Answer::new(status, body.to_string())
}

/// A refusal of S3.
pub fn s3_refusal(status: u16, code: &str) -> Answer {
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    let body = format!(
        "{head}<Error><Code>{code}</Code><Message>because of {code}</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>"
    );
    Answer::new(status, body)
}

fn event(answer: Answer) -> ReplayEvent {
    let status = answer.status.try_into().expect("the status is one of HTTP");
    let mut response = HttpResponse::new(status, answer.body.into());
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value);
    }
    ReplayEvent::new(HttpRequest::empty(), response)
}

fn asked(request: &HttpRequest) -> Asked {
    let headers = request.headers().iter();
    Asked {
        method: request.method().to_owned(),
        path: request.uri().to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: request.body().bytes().expect("the body of a request is in memory").to_vec(),
    }
}
