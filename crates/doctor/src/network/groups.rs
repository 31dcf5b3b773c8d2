//! Whom security groups let in and out. A rule is either one that the stack writes, or it is too much: what is needed and not
//! there is said as well.

use std::collections::BTreeSet;

use super::{Group, Network, Peer, Place, Rule, all};
use crate::{Findings, Outcome};

/// What to do about rules that are otherwise than the template has them.
const CURE: &str = "deploy the stack again, and take away by hand what it did not write";

/// The port of the services of AWS.
pub(super) const HTTPS: u16 = 443;

/// Those of restored databases: in from the task alone, on the databases' ports; out to nobody.
pub fn databases(
    network: &Network,
    databases: &BTreeSet<String>,
    task: &Place,
    ports: &BTreeSet<u16>,
    findings: &mut Findings,
) {
    let in_by = |port: u16| {
        network.groups(databases).flat_map(|group| &group.ingress).any(|rule| {
            rule.covers(port)
                && matches!(&rule.peer, Peer::Group(peer) if task.groups.contains(peer))
        })
    };
    for id in databases {
        judged(network, id, "restored databases", ports, findings, |group| {
            let from_task = |rule: &&Rule| match &rule.peer {
                Peer::Group(peer) => !task.groups.contains(peer),
                _ => !rule.nothing(),
            };
            let mut wrong = Vec::new();
            wrong.extend(listed("lets in", group.ingress.iter().filter(from_task)));
            wrong.extend(listed("lets out to", group.egress.iter().filter(|rule| !rule.nothing())));
            if let Some(port) = ports.iter().find(|port| !in_by(**port)) {
                wrong.push(format!("does not let the masking task in on {port}"));
            }
            wrong
        });
    }
}

/// Those of the masking task: in from nobody; out to restored databases, to the endpoints and to S3, and there it must be let.
pub fn task(
    network: &Network,
    task: &Place,
    databases: &BTreeSet<String>,
    ports: &BTreeSet<u16>,
    findings: &mut Findings,
) {
    let (endpoints, s3) = match (&network.endpoints, &network.s3) {
        (Ok(endpoints), Ok(s3)) => (endpoints, s3),
        (Err(why), _) | (_, Err(why)) => {
            let why = format!("whom it lets out to means nothing here: {why}");
            findings.unknown(format!("{}: rules", all(&task.groups)), why);
            return;
        }
    };
    let of_endpoints: BTreeSet<&String> = endpoints.iter().flat_map(|one| &one.groups).collect();
    let to_database = |rule: &Rule| matches!(&rule.peer, Peer::Group(id) if databases.contains(id));
    let to_endpoint = |rule: &Rule| {
        let known = matches!(&rule.peer, Peer::Group(id) if of_endpoints.contains(id));
        known && only_https(rule)
    };
    let to_s3 = |rule: &Rule| {
        let known = matches!(&rule.peer, Peer::Prefixes(id) if s3.contains(id));
        known && only_https(rule)
    };
    let out = |wanted: &dyn Fn(&Rule) -> bool| {
        network.groups(&task.groups).flat_map(|group| &group.egress).any(wanted)
    };
    for id in &task.groups {
        judged(network, id, "the masking task", ports, findings, |group| {
            let too_much = |rule: &&Rule| {
                !(rule.nothing() || to_database(rule) || to_endpoint(rule) || to_s3(rule))
            };
            let mut wrong = Vec::new();
            wrong.extend(listed("lets in", group.ingress.iter().filter(|rule| !rule.nothing())));
            wrong.extend(listed("lets out to", group.egress.iter().filter(too_much)));
            let missing = ports
                .iter()
                .find(|port| !out(&|rule: &Rule| rule.covers(**port) && to_database(rule)));
            if let Some(port) = missing {
                wrong.push(format!("does not let it out to restored databases on {port}"));
            }
            if !out(&to_endpoint) {
                wrong.push("does not let it out to the endpoints of services".to_owned());
            }
            if !out(&to_s3) {
                wrong.push("does not let it out to S3".to_owned());
            }
            wrong
        });
    }
}

/// By TCP to the port of services, and to no other.
fn only_https(rule: &Rule) -> bool {
    rule.covers(HTTPS) && rule.ports == Some((HTTPS, HTTPS))
}

/// Something is let out to a place, and let in there.
pub fn between(
    network: &Network,
    from: &Place,
    to: &Place,
    port: u16,
) -> Result<(), (String, String)> {
    let (theirs, ours) = (network.addresses(&to.subnets), network.addresses(&from.subnets));
    let out = |group: &Group| {
        group.egress.iter().any(|rule| rule.covers(port) && rule.meets(to, &theirs))
    };
    let into = |group: &Group| {
        group.ingress.iter().any(|rule| rule.covers(port) && rule.meets(from, &ours))
    };
    let (senders, receivers) = (all(&from.groups), all(&to.groups));
    if !network.groups(&from.groups).any(out) {
        let what = format!("{senders} lets nothing out to {receivers} on {port}");
        return Err((what, format!("let {receivers} be reached on {port} there")));
    }
    if !network.groups(&to.groups).any(into) {
        let what = format!("{receivers} does not let {senders} in on {port}");
        return Err((what, format!("let {senders} in on {port} there")));
    }
    Ok(())
}

