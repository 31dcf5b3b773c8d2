//! The forms in which copies of an original stand in places that nobody has thought of.

use anonymizer::identifier::Identifier::{
    self, Card, Email, FullName, Iban, Other, Phone, Secret, StreetAddress, Username,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::people::{Person, in_fours, pick};
use super::tables::{Cell, Type};

/// How an original is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// Alone, as it was.
    Plain,
    /// In capitals.
    Upper,
    /// Between words.
    Sentence,
    /// A string of a document, with escapes.
    Json,
    /// A document as a string of a document, in a text.
    JsonInText,
    /// Base64 of a text with it.
    Base64,
    /// As a URL or a form has it.
    Percent,
    /// Hexadecimal digits in a text.
    Hex,
    /// UTF-8 among other bytes.
    Bytes,
    /// UTF-16 among other bytes.
    Utf16,
    /// A telephone number with blanks.
    PhoneSpaces,
    /// A telephone number with dots.
    PhoneDots,
    /// A telephone number without its country.
    PhoneNational,
    /// An IBAN in groups of four.
    IbanGroups,
    /// An element of an array.
    Element,
    /// The text of an XML element.
    Xml,
    /// With entities of HTML.
    Entity,
    /// A value of hstore.
    Hstore,
    /// A cell of a line of CSV.
    Csv,
    /// A lexeme of a search vector.
    Lexeme,
}

