//! A PostgreSQL server with two databases from production to development: both accounts' real definitions, the real masking
//! command, real servers, with time that passes at once.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::command;
use e2e::residue::{files, found_below};
use e2e::servers::{Folder, ask};
use orchestrator::definitions::WORKFLOW;
use orchestrator::local::{
    Account, DEVELOPMENT, NewServer, PRODUCTION, PUBLIC_KEY, set_up, unseen,
};
use receiver::local::{Account as Receiver, Executed, SETTINGS};
use receiver::pointer::Pointer;
use receiver::set_up::SetUp;
use receiver::settings::{Canary, Checks};
use serde_json::{Value, json};
use snapshots::local::Local;
use snapshots::{Database, Snapshots as _, Tags};
use workflow::run::{End, Execution, Failure, Faultless, Virtual};

const PATIENCE: Duration = Duration::from_secs(120);

/// What must not arrive, by the database that it is in.
const ORIGINALS: [(&str, &str); 2] = [
    (
        "shop",
        "SELECT unnest(ARRAY[email, phone, iban, street]) FROM customers
         UNION SELECT unnest(ARRAY[contact_email, ship_name, ship_address]) FROM orders",
    ),
    ("billing", "SELECT unnest(ARRAY[payer, email, iban]) FROM invoices"),
];

struct World {
    account: Account,
    /// With it the servers go.
    folder: Folder,
}

impl World {
    /// Production with the server of `tests/scenarios/server`, and what else is put beside its files.
    async fn new(others: &[(&str, &str)]) -> Result<Self> {
        let folder = Folder::new()?;
        let mut account = Account::new(&folder.path().join("root"), &command::executable()?);
        account.patience = PATIENCE;
        let world = Self { account, folder };
        let scripts = world.folder.path().join("scripts").join("server");
        std::fs::create_dir_all(&scripts)?;
        for scenario in ["server", "bench"] {
            let to = scripts.with_file_name(scenario);
            std::fs::create_dir_all(&to)?;
            for file in files(&command::scenario(scenario))? {
                std::fs::copy(&file, to.join(file.file_name().context("no name")?))?;
            }
        }
        for (name, text) in others {
            std::fs::write(scripts.join(name), text)?;
        }
        let new = NewServer { database: "shop", file: &scripts, rules: &scripts, encrypted: true };
        set_up(&world.account, &new).await?;
        Ok(world)
    }

    async fn run(&self, name: &str) -> Result<Execution> {
        let input = json!({ "database": "shop" });
        let (mut clock, mut faults) = (Virtual, Faultless);
        self.account.run_with(&WORKFLOW, name, input, &unseen, &mut clock, &mut faults).await
    }

    /// The development account, which lets applications in as `shop_app`.
    async fn development(&self) -> Result<Receiver> {
        let key = self.account.handover().get(PUBLIC_KEY).await?.context("no public key")?;
        let root = &self.account.root;
        let share_key = self.account.world().await?.settings.share_key;
        let receiver = receiver::set_up::set_up(
            root,
            &SetUp {
                account: DEVELOPMENT,
                producer: PRODUCTION,
                share_key: &share_key,
                public_key: &String::from_utf8(key)?,
                database: "shop",
                engine: "postgres",
            },
        )
        .await?;
        let mut settings = receiver.settings().await?;
        let target = settings.databases.get_mut("shop").context("no target")?;
        target.user = Some("shop_app".into());
        target.grace_hours = 0;
        // Applications have no rights in the other one.
        let query = "SELECT count(*) FROM anonymizer.statement".into();
        let canaries = vec![Canary { name: "masked once".into(), query, expect: "1".into() }];
        let checks = Checks { tables: vec!["public.orders".into()], canaries };
        target.checks.insert("shop".into(), checks);
        receiver.documents().put(SETTINGS, &serde_json::to_vec(&settings)?).await?;
        Ok(receiver)
    }

    async fn refresh(&self, receiver: &Receiver, run: &str) -> Result<Value> {
        let world = receiver.world(self.platform()?, receiver.settings().await?);
        let input = json!({ "database": "shop" });
        let executed = receiver.refresh(&world, run, &input, &mut Virtual, &mut Faultless).await?;
        match executed {
            Executed::Now(execution) => Ok(succeeded(*execution)?["result"].clone()),
            Executed::Before(_) => bail!("{run} has run before"),
        }
    }

    fn platform(&self) -> Result<Local> {
        Ok(Local::open(&self.account.root, DEVELOPMENT)?.patient(PATIENCE))
    }

    /// What applications are told.
    async fn pointer(&self, receiver: &Receiver) -> Result<Pointer> {
        let world = receiver.world(self.platform()?, receiver.settings().await?);
        Pointer::get(&world.secrets, "shop/database").await?.context("no pointer")
    }

    async fn production(&self) -> Result<Database> {
        self.account.snapshots()?.database("shop").await?.context("production has no server")
    }

    /// The originals of both databases as they are in production.
    async fn originals(&self) -> Result<Vec<String>> {
        let shop = self.production().await?;
        let mut all = Vec::new();
        for (name, query) in ORIGINALS {
            let lines = ask(&master(&shop, name)?, query)?;
            all.extend(lines.lines().filter(|line| line.len() > 5).map(str::to_owned));
        }
        ensure!(all.len() > 1000, "{} are few", all.len());
        Ok(all)
    }

