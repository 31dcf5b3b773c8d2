//! The restored database as it shall be: asked for when it is restored, asked for again when it is taken over, and compared
//! with what there is before anything is masked.

use std::collections::BTreeMap;

use serde::Deserialize;
use snapshots::{Database, Kind, Login, Restore, Snapshots, Tags};
use workflow::StepError;

use crate::names;
use crate::settings::{Server, Settings};
use crate::world::World;

/// A cluster keeps automatic backups of one day at least; they go with it.
const LEAST_CLUSTER_BACKUPS: u32 = 1;

/// What steps are told that work on a database that a run has restored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restored {
    database: String,
    run: String,
    /// It.
    pub resource_id: String,
    kind: Kind,
    key: String,
}

impl Restored {
    /// What was asked for when it was restored; refused for a database that is not the run's own: to take over another one
    /// would change its password.
    pub async fn intent<S: Snapshots>(&self, world: &World<S>) -> Result<Restore, StepError> {
        let found = world.existing(&self.resource_id).await?;
        if names::maker(&[names::TEMPORARY], &found.name, &found.tags) != Some(&self.run) {
            let text = format!("database {} is not of this run", found.name);
            return Err(StepError::Refused(text));
        }
        let server = world.server(&self.database)?;
        Ok(restore(&world.settings, server, &self.database, &self.run, self.kind, &self.key))
    }
}

/// What is asked for.
pub fn restore(
    settings: &Settings,
    server: &Server,
    database: &str,
    run: &str,
    kind: Kind,
    key: &str,
) -> Restore {
    Restore {
        name: names::of(names::TEMPORARY, database, run),
        key: key.to_owned(),
        login: Login::Managed { key: settings.work_key.clone() },
        backup_days: match kind {
            Kind::Instance => 0,
            Kind::Cluster => LEAST_CLUSTER_BACKUPS,
        },
        tags: names::tags(names::TEMPORARY, database, run),
        settings: server.isolation.clone(),
    }
}

/// Everything in which a database differs from what was asked for, a fragment each.
pub fn deviations(intent: &Restore, found: &Database) -> Vec<String> {
    let mut all = Vec::new();
    let mut unless = |holds: bool, text: String| {
        if !holds {
            all.push(text);
        }
    };
    unless(found.name == intent.name, format!("its name is {}", found.name));
    unless(own(&found.tags) == own(&intent.tags), "its tags are not its own".into());
    unless(found.encrypted, "its storage is not encrypted".into());
    unless(found.key.as_deref() == Some(&intent.key), "it is encrypted under another key".into());
    unless(!found.public, "it can be reached from outside its network".into());
    unless(
        found.backup_days == intent.backup_days,
        format!("it keeps automatic backups of {} days", found.backup_days),
    );
    unless(!found.pending, "changes are pending".into());
    unless(!found.restart_needed, "settings wait for a restart".into());
    unless(!found.protected, "it cannot be deleted".into());
    match intent.login {
        Login::Managed { .. } => unless(
            found.secret.as_ref().is_some_and(|secret| secret.active),
            "the master user's old password may still be valid".into(),
        ),
        Login::Iam => unless(found.iam_login, "nobody can log in with a token".into()),
    }
    for (key, value) in &intent.settings {
        let is = found.settings.get(key);
        unless(is == Some(value), format!("`{key}` is {}", is.map_or("not said", String::as_str)));
    }
    all.extend(found.outlets.iter().cloned());
    all
}

/// Tags without those that the platform puts on by itself.
fn own(tags: &Tags) -> BTreeMap<&str, &str> {
    let own = tags.iter().filter(|(key, _)| !key.starts_with("aws:"));
    own.map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use snapshots::Secret;

    use super::*;

    fn intended() -> (Restore, Database) {
        let settings = Settings::read(crate::settings::tests::GOOD.as_bytes()).unwrap();
        let mut server = settings.databases["shop"].clone();
        server.isolation.insert("subnet_group".into(), "isolated".into());
        let intent = restore(&settings, &server, "shop", "run-1", Kind::Instance, "key");
        let found = Database {
            resource_id: "db-A".into(),
            name: intent.name.clone(),
            kind: Kind::Instance,
            status: "available".into(),
            engine: "postgres".into(),
            engine_version: "16.4".into(),
            endpoint: "host:5432".into(),
            encrypted: true,
            key: Some("key".into()),
            public: false,
            backup_days: 0,
            pending: false,
            restart_needed: false,
            protected: false,
            secret: Some(Secret { arn: "arn".into(), active: true }),
            iam_login: false,
            members: Vec::new(),
            settings: intent.settings.clone(),
            outlets: Vec::new(),
            tags: intent.tags.clone(),
        };
        (intent, found)
    }

    #[test]
    fn what_is_as_it_shall_be_passes_and_every_other_thing_is_named() {
        let (intent, found) = intended();
        assert_eq!(deviations(&intent, &found), Vec::<String>::new());
        type Change = fn(&mut Database);
        let changes: [(Change, &str); 17] = [
            (|d| d.name = "shop".into(), "name"),
            (|d| drop(d.tags.insert("team".into(), "web".into())), "tags"),
            (|d| d.tags.clear(), "tags"),
            (|d| d.encrypted = false, "not encrypted"),
            (|d| d.key = Some("other".into()), "another key"),
            (|d| d.key = None, "another key"),
            (|d| d.public = true, "outside"),
            (|d| d.backup_days = 7, "7 days"),
            (|d| d.pending = true, "pending"),
            (|d| d.restart_needed = true, "restart"),
            (|d| d.protected = true, "deleted"),
            (|d| d.secret = None, "old password"),
            (|d| d.secret = Some(Secret { arn: "arn".into(), active: false }), "old password"),
            (|d| drop(d.settings.insert("subnet_group".into(), "default".into())), "is default"),
            (|d| d.settings.clear(), "not said"),
            (|d| d.outlets.push("it exports logs".into()), "exports logs"),
            (|d| d.outlets.push("its HTTP endpoint is on".into()), "HTTP"),
        ];
        for (change, said) in changes {
            let mut other = found.clone();
            change(&mut other);
            let all = deviations(&intent, &other);
            assert_eq!(all.len(), 1, "{said}: {all:?}");
            assert!(all[0].contains(said), "{said}: {all:?}");
        }
    }

    #[test]
    fn the_platforms_own_tags_are_not_looked_at() {
        let (intent, mut found) = intended();
        found.tags.insert("aws:rds:primaryDBInstanceArn".into(), "x".into());
        assert_eq!(deviations(&intent, &found), Vec::<String>::new());
    }
}
