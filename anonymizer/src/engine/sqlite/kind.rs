//! From a declared type to a [`Kind`]. SQLite takes any words for a type and enforces few of them; what people declared is
//! nevertheless what the readers of a column rely on, so masks keep to it.

use crate::catalog::Kind;

/// The kind of a column, from its declared type and collation.
pub(super) fn kind(declared: &str, collation: &str) -> Kind {
    let declared = declared.to_ascii_uppercase();
    let (name, arguments) = split(&declared);
    named(name, &arguments)
        .unwrap_or_else(|| by_affinity(name, &arguments, collation.eq_ignore_ascii_case("nocase")))
}

/// `VARCHAR(20)` as its name and its numbers.
fn split(declared: &str) -> (&str, Vec<u32>) {
    let Some((name, rest)) = declared.split_once('(') else {
        return (declared.trim(), Vec::new());
    };
    let inside = rest.split_once(')').map_or(rest, |(inside, _)| inside);
    (name.trim(), inside.split(',').filter_map(|number| number.trim().parse().ok()).collect())
}

/// Types that have a name of their own in the field.
fn named(name: &str, arguments: &[u32]) -> Option<Kind> {
    Some(match name {
        "BOOL" | "BOOLEAN" => Kind::Bool,
        "DATE" => Kind::Date,
        "TIME" => Kind::Time,
        "JSON" | "JSONB" => Kind::Json,
        "XML" => Kind::Xml,
        "UUID" | "GUID" | "UNIQUEIDENTIFIER" => Kind::Uuid,
        "BINARY" | "VARBINARY" | "BYTEA" | "IMAGE" => Kind::Bytes,
        "SMALLINT" | "INT2" | "TINYINT" => Kind::Int(16),
        "MEDIUMINT" | "INT4" => Kind::Int(32),
        "DECIMAL" | "NUMERIC" | "NUMBER" | "MONEY" => Kind::Decimal(match arguments {
            [] => None,
            [precision] => Some((*precision, 0)),
            [precision, scale, ..] => Some((*precision, *scale)),
        }),
        _ if name.starts_with("DATETIME") || name.starts_with("TIMESTAMP") => Kind::Timestamp,
        _ => return None,
    })
}

/// SQLite's own rules (datatype3.html §3.1), except that a word which only happens to hold `INT`, and a column without a
/// type, may hold any text and so count as text: nothing about them passes by a wildcard.
fn by_affinity(name: &str, arguments: &[u32], ignore_case: bool) -> Kind {
    let is_integer = name.split_ascii_whitespace().any(|word| {
        word.ends_with("INT") && word != "POINT" || word.starts_with("INT") && word != "INTERVAL"
    });
    let text = || Kind::Text { max_chars: arguments.first().copied(), ignore_case };
    let holds = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match () {
        () if is_integer => Kind::Int(64),
        () if holds(&["CHAR", "CLOB", "TEXT"]) => text(),
        () if holds(&["BLOB"]) => Kind::Bytes,
        () if holds(&["REAL", "FLOA", "DOUB"]) => Kind::Float,
        () => text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(max_chars: Option<u32>) -> Kind {
        Kind::Text { max_chars, ignore_case: false }
    }

    #[test]
    fn declared_types_have_kinds() {
        for (declared, expected) in [
            ("INTEGER", Kind::Int(64)),
            ("unsigned big int", Kind::Int(64)),
            ("SMALLINT", Kind::Int(16)),
            ("varchar(40)", text(Some(40))),
            ("NVARCHAR ( 7 )", text(Some(7))),
            ("TEXT", text(None)),
            ("", text(None)),
            ("ANY", text(None)),
            ("POINT", text(None)),
            ("STRING", text(None)),
            ("decimal(10, 2)", Kind::Decimal(Some((10, 2)))),
            ("NUMERIC", Kind::Decimal(None)),
            ("double precision", Kind::Float),
            ("datetime", Kind::Timestamp),
            ("TIMESTAMP WITH TIME ZONE", Kind::Timestamp),
            ("DATE", Kind::Date),
            ("BLOB", Kind::Bytes),
            ("uuid", Kind::Uuid),
            ("JSON", Kind::Json),
            ("Boolean", Kind::Bool),
        ] {
            assert_eq!(kind(declared, "BINARY"), expected, "{declared}");
        }
        let nocase = Kind::Text { max_chars: None, ignore_case: true };
        assert_eq!(kind("TEXT", "NOCASE"), nocase);
    }
}
