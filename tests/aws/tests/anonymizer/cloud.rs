//! An account: what is in its buckets, its secrets, and any key. It does what the services do and no more.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e_aws::endpoint::{Answer, Asked, Endpoint};
use e2e_aws::script::{refusal, s3_refusal};
use ring::hmac;
use serde_json::{Value, json};

pub const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/mask";
pub const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:rds!db-5b2e-AbCdEf";

/// What the account holds, and how it behaves.
#[derive(Default)]
pub struct Inside {
    /// By bucket and key: `/documents/rules/shop.yaml`.
    pub objects: BTreeMap<String, Vec<u8>>,
    /// The text of the one secret.
    pub secret: String,
    /// An operation, or a method of S3, that the role may not use.
    pub refused: &'static str,
    /// Files of the state that are taken before S3 stops answering.
    pub states: Option<usize>,
    /// What happens when the first of them comes, and the secret from then on.
    pub then: Option<Box<dyn FnOnce() -> String + Send>>,
}

pub struct Cloud {
    endpoint: Endpoint,
    pub inside: Arc<Mutex<Inside>>,
}

impl Cloud {
    pub async fn new(inside: Inside) -> Self {
        let inside = Arc::new(Mutex::new(inside));
        let kept = Arc::clone(&inside);
        let answer = move |asked: &Asked| answer(asked, &mut kept.lock().unwrap());
        Self { endpoint: Endpoint::new(answer).await.unwrap(), inside }
    }

    /// The command with this account as its environment, and a machine's directories below that one.
    pub fn command(&self, machine: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anonymizer-on-aws"));
        command
            .env_clear()
            .env("HOME", machine)
            .env("TMPDIR", machine)
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.endpoint.address()))
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "hunter2-of-the-role")
            .env("AWS_MAX_ATTEMPTS", "1")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.endpoint.asked()
    }

    /// The messages that a key was asked about.
    pub fn derived(&self) -> Vec<String> {
        let macs = self.asked().into_iter();
        let macs = macs.filter(|asked| asked.header("x-amz-target").ends_with("GenerateMac"));
        macs.map(|asked| String::from_utf8(message(&asked.body)).unwrap()).collect()
    }

    /// The keys below a path.
    pub fn names(&self, below: &str) -> Vec<String> {
        let inside = self.inside.lock().unwrap();
        let names = inside.objects.keys().filter_map(|path| path.strip_prefix(below));
        names.map(str::to_owned).collect()
    }

    /// No key that was derived, no secret and no original is in a text, or in what was sent to be kept.
    pub fn holds_nothing_secret(&self, said: &str) {
        let key = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
        let mut secrets: Vec<String> = vec!["hunter2".into(), "canary".into()];
        for message in self.derived() {
            let mac = hmac::sign(&key, message.as_bytes());
            secrets.push(mac.as_ref().iter().map(|byte| format!("{byte:02x}")).collect());
            secrets.push(STANDARD.encode(mac.as_ref()));
        }
        let mut places = vec![("what is said".to_owned(), said.as_bytes().to_vec())];
        places.extend(self.asked().into_iter().map(|asked| (asked.path, asked.body)));
        for (place, bytes) in places {
            for secret in &secrets {
                let is_in = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!is_in, "{secret} is in {place}");
            }
        }
    }
}

/// Runs a command to its end while the account answers.
pub async fn finish(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

pub fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

fn message(body: &[u8]) -> Vec<u8> {
    let body: Value = serde_json::from_slice(body).unwrap();
    STANDARD.decode(body["Message"].as_str().unwrap()).unwrap()
}

fn answer(asked: &Asked, inside: &mut Inside) -> Option<Answer> {
    let target = asked.header("x-amz-target");
    Some(match target.rsplit('.').next().unwrap_or_default() {
        "" => return object(asked, inside),
        operation if operation == inside.refused => refusal(400, "AccessDeniedException"),
        "GenerateMac" => {
            let body: Value = serde_json::from_slice(&asked.body).unwrap();
            assert_eq!(body["MacAlgorithm"], "HMAC_SHA_256");
            let key = body["KeyId"].as_str().unwrap();
            let mac = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
            let mac = STANDARD.encode(hmac::sign(&mac, &message(&asked.body)).as_ref());
            let body = json!({ "KeyId": key, "Mac": mac, "MacAlgorithm": "HMAC_SHA_256" });
            Answer::new(200, body.to_string())
        }
        "GetSecretValue" => {
            let body: Value = serde_json::from_slice(&asked.body).unwrap();
            assert_eq!(body, json!({ "SecretId": SECRET }));
            let body =
                json!({ "ARN": SECRET, "Name": "rds!db-5b2e", "SecretString": inside.secret });
            Answer::new(200, body.to_string())
        }
        other => panic!("nobody asks for {other}"),
    })
}

fn object(asked: &Asked, inside: &mut Inside) -> Option<Answer> {
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let path = path.to_owned();
    if asked.method == inside.refused {
        return Some(s3_refusal(403, "AccessDenied"));
    }
    Some(match asked.method.as_str() {
        "GET" if query.contains("list-type=2") => list(path.trim_end_matches('/'), query, inside),
        "GET" => match inside.objects.get(&path) {
            Some(bytes) => Answer::new(200, bytes.clone()),
            None => s3_refusal(404, "NoSuchKey"),
        },
        "PUT" => {
            if path.starts_with("/documents/state/") {
                if let Some(left) = &mut inside.states {
                    *left = left.checked_sub(1)?;
                }
                if let Some(then) = inside.then.take() {
                    inside.secret = then();
                }
            }
            inside.objects.insert(path, asked.body.clone());
            Answer::new(200, "")
        }
        "DELETE" => {
            inside.objects.remove(&path);
            Answer::new(204, "")
        }
        method => panic!("nobody asks for {method} {path}"),
    })
}

fn list(bucket: &str, query: &str, inside: &Inside) -> Answer {
    let prefix = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "prefix");
    let below = format!("{bucket}/{}", prefix.unwrap().1);
    let found = inside.objects.keys().filter(|path| path.starts_with(&below));
    let found: String = found
        .map(|path| format!("<Contents><Key>{}</Key></Contents>", &path[bucket.len() + 1..]))
        .collect();
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    Answer::new(
        200,
        format!(
            "{head}<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>"
        ),
    )
}
