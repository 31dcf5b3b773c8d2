//! Whatever fails, takes too long, is called twice, is stopped or is killed, at any state of production's workflow: nothing
//! raw is left, nobody has the lock, and nothing stays released by an execution that did not come to announce it. Nothing is
//! announced that does not stay.
//!
//! The states come from the definition. A state that no run here gets to must say why, so that a new one cannot be forgotten.

mod production;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use orchestrator::clean;
use orchestrator::definitions::WORKFLOW;
use orchestrator::local::{DEVELOPMENT, unseen};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use snapshots::Snapshots as _;
use snapshots::local::{Faults as Conditions, Local};
use tokio::sync::OnceCell;
use workflow::history::What;
use workflow::machine::Kind;
use workflow::run::{Clock, End, Execution, Failure, Fault, Faults};

use crate::production::{World, succeeded};

const CUSTOMERS: i64 = 12;
/// The execution that is disturbed.
const RUN: &str = "run-1";
/// One case in so many is followed by an undisturbed run.
const FOLLOWED: usize = 10;
/// Moments at which masking is killed, each in its own part of the time that masking takes.
const MOMENTS: u32 = 4;

/// What a run must find to get to the states that others pass by.
#[derive(Debug, Default)]
struct Way {
    /// The snapshot is not encrypted, copies take their time, and the container is killed once.
    long: bool,
    /// Another execution has the lock.
    held: bool,
    /// This state fails: the release has to be taken back, or stands and nobody is told.
    fails: Option<&'static str>,
}

static WAYS: [Way; 5] = [
    Way { long: false, held: false, fails: None },
    Way { long: true, held: false, fails: None },
    Way { long: false, held: false, fails: Some("Share") },
    Way { long: false, held: false, fails: Some("Announce") },
    Way { long: false, held: true, fails: None },
];

/// States that none of the ways gets to, and why.
const NEVER: [(&str, &str); 3] = [
    ("PauseForRestored", "describing a database waits here until it is restored"),
    ("PauseForWriter", "a server that is no cluster has its writer at once"),
    ("PauseForPreview", "nobody is asked on one machine who would get at a snapshot"),
];

/// A state, and the first of the ways that gets there.
struct Place {
    state: String,
    way: &'static Way,
    calls: bool,
}

static PLACES: OnceCell<Vec<Place>> = OnceCell::const_new();

/// Every state of the definition.
async fn places() -> Result<&'static [Place]> {
    let find = async || {
        let mut reached = Vec::new();
        for way in &WAYS {
            let run = disturbed(&world(way).await?, way, &mut Disturbance::none(way)).await?;
            let entered: BTreeSet<_> =
                run.history.entered().into_iter().map(str::to_owned).collect();
            reached.push((way, entered));
        }
        let (mut places, mut never) = (Vec::new(), BTreeSet::new());
        for (_, state) in WORKFLOW.machine()?.all_states() {
            match reached.iter().find(|(_, entered)| entered.contains(&state.name)) {
                Some((way, _)) => {
                    let calls = matches!(state.kind, Kind::Task(_));
                    places.push(Place { state: state.name.clone(), way, calls });
                }
                None => drop(never.insert(state.name.clone())),
            }
        }
        let expected: BTreeSet<_> = NEVER.iter().map(|(state, _)| (*state).to_owned()).collect();
        ensure!(never == expected, "no run gets to {never:?}");
        Ok(places)
    };
    Ok(PLACES.get_or_try_init(find).await?)
}

async fn world(way: &Way) -> Result<World> {
    let mut world = World::of(CUSTOMERS, !way.long, &[]).await?;
    // Whatever is reaped is not waited for.
    world.account.speed = u32::MAX;
    if way.long {
        world.script(
            "if [ ! -e \"$HERE/killed\" ]; then touch \"$HERE/killed\"; kill -9 $$; fi\nexec \"$REAL\" \"$@\"",
        )?;
    }
    if way.held {
        let hour = jiff::SignedDuration::from_hours(1);
        world.account.world().await?.locks.acquire("shop", "another", hour).await?;
    }
    Ok(world)
}

/// Does something to a state whenever it is entered.
struct Disturbance {
    state: String,
    fault: Fault,
    way: &'static Way,
    times: u32,
}

impl Disturbance {
    fn none(way: &'static Way) -> Self {
        Self { state: String::new(), fault: Fault::None, way, times: 0 }
    }
}

