//! Looks at the development account before a release is brought: as the functions see it, with the credentials of whoever asks.
//! It describes and tries without doing.

use std::collections::BTreeSet;

use account::aws::{Environment, Kms, Use};
use contract::release::Release;
use doctor::network::Place;
use doctor::network::reached::{self, Wanted};
use doctor::quotas::{self, Need};
use doctor::{Findings, ec2, functions, keys, machines, servers};
use snapshots::rds::Rds;
use snapshots::rds::settings::{CLASS, PORT, SECURITY_GROUPS, SUBNET_GROUP};
use snapshots::rds::survey::SubnetGroup;
use snapshots::status::Meaning;
use snapshots::{Kind, Settings as Facts, Snapshot, Snapshots as _};

use crate::aws::{Development, KEY, SHARE_KEY, VARIABLES, WORKFLOW};
use crate::names;
use crate::settings::Target;
use crate::world::World;

/// The state machines beside the workflow.
const SIBLINGS: [&str; 2] = ["fleet", "reaper"];
/// The steps that connect to the new database.
const CONNECTING: [&str; 2] = ["Credentials", "SmokeCheck"];

/// Examines the account.
pub async fn examine(development: &Development) -> Findings {
    let mut findings = Findings::default();
    let Some(world) = findings.answered("settings", development.world().await) else {
        return findings;
    };
    match world.settings.databases.len() {
        0 => findings.wrong("settings", "they name no database", "name one (infra/README.md)"),
        count => findings.well("settings", format!("{count} to receive")),
    }
    let shared = findings.answered("shared snapshots", world.snapshots.shared().await);
    let (mut instances, mut clusters, mut wanted) = (0, 0, Vec::new());
    for (name, target) in &world.settings.databases {
        match database(&world, name, target, &mut wanted, &mut findings).await {
            Some(Kind::Cluster) => clusters += 1,
            _ => instances += 1,
        }
        if let Some(shared) = &shared {
            release(&world, name, target, shared, &mut findings).await;
        }
    }
    if let Some(told) = findings.answered("quotas", world.snapshots.quotas().await) {
        quotas::check(&told, &needs(&world, instances, clusters), &mut findings);
    }
    examine_keys(development, &world, &mut findings).await;
    machines::check(development.config(), development.told(WORKFLOW), &SIBLINGS, &mut findings)
        .await;
    network(development, &wanted, &mut findings).await;
    findings
}

