//! What the doctors ask of EC2 and Lambda, over HTTP: each request to its parameters, pages to the last, refusals and what passes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic, in its helpers too")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::{RetryConfig, SharedCredentialsProvider};
use doctor::network::Network;
use doctor::{ec2, functions};
use e2e_aws::ec2::{described, permission, production, refusal, route, tables};
use e2e_aws::endpoint::{Answer, Asked, Endpoint};

type Form = BTreeMap<String, String>;

fn form(asked: &Asked) -> Form {
    form_urlencoded::parse(&asked.body).into_owned().collect()
}

/// Asks that server as whoever has some credentials; a request that fails in passing is made three times.
fn config(server: &Endpoint) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(retries)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(format!("http://{}", server.address()))
        .build()
}

/// The whole network; where `other` has an answer, that.
async fn looked(
    other: impl Fn(&Form) -> Option<Answer> + Send + Sync + 'static,
) -> (Network, Vec<Asked>) {
    let whole = production(&tables(""), &e2e_aws::ec2::groups(""));
    let server = Endpoint::new(move |asked| {
        let form = form(asked);
        let action = format!("<{}Response", form["Action"]);
        let attribute = form.get("Attribute").cloned().unwrap_or_default();
        let fits = |answer: &&Answer| {
            let text = String::from_utf8_lossy(&answer.body);
            text.contains(&action) && text.contains(&attribute)
        };
        other(&form).or_else(|| whole.iter().find(fits).cloned())
    });
    let server = server.await.unwrap();
    let network = ec2::network(&config(&server), "vpc-1").await;
    (network, server.asked())
}

#[tokio::test]
async fn each_call_asks_for_this_network_alone_and_is_signed() {
    let (network, asked) = looked(|_| None).await;
    let of_network = |action: &str, more: &[(&str, &str)]| {
        let all = [("Action", action), ("Version", "2016-11-15")].into_iter();
        let all = all.chain(more.iter().copied());
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Form>()
    };
    let filter = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", "vpc-1")];
    let list =
        [("Filter.1.Name", "prefix-list-name"), ("Filter.1.Value.1", "com.amazonaws.eu-west-1.s3")];
    let attribute = |name| [("VpcId", "vpc-1"), ("Attribute", name)];
    let forms: Vec<Form> = asked.iter().map(form).collect();
    assert_eq!(
        forms,
        [
            of_network("DescribeVpcEndpoints", &filter),
            of_network("DescribeSubnets", &filter),
            of_network("DescribeRouteTables", &filter),
            of_network("DescribeSecurityGroups", &filter),
            of_network("DescribeVpcAttribute", &attribute("enableDnsSupport")),
            of_network("DescribeVpcAttribute", &attribute("enableDnsHostnames")),
            of_network("DescribePrefixLists", &list),
        ]
    );
    for request in &asked {
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/"));
        assert_eq!(request.header("content-type"), "application/x-www-form-urlencoded");
        let signature = request.header("authorization");
        assert!(signature.contains("/eu-west-1/ec2/aws4_request"), "{signature}");
    }
    assert_eq!(network.subnets.unwrap().len(), 2);
    assert_eq!(network.tables.unwrap()[0].subnets, ["subnet-a", "subnet-b"]);
    assert_eq!(network.groups.unwrap().len(), 3);
    assert_eq!(network.endpoints.unwrap().len(), 6);
    assert_eq!((network.names, network.s3), (Ok(true), Ok(vec!["pl-s3".to_owned()])));
}

#[tokio::test]
async fn pages_are_read_to_the_last() {
    const TOKEN: &str = "eyJ2IjoiMiJ9+/&=";
    let page = |number: usize, next: &str| {
        let item = format!("<item><subnetId>subnet-{number}</subnetId></item>");
        let inside = format!("<subnetSet>{item}</subnetSet><nextToken>{next}</nextToken>");
        described("DescribeSubnets", &inside)
    };
    let (network, asked) = looked(move |form| {
        (form["Action"] == "DescribeSubnets").then(|| match form.get("NextToken") {
            None => page(1, &TOKEN.replace('&', "&amp;")),
            Some(token) if token == TOKEN => page(2, ""),
            Some(_) => refusal(400, "InvalidNextToken", "no"),
        })
    })
    .await;
    let ids: Vec<String> = network.subnets.unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(ids, ["subnet-1", "subnet-2"]);
    assert_eq!(asked.len(), 8);

    let (network, _) =
        looked(move |form| (form["Action"] == "DescribeSubnets").then(|| page(1, "again"))).await;
    assert!(network.subnets.unwrap_err().contains("without an end"));
}

#[tokio::test]
async fn a_refusal_is_told_and_keeps_nothing_else_from_being_seen() {
    let (network, asked) = looked(|form| {
        let refused = "User: arn:aws:iam::1:user/me is not authorized to perform this. Encoded authorization failure message: x8Qz";
        (form["Action"] == "DescribeRouteTables").then(|| refusal(403, "UnauthorizedOperation", refused))
    })
    .await;
    let why = network.tables.unwrap_err();
    let said = "could not ask EC2 to DescribeRouteTables: UnauthorizedOperation: User: arn:aws:iam::1:user/me is not authorized to perform this.";
    assert_eq!(why, said);
    assert!(network.subnets.is_ok() && network.endpoints.is_ok() && network.groups.is_ok());
    // It was not asked again.
    assert_eq!(asked.len(), 7);
}

