//! A few masked rows of each table that a run would rewrite. Reads a few rows, writes nothing, shows no original.

use futures_util::TryStreamExt as _;
use sqlx::postgres::PgConnection;

use crate::engine::postgres::binary::BinaryStream;
use crate::engine::postgres::error::engine_error;
use crate::engine::postgres::relation::{WireColumn, wire_columns};
use crate::engine::postgres::rows::RowMasker;
use crate::engine::postgres::session::{NO_PATH, ident, qualified, run};
use crate::engine::postgres::unit;
use crate::engine::{EngineError, Sample, render};
use crate::plan::TablePlan;

/// Masked rows of a table; part of a read-only transaction of the caller's. Only masked columns are read, and those their
/// fakes are derived from; rows that a run would leave or remove are not.
pub async fn sample(
    conn: &mut PgConnection,
    table: &TablePlan,
    rows: usize,
) -> Result<Sample, EngineError> {
    let task = format!("preview {}", table.name);
    let columns = columns_read(conn, table).await?;
    let names: Vec<String> = columns.iter().map(|column| ident(&column.name)).collect();
    let predicates = table.skip_rows.iter().chain(&table.delete_rows);
    let kept_out: String =
        predicates.map(|predicate| format!(" AND ((\n{predicate}\n)) IS NOT TRUE")).collect();
    let copy_out = format!(
        "COPY (SELECT {} FROM ONLY {} WHERE true{kept_out} LIMIT {rows}) TO STDOUT (FORMAT binary)",
        names.join(", "),
        qualified(&table.name)
    );
    let mut masker = unit::masker(table, columns)?;
    (masker.skip_flag, masker.delete_flag) = (None, None);
    let mut masked = Vec::new();
    let mut stream = BinaryStream::start(masker.width(), &mut masked);
    // What has been written so far is the header.
    masked.clear();
    run(conn, &task, &unit::predicate_path(&table.name)).await?;
    let mut pieces =
        conn.copy_out_raw(&copy_out).await.map_err(|error| engine_error(&task, error))?;
    while let Some(piece) = pieces.try_next().await.map_err(|error| engine_error(&task, error))? {
        stream.feed(&piece, &mut masker, &mut masked)?;
    }
    drop(pieces);
    stream.end(&mut masker, &mut masked)?;
    run(conn, &task, NO_PATH).await?;
    Ok(Sample { rows: show(table, &masker, &masked)?, readable: true, ..unreadable(table) })
}

/// What can be said of a table that this role cannot read before a run has taken its rights.
pub fn unreadable(table: &TablePlan) -> Sample {
    let columns = table.columns.iter();
    Sample {
        table: table.name.clone(),
        columns: columns.map(|column| (column.name.clone(), column.function.clone())).collect(),
        rows: Vec::new(),
        readable: false,
    }
}

async fn columns_read(
    conn: &mut PgConnection,
    table: &TablePlan,
) -> Result<Vec<WireColumn>, EngineError> {
    let seeds: Vec<usize> = table.columns.iter().filter_map(|column| column.seed).collect();
    let is_read = |column: &WireColumn| {
        let plan = table.columns.iter().position(|plan| plan.name == column.name);
        column.has_binary
            && plan
                .is_some_and(|index| table.columns[index].mask.is_some() || seeds.contains(&index))
    };
    let mut columns = wire_columns(conn, &table.name).await?;
    columns.retain(is_read);
    Ok(columns)
}

/// Masked rows as text, in the order of the table's columns; what is kept is not shown.
fn show(
    table: &TablePlan,
    masker: &RowMasker,
    mut masked: &[u8],
) -> Result<Vec<Vec<Option<String>>>, EngineError> {
    let malformed = || {
        EngineError::Unexpected(format!("the masked rows of {} cannot be read back", table.name))
    };
    let mut rows = Vec::new();
    for _ in 0..masker.rows {
        let mut row = vec![Some("(kept)".to_owned()); table.columns.len()];
        masked = masked.get(2..).ok_or_else(malformed)?;
        for field in &masker.fields {
            let (length, rest) = masked.split_first_chunk::<4>().ok_or_else(malformed)?;
            let length = i32::from_be_bytes(*length);
            let (bytes, rest) =
                rest.split_at_checked(length.max(0) as usize).ok_or_else(malformed)?;
            masked = rest;
            if field.mask.is_some() {
                let shown = || match field.codec.decode(bytes) {
                    Ok(Some(value)) => render(&value),
                    Ok(None) => Some("infinity".to_owned()),
                    Err(_) => Some(format!("({})", field.function)),
                };
                row[field.plan_index] = if length < 0 { None } else { shown() };
            }
        }
        rows.push(row);
    }
    Ok(rows)
}