    fn data(&self, account: &str, database: &str) -> PathBuf {
        self.account.root.join(account).join("databases").join(database).join("data")
    }
}

/// The URL of one of a server's databases, as its master user.
fn master(server: &Database, name: &str) -> Result<String> {
    let secret = std::fs::read_to_string(&server.secret.as_ref().context("no secret")?.arn)?;
    let (url, _) = secret.trim().rsplit_once('/').context("no URL")?;
    Ok(format!("{url}/{name}"))
}

fn succeeded(run: Execution) -> Result<Value> {
    match run.end {
        End::Succeeded(output) => Ok(output),
        end => bail!("ended with {end:?} after {:?}", run.history.entered()),
    }
}

#[tokio::test]
async fn a_server_with_two_databases_arrives_masked_and_is_replaced() -> Result<()> {
    let world = World::new(&[]).await?;
    let shop = world.production().await?;
    let originals = world.originals().await?;
    ensure!(!found_below(&world.data(PRODUCTION, "shop"), &originals)?.is_empty(), "not there");
    assert_eq!(succeeded(world.run("run-1").await?)?["released"], true);
    let left = world.account.snapshots()?.databases().await?;
    assert_eq!(left.len(), 1, "{left:?}");

    let receiver = world.development().await?;
    assert_eq!(world.refresh(&receiver, "fetch-1").await?["changed"], true);
    let first = world.pointer(&receiver).await?;
    let url = first.url.clone().context("no URL")?;
    assert_eq!(ask(&url, "SELECT count(*) FROM customers")?, "300");
    arrived(&world, "run-1", &originals).await?;
    // Who could log in in production cannot log in here.
    let password = first.password.as_ref().context("no password")?;
    for theirs in [
        url.replace(password, "known in production"),
        master(&shop, "shop")?
            .replace(&shop.endpoint, &format!("127.0.0.1:{}", first.port.unwrap_or(0))),
    ] {
        let refused = ask(&theirs, "SELECT 1").unwrap_err().to_string();
        ensure!(refused.contains("password authentication failed"), "{refused}");
    }

    // A week later.
    let more = "INSERT INTO invoices VALUES (1000, 'Payer1000 Ofbefore', 'payer1000@books.net', 'DE0012345', 5)";
    ask(&master(&shop, "billing")?, more)?;
    let tags = Tags::from([("taken-by".into(), "test".into())]);
    let local = world.account.snapshots()?;
    local.take(&shop.resource_id, "shop-2", &tags).await?;
    local.settle()?;
    let originals = world.originals().await?;
    assert_eq!(succeeded(world.run("run-2").await?)?["released"], true);
    assert_eq!(world.refresh(&receiver, "fetch-2").await?["changed"], true);
    let second = world.pointer(&receiver).await?;
    assert_eq!((&second.host, second.port), (&first.host, first.port));
    ensure!(ask(&url, "SELECT 1").is_err(), "the password before is worth something");
    arrived(&world, "run-2", &originals).await?;
    let databases = world.platform()?.databases().await?;
    assert_eq!(databases.len(), 1, "{databases:?}");
    let server = databases.first().context("none")?;
    let count = ask(&master(server, "billing")?, "SELECT count(*) FROM invoices")?;
    assert_eq!(count, "41");
    Ok(())
}

/// Development's server holds both databases, masked by that run, and no original in any byte of any file.
async fn arrived(world: &World, run: &str, originals: &[String]) -> Result<()> {
    let server = world.platform()?.database("shop").await?.context("nothing has arrived")?;
    for (name, query) in ORIGINALS {
        let marker = "SELECT run_id || ' ' || verdict FROM anonymizer.statement";
        assert_eq!(ask(&master(&server, name)?, marker)?, format!("{run} passed"), "{name}");
        let fakes = ask(&master(&server, name)?, query)?;
        ensure!(fakes.lines().count() > 100, "{name} is empty");
        let same = fakes.lines().filter(|fake| originals.iter().any(|one| one == fake)).count();
        assert_eq!(same, 0, "{name}");
    }
    let found = found_below(&world.data(DEVELOPMENT, "shop"), originals)?;
    ensure!(found.is_empty(), "originals are left in {found:?}");
    Ok(())
}

#[tokio::test]
async fn a_database_without_rules_refuses_the_run_by_name() -> Result<()> {
    let script = "CREATE TABLE visits (email text); INSERT INTO visits VALUES ('a@forgotten.net')";
    let world = World::new(&[("analytics.sql", script)]).await?;
    let run = world.run("run-1").await?;
    let End::Failed(Failure { error, cause }) = run.end else { bail!("ended with {:?}", run.end) };
    ensure!(error == "Refused" && cause.contains("analytics"), "{error}: {cause}");
    let left = world.account.snapshots()?.databases().await?;
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(world.platform()?.shared().await?.is_empty());
    let receiver = world.development().await?;
    ensure!(world.refresh(&receiver, "fetch-1").await.is_err(), "something was let in");
    Ok(())
}
