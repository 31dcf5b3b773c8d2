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
    /// The ports of the databases.
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
