//! Tables with columns of every type that can hold text, filled with what such columns hold: words, numbers, times, other
//! people's names and addresses. Nothing in them is an original.

use rand::RngExt as _;
use rand::rngs::StdRng;

use super::people::{digits, pick};

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A text, or the text form of another type.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `text`.
    Text,
    /// `varchar`.
    Varchar,
    /// `json`.
    Json,
    /// `jsonb`.
    Jsonb,
    /// `xml`.
    Xml,
    /// `text[]`.
    Array,
    /// `bytea`.
    Bytea,
    /// `hstore`.
    Hstore,
    /// `tsvector`.
    Tsvector,
}

impl Type {
    const ALL: [Type; 9] = [
        Type::Text,
        Type::Varchar,
        Type::Json,
        Type::Jsonb,
        Type::Xml,
        Type::Array,
        Type::Bytea,
        Type::Hstore,
        Type::Tsvector,
    ];

    /// As PostgreSQL writes it.
    pub fn sql(self) -> &'static str {
        match self {
            Type::Text => "text",
            Type::Varchar => "varchar(600)",
            Type::Json => "json",
            Type::Jsonb => "jsonb",
            Type::Xml => "xml",
            Type::Array => "text[]",
            Type::Bytea => "bytea",
            Type::Hstore => "hstore",
            Type::Tsvector => "tsvector",
        }
    }
}

/// A table.
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns besides `id`, `amount` and `at`.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: usize,
}

/// A column and its values, row by row.
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Type,
    /// Its values.
    pub cells: Vec<Cell>,
}

/// Tables of three to six columns, of 150 to 450 rows.
pub fn tables(rng: &mut StdRng, count: usize, others: &[String]) -> Vec<Table> {
    let table = |at: usize| {
        let rows = rng.random_range(150..450);
        let mut columns = Vec::new();
        for place in 0..rng.random_range(3..=6) {
            // Every type has its tables, and text is the most common.
            let kind = match place {
                0 => Type::ALL[at % Type::ALL.len()],
                1 => Type::Text,
                _ => Type::ALL[rng.random_range(0..Type::ALL.len())],
            };
            let cells = (0..rows).map(|_| filler(rng, kind, others)).collect();
            columns.push(Column { name: format!("{}_{place}", label(kind)), kind, cells });
        }
        Table { name: format!("stock_{at:02}"), columns, rows }
    };
    (0..count).map(table).collect()
}

fn label(kind: Type) -> &'static str {
    match kind {
        Type::Text => "note",
        Type::Varchar => "line",
        Type::Json => "payload",
        Type::Jsonb => "settings",
        Type::Xml => "letter",
        Type::Array => "tags",
        Type::Bytea => "raw",
        Type::Hstore => "extra",
        Type::Tsvector => "search",
    }
}

/// What such a column holds on an ordinary day.
fn filler(rng: &mut StdRng, kind: Type, others: &[String]) -> Cell {
    if rng.random_ratio(1, 12) {
        return Cell::Null;
    }
    let line = line(rng, others);
    let text = match kind {
        Type::Text => line,
        Type::Varchar => match rng.random_range(0..3) {
            0 => line,
            1 => digits(rng, "##########"),
            _ => word(rng).to_owned(),
        },
        Type::Json | Type::Jsonb => {
            let id = rng.random_range(1..1_000_000_000_u64);
            serde_json::json!({ "id": id, "text": line, "state": word(rng), "at": time(rng) })
                .to_string()
        }
        Type::Xml => {
            let line = line.replace('&', "&amp;").replace('<', "&lt;");
            format!("<entry at=\"{}\"><b>{line}</b>{}</entry>", time(rng), word(rng))
        }
        Type::Array => {
            format!("{{{},\"{}\",NULL}}", word(rng), line.replace('\\', r"\\").replace('"', "\\\""))
        }
        Type::Bytea => {
            let bytes: Vec<u8> = (0..rng.random_range(4..80)).map(|_| rng.random()).collect();
            return Cell::Bytes(if rng.random() { bytes } else { line.into_bytes() });
        }
        Type::Hstore => {
            let line = line.replace('\\', r"\\").replace('"', "\\\"");
            format!("\"state\"=>\"{}\", \"line\"=>\"{line}\"", word(rng))
        }
        Type::Tsvector => {
            let words = [word(rng), word(rng), word(rng)];
            format!("'{}':1 '{}':2,5 '{}':3", words[0], words[1], words[2])
        }
    };
    Cell::Text(text)
}

const WORDS: &[&str] = &[
    "orange",
    "delivered",
    "blue",
    "pending",
    "invoice",
    "parcel",
    "return",
    "winter",
    "garden",
    "engine",
    "window",
    "paper",
    "morning",
    "quality",
    "machine",
    "letter",
    "bottle",
    "summer",
];

fn word(rng: &mut StdRng) -> &'static str {
    pick(rng, WORDS)
}

fn time(rng: &mut StdRng) -> String {
    digits(rng, "2024-0#-1# 1#:##:0#").replace("-00-", "-04-")
}

/// A text as people and programs write them.
fn line(rng: &mut StdRng, others: &[String]) -> String {
    match rng.random_range(0..40) {
        0 => format!("{} has called", others[rng.random_range(0..others.len())]),
        1 => format!("mail to {}{}@kiosk.fr bounced", word(rng), rng.random_range(1..9999)),
        2 => digits(rng, "call back 03 88 ## ## ##"),
        3 => digits(rng, "order ORD-2024-######, batch ########"),
        4 => digits(rng, "trace 550e8400-e29b-41d4-a716-############"),
        5 => format!("GET /{}/{}?page=2&q={}%20{}", word(rng), word(rng), word(rng), word(rng)),
        6 => format!("{:032x}", rng.random::<u128>()),
        7 => digits(rng, "192.168.1##.2#:80## took 0.### s"),
        8 => format!("{} {} street {}", rng.random_range(1000..9999), word(rng), word(rng)),
        9 => digits(rng, "4### #### #### ####"),
        10 => format!("<b>{}</b> &amp; {}", word(rng), word(rng)),
        11 => format!("C:\\{}\\{}.txt", word(rng), word(rng)),
        _ => {
            let words: Vec<&str> = (0..rng.random_range(2..9)).map(|_| word(rng)).collect();
            words.join(" ")
        }
    }
}
