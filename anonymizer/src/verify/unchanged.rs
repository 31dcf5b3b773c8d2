//! Identifying columns that a mask has left as they were: each masked value was compared with its own original.

use contract::report::{Gate, Leak};

use super::gate::{judge, reason};
use crate::engine::TableOutcome;
use crate::plan::Plan;

/// Fewer are no finding: an original may be what a mask would write.
const FEW: u64 = 3;
/// One in so many is.
const ONE_IN: u64 = 20;

/// Adds each identifying column of which many values are what they were.
pub fn add<'a>(gate: &mut Gate, plan: &Plan, tables: impl Iterator<Item = &'a TableOutcome>) {
    for outcome in tables {
        let table = plan.tables.iter().find(|table| Some(&table.name) == outcome.table.as_ref());
        let Some(table) = table else { continue };
        for (column, counted) in table.columns.iter().zip(&outcome.columns) {
            // What a constant replaces by itself was that constant before, and tells nobody.
            let masked = column.mask.is_some() && column.constant.is_none();
            let Some(kind) = column.identifies.filter(|_| masked) else { continue };
            let values = counted.values - counted.nulls.min(counted.values);
            let same = values - counted.changed.min(values);
            if same < FEW || same * ONE_IN < values {
                continue;
            }
            let place = format!("{}.{}", table.name, column.name);
            let reason = reason(&plan.allow, &place, kind.name());
            gate.leaks.push(Leak { place, kind: kind.name().into(), count: same, reason });
        }
    }
    judge(gate);
}
