//! Rows between COPY OUT and the spool: split, mask, count, put together again. The hot loop of the engine.
//!
//! [`RowMasker`] knows what to do with a row's fields; [`binary`](super::binary) and [`text`](super::text) know how fields
//! lie in a COPY stream.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use crate::engine::collect::{collect, collect_name};
use crate::engine::postgres::codec::Codec;
use crate::engine::postgres::fields::{Field, Rows};
use crate::engine::{ColumnOutcome, EngineError};
use crate::identifier::Sought;
use crate::mask::draws::{Draws, Ticket};
use crate::mask::{Cell, Mask, MaskError};
use crate::spread::Spread;
use crate::value::Value;
use crate::verify::vault::Collector;

/// What happens to one field of a row.
pub struct FieldPlan {
    /// Column name, for messages.
    pub name: String,
    /// Function name, for messages.
    pub function: String,
    /// Position of the column in the table's plan.
    pub plan_index: usize,
    /// How its bytes are read and written.
    pub codec: Codec,
    /// The mask answers the same to everything: it need not be shown the value, whatever its form.
    pub constant: bool,
    /// `None`: copied through.
    pub mask: Option<Arc<dyn Mask>>,
    /// What of the originals is looked for.
    pub sought: Sought,
    /// They, or parts of them, are collected for the leak gate.
    pub has_originals: bool,
    /// Index of the seed's field.
    pub seed: Option<usize>,
    /// How the values are spread before and after.
    pub spread: Option<RefCell<Spread>>,
}

/// Bytes of a stream that are masked together: enough rows for draws to be made side by side, and a buffer that stays in
/// the processor's cache.
pub const BATCH_BYTES: usize = 32 << 10;

/// How fields are written in a COPY format.
pub trait Format {
    /// The value of a field, `None` for one that is passed through as it is.
    fn decode<'a>(codec: &Codec, field: &'a [u8]) -> Result<Option<Value<'a>>, MaskError>;
    /// Appends a value as a field.
    fn encode(
        codec: &Codec,
        value: &Value<'_>,
        original: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), MaskError>;
    /// Appends the start of a row of that many fields.
    fn start_row(fields: usize, out: &mut Vec<u8>);
    /// Appends what stands before the field of that index.
    fn separate(index: usize, out: &mut Vec<u8>);
    /// Appends the end of a row.
    fn end_row(out: &mut Vec<u8>);
    /// True where what was written is the field with exactly these bytes.
    fn holds(written: &[u8], field: &[u8]) -> bool;
    /// True for a boolean field that is true.
    fn is_true(field: &[u8]) -> bool;
}

/// Masks rows of one table.
pub struct RowMasker {
    /// Qualified name, for messages.
    pub table: String,
    /// One per column that is read and written.
    pub fields: Vec<FieldPlan>,
    /// Fields that together are a person's name.
    pub names: Vec<(usize, usize)>,
    /// Index of the trailing flag field that says "leave this row".
    pub skip_flag: Option<usize>,
    /// Index of the trailing flag field that says "remove this row".
    pub delete_flag: Option<usize>,
    /// What was seen, per field.
    pub seen: Vec<ColumnOutcome>,
    /// Rows written.
    pub rows: u64,
    /// Rows left as they were.
    pub skipped: u64,
    /// Rows removed.
    pub deleted: u64,
    /// Takes the originals that the leak gate looks for.
    pub collector: Option<Collector>,
    steps: Vec<Step>,
    scratch: String,
    draws: Draws,
    cells: Vec<Read<'static>>,
}

/// What is done with a row's fields, in their order.
enum Step {
    /// Neighbours that are copied as they are.
    Copy(Range<usize>),
    /// One that is masked.
    Mask(usize),
}

/// What was found in a cell that is to be masked.
enum Read<'a> {
    /// NULL, or what is passed through as it is.
    AsIs,
    /// A value, and where its keyed bits will be.
    Value(Value<'a>, Option<Ticket>),
    /// What cannot be read. It is told of when its turn to be masked comes: its row may be left or go.
    Unreadable(MaskError),
}

impl RowMasker {
    /// A masker that has seen nothing yet.
    pub fn new(
        table: String,
        fields: Vec<FieldPlan>,
        skip_flag: Option<usize>,
        delete_flag: Option<usize>,
    ) -> Self {
        let seen = vec![ColumnOutcome::default(); fields.len()];
        let steps = steps(&fields);
        Self {
            table,
            fields,
            names: Vec::new(),
            skip_flag,
            delete_flag,
            seen,
            rows: 0,
            skipped: 0,
            deleted: 0,
            collector: None,
            steps,
            scratch: String::new(),
            draws: Draws::default(),
            cells: Vec::new(),
        }
    }

