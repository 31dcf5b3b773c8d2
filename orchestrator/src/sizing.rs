//! How large a temporary database and its container must be, and how long a run takes: from a database's size, or from what the
//! last run has measured. Pure: it asks nobody, and knows no price but those it is given.
//!
//! The rates of rewriting were measured on two cores with everything in memory (rows out, masked, `COPY … FREEZE` back, nine
//! indexes and a foreign key). Those of the platform are assumptions, meant to be too long rather than too short; what the last
//! run has measured takes their place.

use serde::{Deserialize, Serialize};

/// Megabytes in a gigabyte, as everything here is counted.
const MB: f64 = 1024.0;
/// Measured: heap and indexes rewritten in a second by two cores of the server, 1,036 MB in 13.5 s, and 6 % for doing it in place.
const REWRITE_PER_CORE: f64 = 36.0;
/// Beyond so many cores more of them change little: the largest table has one writer.
const CORES_THAT_HELP: f64 = 8.0;
/// Measured: one connection reads 240 MB/s; what the gate makes of it on a container's core is half of that.
const GATE_PER_CORE: f64 = 120.0;
/// Assumed: what a volume that was restored gives at its first touch, MB/s. It is fetched from the snapshot's storage then.
const FIRST_TOUCH: f64 = 60.0;
/// gp3 as RDS has it, MB/s: below and from 400 GB. Every rewritten byte is read once, written once, and once into the log.
const VOLUME_BELOW: f64 = 125.0;
const VOLUME_FROM: f64 = 500.0;
const VOLUME_BORDER: f64 = 400.0;
const PASSES: f64 = 3.0;
/// Assumed: taking a snapshot of which everything has changed, and copying one under another key, MB/s.
const SNAPSHOT: f64 = 100.0;
/// A small instance restored, taken over and restarted: 1,485 s in the tests of Terraform's provider, deletion included.
const RESTORE: f64 = 1_200.0;
const SETTLE: f64 = 300.0;
const DELETE: f64 = 600.0;
/// Measured: of a database with the usual indexes so much is rows, and only rows go through the container.
const ROWS: f64 = 0.65;
/// Assumed: fingerprints of originals, 16 bytes each, by the size of everything.
const FINGERPRINTS: f64 = 0.05;
/// What is measured may be longer the next time.
const GROWTH: f64 = 1.2;
/// How long masking shall take at most, where a larger class can do something about it.
const LONGEST_MASKING: f64 = 8.0 * 3600.0;

/// A database, as far as it decides the size of everything.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// What it holds: rows and indexes. The allocated storage, where nobody knows better.
    pub gigabytes: f64,
    /// Storage that is allocated: a restored database has as much and cannot have less.
    pub allocated: f64,
    /// Share of it that is in its largest table.
    pub largest: f64,
    /// What the last run has measured.
    pub last: Option<Measured>,
}

impl Load {
    /// Of a database of which only the allocated storage is known.
    pub fn allocated(gigabytes: f64) -> Self {
        Self { gigabytes, allocated: gigabytes, largest: 0.5, last: None }
    }
}

/// What a run's report says about time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// From its start to its verdict.
    pub seconds: f64,
    /// Share of the rows' values that are in the largest table.
    pub largest: f64,
    /// Gigabytes of values that the gate has read.
    pub read: f64,
}

impl Measured {
    /// From a report. Tables have rows and columns there and no bytes: a table's share is that of its values.
    pub fn of(report: &contract::report::Report) -> Self {
        let values =
            |table: &contract::report::TableReport| table.rows as f64 * table.columns.len() as f64;
        let all: f64 = report.tables.iter().map(values).sum();
        let most = report.tables.iter().map(values).fold(0.0, f64::max);
        Self {
            seconds: report.phases.iter().map(|phase| phase.seconds).sum(),
            largest: if all > 0.0 { most / all } else { 1.0 },
            read: report.gate.bytes as f64 / (MB * MB * MB),
        }
    }

    /// Of two databases of a server, which are masked one after the other.
    pub fn and(self, other: Self) -> Self {
        Self {
            seconds: self.seconds + other.seconds,
            largest: self.largest.max(other.largest),
            read: self.read + other.read,
        }
    }
}

/// A class of instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// As the settings name it.
    pub name: &'static str,
    /// Virtual processors.
    pub cores: u32,
    /// GB.
    pub memory: u32,
}

/// The classes that are proposed, the smallest first. The memory holds what an index of a large table is sorted in.
pub const CLASSES: [Class; 4] = [
    Class { name: "db.r6g.large", cores: 2, memory: 16 },
    Class { name: "db.r6g.xlarge", cores: 4, memory: 32 },
    Class { name: "db.r6g.2xlarge", cores: 8, memory: 64 },
    Class { name: "db.r6g.4xlarge", cores: 16, memory: 128 },
];

/// CPU units and the MB of memory that Fargate offers with them, least and most, and in steps of how many.
const FARGATE: [(u32, u32, u32, u32); 4] = [
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
];
/// Ephemeral storage of a task, GB.
const DISK: (f64, f64) = (21.0, 200.0);

