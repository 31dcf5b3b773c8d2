//! Opens the signed statement of a snapshot and holds the snapshot to it. Without a statement, with one that somebody else has
//! signed, of another snapshot, or of yesterday, nothing is let in.

use contract::release::Release;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use snapshots::{Snapshot, Snapshots};
use workflow::StepError;

use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    arn: String,
}

#[derive(Serialize)]
pub struct Output {
    arn: String,
    /// When production's data was as it is in it.
    data_as_of: String,
    /// SHA-256 of the rules of the first report.
    rules: String,
    /// What the markers in the databases must say.
    reports: Vec<Reported>,
}

/// What a marker must say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reported {
    /// The database on its server.
    pub name: String,
    /// The masking run.
    pub run_id: String,
    /// SHA-256 of its report.
    pub digest: String,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { database, arn } = &input;
    let shared = world.snapshots.shared().await?;
    let gone = || StepError::Fatal(format!("{arn} is not shared any more"));
    let snapshot = shared.into_iter().find(|found| found.arn == *arn).ok_or_else(gone)?;
    let name = arn.rsplit(':').next().unwrap_or_default();
    let key = format!("releases/{database}/{name}.json");
    // Asked for what is not there, a bucket in which one may not look around denies it as it denies everything.
    let statements = world.handover.list(&format!("releases/{database}")).await?;
    let envelope = match statements.contains(&key) {
        true => world.handover.get(&key).await?,
        false => None,
    };
    let envelope = envelope.ok_or_else(|| refused(arn, "has no statement"))?;
    let release = open(world, arn, &envelope)?;
    if let Some(reason) = difference(world, database, &snapshot, &release) {
        return Err(refused(arn, reason));
    }
    let reports = release.reports.iter().map(|report| Reported {
        name: report.name.clone(),
        run_id: report.run_id.clone(),
        digest: report.report_digest.clone(),
    });
    Ok(Output {
        arn: arn.clone(),
        rules: release.reports.first().map_or_else(String::new, |r| r.rules_digest.clone()),
        reports: reports.collect(),
        data_as_of: release.data_as_of,
    })
}

/// By whichever of the pinned keys has signed it.
fn open<S: Snapshots>(world: &World<S>, arn: &str, envelope: &[u8]) -> Result<Release, StepError> {
    let mut why = String::new();
    for key in world.settings.keys()? {
        match Release::open(envelope, &key) {
            Ok(release) => return Ok(release),
            Err(error) => why = error.to_string(),
        }
    }
    Err(refused(arn, &format!("has a statement that does not count: {why}")))
}

/// What the statement says otherwise.
fn difference<S: Snapshots>(
    world: &World<S>,
    database: &str,
    snapshot: &Snapshot,
    release: &Release,
) -> Option<&'static str> {
    let moment = |text: &str| text.parse::<Timestamp>().ok();
    let created = moment(&snapshot.created_at);
    if release.database != database {
        Some("has the statement of another database")
    } else if release.snapshot != snapshot.arn {
        Some("has the statement of another snapshot")
    } else if release.resource_id != snapshot.source_id {
        Some("was taken of another database than its statement says")
    } else if created.is_none() || created != moment(&release.created_at) {
        Some("was made at another time than its statement says")
    } else if snapshot.key.as_ref() != Some(&release.key) || release.key != world.settings.share_key
    {
        Some("is encrypted under another key than its statement says")
    } else if release.engine != snapshot.engine {
        Some("is of another engine than its statement says")
    } else if moment(&release.expires_at).is_none_or(|expires| expires <= Timestamp::now()) {
        Some("has a statement that has expired")
    } else if moment(&release.data_as_of).is_none() {
        Some("has a statement that does not say of when its data is")
    } else {
        None
    }
}

fn refused(arn: &str, reason: &str) -> StepError {
    StepError::Refused(format!("{arn} {reason}"))
}
