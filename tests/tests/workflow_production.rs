//! Production's workflow, whole: its real definitions, the real masking command, real SQLite databases and real encrypted
//! snapshots, with time that passes at once.

mod production;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contract::key::PublicKey;
use contract::release::Release;
use orchestrator::definitions::{FLEET, WORKFLOW};
use orchestrator::local::{DEVELOPMENT, PRODUCTION, PUBLIC_KEY, unseen};
use orchestrator::settings::Settings;
use serde_json::{Value, json};
use snapshots::local::{Faults as Conditions, Limits};
use snapshots::{Snapshots as _, Tags};
use workflow::Steps as _;
use workflow::local::Status;
use workflow::run::{End, Execution, Failure, Fault, Faultless, Faults, Virtual};

use crate::production::{World, succeeded};

/// Enough for statistics, few enough for every test to have its own.
const CUSTOMERS: i64 = 60;

impl World {
    async fn new() -> Result<Self> {
        Self::with(true, &[]).await
    }

    async fn with(encrypted: bool, others: &[&str]) -> Result<Self> {
        Self::of(CUSTOMERS, encrypted, others).await
    }

    async fn settings(&self, change: impl FnOnce(&mut Settings)) -> Result<()> {
        let documents = self.account.documents();
        let bytes = documents.get("settings.json").await?.context("no settings")?;
        let mut settings: Settings = serde_json::from_slice(&bytes)?;
        change(&mut settings);
        Ok(documents.put("settings.json", &serde_json::to_vec(&settings)?).await?)
    }

    fn report(&self, run: &str) -> PathBuf {
        let documents = self.account.root.join(PRODUCTION).join("documents");
        documents.join("reports/shop").join(run).join("database.sqlite/report.json")
    }

    async fn ended_badly(&self, run: Execution, error: &str, said: &str) -> Result<()> {
        let End::Failed(Failure { error: found, cause }) = run.end else {
            anyhow::bail!("ended with {:?}", run.end)
        };
        ensure!(found == error && cause.contains(said), "{found}: {cause}");
        self.nothing_at_all().await?;
        ensure!(!self.account.alarms().list()?.is_empty(), "nobody was told");
        // What has been cleaned is clean.
        let reaped = self.account.reap(&unseen).await?;
        ensure!(matches!(reaped.end, End::Succeeded(_)), "{:?}", reaped.end);
        self.nothing_at_all().await
    }
}

