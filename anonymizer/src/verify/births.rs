//! Kept columns of dates of birth: known by the column's name, and by dates in them. It counts, and keeps hashes of three.

use std::hash::BuildHasher as _;

use contract::report::Suspect;
use foldhash::fast::FixedState;

use super::naming::is_birth_date;
use crate::catalog::Kind;
use crate::engine::{Engine, EngineError, Read, Reader, Source};
use crate::mask::Class;
use crate::plan::{Action, ColumnPlan, Plan, TablePlan};
use crate::switches;

/// How the report calls it.
pub const KIND: &str = "birth_date";
/// Fewer different dates are no column of them.
const FEW: usize = 3;

/// Looks at each kept column whose name says that it holds dates of birth.
pub async fn of<E: Engine>(engine: &E, plan: &Plan) -> Result<Vec<Suspect>, EngineError> {
    let mut suspects = Vec::new();
    if switches::is_off("gate.persons") {
        return Ok(suspects);
    }
    for table in plan.tables.iter().filter(|table| table.action != Action::Truncate) {
        let columns = columns(table);
        if columns.is_empty() {
            continue;
        }
        let source =
            Source { table: table.name.clone(), columns: columns.clone(), bytes: table.bytes };
        let mut dates = Dates(columns.iter().map(|_| Dated::default()).collect());
        engine.read(&source, &mut dates).await?;
        let dated = columns.iter().zip(dates.0);
        suspects.extend(dated.filter(|(_, dated)| dated.is_suspect()).map(|(column, dated)| {
            Suspect {
                column: format!("{}.{column}", table.name),
                kind: KIND.into(),
                sampled: dated.values,
                matched: dated.dates,
                reason: None,
            }
        }));
    }
    Ok(suspects)
}

fn columns(table: &TablePlan) -> Vec<String> {
    let left = |column: &&ColumnPlan| {
        !column.generated
            && column.class == Some(Class::Keep)
            && matches!(column.kind, Kind::Date | Kind::Timestamp | Kind::Text { .. })
            && is_birth_date(&column.name)
    };
    table.columns.iter().filter(left).map(|column| column.name.clone()).collect()
}

#[derive(Default)]
struct Dated {
    values: u64,
    dates: u64,
    different: Vec<u64>,
}

impl Dated {
    fn is_suspect(&self) -> bool {
        self.different.len() >= FEW.min(self.values as usize).max(1)
            && self.dates * 2 >= self.values
    }
}

struct Dates(Vec<Dated>);

impl Reader for Dates {
    fn row(&mut self, row: &[Read<'_>]) {
        for (dated, value) in self.0.iter_mut().zip(row) {
            let Read::Text(text) = value else { continue };
            dated.values += 1;
            if !is_date(text) {
                continue;
            }
            dated.dates += 1;
            let hash = FixedState::default().hash_one(text);
            if dated.different.len() < FEW && !dated.different.contains(&hash) {
                dated.different.push(hash);
            }
        }
    }
}

/// Six digits or more, four of them a year in which somebody may be born who lives.
fn is_date(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let year = |year: &[u8]| matches!(year, [b'1', b'9', ..] | [b'2', b'0', b'0'..=b'2', _]);
    (6..=24).contains(&digits)
        && text.len() <= 40
        && text.as_bytes().windows(4).any(|four| four.iter().all(u8::is_ascii_digit) && year(four))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_from_other_values() {
        for text in ["1984-02-29", "29.02.1984", "2/29/2004", "1984-02-29 00:00:00", "19840229"] {
            assert!(is_date(text), "{text}");
        }
        for text in ["1984", "", "Lyon", "0000-00-00", "infinity"] {
            assert!(!is_date(text), "{text}");
        }
    }
}
