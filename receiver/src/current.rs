//! The database that is in use now, and how a new one can take its place.

use serde::{Deserialize, Serialize};
use snapshots::status::Meaning;
use snapshots::{Database, Snapshots};
use workflow::StepError;

use crate::pointer::Pointer;
use crate::settings::{Swap, Target};
use crate::world::World;

/// How the new one takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Nobody has the name: it gets it.
    Place,
    /// The one that has the name gets another, then the new one gets it.
    Rename,
    /// The one that has the name is stopped, and cannot be renamed before it is started.
    Start,
    /// Names stay, the secret leads to it.
    Point,
    /// Not now: something is being done with the one that has the name.
    Wait,
    /// Not at all.
    Never,
}

/// The database in use: that which the secret leads to, or the one of that name.
pub async fn database<S: Snapshots>(
    world: &World<S>,
    target: &Target,
) -> Result<Option<Database>, StepError> {
    if target.swap != Swap::Rename
        && let Some(pointer) = Pointer::get(&world.secrets, &target.secret).await?
        && let Some(found) = world.snapshots.by_resource_id(&pointer.resource_id).await?
    {
        return Ok(Some(found));
    }
    Ok(world.snapshots.database(&target.name).await?)
}

/// How a new one takes its place, from the one that is in use and the one that has the name.
pub fn way(swap: Swap, current: Option<&Database>, named: Option<&Database>) -> Way {
    let Some(named) = named else {
        return if swap == Swap::Pointer { Way::Point } else { Way::Place };
    };
    let in_use = current.is_none_or(|current| current.resource_id == named.resource_id);
    match (swap, named.meaning()) {
        (Swap::Pointer, _) => Way::Point,
        // The name is not where people look.
        (Swap::Both, _) if !in_use => Way::Point,
        (_, Meaning::Ready) => Way::Rename,
        (_, Meaning::Stopped) => Way::Start,
        (_, Meaning::Wait | Meaning::Unknown | Meaning::Going) => Way::Wait,
        (Swap::Both, Meaning::Broken) => Way::Point,
        (_, Meaning::Broken) => Way::Never,
    }
}

#[cfg(test)]
mod tests {
    use snapshots::{Kind, Settings, Tags};

    use super::*;

    fn database(resource_id: &str, status: &str) -> Database {
        Database {
            resource_id: resource_id.into(),
            name: "shop".into(),
            kind: Kind::Instance,
            status: status.into(),
            engine: "postgres".into(),
            engine_version: "16".into(),
            endpoint: "shop:5432".into(),
            encrypted: true,
            key: None,
            public: false,
            backup_days: 0,
            pending: false,
            restart_needed: false,
            protected: false,
            secret: None,
            iam_login: false,
            members: Vec::new(),
            settings: Settings::new(),
            outlets: Vec::new(),
            tags: Tags::new(),
        }
    }

    #[test]
    fn the_way_follows_from_what_the_one_with_the_name_is() {
        let by = |swap, status: &str| {
            let one = database("db-1", status);
            way(swap, Some(&one), Some(&one))
        };
        for (status, rename, both) in [
            ("available", Way::Rename, Way::Rename),
            ("storage-optimization", Way::Rename, Way::Rename),
            ("stopped", Way::Start, Way::Start),
            ("stopping", Way::Wait, Way::Wait),
            ("deleting", Way::Wait, Way::Wait),
            ("never-heard-of", Way::Wait, Way::Wait),
            ("storage-full", Way::Never, Way::Point),
            ("failed", Way::Never, Way::Point),
        ] {
            assert_eq!(by(Swap::Rename, status), rename, "{status}");
            assert_eq!(by(Swap::Both, status), both, "{status}");
            assert_eq!(by(Swap::Pointer, status), Way::Point, "{status}");
        }
        assert_eq!(way(Swap::Rename, None, None), Way::Place);
        assert_eq!(way(Swap::Both, Some(&database("db-1", "failed")), None), Way::Place);
        assert_eq!(way(Swap::Pointer, None, None), Way::Point);
    }

    #[test]
    fn a_name_that_nobody_looks_at_is_left_alone() {
        let (used, named) = (database("db-1", "available"), database("db-2", "available"));
        assert_eq!(way(Swap::Both, Some(&used), Some(&named)), Way::Point);
    }
}
