//! Runs a command until it ends or the process is told to stop.
//!
//! Being told to stop drops the command where it stands: connections close, and the database rolls back whatever was not
//! committed. Nothing has to be cleaned up that a killed process would not leave in order as well.

use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use super::Error;

/// How long blocking work may take to notice that it is to stop, before the process ends without it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs `command` on a new runtime.
pub fn run_until_signal(
    command: impl Future<Output = Result<(), Error>> + Send + 'static,
) -> Result<(), Error> {
    let runtime = Runtime::new()
        .map_err(|source| Error::Io { task: "start the worker threads".into(), source })?;
    let result = runtime.block_on(async {
        // A task of its own: a panic in it ends as an error with an exit code, like everything else.
        let mut task = tokio::spawn(command);
        let stopped = tokio::select! {
            ended = &mut task => return ended.unwrap_or(Err(Error::Panicked)),
            stopped = told_to_stop() => stopped,
        };
        task.abort();
        // Wait until it is gone, so that its connections are closed.
        let _ = tokio::time::timeout(PATIENCE, task).await;
        Err(stopped)
    });
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
