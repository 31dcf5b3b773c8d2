//! `make bench`: a masking run beside what the storage allows, in one run, interleaved, as ratios of medians.
//!
//! Against each other: ours, the whole command with its statistics; (a) the passthrough limit, binary COPY piped from the
//! table into a new one, then its keys and indexes; (b) `VACUUM FULL` of the same tables; (c) plain `UPDATE` with SQL
//! expressions, then `VACUUM FULL`. Each starts from a fresh copy of the same database on a private server. The leak gate is
//! set beside a plain `COPY … TO STDOUT` of the tables it has read, all at a time as it reads them. It may find nothing: there
//! is nothing to find, and a false alarm ends the benchmark.

#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anonymizer::mask::draws::Draws;
use anonymizer::mask::key::Keyring;
use anonymizer::value::Value;
use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use contract::report::Report;
use contract::statement::Statement;
use e2e::command::{KEY, scenario};
use e2e::postgres::{Database, Server};

/// Masking against the limits of the storage.
#[derive(Parser)]
struct Options {
    /// Rows of the first table.
    #[arg(long, default_value_t = 1_000_000)]
    customers: u64,
    /// Rows of the second table.
    #[arg(long, default_value_t = 3_000_000)]
    orders: u64,
    /// Runs of each variant.
    #[arg(long, default_value_t = 3)]
    repeat: usize,
    /// Runs of the slow variant (c).
    #[arg(long, default_value_t = 1)]
    repeat_update: usize,
    /// Compare the peak memory at this many customers too; 0 leaves it out.
    #[arg(long, default_value_t = 5_000_000)]
    memory_customers: u64,
}

/// A server as one would set it up on this machine: durable, with room for index builds.
const SETTINGS: &[&str] = &[
    "shared_buffers=2GB",
    "maintenance_work_mem=512MB",
    "work_mem=64MB",
    "max_wal_size=16GB",
    "checkpoint_timeout=30min",
    "wal_level=replica",
];

/// What one run of ours cost.
struct Cost {
    wall: Duration,
    /// The command's own processor time as it went on: at which moment, how much.
    processor: Vec<(Duration, Duration)>,
    peak_kib: u64,
    report: Report,
    /// Reading the same tables with COPY.
    copy: Duration,
}

impl Cost {
    fn masked_values(&self) -> u64 {
        let columns = self.report.tables.iter().flat_map(|table| &table.columns);
        let masked = columns.filter(|column| column.class != "keep");
        masked.map(|column| column.values - column.nulls).sum()
    }

    /// Processor time of the masking, and of all of it.
    fn processor(&self) -> (Duration, Duration) {
        let until = self.masking();
        let masking = self.processor.iter().take_while(|(moment, _)| *moment <= until).last();
        let used = |sample: Option<&(Duration, Duration)>| sample.map_or(Duration::ZERO, |s| s.1);
        (used(masking), used(self.processor.last()))
    }

    /// The run without what it does after masking: scrub and gate.
    fn masking(&self) -> Duration {
        let after = self
            .report
            .phases
            .iter()
            .filter(|phase| ["scrub", "verify"].contains(&phase.name.as_str()));
        self.wall.saturating_sub(Duration::from_secs_f64(after.map(|phase| phase.seconds).sum()))
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let server = Server::private(SETTINGS)?;
    println!(
        "{} customers × {} orders, {} cores",
        options.customers,
        options.orders,
        std::thread::available_parallelism()?
    );
    let small = shop(&server, options.customers, options.orders)?;
    let (mut ours, mut pass, mut vacuum, mut update) = (vec![], vec![], vec![], vec![]);
    for round in 0..options.repeat {
        ours.push(mask(&server.copy(&small, "ours")?)?);
        pass.push(timed(&server.copy(&small, "pass")?, passthrough)?);
        vacuum.push(timed(&server.copy(&small, "vacuum")?, |database| {
            sql(database, "VACUUM FULL customers", Stdio::null())
                .and_then(|()| sql(database, "VACUUM FULL orders", Stdio::null()))
        })?);
        if round < options.repeat_update {
            update.push(timed(&server.copy(&small, "update")?, |database| {
                database.load(&scenario("bench/update.sql"), &[])
            })?);
        }
    }
    report(&options, &ours, &pass, &vacuum, &update);
    if options.memory_customers > 0 {
        drop(small);
        let large = shop(&server, options.memory_customers, options.orders)?;
        let cost = mask(&server.copy(&large, "large")?)?;
        let peak = ours.iter().map(|cost| cost.peak_kib).max().context("no run")?;
        println!(
            "peak memory at {} customers, {:.1} M originals: {} MiB (target ≤ 400 at 10 M), {:.2} of that above (target ≤ 1.10)",
            options.memory_customers,
            cost.report.gate.originals as f64 / 1e6,
            cost.peak_kib >> 10,
            cost.peak_kib as f64 / peak as f64
        );
    }
    Ok(())
}

fn shop(server: &Server, customers: u64, orders: u64) -> Result<Database<'_>> {
    let shop = server.database("shop")?;
    let variables = [("customers", customers.to_string()), ("orders", orders.to_string())];
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    shop.load(&scenario("bench/shop.sql"), &variables)?;
    Ok(shop)
}

