//! What RDS refuses is refused, and nothing has changed then.

use snapshots::local::{Limits, Local, NewDatabase};
use snapshots::port::{Login, Tags};
use snapshots::{Kind, Restore, SnapshotError, Snapshots};

use crate::world::*;

#[tokio::test]
async fn a_key_that_another_account_cannot_use() {
    let world = World::new();
    let raw = world.taken("raw").await;
    // Shared by mistake: it is of no use, for its key is production's alone.
    world.production.share(&arn(PRODUCTION, "raw"), &[DEVELOPMENT.into()]).await.unwrap();
    let refused = world.development.copy(&raw.arn, "mine", &world.dev_key, &tags()).await;
    assert!(matches!(refused, Err(SnapshotError::KeyNotAccessible(_))), "{refused:?}");
    let to_theirs = world.development.copy(&raw.arn, "mine", &world.work_key, &tags()).await;
    assert!(matches!(to_theirs, Err(SnapshotError::KeyNotAccessible(_))), "{to_theirs:?}");
    let unknown = "arn:aws:kms:local:111111111111:key/00";
    for key in [unknown, "alias/share", "arn:aws:kms:local:111111111111:key/../x", ""] {
        let refused = world.production.copy(&raw.arn, "mine", key, &tags()).await;
        assert!(matches!(refused, Err(SnapshotError::KeyNotAccessible(_))), "{refused:?}");
    }
    assert_eq!(world.development.snapshots().await.unwrap(), []);
}

#[tokio::test]
async fn a_key_that_is_disabled() {
    let world = World::new();
    let release = world.shared("release").await;
    world.production.enable_key(&world.share_key, false).unwrap();
    let refused = world.development.copy(&release.arn, "mine", &world.dev_key, &tags()).await;
    assert!(matches!(refused, Err(SnapshotError::KeyNotAccessible(_))), "{refused:?}");
    assert!(world.development.enable_key(&world.share_key, true).is_err(), "it is not theirs");
    world.production.enable_key(&world.share_key, true).unwrap();
    world.development.copy(&release.arn, "mine", &world.dev_key, &tags()).await.unwrap();
}

#[tokio::test]
async fn another_accounts_encrypted_snapshot_is_copied_before_it_is_restored() {
    let world = World::new();
    let release = world.shared("release").await;
    let refused = world.development.restore(&release.arn, &called("shop", &world.share_key)).await;
    assert!(matches!(refused, Err(SnapshotError::NotFound(_))), "{refused:?}");
    assert_eq!(world.development.databases().await.unwrap(), []);
}

#[tokio::test]
async fn a_name_that_exists() {
    let world = World::new();
    let raw = world.taken("raw").await;
    let exists = |refused: Option<SnapshotError>| {
        assert!(matches!(refused, Some(SnapshotError::Exists(_))), "{refused:?}");
    };
    let (id, tags) = (&world.shop.resource_id, tags());
    exists(world.production.take(id, "raw", &tags).await.err());
    exists(world.production.copy(&raw.arn, "raw", &world.work_key, &tags).await.err());
    exists(
        world
            .production
            .restore(&arn(PRODUCTION, "raw"), &called("shop", &world.work_key))
            .await
            .err(),
    );
    let other = world.restored("raw", "other").await;
    assert_eq!(database(&world.production, "other").await.status, "available");
    exists(world.production.rename(&other.resource_id, "shop").await.err());
    // The same name in the other account is another one.
    let release = world.shared_again(&raw.arn, "release").await;
    world.development.copy(&release, "raw", &world.dev_key, &tags).await.unwrap();
}

impl World {
    async fn shared_again(&self, raw: &str, name: &str) -> String {
        self.production.copy(raw, name, &self.share_key, &tags()).await.unwrap();
        let copied = snapshot(&self.production, name).await;
        self.production.share(&arn(PRODUCTION, name), &[DEVELOPMENT.into()]).await.unwrap();
        copied.arn
    }
}