/// Does something at a state, once.
struct At<F: FnMut() -> Fault>(&'static str, Option<F>);

impl<F: FnMut() -> Fault> Faults for At<F> {
    fn at(&mut self, state: &str) -> Fault {
        if state != self.0 {
            return Fault::None;
        }
        self.1.take().map_or(Fault::None, |mut fault| fault())
    }
}

#[tokio::test]
async fn a_masked_snapshot_is_released_and_nothing_raw_is_left() -> Result<()> {
    let world = World::new().await?;
    let output = succeeded(world.run("run-1").await?)?;
    assert_eq!(output["released"], true);
    world.nothing_raw().await?;
    // Exactly one account may have exactly one snapshot.
    let [snapshot] = &world.named("anon-share").await?[..] else {
        anyhow::bail!("not one release")
    };
    let local = world.account.snapshots()?;
    assert_eq!(local.shared_with(&snapshot.arn).await?, [DEVELOPMENT]);
    assert_eq!(snapshot.tags["anonymizer:stage"], "released");
    // What is signed is about this snapshot, and the report says what was done.
    let handover = world.account.handover();
    let key = handover.get(PUBLIC_KEY).await?.context("no public key")?;
    let statement = format!("releases/shop/{}.json", snapshot.name);
    let envelope = handover.get(&statement).await?.context("no statement")?;
    let release = Release::open(&envelope, &PublicKey::from_pem(&key)?)?;
    assert_eq!((&release.snapshot, &release.created_at), (&snapshot.arn, &snapshot.created_at));
    assert_eq!((release.run_id.as_str(), release.reports.len()), ("run-1", 1));
    assert_eq!(output["statement"], statement);
    // Development was told.
    let [event] = &world.account.events(DEVELOPMENT).list()?[..] else {
        anyhow::bail!("not one event")
    };
    assert_eq!(event.detail["snapshot"], snapshot.arn);
    assert_eq!(event.detail_type, "SnapshotReleased");
    world.masked_in_development(snapshot).await
}

#[tokio::test]
async fn every_call_made_twice_gives_one_release() -> Result<()> {
    struct Twice;
    impl Faults for Twice {
        fn at(&mut self, _: &str) -> Fault {
            Fault::Repeat
        }
    }
    let world = World::new().await?;
    let input = json!({ "database": "shop", "reason": "a test" });
    succeeded(world.run_with(&WORKFLOW, "run-1", input, &mut Twice).await?)?;
    world.nothing_raw().await?;
    assert_eq!(world.named("anon-share").await?.len(), 1);
    assert_eq!(world.account.handover().list("releases").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_snapshot_that_is_not_encrypted_is_encrypted_first() -> Result<()> {
    let world = World::with(false, &[]).await?;
    let run = world.run("run-1").await?;
    assert!(run.history.entered().contains(&"EncryptSnapshot"));
    succeeded(run)?;
    world.nothing_raw().await
}

#[tokio::test]
async fn rules_that_do_not_fit_refuse_the_run() -> Result<()> {
    let world = World::new().await?;
    let documents = world.account.documents();
    let key = "rules/shop/database.sqlite.yaml";
    let rules = String::from_utf8(documents.get(key).await?.context("no rules")?)?;
    let fewer = rules.replace("      fax: nullify\n", "");
    assert_ne!(rules, fewer);
    documents.put(key, fewer.as_bytes()).await?;
    let run = world.run("run-1").await?;
    world.ended_badly(run, "Refused", "the rules do not fit").await?;
    documents.delete(key).await?;
    world.ended_badly(world.run("run-2").await?, "Refused", "there are no rules").await
}

#[tokio::test]
async fn an_exit_code_alone_proves_nothing() -> Result<()> {
    let mut world = World::new().await?;
    world.script("exit 0")?;
    world.ended_badly(world.run("run-1").await?, "Refused", "there is none").await?;
    world.script("ANONYMIZER_RUN_ID=run-1 exec \"$REAL\" \"$@\"")?;
    world.ended_badly(world.run("run-2").await?, "Refused", "another run").await?;
    world.script("\"$REAL\" \"$@\" && sed -i 's/\"run_id\": \"run-3\"/\"run_id\": \"run-4\"/' \"$ANONYMIZER_REPORT/report.json\"")?;
    world.ended_badly(world.run("run-3").await?, "Refused", "its subject is not").await?;
    world.script("\"$REAL\" \"$@\"; exit 4")?;
    world.ended_badly(world.run("run-4").await?, "Refused", "did not pass verification").await
}

#[tokio::test]
async fn a_report_that_changes_after_it_was_checked_is_refused() -> Result<()> {
    let world = World::new().await?;
    let report = world.report("run-1");
    let change = || {
        let text = std::fs::read_to_string(&report).expect("the report was checked before");
        std::fs::write(&report, text.replacen("\"seconds\": ", "\"seconds\": 1", 1))
            .expect("write");
        Fault::None
    };
    let input = json!({ "database": "shop" });
    let run = world.run_with(&WORKFLOW, "run-1", input, &mut At("Release", Some(change))).await?;
    world.ended_badly(run, "Refused", "is another one now").await
}

#[tokio::test]
async fn a_killed_container_goes_on() -> Result<()> {
    let mut world = World::new().await?;
    world.script(
        "if [ ! -e \"$HERE/killed\" ]; then touch \"$HERE/killed\"; kill -9 $$; fi\nexec \"$REAL\" \"$@\"",
    )?;
    let run = world.run("run-1").await?;
    assert!(run.history.entered().contains(&"Resume"));
    succeeded(run)?;
    world.nothing_raw().await?;
    // One that is always killed comes to an end too.
    world.script("kill -9 $$")?;
    let run = world.run("run-2").await?;
    let End::Failed(failure) = run.end else { anyhow::bail!("ended with {:?}", run.end) };
    ensure!(failure.cause.contains("interrupted 6 times"), "{}", failure.cause);
    world.nothing_raw().await
}

#[tokio::test]
async fn a_container_that_takes_too_long_is_ended() -> Result<()> {
    let mut world = World::new().await?;
    world.account.task_limit = Duration::from_millis(300);
    world.script("exec sleep 600")?;
    world.ended_badly(world.run("run-1").await?, "States.Timeout", "").await
}

#[tokio::test]
async fn the_container_is_told_no_secret() -> Result<()> {
    let mut world = World::new().await?;
    world.script("env > \"$HERE/told\"; exec \"$REAL\" \"$@\"")?;
    succeeded(world.run("run-1").await?)?;
    let told = std::fs::read_to_string(world.directory.path().join("told"))?;
    let names: BTreeSet<&str> =
        told.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let own = |name: &&str| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name);
    let unknown: Vec<_> =
        names.iter().filter(|name| own(name) && !name.starts_with("ANONYMIZER_")).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let key =
        std::fs::read_to_string(world.account.root.join(PRODUCTION).join("secrets/masking-key"))?;
    assert!(!told.contains(key.trim()));
    // Nor does what is kept of the execution.
    let kept =
        std::fs::read_to_string(world.account.root.join(PRODUCTION).join("executions/run-1.json"))?;
    assert!(!kept.contains(key.trim()) && !kept.contains("sqlite:"));
    Ok(())
}

#[tokio::test]
async fn snapshots_that_cannot_be_used_are_told() -> Result<()> {
    let world = World::new().await?;
    let old = json!({ "database": "shop", "max_age_hours": 0 });
    let run = world.run_with(&WORKFLOW, "run-1", old, &mut Faultless).await?;
    world.ended_badly(run, "Fatal", "its data is 0 hours old").await?;
    // One that is still being taken is none, and waited for by nobody.
    let local = world.account.snapshots()?;
    let stuck =
        Conditions { stuck_snapshots: ["shop-2".to_owned()].into(), ..Conditions::default() };
    local.set_faults(&stuck)?;
    local.delete_snapshot(&world.named("shop-1").await?[0].arn).await?;
    let shop = local.database("shop").await?.context("no shop")?;
    let tags: Tags = [("for".to_owned(), "test".to_owned())].into();
    local.take(&shop.resource_id, "shop-2", &tags).await?;
    world.ended_badly(world.run("run-2").await?, "Fatal", "its status is creating").await
}

#[tokio::test]
async fn of_two_executions_one_coalesces() -> Result<()> {
    let world = World::new().await?;
    let account = world.account.clone();
    let mut second = None;
    let during = || {
        // In the midst of the first one, the second.
        let account = account.clone();
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let input = json!({ "database": "shop" });
            let (mut clock, mut faults) = (Virtual, Faultless);
            let run = account.run_with(&WORKFLOW, "run-2", input, &unseen, &mut clock, &mut faults);
            runtime.expect("a runtime").block_on(run).expect("it runs").end
        });
        second = Some(ended.join().expect("no panic"));
        Fault::None
    };
    let input = json!({ "database": "shop" });
    let first =
        world.run_with(&WORKFLOW, "run-1", input, &mut At("StageSnapshot", Some(during))).await?;
    assert_eq!(succeeded(first)?["released"], true);
    let coalesced = json!({ "released": false, "database": "shop", "running": "run-1" });
    assert_eq!(second, Some(End::Succeeded(coalesced)));
    assert_eq!(world.named("anon-share").await?.len(), 1);
    world.nothing_raw().await
}

