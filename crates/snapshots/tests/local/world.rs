//! Two accounts below one root, with a key for raw data, one to share and one of development's own, and a database.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use snapshots::local::{Local, NewDatabase};
use snapshots::port::Tags;
use snapshots::{Database, Kind, Login, Restore, Snapshot, Snapshots};
use tempfile::TempDir;

pub const PRODUCTION: &str = "111111111111";
pub const DEVELOPMENT: &str = "222222222222";
pub const STRANGER: &str = "666666666666";
/// In every row of the database.
pub const CANARY: &str = "kestrel-4417-canary";
/// No files.
pub const NONE: [PathBuf; 0] = [];
const ROWS: u32 = 20;

pub struct World {
    pub directory: TempDir,
    pub production: Local,
    pub development: Local,
    pub work_key: String,
    pub share_key: String,
    pub dev_key: String,
    pub shop: Database,
}

impl Drop for World {
    fn drop(&mut self) {
        // What is still being written would be left when the directory is removed.
        let _ = self.production.settle().and_then(|()| self.development.settle());
    }
}

impl World {
    pub fn new() -> Self {
        Self::of(ROWS)
    }

    pub fn of(rows: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("accounts");
        let file = directory.path().join("shop.sqlite");
        fill(&file, rows);
        let production = open(&root, PRODUCTION);
        let development = open(&root, DEVELOPMENT);
        let work_key = production.key("work", &[]).unwrap();
        let share_key = production.key("share", &[DEVELOPMENT.into()]).unwrap();
        let dev_key = development.key("dev", &[]).unwrap();
        let shop = production.import_sqlite(&new("shop", Some(&work_key)), &file).unwrap();
        Self { directory, production, development, work_key, share_key, dev_key, shop }
    }

    pub fn root(&self) -> PathBuf {
        self.directory.path().join("accounts")
    }

    /// A snapshot of the shop, ready.
    pub async fn taken(&self, name: &str) -> Snapshot {
        self.production.take(&self.shop.resource_id, name, &tags()).await.unwrap();
        snapshot(&self.production, name).await
    }

    /// A snapshot under the key that can be shared, shared with development.
    pub async fn shared(&self, name: &str) -> Snapshot {
        let raw = self.taken("raw").await;
        self.production.copy(&raw.arn, name, &self.share_key, &tags()).await.unwrap();
        let shared = snapshot(&self.production, name).await;
        self.production.share(&shared.arn, &[DEVELOPMENT.into()]).await.unwrap();
        shared
    }

    /// Restores a raw snapshot.
    pub async fn restored(&self, snapshot: &str, name: &str) -> Database {
        let restore = called(name, &self.work_key);
        self.production.restore(&arn(PRODUCTION, snapshot), &restore).await.unwrap();
        database(&self.production, name).await
    }

    /// Where the content of production's snapshot is.
    pub fn content(&self, name: &str) -> PathBuf {
        let folder = self.root().join(PRODUCTION).join("snapshots");
        let record = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        folder.join(format!("{}.content", record["id"].as_str().unwrap()))
    }
}

/// An account that is described when its work is done.
pub fn open(root: &Path, account: &str) -> Local {
    Local::open(root, account).unwrap().patient(Duration::from_secs(60))
}

pub fn new<'a>(name: &'a str, key: Option<&'a str>) -> NewDatabase<'a> {
    NewDatabase { name, kind: Kind::Instance, key, tags: tags() }
}

pub fn tags() -> Tags {
    Tags::from([("team".into(), "shop".into())])
}

/// A database to be restored under the key that its snapshot has.
pub fn called(name: &str, key: &str) -> Restore {
    Restore {
        name: name.into(),
        key: key.into(),
        login: Login::Managed { key: key.into() },
        backup_days: 0,
        tags: tags(),
        settings: Default::default(),
    }
}

pub fn arn(account: &str, name: &str) -> String {
    format!("arn:aws:rds:local:{account}:snapshot:{name}")
}

pub async fn snapshot(local: &Local, name: &str) -> Snapshot {
    let all = local.snapshots().await.unwrap();
    all.into_iter().find(|snapshot| snapshot.name == name).unwrap()
}

/// The database of that name, when its work is done.
pub async fn database(local: &Local, name: &str) -> Database {
    local.database(name).await.unwrap().unwrap()
}

/// Waits until it is gone.
pub async fn gone(local: &Local, id: &str) {
    let begun = Instant::now();
    while local.by_resource_id(id).await.unwrap().is_some() {
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
}

fn fill(file: &Path, rows: u32) {
    let mut shop = Connection::open(file).unwrap();
    shop.execute_batch("CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT)").unwrap();
    let all = shop.transaction().unwrap();
    for row in 0..rows {
        let name = format!("{CANARY}-{row}-{}", "x".repeat(900));
        all.execute("INSERT INTO person (name) VALUES (?1)", [name]).unwrap();
    }
    all.commit().unwrap();
}

/// How many rows with the canary a database has.
pub fn rows(database: &Database) -> u32 {
    let shop = Connection::open(&database.endpoint).unwrap();
    let check: String = shop.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let count = "SELECT count(*) FROM person WHERE name LIKE ?1 || '%'";
    shop.query_row(count, [CANARY], |row| row.get(0)).unwrap()
}

/// Every file below a directory.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// True where a file holds the canary.
pub fn holds_canary(file: &Path) -> bool {
    let bytes = std::fs::read(file).unwrap();
    bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}
