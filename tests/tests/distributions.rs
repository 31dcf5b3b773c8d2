//! What the report shows of how values are spread: the same on both engines, and nothing that tells a value.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic, in its helpers too")]

use std::fs;
use std::path::Path;

use contract::report::{Distribution, Report};
use contract::statement::Statement;
use e2e::command::{finish, with_rules};
use e2e::postgres::Server;
use rusqlite::Connection;

/// 2,000 people. One of them earns what nobody else does, one was born when nobody else was; 3 live in a town of their own.
const FILL: &str = "INSERT INTO people
    SELECT i, 20000 + (i * 7919) % 40000, DATE_OF_BIRTH,
        CASE WHEN i <= 3 THEN 'Ankh' WHEN i % 4 = 0 THEN 'Quirm' ELSE 'Sto Lat' END, 'p' || i, i
    FROM NUMBERS;
    UPDATE people SET salary = 98765432 WHERE id = 7;
    UPDATE people SET born = '1871-03-02' WHERE id = 8;";

const RULES: &str = "
version: 1
tables:
  people:
    columns:
      id: keep
      salary: { function: noise, percent: 5 }
      born: { function: date_shift, max_days: 20 }
      town: city
      nick: username
      floor: { function: round, to: 100 }
";

fn report(url: &str, directory: &Path) -> (String, Report) {
    let rules = directory.join("rules.yaml");
    fs::write(&rules, RULES).unwrap();
    let mut command = with_rules("run", url, &rules).unwrap();
    let command = command.args(["--yes", "--report"]).arg(directory.join("report"));
    let finished = finish(command).unwrap();
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    let text = fs::read_to_string(directory.join("report/report.json")).unwrap();
    let report = Statement::read(text.as_bytes()).unwrap().predicate;
    (text, report)
}

#[track_caller]
fn distribution(report: &Report, column: &str) -> Distribution {
    let people = report.tables.iter().find(|table| table.name.ends_with(".people")).unwrap();
    let column = people.columns.iter().find(|found| found.name == column).unwrap();
    column.distribution.clone().unwrap_or_else(|| panic!("{} has none", column.name))
}

/// Holds for both engines.
fn holds(text: &str, report: &Report) {
    let sum = |shares: &[u16]| shares.iter().sum::<u16>();
    let salary = distribution(report, "salary");
    assert_eq!(salary.sort, "number");
    assert!((8..=24).contains(&salary.labels.len()), "{salary:?}");
    assert!((980..=1_010).contains(&sum(&salary.before)), "{salary:?}");
    assert!((980..=1_010).contains(&sum(&salary.after)), "{salary:?}");
    assert_ne!(salary.before, salary.after);
    let born = distribution(report, "born");
    assert_eq!(born.sort, "date");
    assert!(born.labels.iter().all(|label| label.contains("196")), "{born:?}");
    assert!((980..=1_010).contains(&sum(&born.before)), "{born:?}");
    let floor = distribution(report, "floor");
    assert_eq!(floor.labels.first().unwrap(), "0 to 99");
    assert_eq!(floor.after.first(), Some(&25));
    // The town of three is there without its size, and none of them by its name.
    let town = distribution(report, "town");
    assert_eq!(town.sort, "category");
    assert_eq!(town.labels, ["no. 1", "no. 2"]);
    assert!(sum(&town.before) >= 997 && town.before[0] > 700, "{town:?}");
    for canary in ["98765432", "98,765,432", "1871", "Quirm", "Ankh", "Sto Lat"] {
        assert!(!text.contains(canary), "{canary} is told");
    }
    let people = report.tables.iter().find(|table| table.name.ends_with(".people")).unwrap();
    let has =
        |name: &str| people.columns.iter().any(|c| c.name == name && c.distribution.is_some());
    assert!(!has("id") && !has("nick"), "kept and identifying columns have no chart");
}

#[test]
fn sqlite_reports_distributions_with_round_borders() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.db");
    let database = Connection::open(&path).unwrap();
    let columns = "id INTEGER PRIMARY KEY, salary INTEGER, born DATE, town TEXT, nick TEXT";
    database.execute_batch(&format!("CREATE TABLE people ({columns}, floor INTEGER)")).unwrap();
    let numbers = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
        SELECT i FROM n)";
    let born = "date('1960-01-01', (i % 9000) || ' days')";
    let fill = FILL.replace("NUMBERS", numbers).replace("DATE_OF_BIRTH", born);
    database.execute_batch(&fill).unwrap();
    drop(database);
    let (text, report) = report(&format!("sqlite:{}", path.display()), directory.path());
    holds(&text, &report);
}

#[test]
fn postgres_reports_distributions_with_round_borders() {
    let server = Server::shared().unwrap();
    let database = server.database("distributions").unwrap();
    let columns = "id int PRIMARY KEY, salary numeric, born date, town text, nick text, floor int";
    let born = "date '1960-01-01' + i % 9000";
    let fill = FILL.replace("NUMBERS", "generate_series(1, 2000) i").replace("DATE_OF_BIRTH", born);
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("people.sql");
    fs::write(&script, format!("CREATE TABLE people ({columns}); {fill}")).unwrap();
    database.load(&script, &[]).unwrap();
    let (text, report) = report(&database.url(), directory.path());
    holds(&text, &report);
}
