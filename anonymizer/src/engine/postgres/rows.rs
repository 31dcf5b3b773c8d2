//! Rows between COPY OUT and the spool: split, mask, count, put together again. The hot loop of the engine.
//!
//! [`RowMasker`] knows what to do with a row's fields; [`binary`](super::binary) and [`text`](super::text) know how fields
//! lie in a COPY stream.

use std::ops::Range;
use std::sync::Arc;

use crate::engine::postgres::codec::Codec;
use crate::engine::{ColumnOutcome, EngineError};
use crate::mask::draws::{Draws, Ticket};
use crate::mask::{Cell, Mask, MaskError};
use crate::value::Value;

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
    /// Index of the seed's field.
    pub seed: Option<usize>,
}

/// A field's bytes in a row, `None` for NULL.
pub type Field = Option<Range<usize>>;

/// Rows of a COPY stream, split into fields.
pub struct Rows {
    /// Fields in a row.
    width: usize,
    count: usize,
    fields: Vec<Field>,
}

impl Rows {
    /// No rows yet, of that many fields each.
    pub fn new(width: usize) -> Self {
        Self { width, count: 0, fields: Vec::new() }
    }

    /// Forgets the rows.
    pub fn clear(&mut self) {
        self.count = 0;
        self.fields.clear();
    }

    /// Adds a field to the row that is being split.
    pub fn field(&mut self, field: Field) {
        self.fields.push(field);
    }

    /// Ends the row; answers false where it has another number of fields than the others.
    pub fn end(&mut self) -> bool {
        self.count += 1;
        self.fields.len() == self.count * self.width
    }

    /// Forgets the fields of a row that is not complete; answers that there is none.
    pub fn abandon<T>(&mut self) -> Option<T> {
        self.fields.truncate(self.count * self.width);
        None
    }

    fn row(&self, number: usize) -> &[Field] {
        &self.fields[number * self.width..(number + 1) * self.width]
    }
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
    /// Appends a field as it came, `None` for NULL.
    fn copy(field: Option<&[u8]>, out: &mut Vec<u8>);
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
    scratch: String,
    draws: Draws,
    tickets: Vec<Option<Ticket>>,
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
        Self {
            table,
            fields,
            skip_flag,
            delete_flag,
            seen,
            rows: 0,
            skipped: 0,
            deleted: 0,
            scratch: String::new(),
            draws: Draws::default(),
            tickets: Vec::new(),
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
        self.draw_ahead::<F>(data, rows);
        for number in 0..rows.count {
            self.row::<F>(data, rows, number, out)?;
        }
        Ok(())
    }

    /// Asks for the keyed bits of all cells, then draws them together. A value that cannot be read is told of when its turn
    /// to be masked comes.
    fn draw_ahead<F: Format>(&mut self, data: &[u8], rows: &Rows) {
        self.draws.clear();
        self.tickets.clear();
        for number in 0..rows.count {
            let row = rows.row(number);
            for (index, plan) in self.fields.iter().enumerate() {
                let ticket = plan.mask.as_deref().and_then(|mask| {
                    let (value, seed) = values::<F>(&self.fields, index, data, row).ok()??;
                    let cell = Cell { value: &value, seed: seed.as_ref(), draw: None };
                    mask.ask(&cell, &mut self.draws)
                });
                self.tickets.push(ticket);
            }
        }
        self.draws.compute();
    }

    fn row<F: Format>(
        &mut self,
        data: &[u8],
        rows: &Rows,
        number: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), EngineError> {
        let row = rows.row(number);
        if is_set::<F>(self.delete_flag, data, row) {
            self.deleted += 1;
            return Ok(());
        }
        self.rows += 1;
        let skip = is_set::<F>(self.skip_flag, data, row);
        self.skipped += u64::from(skip);
        F::start_row(self.fields.len(), out);
        for index in 0..self.fields.len() {
            F::separate(index, out);
            let field = row[index].clone().map(|range| &data[range]);
            match field {
                Some(field) if !skip && self.fields[index].mask.is_some() => {
                    let ticket = self.tickets[number * self.fields.len() + index];
                    self.mask_field::<F>(index, field, data, row, ticket, out)?;
                }
                _ => F::copy(field, out),
            }
            if !skip {
                self.seen[index].values += 1;
                self.seen[index].nulls += u64::from(field.is_none());
            }
        }
        F::end_row(out);
        Ok(())
    }

    fn mask_field<F: Format>(
        &mut self,
        index: usize,
        field: &[u8],
        data: &[u8],
        row: &[Field],
        ticket: Option<Ticket>,
        out: &mut Vec<u8>,
    ) -> Result<(), EngineError> {
        let start = out.len();
        self.scratch.clear();
        let plan = &self.fields[index];
        let mask = plan.mask.as_deref().expect("only masked fields get here");
        let masked = (|| {
            let Some((value, seed)) = values::<F>(&self.fields, index, data, row)? else {
                F::copy(Some(field), out);
                return Ok(());
            };
            let draw = ticket.map(|ticket| self.draws.get(ticket));
            let cell = Cell { value: &value, seed: seed.as_ref(), draw };
            let fake = mask.apply(&cell, &mut self.scratch)?;
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

/// True for a row whose flag field of that index is true.
fn is_set<F: Format>(flag: Option<usize>, data: &[u8], row: &[Field]) -> bool {
    flag.and_then(|index| row[index].clone()).is_some_and(|range| F::is_true(&data[range]))
}

/// A masked field's value and that of its seed; `None` for NULL and for what is passed through as it is.
fn values<'a, F: Format>(
    fields: &[FieldPlan],
    index: usize,
    data: &'a [u8],
    row: &[Field],
) -> Result<Option<(Value<'a>, Option<Value<'a>>)>, MaskError> {
    let plan = &fields[index];
    let Some(field) = row[index].clone() else { return Ok(None) };
    let Some(value) = decode::<F>(plan, &data[field])? else { return Ok(None) };
    let seed = match plan.seed.and_then(|seed| Some((seed, row[seed].clone()?))) {
        Some((seed, field)) => decode_seed::<F>(&fields[seed], &data[field])?,
        None => None,
    };
    Ok(Some((value, seed)))
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
