//! SQLite: a file is masked on a copy that takes its place in one step at the end.
//!
//! A run holds the original's exclusive lock from the first look to the rename and never writes to it: a run that dies leaves
//! the original as it was, and beside it at most a hidden copy, which the next run removes. There is nothing to resume.
//!
//! 1. `begin` locks the original, copies it, and takes down the copy's indexes on tables that will be written ([`session`]).
//! 2. `mask_unit` empties a table of the copy and fills it from the original ([`unit`]); one at a time, for SQLite has one writer.
//! 3. `finish` puts the indexes back, rebuilds what was derived from originals, writes the copy once more so that no free page
//!    keeps a value, and proves that it is whole ([`finish`]).
//! 4. `sources`, `read` and `metadata` look at that copy ([`sources`], [`metadata`]).
//! 5. `conclude` leaves the marker in it and renames it over the original; with a failed verdict it removes it ([`conclude`]).

mod cascade;
mod catalog;
mod check;
mod codec;
mod collecting;
mod conclude;
mod content;
mod ddl;
mod error;
mod files;
mod finish;
mod kind;
mod marker;
mod metadata;
mod misfit;
mod preview;
mod scrub;
mod session;
mod sources;
mod sql;
mod stop;
mod unit;
mod virtual_table;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::runtime::{Handle, RuntimeFlavor};

use self::collecting::Collecting;
use self::conclude::Masked;
use self::error::during;
use self::session::{Session, Start};
use self::stop::Stop;
use crate::catalog::Catalog;
use crate::engine::{
    Begun, Engine, EngineError, Marker, Reader, RunOptions, Sample, Scope, Source, Stopper,
    TableOutcome, Unit,
};
use crate::kept::Kept;
use crate::plan::{Action, Plan, TablePlan};
use crate::progress::Progress;
use contract::report::ScrubCheck;

/// A SQLite database file.
pub struct SqliteEngine {
    path: PathBuf,
    /// From `begin` to `finish`.
    session: Mutex<Option<Box<Session>>>,
    /// From `finish` to `conclude`.
    masked: Mutex<Option<Box<Masked>>>,
    stop: Stop,
}

impl SqliteEngine {
    /// The database of a URL: `sqlite:path`, `sqlite://path` or `sqlite:///absolute/path`. The file must exist.
    pub fn connect(url: &str) -> Result<Self, EngineError> {
        let named = url
            .strip_prefix("sqlite:")
            .map(|rest| rest.strip_prefix("//").unwrap_or(rest))
            .filter(|path| !path.is_empty() && *path != ":memory:" && !path.contains('?'));
        let Some(path) = named else {
            return Err(EngineError::Usage(format!(
                "{url}: not the URL of a SQLite file\n(hint: write sqlite:shop.db or sqlite:///data/shop.db)"
            )));
        };
        files::inspect(Path::new(path))?;
        // A symbolic link must not be replaced by the file it points to.
        let path = Path::new(path).canonicalize().map_err(error::file(format!("find {path}")))?;
        if path.to_str().is_none() {
            return Err(EngineError::Usage("SQLite needs a path in valid UTF-8".to_owned()));
        }
        Ok(Self {
            path,
            session: Mutex::new(None),
            masked: Mutex::new(None),
            stop: Stop::default(),
        })
    }

    fn session(&self) -> MutexGuard<'_, Option<Box<Session>>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn masked(&self) -> MutexGuard<'_, Option<Box<Masked>>> {
        self.masked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that looks at the masked copy of a run, or else at the file itself.
    fn look(&self) -> Result<Connection, EngineError> {
        let path = self.masked().as_ref().map(|masked| masked.copy.path().to_owned());
        let connection = sources::open(path.as_deref().unwrap_or(&self.path))?;
        self.stop.watch(&connection);
        Ok(connection)
    }

    /// A connection that only reads.
    fn reader(&self, now: &str) -> Result<Connection, EngineError> {
        let opened = sql::open(&self.path).and_then(|connection| {
            connection.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY")?;
            sql::register_now(&connection, sql::moment(now))?;
            connection.query_row("SELECT count(*) FROM main.sqlite_schema", [], |_| Ok(()))?;
            Ok(connection)
        });
        opened.map_err(error::opening)
    }

    /// A connection for looking ahead, with the present as `now()`.
    fn looking_ahead(&self) -> Result<Connection, EngineError> {
        self.reader(&jiff::Timestamp::now().to_string())
    }
}

impl Engine for SqliteEngine {
    fn location(&self) -> String {
        self.path.display().to_string()
    }

