//! Looks at the production account before a run does: as the functions see it, with the credentials of whoever asks. It describes
//! and tries without doing; what a run needs and how long it takes is computed from what it finds.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use account::aws::{Environment, Kms, Use};
use contract::key::PublicKey;
use contract::release::Release;
use contract::statement::Statement;
use doctor::network::Place;
use doctor::network::isolated::{self, Isolated};
use doctor::quotas::{self, Need};
use doctor::{Findings, ec2, keys, machines, servers};
use serde_json::{Value, json};
use snapshots::rds::Rds;
use snapshots::rds::settings::{
    CLASS, OPTION_GROUP, PARAMETER_GROUP, PORT, SECURITY_GROUPS, SUBNET_GROUP,
};
use snapshots::rds::survey::SubnetGroup;
use snapshots::{Database, Kind, Snapshots as _};
use workflow::{StepError, Steps as _};

use crate::aws::{Production, SHARE_KEY, SIGN_KEY, VARIABLES, WORK_KEY, WORKFLOW};
use crate::names;
use crate::settings::Server;
use crate::sizing::{self, Load, Measured, Prices};
use crate::world::World;

/// Copies of clusters' snapshots that RDS makes at a time for an account.
const COPIES_OF_CLUSTERS: u32 = 5;
/// The same of instances' snapshots.
const COPIES: u32 = 20;
/// The state machines beside the workflow.
const SIBLINGS: [&str; 3] = ["fleet", "request", "reaper"];

/// What the doctor is told beside the environment.
#[derive(Default)]
pub struct Asked {
    /// The masking key, which no function is told of.
    pub mask_key: Option<String>,
    /// What things cost.
    pub prices: Option<Prices>,
    /// The keys that whoever asks is to be able to use: the credentials are those of a role that needs it.
    pub may: BTreeSet<String>,
}

/// What was found, and a line for each database about sizes, times and money.
pub struct Examined {
    /// Check by check.
    pub findings: Findings,
    /// What to put into settings and parameters.
    pub sizes: String,
}

/// Examines the account.
pub async fn examine(production: &Production, asked: &Asked) -> Examined {
    let (mut findings, mut sizes) = (Findings::default(), String::new());
    let Some(world) = findings.answered("settings", production.world().await) else {
        return Examined { findings, sizes };
    };
    let count = world.settings.databases.len();
    match count {
        0 => findings.wrong("settings", "they name no database", "name one (infra/README.md)"),
        _ => findings.well(
            "settings",
            format!("{count} to refresh, {} at a time", world.settings.at_a_time),
        ),
    }
    let (mut all, mut ports) = (Vec::new(), BTreeSet::new());
    // Without it no statement counts, and none is believed about sizes.
    let key = Kms::new(production.config(), production.told(SIGN_KEY)).public_key().await.ok();
    for (name, server) in &world.settings.databases {
        if let Some(found) = database(&world, name, server, &mut findings).await {
            let load = load(&world, key.as_ref(), name, server, &found).await;
            said(&mut sizes, name, &load, world.settings.keep, asked);
            let port = server.isolation.get(PORT).or_else(|| found.settings.get(PORT));
            ports.extend(port.and_then(|port| port.parse::<u16>().ok()));
            all.push((found, load));
        }
    }
    if let Some(told) = findings.answered("quotas", world.snapshots.quotas().await) {
        quotas::check(&told, &needs(&world, &all), &mut findings);
    }
    let group = production.isolation().get(SUBNET_GROUP).map_or("", String::as_str);
    let group = servers::subnet_group(&world.snapshots, group, &mut findings).await;
    examine_keys(production, &world, asked, &mut findings).await;
    let workflow = production.told(WORKFLOW);
    let definition = machines::check(production.config(), workflow, &SIBLINGS, &mut findings).await;
    if let Some(group) = group {
        network(production, group, definition.as_deref(), ports, &mut findings).await;
    }
    Examined { findings, sizes }
}

/// What restored databases and the masking task can reach, and whom they let in.
async fn network(
    production: &Production,
    group: SubnetGroup,
    definition: Option<&str>,
    ports: BTreeSet<u16>,
    findings: &mut Findings,
) {
    let groups = production.isolation().get(SECURITY_GROUPS).map_or("", String::as_str);
    let groups = groups.split(',').map(|one| one.trim().to_owned()).collect();
    let task = definition.and_then(|text| serde_json::from_str(text).ok()).as_ref().and_then(task);
    let databases = Place { subnets: group.subnets, groups };
    let network = ec2::network(production.config(), &group.network).await;
    isolated::check(&network, &Isolated { databases, task, ports }, findings);
}

