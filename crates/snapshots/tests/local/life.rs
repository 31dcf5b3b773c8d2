//! What becomes of databases and snapshots when all goes well.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rusqlite::Connection;
use snapshots::local::{Local, NewDatabase};
use snapshots::status::{Meaning, meaning};
use snapshots::{Database, Kind, Snapshot, SnapshotError, Snapshots};

use crate::world::*;

#[tokio::test]
async fn a_database_goes_from_one_account_to_the_other() {
    let world = World::new();
    let shared = world.shared("anon-share-shop-1").await;
    let seen = world.development.shared().await.unwrap();
    let untagged = Snapshot { tags: Default::default(), ..shared.clone() };
    assert_eq!((seen.len(), &seen[0]), (1, &untagged));
    let copied = world.development.copy(&shared.arn, "dev-1", &world.dev_key, &tags()).await;
    assert_eq!(copied.unwrap().status, "copying");
    let copied = snapshot(&world.development, "dev-1").await;
    assert_eq!((copied.status.as_str(), copied.owner.as_str()), ("available", DEVELOPMENT));
    assert_eq!(copied.key.as_deref(), Some(world.dev_key.as_str()));
    // Once it is copied it does not need the other account any more.
    world.production.delete_snapshot(&arn(PRODUCTION, "anon-share-shop-1")).await.unwrap();
    world
        .development
        .restore(&arn(DEVELOPMENT, "dev-1"), &called("shop", &world.dev_key))
        .await
        .unwrap();
    let restored = database(&world.development, "shop").await;
    assert_eq!(restored.status, "available");
    assert_eq!((restored.key.as_deref(), restored.encrypted), (Some(&*world.dev_key), true));
    assert_ne!(restored.resource_id, world.shop.resource_id);
    assert_eq!(rows(&restored), rows(&world.shop));
}

#[tokio::test]
async fn verbs_begin_and_do_not_wait() {
    let world = World::of(3000);
    let impatient = Local::open(&world.root(), PRODUCTION).unwrap();
    let taken = impatient.take(&world.shop.resource_id, "raw", &tags()).await.unwrap();
    assert_eq!(taken.status, "creating");
    let mut seen: Vec<String> = Vec::new();
    while seen.last().is_none_or(|status| meaning(status) != Meaning::Ready) {
        let status = snapshot(&impatient, "raw").await.status;
        if seen.last() != Some(&status) {
            seen.push(status);
        }
    }
    assert_eq!(seen, ["creating", "available"]);
    let restored =
        impatient.restore(&arn(PRODUCTION, "raw"), &called("tmp", &world.work_key)).await.unwrap();
    assert_eq!((restored.status.as_str(), restored.endpoint.as_str()), ("creating", ""));
    assert_eq!(rows(&database(&world.production, "tmp").await), 3000);
}

#[tokio::test]
async fn a_snapshot_is_of_one_moment_and_a_copy_keeps_it() {
    let world = World::new();
    let raw = world.taken("raw").await;
    world.production.copy(&raw.arn, "copy", &world.share_key, &tags()).await.unwrap();
    let copy = snapshot(&world.production, "copy").await;
    assert_eq!(copy.data_as_of, raw.data_as_of);
    assert!(copy.created_at > raw.created_at);
    assert_eq!((&copy.source_id, &*copy.engine), (&world.shop.resource_id, "sqlite"));
}

#[tokio::test]
async fn free_pages_are_part_of_a_snapshot() {
    let world = World::new();
    let shop = Connection::open(&world.shop.endpoint).unwrap();
    shop.execute_batch("PRAGMA secure_delete = off; DELETE FROM person").unwrap();
    drop(shop);
    world.taken("raw").await;
    world.restored("raw", "tmp").await;
    let restored = database(&world.production, "tmp").await;
    assert_eq!(rows(&restored), 0);
    assert!(holds_canary(restored.endpoint.as_ref()), "as a volume's image would");
}

