//! What the doctors ask of AWS, and what they make of the answers: one account in which all is well, and one in which nothing is.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic, in its helpers too")]

use std::collections::BTreeMap;

use e2e_aws::ec2;
use e2e_aws::endpoint::Answer;
use e2e_aws::script::{ACCOUNT, Script, answer, refusal, s3_refusal};
use orchestrator::aws::Production;
use orchestrator::doctor::{Asked, Examined, environment, examine};
use serde_json::{Value, json};

const DEV: &str = "222222222222";

/// As the AWS command line prints what a function is told.
fn told() -> Vec<u8> {
    let key = |name: &str| format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/{name}");
    json!({
        "ANONYMIZER_DOCUMENTS": "s3://documents",
        "ANONYMIZER_EVIDENCE": "s3://evidence",
        "ANONYMIZER_TABLE": "leases",
        "ANONYMIZER_WORK_KEY": key("work"),
        "ANONYMIZER_SHARE_KEY": key("share"),
        "ANONYMIZER_SIGN_KEY": key("sign"),
        "ANONYMIZER_ACCOUNTS": DEV,
        "ANONYMIZER_ISOLATION": r#"{ "subnet_group": "isolated", "security_groups": "sg-1" }"#,
        "ANONYMIZER_ANALYZER": "no",
        "ANONYMIZER_WORKFLOW": format!("arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:anonymizer-workflow"),
        "SOMETHING_ELSE": "that the platform has put there",
    })
    .to_string()
    .into_bytes()
}

fn settings() -> Answer {
    let isolation = json!({ "class": "db.r6g.large", "parameter_group": "anonymizer-postgres16" });
    let shop =
        json!({ "source": "shop", "max_age_hours": 48, "gigabytes": 100, "isolation": isolation });
    Answer::new(200, json!({ "databases": { "shop": shop } }).to_string())
}

/// An answer of RDS.
fn rds(action: &str, result: &str) -> Answer {
    let name = "http://rds.amazonaws.com/doc/2014-10-31/";
    let body = format!(
        "<{action}Response xmlns=\"{name}\"><{action}Result>{result}</{action}Result></{action}Response>"
    );
    Answer::new(200, body)
}

