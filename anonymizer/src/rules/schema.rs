//! The JSON Schema of a rules file, for editors: generated from the types below and the registry of masking functions.
//!
//! All fields of these types are required unless `required` says otherwise: an `Option` would allow a null, and a rules file
//! has none. It describes the form only. What [`super::parse`] also refuses (duplicate keys, names that cannot be read, predicates that
//! read a clock) a JSON Schema cannot say.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::identifier::Identifier;
use crate::mask::{FUNCTIONS, Function, Parameter, ParameterKind};
use crate::scrub::CHECKS;

/// The schema as JSON text, the form in which it is published.
pub fn json_schema() -> String {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let schema = generator.root_schema_for::<RulesFile>();
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

/// Rules of anonymizer: what happens to every table and column of one database.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("required" = ["version", "tables"]))]
#[expect(dead_code, reason = "its schema is all there is to it")]
struct RulesFile {
    /// Version of the file's form.
    version: VersionOne,
    /// Locale of fakes, where a rule names none; `en_US` by default.
    locale: Text,
    /// A rule for each table. A name is as stored and case-sensitive: `table` where that is unambiguous, or `schema.table`.
    /// Stars stand for any run of characters without a dot; double quotes around a part with a dot, a quote or a star.
    tables: BTreeMap<String, TableRule>,
    /// What a snapshot carries besides rows.
    scrub: Scrub,
    /// What the leak gate looks for, and may find.
    verify: Verify,
}

/// What the leak gate may find.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("required" = []))]
#[expect(dead_code, reason = "its schema is all there is to it")]
struct Verify {
    /// Places in which identifiers may be found.
    allow: Vec<Allowed>,
}

/// A place in which identifiers may be found.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("required" = ["column", "reason"]))]
#[expect(dead_code, reason = "its schema is all there is to it")]
struct Allowed {
    /// The place as the report names it: `schema.table.column`, or what holds a text of the catalog.
    column: Text,
    /// Only this kind of identifier; every kind where it is left out.
    kind: IdentifierName,
    /// Why; the report shows it.
    reason: Text,
}

/// A kind of identifier.
struct IdentifierName;

impl JsonSchema for IdentifierName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "IdentifierName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": Identifier::ALL.map(Identifier::name) })
    }
}

/// What a snapshot carries besides rows, and what becomes of it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("required" = []))]
#[expect(dead_code, reason = "its schema is all there is to it")]
struct Scrub {
    /// Checks that may stay undone.
    accept: Vec<Accepted>,
    /// Login roles, by name or with stars, with `--scope instance`; those that are not named are locked.
    roles: BTreeMap<String, RoleWord>,
    /// The server's other databases, with `--scope instance`; each that holds anything is named.
    databases: BTreeMap<String, DatabaseWord>,
    /// Large objects; where there are some and nothing is said, the run is refused.
    large_objects: LargeObjectsWord,
}

/// A check that may stay undone.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "its schema is all there is to it")]
struct Accepted {
    /// The check.
    check: CheckId,
    /// Why; the report shows it.
    reason: Text,
}

/// What happens to a login role.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "its schema is all there is to it")]
enum RoleWord {
    /// It keeps its rights and loses its login and its password.
    Lock,
    /// What it owns goes to the run's role, then it is dropped.
    Drop,
}

/// What happens to another database of the server.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "its schema is all there is to it")]
enum DatabaseWord {
    /// It is dropped.
    Drop,
    /// A run of its own has masked it and has passed; it is asked for the statement.
    Masked,
}

/// What happens to large objects.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "its schema is all there is to it")]
enum LargeObjectsWord {
    /// All of them are removed.
    Drop,
    /// They stay as they are.
    Keep,
}

/// A check's name, from the registry.
struct CheckId;

impl JsonSchema for CheckId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "CheckId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
        json_schema!({ "enum": ids })
    }
}

/// What happens to a table.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "its schema is all there is to it")]
enum TableRule {
    Word(TableWord),
    Truncate(TruncateRule),
    Mask(MaskRule),
}

/// A whole table.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "its schema is all there is to it")]
enum TableWord {
    /// Every row stays. It decides numbers, booleans, dates, enums and uuids; other columns are named one by one.
    Keep,
    /// Every row is removed.
    Truncate,
}