#[tokio::test]
async fn what_passes_is_asked_again() {
    for (status, code) in
        [(503, "RequestLimitExceeded"), (500, "InternalError"), (400, "Throttling")]
    {
        let times = AtomicUsize::new(0);
        let (network, asked) = looked(move |form| {
            let first =
                form["Action"] == "DescribeSubnets" && times.fetch_add(1, Ordering::SeqCst) < 2;
            first.then(|| refusal(status, code, "later"))
        })
        .await;
        assert_eq!(network.subnets.unwrap().len(), 2, "{code}");
        assert_eq!(asked.len(), 9, "{code}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_short_list() {
    let whole = String::from_utf8(described("DescribeRouteTables", &tables("")).body).unwrap();
    let html = "<html><body>the load balancer is sorry</body></html>".to_owned();
    let broken = whole.replace("<associationSet>", "<associationSet");
    for body in [whole[..whole.len() - 40].to_owned(), broken, html, String::new()] {
        let (network, _) = looked(move |form| {
            (form["Action"] == "DescribeRouteTables").then(|| Answer::new(200, body.clone()))
        })
        .await;
        let why = network.tables.unwrap_err();
        assert_eq!(why, "could not read what EC2 answered to DescribeRouteTables");
    }
}

#[tokio::test]
async fn every_target_of_a_route_and_every_peer_of_a_rule_is_read() {
    let targets = [
        ("gatewayId", "igw-1"),
        ("natGatewayId", "nat-1"),
        ("egressOnlyInternetGatewayId", "eigw-1"),
        ("transitGatewayId", "tgw-1"),
        ("vpcPeeringConnectionId", "pcx-1"),
        ("localGatewayId", "lgw-1"),
        ("carrierGatewayId", "cagw-1"),
        ("coreNetworkArn", "arn:aws:networkmanager::1:core-network/c"),
        ("networkInterfaceId", "eni-1"),
        ("quantumGatewayId", ""),
    ];
    let mut more: Vec<String> =
        targets.iter().map(|(element, by)| route("0.0.0.0/0", element, by, "active")).collect();
    more.push(route("::/0", "gatewayId", "igw-2", "blackhole"));
    let peers = [
        permission(22, "groups", "groupId", "sg-x"),
        permission(22, "ipRanges", "cidrIp", "10.0.0.0/8"),
        permission(22, "ipv6Ranges", "cidrIpv6", "::/0"),
        permission(22, "prefixListIds", "prefixListId", "pl-x"),
    ]
    .concat();
    let (network, _) = looked(move |form| match form["Action"].as_str() {
        "DescribeRouteTables" => Some(described("DescribeRouteTables", &tables(&more.concat()))),
        "DescribeSecurityGroups" => {
            let group = e2e_aws::ec2::group("sg-1", &peers, "");
            let inside = format!("<securityGroupInfo>{group}</securityGroupInfo>");
            Some(described("DescribeSecurityGroups", &inside))
        }
        _ => None,
    })
    .await;
    let routes = network.tables.unwrap().remove(0).routes;
    let by: Vec<&str> = routes.iter().skip(2).map(|route| route.by.as_str()).collect();
    let wanted: Vec<&str> = targets.iter().map(|(_, by)| *by).chain(["igw-2"]).collect();
    assert_eq!(by, wanted);
    assert!(!routes.last().unwrap().active && routes[0].active);
    let group = network.groups.unwrap().remove(0);
    let rules: Vec<String> = group.ingress.iter().map(ToString::to_string).collect();
    assert_eq!(rules, ["sg-x on 22", "10.0.0.0/8 on 22", "::/0 on 22", "pl-x on 22"]);
    assert_eq!(group.egress[0].to_string(), "127.0.0.1/32");
}

#[tokio::test]
async fn a_function_is_asked_where_it_is_and_a_missing_one_is_told() {
    let server = Endpoint::new(|asked| {
        let place = r#"{ "VpcConfig": { "VpcId": "vpc-1", "SubnetIds": ["subnet-a"], "SecurityGroupIds": ["sg-1"] } }"#;
        Some(match asked.path.as_str() {
            "/2015-03-31/functions/anonymizer-Credentials/configuration" => Answer::new(200, place),
            "/2015-03-31/functions/anonymizer-Outside/configuration" => {
                Answer::new(200, r#"{ "VpcConfig": { "VpcId": "", "SubnetIds": [] } }"#)
            }
            _ => Answer {
                headers: vec![(
                    "x-amzn-errortype",
                    "ResourceNotFoundException:http://internal".into(),
                )],
                ..Answer::new(404, r#"{ "Type": "User", "Message": "Function not found" }"#)
            },
        })
    });
    let server = server.await.unwrap();
    let config = config(&server);
    let (network, place) =
        functions::place(&config, "anonymizer-Credentials").await.unwrap().unwrap();
    assert_eq!(network, "vpc-1");
    assert!(place.subnets.contains("subnet-a") && place.groups.contains("sg-1"));
    assert_eq!(functions::place(&config, "anonymizer-Outside").await, Ok(None));
    let why = functions::place(&config, "anonymizer-None").await.unwrap_err();
    assert!(why.ends_with("ResourceNotFoundException: Function not found"), "{why}");
    let asked = server.asked();
    assert_eq!((asked[0].method.as_str(), asked[0].body.len()), ("GET", 0));
    assert!(asked[0].header("authorization").contains("/eu-west-1/lambda/aws4_request"));
}
