//! Things on RDS that both accounts name: a subnet group, a class, an option group.

use snapshots::rds::Rds;
use snapshots::rds::survey::SubnetGroup;

use crate::Findings;

/// Engines that the masking command knows.
pub const ENGINES: [&str; 2] = ["postgres", "aurora-postgresql"];

/// A subnet group in two zones or more: RDS wants two, and one may have no capacity.
pub async fn subnet_group(rds: &Rds, name: &str, findings: &mut Findings) -> Option<SubnetGroup> {
    let about = format!("subnet group {name}");
    let found = findings.answered(&about, rds.subnet_group(name).await)?;
    if found.zones.len() < 2 {
        let what = format!("it is in {} zone", found.zones.len());
        findings.wrong(about, what, "give it subnets in two zones");
    } else {
        let zones: Vec<&str> = found.zones.iter().map(String::as_str).collect();
        findings.well(about, zones.join(", "));
    }
    Some(found)
}

/// A class that is offered for an engine.
pub async fn class(
    rds: &Rds,
    about: &str,
    (engine, version): (&str, &str),
    class: &str,
    findings: &mut Findings,
) {
    let about = format!("{about}: class");
    match findings.answered(&about, rds.offered(engine, version, class).await) {
        Some(true) => findings.well(about, format!("{class} is offered for {engine} {version}")),
        Some(false) => {
            let what = format!("{class} is not offered for {engine} {version} here");
            findings.wrong(about, what, "name another `class` in the settings");
        }
        None => {}
    }
}

/// Options that keep a snapshot from being shared, or restored without them.
pub async fn options(rds: &Rds, about: &str, group: &str, findings: &mut Findings) {
    let about = format!("{about}: options");
    let Some(staying) = findings.answered(&about, rds.staying_options(group).await) else { return };
    if staying.is_empty() {
        findings.well(about, format!("{group} has none that stays"));
    } else {
        let what = format!("{group} has {}: its snapshots cannot be shared", staying.join(", "));
        findings.wrong(about, what, "release a logical copy, or take the option out of the source");
    }
}
