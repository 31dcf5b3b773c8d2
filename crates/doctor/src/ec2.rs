//! What EC2 says of a network: its calls that describe, page by page, and their answers read. It changes nothing and decides
//! nothing.

use account::aws::SdkConfig;
use account::aws::ask::{Request, Service, ask};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};

use crate::network::{Endpoint, Group, Network, Peer, Route, Rule, Seen, Subnet, Table};

const VERSION: &str = "2016-11-15";

/// More pages than any network has: whoever answers with more goes round in a circle.
const PAGES: usize = 200;

const EC2: Service = Service { name: "ec2", id: "ec2", refused };

/// What a route leads to, by the names that EC2 has for it. The first is the one that counts: what leads to an instance names
/// its interface as well.
const TARGETS: [&str; 11] = [
    "gatewayId",
    "natGatewayId",
    "egressOnlyInternetGatewayId",
    "transitGatewayId",
    "vpcPeeringConnectionId",
    "localGatewayId",
    "carrierGatewayId",
    "coreNetworkArn",
    "instanceId",
    "networkInterfaceId",
    "odbNetworkArn",
];

type Read<T> = fn(&mut ScopedDecoder<'_, '_>) -> Result<T, XmlDecodeError>;

/// Looks at a network, as far as whoever asks may.
pub async fn network(config: &SdkConfig, id: &str) -> Network {
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    let in_it = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", id)];
    let s3 = format!("com.amazonaws.{region}.s3");
    let of_s3 = [("Filter.1.Name", "prefix-list-name"), ("Filter.1.Value.1", s3.as_str())];
    let mut endpoints =
        all(config, "DescribeVpcEndpoints", &in_it, "vpcEndpointSet", endpoint).await;
    if let Ok(endpoints) = &mut endpoints {
        endpoints.retain(|(network, _)| network == id);
    }
    let endpoints = endpoints.map(|all| all.into_iter().map(|(_, one)| one).collect());
    Network {
        id: id.to_owned(),
        subnets: all(config, "DescribeSubnets", &in_it, "subnetSet", subnet).await,
        tables: all(config, "DescribeRouteTables", &in_it, "routeTableSet", table).await,
        groups: all(config, "DescribeSecurityGroups", &in_it, "securityGroupInfo", group).await,
        endpoints,
        names: names(config, id).await,
        s3: all(config, "DescribePrefixLists", &of_s3, "prefixListSet", prefix_list).await,
        region,
    }
}

/// Everything of a kind.
async fn all<T>(
    config: &SdkConfig,
    action: &str,
    parameters: &[(&str, &str)],
    set: &str,
    read: Read<T>,
) -> Seen<Vec<T>> {
    let (mut found, mut token) = (Vec::new(), None);
    for _ in 0..PAGES {
        let answer = describe(config, action, parameters, token.as_deref()).await?;
        let unreadable = |_| format!("could not read what EC2 answered to {action}");
        let (items, next) = page(&answer, set, read).map_err(unreadable)?;
        found.extend(items);
        if next.is_none() {
            return Ok(found);
        }
        token = next;
    }
    Err(format!("EC2 answers {action} without an end"))
}

