//! Whether a masking run's report is evidence: of this very run, by these rules, of this database, passed. What is not there
//! has not happened.

use contract::release::Reported;
use contract::report::{Report, ScrubStatus, Verdict};
use contract::statement::{Statement, sha256};
use snapshots::Snapshots;
use workflow::StepError;

use crate::names;
use crate::world::World;

/// What a report must say.
pub struct Expected<'a> {
    /// The server.
    pub database: &'a str,
    /// Its run.
    pub run: &'a str,
    /// One of its databases.
    pub name: &'a str,
    /// SHA-256 of the rules it was to be masked by.
    pub rules_digest: &'a str,
}

/// The report that stands there, if it is what is expected.
pub async fn read<S: Snapshots>(
    world: &World<S>,
    expected: &Expected<'_>,
) -> Result<Reported, StepError> {
    let Expected { database, run, name, .. } = expected;
    let refused = |why: &str| StepError::Refused(format!("the report on {name}: {why}"));
    let key = format!("{}/report.json", names::report(database, run, name));
    let bytes = world.reports.get(&key).await?.ok_or_else(|| refused("there is none"))?;
    let statement = Statement::read(&bytes).map_err(|error| refused(&error.to_string()))?;
    if let Some(why) = against(&statement.predicate, expected) {
        return Err(refused(why));
    }
    Ok(Reported {
        name: (*name).to_owned(),
        run_id: statement.predicate.run_id,
        report_digest: sha256(&bytes),
        rules_digest: statement.predicate.rules_digest,
        verdict: statement.predicate.verdict,
    })
}

fn against(report: &Report, expected: &Expected<'_>) -> Option<&'static str> {
    let undone = report.checks.iter().any(|check| check.status == ScrubStatus::Failed);
    if report.run_id != expected.run {
        Some("it is of another run")
    } else if report.database.rsplit('/').next() != Some(expected.name) {
        Some("it is of another database")
    } else if report.rules_digest != expected.rules_digest {
        Some("it is by other rules than those that the run began with")
    } else if report.verdict != Verdict::Passed || !report.gate.passed || undone {
        Some("its verdict is failed")
    } else if report.tables.is_empty() || report.checks.is_empty() {
        Some("nothing was looked at")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use contract::report::{FORMAT, Gate, ScrubCheck, TableAction, TableReport};

    use super::*;

    fn report() -> Report {
        Report {
            format: FORMAT,
            run_id: "run-1".into(),
            tool_version: "0.1.0".into(),
            function_set: 1,
            engine: "postgres".into(),
            database: "host:5432/shop".into(),
            scope: contract::report::Scope::Database,
            rules_digest: "ab".into(),
            schema_fingerprint: "cd".into(),
            key_check: String::new(),
            key_is_ephemeral: false,
            started_at: String::new(),
            finished_at: String::new(),
            phases: Vec::new(),
            tables: vec![TableReport {
                name: "public.a".into(),
                action: TableAction::Rewrite,
                rows: 1,
                skipped_rows: 0,
                deleted_rows: 0,
                seconds: 0.0,
                resumed: false,
                columns: Vec::new(),
            }],
            notes: Vec::new(),
            checks: vec![ScrubCheck {
                id: "a".into(),
                title: String::new(),
                undo: Vec::new(),
                status: ScrubStatus::Done,
                detail: String::new(),
                reason: None,
            }],
            gate: Gate { passed: true, ..Gate::default() },
            verdict: Verdict::Passed,
        }
    }

    #[test]
    fn only_the_very_report_passes() {
        let expected =
            Expected { database: "shop", run: "run-1", name: "shop", rules_digest: "ab" };
        assert_eq!(against(&report(), &expected), None);
        type Change = fn(&mut Report);
        let changes: [(Change, &str); 9] = [
            (|r| r.run_id = "run-2".into(), "another run"),
            (|r| r.database = "host:5432/crm".into(), "another database"),
            (|r| r.database = "shop/".into(), "another database"),
            (|r| r.rules_digest = "ac".into(), "other rules"),
            (|r| r.verdict = Verdict::Failed, "failed"),
            (|r| r.gate.passed = false, "failed"),
            (|r| r.checks[0].status = ScrubStatus::Failed, "failed"),
            (|r| r.tables.clear(), "nothing"),
            (|r| r.checks.clear(), "nothing"),
        ];
        for (change, said) in changes {
            let mut other = report();
            change(&mut other);
            let why = against(&other, &expected);
            assert!(why.is_some_and(|why| why.contains(said)), "{said}: {why:?}");
        }
    }
}
