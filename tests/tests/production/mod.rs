//! Production's account in a directory of its own: real SQLite databases, real encrypted snapshots, the real masking command,
//! and time that passes at once.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::{command, residue, shop};
use orchestrator::definitions::{Definition, WORKFLOW};
use orchestrator::local::{Account, DEVELOPMENT, NewServer, set_up, unseen};
use rusqlite::Connection;
use serde_json::{Value, json};
use snapshots::local::Local;
use snapshots::{Login, Restore, Snapshot, Snapshots as _, Tags};
use tempfile::TempDir;
use workflow::run::{End, Execution, Faultless, Faults, Virtual};

/// An account.
pub struct World {
    /// Goes with the world; the shop's own file is in it.
    pub directory: TempDir,
    pub account: Account,
    pub customers: i64,
}

impl World {
    /// A shop in production, with a snapshot, and further databases like it.
    pub async fn of(customers: i64, encrypted: bool, others: &[&str]) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("shop.db");
        shop::build(&file, customers)?;
        let mut account = Account::new(&directory.path().join("root"), &command::executable()?);
        account.patience = Duration::from_secs(120);
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/shop.yaml");
        for database in ["shop"].iter().chain(others) {
            let new = NewServer { database, file: &file, rules: &rules, encrypted };
            set_up(&account, &new).await?;
        }
        Ok(Self { directory, account, customers })
    }

    pub async fn run(&self, name: &str) -> Result<Execution> {
        self.run_with(&WORKFLOW, name, json!({ "database": "shop" }), &mut Faultless).await
    }

    pub async fn run_with(
        &self,
        definition: &Definition,
        name: &str,
        input: Value,
        faults: &mut impl Faults,
    ) -> Result<Execution> {
        self.account.run_with(definition, name, input, &unseen, &mut Virtual, faults).await
    }

    /// Puts a script in the masking command's place; `$REAL` is the command.
    pub fn script(&mut self, text: &str) -> Result<()> {
        let path = self.directory.path().join("script");
        let real = command::executable()?;
        let here = self.directory.path().display();
        let text = format!("#!/bin/sh\nREAL='{}'\nHERE='{here}'\n{text}\n", real.display());
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        self.account.anonymizer = path;
        Ok(())
    }

    pub async fn named(&self, prefix: &str) -> Result<Vec<Snapshot>> {
        let mut all = self.account.snapshots()?.snapshots().await?;
        all.retain(|snapshot| snapshot.name.starts_with(prefix));
        Ok(all)
    }

    pub fn development(&self) -> Result<Local> {
        Ok(Local::open(&self.account.root, DEVELOPMENT)?.patient(Duration::from_secs(120)))
    }

    /// Nothing raw is left, nobody has the lock, and nothing remembers a run.
    pub async fn nothing_raw(&self) -> Result<()> {
        let local = self.account.snapshots()?;
        let names: Vec<_> = local.databases().await?.into_iter().map(|one| one.name).collect();
        ensure!(names.iter().all(|name| !name.starts_with("anon-")), "{names:?} are left");
        for prefix in ["anon-raw", "anon-stage"] {
            ensure!(self.named(prefix).await?.is_empty(), "{prefix} is left");
        }
        let world = self.account.world().await?;
        let owner = world.locks.owner("shop").await?;
        ensure!(owner.is_none(), "{owner:?} has the lock");
        ensure!(world.documents.list("runs").await?.is_empty(), "a run is remembered");
        Ok(())
    }

    /// Nothing raw is left and nothing was released.
    pub async fn nothing_at_all(&self) -> Result<()> {
        self.nothing_raw().await?;
        ensure!(self.named("anon-share").await?.is_empty(), "a release is left");
        ensure!(self.development()?.shared().await?.is_empty(), "something is shared");
        let statements = self.account.handover().list("releases").await?;
        ensure!(statements.is_empty(), "{statements:?} are left");
        Ok(())
    }

    /// Copies and restores it as the other account would, and looks for every original in every byte.
    pub async fn masked_in_development(&self, snapshot: &Snapshot) -> Result<()> {
        let development = self.development()?;
        let key = development.key("dev", &[])?;
        let tags: Tags = [("for".to_owned(), "test".to_owned())].into();
        let copy = development.copy(&snapshot.arn, "copied", &key, &tags).await?;
        development.snapshots().await?;
        let restore = Restore {
            name: "looked-at".into(),
            key: key.clone(),
            login: Login::Managed { key },
            backup_days: 0,
            tags,
            settings: Default::default(),
        };
        development.restore(&copy.arn, &restore).await?;
        let restored = development.database("looked-at").await?.context("not restored")?;
        let original = Connection::open(self.directory.path().join("shop.db"))?;
        let query = "SELECT email FROM customers WHERE email NOT LIKE '%@shop.test'";
        let mut emails = original.prepare(query)?;
        let emails: Vec<String> =
            emails.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        assert!(emails.len() as i64 > self.customers * 5 / 6);
        let found = residue::found_in(Path::new(&restored.endpoint), &emails)?;
        assert!(found.is_empty(), "{} originals are left", found.len());
        let rows: i64 = Connection::open(&restored.endpoint)?.query_row(
            "SELECT count(*) FROM customers",
            [],
            |row| row.get(0),
        )?;
        assert_eq!(rows, self.customers);
        Ok(())
    }
}

/// What it gave.
pub fn succeeded(run: Execution) -> Result<Value> {
    match run.end {
        End::Succeeded(output) => Ok(output),
        end => anyhow::bail!("ended with {end:?} after {:?}", run.history.entered()),
    }
}