/// The wall time of a piece of work on a database that starts from a clean checkpoint.
fn timed(
    database: &Database<'_>,
    work: impl FnOnce(&Database<'_>) -> Result<()>,
) -> Result<Duration> {
    database.query("CHECKPOINT")?;
    let started = Instant::now();
    work(database)?;
    Ok(started.elapsed())
}

/// The whole command, default `--jobs`.
fn mask(database: &Database<'_>) -> Result<Cost> {
    database.query("CHECKPOINT")?;
    let report = tempfile::tempdir()?;
    let executable = std::env::current_exe()?.with_file_name("anonymizer");
    let started = Instant::now();
    let mut child = Command::new(executable)
        .args(["run", "--yes", "--database-url", &database.url(), "--rules"])
        .arg(scenario("bench/rules.yaml"))
        .arg("--report")
        .arg(report.path())
        .env("ANONYMIZER_KEY", KEY)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("anonymizer is not built beside this benchmark")?;
    let (mut peak_kib, mut processor) = (0, Vec::new());
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        peak_kib = peak(child.id()).unwrap_or(peak_kib);
        processor.extend(processor_time(child.id()).map(|used| (started.elapsed(), used)));
        std::thread::sleep(Duration::from_millis(10));
    };
    let wall = started.elapsed();
    let report = read_report(&report.path().join("report.json"))
        .with_context(|| format!("anonymizer failed: {status}"))?;
    no_false_alarm(&report)?;
    ensure!(status.success(), "anonymizer failed: {status}");
    Ok(Cost { wall, processor, peak_kib, report, copy: timed(database, copy_out)? })
}

fn read_report(path: &Path) -> Result<Report> {
    Ok(Statement::read(&std::fs::read(path)?)?.predicate)
}

/// No value of the shop is in two columns of which one is kept.
fn no_false_alarm(report: &Report) -> Result<()> {
    let gate = &report.gate;
    ensure!(gate.originals > 0 && gate.values > 0, "the gate has looked for nothing");
    let leaks =
        gate.leaks.iter().map(|leak| format!("{} ({}, {})", leak.place, leak.kind, leak.count));
    let suspects = gate.suspects.iter().map(|one| format!("{} ({}, kept)", one.column, one.kind));
    let alarms: Vec<String> = leaks.chain(suspects).collect();
    ensure!(alarms.is_empty(), "false alarms: {}", alarms.join(", "));
    Ok(())
}

/// Every row of every table, as text, to nobody.
fn copy_out(database: &Database<'_>) -> Result<()> {
    let mut running = Vec::new();
    for table in ["customers", "orders"] {
        let mut copy = psql(database, &[&format!("COPY {table} TO STDOUT")]);
        running.push(copy.stdout(Stdio::null()).spawn()?);
    }
    for mut copy in running {
        ensure!(copy.wait()?.success(), "COPY failed");
    }
    Ok(())
}

/// The kernel's own high-water mark.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// User and system time; a tick is 10 ms on every Linux this runs on.
fn processor_time(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

/// The limit: rows out of the server and in again, untouched, then everything that hangs on them.
fn passthrough(database: &Database<'_>) -> Result<()> {
    for table in ["customers", "orders"] {
        let mut out = psql(database, &[&format!("COPY {table} TO STDOUT (FORMAT binary)")])
            .stdout(Stdio::piped())
            .spawn()?;
        let rows = out.stdout.take().context("no pipe")?;
        let status = psql(
            database,
            &[
                "BEGIN",
                &format!("CREATE TABLE new_{table} (LIKE {table} INCLUDING DEFAULTS)"),
                &format!("COPY new_{table} FROM STDIN (FORMAT binary, FREEZE)"),
                "COMMIT",
            ],
        )
        .stdin(rows)
        .status()?;
        ensure!(out.wait()?.success() && status.success(), "the passthrough of {table} failed");
    }
    let swap = "DROP TABLE orders, customers; ALTER TABLE new_customers RENAME TO customers; ALTER TABLE new_orders RENAME TO orders";
    sql(database, swap, Stdio::null())?;
    database.load(&scenario("bench/indexes.sql"), &[])
}

fn sql(database: &Database<'_>, statement: &str, stdin: Stdio) -> Result<()> {
    let status = psql(database, &[statement]).stdin(stdin).status()?;
    ensure!(status.success(), "psql failed: {status}");
    Ok(())
}

fn psql(database: &Database<'_>, statements: &[&str]) -> Command {
    let mut command = Command::new("psql");
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &database.url()]);
    for statement in statements {
        command.args(["-c", statement]);
    }
    command
}