fn rds_refusal(code: &str) -> Answer {
    let body = format!(
        "<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    );
    Answer::new(404, body)
}

fn listed(keys: &[&str]) -> Answer {
    let contents: String =
        keys.iter().map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
    Answer::new(
        200,
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"),
    )
}

fn instance(engine: &str) -> String {
    format!(
        "<DBInstances><DBInstance><DBInstanceIdentifier>shop</DBInstanceIdentifier><DbiResourceId>db-A</DbiResourceId>\
         <DBInstanceStatus>available</DBInstanceStatus><Engine>{engine}</Engine><EngineVersion>16.4</EngineVersion>\
         <AllocatedStorage>120</AllocatedStorage><StorageEncrypted>true</StorageEncrypted>\
         <KmsKeyId>arn:aws:kms:eu-west-1:{ACCOUNT}:key/own</KmsKeyId>\
         <Endpoint><Address>shop</Address><Port>5432</Port></Endpoint>\
         <OptionGroupMemberships><OptionGroupMembership><OptionGroupName>shop-options</OptionGroupName></OptionGroupMembership>\
         </OptionGroupMemberships></DBInstance></DBInstances>"
    )
}

/// A snapshot whose data is of now, or of long ago.
fn snapshots(as_of: &str) -> String {
    format!(
        "<DBSnapshots><DBSnapshot><DBSnapshotIdentifier>rds:shop-1</DBSnapshotIdentifier>\
         <DBSnapshotArn>arn:aws:rds:eu-west-1:{ACCOUNT}:snapshot:rds:shop-1</DBSnapshotArn><DbiResourceId>db-A</DbiResourceId>\
         <Status>available</Status><Engine>postgres</Engine><EngineVersion>16.4</EngineVersion><Encrypted>true</Encrypted>\
         <KmsKeyId>arn:aws:kms:eu-west-1:{ACCOUNT}:key/own</KmsKeyId><SnapshotType>automated</SnapshotType>\
         <SnapshotCreateTime>{as_of}</SnapshotCreateTime><SnapshotDatabaseTime>{as_of}</SnapshotDatabaseTime></DBSnapshot></DBSnapshots>"
    )
}

fn quotas(used: u64) -> String {
    let quota = |(name, most): (&str, u64)| {
        format!(
            "<AccountQuota><AccountQuotaName>{name}</AccountQuotaName><Used>{used}</Used><Max>{most}</Max></AccountQuota>"
        )
    };
    let all = [("DBInstances", 40), ("AllocatedStorage", 100_000), ("ManualSnapshots", 100)];
    format!("<AccountQuotas>{}</AccountQuotas>", all.map(quota).concat())
}

fn zones(zones: &[&str]) -> String {
    let subnet = |(name, zone): (&str, &&str)| {
        format!(
            "<Subnet><SubnetIdentifier>{name}</SubnetIdentifier><SubnetAvailabilityZone><Name>{zone}</Name></SubnetAvailabilityZone></Subnet>"
        )
    };
    let subnets: String = ["subnet-a", "subnet-b"].into_iter().zip(zones).map(subnet).collect();
    format!(
        "<DBSubnetGroups><DBSubnetGroup><VpcId>{}</VpcId><Subnets>{subnets}</Subnets></DBSubnetGroup></DBSubnetGroups>",
        ec2::VPC
    )
}

/// A key: what it is, whom its policy lets in, and what a dry run is answered with.
fn key(usage: &str, state: &str, others: &[&str], dry_run: &str) -> [Answer; 3] {
    let metadata = json!({ "KeyMetadata": { "KeyId": "k", "Enabled": state == "Enabled", "KeyState": state,
                                            "KeyUsage": usage, "KeySpec": "SYMMETRIC_DEFAULT" } });
    let statement = |account: &&str| {
        json!({ "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
                "Action": "kms:Decrypt", "Resource": "*" })
    };
    let own = json!({ "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") },
                      "Action": "kms:*", "Resource": "*" });
    let statements: Vec<Value> = others.iter().map(statement).chain([own]).collect();
    let policy = json!({ "Policy": json!({ "Statement": statements }).to_string() });
    [answer(metadata), answer(policy), refusal(400, dry_run)]
}

const DENIED: &str = "AccessDeniedException";
const ALLOWED: &str = "DryRunOperationException";

/// An account; what differs between a good one and a bad one is told.
struct Account<'a> {
    rules: &'a [&'a str],
    engine: &'a str,
    option: &'a str,
    offered: bool,
    as_of: String,
    used: u64,
    zones: &'a [&'a str],
    share: [Answer; 3],
    sign: [Answer; 3],
    machine: Answer,
    network: Vec<Answer>,
}

impl Account<'_> {
    fn script(&self) -> Script {
        let absent = || rds_refusal("DBClusterNotFoundFault");
        let instance = || rds("DescribeDBInstances", &instance(self.engine));
        let rules = self.rules.iter().map(|_| Answer::new(200, "version: 1"));
        let offered = match self.offered {
            true => {
                "<OrderableDBInstanceOptions><OrderableDBInstanceOption><DBInstanceClass>db.r6g.large</DBInstanceClass></OrderableDBInstanceOption></OrderableDBInstanceOptions>"
            }
            false => "",
        };
        let option = format!(
            "<OptionGroupsList><OptionGroup><Options><Option><OptionName>{}</OptionName><Permanent>true</Permanent></Option></Options></OptionGroup></OptionGroupsList>",
            self.option
        );
        let options = if self.option.is_empty() { "<OptionGroupsList/>" } else { &option };
        let mut answers = vec![settings(), refusal(400, DENIED), listed(self.rules)];
        answers.extend(rules);
        answers.extend([instance(), absent()]);
        answers.push(rds("DescribeOrderableDBInstanceOptions", offered));
        answers.push(rds("DescribeOptionGroups", options));
        answers.extend([instance(), absent()]);
        answers.push(rds("DescribeDBSnapshots", &snapshots(&self.as_of)));
        answers.push(rds("DescribeDBClusterSnapshots", ""));
        answers.push(instance());
        answers.push(rds("DescribeAccountAttributes", &quotas(self.used)));
        answers.push(rds("DescribeDBSubnetGroups", &zones(self.zones)));
        answers.extend(key("ENCRYPT_DECRYPT", "Enabled", &[], DENIED));
        answers.extend(self.share.clone());
        answers.extend(self.sign.clone());
        answers.extend(std::iter::repeat_n(self.machine.clone(), 4));
        answers.extend(self.network.clone());
        Script::new(answers)
    }
}

