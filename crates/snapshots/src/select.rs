//! Which snapshot: the newest that may be used, and why each of the others may not.
//!
//! Two questions, one answer form. Production asks which of its own snapshots of a database to start from; development asks
//! which of those that others share with it is the newest that production has released. Every snapshot that was looked at
//! is answered for, so that a log can say why one was passed over.

use jiff::{SignedDuration, Timestamp};

use crate::arn::Arn;
use crate::port::{Kind, Snapshot};
use crate::status::{Meaning, meaning};

/// What production starts from.
pub struct Source<'a> {
    /// The database by the identifier that does not change: a name may have had another database before.
    pub source_id: &'a str,
    /// Instance or cluster.
    pub kind: Kind,
    /// Snapshots with this tag are the product's own and never a source.
    pub own_tag: &'a str,
    /// Older ones are too old.
    pub max_age: SignedDuration,
    /// The moment of asking.
    pub now: Timestamp,
}

/// What development takes.
pub struct Release<'a> {
    /// The account that releases.
    pub owner: &'a str,
    /// Its region.
    pub region: &'a str,
    /// What the names of released snapshots begin with.
    pub prefix: &'a str,
    /// The engine of the database that is replaced.
    pub engine: &'a str,
    /// The key they are encrypted under, exactly.
    pub key: &'a str,
}

/// The newest, and why the others were passed over.
#[derive(Debug)]
pub struct Selection<'a> {
    /// The one to use.
    pub newest: Option<&'a Snapshot>,
    /// Name and reason of each other one.
    pub passed_over: Vec<(&'a str, String)>,
}

impl Source<'_> {
    /// The newest of these.
    pub fn select<'a>(&self, snapshots: &'a [Snapshot]) -> Selection<'a> {
        select(snapshots, |snapshot| self.reason_against(snapshot))
    }

    fn reason_against(&self, snapshot: &Snapshot) -> Option<String> {
        let age = match moment(&snapshot.data_as_of) {
            Some(data_as_of) => self.now.duration_since(data_as_of),
            None => return Some("it does not say of when its data is".into()),
        };
        if snapshot.kind != self.kind || snapshot.source_id != self.source_id {
            Some("it is of another database".into())
        } else if snapshot.tags.contains_key(self.own_tag) {
            Some("this product made it".into())
        } else if meaning(&snapshot.status) != Meaning::Ready {
            Some(format!("its status is {}", snapshot.status))
        } else if age > self.max_age {
            Some(format!("its data is {} hours old", age.as_hours()))
        } else {
            None
        }
    }
}

impl Release<'_> {
    /// The newest of these. What it selects still has to prove itself by its signed statement.
    pub fn select<'a>(&self, snapshots: &'a [Snapshot]) -> Selection<'a> {
        select(snapshots, |snapshot| self.reason_against(snapshot))
    }

    fn reason_against(&self, snapshot: &Snapshot) -> Option<String> {
        let arn = Arn::parse(&snapshot.arn);
        if arn.is_none_or(|arn| arn.account != self.owner) || snapshot.owner != self.owner {
            Some("it belongs to another account".into())
        } else if arn.is_none_or(|arn| arn.region != self.region) {
            Some("it is in another region".into())
        } else if arn.is_none_or(|arn| !arn.name.starts_with(self.prefix)) {
            Some("its name is not that of a release".into())
        } else if snapshot.engine != self.engine {
            Some(format!("its engine is {}", snapshot.engine))
        } else if !snapshot.encrypted || snapshot.key.as_deref() != Some(self.key) {
            Some("it is not encrypted under the agreed key".into())
        } else if meaning(&snapshot.status) != Meaning::Ready {
            Some(format!("its status is {}", snapshot.status))
        } else {
            None
        }
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn select(
    snapshots: &[Snapshot],
    reason_against: impl Fn(&Snapshot) -> Option<String>,
) -> Selection<'_> {
    let mut newest: Option<&Snapshot> = None;
    let mut passed_over = Vec::new();
    for snapshot in snapshots {
        if let Some(reason) = reason_against(snapshot) {
            passed_over.push((snapshot.name.as_str(), reason));
            continue;
        }
        let older = match newest {
            Some(best) if age_key(best) >= age_key(snapshot) => Some(snapshot),
            _ => newest.replace(snapshot),
        };
        passed_over.extend(older.map(|older| (older.name.as_str(), "there is a newer one".into())));
    }
    Selection { newest, passed_over }
}

