//! The question before a run on a terminal. Without a terminal, or with `--yes`, nobody is asked.

use std::io::{self, IsTerminal as _, Write as _};
use std::thread;

use tokio::sync::oneshot;

use super::print::{columns, count};
use super::{Error, say};
use crate::plan::{Action, Plan};

/// Names what will be overwritten and asks; an error where the answer is not yes.
pub async fn confirm(location: &str, plan: &Plan) -> Result<(), Error> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Ok(());
    }
    say(&summary(location, plan));
    let _ = write!(io::stderr(), "Overwrite them? There is no way back. [y/N] ");
    let (answered, answer) = oneshot::channel();
    // On a thread that nobody waits for: a signal must be able to end the wait.
    thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line);
        // Nobody listens any more where a signal came first.
        let _ = answered.send(read.map(|_| line).unwrap_or_default());
    });
    let answer = answer.await.unwrap_or_default();
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Error::Declined(location.to_owned())),
    }
}

fn summary(location: &str, plan: &Plan) -> String {
    let written = || plan.tables.iter().filter(|table| table.action != Action::Keep);
    let rows: u64 = written().map(|table| table.estimated_rows).sum();
    let tables = written().count() as u64;
    let lines: Vec<Vec<String>> = written()
        .map(|table| {
            let verb = if table.action == Action::Truncate { "empty" } else { "mask" };
            let rows = format!("about {}", count(table.estimated_rows, "row"));
            vec![format!("  {verb}"), table.name.to_string(), rows]
        })
        .collect();
    let tables = count(tables, "table");
    format!("{location}: {tables}, about {}\n{}", count(rows, "row"), columns(&lines).trim_end())
}
