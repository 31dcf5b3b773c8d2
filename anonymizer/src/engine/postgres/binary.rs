//! The binary COPY format: a header, then rows of a field count and length-prefixed fields, then a count of -1
//! (PostgreSQL manual, COPY, "Binary Format").

use crate::engine::EngineError;
use crate::engine::postgres::codec::Codec;
use crate::engine::postgres::fields::Rows;
use crate::engine::postgres::rows::{BATCH_BYTES, Format, RowMasker};
use crate::mask::MaskError;
use crate::value::Value;

/// Signature, flags and the length of an empty header extension.
pub const HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The field count that ends the stream.
pub const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// The binary format's fields.
pub struct Binary;

impl Format for Binary {
    fn decode<'a>(codec: &Codec, field: &'a [u8]) -> Result<Option<Value<'a>>, MaskError> {
        codec.decode(field)
    }

    fn encode(
        codec: &Codec,
        value: &Value<'_>,
        original: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), MaskError> {
        codec.encode(value, original, out)
    }

    fn start_row(fields: usize, out: &mut Vec<u8>) {
        // A table has at most 1,600 columns.
        out.extend_from_slice(&(fields as i16).to_be_bytes());
    }

    fn separate(_: usize, _: &mut Vec<u8>) {}

    fn end_row(_: &mut Vec<u8>) {}

    fn holds(written: &[u8], field: &[u8]) -> bool {
        written.len() == field.len() + 4 && written.ends_with(field)
    }

    fn is_true(field: &[u8]) -> bool {
        field == [1]
    }
}

/// Splits a binary COPY stream into rows, whatever pieces it comes in, and masks them, many at a time.
pub struct BinaryStream {
    pending: Vec<u8>,
    rows: Rows,
    in_header: bool,
    ended: bool,
}

impl BinaryStream {
    /// A stream of rows of that many fields, at its start; `out` gets the header of the masked stream.
    pub fn start(width: usize, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(HEADER);
        Self { pending: Vec::new(), rows: Rows::new(width), in_header: true, ended: false }
    }

    /// Takes a piece; masks the rows that are complete with it once there are many.
    pub fn feed(
        &mut self,
        piece: &[u8],
        masker: &mut RowMasker,
        out: &mut Vec<u8>,
    ) -> Result<(), EngineError> {
        self.pending.extend_from_slice(piece);
        if self.pending.len() < BATCH_BYTES { Ok(()) } else { self.mask(masker, out) }
    }

    /// The stream has ended: masks what is left; `out` gets the trailer.
    pub fn end(mut self, masker: &mut RowMasker, out: &mut Vec<u8>) -> Result<(), EngineError> {
        self.mask(masker, out)?;
        if !self.ended || !self.pending.is_empty() {
            return Err(malformed());
        }
        out.extend_from_slice(&TRAILER);
        Ok(())
    }

    fn mask(&mut self, masker: &mut RowMasker, out: &mut Vec<u8>) -> Result<(), EngineError> {
        let mut used = self.header()?;
        self.rows.clear();
        while !self.ended
            && let Some(end) = self.split(used)?
        {
            used = end;
        }
        masker.batch::<Binary>(&self.pending, &self.rows, out)?;
        self.pending.drain(..used);
        Ok(())
    }

    /// Bytes of the header that stand before the first row.
    fn header(&mut self) -> Result<usize, EngineError> {
        if !self.in_header || self.pending.len() < HEADER.len() {
            return Ok(0);
        }
        if !self.pending.starts_with(HEADER) {
            return Err(malformed());
        }
        self.in_header = false;
        Ok(HEADER.len())
    }

    /// Finds the fields of the row that starts at `at`; answers where it ends, or `None` where it is not complete.
    fn split(&mut self, at: usize) -> Result<Option<usize>, EngineError> {
        let data = &self.pending;
        let Some(count) = data.get(at..at + 2).filter(|_| !self.in_header) else { return Ok(None) };
        if count == TRAILER {
            self.ended = true;
            return Ok(Some(at + 2));
        }
        let start = at + 2;
        let mut at = start;
        for _ in 0..u16::from_be_bytes([count[0], count[1]]) {
            let Some(length) = data.get(at..at + 4) else { return Ok(self.rows.abandon()) };
            at += 4;
            match i32::from_be_bytes(length.try_into().expect("the slice has four bytes")) {
                -1 => self.rows.null(at),
                length => {
                    let end = at + usize::try_from(length).map_err(|_| malformed())?;
                    if end > data.len() {
                        return Ok(self.rows.abandon());
                    }
                    self.rows.field(at..end);
                    at = end;
                }
            }
        }
        if self.rows.end(start) { Ok(Some(at)) } else { Err(malformed()) }
    }
}

/// The server does not keep to the format.
pub fn malformed() -> EngineError {
    EngineError::Unexpected(
        "the server sent a COPY stream that is not in the documented format".to_owned(),
    )
}
