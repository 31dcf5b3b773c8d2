//! Bad days, asked for.

use std::time::Duration;

use snapshots::local::{Faults, Local};
use snapshots::{SnapshotError, Snapshots};

use crate::world::*;

#[tokio::test]
async fn a_snapshot_stays_in_creating_until_the_fault_is_gone() {
    let world = World::new();
    let stuck = ["raw".to_owned(), "copy".to_owned()].into();
    let stuck = Faults { stuck_snapshots: stuck, ..Faults::default() };
    let production =
        Local::open(&world.root(), PRODUCTION).unwrap().patient(Duration::from_secs(1));
    production.set_faults(&stuck).unwrap();
    production.take(&world.shop.resource_id, "raw", &tags()).await.unwrap();
    assert_eq!(snapshot(&production, "raw").await.status, "creating");
    assert_eq!(database(&production, "shop").await.status, "available");
    production.set_faults(&Faults::default()).unwrap();
    let raw = snapshot(&production, "raw").await;
    assert_eq!(raw.status, "available");
    production.set_faults(&stuck).unwrap();
    production.copy(&raw.arn, "copy", &world.share_key, &tags()).await.unwrap();
    assert_eq!(snapshot(&production, "copy").await.status, "copying");
    // It is cancelled by deleting it.
    production.delete_snapshot(&arn(PRODUCTION, "copy")).await.unwrap();
    assert_eq!(production.snapshots().await.unwrap().len(), 1);
    production.restore(&arn(PRODUCTION, "raw"), &called("tmp", &world.work_key)).await.unwrap();
    assert_eq!(rows(&database(&production, "tmp").await), 20);
}

#[tokio::test]
async fn what_fails_says_so_and_leaves_no_content() {
    let world = World::new();
    world
        .production
        .set_faults(&Faults {
            failing_snapshots: ["bad".to_owned()].into(),
            failing_restores: ["tmp".to_owned()].into(),
            ..Faults::default()
        })
        .unwrap();
    assert_eq!(world.taken("bad").await.status, "failed");
    assert!(!world.content("bad").exists());
    world.taken("good").await;
    world.restored("good", "tmp").await;
    let failed = database(&world.production, "tmp").await;
    assert_eq!(failed.status, "failed");
    world.production.delete_database(&failed.resource_id).await.unwrap();
    gone(&world.production, &failed.resource_id).await;
}

#[tokio::test]
async fn the_second_rename_fails_in_either_way() {
    let world = World::new();
    world.taken("raw").await;
    let fresh = world.restored("raw", "shop-n-1").await;
    assert_eq!(database(&world.production, "shop-n-1").await.status, "available");
    world.production.rename(&world.shop.resource_id, "shop-old").await.unwrap();
    assert_eq!(database(&world.production, "shop-old").await.status, "available");
    world
        .production
        .set_faults(&Faults {
            refused_renames: [("shop".to_owned(), 1)].into(),
            lost_renames: [("shop".to_owned(), 1)].into(),
            ..Faults::default()
        })
        .unwrap();
    let refused = world.production.rename(&fresh.resource_id, "shop").await;
    assert!(matches!(refused, Err(SnapshotError::InvalidState(_))), "{refused:?}");
    world.production.rename(&fresh.resource_id, "shop").await.unwrap();
    let lost = world.production.by_resource_id(&fresh.resource_id).await.unwrap().unwrap();
    assert_eq!((lost.name.as_str(), lost.status.as_str()), ("shop-n-1", "available"));
    world.production.rename(&fresh.resource_id, "shop").await.unwrap();
    assert_eq!(database(&world.production, "shop").await.resource_id, fresh.resource_id);
}

#[tokio::test]
async fn a_backup_that_is_kept_is_found_and_removed() {
    let world = World::new();
    let kept = Faults { kept_backups: ["shop".to_owned()].into(), ..Faults::default() };
    world.production.set_faults(&kept).unwrap();
    let id = &world.shop.resource_id;
    world.production.delete_database(id).await.unwrap();
    gone(&world.production, id).await;
    let home = world.root().join(PRODUCTION);
    assert_eq!(world.production.automatic_backups(id).await.unwrap(), [id.as_str()]);
    assert!(files(&home).iter().any(|file| holds_canary(file)));
    world.production.delete_automatic_backups(id).await.unwrap();
    world.production.delete_automatic_backups(id).await.unwrap();
    assert_eq!(world.production.automatic_backups(id).await.unwrap(), [""; 0]);
    assert!(!files(&home).iter().any(|file| holds_canary(file)));
}

#[tokio::test]
async fn what_lies_open_is_shared_by_nobody_but_a_stranger() {
    let world = World::new();
    let stranger = open(&world.root(), STRANGER);
    let file = world.directory.path().join("shop.sqlite");
    let bait = stranger.import_sqlite(&new("shop", None), &file).unwrap();
    stranger.take(&bait.resource_id, "bait", &tags()).await.unwrap();
    let taken = snapshot(&stranger, "bait").await;
    let refused = stranger.share(&taken.arn, &[DEVELOPMENT.into()]).await;
    assert!(matches!(refused, Err(SnapshotError::Denied(_))), "{refused:?}");
    stranger.expose(&taken.arn, &[DEVELOPMENT.into()]).unwrap();
    assert_eq!(world.development.shared().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_database_that_was_never_filled_has_failed() {
    let world = World::new();
    // As a process leaves it that is killed while it copies the file.
    world.production.set_status(&world.shop.resource_id, "creating").unwrap();
    assert_eq!(database(&world.production, "shop").await.status, "failed");
}
