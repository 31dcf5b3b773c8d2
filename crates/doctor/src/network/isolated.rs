//! The network of production: restored databases and the masking task reach each other, the services that the task needs, and
//! nothing else.

use std::collections::BTreeSet;

use super::{Network, Place, endpoints, groups, routes};
use crate::Findings;

/// The services that the masking task calls, or is started with.
pub const SERVICES: [&str; 5] = ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms"];

/// What is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Isolated {
    /// Restored databases.
    pub databases: Place,
    /// The masking task; none where nothing could be found out about it.
    pub task: Option<Place>,
    /// The ports of the databases; where none was found, nothing is well that depends on them.
    pub ports: BTreeSet<u16>,
}

/// Looks at all of it.
pub fn check(network: &Network, what: &Isolated, findings: &mut Findings) {
    let mut subnets = what.databases.subnets.clone();
    subnets.extend(what.task.iter().flat_map(|task| task.subnets.iter().cloned()));
    routes::closed(network, &subnets, findings);
    let Some(task) = &what.task else {
        findings.unknown("masking task", "nothing says in which network it is");
        return;
    };
    groups::databases(network, &what.databases.groups, task, &what.ports, findings);
    groups::task(network, task, &what.databases.groups, &what.ports, findings);
    endpoints::check(network, task, &SERVICES, findings);
}

#[cfg(test)]
mod tests {
    use super::super::tests_of::{network, task};
    use super::*;

    fn found(ports: &[u16], change: impl Fn(&mut Network)) -> Findings {
        let mut network = network();
        change(&mut network);
        let (task, mut findings) = (task(), Findings::default());
        let databases = Place { groups: ["sg-db".to_owned()].into(), ..task.clone() };
        let ports = ports.iter().copied().collect();
        check(&network, &Isolated { databases, task: Some(task), ports }, &mut findings);
        findings
    }

    #[test]
    fn rules_are_not_well_where_no_port_is_known() {
        let known = found(&[5432], |_| {}).to_string();
        assert_eq!(known.matches("ok     ").count(), known.lines().count(), "{known}");
        let text = found(&[], |_| {}).to_string();
        for group in ["sg-db", "sg-task"] {
            assert!(text.contains(&format!("?      {group}: rules")), "{text}");
        }
        assert_eq!(text.matches("on which ports").count(), 2, "{text}");
        assert_eq!(text.matches("ok     ").count() + 2, known.lines().count(), "{text}");
        // What is too much is so on whatever port.
        let open = found(&[], |network| {
            let groups = network.groups.as_mut().unwrap();
            let world = super::super::Peer::Addresses("0.0.0.0/0".into());
            groups[0].ingress.push(super::super::tests_of::rule(world, 22));
        });
        assert!(open.to_string().contains("wrong  sg-db: rules"), "{open}");
    }
}
