//! Runs a command until it ends or the process is told to stop.
//!
//! Being told to stop drops the command where it stands: connections close, and the database rolls back whatever was not
//! committed. Work that blocks a thread is asked to fail, so that it removes its temporary files; if it takes too long the
//! process ends all the same, as if it had been killed.

use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use super::Error;
use crate::engine::Stopper;

/// How long blocking work may take to notice that it is to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is asked.
const INSISTENCE: Duration = Duration::from_millis(20);

/// Whom to ask to stop; nobody until an engine is connected.
#[derive(Clone, Default)]
pub struct Stop {
    stopper: Arc<OnceLock<Stopper>>,
}

impl Stop {
    /// From now on an engine is asked. A command has one engine: a second would not be.
    pub fn tell(&self, stopper: Stopper) {
        let _ = self.stopper.set(stopper);
    }

    fn insist(self) {
        let Some(stopper) = self.stopper.get() else { return };
        loop {
            stopper();
            thread::sleep(INSISTENCE);
        }
    }
}

/// Runs `command` on a new runtime.
pub fn run_until_signal<F>(command: impl FnOnce(Stop) -> F) -> Result<(), Error>
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let runtime = Runtime::new()
        .map_err(|source| Error::Io { task: "start the worker threads".into(), source })?;
    let stop = Stop::default();
    let command = command(stop.clone());
    let result = runtime.block_on(async {
        // A task of its own: a panic in it ends as an error with an exit code, like everything else.
        let mut task = tokio::spawn(command);
        tokio::select! {
            ended = &mut task => ended.unwrap_or(Err(Error::Panicked)),
            stopped = told_to_stop() => {
                task.abort();
                Err(stopped)
            }
        }
    });
    if matches!(result, Err(Error::Interrupted(_))) {
        thread::spawn(move || stop.insist());
    }
    runtime.shutdown_timeout(PATIENCE);
    result
}

async fn told_to_stop() -> Error {
    let listen = |kind| {
        signal(kind).map_err(|source| Error::Io { task: "watch for signals".into(), source })
    };
    let (mut interrupt, mut terminate) =
        match (listen(SignalKind::interrupt()), listen(SignalKind::terminate())) {
            (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
            (Err(error), _) | (_, Err(error)) => return error,
        };
    tokio::select! {
        _ = interrupt.recv() => Error::Interrupted("SIGINT"),
        _ = terminate.recv() => Error::Interrupted("SIGTERM"),
    }
}
