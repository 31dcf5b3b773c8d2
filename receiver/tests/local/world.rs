//! Two accounts below one root: one that releases, by hand, as production's workflow does, and one that receives.

use std::path::PathBuf;
use std::time::Duration;

use contract::dsse::Envelope;
use contract::key::SigningKey;
use contract::release::{Release, Reported};
use contract::report::Verdict;
use contract::statement::PAYLOAD_TYPE;
use receiver::definitions::{Definition, REAPER, WORKFLOW};
use receiver::local::Account;
use receiver::pointer::Pointer;
use receiver::{Settings, World};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rusqlite::Connection;
use serde_json::{Value, json};
use snapshots::local::{Local, NewDatabase, REGION};
use snapshots::{Database, Kind, Snapshot, Snapshots, Tags};
use tempfile::TempDir;
use workflow::local::context;
use workflow::run::{End, Execution, Failure, Fault, Faultless, Faults, Virtual, run};

pub const PRODUCTION: &str = "111111111111";
pub const DEVELOPMENT: &str = "222222222222";
pub const STRANGER: &str = "666666666666";
pub const DIGEST: &str = "d1d1";

pub struct Both {
    pub directory: TempDir,
    pub production: Local,
    pub share_key: String,
    pub account: Account,
    pub world: World<Local>,
}

/// What may be wrong with a release.
pub struct Flaws {
    /// Changes the statement before it is signed.
    pub statement: fn(&mut Release),
    /// Who signs; nobody: there is no statement.
    pub signer: Option<u8>,
    /// The digest that the marker in the database has.
    pub marker: Option<&'static str>,
    pub verdict: &'static str,
}

pub const FLAWLESS: Flaws =
    Flaws { statement: |_| {}, signer: Some(1), marker: Some(DIGEST), verdict: "passed" };

impl Both {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("accounts");
        let production = open(&root, PRODUCTION);
        let development = open(&root, DEVELOPMENT);
        let share_key = production.key("share", &[DEVELOPMENT.into()]).unwrap();
        let settings = json!({
            "producer": PRODUCTION,
            "region": REGION,
            "share_key": share_key,
            "key": development.key("dev", &[]).unwrap(),
            "public_keys": [public_key(9), public_key(1)],
            "databases": { "shop": {
                "name": "shop", "engine": "sqlite", "secret": "shop/database", "grace_hours": 0,
                "checks": { "shop": {
                    "tables": ["customers"],
                    "canaries": [{
                        "name": "no customer is real", "expect": "0",
                        "query": "SELECT count(*) FROM customers WHERE email NOT LIKE '%@example.com'"
                    }]
                } }
            } }
        });
        let settings = Settings::read(settings.to_string().as_bytes()).unwrap();
        let account = Account::new(&root, DEVELOPMENT);
        let world = account.world(development, settings);
        Self { directory, production, share_key, account, world }
    }

    pub fn shop(&mut self) -> &mut receiver::settings::Target {
        self.world.settings.databases.get_mut("shop").unwrap()
    }

    pub fn root(&self) -> PathBuf {
        self.directory.path().join("accounts")
    }

    /// A released database with that many customers.
    pub async fn release(&self, run: &str, customers: u32) -> Snapshot {
        self.release_with(run, customers, &FLAWLESS).await
    }

    pub async fn release_with(&self, run: &str, customers: u32, flaws: &Flaws) -> Snapshot {
        let shared = self.share(&self.production, run, customers, &self.share_key, flaws).await;
        self.sign(run, &shared, flaws).await;
        shared
    }

    /// Puts the signed statement of a snapshot where development reads it.
    pub async fn sign(&self, run: &str, shared: &Snapshot, flaws: &Flaws) {
        let mut release = Release {
            database: "shop".into(),
            snapshot: shared.arn.clone(),
            resource_id: shared.source_id.clone(),
            created_at: shared.created_at.clone(),
            data_as_of: shared.data_as_of.clone(),
            engine: shared.engine.clone(),
            key: self.share_key.clone(),
            run_id: run.into(),
            reports: vec![Reported {
                name: "shop".into(),
                run_id: format!("{run}-mask"),
                report_digest: DIGEST.into(),
                rules_digest: "e2e2".into(),
                verdict: Verdict::Passed,
            }],
            signed_at: shared.created_at.clone(),
            expires_at: "2999-01-01T00:00:00Z".into(),
        };
        (flaws.statement)(&mut release);
        if let Some(secret) = flaws.signer {
            let envelope = Envelope::sign(PAYLOAD_TYPE, &release.to_bytes(), &signing_key(secret));
            let key = format!("releases/shop/{}.json", shared.name);
            self.world.handover.put(&key, &envelope.to_bytes()).await.unwrap();
        }
    }

    /// A snapshot as a release is, shared by any account.
    pub async fn share(
        &self,
        owner: &Local,
        run: &str,
        customers: u32,
        key: &str,
        flaws: &Flaws,
    ) -> Snapshot {
        let file = self.directory.path().join(format!("{run}.sqlite"));
        masked(&file, run, customers, flaws);
        let name = format!("anon-tmp-shop-{run}");
        let new = NewDatabase { name: &name, kind: Kind::Instance, key: Some(key), tags: tags() };
        let database = owner.import_sqlite(&new, &file).unwrap();
        let name = format!("anon-share-shop-{run}");
        let taken = owner.take(&database.resource_id, &name, &tags()).await.unwrap();
        let taken = owner.snapshot(&taken.arn).await.unwrap().unwrap();
        owner.share(&taken.arn, &[DEVELOPMENT.into()]).await.unwrap();
        taken
    }

    pub async fn refresh(&self, run: &str) -> Execution {
        self.refresh_with(run, &mut Faultless).await
    }

    pub async fn refresh_with(&self, run: &str, faults: &mut impl Faults) -> Execution {
        self.walk(WORKFLOW, run, faults).await
    }

    pub async fn reap(&self) -> Execution {
        self.walk(REAPER, "reaper", &mut Faultless).await
    }

    async fn walk(
        &self,
        definition: Definition,
        name: &str,
        faults: &mut impl Faults,
    ) -> Execution {
        let machine = definition.parse().unwrap();
        let input = json!({ "database": "shop" });
        let context = context(definition.machine, name, "2024-06-01T00:00:00Z", &input);
        let mut calls = workflow::local::Local { steps: &self.world, services: &self.account };
        run(&machine, input, context, &mut calls, &mut Virtual, faults).await
    }

    pub async fn database(&self, name: &str) -> Option<Database> {
        self.world.snapshots.database(name).await.unwrap()
    }

    /// Customers in the database that applications find.
    pub async fn customers(&self) -> u32 {
        let pointer = self.pointer().await;
        customers(pointer.url.unwrap().strip_prefix("sqlite:").unwrap())
    }

    pub async fn pointer(&self) -> Pointer {
        Pointer::get(&self.world.secrets, "shop/database").await.unwrap().unwrap()
    }

    /// Nothing is left of a run that has failed, and nobody has the lease.
    pub async fn assert_no_trace(&self, run: &str) {
        let databases = self.world.snapshots.databases().await.unwrap();
        for database in databases {
            assert!(!database.name.ends_with(run), "{}", database.name);
            assert_ne!(database.tags.get("anonymizer:run").map(String::as_str), Some(run));
        }
        for copy in self.world.snapshots.snapshots().await.unwrap() {
            assert_ne!(copy.tags.get("anonymizer:run").map(String::as_str), Some(run));
        }
        let next = self.world.secrets.get(&format!("shop/database-{run}")).await.unwrap();
        assert!(next.is_none());
        assert_eq!(self.world.locks.owner("shop").await.unwrap(), None);
    }
}

