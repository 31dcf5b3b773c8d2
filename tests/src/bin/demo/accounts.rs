//! Both accounts below one folder: made, asked for a release, asked for a refresh, and put to rest.

use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use orchestrator::definitions::WORKFLOW;
use orchestrator::local::{Account, DEVELOPMENT, NewServer, PRODUCTION, PUBLIC_KEY, set_up};
use serde_json::json;
use snapshots::local::Local;
use snapshots::status::Meaning;
use snapshots::{Snapshots as _, Tags};
use workflow::history::What;
use workflow::run::End;

use crate::say;
use crate::shop::{SHOP, Shop};

/// Anybody may know this key: it masks made-up people. Make your own with `openssl rand -hex 32`.
const DEMO_KEY: &str = "64656d6f64656d6f64656d6f64656d6f64656d6f64656d6f64656d6f64656d6f";

/// How long a server may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// An empty folder, and production in it. Servers of the last demo are stopped first.
pub async fn begin(root: &Path) -> Result<Account> {
    if root.exists() {
        rest(root).await?;
        std::fs::remove_dir_all(root).context("remove the last demo")?;
    }
    let secrets = root.join(PRODUCTION).join("secrets");
    std::fs::create_dir_all(&secrets).context("make ./demo")?;
    std::fs::write(secrets.join("masking-key"), DEMO_KEY)?;
    Ok(Account::new(root, &std::env::current_exe()?))
}

/// Stops the servers that run in either account.
pub async fn rest(root: &Path) -> Result<()> {
    for account in [PRODUCTION, DEVELOPMENT] {
        if !root.join(account).exists() {
            continue;
        }
        let local = Local::open(root, account)?.patient(PATIENCE);
        for database in local.databases().await? {
            if database.engine == "postgres" && database.meaning() == Meaning::Ready {
                local.stop(&database.resource_id)?;
            }
        }
        local.settle()?;
    }
    Ok(())
}

/// Production with its shop, and development, which has nothing yet.
pub async fn make(production: &Account, shop: &Shop, file: &Path, rules: &Path) -> Result<()> {
    let server = NewServer { database: SHOP, file, rules, encrypted: true };
    set_up(production, &server).await.context("set up production")?;
    let development = Local::open(&production.root, DEVELOPMENT)?;
    let key = development.key("dev", &[])?;
    let public_key = production.handover().get(PUBLIC_KEY).await?.context("no public key")?;
    let settings = json!({
        "producer": PRODUCTION,
        "region": "local",
        "share_key": production.world().await?.settings.share_key,
        "key": key,
        "public_keys": [String::from_utf8(public_key)?],
        "databases": { SHOP: {
            "name": SHOP, "engine": shop.engine_name, "secret": "shop/database", "grace_hours": 0,
            "checks": { shop.database: { "tables": ["customers", "orders"] } },
        } },
    });
    let documents = receiver::local::Account::new(&production.root, DEVELOPMENT).documents();
    Ok(documents.put(receiver::local::SETTINGS, &serde_json::to_vec_pretty(&settings)?).await?)
}

/// Production's workflow, its steps as they are done.
pub async fn release(production: &Account, run: &str) -> Result<()> {
    say(&format!("$ orchestrator run --local demo --database shop --run-id {run}"));
    let begun = Instant::now();
    let show = |state: &str, what: &What| {
        if *what == What::Exited && !state.starts_with("Await") {
            say(&format!("  {:5.1} s  {state}", begun.elapsed().as_secs_f64()));
        }
    };
    let input = json!({ "database": SHOP });
    let execution = production.run(&WORKFLOW, run, input, &show).await?;
    match execution.end {
        End::Succeeded(_) => Ok(()),
        end => bail!("production's workflow ended badly: {end:?}"),
    }
}

/// Development's command, as a developer types it.
pub fn refresh(root: &Path) -> Result<()> {
    say("$ refresh request --local demo --wait");
    let status = Command::new(std::env::current_exe()?)
        .args(["request", "--wait", "--local"])
        .arg(root)
        // What it shows on the way belongs to the story.
        .stderr(std::io::stdout().as_fd().try_clone_to_owned()?)
        .status()
        .context("start refresh")?;
    ensure!(status.success(), "refresh ended with {status}");
    Ok(())
}

/// More customers in production, and a snapshot of them.
pub async fn a_week_later(production: &Account, shop: &Shop) -> Result<()> {
    let platform = production.snapshots()?.patient(PATIENCE);
    let database = platform.database(SHOP).await?.context("production has no shop")?;
    shop.grow(&database)?;
    let tags = Tags::from([("taken-by".into(), "demo".into())]);
    platform.take(&database.resource_id, "shop-2", &tags).await?;
    Ok(platform.settle()?)
}

/// The shop of an account.
pub async fn database(root: &Path, account: &str) -> Result<snapshots::Database> {
    let platform = Local::open(root, account)?;
    platform.database(SHOP).await?.with_context(|| format!("{account} has no shop"))
}
