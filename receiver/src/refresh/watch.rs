//! An execution's steps while it runs: a line for each that is done, and on a terminal the one that it is in.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use workflow::local::{Line, Record, Status};

use super::Error;
use super::place::Follow;

/// Often enough to look alive.
const TICK: Duration = Duration::from_millis(100);
/// So long nothing may be heard of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Shows it to its end. One that was just started may not be known everywhere yet, and a passing fault is no end.
pub(super) async fn to_its_end(mut follow: Follow, name: &str) -> Result<Record, Error> {
    let bar = io::stderr().is_terminal().then(spinner);
    let (mut shown, mut missed) = (Steps::default(), Instant::now());
    loop {
        let looked = match follow.look().await {
            Err(Error::Temporary(_)) if missed.elapsed() < PATIENCE => None,
            Err(Error::Temporary(why)) => {
                let hint = "(hint: it goes on; `refresh request --wait` looks on again)";
                return Err(Error::Temporary(format!("{why}\n{hint}")));
            }
            looked => looked?,
        };
        let Some(record) = looked else {
            if missed.elapsed() >= PATIENCE {
                return Err(Error::Broken(format!("execution {name} is not there")));
            }
            tokio::time::sleep(follow.tick()).await;
            continue;
        };
        missed = Instant::now();
        for line in shown.news(&record) {
            match &bar {
                Some(bar) => bar.println(line),
                None => drop(writeln!(io::stderr(), "{line}")),
            }
        }
        if let Some(bar) = &bar {
            bar.set_message(record.state.clone().unwrap_or_default());
        }
        if record.status != Status::Running {
            if let Some(bar) = &bar {
                bar.finish_and_clear();
            }
            return Ok(record);
        }
        tokio::time::sleep(follow.tick()).await;
    }
}

fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}  {elapsed}");
    let bar = ProgressBar::new_spinner().with_style(style.expect("the template is valid"));
    bar.enable_steady_tick(TICK);
    bar
}

/// Which lines of a history were shown, and when each state was entered.
#[derive(Default)]
struct Steps {
    seen: usize,
    entered: Vec<(String, Timestamp)>,
}

impl Steps {
    /// Lines for what has happened since.
    fn news(&mut self, record: &Record) -> Vec<String> {
        let news = record.history.get(self.seen..).unwrap_or_default();
        self.seen = record.history.len();
        news.iter().filter_map(|line| self.line(line, record.started)).collect()
    }

    fn line(&mut self, line: &Line, started: Timestamp) -> Option<String> {
        let at = clock(line.time.duration_since(started));
        let state = &line.state;
        let error = line.error.as_deref().unwrap_or_default();
        match line.what.as_str() {
            "entered" => {
                self.entered.push((state.clone(), line.time));
                None
            }
            // What waits and what decides is no news.
            "exited" if is_work(state) => {
                let entered = self.entered.iter().rfind(|(name, _)| name == state)?.1;
                let took = line.time.duration_since(entered).as_secs_f64();
                Some(format!("{at}  {state:<16} {took:.1} s"))
            }
            "failed" => Some(format!("{at}  {state:<16} failed: {error}")),
            "retried" => Some(format!("{at}  {state:<16} is tried again")),
            _ => None,
        }
    }
}

/// A step that does something, by its name in the definition: pauses and choices are called so.
fn is_work(state: &str) -> bool {
    let quiet = ["Pause", "Is", "Has", "Await", "Begin", "Done", "Work", "Refreshed", "LookAgain"];
    !quiet.iter().any(|prefix| state.starts_with(prefix))
}

/// Minutes and seconds.
fn clock(span: SignedDuration) -> String {
    let seconds = span.as_secs();
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_line_is_shown_once_with_its_times() {
        let line = |seconds: i64, state: &str, what: &str, error: Option<&str>| Line {
            time: Timestamp::from_second(seconds).unwrap(),
            state: state.into(),
            what: what.into(),
            error: error.map(ToOwned::to_owned),
        };
        let mut record = Record {
            name: "run-1".into(),
            machine: "receiver".into(),
            input: json!({}),
            status: Status::Running,
            started: Timestamp::from_second(0).unwrap(),
            ended: None,
            state: None,
            output: None,
            error: None,
            cause: None,
            history: vec![line(61, "Restore", "entered", None)],
        };
        let mut steps = Steps::default();
        assert_eq!(steps.news(&record), [""; 0]);
        record.history.push(line(62, "Restore", "failed", Some("Retryable")));
        record.history.push(line(62, "Restore", "retried", None));
        record.history.push(line(64, "Restore", "exited", None));
        record.history.push(line(64, "PauseForRestore", "entered", None));
        record.history.push(line(65, "PauseForRestore", "exited", None));
        let shown = [
            "01:02  Restore          failed: Retryable",
            "01:02  Restore          is tried again",
            "01:04  Restore          3.0 s",
        ];
        assert_eq!(steps.news(&record), shown);
        assert_eq!(steps.news(&record), [""; 0]);
    }
}
