//! Reads a source as fast as the server sends it: one binary COPY over a connection of its own, fields handed on where they lie.
//!
//! What is read is never written, kept or printed here.

use futures_util::TryStreamExt as _;
use sqlx::postgres::PgConnection;

use crate::catalog::TableName;
use crate::engine::postgres::binary::{HEADER, TRAILER, malformed};
use crate::engine::postgres::connect::Server;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::session::{home_path, qualified, run};
use crate::engine::postgres::sources::{Column, columns};
use crate::engine::postgres::{large_objects, quiet, relation, rights, session, sources};
use crate::engine::{EngineError, Read, Reader, Source};

/// Reads all rows of a source, its columns in the order it names them.
pub async fn read(
    server: &Server,
    source: &Source,
    reader: &mut dyn Reader,
) -> Result<(), EngineError> {
    let mut conn = session::open(server).await?;
    if source.table == large_objects::name() {
        return large_objects::read(&mut conn, reader).await;
    }
    let (columns, forced) = prepare(&mut conn, source).await?;
    let values: Vec<String> = columns.iter().map(Column::expression).collect();
    let texts: Vec<bool> = columns.iter().map(Column::is_text).collect();
    let from = qualified(&source.table);
    let copy_out =
        format!("COPY (SELECT {} FROM ONLY {from}) TO STDOUT (FORMAT binary)", values.join(", "));
    let task = format!("read {}", source.table);
    run(&mut conn, &task, "BEGIN").await?;
    // The planner looks into functions of the table's indexes.
    run(&mut conn, &task, &home_path([&source.table])).await?;
    if forced {
        // Rolled back with the transaction: the rows are what the owner sees, and the table never changes.
        quiet::unforce(&mut conn, &source.table).await?;
    }
    copy(&mut conn, &task, &copy_out, &texts, &mut |row| reader.row(row)).await?;
    run(&mut conn, &task, "ROLLBACK").await
}

/// The columns as they are now, and whether row security is in the owner's way too.
async fn prepare(
    conn: &mut PgConnection,
    source: &Source,
) -> Result<(Vec<Column>, bool), EngineError> {
    let gone = |what: &dyn std::fmt::Display| {
        EngineError::Temporary(format!("{what} has changed while it was looked at"))
    };
    let oids = relation::oids(conn, std::slice::from_ref(&source.table)).await?;
    let oid = *oids.first().ok_or_else(|| gone(&source.table))?;
    let access = rights::access(conn, &[oid]).await?.pop().ok_or_else(|| gone(&source.table))?;
    if !access.readable {
        return Err(sources::refused(&source.table.to_string()));
    }
    let mut there: Vec<Option<Column>> =
        columns(conn, Some(oid)).await?.into_iter().map(Some).collect();
    let mut wanted = Vec::new();
    for name in &source.columns {
        let found =
            there.iter_mut().find(|column| column.as_ref().is_some_and(|c| c.name == *name));
        let found = found.and_then(Option::take);
        wanted.push(found.ok_or_else(|| gone(&field(&source.table, name)))?);
    }
    Ok((wanted, access.forced))
}

fn field(table: &TableName, column: &str) -> String {
    format!("{table}.{column}")
}

