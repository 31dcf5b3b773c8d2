//! Virtual tables: where their data lives, and so what must happen to them.
//!
//! A full-text index holds words of the original rows. It is masked like a table where it has rows of its own, rebuilt
//! where it follows another table, and emptied where it can do neither. What cannot be looked into is refused.

use super::ddl;

/// Where a virtual table's data lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Storage {
    /// In rows of its own, that can be read and written like any table's. `full_text` ones are rebuilt after writing, so
    /// that no original word stays in their index.
    Rows {
        /// It keeps an index of words, and rows have a hidden rowid.
        full_text: bool,
    },
    /// In another table or view, of which it is an index.
    Follows(String),
    /// In an index of words alone: it can be emptied, not read.
    WordsOnly,
    /// Nowhere: it shows what another object holds.
    Nothing,
    /// Nobody here knows.
    Unknown,
}

/// What the CREATE VIRTUAL TABLE statement says about storage.
pub(super) fn storage(create_virtual_table: &str) -> Storage {
    let Some((module, arguments)) = ddl::module(create_virtual_table) else {
        return Storage::Unknown;
    };
    match module.to_ascii_lowercase().as_str() {
        "fts5" | "fts4" | "fts3" => full_text(&arguments),
        "rtree" | "rtree_i32" => Storage::Rows { full_text: false },
        "fts5vocab" | "fts4aux" | "fts3tokenize" | "dbstat" => Storage::Nothing,
        _ => Storage::Unknown,
    }
}

fn full_text(arguments: &[String]) -> Storage {
    let content = arguments.iter().find_map(|argument| {
        let (key, value) = argument.split_once('=')?;
        key.trim().eq_ignore_ascii_case("content").then(|| ddl::unquoted(value))
    });
    match content {
        None => Storage::Rows { full_text: true },
        Some(table) if table.is_empty() => Storage::WordsOnly,
        Some(table) => Storage::Follows(table),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_is_read_from_the_statement() {
        for (arguments, expected) in [
            ("fts5(a, b)", Storage::Rows { full_text: true }),
            ("fts5(a, content='')", Storage::WordsOnly),
            ("FTS4(a, content=\"posts\")", Storage::Follows("posts".into())),
            ("fts5(a, content = posts, content_rowid=id)", Storage::Follows("posts".into())),
            ("rtree(id, x0, x1)", Storage::Rows { full_text: false }),
            ("fts5vocab(f, row)", Storage::Nothing),
            ("vec0(embedding)", Storage::Unknown),
        ] {
            let sql = format!("CREATE VIRTUAL TABLE v USING {arguments}");
            assert_eq!(storage(&sql), expected, "{arguments}");
        }
    }
}