fn active() -> Answer {
    let place = json!({ "Subnets": ["subnet-a", "subnet-b"], "SecurityGroups": ["sg-task"] });
    let state =
        json!({ "Parameters": { "NetworkConfiguration": { "AwsvpcConfiguration": place } } });
    let definition =
        json!({ "States": { "Body": { "Branches": [{ "States": { "Anonymize": state } }] } } });
    answer(
        json!({ "status": "ACTIVE", "stateMachineArn": "a", "name": "n", "definition": definition.to_string(), "roleArn": "r",
                   "type": "STANDARD", "creationDate": 1_700_000_000 }),
    )
}

async fn examined(script: &Script, asked: &Asked) -> Examined {
    let told = environment(&told()).unwrap();
    let production = Production::new(script.config.clone(), told).unwrap();
    Box::pin(examine(&production, asked)).await
}

fn good<'a>() -> Account<'a> {
    Account {
        rules: &["rules/shop/shop.yaml"],
        engine: "postgres",
        option: "",
        offered: true,
        as_of: jiff::Timestamp::now().to_string(),
        used: 10,
        zones: &["eu-west-1a", "eu-west-1b"],
        share: key("ENCRYPT_DECRYPT", "Enabled", &[DEV], DENIED),
        sign: key("SIGN_VERIFY", "Enabled", &[], DENIED),
        machine: active(),
        network: ec2::production(&ec2::tables(""), &ec2::groups("")),
    }
}

#[tokio::test]
async fn an_account_in_which_all_is_well_is_found_well() {
    let script = good().script();
    let prices = include_str!("../../../infra/prices.json");
    let asked = Asked { prices: Some(serde_json::from_str(prices).unwrap()), ..Asked::default() };
    let Examined { findings, sizes } = examined(&script, &asked).await;
    let text = findings.to_string();
    assert!(!findings.any_wrong(), "{text}");
    // The masking key was not named; everything else was looked at.
    let unknown: Vec<&str> = text.lines().filter(|line| line.starts_with('?')).collect();
    assert_eq!(unknown.len(), 1, "{text}");
    assert!(unknown[0].contains("mask key"), "{text}");
    assert!(sizes.starts_with("shop: 100 GB: db.r6g.large, 120 GB of storage;"), "{sizes}");
    assert!(sizes.contains("as assumed, ") && sizes.contains(" USD"), "{sizes}");
    // Nothing was changed, and no dry run was meant.
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    for request in script.asked() {
        let target =
            request.header("x-amz-target").rsplit('.').next().unwrap_or_default().to_owned();
        let body = String::from_utf8(request.body.clone()).unwrap();
        if ["Encrypt", "Sign", "GenerateMac"].contains(&target.as_str()) {
            assert!(body.contains("\"DryRun\":true"), "{target}: {body}");
        }
        let action = body.strip_prefix("Action=").and_then(|rest| rest.split('&').next());
        let what =
            if target.is_empty() { action.unwrap_or(&request.method).to_owned() } else { target };
        *asked.entry(what).or_default() += 1;
    }
    for what in asked.keys() {
        let looks = ["Describe", "Get", "GET", "Encrypt", "Sign"];
        assert!(looks.iter().any(|word| what.starts_with(word)), "{what}");
    }
    assert_eq!((asked["Encrypt"], asked["Sign"]), (2, 1));
}