#[tokio::test]
async fn a_name_that_is_going_to_exist() {
    let world = World::of(3000);
    let impatient = Local::open(&world.root(), PRODUCTION).unwrap();
    world.taken("raw").await;
    impatient.restore(&arn(PRODUCTION, "raw"), &called("tmp", &world.work_key)).await.unwrap();
    let again = impatient.restore(&arn(PRODUCTION, "raw"), &called("tmp", &world.work_key)).await;
    assert!(matches!(again, Err(SnapshotError::Exists(_))), "{again:?}");
}

#[tokio::test]
async fn a_database_that_is_not_available() {
    let world = World::new();
    let id = &world.shop.resource_id;
    for status in ["stopped", "storage-full", "failed", "modifying", "quantum-syncing"] {
        world.production.set_status(&world.shop.resource_id, status).unwrap();
        assert_eq!(database(&world.production, "shop").await.status, status);
        let taken = world.production.take(id, "raw", &tags()).await;
        assert!(matches!(taken, Err(SnapshotError::InvalidState(_))), "{status}: {taken:?}");
        let renamed = world.production.rename(id, "other").await;
        assert!(matches!(renamed, Err(SnapshotError::InvalidState(_))), "{status}: {renamed:?}");
    }
    assert_eq!(world.production.snapshots().await.unwrap(), []);
    world.production.set_status(&world.shop.resource_id, "modifying").unwrap();
    let deleted = world.production.delete_database(id).await;
    assert!(matches!(deleted, Err(SnapshotError::InvalidState(_))), "{deleted:?}");
    world.production.set_status(&world.shop.resource_id, "failed").unwrap();
    world.production.delete_database(id).await.unwrap();
    gone(&world.production, id).await;
}

#[tokio::test]
async fn a_database_is_busy_while_its_snapshot_is_taken() {
    let world = World::of(3000);
    let impatient = Local::open(&world.root(), PRODUCTION).unwrap();
    let id = &world.shop.resource_id;
    impatient.take(id, "raw", &tags()).await.unwrap();
    let again = impatient.take(id, "raw-2", &tags()).await;
    assert!(matches!(again, Err(SnapshotError::InvalidState(_))), "{again:?}");
    assert_eq!(database(&world.production, "shop").await.status, "available");
    world.taken("raw-2").await;
}

#[tokio::test]
async fn a_snapshot_that_is_not_available() {
    let world = World::of(3000);
    let impatient = Local::open(&world.root(), PRODUCTION).unwrap();
    let raw = impatient.take(&world.shop.resource_id, "raw", &tags()).await.unwrap();
    let invalid = |refused: Option<SnapshotError>| {
        assert!(matches!(refused, Some(SnapshotError::InvalidState(_))), "{refused:?}");
    };
    invalid(impatient.copy(&raw.arn, "copy", &world.share_key, &tags()).await.err());
    invalid(
        impatient.restore(&arn(PRODUCTION, "raw"), &called("tmp", &world.work_key)).await.err(),
    );
    invalid(impatient.share(&arn(PRODUCTION, "raw"), &[DEVELOPMENT.into()]).await.err());
}

#[tokio::test]
async fn a_limit_of_the_account() {
    let world = World::new();
    let raw = world.taken("raw").await;
    world
        .production
        .set_limits(&Limits { databases: 1, snapshots: 1, shared_accounts: 1 })
        .unwrap();
    let quota = |refused: Option<SnapshotError>| {
        assert!(matches!(refused, Some(SnapshotError::Quota(_))), "{refused:?}");
    };
    let (id, tags) = (&world.shop.resource_id, tags());
    quota(world.production.take(id, "more", &tags).await.err());
    quota(world.production.copy(&raw.arn, "more", &world.work_key, &tags).await.err());
    quota(
        world
            .production
            .restore(&arn(PRODUCTION, "raw"), &called("more", &world.work_key))
            .await
            .err(),
    );
    quota(
        world
            .production
            .share(&arn(PRODUCTION, "raw"), &[DEVELOPMENT.into(), STRANGER.into()])
            .await
            .err(),
    );
    world.production.delete_snapshot(&arn(PRODUCTION, "raw")).await.unwrap();
    world.taken("more").await;
}

