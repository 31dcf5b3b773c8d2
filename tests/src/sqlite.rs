//! A SQLite file in a directory of its own, and runs on it through the library.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anonymizer::engine::sqlite::SqliteEngine;
use anonymizer::engine::{Engine as _, Marker, RunOptions, Scope, TableOutcome};
use anonymizer::execute::{self, Ended, Ready, Refusal};
use anonymizer::kept::Kept;
use anonymizer::mask::key::Keyring;
use anonymizer::progress::Silent;
use anonymizer::rules::{self, RuleSet};
use anonymizer::verify::vault::Vault;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::command;

/// A database file and its directory, which is removed at the end.
pub struct File {
    directory: TempDir,
    name: String,
}

/// How a run ended, or why it did not.
#[derive(Debug)]
pub enum Run {
    /// The tables that were written, and the notes.
    Masked(Vec<TableOutcome>, Vec<String>),
    /// An earlier run had done it.
    AlreadyDone(String),
    /// Nothing was begun: the message.
    Refused(String),
    /// It stopped midway: the message.
    Failed(String),
}

impl Run {
    /// The tables that were written; panics where the run did not end well.
    pub fn tables(self) -> Vec<TableOutcome> {
        match self {
            Run::Masked(tables, _) => tables,
            other => panic!("the run ended otherwise: {other:?}"),
        }
    }

    /// What was said against the run; panics where it ended well.
    pub fn complaint(self) -> String {
        match self {
            Run::Refused(message) | Run::Failed(message) => message,
            other => panic!("the run ended otherwise: {other:?}"),
        }
    }
}

impl File {
    /// A database made by a script.
    pub fn new(script: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = Self { directory, name: "data.db".to_owned() };
        file.open().execute_batch(script).expect("the script is valid");
        file
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }

    /// Its directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }

    /// A connection to it; the file is made where it is missing.
    pub fn open(&self) -> Connection {
        Connection::open(self.path()).expect("the database opens")
    }

    /// Every row of a query as text.
    pub fn rows(&self, query: &str) -> Vec<String> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(self.path(), flags).expect("it opens");
        rows(&connection, query)
    }

    /// The names of the files in the directory.
    pub fn beside(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory()).expect("the directory is there");
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.expect("an entry").file_name().to_string_lossy().into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    /// The file's identity and content: the same only where nobody has written to it.
    pub fn state(&self) -> (u64, Vec<u8>) {
        let inode = std::fs::metadata(self.path()).expect("it is there").ino();
        (inode, std::fs::read(self.path()).expect("it can be read"))
    }

    /// Runs with the tests' key.
    pub fn run(&self, rules: &str) -> Run {
        self.run_with(rules, command::KEY, false)
    }

    /// Runs with a key of one's own, and with `--allow-connections` or not.
    pub fn run_with(&self, rules: &str, key: &str, allow_connections: bool) -> Run {
        let keyring = Keyring::from_hex(key).expect("a key");
        let kept = tempfile::tempdir().expect("a directory");
        let vault = Vault::open(kept.path(), &keyring).expect("a vault");
        let options = RunOptions {
            run_id: "test".to_owned(),
            key_check: keyring.check_value(),
            key_is_ephemeral: false,
            jobs: 2,
            spool_dir: None,
            allow_connections,
            now: "2024-06-01T12:00:00Z".to_owned(),
            scope: Scope::Database,
            vault: Arc::new(vault),
        };
        runtime().block_on(async {
            let engine = match SqliteEngine::connect(&self.url()) {
                Ok(engine) => engine,
                Err(error) => return Run::Refused(error.to_string()),
            };
            let plan =
                match execute::prepare(&engine, &parsed(rules), &keyring, options.scope).await {
                    Ok(Ready { plan, .. }) => plan,
                    Err(Refusal::Findings(findings)) => return Run::Refused(findings.to_string()),
                    Err(Refusal::Engine(error)) => return Run::Refused(error.to_string()),
                };
            let (engine, plan, options) = (Arc::new(engine), Arc::new(plan), Arc::new(options));
            let run =
                execute::execute(Arc::clone(&engine), plan, Arc::clone(&options), Arc::new(Silent));
            match run.await {
                Ok(Ended::AlreadyDone(sentence)) => Run::AlreadyDone(sentence),
                Ok(Ended::Masked(outcome)) => {
                    let marker = Marker {
                        run_id: options.run_id.clone(),
                        digest: "d1".repeat(32),
                        verdict: outcome.verdict(),
                        finished_at: "2024-06-01T12:34:56Z".to_owned(),
                        kept: Kept::default(),
                    };
                    if let Err(error) = engine.conclude(&options, &marker).await {
                        return Run::Failed(error.to_string());
                    }
                    let tables = outcome.tables.into_iter().map(|done| done.outcome).collect();
                    Run::Masked(tables, outcome.notes)
                }
                Err(failure) => Run::Failed(failure.source.to_string()),
            }
        })
    }
}

/// A runtime as the command line's.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}

/// Rules that are known to parse.
pub fn parsed(rules: &str) -> RuleSet {
    rules::parse("rules.yaml", rules.as_bytes()).unwrap_or_else(|found| panic!("{found}"))
}

/// Every row of a query as text, with storage classes to be seen.
pub fn rows(connection: &Connection, query: &str) -> Vec<String> {
    let mut statement = connection.prepare(query).expect("the query is valid");
    let columns = statement.column_count();
    let mut rows = statement.query([]).expect("the query runs");
    let mut answer = Vec::new();
    while let Some(row) = rows.next().expect("a row") {
        let cell = |at| format!("{:?}", row.get::<_, Value>(at).expect("a value"));
        answer.push((0..columns).map(cell).collect::<Vec<_>>().join(" | "));
    }
    answer
}