impl Faults for Disturbance {
    fn at(&mut self, state: &str) -> Fault {
        if state == self.state {
            self.times += 1;
            self.fault.clone()
        } else if self.way.fails == Some(state) {
            failing("Fatal")
        } else {
            Fault::None
        }
    }
}

fn failing(error: &str) -> Fault {
    Fault::Fail(Failure::new(error, "it was made to"))
}

/// Less than this is the time that a call took.
const SHORTEST_PAUSE: Duration = Duration::from_secs(20);

/// Time that passes at once. Snapshots that take their time are there after the first pause that they are waited for.
struct Slow {
    local: Local,
    stuck: BTreeSet<String>,
}

impl Slow {
    async fn on(world: &World, way: &Way) -> Result<Self> {
        let snapshots = ["anon-raw", "anon-stage", "anon-share"];
        let names = snapshots.iter().map(|prefix| format!("{prefix}-shop-{RUN}"));
        let stuck = if way.long { names.collect() } else { BTreeSet::new() };
        let slow = Self { local: world.account.snapshots()?, stuck };
        slow.set()?;
        Ok(slow)
    }

    fn set(&self) -> Result<()> {
        let stuck_snapshots = self.stuck.clone();
        Ok(self.local.set_faults(&Conditions { stuck_snapshots, ..Conditions::default() })?)
    }
}

impl Clock for Slow {
    async fn wait(&mut self, span: Duration) {
        if span < SHORTEST_PAUSE || self.stuck.is_empty() {
            return;
        }
        let begun = self.local.snapshots().await.expect("the account can be described");
        self.stuck.retain(|name| begun.iter().all(|snapshot| snapshot.name != *name));
        self.set().expect("the account can be written");
    }
}

async fn disturbed(world: &World, way: &Way, faults: &mut Disturbance) -> Result<Execution> {
    let mut clock = Slow::on(world, way).await?;
    let input = json!({ "database": "shop" });
    world.account.run_with(&WORKFLOW, RUN, input, &unseen, &mut clock, faults).await
}

/// Everything that the account has, by name.
async fn inventory(world: &World) -> Result<BTreeMap<String, String>> {
    let local = world.account.snapshots()?;
    let databases = local.databases().await?.into_iter().map(|one| (one.name, one.status));
    let snapshots = local.snapshots().await?.into_iter().map(|one| (one.name, one.status));
    Ok(databases.chain(snapshots).collect())
}

async fn reap(world: &World) -> Result<BTreeMap<String, String>> {
    succeeded(world.account.reap(&unseen).await?).context("reap")?;
    inventory(world).await
}

/// What has to hold once a run has ended, whatever was done to it.
async fn holds(world: &World, released: bool) -> Result<()> {
    let left = reap(world).await?;
    ensure!(reap(world).await? == left, "reaped twice is not reaped once");
    for _ in 0..2 {
        let more = clean::clean(&world.account.world().await?, RUN, !released).await;
        ensure!(more.as_ref().is_ok_and(Vec::is_empty), "cleaned once more: {more:?}");
    }
    ensure!(inventory(world).await? == left, "cleaning once more did something");
    // What was there before is.
    for name in ["shop", "shop-1"] {
        ensure!(left.get(name).is_some_and(|status| status == "available"), "{name}: {left:?}");
    }
    if !released {
        return world.nothing_at_all().await;
    }
    world.nothing_raw().await?;
    let [snapshot] = &world.named("anon-share").await?[..] else { bail!("{left:?}") };
    let shared = world.account.snapshots()?.shared_with(&snapshot.arn).await?;
    ensure!(shared == [DEVELOPMENT], "shared with {shared:?}");
    let statements = world.account.handover().list("releases").await?;
    ensure!(statements.len() == 1, "{statements:?}");
    Ok(())
}

/// One case: a fault at a state.
async fn case(place: &Place, fault: &Fault, followed: bool) -> Result<()> {
    let Place { state, way, .. } = place;
    let world = world(way).await?;
    let mut faults = Disturbance { state: state.clone(), fault: fault.clone(), way, times: 0 };
    let run = disturbed(&world, way, &mut faults).await?;
    ensure!(faults.times > 0, "the run did not get there: {:?}", run.history.entered());
    let well = matches!(run.end, End::Succeeded(_));
    let expected = *fault == Fault::Repeat && way.fails.is_none();
    ensure!(well == expected, "ended with {:?}", run.end);
    if way.held {
        world.account.world().await?.locks.release("shop", "another").await?;
    }
    // Whoever is told of a release copies it: from there on nothing takes it back.
    let stands = run.history.entered().contains(&"Announce");
    let told = world.account.events(DEVELOPMENT).list()?.len();
    ensure!(stands || told == 0, "announced, and taken back");
    ensure!(!well || told > 0 || way.held, "released, and not announced");
    holds(&world, stands).await?;
    if followed {
        let next = succeeded(world.run("run-2").await?).context("the next run")?;
        ensure!(next["released"] == true, "the next run: {next}");
        world.nothing_raw().await?;
    }
    Ok(())
}

