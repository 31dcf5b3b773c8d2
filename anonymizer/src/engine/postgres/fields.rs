//! Where the fields of many rows lie in a piece of a COPY stream. It knows neither of the formats and reads no value.

use std::ops::Range;

/// A field of a row.
#[derive(Clone, Copy)]
pub struct Field {
    /// Where its bytes begin; where NULL is, no bytes are.
    start: usize,
    /// Where it ends, and what stands before the next one begins.
    end: usize,
    is_null: bool,
}

impl Field {
    /// The field's bytes, `None` for NULL.
    pub fn of<'a>(&self, data: &'a [u8]) -> Option<&'a [u8]> {
        if self.is_null { None } else { Some(&data[self.start..self.end]) }
    }

    /// True for NULL.
    pub fn is_null(&self) -> bool {
        self.is_null
    }
}

/// Rows of a COPY stream, split into fields.
pub struct Rows {
    /// Fields in a row.
    width: usize,
    /// Where the first field of each row begins with what stands before it.
    starts: Vec<usize>,
    fields: Vec<Field>,
}

impl Rows {
    /// No rows yet, of that many fields each.
    pub fn new(width: usize) -> Self {
        Self { width, starts: Vec::new(), fields: Vec::new() }
    }

    /// Forgets the rows.
    pub fn clear(&mut self) {
        self.starts.clear();
        self.fields.clear();
    }

    /// Adds a field to the row that is being split.
    pub fn field(&mut self, bytes: Range<usize>) {
        self.fields.push(Field { start: bytes.start, end: bytes.end, is_null: false });
    }

    /// Adds a NULL, which ends there.
    pub fn null(&mut self, end: usize) {
        self.fields.push(Field { start: end, end, is_null: true });
    }

    /// Ends the row, whose first field begins there; answers false where it has another number of fields than the others.
    pub fn end(&mut self, start: usize) -> bool {
        self.starts.push(start);
        self.fields.len() == self.starts.len() * self.width
    }

    /// Forgets the fields of a row that is not complete; answers that there is none.
    pub fn abandon<T>(&mut self) -> Option<T> {
        self.fields.truncate(self.starts.len() * self.width);
        None
    }

    /// How many rows there are.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// The fields of a row.
    pub fn row(&self, number: usize) -> &[Field] {
        &self.fields[number * self.width..(number + 1) * self.width]
    }

    /// Where some neighbouring fields of a row lie, each with what stands before it.
    pub fn whole(&self, number: usize, fields: Range<usize>) -> Range<usize> {
        let row = self.row(number);
        let start = match fields.start {
            0 => self.starts[number],
            first => row[first - 1].end,
        };
        let end = if fields.is_empty() { start } else { row[fields.end - 1].end };
        start..end
    }
}
