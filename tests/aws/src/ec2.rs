//! What EC2 and Lambda answer about a network as the templates make it, in the order in which the doctors ask. A test changes one
//! of the texts.

use serde_json::json;

use crate::endpoint::Answer;

/// The network.
pub const VPC: &str = "vpc-1";

/// An answer of EC2: the inside of its response.
pub fn described(action: &str, inside: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{action}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n    \
         <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>\n    {inside}\n</{action}Response>"
    );
    Answer::new(200, body)
}

/// A refusal of EC2.
pub fn refusal(status: u16, code: &str, message: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error>\
         </Errors><RequestID>ea966190-f9aa-478e-9ede-example</RequestID></Response>"
    );
    Answer::new(status, body)
}

/// A route: to where, by what, which is told as `element`.
pub fn route(to: &str, element: &str, by: &str, state: &str) -> String {
    let kind = match (to.starts_with("pl-"), to.contains(':')) {
        (true, _) => "destinationPrefixListId",
        (_, true) => "destinationIpv6CidrBlock",
        _ => "destinationCidrBlock",
    };
    format!(
        "<item><{kind}>{to}</{kind}><{element}>{by}</{element}><state>{state}</state><origin>CreateRoute</origin></item>"
    )
}

/// The route table of both subnets, with more routes.
pub fn tables(more: &str) -> String {
    let association = |subnet: &str| {
        format!(
            "<item><routeTableAssociationId>rtbassoc-{subnet}</routeTableAssociationId><routeTableId>rtb-1</routeTableId>\
             <subnetId>{subnet}</subnetId><main>false</main><associationState><state>associated</state></associationState></item>"
        )
    };
    let local = route("10.77.0.0/24", "gatewayId", "local", "active");
    let s3 = route("pl-s3", "gatewayId", "vpce-s3", "active");
    format!(
        "<routeTableSet><item><routeTableId>rtb-1</routeTableId><vpcId>{VPC}</vpcId><routeSet>{local}{s3}{more}</routeSet>\
         <associationSet>{}{}</associationSet><propagatingVgwSet/><tagSet/></item></routeTableSet>",
        association("subnet-a"),
        association("subnet-b"),
    )
}

fn subnets() -> String {
    let subnet = |id: &str, block: &str| {
        format!(
            "<item><subnetId>{id}</subnetId><state>available</state><vpcId>{VPC}</vpcId><cidrBlock>{block}</cidrBlock>\
             <ipv6CidrBlockAssociationSet/><mapPublicIpOnLaunch>false</mapPublicIpOnLaunch></item>"
        )
    };
    let (a, b) = (subnet("subnet-a", "10.77.0.0/26"), subnet("subnet-b", "10.77.0.64/26"));
    format!("<subnetSet>{a}{b}</subnetSet>")
}

/// A permission of a security group, for one peer.
pub fn permission(port: u16, kind: &str, element: &str, peer: &str) -> String {
    let list = |name: &str| match name == kind {
        true => format!(
            "<{name}><item><{element}>{peer}</{element}><description>why</description></item></{name}>"
        ),
        false => format!("<{name}/>"),
    };
    let lists = ["groups", "ipRanges", "ipv6Ranges", "prefixListIds"].map(list).concat();
    format!(
        "<item><ipProtocol>tcp</ipProtocol><fromPort>{port}</fromPort><toPort>{port}</toPort>{lists}</item>"
    )
}

fn of(port: u16, group: &str) -> String {
    permission(port, "groups", "groupId", group)
}

/// A security group.
pub fn group(id: &str, ingress: &str, egress: &str) -> String {
    // As the template writes that there is none.
    let nowhere = "<item><ipProtocol>-1</ipProtocol><groups/><ipRanges><item><cidrIp>127.0.0.1/32</cidrIp></item></ipRanges>\
                   <ipv6Ranges/><prefixListIds/></item>";
    format!(
        "<item><ownerId>111111111111</ownerId><groupId>{id}</groupId><groupName>{id}</groupName><vpcId>{VPC}</vpcId>\
         <ipPermissions>{ingress}</ipPermissions><ipPermissionsEgress>{nowhere}{egress}</ipPermissionsEgress></item>"
    )
}

