//! Lets exactly the configured accounts restore a released snapshot, and reads back that it is so. Whatever else is read back
//! takes the snapshot from everybody again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::names::{self, SHARE};
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
    arn: String,
}

#[derive(Serialize)]
pub struct Output {
    accounts: BTreeSet<String>,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { database, run, arn } = &input;
    released(world, database, run, arn).await?;
    let accounts: Vec<String> = world.settings.accounts.iter().cloned().collect();
    let shared = match world.snapshots.share(arn, &accounts).await {
        Ok(()) => world.snapshots.shared_with(arn).await,
        Err(error) => Err(error),
    };
    match shared {
        Ok(shared) if is_exactly(&world.settings.accounts, &shared) => {
            Ok(Output { accounts: world.settings.accounts.clone() })
        }
        Ok(shared) => {
            world.snapshots.share(arn, &[]).await?;
            Err(StepError::Refused(format!(
                "snapshot {arn} was shared with {} in place of {}; it is shared with nobody now",
                shared.join(", "),
                accounts.join(", ")
            )))
        }
        Err(error) => Err(error.into()),
    }
}

/// Nothing passes here that has not passed the gate.
async fn released<S: Snapshots>(
    world: &World<S>,
    database: &str,
    run: &str,
    arn: &str,
) -> Result<(), StepError> {
    let refused = |why: &str| StepError::Refused(format!("snapshot {arn} {why}"));
    let snapshot = world.snapshots.snapshot(arn).await?;
    let snapshot = snapshot.ok_or_else(|| refused("does not exist"))?;
    if names::maker(&[SHARE], &snapshot.name, &snapshot.tags) != Some(run) {
        return Err(refused("is not one that this run made for others"));
    }
    if !snapshot.encrypted || snapshot.key.as_ref() != Some(&world.settings.share_key) {
        return Err(refused("is not encrypted under the key for others"));
    }
    let statement = world.handover.get(&names::statement(database, &snapshot.name)).await?;
    statement.map(drop).ok_or_else(|| refused("has no signed statement"))?;
    // The gate's last act, which may not be seen yet.
    if !names::is_released(&snapshot.tags) {
        return Err(StepError::Retryable(format!("snapshot {arn} is not tagged as released")));
    }
    Ok(())
}

fn is_exactly(accounts: &BTreeSet<String>, shared: &[String]) -> bool {
    accounts.len() == shared.len()
        && shared.iter().collect::<BTreeSet<_>>() == accounts.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_very_accounts_is_right() {
        let accounts: BTreeSet<String> = ["1".to_owned(), "2".to_owned()].into();
        let is = |shared: &[&str]| {
            is_exactly(&accounts, &shared.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
        };
        assert!(is(&["2", "1"]));
        for shared in [&["1"][..], &["1", "2", "all"], &["all"], &["1", "3"], &[], &["1", "1"]] {
            assert!(!is(shared), "{shared:?}");
        }
    }
}