#[tokio::test]
async fn everything_that_is_wrong_is_found_at_once_with_its_cure() {
    let bad = Account {
        rules: &[],
        engine: "mysql",
        option: "TIMEZONE",
        offered: false,
        as_of: "2020-01-01T00:00:00Z".into(),
        used: 39,
        zones: &["eu-west-1a"],
        share: key("ENCRYPT_DECRYPT", "Enabled", &[DEV, "333333333333"], ALLOWED),
        sign: key("SIGN_VERIFY", "Enabled", &[], ALLOWED),
        machine: refusal(400, "StateMachineDoesNotExist"),
        network: ec2::production(
            &ec2::tables(&ec2::route("0.0.0.0/0", "natGatewayId", "nat-1", "active")),
            &ec2::groups(""),
        ),
    };
    let script = Account { used: 97, ..bad }.script();
    let Examined { findings, .. } = examined(&script, &Asked::default()).await;
    let text = findings.to_string();
    let lines: Vec<&str> = text.lines().collect();
    for said in [
        "rules ",
        "is mysql",
        "class ",
        "options ",
        "snapshot ",
        "quota ManualSnapshots",
        "subnet group isolated",
        "share key: policy",
        "share key: use",
        "sign key: use",
        "state machine anonymizer-fleet",
        "subnet-a: routes",
    ] {
        let found = lines.iter().position(|line| line.starts_with("wrong") && line.contains(said));
        let at = found.unwrap_or_else(|| panic!("{said}\n{text}"));
        assert!(lines[at + 1].trim_start().starts_with("(hint: "), "{said}\n{text}");
    }
}

#[tokio::test]
async fn a_network_that_lets_something_out_is_wrong_and_one_that_may_not_be_looked_at_is_not_known()
{
    let world = ec2::permission(443, "ipRanges", "cidrIp", "0.0.0.0/0");
    let open = ec2::production(&ec2::tables(""), &ec2::groups(&world));
    let found = examined(&Account { network: open, ..good() }.script(), &Asked::default()).await;
    let text = found.findings.to_string();
    assert!(
        text.contains("wrong  sg-1: rules") && text.contains("lets out to 0.0.0.0/0"),
        "{text}"
    );

    let denied = ec2::refusal(403, "UnauthorizedOperation", "You are not authorized.");
    let network = vec![denied; 6];
    let found = examined(&Account { network, ..good() }.script(), &Asked::default()).await;
    let text = found.findings.to_string();
    assert!(!found.findings.any_wrong(), "{text}");
    // The masking key; two subnets; a group of the databases and one of the task; six endpoints.
    assert_eq!(text.matches("?      ").count(), 1 + 2 + 2 + 6, "{text}");
    assert!(text.contains("UnauthorizedOperation"), "{text}");
}

#[tokio::test]
async fn settings_that_cannot_be_read_end_it() {
    for document in
        [s3_refusal(403, "AccessDenied"), Answer::new(200, "{}"), s3_refusal(404, "NoSuchKey")]
    {
        let script = Script::new([document]);
        let Examined { findings, sizes } = examined(&script, &Asked::default()).await;
        assert_eq!((findings.0.len(), sizes.as_str()), (1, ""), "{findings}");
        script.asked();
    }
}

#[tokio::test]
async fn the_role_that_needs_a_key_must_be_able_to_use_it() {
    let open = Account { sign: key("SIGN_VERIFY", "Enabled", &[], ALLOWED), ..good() };
    let asked = Asked { may: ["sign".to_owned()].into(), ..Asked::default() };
    let found = examined(&open.script(), &asked).await.findings;
    assert!(!found.any_wrong(), "{found}");
    let found = examined(&good().script(), &asked).await.findings;
    assert!(found.to_string().contains("whoever asks may not sign"), "{found}");
}

#[tokio::test]
async fn an_environment_that_lacks_something_is_told() {
    let told = environment(b"{ \"ANONYMIZER_TABLE\": \"leases\" }").unwrap_err();
    assert!(told.contains("ANONYMIZER_DOCUMENTS"), "{told}");
    assert!(environment(b"[]").is_err());
}

/// As a function of the receiving account is told.
fn told_receiver() -> Vec<u8> {
    const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    json!({
        "ANONYMIZER_DOCUMENTS": "s3://documents",
        "ANONYMIZER_RELEASES": "s3://evidence",
        "ANONYMIZER_TABLE": "leases",
        "ANONYMIZER_KEY": format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/own"),
        "ANONYMIZER_SHARE_KEY": format!("arn:aws:kms:eu-west-1:{PRODUCER}:key/share"),
        "ANONYMIZER_PRODUCER": PRODUCER,
        "ANONYMIZER_REGION": "eu-west-1",
        "ANONYMIZER_PUBLIC_KEYS": KEY,
        "ANONYMIZER_DATABASE_PREFIX": "shop",
        "ANONYMIZER_SECRET_PREFIX": "development/",
        "ANONYMIZER_WORKFLOW": format!("arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:anonymizer-workflow"),
    })
    .to_string()
    .into_bytes()
}

