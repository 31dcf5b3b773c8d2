//! The same on real PostgreSQL servers: each account has its own, and applications log in with a password that is new each
//! time.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use receiver::pointer::Pointer;
use receiver::reader::Access;
use receiver::settings::{Canary, Checks};
use snapshots::local::NewDatabase;
use snapshots::{Database, Kind, Snapshots as _};

use crate::world::*;

/// Ends with the pipe on its standard input, however the test ends, and leaves neither servers nor files.
const GUARDIAN: &str = include_str!("../../../crates/snapshots/tests/local/guardian.sh");

struct Servers {
    both: Both,
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
    /// Production's masked server, with a role that applications use.
    async fn start() -> Self {
        let mut both = Both::new();
        let home = both.directory.path();
        // The server's account has to come through.
        fs::set_permissions(home, fs::Permissions::from_mode(0o711)).unwrap();
        let mut guardian = Command::new("sh");
        guardian.args(["-c", GUARDIAN]).arg(home).stdin(Stdio::piped());
        let guardian = guardian.spawn().unwrap();
        let shop = both.shop();
        shop.engine = "postgres".into();
        shop.user = Some("shop_app".into());
        let query = "SELECT count(*) FROM customers WHERE email NOT LIKE '%@example.com'";
        let (name, query, expect) = ("no customer is real".into(), query.into(), "0".into());
        let checks = Checks {
            tables: vec!["public.customers".into()],
            canaries: vec![Canary { name, query, expect }],
        };
        shop.checks.insert("shop".into(), checks);
        let key = both.share_key.clone();
        let new = NewDatabase {
            name: "anon-tmp-shop",
            kind: Kind::Instance,
            key: Some(&key),
            tags: tags(),
        };
        let made = both.production.create_postgres(&new).unwrap();
        let made = both.production.by_resource_id(&made.resource_id).await.unwrap().unwrap();
        assert_eq!(made.status, "available");
        ask(&master(&made, "postgres"), "CREATE DATABASE shop").unwrap();
        ask(
            &master(&made, "shop"),
            "CREATE ROLE shop_app LOGIN PASSWORD 'known in production';
             CREATE TABLE customers (id int PRIMARY KEY, email text NOT NULL);
             GRANT SELECT ON customers TO shop_app;
             CREATE SCHEMA anonymizer;
             GRANT USAGE ON SCHEMA anonymizer TO PUBLIC;
             CREATE TABLE anonymizer.statement (run_id text PRIMARY KEY, digest text NOT NULL,
               verdict text NOT NULL, rules_digest text NOT NULL, tool_version text NOT NULL,
               finished_at timestamptz NOT NULL);
             GRANT SELECT ON anonymizer.statement TO PUBLIC",
        )
        .unwrap();
        Self { both, shop: made, guardian }
    }

    /// Releases it with that many customers.
    async fn release(&self, run: &str, customers: u32, digest: &str) {
        let sql = format!(
            "TRUNCATE customers; TRUNCATE anonymizer.statement;
             INSERT INTO customers SELECT n, n || '@example.com' FROM generate_series(1, {customers}) n;
             INSERT INTO anonymizer.statement VALUES ('{run}-mask', '{digest}', 'passed', '', '', now())"
        );
        ask(&master(&self.shop, "shop"), &sql).unwrap();
        let production = &self.both.production;
        let name = format!("anon-share-shop-{run}");
        let taken = production.take(&self.shop.resource_id, &name, &tags()).await.unwrap();
        let taken = production.snapshot(&taken.arn).await.unwrap().unwrap();
        production.share(&taken.arn, &[DEVELOPMENT.into()]).await.unwrap();
        self.both.sign(run, &taken, &FLAWLESS).await;
    }
}

