//! Where the routes of subnets lead. A target that nobody here has heard of leads out.

use std::collections::BTreeSet;

use super::{Network, Route, Seen, Table, all};
use crate::{Findings, Outcome};

/// What to do about a route that leads out.
const CURE: &str = "take the route away, or give the stack subnets without one: a restored database is to reach nothing \
                    (infra/README.md, Networks)";

/// Kinds of targets, by how their names begin.
const KINDS: [(&str, &str); 12] = [
    ("igw-", "an internet gateway"),
    ("eigw-", "an egress-only internet gateway"),
    ("nat-", "a NAT gateway"),
    ("pcx-", "a peering connection"),
    ("tgw-", "a transit gateway"),
    ("vgw-", "a virtual private gateway"),
    ("lgw-", "a local gateway"),
    ("cagw-", "a carrier gateway"),
    ("eni-", "a network interface"),
    ("i-", "an instance"),
    ("vpce-", "an endpoint"),
    ("arn:", "a core network"),
];

/// Where a route leads, in words.
pub(super) fn leads(route: &Route) -> String {
    let kind = KINDS.iter().find(|(prefix, _)| route.by.starts_with(prefix));
    match kind {
        Some((_, kind)) => format!("{} ({kind})", route.by),
        None if route.by.is_empty() => "something unknown".to_owned(),
        None => format!("{} (of no known kind)", route.by),
    }
}

/// The table of a subnet: its own, or the network's main one.
pub(super) fn table_of<'a>(tables: &'a [Table], subnet: &str) -> Option<&'a Table> {
    let own = tables.iter().find(|table| table.subnets.iter().any(|one| one == subnet));
    own.or_else(|| tables.iter().find(|table| table.main))
}

/// Subnets from which nothing leads out but to S3, by its endpoint.
pub fn closed(network: &Network, subnets: &BTreeSet<String>, findings: &mut Findings) {
    for subnet in subnets {
        let about = format!("{subnet}: routes");
        let known = network.subnets.as_ref().map(|all| all.iter().any(|one| one.id == *subnet));
        let outcome = match known {
            Err(why) => Outcome::Unknown(why.clone()),
            Ok(false) => Outcome::Wrong(
                format!("it is not in {}, where the databases are restored", network.id),
                "give the stack two subnets of one network".to_owned(),
            ),
            Ok(true) => of_subnet(network, subnet),
        };
        findings.add(about, outcome);
    }
}

fn of_subnet(network: &Network, subnet: &str) -> Outcome {
    let tables = match &network.tables {
        Ok(tables) => tables,
        Err(why) => return Outcome::Unknown(why.clone()),
    };
    let Some(table) = table_of(tables, subnet) else {
        return Outcome::Unknown("no route table of it can be seen".to_owned());
    };
    let main = if table.subnets.iter().any(|one| one == subnet) { "" } else { ", the main one," };
    let (mut out, mut dead, mut unknown) = (BTreeSet::new(), BTreeSet::new(), None);
    for route in &table.routes {
        match stays(route, &network.endpoints) {
            Ok(true) if route.active => {}
            Ok(true) => drop(dead.insert(format!("{} for {}", leads(route), route.to))),
            Ok(false) if route.active => {
                out.insert(format!("{} for {}", leads(route), route.to));
            }
            // It is not there now; whoever brings it back opens the way.
            Ok(false) => drop(dead.insert(format!("{} for {}", leads(route), route.to))),
            Err(why) => unknown = Some(format!("{} leads to {}: {why}", table.id, leads(route))),
        }
    }
    if !out.is_empty() {
        return Outcome::Wrong(format!("{}{main} leads to {}", table.id, all(&out)), CURE.into());
    }
    if !dead.is_empty() {
        let what = format!("{}{main} has a route to what has gone: {}", table.id, all(&dead));
        return Outcome::Wrong(what, CURE.into());
    }
    match unknown {
        Some(why) => Outcome::Unknown(why),
        None => Outcome::Well(format!("{}{main} leads nowhere out", table.id)),
    }
}

/// A route stays in the network, or leads to S3 by a gateway endpoint.
fn stays<'a>(route: &Route, endpoints: &'a Seen<Vec<super::Endpoint>>) -> Result<bool, &'a str> {
    if route.by == "local" {
        return Ok(true);
    }
    if !(route.by.starts_with("vpce-") && route.to.starts_with("pl-")) {
        return Ok(false);
    }
    let endpoints = endpoints.as_ref().map_err(String::as_str)?;
    let s3 = |one: &super::Endpoint| one.gateway && one.service.ends_with(".s3");
    Ok(endpoints.iter().any(|one| one.id == route.by && s3(one)))
}