#[tokio::test]
async fn a_name_or_a_setting_that_is_none() {
    let world = World::new();
    world.taken("raw").await;
    for name in ["", "Shop", "a--b", "a-", "../up", "a/b", "1a", "rds:shop"] {
        let taken = world.production.take(&world.shop.resource_id, name, &tags()).await;
        assert!(matches!(taken, Err(SnapshotError::Malformed(_))), "{name}: {taken:?}");
        assert!(
            world
                .production
                .restore(&arn(PRODUCTION, "raw"), &called(name, &world.work_key))
                .await
                .is_err(),
            "{name}"
        );
        assert!(world.production.rename(&world.shop.resource_id, name).await.is_err(), "{name}");
    }
    let good = || called("tmp", &world.work_key);
    let bad = [
        Restore { settings: [("class".into(), "large".into())].into(), ..good() },
        Restore { tags: Tags::new(), ..good() },
        Restore { login: Login::Iam, ..good() },
        Restore { key: world.share_key.clone(), ..good() },
    ];
    for restore in bad {
        let refused = world.production.restore(&arn(PRODUCTION, "raw"), &restore).await;
        assert!(matches!(refused, Err(SnapshotError::Malformed(_))), "{refused:?}");
    }
    for account in ["", "..", "a/b", "all", "A"] {
        assert!(Local::open(&world.root(), account).is_err(), "{account}");
        let accounts = [account.to_owned()];
        assert!(
            world.production.share(&arn(PRODUCTION, "raw"), &accounts).await.is_err(),
            "{account}"
        );
    }
    assert_eq!(world.production.shared_with(&arn(PRODUCTION, "raw")).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn what_does_not_exist() {
    let world = World::new();
    let absent = |refused: Option<SnapshotError>| {
        assert!(matches!(refused, Some(SnapshotError::NotFound(_))), "{refused:?}");
    };
    let tags = tags();
    absent(world.production.take("db-00", "raw", &tags).await.err());
    absent(world.production.copy("raw", "copy", &world.work_key, &tags).await.err());
    absent(
        world
            .production
            .restore(&arn(PRODUCTION, "raw"), &called("tmp", &world.work_key))
            .await
            .err(),
    );
    absent(world.production.share(&arn(PRODUCTION, "raw"), &[]).await.err());
    absent(world.production.shared_with(&arn(PRODUCTION, "raw")).await.err());
    absent(world.production.rename("db-00", "tmp").await.err());
    absent(world.production.delete_database("db-00").await.err());
    absent(world.production.delete_snapshot(&arn(PRODUCTION, "raw")).await.err());
    assert_eq!(world.production.database("other").await.unwrap(), None);
    assert_eq!(world.production.by_resource_id("db-00").await.unwrap(), None);
    // The other account's are not to be seen, by whatever name.
    let raw = world.taken("raw").await;
    absent(world.development.restore(&raw.arn, &called("tmp", &world.work_key)).await.err());
    absent(world.development.delete_snapshot(&raw.arn).await.err());
}

#[tokio::test]
async fn a_cluster_whose_snapshot_lies_open_is_not_encrypted_by_copying() {
    let world = World::new();
    let file = world.directory.path().join("shop.sqlite");
    let open = NewDatabase { kind: Kind::Cluster, ..new("open", None) };
    let open = world.production.import_sqlite(&open, &file).unwrap();
    world.production.take(&open.resource_id, "open", &tags()).await.unwrap();
    let taken = snapshot(&world.production, "open").await;
    assert_eq!(taken.arn, "arn:aws:rds:local:111111111111:cluster-snapshot:open");
    let refused = world.production.copy(&taken.arn, "c", &world.work_key, &tags()).await;
    assert!(matches!(refused, Err(SnapshotError::Malformed(_))), "{refused:?}");
}