/// The value that an execution has brought, or how it failed.
pub fn result(execution: &Execution) -> Value {
    match &execution.end {
        End::Succeeded(output) => output["result"].clone(),
        other => panic!("{other:?}"),
    }
}

pub fn failure(execution: &Execution) -> &Failure {
    match &execution.end {
        End::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

pub fn customers(path: &str) -> u32 {
    let shop = Connection::open(path).unwrap();
    shop.query_row("SELECT count(*) FROM customers", [], |row| row.get(0)).unwrap()
}

pub fn tags() -> Tags {
    Tags::from([("team".into(), "shop".into())])
}

pub fn open(root: &std::path::Path, account: &str) -> Local {
    Local::open(root, account).unwrap().patient(Duration::from_secs(120))
}

fn masked(file: &std::path::Path, run: &str, customers: u32, flaws: &Flaws) {
    let shop = Connection::open(file).unwrap();
    shop.execute_batch(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL);
         CREATE TABLE anonymizer_statement(run_id TEXT NOT NULL PRIMARY KEY, digest TEXT NOT NULL,
           verdict TEXT NOT NULL, rules_digest TEXT NOT NULL, tool_version TEXT NOT NULL,
           finished_at TEXT NOT NULL, function_set INTEGER NOT NULL, schema_fingerprint TEXT NOT NULL,
           key_check TEXT NOT NULL) WITHOUT ROWID",
    )
    .unwrap();
    for number in 0..customers {
        let email = format!("c{number}@example.com");
        shop.execute("INSERT INTO customers (email) VALUES (?1)", [email]).unwrap();
    }
    if let Some(digest) = flaws.marker {
        let sql = "INSERT INTO anonymizer_statement VALUES (?1, ?2, ?3, '', '', '', 1, '', '')";
        shop.execute(sql, (format!("{run}-mask"), digest, flaws.verdict)).unwrap();
    }
}

/// A database that people have made and use.
pub async fn made_by_hand(both: &Both, customers: u32) -> Database {
    let file = both.directory.path().join("by-hand.sqlite");
    masked(&file, "hand", customers, &FLAWLESS);
    let key = both.world.settings.key.clone();
    let new = NewDatabase { name: "shop", kind: Kind::Instance, key: Some(&key), tags: tags() };
    both.world.snapshots.import_sqlite(&new, &file).unwrap()
}

fn signing_key(secret: u8) -> SigningKey {
    let head = hex::decode("302e020100300506032b657004220420").unwrap();
    let der = [head, vec![secret; 32]].concat();
    let pem = pem_rfc7468::encode_string("PRIVATE KEY", pem_rfc7468::LineEnding::LF, &der);
    SigningKey::from_pem(pem.unwrap().as_bytes()).unwrap()
}

fn public_key(secret: u8) -> String {
    let head = hex::decode("302a300506032b6570032100").unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(&[secret; 32]).unwrap();
    let der = [&head, pair.public_key().as_ref()].concat();
    pem_rfc7468::encode_string("PUBLIC KEY", pem_rfc7468::LineEnding::LF, &der).unwrap()
}

/// One fault each time that a state is entered, as often as said.
pub struct At<'a>(pub &'a str, pub Fault, pub u32);

impl Faults for At<'_> {
    fn at(&mut self, state: &str) -> Fault {
        if state != self.0 || self.2 == 0 {
            return Fault::None;
        }
        self.2 -= 1;
        self.1.clone()
    }
}
