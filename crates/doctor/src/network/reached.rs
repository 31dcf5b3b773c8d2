//! The network of development: two functions are in it, and reach the database that is new and the services that lead to it.

use std::collections::BTreeSet;

use super::routes::{leads, table_of};
use super::{EVERYWHERE, Network, Peer, Place, Rule, Table, all, endpoints, groups};
use crate::{Findings, Outcome};

/// The services that the functions call.
pub const SERVICES: [&str; 3] = ["secretsmanager", "rds", "s3"];

const CURE: &str =
    "give the subnets a NAT gateway, or the stack their `RouteTables`: it makes endpoints then";

/// What is no way out for functions, by how the names of routes' targets begin, and why.
const NO_WAY: [(&str, &str); 3] = [
    ("igw-", "functions have no public address"),
    ("pcx-", "a peering leads no further than to the other network"),
    ("cagw-", "functions have no address of the carrier's"),
];

/// Databases that functions connect to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What they are called here.
    pub name: String,
    /// Where they are.
    pub place: Place,
    /// Their port.
    pub port: u16,
    /// The network that they are in.
    pub network: String,
}

/// Looks whether the functions reach a database.
pub fn database(network: &Network, functions: &Place, wanted: &Wanted, findings: &mut Findings) {
    let about = format!("{}: reached", wanted.name);
    if wanted.network != network.id {
        let what =
            format!("the functions are in {}, the database in {}", network.id, wanted.network);
        findings.wrong(about, what, "give the stack the network of the databases as `VpcId`");
        return;
    }
    // By addresses only where those were seen.
    if let Some(why) = network.groups.as_ref().err().or(network.subnets.as_ref().err()) {
        findings.unknown(about, why);
        return;
    }
    match groups::between(network, functions, &wanted.place, wanted.port) {
        Ok(()) => {
            let by = all(&wanted.place.groups);
            findings.well(about, format!("on {} by {by}", wanted.port));
        }
        Err((what, cure)) => findings.wrong(about, what, cure),
    }
}

/// Looks whether the functions reach the services that they call: by an endpoint, or by a way out of every subnet, which is none
/// for a service whose name leads to an endpoint.
pub fn services(network: &Network, functions: &Place, findings: &mut Findings) {
    let out = way_out(network, functions);
    for service in SERVICES {
        let by_endpoint = match service {
            "s3" => endpoints::gateway(network, functions)
                .or_else(|of_gateway| {
                    // An interface that is not there is no better advice than the gateway.
                    endpoints::interface(network, functions, service).map_err(|_| of_gateway)
                })
                .and_then(|endpoint| match !endpoint.gateway || to_s3(network, functions) {
                    true => Ok(endpoint),
                    false => Err(Outcome::Wrong(
                        format!("{} lets nothing out to S3 on 443", all(&functions.groups)),
                        "let S3's addresses be reached there".to_owned(),
                    )),
                }),
            _ => endpoints::interface(network, functions, service),
        };
        let outcome = match by_endpoint {
            Ok(endpoint) => Outcome::Well(format!("by {}", endpoint.id)),
            Err(missed) => match endpoints::shut(network, functions, service) {
                Some(Outcome::Wrong(what, cure)) => {
                    let what = format!("its name leads to an endpoint, and not out: {what}");
                    Outcome::Wrong(what, cure)
                }
                Some(unknown) => unknown,
                None => without_endpoint(missed, &out),
            },
        };
        findings.add(format!("functions: {service}"), outcome);
    }
}

/// What is to be said of a service that has no endpoint, with the way out that there is.
fn without_endpoint(missed: Outcome, out: &Result<String, Outcome>) -> Outcome {
    match (missed, out) {
        (_, Ok(way)) => Outcome::Well(format!("by {way}")),
        (Outcome::Wrong(what, mend), Err(Outcome::Wrong(no_way, cure))) => Outcome::Wrong(
            format!("no endpoint: {what}; no way out: {no_way}"),
            format!("{mend}; or {cure}"),
        ),
        (Outcome::Unknown(why), _) => Outcome::Unknown(why),
        (_, Err(no_way)) => no_way.clone(),
    }
}

