//! An analyzer of IAM Access Analyzer: what it says that sharing a snapshot would open. It is asked for a preview, which it takes
//! its time to make; nothing is shared by that, and nothing here decides whether it may be.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_types::SdkConfig;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::ask::{Request, Service, ask};
use super::{Arn, error, in_region};
use crate::error::AccountError;
use crate::previews::{Finding, Preview, Proposed};

const SERVICE: Service =
    Service { name: "access-analyzer", id: "AccessAnalyzer", refused: refusal };

/// An analyzer of the account's own.
#[derive(Clone, Debug)]
pub struct Analyzer {
    config: SdkConfig,
    arn: String,
}

#[derive(Deserialize)]
struct Begun {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Looked {
    access_preview: Looks,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Looks {
    status: String,
    status_reason: Option<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    findings: Vec<Finding>,
    next_token: Option<String>,
}

impl Analyzer {
    /// The analyzer of that ARN, in its own region.
    pub fn new(config: &SdkConfig, arn: &str) -> Result<Self, AccountError> {
        let arn = Arn::parse(arn, "access-analyzer")?;
        Ok(Self { config: in_region(config.clone(), &arn.region), arn: arn.text })
    }

    /// Begins a preview; the same one for the same token. What tells it from others.
    pub(crate) async fn begin(&self, proposed: &Proposed<'_>) -> Result<String, AccountError> {
        let snapshot = Arn::parse(proposed.snapshot, "rds")?;
        let kind = match snapshot.resource.split(':').next() {
            Some("snapshot") => "rdsDbSnapshot",
            Some("cluster-snapshot") => "rdsDbClusterSnapshot",
            _ => {
                let text = format!("`{}` is not the ARN of a snapshot", snapshot.text);
                return Err(AccountError::Other(text));
            }
        };
        let accounts = json!({ "restore": { "accountIds": proposed.accounts } });
        let change = json!({ kind: { "attributes": accounts, "kmsKeyId": proposed.key } });
        let body = json!({ "analyzerArn": self.arn, "clientToken": proposed.token,
                           "configurations": { proposed.snapshot: change } });
        let task = format!("preview who would get at {}", proposed.snapshot);
        let begun: Begun = self.ask(&task, "PUT", "/access-preview".to_owned(), body).await?;
        Ok(begun.id)
    }

    /// How far it is, and what it says.
    pub(crate) async fn look(&self, id: &str) -> Result<Preview, AccountError> {
        let task = format!("look at the preview {id}");
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
            return Err(AccountError::Other(format!("could not {task}: it is none")));
        }
        let (path, analyzer) = (format!("/access-preview/{id}"), query(&self.arn));
        let asked = format!("{path}?analyzerArn={analyzer}");
        let looked: Looked = self.ask(&task, "GET", asked, Value::Null).await?;
        let Looks { status, status_reason } = looked.access_preview;
        match status.as_str() {
            "COMPLETED" => Ok(Preview::Made(self.findings(&task, &path).await?)),
            "FAILED" => {
                let why = status_reason.map_or_else(|| "no reason".to_owned(), |why| why.code);
                Ok(Preview::Failed(why))
            }
            // A word that nobody has heard of is no yes.
            _ => Ok(Preview::Making),
        }
    }

    async fn findings(&self, task: &str, path: &str) -> Result<Vec<Finding>, AccountError> {
        let (mut all, mut body) = (Vec::new(), json!({ "analyzerArn": self.arn }));
        loop {
            let page: Page = self.ask(task, "POST", path.to_owned(), body.clone()).await?;
            all.extend(page.findings);
            match page.next_token.filter(|token| !token.is_empty()) {
                Some(token) => body["nextToken"] = token.into(),
                None => return Ok(all),
            }
        }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        task: &str,
        method: &'static str,
        path: String,
        body: Value,
    ) -> Result<T, AccountError> {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request { method, path, content_type: "application/json", body };
        let answer = ask(&self.config, SERVICE, task, request).await?;
        serde_json::from_slice(&answer).map_err(|_| error::unreadable(task))
    }
}

/// What a query takes of an ARN.
fn query(arn: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let of = |b: u8| match plain(b) {
        true => char::from(b).to_string(),
        false => format!("%{b:02X}"),
    };
    arn.bytes().map(of).collect()
}

/// The code stands in a header, with more behind a colon, or in the document.
fn refusal(answer: &HttpResponse) -> (Option<String>, Option<String>) {
    let body: Value =
        serde_json::from_slice(answer.body().bytes().unwrap_or_default()).unwrap_or_default();
    let text = |key: &str| body[key].as_str().map(ToOwned::to_owned);
    let code = answer.headers().get("x-amzn-errortype").map(ToOwned::to_owned);
    let code = code.or_else(|| text("__type")).or_else(|| text("code"));
    let code = code.map(|code| {
        let code = code.split(':').next().unwrap_or_default();
        code.rsplit('#').next().unwrap_or_default().to_owned()
    });
    (code, text("message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_in_a_query_is_one_word() {
        assert_eq!(query("arn:aws:x:y/z-1"), "arn%3Aaws%3Ax%3Ay%2Fz-1");
    }
}
