//! What can break in the middle of a run on PostgreSQL: each time a clear message, a documented exit code, no half-masked
//! unit, and a rerun that finishes with what an undisturbed run would have left.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use contract::exit_codes;
use e2e::command::{Finished, ends_with, finish, scenario, skipped, with_rules};
use e2e::masked::same_lines;
use e2e::postgres::{Database, FAST, Server};
use e2e::rows;

/// Customers of the database whose runs are killed: 306,000 rows in all.
const MANY: u32 = 60_000;
/// Enough for what does not need time.
const FEW: u32 = 1_000;
/// Runs that are killed.
const MOMENTS: u32 = 20;

/// Queries whose answers are `all|of them original` for each unit.
const UNITS: &[&str] = &["customer", "purchase", "visit", "link_1", "link_4", "link_6"];

fn build(server: &Server, customers: u32) -> Result<Database<'_>> {
    let database = server.database("faults")?;
    let script = scenario("faults/schema.sql");
    database.load(&script, &[("customers", &customers.to_string())])?;
    database.query("ANALYZE")?;
    Ok(database)
}

fn rules() -> PathBuf {
    scenario("faults/rules.yaml")
}

fn run(database: &Database<'_>, arguments: &[&str]) -> Result<Finished> {
    finish(with_rules("run", &database.url(), &rules())?.arg("--yes").args(arguments))
}

/// Each unit is wholly original or wholly masked; answers with how many are masked.
fn masked_units(database: &Database<'_>) -> Result<usize> {
    let mut masked = 0;
    for unit in UNITS {
        let counts = database.query(&format!(
            "SELECT count(*), count(*) FILTER (WHERE t::text LIKE '%canary%') FROM {unit} t"
        ))?;
        let (all, original) = counts.trim().split_once('|').context("two counts")?;
        ensure!(original == "0" || original == all, "{unit} is half-masked: {original} of {all}");
        masked += usize::from(original == "0");
    }
    Ok(masked)
}

/// What an undisturbed run leaves, and how long it takes.
struct Undisturbed {
    rows: String,
    schema: String,
    took: Duration,
}

impl Undisturbed {
    fn run_on(server: &Server, original: &Database<'_>) -> Result<Self> {
        let copy = server.copy(original, "undisturbed")?;
        let begun = Instant::now();
        ends_with(&run(&copy, &["--jobs", "2"])?, exit_codes::OK, "")?;
        let took = begun.elapsed();
        ensure!(masked_units(&copy)? == UNITS.len(), "an undisturbed run masks everything");
        Ok(Self { rows: rows::all(&copy)?, schema: copy.schema()?, took })
    }

    fn is_equalled_by(&self, database: &Database<'_>) -> Result<()> {
        same_lines("rows", &self.rows, &rows::all(database)?)?;
        same_lines("schema", &self.schema, &database.schema()?)
    }
}

#[test]
fn killed_at_any_moment() -> Result<()> {
    let server = Server::shared()?;
    let original = build(server, MANY)?;
    let undisturbed = Undisturbed::run_on(server, &original)?;
    let mut whole = undisturbed.took;
    let mut moment = 0;
    while moment < MOMENTS {
        // Somewhere in this moment's share of a whole run.
        let share = (f64::from(moment) + rand::random::<f64>()) / f64::from(MOMENTS);
        let at = whole.mul_f64(share);
        let database = server.copy(&original, "killed")?;
        match run_killed_at(&database, at)? {
            // The machine has less to do than before: this moment comes again, sooner.
            Some(took) => whole = took,
            None => moment += 1,
        }
        let story = || format!("killed after {at:?} of {whole:?}");
        masked_units(&database).with_context(story)?;
        ends_with(&run(&database, &["--jobs", "2"])?, exit_codes::OK, "").with_context(story)?;
        undisturbed.is_equalled_by(&database).with_context(story)?;
    }
    Ok(())
}