fn master(database: &Database, name: &str) -> String {
    let secret = fs::read_to_string(&database.secret.as_ref().unwrap().arn).unwrap();
    let (server, _) = secret.trim().rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

fn ask(url: &str, sql: &str) -> Result<String, String> {
    let said = Command::new("psql").args(["-XAtq", "-d", url, "-c", sql]).output().unwrap();
    match said.status.success() {
        true => Ok(String::from_utf8(said.stdout).unwrap().trim().to_owned()),
        false => Err(String::from_utf8_lossy(&said.stderr).into_owned()),
    }
}

const COUNT: &str = "SELECT count(*) FROM customers";

#[tokio::test]
async fn applications_find_the_new_server_with_a_new_password_under_the_old_name() {
    let mut servers = Servers::start().await;
    let both = &servers.both;
    servers.release("1", 11, DIGEST).await;
    result(&both.refresh("run-1").await);
    let first = both.pointer().await;
    let url = first.url.clone().unwrap();
    assert_eq!(first.username.as_deref(), Some("shop_app"));
    assert_eq!(ask(&url, COUNT).unwrap(), "11");
    let old_password = url.replace(first.password.as_ref().unwrap(), "known in production");
    assert!(ask(&old_password, COUNT).unwrap_err().contains("password authentication failed"));

    servers.release("2", 22, DIGEST).await;
    let execution = both.refresh("run-2").await;
    assert_eq!(result(&execution)["changed"], true);
    let second = both.pointer().await;
    assert_eq!((second.port, &second.host), (first.port, &first.host), "the name's own place");
    assert_ne!(second.password, first.password);
    assert_eq!(ask(second.url.as_ref().unwrap(), COUNT).unwrap(), "22");
    assert!(ask(&url, COUNT).is_err(), "the password before is worth nothing");
    // Neither the history nor what people are told has it.
    let told = format!("{:?}{:?}", execution, both.account.messages().list().unwrap());
    assert!(!told.contains(second.password.as_ref().unwrap()));
    assert_eq!(both.world.snapshots.databases().await.unwrap().len(), 1);

    // Another masking run than the statement says, and a database that no report speaks of.
    servers.release("3", 33, "d2d2").await;
    assert!(failure(&both.refresh("run-3").await).cause.contains("another run"));
    ask(&master(&servers.shop, "postgres"), "CREATE DATABASE forgotten").unwrap();
    servers.release("4", 44, DIGEST).await;
    let refused = both.refresh("run-4").await;
    assert!(failure(&refused).cause.contains("forgotten is in no report"), "{:?}", refused.end);
    assert_eq!(ask(second.url.as_ref().unwrap(), COUNT).unwrap(), "22");
    both.assert_no_trace("run-4").await;

    // Without a role of their own, applications are led to where the platform keeps the master user's password.
    ask(&master(&servers.shop, "postgres"), "DROP DATABASE forgotten").unwrap();
    servers.both.shop().user = None;
    servers.release("5", 55, DIGEST).await;
    let both = &servers.both;
    result(&both.refresh("run-5").await);
    let pointer = both.pointer().await;
    assert_eq!((&pointer.password, &pointer.url), (&None, &None));
    let shop = both.database("shop").await.unwrap();
    assert_eq!(pointer.secret, shop.secret.as_ref().map(|secret| secret.arn.clone()));
    assert_eq!(ask(&master(&shop, "shop"), COUNT).unwrap(), "55");
    as_on_rds(both, &shop, pointer).await;
}

/// There the platform's secret holds a name and a password, and the endpoint is known from elsewhere.
async fn as_on_rds(both: &Both, shop: &Database, pointer: Pointer) {
    let url = master(shop, "shop");
    let login = url.strip_prefix("postgres://").unwrap().split('@').next().unwrap();
    let (username, password) = login.split_once(':').unwrap();
    let text = serde_json::json!({ "username": username, "password": password }).to_string();
    both.world.secrets.put("as-on-rds", &account::Secret::new(text)).await.unwrap();
    let pointer = Pointer { secret: Some("as-on-rds".into()), ..pointer };
    let access = Access::of(&both.world.secrets, None, &pointer).await.unwrap();
    let mut session = access.open("shop").await.unwrap();
    assert_eq!(session.marker().await.unwrap().unwrap().digest, DIGEST);
    assert_eq!(session.value(COUNT, "count").await.unwrap().as_deref(), Some("55"));
    // A session of the receiver's reads.
    let error = session.value("SELECT nextval('x') FROM customers", "q").await.unwrap_err();
    assert!(error.cause().ends_with("SQLSTATE 42P01"), "{error}");
    assert!(session.has_rows("anonymizer.statement").await.unwrap());
}