#[cfg(test)]
mod tests {
    use super::super::tests_of::{network, route};
    use super::*;

    fn found(network: &Network) -> Outcome {
        let mut findings = Findings::default();
        closed(network, &["subnet-a".to_owned()].into(), &mut findings);
        assert_eq!(findings.0.len(), 1, "{findings}");
        findings.0.remove(0).outcome
    }

    fn with(routes: Vec<Route>) -> Outcome {
        let mut network = network();
        let mut table = network.tables.unwrap().remove(0);
        table.routes.extend(routes);
        network.tables = Ok(vec![table]);
        found(&network)
    }

    #[test]
    fn every_way_out_is_found_by_its_kind() {
        assert!(matches!(with(Vec::new()), Outcome::Well(_)), "{:?}", with(Vec::new()));
        for (to, by, said) in [
            ("0.0.0.0/0", "igw-1", "an internet gateway"),
            ("::/0", "eigw-1", "an egress-only internet gateway"),
            ("0.0.0.0/0", "nat-1", "a NAT gateway"),
            ("10.9.0.0/16", "pcx-1", "a peering connection"),
            ("10.0.0.0/8", "tgw-1", "a transit gateway"),
            ("192.168.0.0/16", "vgw-1", "a virtual private gateway"),
            ("10.5.0.0/16", "lgw-1", "a local gateway"),
            ("0.0.0.0/0", "cagw-1", "a carrier gateway"),
            ("0.0.0.0/0", "eni-1", "a network interface"),
            ("0.0.0.0/0", "i-1", "an instance"),
            ("10.0.0.0/8", "arn:aws:networkmanager::1:core-network/c", "a core network"),
            // A Gateway Load Balancer's, and a table of DynamoDB's.
            ("0.0.0.0/0", "vpce-1", "an endpoint"),
            ("pl-2", "vpce-2", "an endpoint"),
            ("0.0.0.0/0", "", "something unknown"),
            ("0.0.0.0/0", "quantum-1", "of no known kind"),
        ] {
            let Outcome::Wrong(what, cure) = with(vec![route(to, by)]) else { panic!("{by}") };
            assert!(what.contains(said) && what.contains(to), "{what}");
            assert!(cure.starts_with("take the route away"), "{cure}");
        }
    }

    #[test]
    fn a_route_to_what_has_gone_is_wrong_too() {
        for (to, by) in [("0.0.0.0/0", "nat-1"), ("pl-s3", "vpce-s3")] {
            let gone = Route { active: false, ..route(to, by) };
            let Outcome::Wrong(what, _) = with(vec![gone]) else { panic!("{by}") };
            assert!(what.contains("what has gone") && what.contains(by), "{what}");
        }
    }

    #[test]
    fn a_subnet_without_a_table_of_its_own_has_the_main_one() {
        let mut network = network();
        let main = Table { id: "rtb-main".into(), main: true, ..Table::default() };
        let open = Table { routes: vec![route("0.0.0.0/0", "igw-1")], ..main };
        network.tables.as_mut().unwrap().push(open.clone());
        assert!(matches!(found(&network), Outcome::Well(_)));
        network.tables = Ok(vec![open]);
        let Outcome::Wrong(what, _) = found(&network) else { panic!() };
        assert!(what.starts_with("rtb-main, the main one, leads to igw-1"), "{what}");
    }

    #[test]
    fn what_was_not_seen_is_not_well() {
        let unseen = || "could not look: UnauthorizedOperation".to_owned();
        let cases: [fn(&mut Network, String); 3] = [
            |network, why| network.tables = Err(why),
            |network, why| network.subnets = Err(why),
            // S3's route is one only where its endpoint was seen.
            |network, why| network.endpoints = Err(why),
        ];
        for change in cases {
            let mut network = network();
            change(&mut network, unseen());
            let Outcome::Unknown(why) = found(&network) else { panic!("{:?}", found(&network)) };
            assert!(why.contains("UnauthorizedOperation"), "{why}");
        }
        let mut network = network();
        network.tables = Ok(Vec::new());
        assert!(matches!(found(&network), Outcome::Unknown(_)));
        network.subnets = Ok(Vec::new());
        assert!(matches!(found(&network), Outcome::Wrong(..)));
    }
}