/// Both of the attributes without which an endpoint's names lead nowhere.
async fn names(config: &SdkConfig, id: &str) -> Seen<bool> {
    for attribute in ["enableDnsSupport", "enableDnsHostnames"] {
        let asked = [("VpcId", id), ("Attribute", attribute)];
        let action = "DescribeVpcAttribute";
        let answer = describe(config, action, &asked, None).await?;
        let unreadable = || format!("could not read what EC2 answered to {action}");
        let on = attribute_of(&answer, attribute).ok().flatten().ok_or_else(unreadable)?;
        if !on {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn describe(
    config: &SdkConfig,
    action: &str,
    parameters: &[(&str, &str)],
    token: Option<&str>,
) -> Seen<Vec<u8>> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action).append_pair("Version", VERSION);
    form.extend_pairs(parameters);
    form.extend_pairs(token.map(|token| ("NextToken", token)));
    let request = Request {
        method: "POST",
        path: "/".to_owned(),
        content_type: "application/x-www-form-urlencoded",
        body: form.finish().into_bytes(),
    };
    let answer = ask(config, EC2, &format!("ask EC2 to {action}"), request).await;
    // What follows is for whoever may decode it.
    let short = |why: String| why.split(" Encoded ").next().unwrap_or_default().to_owned();
    answer.map_err(|error| short(error.to_string()))
}

/// A page's items, and where the next one begins. A document that breaks off is no short list.
fn page<T>(
    answer: &[u8],
    set: &str,
    read: Read<T>,
) -> Result<(Vec<T>, Option<String>), XmlDecodeError> {
    let mut document = whole(answer)?;
    let mut root = document.root_element()?;
    let (mut found, mut next) = (None, None);
    while let Some(mut tag) = root.next_tag() {
        match tag.start_el().local() {
            "nextToken" => next = Some(text(&mut tag)?).filter(|token| !token.is_empty()),
            name if name == set => found = Some(items(&mut tag, read)?),
            _ => {}
        }
    }
    let found = found.ok_or_else(|| XmlDecodeError::custom("the list is not there"))?;
    Ok((found, next))
}

fn attribute_of(answer: &[u8], attribute: &str) -> Result<Option<bool>, XmlDecodeError> {
    let mut document = whole(answer)?;
    let mut root = document.root_element()?;
    while let Some(mut tag) = root.next_tag() {
        if tag.start_el().local() == attribute
            && let Some(mut value) = tag.next_tag()
        {
            return Ok(text(&mut value)?.parse().ok());
        }
    }
    Ok(None)
}

/// The document, if it is one to its end: the decoder takes a broken one for one that is over.
fn whole(answer: &[u8]) -> Result<Document<'_>, XmlDecodeError> {
    let mut open = None;
    for token in Document::try_from(answer)? {
        open = Some(token?.1);
    }
    if open == Some(0) {
        Document::try_from(answer)
    } else {
        Err(XmlDecodeError::custom("the document breaks off"))
    }
}

fn text(tag: &mut ScopedDecoder<'_, '_>) -> Result<String, XmlDecodeError> {
    try_data(tag).map(|text| text.trim().to_owned())
}

fn items<T>(set: &mut ScopedDecoder<'_, '_>, read: Read<T>) -> Result<Vec<T>, XmlDecodeError> {
    let mut found = Vec::new();
    while let Some(mut item) = set.next_tag() {
        found.push(read(&mut item)?);
    }
    Ok(found)
}

/// One of the texts in an item: `<item><groupId>…</groupId>…</item>`.
fn inside(item: &mut ScopedDecoder<'_, '_>, name: &str) -> Result<String, XmlDecodeError> {
    let mut found = String::new();
    while let Some(mut tag) = item.next_tag() {
        if tag.start_el().local() == name {
            found = text(&mut tag)?;
        }
    }
    Ok(found)
}

fn prefix_list(item: &mut ScopedDecoder<'_, '_>) -> Result<String, XmlDecodeError> {
    inside(item, "prefixListId")
}

fn subnet(item: &mut ScopedDecoder<'_, '_>) -> Result<Subnet, XmlDecodeError> {
    let mut subnet = Subnet::default();
    while let Some(mut tag) = item.next_tag() {
        match tag.start_el().local() {
            "subnetId" => subnet.id = text(&mut tag)?,
            "cidrBlock" => subnet.block = text(&mut tag)?,
            _ => {}
        }
    }
    Ok(subnet)
}

fn table(item: &mut ScopedDecoder<'_, '_>) -> Result<Table, XmlDecodeError> {
    let mut table = Table::default();
    while let Some(mut tag) = item.next_tag() {
        match tag.start_el().local() {
            "routeTableId" => table.id = text(&mut tag)?,
            "routeSet" => table.routes = items(&mut tag, route)?,
            "associationSet" => {
                for (main, subnet) in items(&mut tag, association)? {
                    table.main |= main;
                    table.subnets.extend(subnet);
                }
            }
            _ => {}
        }
    }
    Ok(table)
}

fn association(item: &mut ScopedDecoder<'_, '_>) -> Result<(bool, Option<String>), XmlDecodeError> {
    let (mut main, mut subnet) = (false, None);
    while let Some(mut tag) = item.next_tag() {
        match tag.start_el().local() {
            "main" => main = text(&mut tag)? == "true",
            "subnetId" => subnet = Some(text(&mut tag)?),
            _ => {}
        }
    }
    Ok((main, subnet))
}

