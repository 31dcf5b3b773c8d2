//! PostgreSQL servers, real ones: each account starts, copies, restores and stops its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{self, Pid, Signal, WaitOptions};
use snapshots::local::Local;
use snapshots::{Database, SnapshotError, Snapshots};
use tempfile::TempDir;

use crate::world::*;

/// Ends with the pipe on its standard input, however the test ends, and leaves neither servers nor files.
const GUARDIAN: &str = include_str!("guardian.sh");

/// Two accounts, and production's server with a database in it.
struct Servers {
    directory: TempDir,
    production: Local,
    development: Local,
    work_key: String,
    share_key: String,
    dev_key: String,
    shop: Database,
    guardian: Child,
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        self.guardian.wait().unwrap();
    }
}

impl Servers {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // The server's account has to come through.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let guardian = Command::new("sh")
            .args(["-c", GUARDIAN])
            .arg(directory.path())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let root = directory.path().join("accounts");
        let production = open(&root, PRODUCTION);
        let development = open(&root, DEVELOPMENT);
        let work_key = production.key("work", &[]).unwrap();
        let share_key = production.key("share", &[DEVELOPMENT.into()]).unwrap();
        let dev_key = development.key("dev", &[]).unwrap();
        let made = production.create_postgres(&new("shop", Some(&work_key))).unwrap();
        assert_eq!((made.status.as_str(), made.endpoint.as_str()), ("creating", ""));
        let shop = database(&production, "shop").await;
        assert_eq!(shop.status, "available", "{}", record(&production, "shop"));
        ask(
            &shop,
            &format!(
                "CREATE TABLE person (id int PRIMARY KEY, name text);
                 INSERT INTO person SELECT n, '{CANARY}-' || n FROM generate_series(1, 500) n"
            ),
        )
        .unwrap();
        Self { directory, production, development, work_key, share_key, dev_key, shop, guardian }
    }

    async fn taken(&self, name: &str) -> String {
        self.production.take(&self.shop.resource_id, name, &tags()).await.unwrap();
        let taken = snapshot(&self.production, name).await;
        assert_eq!(taken.status, "available", "{taken:?}");
        taken.arn
    }

    fn home(&self, account: &str) -> std::path::PathBuf {
        self.directory.path().join("accounts").join(account)
    }
}

/// What is written down about a database, for a test that has failed.
fn record(local: &Local, name: &str) -> String {
    fs::read_to_string(local.home().join("databases").join(name).join("database.json")).unwrap()
}

