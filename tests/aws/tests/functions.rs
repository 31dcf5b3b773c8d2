//! The functions of both accounts, as AWS runs them: the real programs, told by their environment and by a document, and a
//! server that keeps what they ask of S3, DynamoDB, Step Functions and RDS.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic, in its helpers too")]

use std::process::Command;

use e2e_aws::endpoint::{Answer, Asked, Endpoint};
use e2e_aws::function::{called, outcome};
use e2e_aws::script::{refusal, s3_refusal};
use serde_json::{Value, json};

const ISOLATION: &str = r#"{"subnet_group":"isolated","security_groups":"sg-1"}"#;
/// As a template's parameter has it.
const KEY: &str = "-----BEGIN PUBLIC KEY----- MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= -----END PUBLIC KEY-----";

const PRODUCTION: &[(&str, &str)] = &[
    ("ANONYMIZER_DOCUMENTS", "s3://shop-documents"),
    ("ANONYMIZER_EVIDENCE", "s3://shop-evidence"),
    ("ANONYMIZER_TABLE", "shop-locks"),
    ("ANONYMIZER_WORK_KEY", "arn:aws:kms:eu-west-1:111111111111:key/work"),
    ("ANONYMIZER_SHARE_KEY", "arn:aws:kms:eu-west-1:111111111111:key/share"),
    ("ANONYMIZER_SIGN_KEY", "arn:aws:kms:eu-west-1:111111111111:key/sign"),
    ("ANONYMIZER_ACCOUNTS", "222222222222"),
    ("ANONYMIZER_ISOLATION", ISOLATION),
    ("ANONYMIZER_ANALYZER", "no"),
    ("ANONYMIZER_WORKFLOW", "arn:aws:states:eu-west-1:111111111111:stateMachine:shop-workflow"),
];
const DEVELOPMENT: &[(&str, &str)] = &[
    ("ANONYMIZER_DOCUMENTS", "s3://dev-documents"),
    ("ANONYMIZER_RELEASES", "s3://shop-evidence"),
    ("ANONYMIZER_TABLE", "dev-locks"),
    ("ANONYMIZER_KEY", "arn:aws:kms:eu-west-1:222222222222:key/dev"),
    ("ANONYMIZER_SHARE_KEY", "arn:aws:kms:eu-west-1:111111111111:key/share"),
    ("ANONYMIZER_PRODUCER", "111111111111"),
    ("ANONYMIZER_REGION", "eu-west-1"),
    ("ANONYMIZER_PUBLIC_KEYS", KEY),
    ("ANONYMIZER_DATABASE_PREFIX", "shop"),
    ("ANONYMIZER_SECRET_PREFIX", "shop/"),
    ("ANONYMIZER_WORKFLOW", "arn:aws:states:eu-west-1:222222222222:stateMachine:dev-workflow"),
];

/// One of the two accounts, and the server it asks.
struct Account {
    program: &'static str,
    variables: Vec<(&'static str, &'static str)>,
    endpoint: Endpoint,
}

impl Account {
    async fn production(answer: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let program = env!("CARGO_BIN_EXE_production-function");
        Self::new(program, PRODUCTION, answer).await
    }

    async fn development(
        answer: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let program = env!("CARGO_BIN_EXE_development-function");
        Self::new(program, DEVELOPMENT, answer).await
    }

    async fn new(
        program: &'static str,
        variables: &[(&'static str, &'static str)],
        answer: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        // What is not expected is refused, in words of no service.
        let answer = move |asked: &Asked| answer(asked).or(Some(Answer::new(418, "")));
        let endpoint = Endpoint::new(answer).await.unwrap();
        Self { program, variables: variables.to_vec(), endpoint }
    }

    fn without(mut self, name: &str) -> Self {
        self.variables.retain(|(known, _)| *known != name);
        self
    }

    fn with(self, name: &'static str, value: &'static str) -> Self {
        let mut other = self.without(name);
        other.variables.push((name, value));
        other
    }