/// What all subnets' routes for everything lead to, if that is a way for what has no public address.
fn way_out(network: &Network, functions: &Place) -> Result<String, Outcome> {
    let unseen = |why: &String| Outcome::Unknown(why.clone());
    let tables = network.tables.as_ref().map_err(unseen)?;
    let groups = network.groups.as_ref().map_err(unseen)?;
    let (mut ways, mut unknown) = (BTreeSet::new(), None);
    for subnet in &functions.subnets {
        match way_of(tables, subnet) {
            Ok(way) => drop(ways.insert(way)),
            // Another subnet may have none for sure.
            Err(Outcome::Unknown(why)) => unknown = Some(Outcome::Unknown(why)),
            Err(none) => return Err(none),
        }
    }
    let open = |rule: &Rule| {
        rule.covers(groups::HTTPS) && rule.peer == Peer::Addresses(EVERYWHERE.to_owned())
    };
    let own = groups.iter().filter(|group| functions.groups.contains(&group.id));
    if own.flat_map(|group| &group.egress).any(open) {
        return unknown.map_or_else(|| Ok(all(&ways)), Err);
    }
    let what = format!("{} lets nothing out to everywhere on 443", all(&functions.groups));
    Err(Outcome::Wrong(what, "let it out there: the services have many addresses".to_owned()))
}

/// What a subnet's route for everything leads to. Only a NAT gateway is known to be a way: others may be, by what is behind them.
fn way_of(tables: &[Table], subnet: &str) -> Result<String, Outcome> {
    let Some(table) = table_of(tables, subnet) else {
        return Err(Outcome::Unknown(format!("no route table of {subnet} can be seen")));
    };
    let of = format!("{} of {subnet}", table.id);
    let wrong = |what: String| Err(Outcome::Wrong(what, CURE.to_owned()));
    let Some(route) = table.routes.iter().find(|route| route.to == EVERYWHERE) else {
        return wrong(format!("{of} has no route for everything"));
    };
    let leads = leads(route);
    if !route.active {
        return wrong(format!("{of} leads to what has gone: {leads}"));
    }
    if let Some((_, why)) = NO_WAY.iter().find(|(prefix, _)| route.by.starts_with(prefix)) {
        return wrong(format!("{of} leads to {leads}, and {why}"));
    }
    if route.by.starts_with("nat-") {
        return Ok(leads);
    }
    let why = format!("{of} leads to {leads}, what is behind it was not looked at");
    Err(Outcome::Unknown(why))
}

