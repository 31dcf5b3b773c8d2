//! `json`: masks some values of a document and leaves every other byte of it as it is.
//!
//! Objects and arrays under a path are masked value by value, unless the path's function takes them whole (`nullify`,
//! `redact`, `constant`, `json`). A number or a boolean that the function has no kind for is masked as its text, and becomes
//! a string. What is not JSON fails.

mod edit;
mod path;
mod scan;

use std::borrow::Cow;

use self::edit::{blank, edit, look};
use self::path::{Path, Step};
use super::element::nested;
use super::{
    Argument, Cell, Class, Function, Mask, MaskError, Parameter, ParameterKind, Prepared,
    Rejection, Request, identifies,
};
use crate::catalog::Kind;
use crate::identifier::Identifier;
use crate::rules::ColumnRule;
use crate::value::Value;

/// `json`.
pub(super) static JSON: Function = Function {
    name: "json",
    class: Class::Pseudonymization,
    summary: "masks the values that paths lead to, each by a function of its own; all else of the document stays as it is",
    fits: "JSON, and text without a length that holds JSON",
    accepts: |kind| matches!(kind, Kind::Json | Kind::Text { .. }),
    parameters: &[Parameter {
        name: "paths",
        kind: ParameterKind::Paths,
        required: true,
        summary: "functions by path: `$.contact.email`, `$['a b']`, `$.list[0]`, `$.list[*].name`, `$.*`; a path with fewer stars goes before one with more; no `seed` here",
    }],
    keyed: false,
    localized: false,
    identifies: None,
    uniqueness: "never unique",
    normalisation: "each function's own; numbers as they are written",
    longest: "no bound",
    space: "each function's own",
    prepare: json,
};

fn json(request: &Request<'_>) -> Result<Prepared, Rejection> {
    // How many values a document holds is not known beforehand.
    if matches!(request.kind, Kind::Text { max_chars: Some(_), .. }) {
        return Err(Rejection {
            at: request.rule.function.at,
            message: "a masked document may be longer than the column".into(),
            cure: "use `redact`, `constant` or `nullify`, or a column type without a length".into(),
        });
    }
    let Some(Argument::Paths(paths)) = request.argument("paths") else {
        return Err(request.reject("paths", "no paths", "give `paths` a function for each path"));
    };
    let mut leaves = Vec::with_capacity(paths.len());
    for (path, rule) in paths {
        let steps = Path::parse(&path.value).map_err(|message| Rejection {
            at: path.at,
            message: format!("path `{}`: {message}", path.value),
            cure: "write a path such as `$.contact.email`, `$['a b']` or `$.list[*].name`".into(),
        })?;
        leaves.push((steps, Leaf::prepare(request, rule)?));
    }
    let looks_inside = !request.says_nothing_identifies()
        && leaves.iter().any(|(_, leaf)| leaf.identifies.is_some() || leaf.identifies_parts());
    Ok(Prepared::new(Json { leaves, looks_inside }).longest(usize::MAX))
}

struct Json {
    leaves: Vec<(Path, Leaf)>,
    /// Something under a path identifies somebody.
    looks_inside: bool,
}

impl Mask for Json {
    fn apply<'b>(&self, cell: &Cell<'_>, buffer: &'b mut String) -> Result<Value<'b>, MaskError> {
        match cell.value {
            Value::Json(text) => {
                edit(text, &self.leaves, buffer)?;
                Ok(Value::Json(Cow::Borrowed(buffer)))
            }
            Value::Text(text) => {
                edit(text, &self.leaves, buffer)?;
                Ok(Value::Text(Cow::Borrowed(buffer)))
            }
            _ => Err(MaskError("value is not JSON")),
        }
    }

    fn leaves_parts(&self) -> bool {
        true
    }

    fn rest(&self, value: &Value<'_>) -> Option<String> {
        let (Value::Json(text) | Value::Text(text)) = value else { return None };
        let mut rest = String::with_capacity(text.len());
        blank(text, &self.leaves, &mut rest).ok().map(|()| rest)
    }

    fn identifies_parts(&self) -> bool {
        self.looks_inside
    }

