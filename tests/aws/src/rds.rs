//! An RDS that answers from a script: every request is kept as it was sent, and every answer is a document as RDS writes it.
//! It decides nothing and remembers nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::{RetryConfig, SharedCredentialsProvider};
use snapshots::rds::Rds;

/// The account that is asked.
pub const ACCOUNT: &str = "111111111111";
/// The region it is asked in.
pub const REGION: &str = "eu-west-1";

/// One answer of the script.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    body: String,
}

/// What an action answers: the inside of its result.
pub fn answer(action: &str, result: &str) -> Answer {
    let body = format!(
        "<{action}Response xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\">\n<{action}Result>{result}</{action}Result>\n\
         <ResponseMetadata><RequestId>523e3218-afc7-11c3-90f5-f90431260ab4</RequestId></ResponseMetadata>\n\
         </{action}Response>"
    );
    Answer { status: 200, body }
}

/// A refusal with its error code.
pub fn refusal(status: u16, code: &str) -> Answer {
    let body = format!(
        "<ErrorResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\">\n<Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>because of {code}</Message></Error>\n<RequestId>523e3218-afc7-11c3-90f5-f90431260ab4</RequestId>\n</ErrorResponse>"
    );
    Answer { status, body }
}

/// What a connection that broke leaves.
pub fn garbage(status: u16) -> Answer {
    Answer { status, body: "<html>the load balancer is sorry</html>".into() }
}

/// A request's parameters by name.
pub type Form = BTreeMap<String, String>;

/// A form as it is expected: the action, the version that every request states, and the rest.
pub fn form(action: &str, parameters: &[(&str, &str)]) -> Form {
    let fixed = [("Action", action), ("Version", "2014-10-31")];
    let all = fixed.iter().chain(parameters);
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The script and what was asked.
pub struct Script {
    /// The adapter that asks.
    pub rds: Rds,
    replay: StaticReplayClient,
    answers: usize,
}

impl Script {
    /// Answers in this order. Another request than these gets none, and fails the test.
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let events: Vec<_> = answers.into_iter().map(event).collect();
        let answers = events.len();
        let replay = StaticReplayClient::new(events);
        let rds = adapter(replay.clone(), SharedCredentialsProvider::new(credentials()));
        Self { rds, replay, answers }
    }

    /// What was asked, in order. All answers must have been asked for.
    pub fn asked(&self) -> Vec<Form> {
        let asked: Vec<Form> = self.replay.actual_requests().map(parameters).collect();
        assert_eq!(asked.len(), self.answers, "{asked:#?}");
        asked
    }

    /// The one request of this action.
    pub fn one(&self, action: &str) -> Form {
        let mut asked = self.asked();
        asked.retain(|form| form["Action"] == action);
        assert_eq!(asked.len(), 1, "{action}");
        asked.remove(0)
    }

    /// The actions that were asked for, in order.
    pub fn actions(&self) -> Vec<String> {
        self.asked().into_iter().map(|mut form| form.remove("Action").unwrap_or_default()).collect()
    }
}

/// An adapter whose connection breaks before there is an answer.
pub fn disconnected() -> Rds {
    let client = http_client_fn(|_, _| SharedHttpConnector::new(Cut));
    adapter(client, SharedCredentialsProvider::new(credentials()))
}

/// An adapter whose role may not be assumed.
pub fn unsigned() -> Rds {
    let refused = provide_credentials_fn(|| async {
        Err(CredentialsError::provider_error("the trust policy names somebody else"))
    });
    adapter(StaticReplayClient::new(Vec::new()), SharedCredentialsProvider::new(refused))
}

fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "secret", None, None, "test")
}

fn adapter(client: impl HttpClient + 'static, credentials: SharedCredentialsProvider) -> Rds {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::disabled())
        .sleep_impl(SharedAsyncSleep::new(Timeless))
        .http_client(client)
        .build();
    Rds::new(&config, ACCOUNT)
}

#[derive(Debug)]
struct Cut;

impl HttpConnector for Cut {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Err(ConnectorError::io("connection reset by peer".into())))
    }
}

/// No time passes here, and nothing times out.
#[derive(Debug)]
struct Timeless;

impl AsyncSleep for Timeless {
    fn sleep(&self, _: Duration) -> Sleep {
        Sleep::new(std::future::pending())
    }
}

fn event(answer: Answer) -> ReplayEvent {
    let status = answer.status.try_into().expect("the status is one of HTTP");
    ReplayEvent::new(HttpRequest::empty(), HttpResponse::new(status, answer.body.into()))
}

fn parameters(request: &HttpRequest) -> Form {
    let body = request.body().bytes().expect("the body of a request is in memory");
    form_urlencoded::parse(body).into_owned().collect()
}