/// By the data's own moment, then by when it was made: a copy is made later, its data is not newer.
fn age_key(snapshot: &Snapshot) -> (Option<Timestamp>, Option<Timestamp>) {
    (moment(&snapshot.data_as_of), moment(&snapshot.created_at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::Tags;

    /// What is changed in a snapshot, and why it is passed over then.
    type Trap = (fn(&mut Snapshot), &'static str);

    fn snapshot(name: &str, data_as_of: &str) -> Snapshot {
        Snapshot {
            arn: format!("arn:aws:rds:eu-west-1:111111111111:snapshot:{name}"),
            name: name.into(),
            kind: Kind::Instance,
            status: "available".into(),
            owner: "111111111111".into(),
            source_id: "db-AAAA".into(),
            engine: "postgres".into(),
            engine_version: "16.4".into(),
            encrypted: true,
            key: Some("arn:aws:kms:eu-west-1:111111111111:key/share".into()),
            created_at: data_as_of.into(),
            data_as_of: data_as_of.into(),
            automatic: false,
            tags: Tags::new(),
        }
    }

    fn source() -> Source<'static> {
        Source {
            source_id: "db-AAAA",
            kind: Kind::Instance,
            own_tag: "anonymizer:run",
            max_age: SignedDuration::from_hours(48),
            now: "2024-06-10T12:00:00Z".parse().unwrap(),
        }
    }

    fn release() -> Release<'static> {
        Release {
            owner: "111111111111",
            region: "eu-west-1",
            prefix: "anon-share-shop-",
            engine: "postgres",
            key: "arn:aws:kms:eu-west-1:111111111111:key/share",
        }
    }

    #[test]
    fn the_newest_data_wins_whenever_it_was_copied() {
        let mut copied = snapshot("copied", "2024-06-09T00:00:00Z");
        copied.created_at = "2024-06-10T11:00:00Z".into();
        let all = [
            snapshot("old", "2024-06-08T13:00:00Z"),
            copied,
            snapshot("new", "2024-06-10T01:00:00Z"),
        ];
        let selection = source().select(&all);
        assert_eq!(selection.newest.unwrap().name, "new");
        assert_eq!(selection.passed_over.len(), 2);
    }

    #[test]
    fn each_trap_has_its_reason() {
        let make = |change: fn(&mut Snapshot)| {
            let mut one = snapshot("x", "2024-06-10T01:00:00Z");
            change(&mut one);
            one
        };
        let traps: [Trap; 6] = [
            (|s| s.source_id = "db-BBBB".into(), "it is of another database"),
            (|s| s.kind = Kind::Cluster, "it is of another database"),
            (|s| s.status = "creating".into(), "its status is creating"),
            (|s| s.data_as_of = "2024-06-01T00:00:00Z".into(), "its data is 228 hours old"),
            (|s| s.data_as_of = String::new(), "it does not say of when its data is"),
            (|s| drop(s.tags.insert("anonymizer:run".into(), "1".into())), "this product made it"),
        ];
        for (change, reason) in traps {
            let all = [make(change)];
            let selection = source().select(&all);
            assert!(selection.newest.is_none(), "{reason}");
            assert_eq!(selection.passed_over, [("x", reason.to_owned())]);
        }
    }

    #[test]
    fn a_strangers_snapshot_of_the_same_name_is_passed_over() {
        let good = snapshot("anon-share-shop-1", "2024-06-01T00:00:00Z");
        let make = |change: fn(&mut Snapshot)| {
            let mut one = snapshot("anon-share-shop-2", "2024-06-09T00:00:00Z");
            change(&mut one);
            one
        };
        let traps: [Trap; 9] = [
            (
                |s| s.arn = s.arn.replace("111111111111", "666666666666"),
                "it belongs to another account",
            ),
            (|s| s.owner = "666666666666".into(), "it belongs to another account"),
            (|s| s.arn = "anon-share-shop-2".into(), "it belongs to another account"),
            (|s| s.arn = s.arn.replace("eu-west-1", "us-east-1"), "it is in another region"),
            (
                |s| s.arn = s.arn.replace("anon-share-shop", "shop"),
                "its name is not that of a release",
            ),
            (|s| s.engine = "mysql".into(), "its engine is mysql"),
            (|s| s.encrypted = false, "it is not encrypted under the agreed key"),
            (
                |s| s.key = Some("arn:aws:kms:eu-west-1:666666666666:key/share".into()),
                "it is not encrypted under the agreed key",
            ),
            (|s| s.status = "copying".into(), "its status is copying"),
        ];
        for (change, reason) in traps {
            let all = [good.clone(), make(change)];
            let selection = release().select(&all);
            assert_eq!(selection.newest.unwrap().name, "anon-share-shop-1", "{reason}");
            assert_eq!(selection.passed_over, [("anon-share-shop-2", reason.to_owned())]);
        }
    }
}