    fn parts(
        &self,
        value: &Value<'_>,
        show: &mut dyn FnMut(Identifier, &Value<'_>),
    ) -> Result<(), MaskError> {
        match value {
            Value::Json(text) | Value::Text(text) => look(text, &self.leaves, show),
            _ => Ok(()),
        }
    }
}

/// A path's function, bound to every sort of JSON value that it takes.
struct Leaf {
    /// Leave what is there, and look for longer paths in it.
    keep: bool,
    /// What its originals identify.
    identifies: Option<Identifier>,
    text: Option<Prepared>,
    integer: Option<Prepared>,
    decimal: Option<Prepared>,
    boolean: Option<Prepared>,
    /// Objects and arrays as a whole.
    document: Option<Prepared>,
}

impl Leaf {
    fn prepare(request: &Request<'_>, rule: &ColumnRule) -> Result<Self, Rejection> {
        let text = Kind::Text { max_chars: None, ignore_case: false };
        let mut rejections = Vec::new();
        let mut bind = |kind: Kind| {
            nested(request, rule, &kind, "a JSON value").map_err(|why| rejections.push(why)).ok()
        };
        let leaf = Self {
            keep: rule.function.value == "keep",
            identifies: identifies(rule),
            text: bind(text),
            integer: bind(Kind::Int(64)),
            decimal: bind(Kind::Decimal(None)),
            boolean: bind(Kind::Bool),
            document: bind(Kind::Json),
        };
        let takes = [&leaf.text, &leaf.integer, &leaf.decimal, &leaf.boolean, &leaf.document];
        match takes.iter().any(|taken| taken.is_some()) {
            true => Ok(leaf),
            // A function that takes numbers only says so about text; its own complaint comes after.
            false => Err(complaint(rejections)),
        }
    }
}

impl Leaf {
    /// It holds documents of which parts identify somebody.
    fn identifies_parts(&self) -> bool {
        let documents = [&self.text, &self.document];
        documents.into_iter().flatten().any(|prepared| prepared.mask.identifies_parts())
    }
}

/// The first rejection that is not about the type, else the first.
fn complaint(rejections: Vec<Rejection>) -> Rejection {
    let about_type = |why: &Rejection| why.message.contains("does not fit a JSON value");
    let first = rejections.iter().find(|why| !about_type(why)).or(rejections.first());
    first.expect("a leaf that takes nothing was rejected").clone()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mask::fixture::{Case, text};
    use crate::mask::properties::documents;

    fn rule(name: &str) -> Case {
        Case::new(name, text())
    }

    fn fixed() -> Case {
        rule("constant").with("value", "7")
    }

    fn mask(paths: Vec<(&str, Case)>, document: &str) -> String {
        Case::new("json", Kind::Json).with("paths", paths).mask(Value::Json(document.into()))
    }

    #[test]
    fn masks_what_paths_lead_to_and_nothing_else() {
        let document = r#" { "a" : [ {"b": "x", "c": 1.50} , {"b": "y"}, [] ], "b" :"z",
            "d e": {"é\n": true}, "b": 1e2 }  "#;
        let masked = mask(
            vec![("$.a[*].b", fixed()), ("$.a[0].c", fixed()), ("$['d e']['é\n']", fixed())],
            document,
        );
        assert_eq!(
            masked,
            r#" { "a" : [ {"b": "7", "c": 7} , {"b": "7"}, [] ], "b" :"z",
            "d e": {"é\n": "7"}, "b": 1e2 }  "#
        );
        // Both members of that name.
        assert!(mask(vec![("$.b", fixed())], document).ends_with(r#""b": 7 }  "#));
        assert_eq!(mask(vec![("$.x.y[3]", fixed())], document), document);
    }

    #[test]
    fn masks_each_type_in_its_own_way() {
        let round = || rule("round").with("to", "10");
        assert_eq!(
            mask(vec![("$[*]", round())], "[14, 16.5, 2.5e1, null]"),
            "[10, 20.0, 30, null]"
        );
        let error = "error: JSON holds a value of a type that the function does not take";
        assert_eq!(mask(vec![("$[*]", round())], r#"["14"]"#), error);
        // A function of text makes a string of a number.
        let partial = || rule("partial");
        assert_eq!(
            mask(vec![("$[*]", partial())], "[1234, true, null]"),
            r#"["1***", "t***", null]"#
        );
        assert_eq!(mask(vec![("$", partial())], r#""\u00e9\ud83d\ude00\"\\""#), r#""é***""#);
        let shown = mask(vec![("$", rule("partial").with("keep_last", 2))], r#""ab\u0001\"""#);
        assert_eq!(shown, r#""a**\"""#);
    }

    #[test]
    fn masks_everything_in_a_container_or_the_container_as_a_whole() {
        let document = r#"{"a": {"b": ["x", {"c": "y"}], "d": null}, "e": "z"}"#;
        assert_eq!(
            mask(vec![("$.a", rule("partial"))], document),
            r#"{"a": {"b": ["*", {"c": "*"}], "d": null}, "e": "z"}"#
        );
        assert_eq!(mask(vec![("$.a", rule("nullify"))], document), r#"{"a": null, "e": "z"}"#);
        assert_eq!(
            mask(vec![("$.*", rule("redact"))], document),
            r#"{"a": {}, "e": "[redacted]"}"#
        );
        let inner = rule("json").with("paths", vec![("$.b[1].c", fixed())]);
        assert_eq!(
            mask(vec![("$.a", inner)], document),
            r#"{"a": {"b": ["x", {"c": "7"}], "d": null}, "e": "z"}"#
        );
    }

    #[test]
    fn the_path_with_fewer_stars_decides_and_keep_is_a_decision() {
        let paths = || vec![("$.*", fixed()), ("$.id", rule("keep")), ("$.keep.b", fixed())];
        let document = r#"{"id": 1, "x": 2, "keep": {"b": 3}}"#;
        assert_eq!(mask(paths(), document), r#"{"id": 1, "x": 7, "keep": 7}"#);
        let paths = vec![("$.*", rule("keep")), ("$.keep.b", fixed())];
        assert_eq!(mask(paths, document), r#"{"id": 1, "x": 2, "keep": {"b": 7}}"#);
    }

    #[test]
    fn the_rest_is_what_no_path_leads_to() {
        let inner = rule("json").with("paths", vec![("$.a", fixed())]);
        let paths = vec![
            ("$.mail", fixed()),
            ("$.list[*].b", fixed()),
            ("$.raw", inner),
            ("$.all", rule("partial")),
            ("$.gone", rule("redact")),
            ("$.all.id", rule("keep")),
        ];
        let case = Case::new("json", Kind::Json).with("paths", paths);
        let rest = |text: &str| case.prepared().mask.rest(&Value::Json(text.into()));
        let document = r#"{"mail": "x", "other": "y", "list": [{"b": 1, "c": 2}], "raw": "{\"a\": 1, \"b\": 2}",
            "all": {"id": 7, "n": ["z"]}, "gone": {"d": 1}}"#;
        let expected = r#"{"mail": null, "other": "y", "list": [{"b": null, "c": 2}], "raw": "{\"a\": null, \"b\": 2}",
            "all": {"id": 7, "n": [null]}, "gone": null}"#;
        assert_eq!(rest(document).as_deref(), Some(expected));
        assert_eq!(rest("{"), None);
    }

    #[test]
    fn text_within_text_is_a_document_too() {
        let inner = rule("json").with("paths", vec![("$.a", fixed())]);
        assert_eq!(
            mask(vec![("$.raw", inner)], r#"{"raw": "{\"a\": \"x\"}"}"#),
            r#"{"raw": "{\"a\": \"7\"}"}"#
        );
        let column = Case::new("json", text()).with("paths", vec![("$.a", fixed())]);
        assert_eq!(column.mask_text(r#"{"a":"x"}"#), r#"{"a":"7"}"#);
    }

    #[test]
    fn what_identifies_somebody_is_shown_as_it_was() {
        let shown = |paths: Vec<(&str, Case)>, document: &str| {
            let mask = Case::new("json", Kind::Json).with("paths", paths).prepared().mask;
            let mut shown = Vec::new();
            let see = &mut |kind: Identifier, value: &Value<'_>| {
                shown.push(format!("{}={}", kind.name(), value.as_text().unwrap()));
            };
            let looked = mask.parts(&Value::Json(document.into()), see);
            looked.map(|()| (mask.identifies_parts(), shown.join(" ")))
        };
        let identifying = |name: &str, identifies: bool| {
            let mut case = rule(name);
            case.rule.identifies = Some(crate::mask::fixture::at(identifies));
            case
        };
        let inner = || rule("json").with("paths", vec![("$.a", rule("email"))]);
        let document = r#"{"mail": "a@b.c", "phones": ["1", 2, null], "n": {"x": "y", "z": [7]},
            "doc": {"a": "\u00e9@b.c"}, "raw": "{\"a\": \"r@b.c\"}", "kept": "k"}"#;
        let paths = vec![
            ("$.mail", rule("email")),
            ("$.phones[*]", rule("phone")),
            ("$.n", identifying("redact", true)),
            ("$.doc", inner()),
            ("$.raw", inner()),
            ("$.kept", rule("hash")),
        ];
        let (identifies, all) = shown(paths, document).unwrap();
        assert!(identifies);
        let expected = "email=a@b.c phone=1 phone=2 other=y other=7 email=\u{e9}@b.c email=r@b.c";
        assert_eq!(all, expected);
        let nothing = vec![("$.mail", identifying("email", false)), ("$.kept", rule("hash"))];
        assert_eq!(shown(nothing, document), Ok((false, String::new())));
        assert!(shown(vec![("$.a", rule("email"))], "{").is_err());
    }

    #[test]
    fn what_is_not_json_fails() {
        for document in [
            "",
            " ",
            "{",
            "[",
            "]",
            "{]",
            "[}",
            "[1,]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{\"a\":1,}",
            "{\"a\":1 \"b\":2}",
            "nul",
            "truex",
            "01",
            "00",
            "1.",
            "-",
            "1e",
            ".5",
            "\"",
            "\"\\",
            "\"\n\"",
            "1 2",
            "[1]]",
            "{,}",
            "[,]",
            "'a'",
            "\u{feff}1",
        ] {
            assert_eq!(
                mask(vec![("$.z", fixed())], document),
                "error: value is not JSON",
                "{document}"
            );
        }
        for document in [r#""\x""#, r#""\u12g4""#, r#""\u12""#, r#""\u+123""#] {
            assert_eq!(mask(vec![("$", rule("hash"))], document), "error: value is not JSON");
        }
        // Half a surrogate pair is JSON, if no text.
        assert_eq!(mask(vec![("$", rule("redact"))], r#""\ud800\u0041""#), r#""[redacted]""#);
    }

    #[test]
    fn depth_does_not_matter() {
        let deep = "[".repeat(200_000) + "\"x\"" + &"]".repeat(200_000);
        assert!(mask(vec![("$[0]", rule("partial"))], &deep).contains("[\"*\"]"));
        assert_eq!(mask(vec![("$[0]", rule("nullify"))], &deep), "[null]");
    }

    #[test]
    fn rejects_what_cannot_be_masked() {
        insta::assert_snapshot!(
            Case::new("json", Kind::Json).with("paths", vec![("$.a b", fixed())]).rejection(), @r"
            path `$.a b`: a name with such characters is written `['…']`
            (hint: write a path such as `$.contact.email`, `$['a b']` or `$.list[*].name`)
            ");
        insta::assert_snapshot!(
            Case::new("json", Kind::Json).with("paths", vec![("$.a", rule("array"))]).rejection(), @r"
            `array` does not fit a JSON value
            (hint: it fits arrays)
            ");
        insta::assert_snapshot!(
            Case::new("json", Kind::Json)
                .with("paths", vec![("$.a", rule("hash").with("length", 999))])
                .rejection(),
            @r"
            `length` is out of range
            (hint: write a whole number from 8 to 64)
            ");
        let varchar = Kind::Text { max_chars: Some(200), ignore_case: false };
        insta::assert_snapshot!(
            Case::new("json", varchar).with("paths", vec![("$.a", fixed())]).rejection(), @r"
            a masked document may be longer than the column
            (hint: use `redact`, `constant` or `nullify`, or a column type without a length)
            ");
    }

    /// What masking should do, by a library that rebuilds documents.
    fn model(document: &serde_json::Value, depth: usize) -> serde_json::Value {
        use serde_json::Value;
        match document {
            Value::Array(items) if depth > 0 => {
                items.iter().map(|item| model(item, depth - 1)).collect()
            }
            Value::Object(members) if depth > 0 => Value::Object(
                members.iter().map(|(key, value)| (key.clone(), model(value, depth - 1))).collect(),
            ),
            Value::Null => Value::Null,
            other if depth == 0 => match other {
                Value::Array(_) | Value::Object(_) | Value::Number(_) => serde_json::json!(7),
                _ => serde_json::json!("7"),
            },
            other => other.clone(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn agrees_with_a_library_that_rebuilds_documents(
            document in documents(),
            pretty in any::<bool>(),
            depth in 0_usize..4,
        ) {
            let written = match pretty {
                true => serde_json::to_string_pretty(&document).unwrap(),
                false => document.to_string(),
            };
            let path = format!("${}", "[*]".repeat(depth));
            let masked = mask(vec![(&path, fixed())], &written);
            let masked: serde_json::Value = serde_json::from_str(&masked).unwrap();
            prop_assert_eq!(masked, model(&document, depth));
            prop_assert_eq!(mask(vec![("$.nowhere[*].at['all']", fixed())], &written), written);
        }
    }
}