/// Where the masking task is started, as the state machine has it, wherever it says so.
fn task(definition: &Value) -> Option<Place> {
    let texts = |list: &Value| {
        let list = list.as_array().into_iter().flatten();
        list.filter_map(|one| one.as_str().map(ToOwned::to_owned)).collect()
    };
    match definition {
        Value::Object(fields) => match fields.get("AwsvpcConfiguration") {
            Some(told) => Some(Place {
                subnets: texts(&told["Subnets"]),
                groups: texts(&told["SecurityGroups"]),
            }),
            None => fields.values().find_map(task),
        },
        Value::Array(items) => items.iter().find_map(task),
        _ => None,
    }
}

async fn database(
    world: &World<Rds>,
    name: &str,
    server: &Server,
    findings: &mut Findings,
) -> Option<Database> {
    let about = format!("{name}: rules");
    if let Some(rules) = findings.answered(&about, world.rules(name).await) {
        if rules.is_empty() {
            let cure = format!("put {}/DATABASE.yaml into the documents", names::rules(name));
            findings.wrong(about, "there are none", cure);
        } else {
            let all: Vec<&str> = rules.iter().map(|rules| rules.name.as_str()).collect();
            findings.well(about, all.join(", "));
        }
    }
    let found = findings.answered(name, world.snapshots.database(&server.source).await)?;
    let Some(found) = found else {
        let what = format!("there is no {} on RDS", server.source);
        findings.wrong(name, what, "name an instance or a cluster of this account as `source`");
        return None;
    };
    if servers::ENGINES.contains(&found.engine.as_str()) {
        findings
            .well(name, format!("{}, {} {}", server.source, found.engine, found.engine_version));
    } else {
        let what = format!("{} is {}", server.source, found.engine);
        findings.wrong(name, what, format!("only {} is masked", servers::ENGINES.join(" or ")));
    }
    isolation(world, name, server, &found, findings).await;
    let about = format!("{name}: snapshot");
    let input = json!({ "database": name, "max_age_hours": server.max_age_hours });
    // Behind a pointer, as where functions call steps.
    match Box::pin(world.call("FindSnapshot", input)).await {
        Ok(newest) => {
            let as_of = newest["data_as_of"].as_str().unwrap_or_default();
            let first =
                if newest["copy_first"] == true { ", not encrypted: copied first" } else { "" };
            findings.well(about, format!("data of {as_of}{first}"));
        }
        Err(StepError::Retryable(why)) => findings.unknown(about, why),
        Err(refused) => {
            let cure = "let RDS take one, or say a larger `max_age_hours`";
            findings.wrong(about, refused.cause(), cure);
        }
    }
    Some(found)
}

/// What RDS is told about the restored copy, and what the source brings along.
async fn isolation(
    world: &World<Rds>,
    name: &str,
    server: &Server,
    found: &Database,
    findings: &mut Findings,
) {
    let rds = &world.snapshots;
    for key in [CLASS, PARAMETER_GROUP] {
        if !server.isolation.contains_key(key) {
            let cure =
                format!("name one as `{key}` in `isolation`; the sizes below propose a class");
            findings.wrong(format!("{name}: {key}"), "the settings name none", cure);
        }
    }
    if let Some(class) = server.isolation.get(CLASS) {
        let engine = (found.engine.as_str(), found.engine_version.as_str());
        servers::class(rds, name, engine, class, findings).await;
    }
    if let Some(group) = found.settings.get(OPTION_GROUP) {
        servers::options(rds, name, group, findings).await;
    }
}

/// Its size, from the last run where there was one.
async fn load(
    world: &World<Rds>,
    key: Option<&PublicKey>,
    name: &str,
    server: &Server,
    found: &Database,
) -> Load {
    let said = (server.gigabytes > 0).then(|| f64::from(server.gigabytes));
    let allocated = world.snapshots.allocated(&found.name).await.ok().flatten().map(f64::from);
    // A cluster's storage grows by itself; who has not said how large it is gets the least.
    let gigabytes = said.or(allocated).unwrap_or(10.0);
    let last = match key {
        Some(key) => measured(world, key, name).await,
        None => None,
    };
    Load { allocated: allocated.unwrap_or(gigabytes).max(gigabytes), largest: 0.5, gigabytes, last }
}

/// What the reports of the newest release have measured, one after the other.
async fn measured(world: &World<Rds>, key: &PublicKey, database: &str) -> Option<Measured> {
    let mut newest: Option<Release> = None;
    for name in world.handover.list(&format!("releases/{database}")).await.ok()? {
        let bytes = world.handover.get(&name).await.ok()??;
        let Ok(release) = Release::open(&bytes, key) else { continue };
        if newest.as_ref().is_none_or(|known| known.signed_at < release.signed_at) {
            newest = Some(release);
        }
    }
    let newest = newest?;
    let mut sum: Option<Measured> = None;
    for reported in &newest.reports {
        let place = names::report(database, &newest.run_id, &reported.name);
        let bytes = world.reports.get(&format!("{place}/report.json")).await.ok()??;
        let one = Measured::of(&Statement::read(&bytes).ok()?.predicate);
        sum = Some(sum.map_or(one, |sum| sum.and(one)));
    }
    sum
}