/// What the functions that connect to a new database reach.
async fn network(development: &Development, wanted: &[Wanted], findings: &mut Findings) {
    let config = development.config();
    let machine = development.told(WORKFLOW).rsplit(':').next().unwrap_or_default();
    let stem = machine.strip_suffix("workflow").unwrap_or(machine);
    let mut places = Vec::new();
    for step in CONNECTING {
        let name = format!("{stem}{step}");
        let about = format!("function {name}");
        match functions::place(config, &name).await {
            Ok(Some(place)) => {
                findings.well(about, format!("in {}", place.0));
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            Ok(None) => findings.wrong(about, "it is in no network", "deploy the stack again"),
            Err(why) => findings.unknown(about, why),
        }
    }
    for (id, place) in places {
        let network = ec2::network(config, &id).await;
        for wanted in wanted {
            reached::database(&network, &place, wanted, findings);
        }
        reached::services(&network, &place, findings);
    }
}

/// Where a new database will be; it is made with the facts of the one that it replaces.
fn wanted(
    name: &str,
    facts: &Facts,
    group: SubnetGroup,
    findings: &mut Findings,
) -> Option<Wanted> {
    let text = |key| facts.get(key).map_or("", String::as_str);
    let Ok(port) = text(PORT).parse() else {
        findings.unknown(format!("{name}: reached"), "nothing says on which port it will listen");
        return None;
    };
    let groups = text(SECURITY_GROUPS).split(',').map(|one| one.trim().to_owned()).collect();
    let place = Place { subnets: group.subnets, groups };
    Some(Wanted { name: name.to_owned(), place, port, network: group.network })
}

/// The database that is replaced, or what the first one is made with.
async fn database(
    world: &World<Rds>,
    name: &str,
    target: &Target,
    reached: &mut Vec<Wanted>,
    findings: &mut Findings,
) -> Option<Kind> {
    let rds = &world.snapshots;
    let found = findings.answered(name, rds.database(&target.name).await)?;
    let facts = found.as_ref().map_or(&target.facts, |found| &found.settings);
    match facts.get(SUBNET_GROUP) {
        Some(group) => {
            if let Some(group) = servers::subnet_group(rds, group, findings).await {
                reached.extend(wanted(name, facts, group, findings));
            }
        }
        None => findings.wrong(name, "nothing says in which subnets it is to be", "say `facts`"),
    }
    let Some(found) = found else {
        let missing = [CLASS].iter().find(|key| !target.facts.contains_key(**key));
        match missing {
            Some(key) => {
                let what = format!("there is no {}, and `facts` has no `{key}`", target.name);
                findings.wrong(name, what, "say in `facts` what the first one is made with");
            }
            None => findings.well(name, format!("there is no {} yet: it is made", target.name)),
        }
        return None;
    };
    if found.engine != target.engine {
        let what = format!("{} is {} and not {}", target.name, found.engine, target.engine);
        findings.wrong(name, what, "name the engine that production has as `engine`");
    } else if matches!(found.meaning(), Meaning::Ready | Meaning::Stopped) {
        findings.well(name, format!("{} is {}", target.name, found.status));
    } else {
        let what = format!("{} is {}", target.name, found.status);
        findings.wrong(name, what, "wait, or mend it: it cannot be renamed like this");
    }
    Some(found.kind)
}

/// The newest that production has shared, and the statement about it.
async fn release(
    world: &World<Rds>,
    name: &str,
    target: &Target,
    shared: &[Snapshot],
    findings: &mut Findings,
) {
    let (about, settings) = (format!("{name}: release"), &world.settings);
    let prefix = names::release_prefix(name);
    let newest = snapshots::select::Release {
        owner: &settings.producer,
        region: &settings.region,
        prefix: &prefix,
        engine: &target.engine,
        key: &settings.share_key,
    };
    let selection = newest.select(shared);
    let Some(newest) = selection.newest else {
        findings.unknown(about, "production has shared none yet");
        return;
    };
    let place = format!("releases/{name}/{}.json", newest.name);
    let Some(statement) = findings.answered(&about, world.handover.get(&place).await) else {
        return;
    };
    let Some(keys) = findings.answered(&about, settings.keys()) else { return };
    let release =
        statement.and_then(|bytes| keys.iter().find_map(|key| Release::open(&bytes, key).ok()));
    match release {
        Some(release) if release.snapshot == newest.arn => {
            findings.well(about, format!("{}, data of {}", newest.name, release.data_as_of));
        }
        _ => {
            let what = format!("no statement about {} is signed by a pinned key", newest.name);
            findings.wrong(
                about,
                what,
                "compare `PublicKeys` with the public half of production's sign key",
            );
        }
    }
}

/// What there will be at the worst moment: the new one beside the old, and the copy.
fn needs(world: &World<Rds>, instances: u64, clusters: u64) -> Vec<Need> {
    let targets = world.settings.databases.values();
    let keep = targets.map(|target| target.keep as u64).max().unwrap_or(0);
    let mut needs = vec![Need::more("DBInstances", instances + clusters)];
    if instances > 0 {
        needs.push(Need::more("ManualSnapshots", instances * (keep + 1)));
    }
    if clusters > 0 {
        needs.push(Need::more("DBClusters", clusters));
        needs.push(Need::more("ManualClusterSnapshots", clusters * (keep + 1)));
    }
    needs
}

async fn examine_keys(development: &Development, world: &World<Rds>, findings: &mut Findings) {
    let own = Kms::new(development.config(), development.told(KEY));
    let expected = keys::Expected {
        name: "own key",
        owner: world.snapshots.account(),
        others: &BTreeSet::new(),
        used_for: Use::Encrypt,
        open: false,
    };
    keys::check(&own, &expected, findings).await;
    // Another account's: it can be described, and used through RDS alone.
    let share = Kms::new(development.config(), development.told(SHARE_KEY));
    if let Some(state) = findings.answered("share key", share.state().await) {
        if state.enabled {
            findings.well("share key", format!("enabled, {}", state.spec));
        } else {
            let cure = "ask production whether that is on purpose (infra/README.md, Key revoked)";
            findings.wrong("share key", format!("it is {}", state.word), cure);
        }
    }
}

/// The functions' environment, from the JSON object that the AWS command line prints.
pub fn environment(bytes: &[u8]) -> Result<Environment, String> {
    Environment::of_json(&VARIABLES, bytes)
}
