//! Several processes, and processes that are killed, see one world.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use snapshots::local::Local;
use snapshots::{SnapshotError, Snapshots};

use crate::world::*;

/// What a child process is told: root, database, and what to do.
const ROOT: &str = "SNAPSHOTS_TEST_ROOT";
const DATABASE: &str = "SNAPSHOTS_TEST_DATABASE";
const VERB: &str = "SNAPSHOTS_TEST_VERB";

/// The other process: this very program, run for one verb. Says `begun`, and how the verb went.
#[tokio::test]
#[ignore = "a part of the other tests of this file"]
#[expect(clippy::print_stdout, reason = "and answers on its output")]
async fn child() {
    let told = |name| std::env::var(name).unwrap();
    let local = open(Path::new(&told(ROOT)), PRODUCTION);
    println!("\nbegun");
    let result = match told(VERB).as_str() {
        "take" => local.take(&told(DATABASE), "raw", &tags()).await.map(drop),
        "restore" => local
            .restore(&arn(PRODUCTION, "raw"), &called("tmp", &local.key("work", &[]).unwrap()))
            .await
            .map(drop),
        "rename" => local.rename(&told(DATABASE), "shop-2").await,
        verb => panic!("{verb}"),
    };
    let said = match result {
        Ok(()) => "done",
        Err(SnapshotError::Exists(_)) => "exists",
        Err(SnapshotError::InvalidState(_)) => "invalid",
        Err(error) => panic!("{error}"),
    };
    println!("\nsaid {said}");
    // Describing waits for the work's end.
    local.databases().await.unwrap();
}

fn start(world: &World, verb: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["processes::child", "--exact", "--ignored", "--nocapture"])
        .env(ROOT, world.root())
        .env(DATABASE, &world.shop.resource_id)
        .env(VERB, verb)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Reads a child's output up to a line that begins so.
fn read_to(child: &mut Child, word: &str) -> String {
    let output = BufReader::new(child.stdout.as_mut().unwrap());
    output.lines().map_while(Result::ok).find(|line| line.starts_with(word)).unwrap()
}

#[tokio::test]
async fn of_several_processes_one_takes_the_name() {
    let world = World::new();
    let mut children: Vec<Child> = (0..4).map(|_| start(&world, "take")).collect();
    let said: Vec<String> = children.iter_mut().map(|child| read_to(child, "said")).collect();
    for mut child in children {
        child.wait().unwrap();
    }
    assert_eq!(said.iter().filter(|said| *said == "said done").count(), 1, "{said:?}");
    // Nobody's work is lost when the process that began it has ended.
    assert_eq!(snapshot(&world.production, "raw").await.status, "available");
    world.restored("raw", "tmp").await;
    assert_eq!(rows(&database(&world.production, "tmp").await), 20);
}

/// Lets a child begin a verb and kills it after so long.
fn killed(world: &World, verb: &str, after: Duration) {
    let mut child = start(world, verb);
    read_to(&mut child, "begun");
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn a_killed_process_never_leaves_half_a_snapshot_that_is_available() {
    let world = World::of(6000);
    let mut seen: Vec<String> = Vec::new();
    for after in [0, 5, 10, 20, 30, 50, 80, 120, 200] {
        killed(&world, "take", Duration::from_millis(after));
        let first = Local::open(&world.root(), PRODUCTION).unwrap().snapshots().await.unwrap();
        seen.extend(first.iter().map(|snapshot| snapshot.status.clone()));
        if first.iter().any(|snapshot| snapshot.status == "available") {
            // Said before anybody else could have gone on with it: it must be whole.
            world.restored("raw", "tmp").await;
            assert_eq!(rows(&database(&world.production, "tmp").await), 6000);
        } else if !first.is_empty() {
            // The next process goes on where nobody does.
            assert_eq!(snapshot(&world.production, "raw").await.status, "available");
            world.restored("raw", "tmp").await;
            assert_eq!(rows(&database(&world.production, "tmp").await), 6000);
        }
        assert_eq!(database(&world.production, "shop").await.status, "available");
        for database in world.production.databases().await.unwrap() {
            if database.name == "tmp" {
                world.production.delete_database(&database.resource_id).await.unwrap();
                gone(&world.production, &database.resource_id).await;
            }
        }
        if !first.is_empty() {
            world.production.delete_snapshot(&arn(PRODUCTION, "raw")).await.unwrap();
        }
        assert_eq!(files(&world.root().join(PRODUCTION).join("snapshots")), NONE);
    }
    assert!(seen.iter().any(|status| status == "creating"), "one was killed at work: {seen:?}");
}

#[tokio::test]
async fn a_killed_restore_and_a_killed_rename_come_to_their_end() {
    let world = World::of(6000);
    world.taken("raw").await;
    for after in [0, 10, 30, 60] {
        killed(&world, "restore", Duration::from_millis(after));
        if let Some(restored) = world.production.database("tmp").await.unwrap() {
            assert_eq!((restored.status.as_str(), rows(&restored)), ("available", 6000));
            world.production.delete_database(&restored.resource_id).await.unwrap();
            gone(&world.production, &restored.resource_id).await;
        }
        killed(&world, "rename", Duration::from_millis(after));
        let shop = world.production.by_resource_id(&world.shop.resource_id).await.unwrap().unwrap();
        assert_eq!((shop.status.as_str(), rows(&shop)), ("available", 6000));
        if shop.name == "shop-2" {
            world.production.rename(&shop.resource_id, "shop").await.unwrap();
            assert_eq!(database(&world.production, "shop").await.status, "available");
        }
    }
}

#[tokio::test]
async fn what_nobody_can_reach_any_more_is_removed() {
    let world = World::new();
    world.taken("raw").await;
    let folder = world.root().join(PRODUCTION).join("snapshots");
    std::fs::write(folder.join("snapshot-00.unfinished"), CANARY).unwrap();
    std::fs::write(folder.join("snapshot-00.content"), CANARY).unwrap();
    world.production.snapshots().await.unwrap();
    assert!(world.content("raw").exists());
    assert_eq!(files(&folder).len(), 2);
}
