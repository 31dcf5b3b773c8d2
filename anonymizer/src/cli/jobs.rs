//! `--jobs`: how many tables are worked on at a time.

use std::thread::available_parallelism;

use clap::Args;

/// Beyond eight at a time the storage is the limit, not the processors, while each one holds buffers, a connection and,
/// where it is masked, room in the spool directory.
const MOST: usize = 8;

/// How many tables are worked on at a time.
#[derive(Debug, Args)]
pub struct JobsArgument {
    /// Tables worked on at a time; by default as many as there are processors, at most 8.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
}

impl JobsArgument {
    /// What was said, or what suits the machine.
    pub fn jobs(&self) -> usize {
        let cores = available_parallelism().map_or(1, usize::from);
        self.jobs.map_or(cores.min(MOST), usize::from)
    }
}