const PRODUCER: &str = "333333333333";

/// What leads out, and how EC2 calls that.
const NAT: (&str, &str) = ("natGatewayId", "nat-1");
const IGW: (&str, &str) = ("gatewayId", "igw-1");

/// The receiving account: what production has shared, the state of its key, and its database's engine.
fn receiving(
    shared: &str,
    share_key: &str,
    engine: &str,
    statement: Option<Answer>,
    way_out: (&str, &str),
) -> Script {
    let settings = json!({ "databases": { "shop": { "name": "shop", "engine": "postgres", "secret": "development/shop" } } });
    let group = "<VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-db</VpcSecurityGroupId>\
                 </VpcSecurityGroupMembership></VpcSecurityGroups><DBSubnetGroup><DBSubnetGroupName>dev</DBSubnetGroupName></DBSubnetGroup></DBInstance></DBInstances>";
    let instance = instance(engine).replace("</DBInstance></DBInstances>", group);
    let mut answers = vec![
        Answer::new(200, settings.to_string()),
        rds("DescribeDBSnapshots", shared),
        rds("DescribeDBClusterSnapshots", ""),
        rds("DescribeDBInstances", &instance),
        rds_refusal("DBClusterNotFoundFault"),
        rds("DescribeDBSubnetGroups", &zones(&["eu-west-1a", "eu-west-1b"])),
    ];
    answers.extend(statement);
    answers.push(rds("DescribeAccountAttributes", &quotas(10)));
    answers.extend(key("ENCRYPT_DECRYPT", "Enabled", &[], DENIED));
    let [described, ..] = key("ENCRYPT_DECRYPT", share_key, &[], DENIED);
    answers.push(described);
    answers.extend(std::iter::repeat_n(active(), 3));
    let (element, by) = way_out;
    answers.extend(ec2::development(&ec2::tables(&ec2::route("0.0.0.0/0", element, by, "active"))));
    Script::new(answers)
}

async fn received(script: &Script) -> String {
    let told = receiver::doctor::environment(&told_receiver()).unwrap();
    let development = receiver::aws::Development::new(script.config.clone(), told).unwrap();
    let findings = Box::pin(receiver::doctor::examine(&development)).await;
    script.asked();
    findings.to_string()
}

#[tokio::test]
async fn a_receiving_account_to_which_nothing_was_released_yet_is_found_well() {
    let text = received(&receiving("", "Enabled", "postgres", None, NAT)).await;
    assert!(!text.contains("wrong"), "{text}");
    assert!(text.contains("ok     shop: reached") && text.contains("by nat-1"), "{text}");
    assert!(text.contains("?      shop: release") && text.contains("ok     share key"), "{text}");
}

#[tokio::test]
async fn a_release_that_nobody_signed_a_key_that_is_off_and_another_engine_are_wrong() {
    let shared = format!(
        "<DBSnapshots><DBSnapshot><DBSnapshotIdentifier>arn:aws:rds:eu-west-1:{PRODUCER}:snapshot:anon-share-shop-r1</DBSnapshotIdentifier>\
         <DBSnapshotArn>arn:aws:rds:eu-west-1:{PRODUCER}:snapshot:anon-share-shop-r1</DBSnapshotArn><DbiResourceId>db-B</DbiResourceId>\
         <Status>available</Status><Engine>postgres</Engine><Encrypted>true</Encrypted><SnapshotType>shared</SnapshotType>\
         <KmsKeyId>arn:aws:kms:eu-west-1:{PRODUCER}:key/share</KmsKeyId><SnapshotCreateTime>2026-01-01T00:00:00Z</SnapshotCreateTime>\
         </DBSnapshot></DBSnapshots>"
    );
    let statement = Some(Answer::new(200, "{}"));
    let text = received(&receiving(&shared, "Disabled", "mysql", statement, IGW)).await;
    for said in ["shop: release", "share key", "is mysql and not postgres", "no public address"] {
        let wrong = text.lines().any(|line| line.starts_with("wrong") && line.contains(said));
        assert!(wrong, "{said}\n{text}");
    }
}