fn route(item: &mut ScopedDecoder<'_, '_>) -> Result<Route, XmlDecodeError> {
    let mut route = Route::default();
    let mut first = TARGETS.len();
    while let Some(mut tag) = item.next_tag() {
        let name = tag.start_el().local().to_owned();
        match name.as_str() {
            "destinationCidrBlock" | "destinationIpv6CidrBlock" | "destinationPrefixListId" => {
                route.to = text(&mut tag)?;
            }
            "state" => route.active = text(&mut tag)? == "active",
            name => {
                let known = TARGETS.iter().position(|target| *target == name);
                if let Some(at) = known.filter(|at| *at < first) {
                    (first, route.by) = (at, text(&mut tag)?);
                }
            }
        }
    }
    Ok(route)
}

fn group(item: &mut ScopedDecoder<'_, '_>) -> Result<Group, XmlDecodeError> {
    let mut group = Group::default();
    while let Some(mut tag) = item.next_tag() {
        match tag.start_el().local() {
            "groupId" => group.id = text(&mut tag)?,
            "ipPermissions" => group.ingress = items(&mut tag, rules)?.concat(),
            "ipPermissionsEgress" => group.egress = items(&mut tag, rules)?.concat(),
            _ => {}
        }
    }
    Ok(group)
}

/// A permission as a rule for each of its peers.
fn rules(item: &mut ScopedDecoder<'_, '_>) -> Result<Vec<Rule>, XmlDecodeError> {
    let (mut protocol, mut from, mut to, mut peers) = (String::new(), None, None, Vec::new());
    while let Some(mut tag) = item.next_tag() {
        match tag.start_el().local() {
            "ipProtocol" => protocol = text(&mut tag)?,
            "fromPort" => from = text(&mut tag)?.parse::<u16>().ok(),
            "toPort" => to = text(&mut tag)?.parse::<u16>().ok(),
            "groups" => {
                peers.extend(items(&mut tag, |item| Ok(Peer::Group(inside(item, "groupId")?)))?)
            }
            "ipRanges" => {
                peers.extend(items(&mut tag, |item| Ok(Peer::Addresses(inside(item, "cidrIp")?)))?);
            }
            "ipv6Ranges" => {
                peers.extend(items(&mut tag, |item| {
                    Ok(Peer::Addresses(inside(item, "cidrIpv6")?))
                })?);
            }
            "prefixListIds" => {
                peers.extend(items(&mut tag, |item| {
                    Ok(Peer::Prefixes(inside(item, "prefixListId")?))
                })?);
            }
            _ => {}
        }
    }
    // All of a protocol's where they are not told.
    let ports = from.zip(to).filter(|_| protocol != "-1");
    Ok(peers.into_iter().map(|peer| Rule { protocol: protocol.clone(), ports, peer }).collect())
}

/// An endpoint, behind the network that it is in.
fn endpoint(item: &mut ScopedDecoder<'_, '_>) -> Result<(String, Endpoint), XmlDecodeError> {
    let (mut network, mut endpoint) = (String::new(), Endpoint::default());
    while let Some(mut tag) = item.next_tag() {
        match tag.start_el().local() {
            "vpcId" => network = text(&mut tag)?,
            "vpcEndpointId" => endpoint.id = text(&mut tag)?,
            "vpcEndpointType" => endpoint.gateway = text(&mut tag)?.eq_ignore_ascii_case("gateway"),
            "serviceName" => endpoint.service = text(&mut tag)?,
            "state" => endpoint.state = text(&mut tag)?,
            "privateDnsEnabled" => endpoint.private_dns = text(&mut tag)?.parse().ok(),
            "subnetIdSet" => endpoint.subnets = items(&mut tag, text)?,
            "routeTableIdSet" => endpoint.tables = items(&mut tag, text)?,
            "groupSet" => endpoint.groups = items(&mut tag, |item| inside(item, "groupId"))?,
            _ => {}
        }
    }
    Ok((network, endpoint))
}

/// `<Response><Errors><Error><Code>…</Code><Message>…</Message></Error></Errors>…`
fn refused(answer: &HttpResponse) -> (Option<String>, Option<String>) {
    let mut said = (None, None);
    let bytes = answer.body().bytes().unwrap_or_default();
    if let Ok(mut document) = Document::try_from(bytes)
        && let Ok(mut root) = document.root_element()
    {
        why(&mut root, &mut said);
    }
    said
}

fn why(tag: &mut ScopedDecoder<'_, '_>, said: &mut (Option<String>, Option<String>)) {
    while let Some(mut tag) = tag.next_tag() {
        match tag.start_el().local() {
            "Code" => said.0 = text(&mut tag).ok(),
            "Message" => said.1 = text(&mut tag).ok(),
            _ => why(&mut tag, said),
        }
    }
}
