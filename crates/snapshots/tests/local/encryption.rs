//! Snapshots are really encrypted, and what has been changed in one is never restored.

use std::fs;

use snapshots::{Kind, Snapshots};

use crate::world::*;

/// Encrypted, a chunk is that much longer than its plain bytes.
const CHUNK: usize = 4 + (1 << 20) + 16;
const HEADER: usize = 8 + 32;

#[tokio::test]
async fn no_byte_of_a_canary_is_in_any_snapshot() {
    let world = World::new();
    let release = world.shared("release").await;
    world.development.copy(&release.arn, "mine", &world.dev_key, &tags()).await.unwrap();
    assert_eq!(snapshot(&world.development, "mine").await.status, "available");
    assert!(holds_canary(world.shop.endpoint.as_ref()), "the database does hold it");
    for account in [PRODUCTION, DEVELOPMENT] {
        let snapshots = files(&world.root().join(account).join("snapshots"));
        assert!(snapshots.len() >= 2);
        assert_eq!(snapshots.iter().find(|file| holds_canary(file)), None);
    }
    // Three snapshots of the same data under three keys have nothing in common.
    let (raw, shared) = (world.content("raw"), world.content("release"));
    assert_ne!(fs::read(raw).unwrap()[HEADER..], fs::read(shared).unwrap()[HEADER..]);
}

#[tokio::test]
async fn a_snapshot_without_a_key_lies_open_until_it_is_copied_under_one() {
    let world = World::new();
    let file = world.directory.path().join("shop.sqlite");
    let open = world.production.import_sqlite(&new("open", None), &file).unwrap();
    assert_eq!((open.kind, open.encrypted), (Kind::Instance, false));
    world.production.take(&open.resource_id, "open", &tags()).await.unwrap();
    let taken = snapshot(&world.production, "open").await;
    assert_eq!((taken.encrypted, taken.key), (false, None));
    assert!(holds_canary(&world.content("open")));
    world.production.copy(&taken.arn, "closed", &world.work_key, &tags()).await.unwrap();
    let copy = snapshot(&world.production, "closed").await;
    assert_eq!((copy.status.as_str(), copy.encrypted), ("available", true));
    assert!(!holds_canary(&world.content("closed")));
    world.restored("closed", "tmp").await;
    assert_eq!(rows(&database(&world.production, "tmp").await), 20);
}

#[tokio::test]
async fn what_has_been_changed_is_neither_restored_nor_copied() {
    let world = World::of(3000);
    let raw = world.taken("raw").await;
    let content = world.content("raw");
    let whole = fs::read(&content).unwrap();
    assert!(whole.len() > HEADER + 2 * CHUNK, "there are chunks to swap");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let (one, two) = (&whole[HEADER..HEADER + CHUNK], &whole[HEADER + CHUNK..HEADER + 2 * CHUNK]);
    let (header, rest) = (&whole[..HEADER], &whole[HEADER + 2 * CHUNK..]);
    let spoiled = [
        ("flipped", flipped),
        ("cut in a chunk", whole[..whole.len() - 1].to_vec()),
        ("cut after a chunk", whole[..HEADER + 2 * CHUNK].to_vec()),
        ("swapped", [header, two, one, rest].concat()),
        ("longer", [&whole[..], b"x"].concat()),
        ("empty", Vec::new()),
    ];
    for (number, (what, bytes)) in spoiled.into_iter().enumerate() {
        fs::write(&content, bytes).unwrap();
        let name = format!("tmp-{number}");
        world.restored("raw", &name).await;
        let restored = database(&world.production, &name).await;
        assert_eq!(restored.status, "failed", "{what}");
        let name = format!("copy-{number}");
        world.production.copy(&raw.arn, &name, &world.share_key, &tags()).await.unwrap();
        assert_eq!(snapshot(&world.production, &name).await.status, "failed", "{what}");
    }
    fs::write(&content, whole).unwrap();
    world.restored("raw", "good").await;
    assert_eq!(rows(&database(&world.production, "good").await), 3000);
}

#[tokio::test]
async fn one_snapshots_content_does_not_pass_for_anothers() {
    let world = World::new();
    world.taken("one").await;
    world.taken("other").await;
    fs::copy(world.content("one"), world.content("other")).unwrap();
    world.restored("other", "tmp").await;
    assert_eq!(database(&world.production, "tmp").await.status, "failed");
}
