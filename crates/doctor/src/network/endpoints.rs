//! Whether services are reached by endpoints: those that are addresses of the network's own, with the services' own names
//! leading to them, and S3's, which is a route.

use super::groups::between;
use super::routes::table_of;
use super::{Endpoint, Network, Place};
use crate::{Findings, Outcome};

/// An endpoint of a service that a place can use; otherwise what is wrong with those there are, and what to do about it.
pub fn interface<'a>(
    network: &'a Network,
    from: &Place,
    service: &str,
) -> Result<&'a Endpoint, Outcome> {
    let endpoints = network.endpoints.as_ref().map_err(|why| Outcome::Unknown(why.clone()))?;
    let mut said = Outcome::Wrong(
        format!("there is none in {}", network.id),
        format!("make an interface endpoint of {service} there, with private DNS"),
    );
    for endpoint in endpoints.iter().filter(|one| !one.gateway && network.is(one, service)) {
        match fit(network, from, endpoint) {
            Ok(()) => return Ok(endpoint),
            Err(outcome) => said = outcome,
        }
    }
    Err(said)
}

/// What keeps a place from a service whatever way out it has: the service's own name leads to an endpoint that does not let it in;
/// or it could not be seen whether that is so.
pub fn shut(network: &Network, from: &Place, service: &str) -> Option<Outcome> {
    let endpoints = match &network.endpoints {
        Ok(endpoints) => endpoints,
        Err(why) => return Some(Outcome::Unknown(why.clone())),
    };
    let takes_name = |one: &&Endpoint| {
        !one.gateway
            && network.is(one, service)
            && available(one).is_ok()
            && one.private_dns != Some(false)
            && network.names != Ok(false)
    };
    endpoints.iter().filter(takes_name).find_map(|one| fit(network, from, one).err())
}

fn fit(network: &Network, from: &Place, endpoint: &Endpoint) -> Result<(), Outcome> {
    let id = &endpoint.id;
    let wrong = |what: String, cure: &str| Err(Outcome::Wrong(what, cure.to_owned()));
    available(endpoint)?;
    match endpoint.private_dns {
        // Its addresses can be reached from every subnet of the network; by the service's own name only so.
        Some(true) => {}
        Some(false) => {
            return wrong(format!("{id} has no private DNS"), "turn its private DNS names on");
        }
        None => {
            return Err(Outcome::Unknown(format!("nothing is said about the private DNS of {id}")));
        }
    }
    match network.names {
        Ok(true) => {}
        Ok(false) => {
            let what = format!("names are not answered in {}, so that {id} has none", network.id);
            return wrong(what, "turn on DNS support and DNS host names of the network");
        }
        Err(ref why) => return Err(Outcome::Unknown(why.clone())),
    }
    if let Err(why) = &network.groups {
        return Err(Outcome::Unknown(why.clone()));
    }
    let (subnets, groups) = (&endpoint.subnets, &endpoint.groups);
    let place = Place {
        subnets: subnets.iter().cloned().collect(),
        groups: groups.iter().cloned().collect(),
    };
    between(network, from, &place, super::groups::HTTPS).map_err(|(what, cure)| {
        match &network.subnets {
            Ok(_) => Outcome::Wrong(format!("{id}: {what}"), cure),
            // By addresses it may be let in all the same.
            Err(why) => Outcome::Unknown(why.clone()),
        }
    })
}

/// The gateway to S3 in the routes of all subnets of a place.
pub fn gateway<'a>(network: &'a Network, from: &Place) -> Result<&'a Endpoint, Outcome> {
    let unseen = |why: &String| Outcome::Unknown(why.clone());
    let endpoints = network.endpoints.as_ref().map_err(unseen)?;
    let tables = network.tables.as_ref().map_err(unseen)?;
    let s3 = endpoints.iter().filter(|one| one.gateway && network.is(one, "s3"));
    let mut said = Outcome::Wrong(
        format!("there is none in {}", network.id),
        "make a gateway endpoint of s3 there, in the routes of the subnets".to_owned(),
    );
    for endpoint in s3 {
        if let Err(outcome) = available(endpoint) {
            said = outcome;
            continue;
        }
        let without = from.subnets.iter().find(|subnet| {
            table_of(tables, subnet).is_none_or(|table| !endpoint.tables.contains(&table.id))
        });
        let Some(subnet) = without else { return Ok(endpoint) };
        said = Outcome::Wrong(
            format!("{} is not in the routes of {subnet}", endpoint.id),
            format!("add the route table of {subnet} to it"),
        );
    }
    Err(said)
}