/// What to put into settings and parameters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Size {
    /// `class` of the restored database.
    pub class: &'static str,
    /// Storage it has, GB.
    pub storage: f64,
    /// Tables at a time: `--jobs`.
    pub jobs: u32,
    /// The task's CPU units.
    pub cpu: u32,
    /// The task's memory, MB.
    pub memory: u32,
    /// The task's ephemeral storage, GB: tables being masked, and the fingerprints of originals.
    pub disk: u32,
    /// More than a task can have: as many GB would be needed.
    pub too_large: Option<u32>,
}

/// Seconds, state by state.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Times {
    /// Copying an unencrypted snapshot under a key first; not in the sum.
    pub encrypt: f64,
    /// Until the restored database is isolated.
    pub restore: f64,
    /// The container.
    pub mask: f64,
    /// Taking the snapshot.
    pub take: f64,
    /// Copying it under the key for others.
    pub copy: f64,
    /// Until nothing is left.
    pub delete: f64,
}

impl Times {
    /// A whole run of an encrypted database.
    pub fn all(&self) -> f64 {
        self.restore + self.mask + self.take + self.copy + self.delete
    }

    /// As long as the temporary database is paid for.
    pub fn database(&self) -> f64 {
        self.restore + self.mask + self.take + self.copy
    }
}

/// The size that does it, and how long it takes.
pub fn size(load: &Load) -> (Size, Times) {
    let fits = |class: &&Class| masking(load, class) <= LONGEST_MASKING;
    let last = &CLASSES[CLASSES.len() - 1];
    // A larger class that is no faster is not worth its price.
    let best = CLASSES.iter().find(fits).unwrap_or_else(|| {
        let least = masking(load, last);
        CLASSES.iter().find(|class| masking(load, class) <= least * 1.05).unwrap_or(last)
    });
    let jobs = (best.cores / 2).clamp(1, 4);
    // The container is busy for a quarter of what the server is; the gate takes what it can get.
    let (cpu, memory) = task(best.cores.div_ceil(4).max(1), 2048 + 1024 * jobs);
    let disk = disk(load, jobs);
    let size = Size {
        class: best.name,
        storage: load.allocated.ceil(),
        jobs,
        cpu,
        memory,
        disk: disk.clamp(DISK.0, DISK.1) as u32,
        too_large: (disk > DISK.1).then_some(disk as u32),
    };
    (size, times(load, best))
}

/// The smallest task with so many cores and so much memory.
fn task(cores: u32, memory: u32) -> (u32, u32) {
    let fits = |(cpu, _, most, _): &&(u32, u32, u32, u32)| *cpu >= cores * 1024 && *most >= memory;
    let (cpu, least, most, step) = FARGATE.iter().find(fits).copied().unwrap_or(FARGATE[3]);
    (cpu, memory.max(least).next_multiple_of(step).min(most))
}

/// The rows of the tables that are on their way, the fingerprints of originals, and room to work.
fn disk(load: &Load, jobs: u32) -> f64 {
    let largest = load.last.map_or(load.largest, |last| last.largest);
    let held = load.last.map_or(load.gigabytes, |last| load.gigabytes.min(last.read * 2.0));
    // One is the largest; each of the others is at most what is left.
    let under_way = (largest * f64::from(jobs)).min(1.0);
    (held * ROWS * under_way * GROWTH + held * FINGERPRINTS + 5.0).ceil()
}

fn times(load: &Load, class: &Class) -> Times {
    let bytes = load.gigabytes * MB;
    let copy = SETTLE + bytes / SNAPSHOT;
    Times {
        encrypt: copy,
        restore: RESTORE,
        mask: masking(load, class),
        take: copy,
        copy,
        delete: DELETE,
    }
}

/// The container's time: what was measured, or reading for the first time, rewriting, and the search.
fn masking(load: &Load, class: &Class) -> f64 {
    if let Some(last) = load.last {
        return last.seconds * GROWTH;
    }
    let volume = if load.allocated < VOLUME_BORDER { VOLUME_BELOW } else { VOLUME_FROM };
    let cores = f64::from(class.cores).min(CORES_THAT_HELP);
    let rewrite = (REWRITE_PER_CORE * cores).min(volume / PASSES);
    let gate = (GATE_PER_CORE * (cores / 4.0).max(1.0)).min(volume);
    let bytes = load.gigabytes * MB;
    SETTLE + bytes / FIRST_TOUCH + bytes / rewrite + bytes / gate
}

/// What things cost. Nobody here knows: these are given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The unit, for the answer: `USD`.
    pub currency: String,
    /// An hour of an instance, by class.
    pub instance_hour: std::collections::BTreeMap<String, f64>,
    /// A gigabyte of a database's storage for a month.
    pub storage_month: f64,
    /// A gigabyte of a snapshot for a month.
    pub snapshot_month: f64,
    /// An hour of one of the task's processors.
    pub cpu_hour: f64,
    /// An hour of a gigabyte of the task's memory.
    pub memory_hour: f64,
    /// An hour of a gigabyte of the task's disk beyond 20.
    pub disk_hour: f64,
    /// Everything that is asked of functions, state machines and keys in a run.
    pub requests: f64,
}

