//! Reads a database through an engine's verbs, as the leak gate does, and keeps what it is given.

use std::collections::{BTreeMap, BTreeSet};

use anonymizer::engine::{Engine, EngineError, Read, Reader, Source};

/// What was read.
#[derive(Debug, Default)]
pub struct Seen {
    /// Rows by `schema.table`; a row that cannot hold anything is no row.
    pub rows: BTreeMap<String, u64>,
    /// Values by `schema.table.column`, bytes as text, each once.
    pub values: BTreeMap<String, BTreeSet<String>>,
    /// Texts of the catalog by what holds them.
    pub metadata: BTreeMap<String, Vec<String>>,
}

impl Seen {
    /// Reads everything that the engine offers.
    pub async fn all(engine: &impl Engine) -> Result<Self, EngineError> {
        let mut seen = Self::default();
        for source in engine.sources().await? {
            let mut keeper = Keeper { seen: &mut seen, source: &source };
            engine.read(&source, &mut keeper).await?;
        }
        for (place, text) in engine.metadata().await? {
            seen.metadata.entry(place).or_default().push(text);
        }
        Ok(seen)
    }

    /// The columns in which a text stands, in whatever case.
    pub fn columns_with(&self, text: &str) -> Vec<&str> {
        let holds = |value: &String| value.to_lowercase().contains(text);
        let with = self.values.iter().filter(|(_, values)| values.iter().any(holds));
        with.map(|(column, _)| column.as_str()).collect()
    }

    /// The places of the catalog in which a text stands.
    pub fn places_with(&self, text: &str) -> Vec<&str> {
        let holds = |value: &String| value.to_lowercase().contains(text);
        let with = self.metadata.iter().filter(|(_, texts)| texts.iter().any(holds));
        with.map(|(place, _)| place.as_str()).collect()
    }
}

struct Keeper<'a> {
    seen: &'a mut Seen,
    source: &'a Source,
}

impl Reader for Keeper<'_> {
    fn row(&mut self, row: &[Read<'_>]) {
        let Source { table, columns, .. } = self.source;
        assert_eq!(row.len(), columns.len(), "{table}");
        *self.seen.rows.entry(table.to_string()).or_default() += 1;
        for (column, field) in columns.iter().zip(row) {
            let text = match field {
                Read::Null => continue,
                Read::Text(text) => (*text).to_owned(),
                Read::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            };
            self.seen.values.entry(format!("{table}.{column}")).or_default().insert(text);
        }
    }
}