/// Runs a COPY and hands its rows on. `texts` says which fields are text; the others are bytes.
pub async fn copy(
    conn: &mut PgConnection,
    task: &str,
    copy_out: &str,
    texts: &[bool],
    row: &mut (dyn FnMut(&[Read<'_>]) + Send),
) -> Result<(), EngineError> {
    let fail = |error| engine_error(task, error);
    let mut pieces = conn.copy_out_raw(copy_out).await.map_err(fail)?;
    let mut rows = Rows::default();
    while let Some(piece) = pieces.try_next().await.map_err(fail)? {
        rows.feed(&piece, texts, row)?;
    }
    rows.end()
}

/// Splits a binary COPY stream into rows, whatever pieces it comes in.
#[derive(Default)]
struct Rows {
    pending: Vec<u8>,
    /// Room for a row's fields, empty between two pieces.
    fields: Vec<Read<'static>>,
    begun: bool,
    ended: bool,
}

impl Rows {
    fn feed(
        &mut self,
        piece: &[u8],
        texts: &[bool],
        row: &mut (dyn FnMut(&[Read<'_>]) + Send),
    ) -> Result<(), EngineError> {
        if self.pending.is_empty() {
            // The server sends one row per message: nothing needs to be kept or copied.
            let used = self.consume(piece, texts, row)?;
            self.pending.extend_from_slice(&piece[used..]);
        } else {
            let mut pending = std::mem::take(&mut self.pending);
            pending.extend_from_slice(piece);
            let used = self.consume(&pending, texts, row)?;
            pending.drain(..used);
            self.pending = pending;
        }
        Ok(())
    }

    fn end(&self) -> Result<(), EngineError> {
        if self.ended && self.pending.is_empty() { Ok(()) } else { Err(malformed()) }
    }

    /// Hands on the rows that are complete; answers how many bytes they take.
    fn consume(
        &mut self,
        data: &[u8],
        texts: &[bool],
        row: &mut (dyn FnMut(&[Read<'_>]) + Send),
    ) -> Result<usize, EngineError> {
        let mut used = 0;
        if !self.begun {
            let Some(header) = data.get(..HEADER.len()) else { return Ok(0) };
            if header != HEADER {
                return Err(malformed());
            }
            self.begun = true;
            used = HEADER.len();
        }
        let mut fields = recycle(std::mem::take(&mut self.fields));
        while !self.ended && used < data.len() {
            if data[used..].starts_with(&TRAILER) {
                self.ended = true;
                used += TRAILER.len();
                break;
            }
            let Some(length) = split(&data[used..], texts, &mut fields)? else { break };
            row(&fields);
            fields.clear();
            used += length;
        }
        self.fields = recycle(fields);
        Ok(used)
    }
}

/// Finds the fields of the row at the start of `data`; answers its length, or `None` where it is not complete.
fn split<'a>(
    data: &'a [u8],
    texts: &[bool],
    fields: &mut Vec<Read<'a>>,
) -> Result<Option<usize>, EngineError> {
    fields.clear();
    let Some((count, mut rest)) = data.split_first_chunk() else { return Ok(None) };
    if usize::from(u16::from_be_bytes(*count)) != texts.len() {
        return Err(malformed());
    }
    for _ in texts {
        let Some((length, after)) = rest.split_first_chunk() else { return Ok(None) };
        rest = after;
        let length = i32::from_be_bytes(*length);
        if length == -1 {
            fields.push(Read::Null);
            continue;
        }
        let length = usize::try_from(length).map_err(|_| malformed())?;
        let Some((field, after)) = rest.split_at_checked(length) else { return Ok(None) };
        rest = after;
        fields.push(Read::Bytes(field));
    }
    let length = data.len() - rest.len();
    as_texts(&data[..length], texts, fields);
    Ok(Some(length))
}

/// Makes texts of the fields that are text. What is no valid text is looked at all the same.
fn as_texts<'a>(row: &'a [u8], texts: &[bool], fields: &mut [Read<'a>]) {
    // Lengths below 128 are ASCII, so that a whole row of short texts is one: to look at it once costs half as much.
    let short = |field: &Read<'_>| matches!(field, Read::Bytes(bytes) if bytes.len() < 128);
    let whole = fields.iter().all(short).then(|| std::str::from_utf8(row).ok()).flatten();
    let mut at = COUNT;
    for (field, is_text) in fields.iter_mut().zip(texts) {
        let Read::Bytes(bytes) = *field else { continue };
        let start = at + LENGTH;
        at = start + bytes.len();
        if *is_text {
            let text = match whole {
                Some(row) => row.get(start..at),
                None => std::str::from_utf8(bytes).ok(),
            };
            *field = text.map_or(Read::Bytes(bytes), Read::Text);
        }
    }
}

/// Bytes of the number of a row's fields.
const COUNT: usize = 2;
/// Bytes of a field's length.
const LENGTH: usize = 4;

/// The same room for fields that live elsewhere: an empty vector keeps its memory through this.
fn recycle<'b>(mut fields: Vec<Read<'_>>) -> Vec<Read<'b>> {
    fields.clear();
    fields.into_iter().map(|_| Read::Null).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream of two rows of text and bytes.
    fn stream() -> Vec<u8> {
        let mut stream = HEADER.to_vec();
        for (text, bytes) in [(Some("a café"), Some(&[0, 255][..])), (None, Some(&[][..]))] {
            stream.extend(2_u16.to_be_bytes());
            for field in [text.map(str::as_bytes), bytes] {
                stream.extend(field.map_or(-1, |field| field.len() as i32).to_be_bytes());
                stream.extend(field.unwrap_or_default());
            }
        }
        stream.extend(TRAILER);
        stream
    }

    fn read_in_pieces(stream: &[u8], size: usize) -> Result<Vec<String>, EngineError> {
        let mut seen = Vec::new();
        let mut rows = Rows::default();
        for piece in stream.chunks(size) {
            rows.feed(piece, &[true, false], &mut |row| {
                let shown = row.iter().map(|field| match field {
                    Read::Null => "null".to_owned(),
                    Read::Text(text) => format!("text {text}"),
                    Read::Bytes(bytes) => format!("bytes {bytes:?}"),
                });
                seen.push(shown.collect::<Vec<_>>().join(", "));
            })?;
        }
        rows.end()?;
        Ok(seen)
    }

    #[test]
    fn rows_are_the_same_in_pieces_of_any_size() {
        let stream = stream();
        let expected = ["text a café, bytes [0, 255]", "null, bytes []"];
        for size in 1..=stream.len() {
            assert_eq!(read_in_pieces(&stream, size).unwrap(), expected, "pieces of {size}");
        }
    }

    #[test]
    fn a_stream_that_is_cut_or_of_another_form_is_an_error() {
        let stream = stream();
        for end in 0..stream.len() {
            assert!(read_in_pieces(&stream[..end], 7).is_err(), "cut at {end}");
        }
        let mut other = stream.clone();
        other[HEADER.len() + 1] = 3;
        assert!(read_in_pieces(&other, 7).is_err(), "a row of another width");
        other = stream;
        other[0] = b'X';
        assert!(read_in_pieces(&other, 7).is_err(), "another signature");
    }
}