    /// Fields in a row of the stream, flags included.
    pub fn width(&self) -> usize {
        self.fields.len()
            + usize::from(self.skip_flag.is_some())
            + usize::from(self.delete_flag.is_some())
    }

    /// Masks rows, whose fields are ranges of `data`, and appends them to `out`.
    pub fn batch<F: Format>(
        &mut self,
        data: &[u8],
        rows: &Rows,
        out: &mut Vec<u8>,
    ) -> Result<(), EngineError> {
        let mut cells = recycle(std::mem::take(&mut self.cells));
        self.draw_ahead::<F>(data, rows, &mut cells);
        let each = cells.len().checked_div(rows.count()).unwrap_or(0);
        for number in 0..rows.count() {
            self.row::<F>(data, rows, number, &cells[number * each..(number + 1) * each], out)?;
        }
        self.cells = recycle(cells);
        Ok(())
    }

    /// Reads all cells that are to be masked and asks for their keyed bits, then draws them together.
    fn draw_ahead<'a, F: Format>(
        &mut self,
        data: &'a [u8],
        rows: &Rows,
        cells: &mut Vec<Read<'a>>,
    ) {
        self.draws.clear();
        for number in 0..rows.count() {
            let row = rows.row(number);
            for plan in self.steps.iter().filter_map(|step| step.masked()) {
                let (plan, field) = (&self.fields[plan], row[plan].of(data));
                cells.push(match field.map(|field| decode::<F>(plan, field)) {
                    None | Some(Ok(None)) => Read::AsIs,
                    Some(Ok(Some(value))) => {
                        let ticket = plan.mask.as_deref().and_then(|mask| {
                            let seed = seed::<F>(&self.fields, plan, data, row).ok()?;
                            let cell = Cell { value: &value, seed: seed.as_ref(), draw: None };
                            mask.ask(&cell, &mut self.draws)
                        });
                        Read::Value(value, ticket)
                    }
                    Some(Err(error)) => Read::Unreadable(error),
                });
            }
        }
        self.draws.compute();
    }

    fn row<F: Format>(
        &mut self,
        data: &[u8],
        rows: &Rows,
        number: usize,
        cells: &[Read<'_>],
        out: &mut Vec<u8>,
    ) -> Result<(), EngineError> {
        let row = rows.row(number);
        if is_set::<F>(self.delete_flag, data, row) {
            self.deleted += 1;
            self.collect_row::<F>(data, row);
            return Ok(());
        }
        self.rows += 1;
        let width = self.fields.len();
        F::start_row(width, out);
        if is_set::<F>(self.skip_flag, data, row) {
            self.skipped += 1;
            out.extend_from_slice(&data[rows.whole(number, 0..width)]);
            F::end_row(out);
            return Ok(());
        }
        self.collect_names::<F>(data, row);
        let mut cells = cells.iter();
        for at in 0..self.steps.len() {
            match &self.steps[at] {
                Step::Copy(fields) => {
                    out.extend_from_slice(&data[rows.whole(number, fields.clone())]);
                }
                &Step::Mask(index) => match (row[index].of(data), cells.next()) {
                    (Some(field), Some(cell @ (Read::Value(..) | Read::Unreadable(_)))) => {
                        F::separate(index, out);
                        self.mask_field::<F>(index, field, data, row, cell, out)?;
                    }
                    _ => out.extend_from_slice(&data[rows.whole(number, index..index + 1)]),
                },
            }
        }
        for (seen, field) in self.seen.iter_mut().zip(row) {
            seen.values += 1;
            seen.nulls += u64::from(field.is_null());
        }
        F::end_row(out);
        Ok(())
    }

    /// Notes what identifies somebody in a row that goes. It may go because a mask could not read it.
    fn collect_row<F: Format>(&mut self, data: &[u8], row: &[Field]) {
        for (plan, field) in self.fields.iter().zip(row).filter(|(plan, _)| plan.has_originals) {
            if let Some(field) = field.of(data) {
                let _ = collect_field::<F>(&mut self.collector, plan, field);
            }
        }
        self.collect_names::<F>(data, row);
    }

    /// Notes the names that two fields are together. What cannot be read its own mask will tell of.
    fn collect_names<F: Format>(&mut self, data: &[u8], row: &[Field]) {
        let Some(collector) = &mut self.collector else { return };
        let value = |at: usize| F::decode(&self.fields[at].codec, row[at].of(data)?).ok()?;
        for (first, last) in &self.names {
            if let (Some(first), Some(last)) = (value(*first), value(*last)) {
                collect_name(collector, &first, &last);
            }
        }
    }

    fn mask_field<F: Format>(
        &mut self,
        index: usize,
        field: &[u8],
        data: &[u8],
        row: &[Field],
        cell: &Read<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), EngineError> {
        let start = out.len();
        self.scratch.clear();
        let plan = &self.fields[index];
        let mask = plan.mask.as_deref().expect("only masked fields get here");
        let masked = (|| {
            let (value, ticket) = match cell {
                Read::Value(value, ticket) => (value, *ticket),
                Read::Unreadable(error) => return Err(error.clone()),
                Read::AsIs => return Ok(()),
            };
            let seed = seed::<F>(&self.fields, plan, data, row)?;
            if plan.has_originals {
                match &mut self.collector {
                    // What was read is what is in the field.
                    Some(collector) if !plan.constant && plan.codec != Codec::Opaque => {
                        collect(collector, plan.sought, Some(mask), value)?;
                    }
                    collector => collect_field::<F>(collector, plan, field)?,
                }
            }
            let draw = ticket.map(|ticket| self.draws.get(ticket));
            let cell = Cell { value, seed: seed.as_ref(), draw };
            let fake = mask.apply(&cell, &mut self.scratch)?;
            if let Some(spread) = &plan.spread {
                spread.borrow_mut().see(value, &fake);
            }
            F::encode(&plan.codec, &fake, field, out)
        })();
        masked.map_err(|source| EngineError::Mask {
            table: self.table.clone(),
            column: plan.name.clone(),
            function: plan.function.clone(),
            source,
        })?;
        self.seen[index].changed += u64::from(!F::holds(&out[start..], field));
        Ok(())
    }
}