/// Hours of a month, as prices are told.
const MONTH: f64 = 730.0;

/// What one run costs, with so many releases that are kept for a week each; nothing for a class without a price.
pub fn cost(size: &Size, times: &Times, load: &Load, keep: usize, prices: &Prices) -> Option<f64> {
    let database = times.database() / 3600.0;
    let task = times.mask / 3600.0;
    let instance = prices.instance_hour.get(size.class)? * database;
    let storage = size.storage * prices.storage_month * database / MONTH;
    // One taken that goes at the end, and this run's share of those that are kept: as many weeks.
    let week = 7.0 * 24.0 / MONTH;
    let snapshots =
        load.gigabytes * prices.snapshot_month * (keep as f64 * week + database / MONTH);
    let container = task
        * (f64::from(size.cpu) / 1024.0 * prices.cpu_hour
            + f64::from(size.memory) / MB * prices.memory_hour
            + f64::from(size.disk.saturating_sub(20)) * prices.disk_hour);
    Some(instance + storage + snapshots + container + prices.requests)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sized(gigabytes: f64) -> (Size, Times) {
        size(&Load::allocated(gigabytes))
    }

    #[test]
    fn a_larger_database_gets_no_less_and_takes_no_less() {
        let mut last = sized(1.0);
        for gigabytes in [5.0, 20.0, 100.0, 399.0, 400.0, 800.0, 2_000.0, 10_000.0] {
            let now = sized(gigabytes);
            assert!(now.0.disk >= last.0.disk && now.0.storage >= last.0.storage, "{gigabytes}");
            assert!(now.1.copy >= last.1.copy && now.1.take >= last.1.take, "{gigabytes}");
            last = now;
        }
    }

    #[test]
    fn a_small_database_is_masked_on_the_smallest_of_everything() {
        let (size, times) = sized(10.0);
        assert_eq!((size.class, size.jobs, size.cpu, size.memory), ("db.r6g.large", 1, 1024, 3072));
        assert_eq!((size.disk, size.too_large), (21, None));
        assert!((2_000.0..4_500.0).contains(&times.all()), "{times:?}");
    }

    #[test]
    fn a_larger_class_is_taken_only_where_it_is_faster() {
        // Below 400 GB the volume is slower than two cores: nothing is gained by four.
        assert_eq!(sized(390.0).0.class, "db.r6g.large");
        let (size, times) = sized(800.0);
        assert_ne!(size.class, "db.r6g.large");
        assert!(times.mask < size_on_the_smallest(800.0), "{times:?}");
    }

    fn size_on_the_smallest(gigabytes: f64) -> f64 {
        masking(&Load::allocated(gigabytes), &CLASSES[0])
    }

    #[test]
    fn what_was_measured_counts_more_than_what_is_assumed() {
        let last = Measured { seconds: 1_000.0, largest: 0.2, read: 30.0 };
        let load = Load { last: Some(last), ..Load::allocated(500.0) };
        let (size, times) = size(&load);
        assert_eq!((times.mask, size.class), (1_200.0, "db.r6g.large"));
        assert!(size.disk < sized(500.0).0.disk);
    }

    #[test]
    fn a_disk_that_no_task_can_have_is_told() {
        assert_eq!(sized(100.0).0.too_large, None);
        let (size, _) = sized(2_000.0);
        assert_eq!(size.disk, 200);
        assert!(size.too_large.is_some_and(|needed| needed > 1_000));
    }

    #[test]
    fn a_task_is_one_that_fargate_has() {
        assert_eq!(task(1, 2048), (1024, 2048));
        assert_eq!(task(1, 9000), (2048, 9216));
        assert_eq!(task(3, 6144), (4096, 8192));
        assert_eq!(task(8, 17_000), (8192, 20_480));
    }

    #[test]
    fn what_it_costs_follows_from_prices_that_are_given() {
        let prices: Prices = serde_json::from_str(
            r#"{ "currency": "EUR", "instance_hour": { "db.r6g.large": 0.3 }, "storage_month": 0.1,
                 "snapshot_month": 0.1, "cpu_hour": 0.04, "memory_hour": 0.005, "disk_hour": 0.0001,
                 "requests": 0.1 }"#,
        )
        .unwrap();
        let load = Load::allocated(100.0);
        let (size, times) = size(&load);
        let three = cost(&size, &times, &load, 3, &prices).unwrap();
        let four = cost(&size, &times, &load, 4, &prices).unwrap();
        // A release more: 100 GB for a week.
        assert!((four - three - 100.0 * 0.1 * 168.0 / 730.0).abs() < 1e-9);
        assert!((times.database() / 3600.0 * 0.3..20.0).contains(&three), "{three}");
        let dear = Size { class: "db.r6g.4xlarge", ..size };
        assert_eq!(cost(&dear, &times, &load, 3, &prices), None);
    }
}