#[tokio::test]
async fn what_is_still_in_the_log_is_in_the_snapshot() {
    let world = World::new();
    let shop = Connection::open(&world.shop.endpoint).unwrap();
    shop.execute_batch("PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0").unwrap();
    let name = format!("{CANARY}-late");
    shop.execute("INSERT INTO person (name) VALUES (?1)", [name]).unwrap();
    world.taken("raw").await;
    world.restored("raw", "tmp").await;
    assert_eq!(rows(&database(&world.production, "tmp").await), 21);
}

#[tokio::test]
async fn names_change_hands_and_identifiers_stay() {
    let world = World::new();
    world.taken("raw").await;
    let fresh = world.restored("raw", "shop-n-1").await;
    Connection::open(&fresh.endpoint).unwrap().execute_batch("DELETE FROM person").unwrap();
    world.production.rename(&world.shop.resource_id, "shop-old").await.unwrap();
    assert_eq!(database(&world.production, "shop-old").await.status, "available");
    world.production.rename(&fresh.resource_id, "shop").await.unwrap();
    let now = database(&world.production, "shop").await;
    assert_eq!(now.resource_id, fresh.resource_id);
    assert_eq!(now.endpoint, world.shop.endpoint, "the name leads to another database");
    assert_eq!(rows(&now), 0);
    let old = world.production.by_resource_id(&world.shop.resource_id).await.unwrap().unwrap();
    assert_eq!((old.name.as_str(), rows(&old)), ("shop-old", 20));
    let secret =
        |database: &Database| fs::read_to_string(&database.secret.as_ref().unwrap().arn).unwrap();
    assert_eq!(now.secret, None, "nobody has taken it over");
    assert_eq!(secret(&old), format!("sqlite:{}\n", old.endpoint));
    let restore = called("shop", &world.work_key);
    world.production.take_over(&fresh.resource_id, &restore).await.unwrap();
    let now = database(&world.production, "shop").await;
    assert_eq!(secret(&now), format!("sqlite:{}\n", now.endpoint));
    world.production.take_over(&fresh.resource_id, &restore).await.unwrap();
    assert_eq!(database(&world.production, "shop").await, now);
}

#[tokio::test]
async fn sharing_names_exactly_these_accounts() {
    let world = World::new();
    let shared = world.shared("release").await;
    world.production.share(&arn(PRODUCTION, "release"), &[STRANGER.into()]).await.unwrap();
    assert_eq!(
        world.production.shared_with(&arn(PRODUCTION, "release")).await.unwrap(),
        [STRANGER]
    );
    assert_eq!(world.development.shared().await.unwrap(), []);
    let refused = world.development.copy(&shared.arn, "mine", &world.dev_key, &tags()).await;
    assert!(matches!(refused, Err(SnapshotError::NotFound(_))), "{refused:?}");
    world.production.share(&arn(PRODUCTION, "release"), &[]).await.unwrap();
    assert_eq!(world.production.shared_with(&arn(PRODUCTION, "release")).await.unwrap(), [""; 0]);
    assert_eq!(open(&world.root(), STRANGER).shared().await.unwrap(), []);
}

#[tokio::test]
async fn anybody_shares_with_anybody_and_tags_stay_at_home() {
    let world = World::new();
    let stranger = open(&world.root(), STRANGER);
    let key = stranger.key("theirs", &[DEVELOPMENT.into()]).unwrap();
    let file = world.directory.path().join("shop.sqlite");
    let bait = stranger.import_sqlite(&new("shop", Some(&key)), &file).unwrap();
    stranger.take(&bait.resource_id, "anon-share-shop-9", &tags()).await.unwrap();
    assert_eq!(snapshot(&stranger, "anon-share-shop-9").await.tags, tags());
    stranger.share(&arn(STRANGER, "anon-share-shop-9"), &[DEVELOPMENT.into()]).await.unwrap();
    let seen = world.development.shared().await.unwrap().remove(0);
    assert_eq!((seen.owner.as_str(), seen.tags), (STRANGER, Default::default()));
    assert_eq!(seen.arn, "arn:aws:rds:local:666666666666:snapshot:anon-share-shop-9");
}

