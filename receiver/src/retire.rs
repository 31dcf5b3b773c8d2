//! Databases that were replaced, once their grace has ended: deleted, where this product has made them, and never the one in
//! use.

use jiff::{SignedDuration, Timestamp};
use snapshots::Snapshots;
use workflow::StepError;

use crate::record::Record;
use crate::world::World;
use crate::{current, names, record, undo};

/// What came of looking.
#[derive(Debug, Default)]
pub struct Retired {
    /// What is waited for.
    pub waiting: Option<String>,
    /// Databases that stay because this product did not make them, by name: somebody must decide.
    pub kept: Vec<String>,
}

/// Deletes what was replaced and is due.
pub async fn due<S: Snapshots>(world: &World<S>, database: &str) -> Result<Retired, StepError> {
    let target = world.target(database)?;
    let grace = SignedDuration::from_hours(target.grace_hours.into());
    let mut retired = Retired::default();
    for record in record::list(&world.documents, database).await? {
        let due = record.swapped_at.checked_add(grace).unwrap_or(Timestamp::MAX);
        if record.retired || Timestamp::now() < due {
            continue;
        }
        match one(world, database, &record, &mut retired).await? {
            Some(waiting) => retired.waiting = Some(waiting),
            None => {
                let record = Record { retired: true, ..record };
                record::put(&world.documents, database, &record).await?;
            }
        }
    }
    Ok(retired)
}

async fn one<S: Snapshots>(
    world: &World<S>,
    database: &str,
    record: &Record,
    retired: &mut Retired,
) -> Result<Option<String>, StepError> {
    let Some(old) = &record.old else { return Ok(None) };
    let Some(found) = world.snapshots.by_resource_id(old).await? else {
        let gone = undo::no_backups(world, old).await?;
        return Ok((!gone).then(|| format!("the backups of database {old} to be deleted")));
    };
    let current = current::database(world, world.target(database)?).await?;
    let in_use = current.is_some_and(|current| current.resource_id == *old);
    let ours = found.tags.get(names::DATABASE_TAG).is_some_and(|tag| tag == database)
        && found.tags.contains_key(names::RUN_TAG);
    if in_use || !ours {
        retired.kept.push(found.name);
        return Ok(None);
    }
    undo::delete(world, &found).await?;
    Ok(Some(format!("database {} to be deleted", found.name)))
}