#[tokio::test]
async fn a_limit_that_is_reached_ends_the_run_and_leaves_nothing() -> Result<()> {
    let world = World::new().await?;
    let local = world.account.snapshots()?;
    local.set_limits(&Limits { databases: 1, ..Limits::default() })?;
    world.ended_badly(world.run("run-1").await?, "Fatal", "databases").await?;
    for (run, snapshots) in [("run-2", 1), ("run-3", 2)] {
        local.set_limits(&Limits { snapshots, ..Limits::default() })?;
        world.ended_badly(world.run(run).await?, "Fatal", "snapshots").await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_a_stopped_execution_leaves_is_reaped() -> Result<()> {
    let world = World::new().await?;
    for (number, state) in
        ["AwaitRestored", "MaskEach", "AwaitReEncrypted", "CleanUp", "ReleaseLock"]
            .into_iter()
            .enumerate()
    {
        let name = format!("run-{number}");
        let input = json!({ "database": "shop" });
        let stop = At(state, Some(|| Fault::Stop));
        let mut stop = stop;
        let run = world.run_with(&WORKFLOW, &name, input, &mut stop).await?;
        assert_eq!(run.end, End::Stopped, "{state}");
        assert!(world.nothing_at_all().await.is_err(), "{state}: nothing to reap");
        let reaped = world.account.reap(&unseen).await?;
        assert!(matches!(reaped.end, End::Succeeded(_)), "{state}: {:?}", reaped.end);
        world.nothing_at_all().await.with_context(|| state.to_owned())?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_left_of_a_database_that_the_settings_no_longer_know_is_reaped() -> Result<()> {
    let world = World::of(50, true, &["books"]).await?;
    let mut stop = At("AssertIsolated", Some(|| Fault::Stop));
    let run = world.run_with(&WORKFLOW, "run-1", json!({ "database": "shop" }), &mut stop).await?;
    assert_eq!(run.end, End::Stopped);
    world.settings(|settings| drop(settings.databases.remove("shop"))).await?;
    world.account.reap(&unseen).await?;
    world.nothing_raw().await
}

/// Development may have begun to copy it, and finds it by its own schedule.
#[tokio::test]
async fn a_release_that_cannot_be_announced_stands() -> Result<()> {
    let world = World::new().await?;
    let failing = || Fault::Fail(Failure::new("EventBridge.FailedEntry", "no such bus"));
    struct Always<F: Fn() -> Fault>(F);
    impl<F: Fn() -> Fault> Faults for Always<F> {
        fn at(&mut self, state: &str) -> Fault {
            if state == "Announce" { (self.0)() } else { Fault::None }
        }
    }
    let input = json!({ "database": "shop" });
    let run = world.run_with(&WORKFLOW, "run-1", input.clone(), &mut Always(failing)).await?;
    let End::Failed(failure) = run.end else { anyhow::bail!("ended with {:?}", run.end) };
    assert_eq!(failure, Failure::new("EventBridge.FailedEntry", "no such bus"));
    let alarms = serde_json::to_string(&world.account.alarms().list()?)?;
    assert!(alarms.contains("its release stands"), "{alarms}");
    let stop = &mut Always(|| Fault::Stop);
    let run = world.run_with(&WORKFLOW, "run-2", input, stop).await?;
    assert_eq!(run.end, End::Stopped);
    for _ in 0..2 {
        world.account.reap(&unseen).await?;
        world.nothing_raw().await?;
        assert_eq!(world.named("anon-share").await?.len(), 2);
        assert_eq!(world.development()?.shared().await?.len(), 2);
        assert_eq!(world.account.handover().list("releases").await?.len(), 2);
    }
    assert!(world.account.events(DEVELOPMENT).list()?.is_empty(), "it was announced");
    Ok(())
}

#[tokio::test]
async fn the_reaper_leaves_alone_what_runs_and_what_was_released() -> Result<()> {
    let world = World::new().await?;
    succeeded(world.run("run-1").await?)?;
    let account = world.account.clone();
    let reap = || {
        let account = account.clone();
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(account.reap(&unseen)).expect("it runs").end
        });
        assert!(matches!(ended.join(), Ok(End::Succeeded(_))));
        Fault::None
    };
    let input = json!({ "database": "shop" });
    let run = world.run_with(&WORKFLOW, "run-2", input, &mut At("MaskEach", Some(reap))).await?;
    succeeded(run)?;
    world.account.reap(&unseen).await?;
    assert_eq!(world.named("anon-share").await?.len(), 2);
    assert_eq!(world.development()?.shared().await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn the_newest_releases_are_kept() -> Result<()> {
    let world = World::new().await?;
    world.settings(|settings| settings.keep = 2).await?;
    for run in ["run-1", "run-2", "run-3"] {
        succeeded(world.run(run).await?)?;
    }
    let kept: BTreeSet<_> =
        world.named("anon-share").await?.into_iter().map(|snapshot| snapshot.name).collect();
    let expected = ["anon-share-shop-run-2", "anon-share-shop-run-3"].map(str::to_owned);
    assert_eq!(kept, expected.into());
    assert_eq!(world.account.handover().list("releases").await?.len(), 2);
    assert_eq!(world.development()?.shared().await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn development_may_ask_for_one_thing_only() -> Result<()> {
    let world = World::new().await?;
    world.settings(|settings| settings.requests_per_day = 1).await?;
    let bus = world.account.events(PRODUCTION);
    let good = json!({ "database": "shop", "reason": "a bug", "max_age_hours": 24 });
    let asked = async |account: &str, kind: &str, detail: &Value| -> Result<End> {
        bus.put(account, "anonymizer.refresh", kind, detail)?;
        let mut ended = world.account.requests(&unseen).await?;
        ensure!(bus.list()?.is_empty() && ended.len() == 1, "not taken");
        Ok(ended.remove(0).1)
    };
    let refused = |end: End, said: &str| {
        let End::Failed(failure) = end else { anyhow::bail!("ended with {end:?}") };
        ensure!(failure.error == "Refused" && failure.cause.contains(said), "{failure:?}");
        Ok(())
    };
    let kind = "RefreshRequested";
    refused(asked("666666666666", kind, &good).await?, "may not ask")?;
    refused(asked(DEVELOPMENT, "Delete", &good).await?, "another event")?;
    let mut more = good.clone();
    more["command"] = "rm".into();
    refused(asked(DEVELOPMENT, kind, &more).await?, "form")?;
    let mut old = good.clone();
    old["max_age_hours"] = 100_000.into();
    refused(asked(DEVELOPMENT, kind, &old).await?, "maximum age")?;
    let mut other = good.clone();
    other["database"] = "crm".into();
    refused(asked(DEVELOPMENT, kind, &other).await?, "there is not")?;
    let mut silent = good.clone();
    silent["reason"] = "".into();
    refused(asked(DEVELOPMENT, kind, &silent).await?, "no reason")?;
    world.nothing_at_all().await?;
    // The one thing is granted, once a day.
    let end = asked(DEVELOPMENT, kind, &good).await?;
    ensure!(end == End::Succeeded(json!({ "started": true })), "{end:?}");
    assert_eq!(world.named("anon-share").await?.len(), 1);
    refused(asked(DEVELOPMENT, kind, &good).await?, "within 24 hours")?;
    // While a run goes on there is none to be started.
    let world_ = world.account.world().await?;
    let hour = jiff::SignedDuration::from_hours(1);
    world_.locks.acquire("shop", "run-x", hour).await?;
    let end = asked(DEVELOPMENT, kind, &good).await?;
    ensure!(end == End::Succeeded(json!({ "started": false, "running": "run-x" })), "{end:?}");
    Ok(())
}

#[tokio::test]
async fn one_that_fails_does_not_stop_the_fleet_and_fails_it() -> Result<()> {
    let world = World::with(true, &["crm"]).await?;
    world.account.documents().delete("rules/crm/database.sqlite.yaml").await?;
    let run = world.run_with(&FLEET, "fleet-1", json!({}), &mut Faultless).await?;
    let End::Failed(failure) = run.end else { anyhow::bail!("ended with {:?}", run.end) };
    assert!(failure.cause.contains("crm") && !failure.cause.contains("shop"), "{failure:?}");
    assert_eq!(world.named("anon-share-shop").await?.len(), 1);
    let ended: Vec<_> = world.account.executions().list()?.iter().map(|one| one.status).collect();
    assert_eq!(ended.iter().filter(|status| **status == Status::Failed).count(), 2);
    world.nothing_raw().await
}

/// To take over a database is to change its password: a step that is told of another one than its own refuses.
#[tokio::test]
async fn a_step_touches_no_database_but_its_own() -> Result<()> {
    let world = World::new().await?;
    let shop = world.account.snapshots()?.database("shop").await?.context("no shop")?;
    let steps = world.account.world().await?;
    for step in ["AddWriter", "TakeOver", "AssertIsolated"] {
        let input = json!({ "database": "shop", "run": "run-1", "resource_id": shop.resource_id,
                            "kind": "instance", "key": shop.key });
        let error = steps.call(step, input).await.expect_err("it went on");
        ensure!(error.name() == "Refused" && error.cause().contains("not of this run"), "{error}");
    }
    let now = world.account.snapshots()?.database("shop").await?;
    assert_eq!(now.as_ref(), Some(&shop), "it was touched");
    Ok(())
}

/// On AWS the tag is what the right to share hangs on: whatever else is in order, without it nothing is shared.
#[tokio::test]
async fn what_the_gate_has_not_tagged_is_not_shared() -> Result<()> {
    let world = World::new().await?;
    succeeded(world.run("run-1").await?)?;
    let [snapshot] = &world.named("anon-share").await?[..] else {
        anyhow::bail!("not one release")
    };
    let local = world.account.snapshots()?;
    local.share(&snapshot.arn, &[]).await?;
    let tag = |stage: &str| [("anonymizer:stage".to_owned(), stage.to_owned())].into();
    let steps = world.account.world().await?;
    let input = || json!({ "database": "shop", "run": "run-1", "arn": snapshot.arn });
    for (stage, kind) in [("share", "Retryable"), ("stage", "Refused")] {
        local.tag(&snapshot.arn, &tag(stage)).await?;
        let error = steps.call("Share", input()).await.expect_err("it was shared");
        ensure!(error.name() == kind, "{stage}: {error}");
        assert_eq!(local.shared_with(&snapshot.arn).await?, [""; 0]);
    }
    local.tag(&snapshot.arn, &tag("released")).await?;
    steps.call("Share", input()).await?;
    assert_eq!(local.shared_with(&snapshot.arn).await?, [DEVELOPMENT]);
    Ok(())
}