fn available(endpoint: &Endpoint) -> Result<(), Outcome> {
    if endpoint.state.eq_ignore_ascii_case("available") {
        return Ok(());
    }
    let what = format!("{} is {}", endpoint.id, endpoint.state);
    Err(Outcome::Wrong(what, "wait until it is available, or make it again".to_owned()))
}

/// Looks at the endpoints that something needs.
pub fn check(network: &Network, from: &Place, services: &[&str], findings: &mut Findings) {
    for service in services {
        let outcome = match interface(network, from, service) {
            Ok(endpoint) => Outcome::Well(format!("{}, with private DNS", endpoint.id)),
            Err(outcome) => outcome,
        };
        findings.add(format!("endpoint {service}"), outcome);
    }
    let outcome = match gateway(network, from) {
        Ok(endpoint) => Outcome::Well(format!("{}, in the routes", endpoint.id)),
        Err(outcome) => outcome,
    };
    findings.add("endpoint s3", outcome);
}

impl Network {
    /// An endpoint of that service in this region, in whatever partition.
    fn is(&self, endpoint: &Endpoint, service: &str) -> bool {
        endpoint.service.ends_with(&format!(".{}.{service}", self.region))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests_of::{Change, SERVICES, network, task};
    use super::*;

    fn found(change: impl Fn(&mut Network)) -> Findings {
        let mut network = network();
        change(&mut network);
        let mut findings = Findings::default();
        check(&network, &task(), &SERVICES, &mut findings);
        assert_eq!(findings.0.len(), SERVICES.len() + 1, "{findings}");
        findings
    }

    fn endpoint<'a>(network: &'a mut Network, id: &str) -> &'a mut Endpoint {
        network.endpoints.as_mut().unwrap().iter_mut().find(|one| one.id == id).unwrap()
    }

    #[test]
    fn endpoints_as_the_template_has_them_are_well() {
        let findings = found(|_| {});
        assert_eq!(
            findings.to_string().matches("ok     ").count(),
            SERVICES.len() + 1,
            "{findings}"
        );
    }

    #[test]
    fn each_thing_that_an_endpoint_needs_is_looked_at() {
        let cases: [(&str, Change, &str); 9] = [
            (
                "endpoint kms",
                |network| endpoint(network, "vpce-kms").state = "pending".into(),
                "pending",
            ),
            (
                "endpoint kms",
                |network| endpoint(network, "vpce-kms").private_dns = Some(false),
                "no private DNS",
            ),
            ("endpoint kms", |network| network.names = Ok(false), "not answered"),
            (
                "endpoint kms",
                |network| endpoint(network, "vpce-kms").groups.clear(),
                "lets nothing out",
            ),
            (
                "endpoint kms",
                |network| network.groups.as_mut().unwrap()[2].ingress.clear(),
                "does not let sg-task in on 443",
            ),
            // That of another region, which a peering could lead to.
            (
                "endpoint kms",
                |network| {
                    endpoint(network, "vpce-kms").service = "com.amazonaws.eu-west-2.kms".into()
                },
                "there is none",
            ),
            (
                "endpoint s3",
                |network| endpoint(network, "vpce-s3").tables.clear(),
                "not in the routes",
            ),
            (
                "endpoint s3",
                |network| endpoint(network, "vpce-s3").state = "deleting".into(),
                "deleting",
            ),
            (
                "endpoint s3",
                |network| endpoint(network, "vpce-s3").gateway = false,
                "there is none",
            ),
        ];
        for (about, change, said) in cases {
            let findings = found(change);
            let finding = findings.0.iter().find(|finding| finding.about == about).unwrap();
            let Outcome::Wrong(what, cure) = &finding.outcome else { panic!("{findings}") };
            assert!(what.contains(said) && !cure.is_empty(), "{said}: {what}");
        }
        for name in SERVICES {
            let id = format!("vpce-{name}");
            let findings = found(|network| {
                network.endpoints.as_mut().unwrap().retain(|one| one.id != id);
            });
            assert!(
                findings.to_string().contains(&format!("wrong  endpoint {name}")),
                "{findings}"
            );
        }
    }

    #[test]
    fn what_was_not_seen_is_not_well() {
        let cases: [(usize, Change); 5] = [
            (6, |network| network.endpoints = Err("denied".into())),
            (5, |network| network.names = Err("denied".into())),
            (5, |network| network.groups = Err("denied".into())),
            (1, |network| network.tables = Err("denied".into())),
            (1, |network| endpoint(network, "vpce-kms").private_dns = None),
        ];
        for (unknown, change) in cases {
            let findings = found(change);
            assert!(!findings.any_wrong(), "{findings}");
            assert_eq!(findings.to_string().matches("?      ").count(), unknown, "{findings}");
        }
    }
}