fn judged(
    network: &Network,
    id: &str,
    of: &str,
    ports: &BTreeSet<u16>,
    findings: &mut Findings,
    wrong: impl Fn(&Group) -> Vec<String>,
) {
    let groups = network.groups.as_ref();
    let outcome = match groups.map(|groups| groups.iter().find(|one| one.id == id)) {
        Err(why) => Outcome::Unknown(why.clone()),
        Ok(None) => Outcome::Wrong(format!("there is no {id} in {}", network.id), CURE.to_owned()),
        Ok(Some(group)) => match wrong(group) {
            wrong if wrong.is_empty() && ports.is_empty() => {
                Outcome::Unknown("nothing says on which ports databases are reached".to_owned())
            }
            wrong if wrong.is_empty() => Outcome::Well(format!("as {of} need them, and no more")),
            wrong => Outcome::Wrong(format!("of {of}: it {}", wrong.join("; it ")), CURE.into()),
        },
    };
    findings.add(format!("{id}: rules"), outcome);
}

fn listed<'a>(verb: &str, rules: impl Iterator<Item = &'a Rule>) -> Option<String> {
    let all: Vec<String> = rules.map(ToString::to_string).collect();
    (!all.is_empty()).then(|| format!("{verb} {}", all.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::super::tests_of::{Change, network, rule, task as place};
    use super::*;

    fn ports() -> BTreeSet<u16> {
        [5432].into()
    }

    fn of_databases() -> BTreeSet<String> {
        ["sg-db".to_owned()].into()
    }

    fn found(change: impl Fn(&mut Group)) -> Vec<Outcome> {
        let mut network = network();
        network.groups.as_mut().unwrap().iter_mut().for_each(change);
        let mut findings = Findings::default();
        databases(&network, &of_databases(), &place(), &ports(), &mut findings);
        task(&network, &place(), &of_databases(), &ports(), &mut findings);
        findings.0.into_iter().map(|finding| finding.outcome).collect()
    }

    #[test]
    fn what_the_template_writes_is_well() {
        for outcome in found(|_| {}) {
            assert!(matches!(outcome, Outcome::Well(_)), "{outcome:?}");
        }
    }

    #[test]
    fn each_rule_too_much_is_named() {
        let world = || Peer::Addresses("0.0.0.0/0".into());
        let other = || Peer::Group("sg-other".into());
        for (group, inward, peer, port, said) in [
            ("sg-db", true, world(), 5432, "lets in 0.0.0.0/0 on 5432"),
            ("sg-db", true, other(), 5432, "lets in sg-other on 5432"),
            ("sg-db", true, Peer::Prefixes("pl-x".into()), 5432, "lets in pl-x on 5432"),
            ("sg-db", false, world(), 443, "lets out to 0.0.0.0/0 on 443"),
            ("sg-db", false, Peer::Group("sg-task".into()), 5432, "lets out to sg-task on 5432"),
            ("sg-task", true, other(), 22, "lets in sg-other on 22"),
            ("sg-task", false, world(), 443, "lets out to 0.0.0.0/0 on 443"),
            ("sg-task", false, Peer::Addresses("::/0".into()), 443, "lets out to ::/0 on 443"),
            ("sg-task", false, other(), 5432, "lets out to sg-other on 5432"),
            ("sg-task", false, Peer::Prefixes("pl-x".into()), 443, "lets out to pl-x on 443"),
            ("sg-task", false, Peer::Group("sg-ends".into()), 22, "lets out to sg-ends on 22"),
        ] {
            let outcomes = found(|one| {
                if one.id == group {
                    let side = if inward { &mut one.ingress } else { &mut one.egress };
                    side.push(rule(peer.clone(), port));
                }
            });
            let said = outcomes.iter().any(|outcome| match outcome {
                Outcome::Wrong(what, cure) => what.contains(said) && !cure.is_empty(),
                _ => false,
            });
            assert!(said, "{group} {peer:?}: {outcomes:?}");
        }
    }

    #[test]
    fn what_is_needed_and_not_there_is_named() {
        for (group, inward, at, said) in [
            ("sg-db", true, 0, "does not let the masking task in on 5432"),
            ("sg-task", false, 1, "restored databases on 5432"),
            ("sg-task", false, 2, "the endpoints of services"),
            ("sg-task", false, 3, "out to S3"),
        ] {
            let outcomes = found(|one| {
                if one.id == group {
                    let side = if inward { &mut one.ingress } else { &mut one.egress };
                    side.remove(at);
                }
            });
            let text = format!("{outcomes:?}");
            assert!(text.contains(said), "{said}: {text}");
        }
        // By what those do not speak.
        for (at, said) in
            [(1, "restored databases on 5432"), (2, "the endpoints of services"), (3, "out to S3")]
        {
            let outcomes = found(|one| {
                if one.id == "sg-task" {
                    one.egress[at].protocol = "udp".into();
                }
            });
            let text = format!("{outcomes:?}");
            assert!(text.contains(said), "{said}: {text}");
            assert!(at == 1 || text.contains("on 443 by udp"), "{text}");
        }
        // On another port than the databases have.
        let outcomes =
            found(|one| one.ingress.iter_mut().for_each(|rule| rule.ports = Some((1, 2))));
        assert!(format!("{outcomes:?}").contains("in on 5432"), "{outcomes:?}");
    }

    #[test]
    fn what_was_not_seen_is_not_well() {
        let cases: [(usize, Change); 4] = [
            (2, |network| network.groups = Err("denied".into())),
            (1, |network| network.endpoints = Err("denied".into())),
            (1, |network| network.s3 = Err("denied".into())),
            (0, |network| network.groups = Ok(Vec::new())),
        ];
        for (unknown, change) in cases {
            let mut network = network();
            change(&mut network);
            let mut findings = Findings::default();
            databases(&network, &of_databases(), &place(), &ports(), &mut findings);
            task(&network, &place(), &of_databases(), &ports(), &mut findings);
            let count = |text: &str| findings.to_string().matches(text).count();
            assert_eq!(count("?      "), unknown, "{findings}");
            assert_eq!(findings.any_wrong(), unknown == 0, "{findings}");
        }
    }
}