impl Step {
    fn masked(&self) -> Option<usize> {
        match self {
            Step::Copy(_) => None,
            Step::Mask(index) => Some(*index),
        }
    }
}

/// What is done with a row of these fields: as few copies as there can be.
fn steps(fields: &[FieldPlan]) -> Vec<Step> {
    let mut steps = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        match steps.last_mut() {
            _ if field.mask.is_some() => steps.push(Step::Mask(index)),
            Some(Step::Copy(fields)) => fields.end = index + 1,
            _ => steps.push(Step::Copy(index..index + 1)),
        }
    }
    steps
}

/// The same room for cells that live elsewhere: an empty vector keeps its memory through this.
fn recycle<'b>(mut cells: Vec<Read<'_>>) -> Vec<Read<'b>> {
    cells.clear();
    cells.into_iter().map(|_| Read::AsIs).collect()
}

/// True for a row whose flag field of that index is true.
fn is_set<F: Format>(flag: Option<usize>, data: &[u8], row: &[Field]) -> bool {
    flag.and_then(|index| row[index].of(data)).is_some_and(F::is_true)
}

/// The value that a field's fakes are derived from, where its rule names another column.
fn seed<'a, F: Format>(
    fields: &[FieldPlan],
    plan: &FieldPlan,
    data: &'a [u8],
    row: &[Field],
) -> Result<Option<Value<'a>>, MaskError> {
    match plan.seed.and_then(|seed| Some((&fields[seed], row[seed].of(data)?))) {
        Some((plan, field)) => decode_seed::<F>(plan, field),
        None => Ok(None),
    }
}

/// Notes what identifies somebody in a field. What a mask could not look into is taken as its text.
fn collect_field<F: Format>(
    collector: &mut Option<Collector>,
    plan: &FieldPlan,
    field: &[u8],
) -> Result<(), MaskError> {
    let Some(collector) = collector else { return Ok(()) };
    let codec = if plan.codec == Codec::Opaque { &Codec::Text } else { &plan.codec };
    match F::decode(codec, field)? {
        Some(value) => collect(collector, plan.sought, plan.mask.as_deref(), &value),
        None => Ok(()),
    }
}

/// A value for a mask. One that does not look at it is given empty bytes.
fn decode<'a, F: Format>(
    plan: &FieldPlan,
    field: &'a [u8],
) -> Result<Option<Value<'a>>, MaskError> {
    if plan.constant { Ok(Some(Value::Bytes((&[]).into()))) } else { F::decode(&plan.codec, field) }
}

/// A value that fakes are derived from. What a function could not look into is taken as its bytes.
fn decode_seed<'a, F: Format>(
    plan: &FieldPlan,
    field: &'a [u8],
) -> Result<Option<Value<'a>>, MaskError> {
    match plan.codec {
        Codec::Opaque => Ok(Some(Value::Bytes(field.into()))),
        ref codec => F::decode(codec, field),
    }
}