/// Every row is removed.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("required" = ["truncate"]))]
#[expect(dead_code, reason = "its schema is all there is to it")]
struct TruncateRule {
    truncate: True,
    /// Also empty the tables that reference it and have no rule that names them.
    cascade: bool,
}

/// Rows and columns of a table.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("required" = []))]
#[expect(dead_code, reason = "its schema is all there is to it")]
struct MaskRule {
    /// A function for each column. Names as for tables; an exact name beats one with stars, and a name with stars decides
    /// numbers, booleans, dates, enums and uuids only.
    columns: BTreeMap<String, ColumnRule>,
    /// SQL condition: rows that stay as they are.
    skip_rows: Text,
    /// SQL condition: rows that are removed. `now()` is taken once per run.
    delete_rows: Text,
    /// `delete_rows` also removes the rows of other tables that reference a removed one.
    cascade: bool,
}

/// JSON types that a scalar's text may look like: `no` and `007` are texts to us.
const TEXT: [&str; 3] = ["string", "number", "boolean"];

/// A scalar, taken as its source text.
struct Text;

impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": TEXT })
    }
}

struct VersionOne;

impl JsonSchema for VersionOne {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "VersionOne".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "const": 1 })
    }
}

struct True;

impl JsonSchema for True {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "True".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "const": true })
    }
}

/// A column's rule.
struct ColumnRule;

impl JsonSchema for ColumnRule {
    fn schema_name() -> Cow<'static, str> {
        "ColumnRule".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        rule("What happens to a column.", true, generator)
    }
}

/// A rule inside a column's: for an array's elements or a JSON path.
struct InnerRule;

impl JsonSchema for InnerRule {
    fn schema_name() -> Cow<'static, str> {
        "InnerRule".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        rule("What happens to an element, or to what a JSON path finds.", false, generator)
    }
}

fn rule(description: &str, seeded: bool, generator: &mut SchemaGenerator) -> Schema {
    let by_name = FUNCTIONS
        .iter()
        .filter(|function| !function.parameters.iter().any(|parameter| parameter.required))
        .map(|function| json!({ "const": function.name, "description": function.summary }));
    let mut forms: Vec<Value> = by_name.collect();
    forms.extend(FUNCTIONS.iter().map(|function| with_parameters(function, seeded, generator)));
    json_schema!({ "description": description, "anyOf": forms })
}

fn with_parameters(function: &Function, seeded: bool, generator: &mut SchemaGenerator) -> Value {
    let mut properties = Map::new();
    properties.insert("function".into(), json!({ "const": function.name }));
    let mut add = |name: &str, description: &str, mut schema: Value| {
        schema["description"] = description.into();
        properties.insert(name.into(), schema);
    };
    for parameter in function.parameters {
        add(parameter.name, parameter.summary, argument(parameter, generator));
    }
    let text = || json!({ "type": TEXT });
    if function.keyed && seeded {
        add("seed", "Derive the fake from this column of the same row.", text());
    }
    if function.keyed {
        add("domain", "Separates or joins meanings: other domain, other fakes.", text());
    }
    if function.localized {
        add("locale", "Locale of the fakes.", text());
    }
    add("identifies", function.about_identifies(), json!({ "type": "boolean" }));
    let required = function.parameters.iter().filter(|parameter| parameter.required);
    let required: Vec<&str> =
        std::iter::once("function").chain(required.map(|parameter| parameter.name)).collect();
    json!({
        "type": "object",
        "description": function.summary,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn argument(parameter: &Parameter, generator: &mut SchemaGenerator) -> Value {
    match parameter.kind {
        ParameterKind::Text => json!({ "type": TEXT }),
        ParameterKind::Integer => json!({ "type": "integer" }),
        ParameterKind::Number => json!({ "type": "number" }),
        ParameterKind::Flag => json!({ "type": "boolean" }),
        ParameterKind::Rule => generator.subschema_for::<InnerRule>().to_value(),
        ParameterKind::Paths => json!({
            "type": "object",
            "additionalProperties": generator.subschema_for::<InnerRule>(),
        }),
    }
}