/// The URL that a database's secret holds.
fn url(database: &Database) -> String {
    let secret = &database.secret.as_ref().expect("somebody has taken it over").arn;
    assert_eq!(fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
    fs::read_to_string(secret).unwrap().trim().to_owned()
}

fn ask_at(url: &str, sql: &str) -> Result<String, String> {
    let said = Command::new("psql").args(["-XAtq", "-d", url, "-c", sql]).output().unwrap();
    match said.status.success() {
        true => Ok(String::from_utf8(said.stdout).unwrap().trim().to_owned()),
        false => Err(String::from_utf8_lossy(&said.stderr).into_owned()),
    }
}

fn ask(database: &Database, sql: &str) -> Result<String, String> {
    assert!(url(database).contains(&database.endpoint));
    ask_at(&url(database), sql)
}

const COUNT: &str = "SELECT count(*) FROM person";

fn postmaster(directory: &Path) -> Option<u32> {
    let pid = fs::read_to_string(directory.join("data/postmaster.pid")).ok()?;
    pid.lines().next()?.parse().ok()
}

#[tokio::test]
async fn a_server_goes_from_one_account_to_the_other() {
    let servers = Servers::start().await;
    let (production, development) = (&servers.production, &servers.development);
    let raw = servers.taken("raw").await;
    assert_eq!(ask(&servers.shop, COUNT).unwrap(), "500", "it is there again");
    production.copy(&raw, "release", &servers.share_key, &tags()).await.unwrap();
    let release = snapshot(production, "release").await;
    production.share(&release.arn, &[DEVELOPMENT.into()]).await.unwrap();
    development.copy(&release.arn, "mine", &servers.dev_key, &tags()).await.unwrap();
    let mine = snapshot(development, "mine").await;
    assert_eq!((mine.status.as_str(), mine.engine.as_str()), ("available", "postgres"));

    let data = files(&servers.home(PRODUCTION).join("databases"));
    assert!(data.iter().any(|file| holds_canary(file)), "the server's files do hold it");
    for account in [PRODUCTION, DEVELOPMENT] {
        let contents = files(&servers.home(account).join("snapshots"));
        assert!(contents.iter().any(|file| file.metadata().unwrap().len() > 1 << 20));
        assert!(contents.iter().all(|file| !holds_canary(file)));
    }

    let restore = called("shop", &servers.dev_key);
    let id = development.restore(&mine.arn, &restore).await.unwrap().resource_id;
    let restored = database(development, "shop").await;
    assert_eq!(restored.status, "available", "{}", record(development, "shop"));
    assert_eq!(restored.secret, None);
    assert_ne!(restored.endpoint, servers.shop.endpoint);
    let theirs = url(&servers.shop).replace(&servers.shop.endpoint, &restored.endpoint);
    let refused = ask_at(&theirs, COUNT).unwrap_err();
    assert!(refused.contains("password authentication failed"), "{refused}");
    development.take_over(&id, &restore).await.unwrap();
    let restored = database(development, "shop").await;
    assert_eq!(ask(&restored, COUNT).unwrap(), "500");
    assert!(ask_at(&theirs, COUNT).is_err());
    let rights =
        "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user";
    assert_eq!(ask(&restored, rights).unwrap(), "f|t|t");
    assert_eq!(ask(&servers.shop, COUNT).unwrap(), "500", "the other one knows nothing of it");
}

#[tokio::test]
async fn names_change_hands_and_take_their_port_along() {
    let servers = Servers::start().await;
    let production = &servers.production;
    let raw = servers.taken("raw").await;
    let restore = called("shop-n-1", &servers.work_key);
    let id = production.restore(&raw, &restore).await.unwrap().resource_id;
    production.databases().await.unwrap();
    production.take_over(&id, &restore).await.unwrap();
    let fresh = database(production, "shop-n-1").await;
    ask(&fresh, "DELETE FROM person WHERE id > 10").unwrap();
    let password = |database: &Database| {
        url(database).split_once('@').unwrap().0.rsplit_once(':').unwrap().1.to_owned()
    };
    let (old_password, new_password) = (password(&servers.shop), password(&fresh));
    assert_ne!(old_password, new_password);
    production.rename(&servers.shop.resource_id, "shop-old").await.unwrap();
    let old = database(production, "shop-old").await;
    assert_eq!((ask(&old, COUNT).unwrap().as_str(), password(&old)), ("500", old_password));
    production.rename(&id, "shop").await.unwrap();
    let now = database(production, "shop").await;
    assert_eq!((&now.resource_id, &now.endpoint), (&id, &servers.shop.endpoint));
    assert_eq!((ask(&now, COUNT).unwrap().as_str(), password(&now)), ("10", new_password));
    production.restart(&id).await.unwrap();
    assert_eq!(ask(&database(production, "shop").await, COUNT).unwrap(), "10");
}

#[tokio::test]
async fn a_server_is_stopped_started_and_removed() {
    let servers = Servers::start().await;
    let (production, id) = (&servers.production, &servers.shop.resource_id);
    let home = servers.home(PRODUCTION);
    production.stop(id).unwrap();
    assert_eq!(database(production, "shop").await.status, "stopped");
    assert_eq!(postmaster(&home.join("databases/shop")), None);
    let taken = production.take(id, "raw", &tags()).await;
    assert!(matches!(taken, Err(SnapshotError::InvalidState(_))), "{taken:?}");
    production.start(id).await.unwrap();
    assert_eq!(ask(&database(production, "shop").await, COUNT).unwrap(), "500");
    production.delete_database(id).await.unwrap();
    gone(production, id).await;
    assert!(ask_at(&format!("postgres://{}/postgres", servers.shop.endpoint), COUNT).is_err());
    for folder in ["databases", "secrets"] {
        assert_eq!(files(&home.join(folder)), NONE);
    }
}

#[tokio::test]
async fn a_server_that_was_killed_is_started_and_loses_nothing() {
    let servers = Servers::start().await;
    let production = &servers.production;
    let directory = servers.home(PRODUCTION).join("databases/shop");
    // Somebody has to wait for what has ended, and the first process of a container may not.
    process::set_child_subreaper(Some(process::getpid())).unwrap();
    production.restart(&servers.shop.resource_id).await.unwrap();
    database(production, "shop").await;
    for round in 0..2 {
        let pid = postmaster(&directory).unwrap();
        ask(&servers.shop, &format!("INSERT INTO person VALUES ({}, 'late')", 1000 + round))
            .unwrap();
        let server = Pid::from_raw(pid as i32).unwrap();
        process::kill_process(server, Signal::KILL).unwrap();
        process::waitpid(Some(server), WaitOptions::empty()).unwrap();
        let again = database(production, "shop").await;
        assert_eq!(again.status, "available", "{}", record(production, "shop"));
        assert_eq!(ask(&again, COUNT).unwrap(), (501 + round).to_string());
        assert_ne!(postmaster(&directory), Some(pid));
    }
}

#[tokio::test]
async fn a_changed_snapshot_does_not_become_a_server() {
    let servers = Servers::start().await;
    let production = &servers.production;
    let raw = servers.taken("raw").await;
    let contents = files(&servers.home(PRODUCTION).join("snapshots"));
    let content = contents.iter().find(|file| file.extension().unwrap() == "content").unwrap();
    let whole = fs::read(content).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    // The archive's own end comes before that of the content: what is cut off after it would not be missed by tar.
    let last = whole.len() - 1;
    for (name, bytes) in [("flipped", flipped), ("cut", whole[..last].to_vec())] {
        fs::write(content, bytes).unwrap();
        production.restore(&raw, &called(name, &servers.work_key)).await.unwrap();
        let restored = database(production, name).await;
        assert_eq!(restored.status, "failed", "{name}");
        assert_eq!(postmaster(&servers.home(PRODUCTION).join("databases").join(name)), None);
        production.delete_database(&restored.resource_id).await.unwrap();
        gone(production, &restored.resource_id).await;
    }
}
