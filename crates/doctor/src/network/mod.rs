//! A network as EC2 describes it, and what is decided about it: where a subnet's routes lead, whom a security group lets in and
//! out, whether a service can be reached by its endpoint. Nothing is asked here: `ec2.rs` does.
//!
//! What could not be looked at is no empty list: it is said why, and nothing that depends on it is found well.

pub mod endpoints;
pub mod groups;
pub mod isolated;
pub mod reached;
pub mod routes;
#[cfg(test)]
mod tests_of;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Every address of the older family.
const EVERYWHERE: &str = "0.0.0.0/0";

/// What was seen, or why it was not.
pub type Seen<T> = Result<T, String>;

/// A VPC and what is in it.
#[derive(Clone, Debug)]
pub struct Network {
    /// Its id.
    pub id: String,
    /// The region's name, which is part of the names of services.
    pub region: String,
    /// Subnets.
    pub subnets: Seen<Vec<Subnet>>,
    /// Route tables.
    pub tables: Seen<Vec<Table>>,
    /// Security groups.
    pub groups: Seen<Vec<Group>>,
    /// Endpoints.
    pub endpoints: Seen<Vec<Endpoint>>,
    /// Names are answered, those of endpoints too.
    pub names: Seen<bool>,
    /// S3's prefix lists.
    pub s3: Seen<Vec<String>>,
}

/// A subnet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subnet {
    /// Its id.
    pub id: String,
    /// Its addresses, of the older family: databases and endpoints have one of those.
    pub block: String,
}

/// A route table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Its id.
    pub id: String,
    /// Subnets without a table of their own have this one.
    pub main: bool,
    /// Subnets that have it by name.
    pub subnets: Vec<String>,
    /// Routes.
    pub routes: Vec<Route>,
}

/// A route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// Addresses or a prefix list.
    pub to: String,
    /// What it leads to: `local`, a gateway's id, …; empty where EC2 names nothing that is known here.
    pub by: String,
    /// It leads there; not so where that has gone.
    pub active: bool,
}

/// A security group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Whom it lets in.
    pub ingress: Vec<Rule>,
    /// Whom it lets out to.
    pub egress: Vec<Rule>,
}

/// A rule for one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `tcp`, `udp`, …, `-1` for all.
    pub protocol: String,
    /// From and to; none for all.
    pub ports: Option<(u16, u16)>,
    /// The other side.
    pub peer: Peer,
}

/// The other side of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// Whatever is in a security group.
    Group(String),
    /// Addresses.
    Addresses(String),
    /// A prefix list.
    Prefixes(String),
}

/// An endpoint of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: String,
    /// `com.amazonaws.REGION.NAME`
    pub service: String,
    /// It is a route, and not addresses of the network's own.
    pub gateway: bool,
    /// It can be used; otherwise the word for that.
    pub state: String,
    /// The service's own name leads to it; none where nothing is said of that.
    pub private_dns: Option<bool>,
    /// The subnets that it has an address in.
    pub subnets: Vec<String>,
    /// Its security groups.
    pub groups: Vec<String>,
    /// The route tables that it is in, as a gateway.
    pub tables: Vec<String>,
}

/// Something that is in subnets and security groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Subnets.
    pub subnets: BTreeSet<String>,
    /// Security groups.
    pub groups: BTreeSet<String>,
}

impl Network {
    /// The addresses of subnets, of those that were seen.
    fn addresses(&self, subnets: &BTreeSet<String>) -> Vec<&str> {
        let seen = self.subnets.iter().flatten().filter(|one| subnets.contains(&one.id));
        seen.map(|one| one.block.as_str()).collect()
    }

    /// The groups of that name that were seen.
    fn groups<'a>(&'a self, names: &'a BTreeSet<String>) -> impl Iterator<Item = &'a Group> {
        self.groups.iter().flatten().filter(|one| names.contains(&one.id))
    }
}

impl Rule {
    /// Lets through whatever comes by TCP to that port.
    fn covers(&self, port: u16) -> bool {
        let protocol = ["tcp", "6", "-1"].contains(&self.protocol.as_str());
        protocol && self.ports.is_none_or(|(from, to)| from <= port && port <= to)
    }

    /// Its peer is something that is in this place.
    fn meets(&self, place: &Place, addresses: &[&str]) -> bool {
        match &self.peer {
            Peer::Group(id) => place.groups.contains(id),
            Peer::Addresses(block) if block == EVERYWHERE => true,
            Peer::Addresses(block) => {
                !addresses.is_empty() && addresses.iter().all(|part| within(part, block))
            }
            Peer::Prefixes(_) => false,
        }
    }

    /// Lets nothing through: only this very machine's own addresses. A template writes that where no rule at all would mean every
    /// one.
    fn nothing(&self) -> bool {
        match &self.peer {
            Peer::Addresses(block) => within(block, "127.0.0.0/8") || within(block, "::1/128"),
            _ => false,
        }
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Peer::Group(peer) | Peer::Addresses(peer) | Peer::Prefixes(peer)) = &self.peer;
        match self.ports {
            None => write!(f, "{peer}"),
            Some((from, to)) if from == to => write!(f, "{peer} on {from}"),
            Some((from, to)) => write!(f, "{peer} on {from} to {to}"),
        }?;
        match self.protocol.as_str() {
            "tcp" | "6" | "-1" => Ok(()),
            other => write!(f, " by {other}"),
        }
    }
}

/// One block of addresses lies in another. What is no block lies in none.
fn within(part: &str, whole: &str) -> bool {
    let (Some((part, narrow)), Some((whole, wide))) = (block(part), block(whole)) else {
        return false;
    };
    if narrow < wide {
        return false;
    }
    match (part, whole) {
        (IpAddr::V4(part), IpAddr::V4(whole)) => masked4(part, wide) == masked4(whole, wide),
        (IpAddr::V6(part), IpAddr::V6(whole)) => masked6(part, wide) == masked6(whole, wide),
        _ => false,
    }
}

fn block(text: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length: u32 = length.parse().ok()?;
    (length <= most).then_some((address, length))
}

fn masked4(address: Ipv4Addr, length: u32) -> u32 {
    u32::from(address) & u32::MAX.checked_shl(32 - length).unwrap_or(0)
}

fn masked6(address: Ipv6Addr, length: u32) -> u128 {
    u128::from(address) & u128::MAX.checked_shl(128 - length).unwrap_or(0)
}

/// Names after each other.
fn all<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_lies_in_a_wider_one_of_its_family() {
        for (part, whole) in [
            ("10.77.0.0/26", "10.77.0.0/24"),
            ("10.77.0.64/26", "10.0.0.0/8"),
            ("10.1.2.3/32", "0.0.0.0/0"),
            ("127.0.0.1/32", "127.0.0.0/8"),
            ("fd00::/64", "::/0"),
            ("fd00:1::/64", "fd00:1::/56"),
        ] {
            assert!(within(part, whole), "{part} {whole}");
        }
        for (part, whole) in [
            ("10.77.0.0/24", "10.77.0.0/26"),
            ("10.78.0.0/26", "10.77.0.0/24"),
            ("fd00::/64", "0.0.0.0/0"),
            ("10.77.0.0/26", "::/0"),
            ("fd00:2::/64", "fd00:1::/56"),
            ("10.77.0.0", "0.0.0.0/0"),
            ("10.77.0.0/33", "0.0.0.0/0"),
            ("", "0.0.0.0/0"),
        ] {
            assert!(!within(part, whole), "{part} {whole}");
        }
    }
}