/// How long the run took, or `None` where it has been killed in time.
fn run_killed_at(database: &Database<'_>, at: Duration) -> Result<Option<Duration>> {
    let mut command = with_rules("run", &database.url(), &rules())?;
    command.args(["--yes", "--jobs", "2"]).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let mut child = command.spawn()?;
    while begun.elapsed() < at {
        if child.try_wait()?.is_some() {
            return Ok(Some(begun.elapsed()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

#[test]
fn the_server_is_killed_while_it_loads() -> Result<()> {
    if std::env::var_os("ANONYMIZER_TEST_POSTGRES_URL").is_some() {
        skipped("the_server_is_killed_while_it_loads", "the server is not ours to kill");
        return Ok(());
    }
    let mut server = Server::private(FAST)?;
    let (name, undisturbed) = {
        let original = build(&server, MANY / 4)?;
        let undisturbed = Undisturbed::run_on(&server, &original)?;
        (server.copy(&original, "crashed")?.keep(), undisturbed)
    };
    let mut command = with_rules("run", &server.existing(&name).url(), &rules())?;
    command.args(["--yes", "--jobs", "2"]).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut said = BufReader::new(child.stderr.take().context("its messages")?);
    let mut so_far = String::new();
    while !so_far.contains("public.purchase: loading") {
        ensure!(said.read_line(&mut so_far)? > 0, "the run ended before it loaded:\n{so_far}");
    }
    server.kill()?;
    let mut stderr = String::new();
    said.read_to_string(&mut stderr)?;
    let finished = Finished { code: child.wait()?.code(), stdout: String::new(), stderr };
    // Some of its sessions still have the time to say that they are ended.
    ends_with(&finished, exit_codes::TEMPORARY, "the same command with the same key")?;
    server.start()?;
    let database = server.existing(&name);
    masked_units(&database)?;
    ends_with(&run(&database, &["--jobs", "2"])?, exit_codes::OK, "")?;
    undisturbed.is_equalled_by(&database)
}

/// A small file system in memory, gone with the value.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where this process may not mount one.
    fn mount(megabytes: u32) -> Result<Option<Self>> {
        let directory = tempfile::tempdir()?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"]);
        let mounted = mount.arg(directory.path()).stderr(Stdio::null()).status();
        Ok(mounted.is_ok_and(|status| status.success()).then(|| Self(directory)))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "a file system is left mounted");
    }
}

#[test]
fn the_spool_is_full() -> Result<()> {
    let Some(disk) = SmallDisk::mount(8)? else {
        skipped("the_spool_is_full", "this account may not mount a small file system");
        return Ok(());
    };
    let server = Server::shared()?;
    let original = build(server, FEW)?;
    // Takes little room in the table, where it is compressed, and much in the spool.
    original.query("UPDATE purchase SET note = repeat('canary', 5000)")?;
    let undisturbed = Undisturbed::run_on(server, &original)?;
    original.query("VACUUM FULL purchase")?;
    let rules = with_notes_kept()?;
    let small = disk.path().display().to_string();
    let command = |database: &Database<'_>, spool: &str| -> Result<Finished> {
        finish(with_rules("run", &database.url(), rules.path())?.args([
            "--yes",
            "--spool-dir",
            spool,
        ]))
    };
    let database = server.copy(&original, "full")?;
    ends_with(&command(&database, &small)?, exit_codes::TEMPORARY, "no space left for the spool")?;
    let elsewhere = std::env::temp_dir().display().to_string();
    ends_with(&command(&database, &elsewhere)?, exit_codes::OK, "")?;
    same_lines("schema", &undisturbed.schema, &database.schema()?)?;
    assert_eq!(database.query("SELECT count(*) FROM customer WHERE email LIKE 'canary%'")?, "0\n");

    // Where it is plain beforehand that the disk is too small, nothing is begun.
    let database = server.copy(&original, "small")?;
    database
        .query("INSERT INTO link_1 SELECT i, 'canary' || md5(i::text) FROM generate_series(2000, 200000) i")?;
    let refused = command(&database, &small)?;
    ends_with(&refused, exit_codes::REFUSED, "spool directory")?;
    assert_eq!(masked_units(&database).ok(), Some(0));
    Ok(())
}

/// The same rules, but for the long notes, which stay and so go through the spool as they are.
fn with_notes_kept() -> Result<tempfile::NamedTempFile> {
    let text = std::fs::read_to_string(rules())?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), text.replace("note: redact", "note: keep"))?;
    Ok(file)
}

#[test]
fn an_index_refuses_what_no_check_could_know() -> Result<()> {
    let server = Server::shared()?;
    let original = build(server, FEW)?;
    let undisturbed = Undisturbed::run_on(server, &original)?;
    let index = "CREATE UNIQUE INDEX customer_initial ON customer ((name || '!'))";
    original.query_as_master(index)?;
    let database = server.copy(&original, "refused")?;
    let checked = finish(&mut with_rules("check", &database.url(), &rules())?)?;
    ends_with(&checked, exit_codes::OK, "")?;
    ends_with(&run(&database, &["--jobs", "2"])?, exit_codes::UNEXPECTED, "customer_initial")?;
    let masked = masked_units(&database)?;
    assert!(masked < UNITS.len(), "the unit with the index is as it was");

    // In the middle of a run another key, or other rules, would mask some units in another way.
    let mut other_key = with_rules("run", &database.url(), &rules())?;
    let other_key = finish(other_key.arg("--yes").env("ANONYMIZER_KEY", "f".repeat(64)))?;
    ends_with(&other_key, exit_codes::REFUSED, "key")?;
    let other_rules = with_notes_kept()?;
    let mut other_rules = with_rules("run", &database.url(), other_rules.path())?;
    ends_with(&finish(other_rules.arg("--yes"))?, exit_codes::REFUSED, "rules")?;
    assert_eq!(masked_units(&database)?, masked);

    database.query("DROP INDEX customer_initial")?;
    ends_with(&run(&database, &["--jobs", "2"])?, exit_codes::OK, "")?;
    undisturbed.is_equalled_by(&database)
}

#[test]
fn chains_of_keys_do_not_deadlock() -> Result<()> {
    let server = Server::shared()?;
    let original = build(server, FEW)?;
    let undisturbed = Undisturbed::run_on(server, &original)?;
    for _ in 0..3 {
        let database = server.copy(&original, "chained")?;
        ends_with(&run(&database, &["--jobs", "4"])?, exit_codes::OK, "")?;
        undisturbed.is_equalled_by(&database)?;
    }
    Ok(())
}
