//! What is asked of DynamoDB, S3, Secrets Manager and KMS, and what their answers become.

use account::aws::{Bucket, Kms, Manager, Table};
use account::{AccountError, Acquired, Documents, Locks, Secret, Secrets, Signer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::dsse::{Envelope, pre_authentication};
use contract::key::PublicKey;
use e2e_aws::endpoint::{Answer, Asked};
use e2e_aws::script::{ACCOUNT, Script, answer, refusal, s3_refusal};
use jiff::{SignedDuration, Timestamp};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const SHARE_KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/share";

fn locks(script: &Script) -> Locks {
    Locks::Table(Table::new(&script.config, "anonymizer-locks"))
}

/// The seconds in one of DynamoDB's numbers, as far from now.
fn from_now(number: &Value) -> i64 {
    let second: i64 = number["N"].as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
    second - Timestamp::now().as_second()
}

fn condition_failed(item: Value) -> Answer {
    let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    let body = json!({ "__type": code, "message": "The conditional request failed", "Item": item });
    Answer::new(400, body.to_string())
}

#[tokio::test]
async fn a_lease_is_taken_by_one_conditional_write() {
    let script = Script::new([answer(json!({}))]);
    assert_eq!(locks(&script).acquire("shop", "run-7", HOUR).await, Ok(Acquired::Yes));
    let (target, mut body) = script.calls().remove(0);
    assert_eq!(target, "DynamoDB_20120810.PutItem");
    assert!((3590..=3600).contains(&from_now(&body["Item"]["lease"])));
    assert!((-10..=0).contains(&from_now(&body["ExpressionAttributeValues"][":now"])));
    body["Item"]["lease"] = json!("lease");
    body["ExpressionAttributeValues"][":now"] = json!("now");
    assert_eq!(
        body,
        json!({
            "TableName": "anonymizer-locks",
            "Item": { "pk": { "S": "shop" }, "owner": { "S": "run-7" }, "lease": "lease" },
            "ConditionExpression": "attribute_not_exists(pk) OR lease < :now OR #owner = :owner",
            "ExpressionAttributeNames": { "#owner": "owner" },
            "ExpressionAttributeValues": { ":now": "now", ":owner": { "S": "run-7" } },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        })
    );
}

#[tokio::test]
async fn a_lease_that_somebody_has_says_who() {
    let item = json!({ "pk": { "S": "shop" }, "owner": { "S": "run-6" }, "lease": { "N": "1" } });
    let script = Script::new([condition_failed(item)]);
    let taken = locks(&script).acquire("shop", "run-7", HOUR).await;
    assert_eq!(taken, Ok(Acquired::HeldBy("run-6".into())));
}

#[tokio::test]
async fn only_ones_own_lease_is_given_back() {
    let script = Script::new([answer(json!({})), condition_failed(json!({}))]);
    assert_eq!(locks(&script).release("shop", "run-7").await, Ok(()));
    assert_eq!(locks(&script).release("shop", "run-7").await, Ok(()));
    for (target, body) in script.calls() {
        assert_eq!(target, "DynamoDB_20120810.DeleteItem");
        assert_eq!(
            body,
            json!({
                "TableName": "anonymizer-locks",
                "Key": { "pk": { "S": "shop" } },
                "ConditionExpression": "#owner = :owner",
                "ExpressionAttributeNames": { "#owner": "owner" },
                "ExpressionAttributeValues": { ":owner": { "S": "run-7" } },
            })
        );
    }
}

#[tokio::test]
async fn the_owner_is_read_as_it_is_now_and_for_as_long_as_the_lease_runs() {
    let item = |lease: i64| {
        let lease = (Timestamp::now().as_second() + lease).to_string();
        json!({ "Item": { "pk": { "S": "shop" }, "owner": { "S": "run-7" }, "lease": { "N": lease } } })
    };
    let script = Script::new([answer(item(60)), answer(item(-60)), answer(json!({}))]);
    assert_eq!(locks(&script).owner("shop").await, Ok(Some("run-7".into())));
    assert_eq!(locks(&script).owner("shop").await, Ok(None));
    assert_eq!(locks(&script).owner("shop").await, Ok(None));
    let (target, body) = script.calls().remove(0);
    assert_eq!(target, "DynamoDB_20120810.GetItem");
    assert_eq!(body["ConsistentRead"], true);
}

#[tokio::test]
async fn a_refusal_is_passing_or_denied_or_neither() {
    let passing: &[(u16, &str)] = &[
        (400, "ProvisionedThroughputExceededException"),
        (400, "ThrottlingException"),
        (400, "RequestLimitExceeded"),
        (400, "ExpiredTokenException"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable"),
    ];
    let denied: &[(u16, &str)] = &[
        (400, "AccessDeniedException"),
        (400, "UnrecognizedClientException"),
        (403, "NobodyKnowsThis"),
    ];
    let other: &[(u16, &str)] = &[
        (400, "ResourceNotFoundException"),
        (400, "ValidationException"),
        (400, "LimitExceededException"),
        (400, "NobodyKnowsThis"),
    ];
    for (sort, codes) in [("Passing", passing), ("Denied", denied), ("Other", other)] {
        for (status, code) in codes {
            let script = Script::new([refusal(*status, code)]);
            let error = locks(&script).owner("shop").await.unwrap_err();
            assert!(format!("{error:?}").starts_with(sort), "{status} {code}: {error:?}");
            assert_eq!(
                error.to_string(),
                format!("could not read the lease `shop`: {code}: because of {code}")
            );
        }
    }
}

fn documents(script: &Script) -> Documents {
    Documents::Bucket(Bucket::new(&script.config, "shop-documents"))
}

fn place(asked: &Asked) -> (&str, &str) {
    (&asked.method, &asked.path)
}

const PLACE: &str = "https://shop-documents.s3.eu-west-1.amazonaws.com/";

#[tokio::test]
async fn a_document_is_read_or_is_not_there() {
    let script = Script::new([
        Answer::new(200, "version: 1\n"),
        s3_refusal(404, "NoSuchKey"),
        s3_refusal(403, "AccessDenied"),
        s3_refusal(503, "SlowDown"),
        s3_refusal(404, "NoSuchBucket"),
    ]);
    let documents = documents(&script);
    let get = async || documents.get("rules/shop/v1.yaml").await;
    assert_eq!(get().await, Ok(Some(b"version: 1\n".to_vec())));
    assert_eq!(get().await, Ok(None));
    assert!(matches!(get().await, Err(AccountError::Denied(_))));
    assert!(matches!(get().await, Err(AccountError::Passing(_))));
    assert!(matches!(get().await, Err(AccountError::Other(_))));
    let path = format!("{PLACE}rules/shop/v1.yaml?x-id=GetObject");
    assert!(script.asked().iter().all(|asked| place(asked) == ("GET", &path)));
    assert_eq!(documents.uri("rules/shop/v1.yaml"), "s3://shop-documents/rules/shop/v1.yaml");
}

#[tokio::test]
async fn a_document_is_written_as_the_bucket_encrypts_or_under_a_key_and_locked() {
    let script = Script::new([Answer::new(200, ""), Answer::new(200, "")]);
    documents(&script).put("releases/shop/one.json", b"{}").await.unwrap();
    let bucket = Bucket::new(&script.config, "shop-documents").encrypted(SHARE_KEY);
    let locked = Documents::Bucket(bucket.kept(SignedDuration::from_hours(24 * 400)));
    locked.put("releases/shop/one.json", b"{}").await.unwrap();
    let asked = script.asked();
    let path = format!("{PLACE}releases/shop/one.json?x-id=PutObject");
    for asked in &asked {
        assert_eq!(place(asked), ("PUT", path.as_str()));
        assert_eq!(asked.body, b"{}");
        // Without it S3 refuses what is to be locked.
        assert_ne!(asked.header("x-amz-checksum-crc32"), "");
    }
    let header = |name: &str| (asked[0].header(name), asked[1].header(name));
    assert_eq!(header("x-amz-server-side-encryption"), ("", "aws:kms"));
    assert_eq!(header("x-amz-server-side-encryption-aws-kms-key-id"), ("", SHARE_KEY));
    assert_eq!(header("x-amz-server-side-encryption-bucket-key-enabled"), ("", "true"));
    assert_eq!(header("x-amz-object-lock-mode"), ("", "COMPLIANCE"));
    let (none, until) = header("x-amz-object-lock-retain-until-date");
    assert_eq!(none, "");
    let until: Timestamp = until.parse().unwrap();
    assert_eq!(until.duration_since(Timestamp::now()).as_hours(), 24 * 400 - 1);
}

fn page(keys: &[&str], next: Option<&str>) -> Answer {
    let contents: String =
        keys.iter().map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
    let next = next.map_or(String::new(), |token| {
        format!("<NextContinuationToken>{token}</NextContinuationToken>")
    });
    let more = !next.is_empty();
    Answer::new(
        200,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Name>shop-documents</Name><IsTruncated>{more}</IsTruncated>{contents}{next}</ListBucketResult>"
        ),
    )
}

#[tokio::test]
async fn a_list_goes_on_to_the_last_page_also_past_an_empty_one() {
    let pages = [
        page(&["releases/shop/b.json"], Some("one")),
        page(&[], Some("two")),
        page(&["releases/shop/a.json"], None),
    ];
    let script = Script::new(pages);
    let keys = documents(&script).list("releases/shop").await.unwrap();
    assert_eq!(keys, ["releases/shop/a.json", "releases/shop/b.json"]);
    let asked = script.asked();
    let first = format!("{PLACE}?list-type=2&prefix=releases%2Fshop%2F");
    assert_eq!(place(&asked[0]), ("GET", first.as_str()));
    assert!(asked[1].path.contains("continuation-token=one"));
    assert!(asked[2].path.contains("continuation-token=two"));
}

#[tokio::test]
async fn a_document_is_removed_and_what_is_no_key_asks_for_nothing() {
    let script = Script::new([Answer::new(204, "")]);
    let documents = documents(&script);
    documents.delete("releases/shop/a.json").await.unwrap();
    for key in ["", "/a", "a/../b", "a//b", "a?x"] {
        assert!(documents.get(key).await.is_err(), "{key}");
        assert!(documents.put(key, b"").await.is_err(), "{key}");
    }
    let path = format!("{PLACE}releases/shop/a.json?x-id=DeleteObject");
    assert_eq!(place(&script.asked()[0]), ("DELETE", path.as_str()));
}

fn secrets(script: &Script) -> Secrets {
    Secrets::Manager(Manager::new(&script.config, ACCOUNT).encrypted("alias/dev"))
}

/// Without the token that keeps a repeated request from making two versions.
fn calls(script: &Script) -> Vec<(String, Value)> {
    let mut calls = script.calls();
    for (target, body) in &mut calls {
        let token = body.as_object_mut().and_then(|body| body.remove("ClientRequestToken"));
        let writes = target.contains("Put") || target.contains("Create");
        assert_eq!(token.is_some(), writes, "{target}");
        *target = target.replace("secretsmanager.", "");
    }
    calls
}

#[tokio::test]
async fn a_secret_is_read_or_is_not_there() {
    let script = Script::new([
        answer(json!({ "ARN": "a", "Name": "dev/shop", "SecretString": "hunter2" })),
        refusal(400, "ResourceNotFoundException"),
        refusal(400, "AccessDeniedException"),
        answer(json!({ "ARN": "a", "Name": "dev/shop", "SecretBinary": "aHVudGVyMg==" })),
    ]);
    let secrets = secrets(&script);
    assert_eq!(secrets.get("dev/shop").await, Ok(Some(Secret::new("hunter2"))));
    assert_eq!(secrets.get("dev/shop").await, Ok(None));
    assert!(matches!(secrets.get("dev/shop").await, Err(AccountError::Denied(_))));
    let error = secrets.get("dev/shop").await.unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2") && !format!("{error:?}").contains("aHVu"));
    for call in calls(&script) {
        assert_eq!(call, ("GetSecretValue".into(), json!({ "SecretId": "dev/shop" })));
    }
}

#[tokio::test]
async fn a_secret_is_written_where_it_is_and_made_where_it_is_not() {
    let missing = || refusal(400, "ResourceNotFoundException");
    let script = Script::new([
        answer(json!({ "Name": "dev/shop" })),
        missing(),
        answer(json!({ "Name": "dev/shop" })),
        missing(),
        refusal(400, "ResourceExistsException"),
        answer(json!({ "Name": "dev/shop" })),
    ]);
    for _ in 0..3 {
        secrets(&script).put("dev/shop", &Secret::new("hunter2")).await.unwrap();
    }
    let put = || {
        let body = json!({ "SecretId": "dev/shop", "SecretString": "hunter2" });
        ("PutSecretValue".to_owned(), body)
    };
    let create = || {
        let body =
            json!({ "Name": "dev/shop", "KmsKeyId": "alias/dev", "SecretString": "hunter2" });
        ("CreateSecret".to_owned(), body)
    };
    assert_eq!(calls(&script), [put(), put(), create(), put(), create(), put()]);
}

#[tokio::test]
async fn a_secret_goes_at_once_and_may_be_gone() {
    let script = Script::new([
        answer(json!({ "Name": "dev/shop" })),
        refusal(400, "ResourceNotFoundException"),
    ]);
    secrets(&script).delete("dev/shop").await.unwrap();
    secrets(&script).delete("dev/shop").await.unwrap();
    let body = json!({ "SecretId": "dev/shop", "ForceDeleteWithoutRecovery": true });
    for call in calls(&script) {
        assert_eq!(call, ("DeleteSecret".into(), body.clone()));
    }
}

#[tokio::test]
async fn a_container_is_told_an_arn() {
    let script = Script::new([]);
    let place = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:";
    assert_eq!(secrets(&script).reference("dev/shop"), format!("{place}dev/shop"));
    let managed = format!("{place}rds!db-1234-AbCdEf");
    assert_eq!(secrets(&script).reference(&managed), managed);
}

const SIGN_KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/sign";

fn p256() -> EcdsaKeyPair {
    let (algorithm, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key can be made");
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("it can be read")
}

/// A SubjectPublicKeyInfo, as GetPublicKey gives it.
fn spki(key: &EcdsaKeyPair) -> Vec<u8> {
    let head = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA=";
    let head = STANDARD.decode(head).expect("it is base64");
    [&head, key.public_key().as_ref()].concat()
}

#[tokio::test]
async fn what_kms_signs_verifies_with_its_public_half() {
    let (key, payload) = (p256(), br#"{"predicateType":"x"}"#);
    let message = pre_authentication("application/vnd.in-toto+json", payload);
    let signature = key.sign(&SystemRandom::new(), &message).unwrap();
    let script = Script::new([
        answer(json!({ "KeyId": SIGN_KEY, "PublicKey": STANDARD.encode(spki(&key)) })),
        answer(json!({ "KeyId": SIGN_KEY, "Signature": STANDARD.encode(signature.as_ref()) })),
    ]);
    let signer = Signer::Kms(Kms::new(&script.config, SIGN_KEY));
    let (id, signature) = (signer.key_id().await.unwrap(), signer.sign(&message).await.unwrap());
    let public = PublicKey::from_der(&spki(&key)).unwrap();
    assert_eq!(id, public.id());
    let envelope = Envelope::new("application/vnd.in-toto+json", payload, &id, &signature);
    assert_eq!(envelope.open("application/vnd.in-toto+json", &public).unwrap(), payload);
    let sign = json!({
        "KeyId": SIGN_KEY,
        "Message": STANDARD.encode(&message),
        "MessageType": "RAW",
        "SigningAlgorithm": "ECDSA_SHA_256",
    });
    assert_eq!(
        script.calls(),
        [
            ("TrentService.GetPublicKey".to_owned(), json!({ "KeyId": SIGN_KEY })),
            ("TrentService.Sign".to_owned(), sign),
        ]
    );
}

#[tokio::test]
async fn a_message_that_kms_does_not_take_is_signed_by_its_hash() {
    let signed = || answer(json!({ "KeyId": SIGN_KEY, "Signature": "AA==" }));
    let script = Script::new([signed(), signed()]);
    let signer = Signer::Kms(Kms::new(&script.config, SIGN_KEY));
    for length in [4096, 4097] {
        signer.sign(&vec![b'a'; length]).await.unwrap();
    }
    let calls = script.calls();
    let message = |body: &Value| STANDARD.decode(body["Message"].as_str().unwrap()).unwrap();
    assert_eq!(calls[0].1["MessageType"], "RAW");
    assert_eq!(message(&calls[0].1), vec![b'a'; 4096]);
    assert_eq!(calls[1].1["MessageType"], "DIGEST");
    let hash = ring::digest::digest(&ring::digest::SHA256, &[b'a'; 4097]);
    assert_eq!(message(&calls[1].1), hash.as_ref());
}

#[tokio::test]
async fn a_key_of_another_kind_signs_nothing() {
    let script = Script::new([answer(json!({ "KeyId": SIGN_KEY, "PublicKey": "MIIBIjANBgkq" }))]);
    let error = Signer::Kms(Kms::new(&script.config, SIGN_KEY)).key_id().await.unwrap_err();
    assert!(matches!(&error, AccountError::Other(text) if text.contains("P-256")), "{error:?}");
}

#[tokio::test]
async fn a_key_is_derived_from_a_message_and_answered_whole_or_not_at_all() {
    let key = "arn:aws:kms:eu-west-1:111111111111:key/mask";
    let mac = |bytes: &[u8]| answer(json!({ "KeyId": key, "Mac": STANDARD.encode(bytes) }));
    let script = Script::new([mac(&[7; 32]), mac(&[7; 31]), refusal(400, "DisabledException")]);
    let kms = Kms::new(&script.config, key);
    assert_eq!(*kms.mac("anonymizer/v1|domain|").await.unwrap(), [7; 32]);
    assert!(kms.mac("anonymizer/v1|domain|").await.is_err());
    let error = kms.mac("anonymizer/v1|domain|").await.unwrap_err();
    assert!(matches!(error, AccountError::Other(_)), "{error:?}");
    // Nothing is asked for.
    assert!(kms.mac(&"a".repeat(4097)).await.is_err());
    let body = json!({
        "KeyId": key,
        "MacAlgorithm": "HMAC_SHA_256",
        "Message": STANDARD.encode("anonymizer/v1|domain|"),
    });
    for call in script.calls() {
        assert_eq!(call, ("TrentService.GenerateMac".to_owned(), body.clone()));
    }
}

/// A file in a directory of its own.
fn file(bytes: usize) -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("file");
    let content: Vec<u8> = (0..bytes).map(|at| (at / 1000) as u8).collect();
    std::fs::write(&path, content).expect("the file is written");
    (directory, path)
}

const PART: usize = 16 << 20;

#[tokio::test]
async fn a_large_file_is_sent_in_parts_and_a_small_one_whole() {
    let script = Script::new([Answer::new(200, "")]);
    let (_directory, path) = file(PART - 1);
    assert_eq!(Bucket::new(&script.config, "documents").upload("state/a", &path).await, Ok(()));
    let asked = script.asked();
    assert_eq!((asked[0].method.as_str(), asked[0].body.len()), ("PUT", PART - 1));
    assert!(asked[0].path.contains("state/a?x-id=PutObject"), "{}", asked[0].path);

    let tag =
        |tag: &str| Answer { headers: vec![("etag", tag.to_owned())], ..Answer::new(200, "") };
    let script = Script::new([begun(), tag("\"one\""), tag("\"two\""), completed()]);
    let (_directory, path) = file(PART + 5);
    assert_eq!(Bucket::new(&script.config, "documents").upload("state/a", &path).await, Ok(()));
    let asked = script.asked();
    let shape: Vec<_> = asked.iter().map(|one| (one.method.as_str(), query(one))).collect();
    assert_eq!(shape[0].0, "POST");
    assert!(shape[0].1.starts_with("uploads"), "{shape:?}");
    for (part, number) in [(1, "partNumber=1"), (2, "partNumber=2")] {
        assert_eq!(shape[part].0, "PUT");
        assert!(
            shape[part].1.contains(number) && shape[part].1.contains("uploadId=u-1"),
            "{shape:?}"
        );
    }
    let sent = [asked[1].body.as_slice(), &asked[2].body].concat();
    assert_eq!(sent, std::fs::read(&path).expect("the file is read"));
    assert_eq!((shape[3].0, shape[3].1.as_str()), ("POST", "uploadId=u-1"));
    let done = asked[3].text();
    let part = |number: u32, tag: &str| format!("<PartNumber>{number}</PartNumber>") + tag;
    assert!(done.contains("one") && done.contains("two") && done.contains(&part(2, "")), "{done}");
}

fn begun() -> Answer {
    let body =
        "<InitiateMultipartUploadResult><UploadId>u-1</UploadId></InitiateMultipartUploadResult>";
    Answer::new(200, body)
}

fn completed() -> Answer {
    Answer::new(
        200,
        "<CompleteMultipartUploadResult><Key>state/a</Key></CompleteMultipartUploadResult>",
    )
}

fn query(asked: &Asked) -> String {
    asked.path.split_once('?').map_or("", |(_, query)| query).to_owned()
}

#[tokio::test]
async fn parts_that_cannot_all_be_sent_are_given_up() {
    let script = Script::new([begun(), s3_refusal(403, "AccessDenied"), Answer::new(204, "")]);
    let (_directory, path) = file(PART);
    let sent = Bucket::new(&script.config, "documents").upload("state/a", &path).await;
    assert!(matches!(sent, Err(AccountError::Denied(_))), "{sent:?}");
    let asked = script.asked();
    assert_eq!(asked[2].method, "DELETE");
    assert!(query(&asked[2]).contains("uploadId=u-1"));
}

#[tokio::test]
async fn an_object_becomes_a_file() {
    let script = Script::new([Answer::new(200, "sealed"), s3_refusal(404, "NoSuchKey")]);
    let bucket = Bucket::new(&script.config, "documents");
    let (_directory, path) = file(0);
    assert_eq!(bucket.download("state/a", &path).await, Ok(()));
    assert_eq!(std::fs::read(&path).expect("the file is read"), b"sealed");
    assert!(matches!(bucket.download("state/b", &path).await, Err(AccountError::Other(_))));
    script.asked();
}
