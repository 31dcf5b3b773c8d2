//! A catalog from a few lines of text, for tests of the plan: everything PostgreSQL and SQLite can say, without a database.
//!
//! ```text
//! table public.users
//!   id int pk identity
//!   email varchar(60) null unique
//!   unique users_lower (email) nocase
//! table public.orders partitioned placed
//!   placed date
//!   user_id int -> public.users.id
//! table public.orders_2024 of public.orders
//!   placed date
//!   user_id int
//! view public.everyone
//! ```
//! Columns are NOT NULL unless they say `null`.

use anonymizer::catalog::{
    Catalog, Check, Column, ForeignKey, Kind, Table, TableKind, TableName, UniqueKey, View,
};

/// Reads the lines.
pub fn catalog(text: &str) -> Catalog {
    let mut catalog = Catalog {
        engine: "postgres".into(),
        default_schema: "public".into(),
        ..Catalog::default()
    };
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "table" => catalog.tables.push(table(&words[1..])),
            "view" => {
                catalog.views.push(View { name: table_name(words[1]), materialized: false });
            }
            _ => detail(&mut catalog, &words),
        }
    }
    catalog
}

fn table_name(text: &str) -> TableName {
    let (schema, name) = text.split_once('.').expect("tables are written with their schema");
    TableName::new(schema, name)
}

fn table(words: &[&str]) -> Table {
    let after = |word: &str| {
        words.iter().position(|other| *other == word).map(|position| words[position + 1])
    };
    let kind = if after("partitioned").is_some() {
        TableKind::Partitioned
    } else if words.contains(&"foreign") {
        TableKind::Foreign
    } else if words.contains(&"virtual") {
        TableKind::Virtual
    } else {
        TableKind::Plain
    };
    Table {
        name: table_name(words[0]),
        kind,
        columns: Vec::new(),
        unique_keys: Vec::new(),
        checks: Vec::new(),
        exclusions: Vec::new(),
        parents: after("of").or(after("inherits")).map(table_name).into_iter().collect(),
        partition_key: after("partitioned").map(str::to_owned).into_iter().collect(),
        triggers: 0,
        row_security: false,
        estimated_rows: 100,
        bytes: 8192,
        extension: after("extension").map(str::to_owned),
    }
}

/// A line that belongs to the table above it.
fn detail(catalog: &mut Catalog, words: &[&str]) {
    let table = catalog.tables.last_mut().expect("a column stands below a table");
    match words {
        ["unique", name, columns, options @ ..] => {
            table.unique_keys.push(unique(name, list(columns), options));
        }
        ["check", name, expression @ ..] => table.checks.push(Check {
            name: (*name).into(),
            columns: Vec::new(),
            expression: expression.join(" "),
        }),
        ["references", columns, to, referenced] => {
            let name = format!("{}_fkey", table.name.name);
            catalog.foreign_keys.push(ForeignKey {
                name,
                table: table.name.clone(),
                columns: list(columns),
                references: table_name(to),
                referenced_columns: list(referenced),
                validated: true,
                period: false,
            });
        }
        [name, data_type, options @ ..] => {
            let has = |option: &str| options.contains(&option);
            table.columns.push(Column {
                name: (*name).into(),
                data_type: (*data_type).into(),
                kind: kind(data_type),
                nullable: has("null"),
                default: None,
                generated: has("generated"),
                identity: has("identity"),
            });
            for option in ["pk", "unique"].into_iter().filter(|option| has(option)) {
                let suffix = if option == "pk" { "pkey".into() } else { format!("{name}_key") };
                let key = format!("{}_{suffix}", table.name.name);
                table.unique_keys.push(unique(&key, vec![(*name).into()], options));
            }
            if let Some(arrow) = options.iter().position(|option| *option == "->") {
                let (to, referenced) = options[arrow + 1].rsplit_once('.').expect("table.column");
                catalog.foreign_keys.push(ForeignKey {
                    name: format!("{}_{name}_fkey", table.name.name),
                    table: table.name.clone(),
                    columns: vec![(*name).into()],
                    references: table_name(to),
                    referenced_columns: vec![referenced.into()],
                    validated: true,
                    period: false,
                });
            }
        }
        _ => panic!("cannot read {words:?}"),
    }
}

fn unique(name: &str, columns: Vec<String>, options: &[&str]) -> UniqueKey {
    UniqueKey {
        name: name.into(),
        columns,
        expressions: Vec::new(),
        primary: options.contains(&"pk"),
        predicate: options.contains(&"partial").then(|| "active".into()),
        ignore_case: options.contains(&"nocase"),
        nulls_collide: options.contains(&"nulls_collide"),
    }
}

/// `(a,b)`.
fn list(text: &str) -> Vec<String> {
    text.trim_matches(['(', ')']).split(',').map(str::to_owned).collect()
}

fn kind(data_type: &str) -> Kind {
    if let Some(element) = data_type.strip_suffix("[]") {
        return Kind::Array(Box::new(kind(element)));
    }
    let (name, width) = match data_type.trim_end_matches(')').split_once('(') {
        Some((name, width)) => (name, width.parse().ok()),
        None => (data_type, None),
    };
    match name {
        "bool" => Kind::Bool,
        "smallint" => Kind::Int(16),
        "int" => Kind::Int(32),
        "bigint" => Kind::Int(64),
        "float" => Kind::Float,
        "numeric" => Kind::Decimal(None),
        "text" | "varchar" => Kind::Text { max_chars: width, ignore_case: false },
        "citext" => Kind::Text { max_chars: None, ignore_case: true },
        "mood" => Kind::Enum(vec!["glad".into(), "sad".into()]),
        "json" => Kind::Json,
        "xml" => Kind::Xml,
        "bytea" => Kind::Bytes,
        "date" => Kind::Date,
        "timestamp" => Kind::Timestamp,
        "uuid" => Kind::Uuid,
        "inet" => Kind::Inet,
        other => Kind::Other(other.into()),
    }
}