fn report(
    options: &Options,
    ours: &[Cost],
    pass: &[Duration],
    vacuum: &[Duration],
    update: &[Duration],
) {
    let walls: Vec<Duration> = ours.iter().map(|cost| cost.wall).collect();
    let mine = median(&walls);
    let masking: Vec<Duration> = ours.iter().map(Cost::masking).collect();
    let line = |name: &str, times: &[Duration], ratio: f64, target: &str| {
        let list: Vec<String> =
            times.iter().map(|time| format!("{:.1}", time.as_secs_f64())).collect();
        println!(
            "{name:<47} {:>6.1} s   ratio {ratio:>5.2}  {target:<9} [{}]",
            median(times),
            list.join(" ")
        );
    };
    let alone = median(&masking);
    line("ours, with statistics, scrub and leak gate", &walls, 1.0, "");
    line("ours without scrub and gate; ratio to the whole", &masking, alone / mine, "");
    line("(a) passthrough: COPY | COPY, keys, indexes", pass, mine / median(pass), "≤ 1.50");
    line("    the same; ratio without scrub and gate", pass, alone / median(pass), "≤ 1.25");
    line("(b) VACUUM FULL; ratio without scrub and gate", vacuum, alone / median(vacuum), "≤ 1.35");
    if !update.is_empty() {
        line("(c) UPDATE, VACUUM FULL; ratio (c) / ours", update, median(update) / mine, "≥ 5");
    }
    let gate: Vec<Duration> =
        ours.iter().map(|cost| Duration::from_secs_f64(cost.report.gate.seconds)).collect();
    let copy: Vec<Duration> = ours.iter().map(|cost| cost.copy).collect();
    line("leak gate; ratio COPY TO STDOUT / gate", &gate, median(&copy) / median(&gate), "≥ 0.50");
    line("COPY TO STDOUT of the same tables", &copy, 1.0, "");
    let Some(last) = ours.last() else { return };
    let (masking, whole) = last.processor();
    let (found, bytes) = (&last.report.gate, last.report.gate.bytes as f64);
    println!(
        "the gate looked for {} originals in {} values, {:.0} MB at {:.0} MB/s; filter wrong in {:.1e}; false alarms: none",
        found.originals,
        found.values,
        bytes / 1e6,
        bytes / 1e6 / found.seconds,
        found.false_positive_rate
    );
    println!(
        "{:.0} rows/s; {:.2} M masked values/s; client processor time {:.3} µs per masked value (target ≤ 0.25), {:.3} µs with scrub and gate",
        (options.customers + options.orders) as f64 / mine,
        last.masked_values() as f64 / mine / 1e6,
        masking.as_secs_f64() * 1e6 / last.masked_values() as f64,
        whole.as_secs_f64() * 1e6 / last.masked_values() as f64
    );
    let (alone, together) = draw_cost();
    println!(
        "a keyed draw (HMAC-SHA-256) costs {:.3} µs on this processor, drawn together with others {:.3} µs",
        alone.as_secs_f64() * 1e6,
        together.as_secs_f64() * 1e6
    );
    let peak = ours.iter().map(|cost| cost.peak_kib).max().unwrap_or_default();
    println!("peak memory {} MiB (target ≤ 200)", peak >> 10);
}

/// What the client cannot do without, a HMAC per masked value: one by one, and many together.
fn draw_cost() -> (Duration, Duration) {
    const DRAWS: u32 = 1_000_000;
    let subkey = Keyring::ephemeral().subkey("");
    let started = Instant::now();
    for value in 0..DRAWS {
        std::hint::black_box(subkey.draw("benchmark", &Value::Int(value.into())));
    }
    let alone = started.elapsed();
    let mut draws = Draws::default();
    let started = Instant::now();
    for batch in 0..DRAWS / 1000 {
        draws.clear();
        for value in 0..1000 {
            draws.ask(&subkey, "benchmark", &Value::Int((batch * 1000 + value).into()));
        }
        draws.compute();
        std::hint::black_box(&draws);
    }
    (alone / DRAWS, started.elapsed() / DRAWS)
}

/// Seconds.
fn median(times: &[Duration]) -> f64 {
    let mut seconds: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