    fn resumes(&self) -> bool {
        false
    }

    fn stopper(&self) -> Stopper {
        let stop = self.stop.clone();
        Box::new(move || stop.now())
    }

    async fn catalog(&self) -> Result<Catalog, EngineError> {
        blocking(|| catalog::read(&self.looking_ahead()?).map_err(during("read the catalog")))
    }

    async fn check(
        &self,
        plan: &Plan,
        _: Scope,
    ) -> Result<Vec<(String, String, String)>, EngineError> {
        blocking(|| check::check(&self.looking_ahead()?, &self.path, plan))
    }

    async fn preview(&self, plan: &Plan, rows: usize) -> Result<Vec<Sample>, EngineError> {
        blocking(|| preview::preview(&self.looking_ahead()?, plan, rows))
    }

    async fn begin(&self, plan: &Plan, options: &RunOptions) -> Result<Begun, EngineError> {
        match blocking(|| session::begin(&self.path, plan, options, &self.stop))? {
            Start::AlreadyDone(sentence) => Ok(Begun::AlreadyDone(sentence)),
            Start::Session(session) => {
                options.vault.bind(&options.run_id)?;
                *self.session() = Some(session);
                Ok(Begun::Work(units(plan)))
            }
        }
    }

    async fn mask_unit(
        &self,
        plan: &Plan,
        options: &RunOptions,
        unit: &Unit,
        progress: &dyn Progress,
    ) -> Result<Vec<TableOutcome>, EngineError> {
        blocking(|| {
            let session = self.session();
            let session = session.as_ref().ok_or_else(not_begun)?;
            let of_unit = |table: &&TablePlan| unit.tables.contains(&table.name);
            let tables = plan.tables.iter().filter(of_unit);
            let collecting = Collecting::new(plan.identifies().then(|| options.vault.collector()));
            let outcomes = tables
                .map(|table| unit::table(session, table, &collecting, progress))
                .collect::<Result<_, _>>()?;
            if let Some(collector) = collecting.end() {
                collector.persist(&unit.name.to_string())?;
            }
            Ok(outcomes)
        })
    }

    async fn finish(
        &self,
        plan: &Plan,
        options: &RunOptions,
        progress: &dyn Progress,
    ) -> Result<Vec<String>, EngineError> {
        blocking(|| {
            let session = self.session().take().ok_or_else(not_begun)?;
            let (masked, notes) = finish::finish(*session, plan, options, progress)?;
            *self.masked() = Some(Box::new(masked));
            Ok(notes)
        })
    }

    async fn scrub(&self, plan: &Plan, _: &RunOptions) -> Result<Vec<ScrubCheck>, EngineError> {
        blocking(|| {
            let copy = self.look()?;
            let masked = self.masked();
            scrub::scrub(&copy, masked.as_ref().ok_or_else(not_begun)?, &plan.scrub)
        })
    }

    async fn sources(&self) -> Result<Vec<Source>, EngineError> {
        blocking(|| sources::list(&self.look()?).map_err(during("read the tables to look at")))
    }

    async fn read(&self, source: &Source, reader: &mut dyn Reader) -> Result<(), EngineError> {
        blocking(|| sources::read(&self.look()?, source, reader))
    }

    async fn metadata(&self) -> Result<Vec<(String, String)>, EngineError> {
        blocking(|| metadata::read(&self.look()?).map_err(during("read the schema")))
    }

    async fn kept(&self) -> Result<Option<Kept>, EngineError> {
        blocking(|| marker::kept(&self.looking_ahead()?).map_err(during("read the run marker")))
    }

    async fn conclude(&self, _: &RunOptions, marker: &Marker) -> Result<(), EngineError> {
        blocking(|| {
            let masked = self.masked().take().ok_or_else(not_begun)?;
            conclude::conclude(*masked, marker)
        })
    }
}

fn not_begun() -> EngineError {
    EngineError::Unexpected("the run was not begun, or is finished".to_owned())
}

/// Every table that will be written, largest first.
fn units(plan: &Plan) -> Vec<Unit> {
    let mut tables: Vec<&TablePlan> =
        plan.tables.iter().filter(|table| table.action != Action::Keep).collect();
    tables.sort_by_key(|table| std::cmp::Reverse(table.estimated_rows));
    let unit = |table: &TablePlan| Unit {
        name: table.name.clone(),
        tables: vec![table.name.clone()],
        members: vec![table.name.clone()],
        done: None,
    };
    tables.into_iter().map(unit).collect()
}

/// SQLite's calls block: on a runtime with other threads, its other tasks move there.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