/// The functions are let out to S3's addresses, which are the internet's also through its endpoint.
fn to_s3(network: &Network, functions: &Place) -> bool {
    network.groups(&functions.groups).flat_map(|group| &group.egress).any(|rule| {
        let addresses = match &rule.peer {
            Peer::Addresses(block) => block == EVERYWHERE,
            Peer::Prefixes(id) => network.s3.as_ref().is_ok_and(|lists| lists.contains(id)),
            Peer::Group(_) => false,
        };
        addresses && rule.covers(groups::HTTPS)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests_of::{Change, development, functions, route};
    use super::*;

    fn wanted() -> Wanted {
        let place = Place { subnets: ["subnet-b".into()].into(), groups: ["sg-db".into()].into() };
        Wanted { name: "shop".into(), place, port: 5432, network: "vpc-1".into() }
    }

    fn found(change: impl Fn(&mut Network)) -> Findings {
        let mut network = development();
        change(&mut network);
        let mut findings = Findings::default();
        database(&network, &functions(), &wanted(), &mut findings);
        services(&network, &functions(), &mut findings);
        assert_eq!(findings.0.len(), 4, "{findings}");
        findings
    }

    fn group<'a>(network: &'a mut Network, id: &str) -> &'a mut super::super::Group {
        network.groups.as_mut().unwrap().iter_mut().find(|one| one.id == id).unwrap()
    }

    fn leading(by: &'static str, active: bool) -> impl Fn(&mut Network) {
        move |network| {
            network.endpoints = Ok(Vec::new());
            for table in network.tables.as_mut().unwrap() {
                table.routes.push(super::super::Route { active, ..route("0.0.0.0/0", by) });
            }
        }
    }

    #[test]
    fn endpoints_or_a_way_out_are_well() {
        for findings in [found(|_| {}), found(leading("nat-1", true))] {
            assert_eq!(findings.to_string().matches("ok     ").count(), 4, "{findings}");
        }
        assert!(found(leading("nat-1", true)).to_string().contains("by nat-1 (a NAT gateway)"));
    }

    #[test]
    fn a_way_that_is_none_is_named() {
        for (change, said) in [
            (leading("igw-1", true), "functions have no public address"),
            (leading("nat-1", false), "what has gone"),
            (leading("tgw-1", false), "what has gone"),
            (leading("pcx-1", true), "leads no further"),
            (leading("cagw-1", true), "no address of the carrier's"),
        ] {
            let text = found(change).to_string();
            assert_eq!(text.matches("wrong  ").count(), 3, "{text}");
            assert!(text.contains(said) && text.contains("RouteTables"), "{text}");
        }
        let none = found(|network| network.endpoints = Ok(Vec::new())).to_string();
        assert!(none.contains("no route for everything"), "{none}");
        let shut = found(|network| {
            leading("nat-1", true)(network);
            group(network, "sg-fn").egress.retain(|rule| rule.covers(5432));
        });
        assert!(shut.to_string().contains("out to everywhere on 443"), "{shut}");
    }

    #[test]
    fn what_is_behind_another_way_is_not_known() {
        for by in [
            "tgw-1",
            "vgw-1",
            "lgw-1",
            "eni-1",
            "i-1",
            "vpce-1",
            "arn:aws:networkmanager::1:core-network/c",
            "quantum-1",
            "",
        ] {
            let findings = found(leading(by, true));
            assert!(!findings.any_wrong(), "{by}: {findings}");
            let text = findings.to_string();
            assert_eq!(text.matches("what is behind it was not looked at").count(), 3, "{text}");
            // Wrong for sure where nothing is let out to it.
            let shut = found(|network| {
                leading(by, true)(network);
                group(network, "sg-fn").egress.retain(|rule| rule.covers(5432));
            });
            assert_eq!(shut.to_string().matches("wrong  ").count(), 3, "{by}: {shut}");
        }
        // One subnet's way is not another's.
        for (by, wrong) in [("nat-1", 0), ("igw-1", 3)] {
            let text = found(|network| {
                leading("tgw-1", true)(network);
                let tables = network.tables.as_mut().unwrap();
                let mut other = Table { id: "rtb-2".into(), ..tables[0].clone() };
                other.subnets = vec![tables[0].subnets.pop().unwrap()];
                other.routes = vec![route("0.0.0.0/0", by)];
                tables.push(other);
            })
            .to_string();
            assert_eq!(text.matches("wrong  ").count(), wrong, "{by}: {text}");
            assert_eq!(text.matches("?      ").count(), 3 - wrong, "{by}: {text}");
        }
    }

    fn with_nat(change: impl Fn(&mut Network)) -> Findings {
        found(|network| {
            network.tables.as_mut().unwrap()[0].routes.push(route("0.0.0.0/0", "nat-1"));
            change(network);
        })
    }

    fn shut(network: &mut Network) {
        group(network, "sg-ends").ingress.clear();
    }

    fn interfaces(network: &mut Network) -> impl Iterator<Item = &mut super::super::Endpoint> {
        network.endpoints.as_mut().unwrap().iter_mut().filter(|one| !one.gateway)
    }

    #[test]
    fn a_way_out_does_not_help_where_the_name_leads_to_an_endpoint() {
        // How many are wrong, and how many unknown: of Secrets Manager and RDS, or of S3 as well.
        let cases: [(usize, usize, Change); 9] = [
            (0, 0, |_| {}),
            (2, 0, shut),
            // The name leads out.
            (0, 0, |network| {
                shut(network);
                interfaces(network).for_each(|one| one.private_dns = Some(false));
            }),
            (0, 0, |network| {
                shut(network);
                interfaces(network).for_each(|one| one.state = "pending".into());
            }),
            (0, 0, |network| {
                shut(network);
                network.names = Ok(false);
            }),
            (0, 2, |network| {
                interfaces(network).for_each(|one| one.private_dns = None);
            }),
            (0, 2, |network| network.names = Err("denied".into())),
            (0, 3, |network| network.endpoints = Err("denied".into())),
            // S3's, where no gateway leads there.
            (3, 0, |network| {
                shut(network);
                let endpoints = network.endpoints.as_mut().unwrap();
                let s3 = endpoints[0].service.replace("secretsmanager", "s3");
                endpoints[2] = super::super::Endpoint { service: s3, ..endpoints[0].clone() };
            }),
        ];
        for (number, (wrong, unknown, change)) in cases.into_iter().enumerate() {
            let text = with_nat(change).to_string();
            assert_eq!(text.matches("wrong  ").count(), wrong, "{number}: {text}");
            assert_eq!(text.matches("?      ").count(), unknown, "{number}: {text}");
        }
        let text = with_nat(shut).to_string();
        assert!(text.contains("vpce-rds: sg-ends does not let sg-fn in on 443"), "{text}");
        assert!(text.contains("(hint: let sg-fn in on 443 there)"), "{text}");
        // By their addresses, which were not seen.
        let text = with_nat(|network| {
            let peer = Peer::Addresses("10.1.0.0/16".into());
            group(network, "sg-ends").ingress = vec![super::super::tests_of::rule(peer, 443)];
            network.subnets = Err("denied".into());
        });
        assert_eq!(text.to_string().matches("?      ").count(), 3, "{text}");
        assert!(!text.any_wrong(), "{text}");
    }

    #[test]
    fn the_database_must_let_the_functions_in_and_they_must_be_let_out() {
        let shut = found(|network| group(network, "sg-db").ingress.clear()).to_string();
        assert!(shut.contains("sg-db does not let sg-fn in on 5432"), "{shut}");
        let kept = found(|network| {
            group(network, "sg-fn").egress.retain(|rule| !rule.covers(5432));
        });
        assert!(kept.to_string().contains("sg-fn lets nothing out to sg-db on 5432"), "{kept}");
        // By their addresses as well as by the group.
        let addresses = found(|network| {
            let peer = Peer::Addresses("10.1.0.0/16".into());
            group(network, "sg-db").ingress = vec![super::super::tests_of::rule(peer, 5432)];
        });
        assert!(!addresses.any_wrong(), "{addresses}");
        let mut findings = Findings::default();
        let elsewhere = Wanted { network: "vpc-2".into(), ..wanted() };
        database(&development(), &functions(), &elsewhere, &mut findings);
        assert!(findings.to_string().contains("the database in vpc-2"), "{findings}");
    }

    #[test]
    fn what_was_not_seen_is_not_well() {
        let cases: [(usize, Change); 4] = [
            (4, |network| network.groups = Err("denied".into())),
            (1, |network| network.subnets = Err("denied".into())),
            (3, |network| network.endpoints = Err("denied".into())),
            (1, |network| network.tables = Err("denied".into())),
        ];
        for (unknown, change) in cases {
            let findings = found(change);
            assert!(!findings.any_wrong(), "{findings}");
            assert_eq!(findings.to_string().matches("?      ").count(), unknown, "{findings}");
        }
    }
}