#[tokio::test]
async fn deleting_twice_is_deleting_once() {
    let world = World::new();
    world.taken("raw").await;
    let id = &world.shop.resource_id;
    world.production.delete_database(id).await.unwrap();
    match world.production.delete_database(id).await {
        Ok(()) | Err(SnapshotError::NotFound(_)) => {}
        other => panic!("{other:?}"),
    }
    gone(&world.production, id).await;
    let again = world.production.delete_database(id).await;
    assert!(matches!(again, Err(SnapshotError::NotFound(_))), "{again:?}");
    world.production.delete_snapshot(&arn(PRODUCTION, "raw")).await.unwrap();
    let again = world.production.delete_snapshot(&arn(PRODUCTION, "raw")).await;
    assert!(matches!(again, Err(SnapshotError::NotFound(_))), "{again:?}");
    // Nothing is left of either, nor of its data.
    let left = files(&world.root().join(PRODUCTION));
    assert!(left.iter().all(|file| !holds_canary(file)), "{left:?}");
    for folder in ["databases", "secrets", "snapshots", "work"] {
        assert_eq!(files(&world.root().join(PRODUCTION).join(folder)), NONE);
    }
}

#[tokio::test]
async fn what_is_secret_is_for_its_owner_alone() {
    let world = World::new();
    world.taken("raw").await;
    let mode = |file: &std::path::Path| fs::metadata(file).unwrap().permissions().mode() & 0o777;
    let home = world.root().join(PRODUCTION);
    for folder in ["keys", "secrets", "snapshots", "backups", "work", "databases/shop/data"] {
        assert_eq!(mode(&home.join(folder)), 0o700, "{folder}");
    }
    for secret in files(&home.join("keys")).iter().chain(&files(&home.join("secrets"))) {
        assert_eq!(mode(secret), 0o600, "{}", secret.display());
    }
}

#[tokio::test]
async fn a_database_is_stopped_started_restarted_and_protected() {
    let world = World::new();
    let (production, id) = (&world.production, &world.shop.resource_id);
    production.stop(id).unwrap();
    assert_eq!(database(production, "shop").await.status, "stopped");
    production.start(id).await.unwrap();
    assert_eq!(database(production, "shop").await.status, "available");
    production.start(id).await.unwrap();
    production.restart(id).await.unwrap();
    assert_eq!(database(production, "shop").await.status, "available");
    production.protect(id, true).await.unwrap();
    let refused = production.delete_database(id).await;
    assert!(matches!(refused, Err(SnapshotError::Denied(_))), "{refused:?}");
    production.protect(id, false).await.unwrap();
    production.delete_database(id).await.unwrap();
    gone(production, id).await;
}

#[tokio::test]
async fn a_cluster_is_nothing_without_its_writer() {
    let world = World::new();
    let file = world.directory.path().join("shop.sqlite");
    let cluster = NewDatabase { kind: Kind::Cluster, ..new("cluster", Some(&world.work_key)) };
    let cluster = world.production.import_sqlite(&cluster, &file).unwrap();
    world.production.take(&cluster.resource_id, "c", &tags()).await.unwrap();
    let taken = snapshot(&world.production, "c").await;
    assert_eq!(taken.arn, "arn:aws:rds:local:111111111111:cluster-snapshot:c");
    // Unlike an instance it can be given another key.
    let restore = called("tmp", &world.share_key);
    let id = world.production.restore(&taken.arn, &restore).await.unwrap().resource_id;
    let restored = database(&world.production, "tmp").await;
    assert_eq!((restored.status.as_str(), restored.endpoint.as_str()), ("available", ""));
    assert_eq!((restored.backup_days, restored.key), (1, Some(world.share_key.clone())));
    let early = world.production.take_over(&id, &restore).await;
    assert!(matches!(early, Err(SnapshotError::InvalidState(_))), "{early:?}");
    world.production.add_writer(&id, &restore).await.unwrap();
    world.production.add_writer(&id, &restore).await.unwrap();
    world.production.rename(&id, "tmp-2").await.unwrap();
    let restored = database(&world.production, "tmp-2").await;
    assert_eq!((rows(&restored), restored.members[0].name.as_str()), (20, "tmp-2-w"));
    let members_first = world.production.delete_database(&id).await;
    assert!(matches!(members_first, Err(SnapshotError::InvalidState(_))), "{members_first:?}");
    world.production.delete_database(&id).await.unwrap();
    gone(&world.production, &id).await;
}