impl Encoding {
    /// Every one.
    pub const ALL: [Encoding; 20] = [
        Encoding::Plain,
        Encoding::Upper,
        Encoding::Sentence,
        Encoding::Json,
        Encoding::JsonInText,
        Encoding::Base64,
        Encoding::Percent,
        Encoding::Hex,
        Encoding::Bytes,
        Encoding::Utf16,
        Encoding::PhoneSpaces,
        Encoding::PhoneDots,
        Encoding::PhoneNational,
        Encoding::IbanGroups,
        Encoding::Element,
        Encoding::Xml,
        Encoding::Entity,
        Encoding::Hstore,
        Encoding::Csv,
        Encoding::Lexeme,
    ];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Plain => "plain",
            Encoding::Upper => "upper case",
            Encoding::Sentence => "inside a sentence",
            Encoding::Json => "JSON-escaped",
            Encoding::JsonInText => "JSON string inside text",
            Encoding::Base64 => "base64",
            Encoding::Percent => "percent-encoded",
            Encoding::Hex => "hex of bytea, as text",
            Encoding::Bytes => "UTF-8 in bytea",
            Encoding::Utf16 => "UTF-16 in bytea",
            Encoding::PhoneSpaces => "phone with spaces",
            Encoding::PhoneDots => "phone with dots",
            Encoding::PhoneNational => "phone, national form",
            Encoding::IbanGroups => "IBAN in groups",
            Encoding::Element => "array element",
            Encoding::Xml => "XML text",
            Encoding::Entity => "HTML entities",
            Encoding::Hstore => "hstore value",
            Encoding::Csv => "CSV cell",
            Encoding::Lexeme => "lexeme of a tsvector",
        }
    }

    /// What is written in it.
    pub fn kinds(self) -> &'static [Identifier] {
        match self {
            Encoding::PhoneSpaces | Encoding::PhoneDots | Encoding::PhoneNational => &[Phone],
            Encoding::IbanGroups => &[Iban],
            // A search vector knows words.
            Encoding::Lexeme => &[Email, Username, Iban, Card, Secret, Other],
            _ => &[Email, Phone, Username, Iban, Card, FullName, StreetAddress, Secret, Other],
        }
    }

    /// Types of columns in which it stands.
    pub fn fits(self, column: Type) -> bool {
        use Type::{Array, Bytea, Hstore, Json, Jsonb, Text, Tsvector, Varchar, Xml};
        match self {
            Encoding::Json => matches!(column, Json | Jsonb | Text),
            Encoding::Bytes | Encoding::Utf16 => column == Bytea,
            Encoding::Element => column == Array,
            Encoding::Xml => column == Xml,
            Encoding::Hstore => column == Hstore,
            Encoding::Lexeme => column == Tsvector,
            Encoding::Plain | Encoding::Upper => matches!(column, Text | Varchar | Json | Jsonb),
            _ => matches!(column, Text | Varchar),
        }
    }

    /// A cell of that type with the person's original of that kind in it.
    pub fn write(self, rng: &mut StdRng, person: &Person, kind: Identifier, column: Type) -> Cell {
        let plant = person.original(kind);
        let text = match self {
            Encoding::Plain => return whole(plant.to_owned(), column),
            Encoding::Upper => return whole(plant.to_uppercase(), column),
            Encoding::PhoneSpaces => person.phone.international(" "),
            Encoding::PhoneDots if rng.random() => person.phone.international("."),
            Encoding::PhoneDots => person.phone.national("."),
            Encoding::PhoneNational => person.phone.local(rng),
            Encoding::IbanGroups => in_fours(plant),
            Encoding::Sentence => sentence(rng, plant),
            Encoding::Json => document(rng, &escaped(plant)),
            Encoding::JsonInText => {
                let inner = document(rng, &escaped(plant));
                let outer = format!("{{\"status\": 200, \"body\": {}}}", escaped(&inner));
                pick(rng, &["", "<- "]).to_owned() + &outer
            }
            Encoding::Base64 => base64(rng, plant),
            Encoding::Percent => percent(rng, plant),
            Encoding::Hex => hex(rng, plant),
            Encoding::Bytes => return Cell::Bytes(among_bytes(rng, plant.as_bytes())),
            Encoding::Utf16 => return Cell::Bytes(utf16(rng, plant)),
            Encoding::Element => {
                let plant = plant.replace('\\', r"\\").replace('"', "\\\"");
                format!("{{\"{}\",\"{plant}\",NULL}}", pick(rng, &["call back", "3", "a, b"]))
            }
            Encoding::Xml => {
                let plant = plant.replace('&', "&amp;").replace('<', "&lt;");
                format!("<note id=\"{}\"><to>{plant}</to><body/></note>", rng.random_range(1..999))
            }
            Encoding::Entity => format!("<p>Dear customer,</p><p>{}</p>", entities(rng, plant)),
            Encoding::Hstore => {
                format!("\"shelf\"=>\"{}\", \"contact\"=>\"{plant}\"", rng.random_range(1..99))
            }
            Encoding::Csv => csv(rng, plant),
            Encoding::Lexeme => {
                let plant = plant.to_lowercase().replace('\'', "''");
                format!("'call':1 '{plant}':3 'parcel':2")
            }
        };
        Cell::Text(text)
    }
}

/// All there is in the cell.
fn whole(text: String, column: Type) -> Cell {
    match column {
        Type::Json | Type::Jsonb => Cell::Text(serde_json::Value::from(text).to_string()),
        _ => Cell::Text(text),
    }
}

fn sentence(rng: &mut StdRng, plant: &str) -> String {
    let before = pick(rng, &["Please use", "see also:", "Customer wrote from", "3 parcels for"]);
    let after = pick(rng, &["before 10:30", "- thanks!", "(again)", "please, or tomorrow"]);
    match rng.random_range(0..3) {
        0 => format!("{before} {plant} {after}"),
        1 => format!("{before} {plant}."),
        _ => format!("{before} \"{plant}\", {after}"),
    }
}

/// A JSON string in which everything is escaped that may be.
fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\\' | '/' => format!("\\{c}"),
        '@' | '<' | '>' | '&' | '\'' => format!("\\u{:04X}", u32::from(c)),
        c if c.is_ascii() => c.to_string(),
        c => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