/// A fault at each of these places. Every case that does not hold is told, not only the first.
async fn each(what: &str, fault: Fault, calls_only: bool) -> Result<()> {
    let places = places().await?.iter().filter(|place| place.calls || !calls_only);
    let (begun, mut count, mut wrong) = (Instant::now(), 0, Vec::new());
    for place in places {
        if let Err(error) = case(place, &fault, count % FOLLOWED == 0).await {
            wrong.push(format!("{}: {error:#}", place.state));
        }
        count += 1;
    }
    told(what, count, begun);
    ensure!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

/// Past the test runner's capture.
fn told(what: &str, cases: usize, begun: Instant) {
    // Nobody to tell is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{what}: {cases} cases in {:.1?}", begun.elapsed());
}

#[tokio::test]
async fn any_call_can_fail() -> Result<()> {
    each("fails", failing("Fatal"), true).await
}

#[tokio::test]
async fn any_call_can_fail_again_and_again() -> Result<()> {
    each("fails, again and again", failing("Retryable"), true).await
}

#[tokio::test]
async fn any_call_can_take_too_long() -> Result<()> {
    each("takes too long", Fault::TimeOut, true).await
}

#[tokio::test]
async fn any_call_can_be_made_twice() -> Result<()> {
    each("is called twice", Fault::Repeat, true).await
}

#[tokio::test]
async fn an_execution_can_be_stopped_at_any_state() -> Result<()> {
    each("is stopped", Fault::Stop, false).await
}

/// How long masking takes when nobody disturbs it.
async fn span() -> Result<Duration> {
    let way = &WAYS[0];
    let run = disturbed(&world(way).await?, way, &mut Disturbance::none(way)).await?;
    let at = |what: What| {
        let mut events = run.history.events.iter();
        events.find(|event| event.state == "Anonymize" && event.what == what).map(|event| event.at)
    };
    let (entered, exited) = (at(What::Entered), at(What::Exited));
    exited.zip(entered).map(|(exited, entered)| exited - entered).context("nothing was masked")
}

#[tokio::test]
async fn masking_can_be_killed_at_any_moment() -> Result<()> {
    let (begun, span, seed) = (Instant::now(), span().await?, rand::rng().random());
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut count, mut killed) = (0, 0);
    for part in 0..MOMENTS {
        let moment = span * part / MOMENTS + span.mul_f64(rng.random::<f64>()) / MOMENTS;
        for stopped in [false, true] {
            let told = || format!("seed {seed}, {moment:.3?} of {span:.3?}, stopped: {stopped}");
            killed += u32::from(killed_at(moment, stopped).await.with_context(told)?);
            count += 1;
        }
    }
    told("is killed", count, begun);
    ensure!(killed > 0, "masking was never killed before its end");
    Ok(())
}

/// Kills masking once, that long after it has begun; then it goes on, or its execution is stopped. Whether there was anything
/// left to kill.
async fn killed_at(moment: Duration, stopped: bool) -> Result<bool> {
    let way = &WAYS[0];
    let mut world = world(way).await?;
    world.script(&format!(
        "[ -e \"$HERE/killed\" ] && exec \"$REAL\" \"$@\"\ntouch \"$HERE/killed\"\n\
         \"$REAL\" \"$@\" &\nsleep {:.4}\nkill -9 $!\nwait $!",
        moment.as_secs_f64()
    ))?;
    let state = if stopped { "Resume" } else { "" };
    let mut faults = Disturbance { state: state.into(), fault: Fault::Stop, way, times: 0 };
    let run = disturbed(&world, way, &mut faults).await?;
    let killed = run.history.entered().contains(&"Resume");
    let well = !(killed && stopped);
    ensure!(matches!(run.end, End::Succeeded(_)) == well, "ended with {:?}", run.end);
    holds(&world, well).await?;
    if let [snapshot] = &world.named("anon-share").await?[..] {
        world.masked_in_development(snapshot).await?;
    }
    Ok(killed)
}
