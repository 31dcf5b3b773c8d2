//! Networks as both templates make them, for tests of what is decided about them.

use super::{Endpoint, Group, Network, Peer, Place, Route, Rule, Subnet, Table};

pub(super) use super::isolated::SERVICES;

/// What is otherwise than it shall be.
pub(super) type Change = fn(&mut Network);

/// By TCP, on one port.
pub(super) fn rule(peer: Peer, port: u16) -> Rule {
    Rule { protocol: "tcp".into(), ports: Some((port, port)), peer }
}

pub(super) fn route(to: &str, by: &str) -> Route {
    Route { to: to.into(), by: by.into(), active: true }
}

fn of(group: &str, port: u16) -> Rule {
    rule(Peer::Group(group.into()), port)
}

fn nowhere() -> Rule {
    let peer = Peer::Addresses("127.0.0.1/32".into());
    Rule { protocol: "-1".into(), ports: None, peer }
}

fn group(id: &str, ingress: Vec<Rule>, egress: Vec<Rule>) -> Group {
    Group { id: id.into(), ingress, egress }
}

fn interface(name: &str) -> Endpoint {
    Endpoint {
        id: format!("vpce-{name}"),
        service: format!("com.amazonaws.eu-west-1.{name}"),
        state: "available".into(),
        private_dns: Some(true),
        subnets: vec!["subnet-a".into()],
        groups: vec!["sg-ends".into()],
        ..Endpoint::default()
    }
}

fn gateway() -> Endpoint {
    Endpoint {
        gateway: true,
        private_dns: Some(false),
        subnets: Vec::new(),
        groups: Vec::new(),
        tables: vec!["rtb-1".into()],
        ..interface("s3")
    }
}

fn place(subnets: &[&str], group: &str) -> Place {
    Place {
        subnets: subnets.iter().map(|one| (*one).to_owned()).collect(),
        groups: [group.to_owned()].into(),
    }
}

/// Where the masking task is.
pub(super) fn task() -> Place {
    place(&["subnet-a", "subnet-b"], "sg-task")
}

/// Where the functions of development are.
pub(super) fn functions() -> Place {
    place(&["subnet-a", "subnet-b"], "sg-fn")
}

/// Production's.
pub(super) fn network() -> Network {
    let subnet = |id: &str, block: &str| Subnet { id: id.into(), block: block.into() };
    let table = Table {
        id: "rtb-1".into(),
        main: false,
        subnets: vec!["subnet-a".into(), "subnet-b".into()],
        routes: vec![route("10.1.0.0/16", "local"), route("pl-s3", "vpce-s3")],
    };
    let to_s3 = rule(Peer::Prefixes("pl-s3".into()), 443);
    let out = vec![nowhere(), of("sg-db", 5432), of("sg-ends", 443), to_s3];
    let mut endpoints: Vec<Endpoint> = SERVICES.iter().map(|name| interface(name)).collect();
    endpoints.push(gateway());
    Network {
        id: "vpc-1".into(),
        region: "eu-west-1".into(),
        subnets: Ok(vec![subnet("subnet-a", "10.1.0.0/24"), subnet("subnet-b", "10.1.1.0/24")]),
        tables: Ok(vec![table]),
        groups: Ok(vec![
            group("sg-db", vec![of("sg-task", 5432)], vec![nowhere()]),
            group("sg-task", Vec::new(), out),
            group("sg-ends", vec![of("sg-task", 443)], vec![nowhere()]),
        ]),
        endpoints: Ok(endpoints),
        names: Ok(true),
        s3: Ok(vec!["pl-s3".into()]),
    }
}

/// Development's, with endpoints of its own.
pub(super) fn development() -> Network {
    let world = || rule(Peer::Addresses("0.0.0.0/0".into()), 443);
    Network {
        groups: Ok(vec![
            group("sg-db", vec![of("sg-fn", 5432)], Vec::new()),
            group("sg-fn", Vec::new(), vec![of("sg-db", 5432), world()]),
            group("sg-ends", vec![of("sg-fn", 443)], vec![nowhere()]),
        ]),
        endpoints: Ok(vec![interface("secretsmanager"), interface("rds"), gateway()]),
        ..network()
    }
}