    async fn call(&self, handler: &str, input: Value) -> Result<Value, (String, String)> {
        let mut command = Command::new(self.program);
        command
            .env_clear()
            .envs(self.variables.iter().copied())
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "hunter2")
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.endpoint.address()));
        let (post, said) = called(&mut command, handler, &input).await;
        assert!(!said.contains("hunter2"), "{said}");
        outcome(&post)
    }

    /// What was asked: of S3 by method and place, of the others by operation.
    fn asked(&self) -> Vec<String> {
        let sort = |asked: &Asked| match asked.header("x-amz-target") {
            "" => format!("{} {}", asked.method, asked.path.split("?x-id").next().unwrap()),
            target => target.split('.').next_back().unwrap().to_owned(),
        };
        self.endpoint.asked().iter().map(sort).collect()
    }
}

fn settings(more: &str) -> Answer {
    let databases = r#""databases": {
        "shop": { "source": "shop-prod", "max_age_hours": 48, "isolation": { "class": "db.r6g.large" } },
        "crm": { "source": "crm-prod", "max_age_hours": 24 } }"#;
    Answer::new(200, format!("{{ {more} {databases} }}"))
}

fn dev_settings() -> Answer {
    let databases = r#"{ "shop": { "name": "shop", "engine": "postgres", "secret": "shop/db" } }"#;
    Answer::new(200, format!(r#"{{ "databases": {databases} }}"#))
}

fn is(asked: &Asked, method: &str, place: &str) -> bool {
    asked.method == method && asked.path.split('?').next() == Some(place)
}

fn settings_only(answer: Answer) -> impl Fn(&Asked) -> Option<Answer> + Send + Sync {
    move |asked| is(asked, "GET", "/shop-documents/settings.json").then(|| answer.clone())
}

#[tokio::test]
async fn a_function_knows_what_the_stack_and_the_document_say() {
    let account = Account::production(settings_only(settings(""))).await;
    let listed = account.call("ListDatabases", json!({})).await;
    assert_eq!(listed.unwrap()["databases"], json!(["crm", "shop"]));
    assert_eq!(account.asked(), ["GET /shop-documents/settings.json"]);
}

#[tokio::test]
async fn a_document_that_decides_whom_releases_are_for_is_refused() {
    for (more, name) in [
        (r#""accounts": ["333333333333"],"#, "accounts"),
        (r#""share_key": "arn:aws:kms:eu-west-1:333333333333:key/theirs","#, "share_key"),
    ] {
        let account = Account::production(settings_only(settings(more))).await;
        let (kind, why) = account.call("ListDatabases", json!({})).await.unwrap_err();
        let expected =
            format!("s3://shop-documents/settings.json: `{name}` is decided by the stack");
        assert_eq!(kind, "Fatal");
        assert!(why.starts_with(&expected), "{why}");
        assert_eq!(account.asked(), ["GET /shop-documents/settings.json"]);
    }
}

#[tokio::test]
async fn what_a_function_was_not_told_is_one_message_and_no_request() {
    let account = Account::production(|_: &Asked| None).await;
    let account = account.without("ANONYMIZER_TABLE").with("ANONYMIZER_SIGN_KEY", "");
    let (kind, why) = account.call("ListDatabases", json!({})).await.unwrap_err();
    assert_eq!(kind, "Fatal");
    assert!(
        why.starts_with("the environment lacks ANONYMIZER_TABLE, ANONYMIZER_SIGN_KEY\n"),
        "{why}"
    );
    assert_eq!(account.asked(), [""; 0]);
    for (name, value, said) in [
        ("ANONYMIZER_EVIDENCE", "shop-evidence", "is not of the form s3://BUCKET"),
        ("ANONYMIZER_WORKFLOW", "shop-workflow", "is not an ARN of states"),
        ("ANONYMIZER_ISOLATION", r#"{"subnet_group":"isolated"}"#, "`security_groups` is missing"),
        ("ANONYMIZER_ANALYZER", "none", "is not an ARN of access-analyzer"),
    ] {
        let account = Account::production(|_: &Asked| None).await.with(name, value);
        let (kind, why) = account.call("ListDatabases", json!({})).await.unwrap_err();
        assert_eq!((kind.as_str(), why.contains(said)), ("Fatal", true), "{why}");
        assert_eq!(account.asked(), [""; 0]);
    }
}

#[tokio::test]
async fn settings_that_cannot_be_read_now_are_read_again_and_those_that_are_not_there_are_told() {
    let account = Account::production(settings_only(s3_refusal(404, "NoSuchKey"))).await;
    let (kind, why) = account.call("ListDatabases", json!({})).await.unwrap_err();
    assert_eq!(kind, "Fatal");
    assert!(why.starts_with("there is no s3://shop-documents/settings.json"), "{why}");
    let account = Account::production(settings_only(s3_refusal(503, "SlowDown"))).await;
    let (kind, _) = account.call("ListDatabases", json!({})).await.unwrap_err();
    assert_eq!(kind, "Retryable");
    let account = Account::production(settings_only(s3_refusal(403, "AccessDenied"))).await;
    let (kind, why) = account.call("ListDatabases", json!({})).await.unwrap_err();
    assert_eq!((kind.as_str(), why.contains("settings.json")), ("Fatal", true), "{why}");
}

fn listing(keys: &[&str]) -> Answer {
    let contents: String =
        keys.iter().map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
    let head = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
    Answer::new(
        200,
        format!(
            "{head}<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
        ),
    )
}

#[tokio::test]
async fn a_container_is_told_where_the_report_goes_that_nobody_can_change() {
    let rules = "rules/shop/shop.yaml";
    let account = Account::production(move |asked: &Asked| {
        if is(asked, "GET", "/shop-documents/settings.json") {
            return Some(settings(""));
        }
        if is(asked, "GET", "/shop-documents/rules/shop/shop.yaml") {
            return Some(Answer::new(200, "version: 1\n"));
        }
        let list = is(asked, "GET", "/shop-documents/") || is(asked, "GET", "/shop-documents");
        list.then(|| listing(&[rules]))
    })
    .await;
    let found = account.call("FindRules", json!({ "database": "shop", "run": "run-1" })).await;
    let masking = &found.unwrap()["databases"][0];
    assert_eq!(masking["rules"], "s3://shop-documents/rules/shop/shop.yaml");
    assert_eq!(masking["report"], "s3://shop-evidence/reports/shop/run-1/shop");
    assert_eq!(masking["state"], "s3://shop-documents/state/shop/run-1/shop");
}

#[tokio::test]
async fn a_report_is_looked_for_where_nobody_can_change_it() {
    let account = Account::production(|asked: &Asked| {
        if is(asked, "GET", "/shop-documents/settings.json") {
            return Some(settings(""));
        }
        Some(s3_refusal(404, "NoSuchKey"))
    })
    .await;
    let task = json!({ "Containers": [{ "Name": "anonymizer", "ExitCode": 0 }],
                       "StopCode": "EssentialContainerExited" });
    let input = json!({ "database": "shop", "run": "run-1", "name": "shop", "rules_digest": "ab",
                        "task": task });
    let (kind, why) = account.call("CheckReport", input).await.unwrap_err();
    assert_eq!((kind.as_str(), why.as_str()), ("Refused", "the report on shop: there is none"));
    let report = "GET /shop-evidence/reports/shop/run-1/shop/report.json";
    assert_eq!(account.asked(), ["GET /shop-documents/settings.json", report]);
}

const ANALYZER: &str = "arn:aws:access-analyzer:eu-west-1:111111111111:analyzer/shop";
const PREVIEW: &str = "f3ea5b1c-0d4a-4b44-b8a5-0a7b2c6d1e90";

/// An account whose analyzer answers so, once it has been told whom the release is for.
async fn previewing(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Account {
    let account = Account::production(move |asked: &Asked| {
        if is(asked, "GET", "/shop-documents/settings.json") {
            return Some(settings(""));
        }
        let signed = asked.header("authorization");
        let own = signed.contains("/eu-west-1/access-analyzer/aws4_request");
        (own && asked.path.starts_with("/access-preview")).then(|| answer(asked))
    })
    .await;
    account.with("ANONYMIZER_ANALYZER", ANALYZER)
}

fn shared(kind: &str, preview: &str) -> Value {
    let arn = format!("arn:aws:rds:eu-west-1:111111111111:{kind}:anon-share-shop-run-1");
    json!({ "run": "run-1", "arn": arn, "preview": preview, "waited": 0 })
}

#[tokio::test]
async fn nobody_is_asked_who_would_get_at_a_release_where_nobody_wants_to_know() {
    let account = Account::production(settings_only(settings(""))).await;
    let answer = account.call("PreviewAccess", shared("snapshot", "")).await;
    let ready = json!({ "preview": "", "ready": true, "waited": 0, "seconds": 0 });
    assert_eq!(answer, Ok(ready));
    assert_eq!(account.asked(), ["GET /shop-documents/settings.json"]);
}

#[tokio::test]
async fn an_analyzer_is_asked_about_exactly_what_is_to_be_shared() {
    for (kind, of) in [("snapshot", "rdsDbSnapshot"), ("cluster-snapshot", "rdsDbClusterSnapshot")]
    {
        let body = json!({ "id": PREVIEW }).to_string();
        let account = previewing(move |_| Answer::new(200, body.clone())).await;
        let input = shared(kind, "");
        let answer = account.call("PreviewAccess", input.clone()).await;
        let begun = json!({ "preview": PREVIEW, "ready": false, "waited": 20, "seconds": 20 });
        assert_eq!(answer, Ok(begun));
        let asked = account.endpoint.asked().remove(1);
        assert_eq!((asked.method.as_str(), asked.path.as_str()), ("PUT", "/access-preview"));
        assert_eq!(asked.header("content-type"), "application/json");
        let change = json!({ of: {
            "attributes": { "restore": { "accountIds": ["222222222222"] } },
            "kmsKeyId": "arn:aws:kms:eu-west-1:111111111111:key/share",
        } });
        let arn = input["arn"].as_str().unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&asked.body).unwrap(),
            json!({ "analyzerArn": ANALYZER, "clientToken": "run-1",
                    "configurations": { arn: change } })
        );
    }
    let account = previewing(|_| Answer::new(500, "")).await;
    let (kind, why) = account.call("PreviewAccess", shared("db", "")).await.unwrap_err();
    assert_eq!(
        (kind.as_str(), why.contains("not the ARN of a snapshot")),
        ("Fatal", true),
        "{why}"
    );
    assert_eq!(account.asked().len(), 1);
}

fn state(status: &str, more: Value) -> Answer {
    let mut preview = json!({ "id": PREVIEW, "analyzerArn": ANALYZER, "createdAt": "2024-01-01T00:00:00Z",
                              "configurations": {}, "status": status });
    preview.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Answer::new(200, json!({ "accessPreview": preview }).to_string())
}

fn finding(account: &str) -> Value {
    json!({ "id": "00000000-0000-0000-0000-000000000000", "changeType": "NEW", "status": "ACTIVE",
            "resource": "arn:aws:rds:eu-west-1:111111111111:snapshot:anon-share-shop-run-1",
            "resourceType": "AWS::RDS::DBSnapshot", "resourceOwnerAccount": "111111111111",
            "principal": { "AWS": account }, "isPublic": account == "*", "condition": {},
            "createdAt": "2024-01-01T00:00:00Z", "action": ["rds:RestoreDBInstanceFromDBSnapshot"] })
}

/// A preview that is made, whose findings come one on a page, with an empty page between.
async fn found(accounts: &'static [&'static str]) -> Account {
    previewing(move |asked| {
        if asked.method == "GET" {
            return state("COMPLETED", json!({}));
        }
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        let number: usize = body["nextToken"].as_str().unwrap_or("0").parse().unwrap();
        let of_page = accounts.get(number / 2).filter(|_| number.is_multiple_of(2));
        let findings: Vec<Value> = of_page.into_iter().map(|who| finding(who)).collect();
        let mut page = json!({ "findings": findings });
        if number / 2 + 1 < accounts.len() {
            page["nextToken"] = (number + 1).to_string().into();
        }
        Answer::new(200, page.to_string())
    })
    .await
}

#[tokio::test]
async fn what_sharing_would_open_is_read_to_its_last_page() {
    let input = || shared("snapshot", PREVIEW);
    let account = found(&["222222222222"]).await;
    let answer = account.call("PreviewAccess", input()).await.unwrap();
    assert_eq!((&answer["ready"], &answer["preview"]), (&json!(true), &json!(PREVIEW)));
    let look = "/access-preview/f3ea5b1c-0d4a-4b44-b8a5-0a7b2c6d1e90";
    let analyzer = "arn%3Aaws%3Aaccess-analyzer%3Aeu-west-1%3A111111111111%3Aanalyzer%2Fshop";
    assert_eq!(
        account.asked()[1..],
        [format!("GET {look}?analyzerArn={analyzer}"), format!("POST {look}")]
    );
    let body = serde_json::from_slice::<Value>(&account.endpoint.asked()[2].body).unwrap();
    assert_eq!(body, json!({ "analyzerArn": ANALYZER }));
    for (accounts, said) in [
        (
            &["222222222222", "333333333333"][..],
            "to 222222222222, 333333333333 in place of 222222222222",
        ),
        (&["222222222222", "222222222222", "*"], "to everybody"),
        (&[], "to nobody in place of 222222222222"),
    ] {
        let account = found(accounts).await;
        let (kind, why) = account.call("PreviewAccess", input()).await.unwrap_err();
        assert_eq!((kind.as_str(), why.contains(said)), ("Refused", true), "{why}");
        assert_eq!(account.asked().len(), 2 + (2 * accounts.len()).saturating_sub(1).max(1));
    }
}

#[tokio::test]
async fn a_preview_that_is_not_made_is_no_yes() {
    for (status, more, kind, said) in [
        ("CREATING", json!({}), "", ""),
        ("REVIEWING", json!({}), "", ""),
        (
            "FAILED",
            json!({ "statusReason": { "code": "INTERNAL_ERROR" } }),
            "Fatal",
            "INTERNAL_ERROR",
        ),
        ("FAILED", json!({}), "Fatal", "no reason"),
    ] {
        let account = previewing(move |_| state(status, more.clone())).await;
        match account.call("PreviewAccess", shared("snapshot", PREVIEW)).await {
            Ok(answer) => assert_eq!((&answer["ready"], kind), (&json!(false), "")),
            Err((found, why)) => {
                assert_eq!((found.as_str(), why.contains(said)), (kind, true), "{why}")
            }
        }
        assert_eq!(account.asked().len(), 2);
    }
    // Nor is one that takes for ever, or that cannot be asked for.
    let account = previewing(|_| state("CREATING", json!({}))).await;
    let mut late = shared("snapshot", PREVIEW);
    late["waited"] = 900.into();
    let (kind, why) = account.call("PreviewAccess", late).await.unwrap_err();
    assert_eq!((kind.as_str(), why.contains("who would get at")), ("Fatal", true), "{why}");
    let account = previewing(|_| state("COMPLETED", json!({}))).await;
    let (kind, _) = account.call("PreviewAccess", shared("snapshot", "../x")).await.unwrap_err();
    assert_eq!((kind.as_str(), account.asked().len()), ("Fatal", 1));
    for (status, code, kind, requests) in [
        (403, "AccessDeniedException", "Fatal", 1),
        (402, "ServiceQuotaExceededException", "Fatal", 1),
        (400, "ValidationException", "Fatal", 1),
        (429, "ThrottlingException", "Retryable", 3),
        (500, "InternalServerException", "Retryable", 3),
    ] {
        let mut answer = Answer::new(status, r#"{ "message": "because" }"#);
        answer.headers.push(("x-amzn-errortype", format!("{code}:http://internal/")));
        let account = previewing(move |_| answer.clone()).await;
        let (found, why) = account.call("PreviewAccess", shared("snapshot", "")).await.unwrap_err();
        let said = why.ends_with(&format!("{code}: because"));
        assert_eq!((found.as_str(), said), (kind, true), "{why}");
        // What fails in passing is asked for again.
        assert_eq!(account.asked().len(), 1 + requests, "{code}");
    }
}

/// A lease that another run has, and how that run stands.
async fn lease_of_another(described: impl Fn() -> Answer + Send + Sync + 'static) -> Account {
    Account::development(move |asked: &Asked| {
        if is(asked, "GET", "/dev-documents/settings.json") {
            return Some(dev_settings());
        }
        match asked.header("x-amz-target") {
            "DynamoDB_20120810.PutItem" => {
                let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
                let item = json!({ "pk": { "S": "shop" }, "owner": { "S": "run-6" } });
                let body = json!({ "__type": code, "message": "failed", "Item": item });
                Some(Answer::new(400, body.to_string()))
            }
            "AWSStepFunctions.DescribeExecution" => Some(described()),
            _ => None,
        }
    })
    .await
}

fn described(status: &str) -> Answer {
    let arn = "arn:aws:states:eu-west-1:222222222222:execution:dev-workflow:run-6";
    let body = json!({
        "executionArn": arn,
        "stateMachineArn": "arn:aws:states:eu-west-1:222222222222:stateMachine:dev-workflow",
        "name": "run-6",
        "status": status,
        "startDate": 1700000000.5,
        "input": "{\"database\":\"shop\"}",
    });
    Answer::new(200, body.to_string())
}

#[tokio::test]
async fn whoever_has_a_lease_is_asked_for_in_step_functions() {
    let input = || json!({ "database": "shop", "run": "run-7" });
    let account = lease_of_another(|| described("RUNNING")).await;
    let answer = account.call("AcquireLock", input()).await;
    assert_eq!(answer, Ok(json!({ "acquired": false, "holder": "run-6" })));
    assert_eq!(
        account.asked(),
        ["GET /dev-documents/settings.json", "PutItem", "DescribeExecution"]
    );
    let asked = account.endpoint.asked().remove(2);
    let arn = "arn:aws:states:eu-west-1:222222222222:execution:dev-workflow:run-6";
    assert_eq!(
        serde_json::from_slice::<Value>(&asked.body).unwrap(),
        json!({ "executionArn": arn })
    );

    // It has ended: the reaper comes first.
    let account = lease_of_another(|| described("ABORTED")).await;
    let (kind, why) = account.call("AcquireLock", input()).await.unwrap_err();
    assert_eq!((kind.as_str(), why.contains("does not run any more")), ("Fatal", true), "{why}");

    // Whether it runs is not known.
    let account = lease_of_another(|| refusal(400, "AccessDeniedException")).await;
    let (kind, why) = account.call("AcquireLock", input()).await.unwrap_err();
    assert_eq!((kind.as_str(), why.contains("the execution run-6")), ("Fatal", true), "{why}");
}

#[tokio::test]
async fn releases_are_received_where_they_are_made() {
    let account = Account::development(|_: &Asked| None).await;
    let account = account.with("ANONYMIZER_REGION", "us-east-1");
    let (kind, why) = account.call("AcquireLock", json!({})).await.unwrap_err();
    assert_eq!(kind, "Fatal");
    assert!(why.contains("ANONYMIZER_REGION is us-east-1"), "{why}");
    assert_eq!(account.asked(), [""; 0]);
}

#[tokio::test]
async fn a_program_has_the_steps_of_its_account_and_no_other() {
    let account = Account::development(|_: &Asked| None).await;
    let share = account.call("Share", json!({})).await.unwrap_err();
    assert_eq!(share, ("Fatal".to_owned(), "there is no step `Share`".to_owned()));
    let account = Account::production(|_: &Asked| None).await;
    let swap = account.call("PointSecret", json!({})).await.unwrap_err();
    assert_eq!(swap, ("Fatal".to_owned(), "there is no step `PointSecret`".to_owned()));
}