/// Those of production; what else the databases' one lets out to.
pub fn groups(more: &str) -> String {
    let to_s3 = permission(443, "prefixListIds", "prefixListId", "pl-s3");
    let out = [of(5432, "sg-1"), of(443, "sg-ends"), to_s3].concat();
    let all = [
        group("sg-1", &of(5432, "sg-task"), more),
        group("sg-task", "", &out),
        group("sg-ends", &of(443, "sg-task"), ""),
    ];
    format!("<securityGroupInfo>{}</securityGroupInfo>", all.concat())
}

fn endpoints(services: &[&str]) -> String {
    let interface = |name: &&str| {
        format!(
            "<item><vpcEndpointId>vpce-{name}</vpcEndpointId><vpcEndpointType>Interface</vpcEndpointType><vpcId>{VPC}</vpcId>\
             <serviceName>com.amazonaws.eu-west-1.{name}</serviceName><state>available</state><routeTableIdSet/>\
             <subnetIdSet><item>subnet-a</item><item>subnet-b</item></subnetIdSet>\
             <groupSet><item><groupId>sg-ends</groupId><groupName>ends</groupName></item></groupSet>\
             <privateDnsEnabled>true</privateDnsEnabled></item>"
        )
    };
    let gateway = format!(
        "<item><vpcEndpointId>vpce-s3</vpcEndpointId><vpcEndpointType>Gateway</vpcEndpointType><vpcId>{VPC}</vpcId>\
         <serviceName>com.amazonaws.eu-west-1.s3</serviceName><state>available</state>\
         <routeTableIdSet><item>rtb-1</item></routeTableIdSet><subnetIdSet/><groupSet/><privateDnsEnabled>false</privateDnsEnabled></item>"
    );
    let interfaces: String = services.iter().map(interface).collect();
    format!("<vpcEndpointSet>{interfaces}{gateway}</vpcEndpointSet>")
}

fn attribute(name: &str) -> Answer {
    let inside = format!("<vpcId>{VPC}</vpcId><{name}><value>true</value></{name}>");
    described("DescribeVpcAttribute", &inside)
}

fn network(services: &[&str], tables: &str, groups: &str) -> Vec<Answer> {
    let lists = "<prefixListSet><item><prefixListId>pl-s3</prefixListId>\
                 <prefixListName>com.amazonaws.eu-west-1.s3</prefixListName><cidrSet><item>52.218.0.0/17</item></cidrSet></item></prefixListSet>";
    vec![
        described("DescribeVpcEndpoints", &endpoints(services)),
        described("DescribeSubnets", &subnets()),
        described("DescribeRouteTables", tables),
        described("DescribeSecurityGroups", groups),
        attribute("enableDnsSupport"),
        attribute("enableDnsHostnames"),
        described("DescribePrefixLists", lists),
    ]
}

/// Production's network, with the text of its route tables and of its security groups.
pub fn production(tables: &str, groups: &str) -> Vec<Answer> {
    network(&["ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms"], tables, groups)
}

/// Both functions of development and the network that they are in, with a way out or without endpoints of their own.
pub fn development(tables: &str) -> Vec<Answer> {
    let place = json!({ "VpcConfig": { "VpcId": VPC, "SubnetIds": ["subnet-a", "subnet-b"], "SecurityGroupIds": ["sg-fn"] } });
    let function = Answer::new(200, place.to_string());
    let world = permission(443, "ipRanges", "cidrIp", "0.0.0.0/0");
    let all = [
        group("sg-db", &of(5432, "sg-fn"), ""),
        group("sg-fn", "", &[of(5432, "sg-db"), world].concat()),
    ];
    let groups = format!("<securityGroupInfo>{}</securityGroupInfo>", all.concat());
    let mut answers = vec![function.clone(), function];
    answers.extend(network(&[], tables, &groups));
    answers
}