/// A line about one database.
fn said(sizes: &mut String, name: &str, load: &Load, keep: usize, asked: &Asked) {
    let (size, times) = sizing::size(load);
    let from = if load.last.is_some() { "as the last run measured" } else { "as assumed" };
    let cost =
        asked.prices.as_ref().map(|prices| match sizing::cost(&size, &times, load, keep, prices) {
            Some(cost) => format!(", {cost:.2} {}", prices.currency),
            None => format!(", no price for {}", size.class),
        });
    let _ = writeln!(
        sizes,
        "{name}: {:.0} GB: {}, {} GB of storage; task {} vCPU, {} GB, disk {} GB{}; {:.1} h in all, {:.1} h of masking {from}{}",
        load.gigabytes,
        size.class,
        size.storage,
        size.cpu / 1024,
        size.memory / 1024,
        size.disk,
        size.too_large
            .map(|needed| format!(
                " (it needs {needed}: mask it with one job, or give the task a volume)"
            ))
            .unwrap_or_default(),
        times.all() / 3600.0,
        times.mask / 3600.0,
        cost.unwrap_or_default(),
    );
}

/// What there will be at the worst moment of the fleet, beyond what is there.
fn needs(world: &World<Rds>, all: &[(Database, Load)]) -> Vec<Need> {
    let settings = &world.settings;
    let at_a_time = u64::from(settings.at_a_time).min(all.len() as u64);
    let clusters = all.iter().filter(|(found, _)| found.kind == Kind::Cluster).count() as u64;
    let instances = all.len() as u64 - clusters;
    // Releases, the one that comes before the oldest goes, and the one that is taken.
    let snapshots = |count: u64| count * (settings.keep as u64 + 1) + at_a_time.min(count);
    let mut largest: Vec<u64> = all.iter().map(|(_, load)| load.allocated as u64).collect();
    largest.sort_unstable_by(|one, other| other.cmp(one));
    let mut needs = vec![
        Need::more("DBInstances", at_a_time),
        Need::more("AllocatedStorage", largest.iter().take(at_a_time as usize).sum()),
    ];
    if instances > 0 {
        needs.push(Need::more("ManualSnapshots", snapshots(instances)));
    }
    if clusters > 0 {
        needs.push(Need::more("DBClusters", at_a_time.min(clusters)));
        needs.push(Need::more("ManualClusterSnapshots", snapshots(clusters)));
    }
    needs
}

async fn examine_keys(
    production: &Production,
    world: &World<Rds>,
    asked: &Asked,
    findings: &mut Findings,
) {
    let config = production.config();
    let told = |name| Some(production.told(name).to_owned());
    let nobody = BTreeSet::new();
    for (name, arn, used_for) in [
        ("work", told(WORK_KEY), Use::Encrypt),
        ("share", told(SHARE_KEY), Use::Encrypt),
        ("sign", told(SIGN_KEY), Use::Sign),
        ("mask", asked.mask_key.clone(), Use::Mac),
    ] {
        let Some(arn) = arn else {
            findings.unknown(format!("{name} key"), "not looked at: --mask-key says which it is");
            continue;
        };
        let expected = keys::Expected {
            name: &format!("{name} key"),
            owner: world.snapshots.account(),
            others: if name == "share" { &world.settings.accounts } else { &nobody },
            used_for,
            open: asked.may.contains(name),
        };
        keys::check(&Kms::new(config, arn), &expected, findings).await;
    }
    copies(world, findings);
}

/// Copies that RDS makes at a time.
fn copies(world: &World<Rds>, findings: &mut Findings) {
    let at_a_time = world.settings.at_a_time;
    if at_a_time > COPIES {
        let what = format!("`at_a_time` is {at_a_time}, and RDS makes {COPIES} copies at a time");
        findings.wrong("settings", what, format!("say {COPIES} or less"));
    } else if at_a_time > COPIES_OF_CLUSTERS {
        findings.well("settings", format!(
            "{at_a_time} at a time is for instances; with more than {COPIES_OF_CLUSTERS} clusters say {COPIES_OF_CLUSTERS}"
        ));
    }
}

/// The functions' environment, from the JSON object that the AWS command line prints.
pub fn environment(bytes: &[u8]) -> Result<Environment, String> {
    Environment::of_json(&VARIABLES, bytes)
}
