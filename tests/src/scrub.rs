//! Runs that are looked at for what the scrub says, with defences on or off, and a look at the disk afterwards.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use contract::report::{ScrubCheck, ScrubStatus, Verdict};
use contract::statement::Statement;

use crate::command::{Finished, finish, with_rules};
use crate::postgres::Database;
use crate::residue::found_in;

/// A run to be.
pub struct Attack<'a> {
    url: String,
    tables: &'a str,
    scrub: &'a str,
    instance: bool,
    beside_clients: bool,
    off: &'a str,
}

/// A run that got as far as a report.
pub struct Scrubbed {
    /// What the command said.
    pub finished: Finished,
    /// Every check.
    pub checks: Vec<ScrubCheck>,
    /// The report's verdict.
    pub verdict: Verdict,
}

impl<'a> Attack<'a> {
    /// On this database, as the master role, by the rules below `tables:`.
    pub fn on(database: &Database<'_>, tables: &'a str) -> Self {
        Self::at(database.url(), tables)
    }

    /// On the database of a URL.
    pub fn at(url: String, tables: &'a str) -> Self {
        Self { url, tables, scrub: "", instance: false, beside_clients: false, off: "" }
    }

    /// As this URL's role.
    pub fn url(mut self, url: String) -> Self {
        self.url = url;
        self
    }

    /// With rules below `scrub:`, each line indented.
    pub fn rules(mut self, scrub: &'a str) -> Self {
        self.scrub = scrub;
        self
    }

    /// With `--scope instance`.
    pub fn instance(mut self) -> Self {
        self.instance = true;
        self
    }

    /// While others are connected.
    pub fn beside_clients(mut self) -> Self {
        self.beside_clients = true;
        self
    }

    /// Without these defences.
    pub fn without(mut self, defences: &'a str) -> Self {
        self.off = defences;
        self
    }

    /// Runs it, whatever comes of it.
    pub fn try_run(&self, report: &Path) -> Result<Finished> {
        let rules = tempfile::NamedTempFile::new()?;
        let scrub = match self.scrub {
            "" => String::new(),
            rules => format!("scrub:\n{rules}"),
        };
        std::fs::write(rules.path(), format!("version: 1\ntables:\n{}{scrub}", self.tables))?;
        let mut command = with_rules("run", &self.url, rules.path())?;
        command.args(["--yes", "--jobs", "2", "--report"]).arg(report);
        command.env("ANONYMIZER_DEFENCES_OFF", self.off);
        if self.instance {
            command.args(["--scope", "instance"]);
        }
        if self.beside_clients {
            command.arg("--allow-connections");
        }
        finish(&mut command)
    }

    /// Runs it to a report.
    pub fn run(&self) -> Result<Scrubbed> {
        let directory = tempfile::tempdir()?;
        let finished = self.try_run(directory.path())?;
        let report = std::fs::read(directory.path().join("report.json"));
        let report = report.with_context(|| format!("no report: {}", finished.stderr))?;
        ensure!(!String::from_utf8_lossy(&report).contains("canary"), "an original is reported");
        let said = format!("{}{}", finished.stdout, finished.stderr);
        ensure!(!said.contains("canary"), "an original is printed:\n{said}");
        let report = Statement::read(&report)?.predicate;
        Ok(Scrubbed { finished, checks: report.checks, verdict: report.verdict })
    }
}

impl Scrubbed {
    /// The check of this name, without its engine's.
    pub fn check(&self, name: &str) -> Result<&ScrubCheck> {
        let found = self
            .checks
            .iter()
            .find(|check| check.id.split_once('.').is_some_and(|id| id.1 == name));
        found.with_context(|| format!("{name} is not among the checks"))
    }

    /// Holds a check to what became of it, and answers with its detail.
    pub fn is(&self, name: &str, status: ScrubStatus) -> Result<&str> {
        let check = self.check(name)?;
        ensure!(
            check.status == status,
            "{name}: {:?} for {status:?}: {}",
            check.status,
            check.detail
        );
        Ok(&check.detail)
    }

    /// Holds the run to checks that have all passed.
    pub fn passes(&self) -> Result<&Self> {
        let failed: Vec<_> =
            self.checks.iter().filter(|check| check.status == ScrubStatus::Failed).collect();
        ensure!(failed.is_empty(), "failed: {failed:#?}");
        ensure!(
            self.finished.code == Some(0),
            "{:?}: {}",
            self.finished.code,
            self.finished.stderr
        );
        Ok(self)
    }
}

/// The files of a database, the server's own catalogs, and nothing else, in which a text stands.
pub fn files_with(database: &Database<'_>, text: &str) -> Result<Vec<PathBuf>> {
    database.query("CHECKPOINT")?;
    let mut directories = database.directories()?;
    ensure!(!directories.is_empty(), "the server's files are not here");
    directories.extend(database.data_directory().map(|data| data.join("global")));
    let mut found = Vec::new();
    for directory in directories {
        for file in std::fs::read_dir(directory)? {
            let path = file?.path();
            // A file may go while the others are read.
            if path.is_file() && found_in(&path, &[text.to_owned()]).is_ok_and(|f| !f.is_empty()) {
                found.push(path);
            }
        }
    }
    Ok(found)
}
