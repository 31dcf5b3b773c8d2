//! The binary COPY format: a header, then rows of a field count and length-prefixed fields, then a count of -1
//! (PostgreSQL manual, COPY, "Binary Format").

use crate::engine::EngineError;
use crate::engine::postgres::codec::Codec;
use crate::engine::postgres::rows::{Field, Format, RowMasker};
use crate::mask::MaskError;
use crate::value::Value;

/// Signature, flags and the length of an empty header extension.
const HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The field count that ends the stream.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

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

    fn copy(field: Option<&[u8]>, out: &mut Vec<u8>) {
        match field {
            // The server sends lengths as i32, so this one came from an i32.
            Some(field) => {
                out.extend_from_slice(&(field.len() as i32).to_be_bytes());
                out.extend_from_slice(field);
            }
            None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
        }
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

/// Splits a binary COPY stream into rows, whatever pieces it comes in, and masks them.
pub struct BinaryStream {
    pending: Vec<u8>,
    row: Vec<Field>,
    in_header: bool,
    ended: bool,
}

impl BinaryStream {
    /// A stream at its start; `out` gets the header of the masked stream.
    pub fn start(out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(HEADER);
        Self { pending: Vec::new(), row: Vec::new(), in_header: true, ended: false }
    }

    /// Masks all rows that are complete with this piece.
    pub fn feed(
        &mut self,
        piece: &[u8],
        masker: &mut RowMasker,
        out: &mut Vec<u8>,
    ) -> Result<(), EngineError> {
        if self.pending.is_empty() {
            // The server sends one row per message: nothing needs to be kept or copied.
            let used = self.consume(piece, masker, out)?;
            self.pending.extend_from_slice(&piece[used..]);
        } else {
            let mut pending = std::mem::take(&mut self.pending);
            pending.extend_from_slice(piece);
            let used = self.consume(&pending, masker, out)?;
            pending.drain(..used);
            self.pending = pending;
        }
        Ok(())
    }

    /// The stream has ended; `out` gets the trailer.
    pub fn end(self, out: &mut Vec<u8>) -> Result<(), EngineError> {
        if !self.ended || !self.pending.is_empty() {
            return Err(malformed());
        }
        out.extend_from_slice(&TRAILER);
        Ok(())
    }

    fn consume(
        &mut self,
        data: &[u8],
        masker: &mut RowMasker,
        out: &mut Vec<u8>,
    ) -> Result<usize, EngineError> {
        let mut used = 0;
        if self.in_header {
            let Some(header) = data.get(..HEADER.len()) else { return Ok(0) };
            if header != HEADER {
                return Err(malformed());
            }
            self.in_header = false;
            used = HEADER.len();
        }
        while let Some(end) = self.split(data, used, masker.width())? {
            used = end;
            if self.ended {
                break;
            }
            masker.row::<Binary>(data, &self.row, out)?;
        }
        Ok(used)
    }

    /// Finds the fields of the row that starts at `at`; answers where it ends, or `None` where it is not complete.
    fn split(
        &mut self,
        data: &[u8],
        at: usize,
        width: usize,
    ) -> Result<Option<usize>, EngineError> {
        let Some(count) = data.get(at..at + 2) else { return Ok(None) };
        let mut at = at + 2;
        if count == TRAILER {
            self.ended = true;
            return Ok(Some(at));
        }
        if usize::from(u16::from_be_bytes([count[0], count[1]])) != width {
            return Err(malformed());
        }
        self.row.clear();
        for _ in 0..width {
            let Some(length) = data.get(at..at + 4) else { return Ok(None) };
            at += 4;
            match i32::from_be_bytes(length.try_into().expect("the slice has four bytes")) {
                -1 => self.row.push(None),
                length => {
                    let end = at + usize::try_from(length).map_err(|_| malformed())?;
                    if end > data.len() {
                        return Ok(None);
                    }
                    self.row.push(Some(at..end));
                    at = end;
                }
            }
        }
        Ok(Some(at))
    }
}

fn malformed() -> EngineError {
    EngineError::Unexpected(
        "the server sent a COPY stream that is not in the documented format".to_owned(),
    )
}