fn document(rng: &mut StdRng, string: &str) -> String {
    let id = rng.random_range(1000..9999);
    match rng.random_range(0..3) {
        0 => format!("{{\"id\": {id}, \"contact\": {{\"value\": {string}, \"ok\": true}}}}"),
        1 => format!("[{id}, {string}, null]"),
        _ => format!("{{\"by\": {string}, \"tags\": [\"new\", \"web\"]}}"),
    }
}

fn base64(rng: &mut StdRng, plant: &str) -> String {
    let plain = match rng.random_range(0..3) {
        0 => plant.to_owned(),
        1 => format!("{{\"sub\":\"{plant}\",\"exp\":{}}}", rng.random_range(1_000_000..9_999_999)),
        _ => format!("user={plant}"),
    };
    match rng.random_range(0..3) {
        0 => STANDARD.encode(plain),
        1 => format!("Authorization: Basic {}", STANDARD_NO_PAD.encode(plain)),
        _ => format!("GET /t?token={}&v=2", URL_SAFE_NO_PAD.encode(plain)),
    }
}

fn percent(rng: &mut StdRng, plant: &str) -> String {
    let form = rng.random::<bool>();
    let byte = |byte: u8| match byte {
        b' ' if form => "+".to_owned(),
        b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    let value: String = plant.bytes().map(byte).collect();
    match form {
        true => format!("page=2&contact={value}&z=1"),
        false => format!("https://shop.example.org/search?q={value}"),
    }
}

fn hex(rng: &mut StdRng, plant: &str) -> String {
    let digits = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match rng.random_range(0..3) {
        0 => format!("\\x{}", digits(plant.as_bytes())),
        1 => digits(plant.as_bytes()).to_uppercase(),
        _ => format!("raw=0x{} ok", digits(format!("to: {plant};").as_bytes())),
    }
}

fn among_bytes(rng: &mut StdRng, plant: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        (0..rng.random_range(1..9)).map(|_| rng.random_range(0x80..=0xff)).collect();
    bytes.push(0);
    bytes.extend(plant);
    bytes.extend([0, 0xfe, 0x01]);
    bytes
}

/// Of either order, with and without a mark, at an even or an odd place.
fn utf16(rng: &mut StdRng, plant: &str) -> Vec<u8> {
    let order: fn(u16) -> [u8; 2] = if rng.random() { u16::to_le_bytes } else { u16::to_be_bytes };
    let units: Vec<u8> = plant.encode_utf16().flat_map(order).collect();
    match rng.random_range(0..3) {
        0 => [&order(0xfeff), units.as_slice()].concat(),
        1 => units,
        _ => {
            let mut bytes: Vec<u8> = (0..rng.random_range(1..6)).map(|_| 0xff).collect();
            bytes.extend(units);
            bytes.extend([0xff, 0xff]);
            bytes
        }
    }
}

fn entities(rng: &mut StdRng, plant: &str) -> String {
    let way = rng.random_range(0..3);
    let entity = |c: char| match (way, c) {
        (0, '@') => "&commat;".to_owned(),
        (0, 'é') => "&eacute;".to_owned(),
        (0, 'ü') => "&uuml;".to_owned(),
        (0, 'ß') => "&szlig;".to_owned(),
        (_, ' ') => " ".to_owned(),
        (_, c) if c.is_ascii_alphanumeric() => c.to_string(),
        (2, c) => format!("&#x{:X};", u32::from(c)),
        (_, c) => format!("&#{};", u32::from(c)),
    };
    plant.chars().map(entity).collect()
}

fn csv(rng: &mut StdRng, plant: &str) -> String {
    let id = rng.random_range(1000..9999);
    let quoted = format!("\"{}\"", plant.replace('"', "\"\""));
    match rng.random_range(0..3) {
        0 => format!("{id};{quoted};2024-02-01;12,50"),
        1 => format!("id,contact,total\n{id},{quoted},12.50\n"),
        _ => format!("{id}\t{plant}\t12.50"),
    }
}
