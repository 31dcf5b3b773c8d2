//! What every masking function promises, tested over the whole registry: each function on each kind it accepts, with the
//! parameters that change what it does.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::fixture::{Case, text};
use super::literal::integer_range;
use super::locale::LOCALES;
use super::{Cell, FUNCTIONS, MaskError, Prepared};
use crate::catalog::Kind;
use crate::value::Value;

/// A column of every kind.
fn kinds() -> Vec<Kind> {
    vec![
        Kind::Bool,
        Kind::Int(16),
        Kind::Int(32),
        Kind::Int(64),
        Kind::Float,
        Kind::Decimal(None),
        Kind::Decimal(Some((9, 2))),
        text(),
        Kind::Enum(vec!["new".into(), "paid".into()]),
        Kind::Json,
        Kind::Xml,
        Kind::Bytes,
        Kind::Date,
        Kind::Timestamp,
        Kind::Time,
        Kind::Uuid,
        Kind::Inet,
        Kind::Mac(6),
        Kind::Mac(8),
        Kind::Array(Box::new(text())),
        Kind::Array(Box::new(Kind::Int(32))),
        Kind::Other("tsvector".into()),
    ]
}

/// Every function on every kind it accepts, with the arguments it requires.
fn cases() -> Vec<Case> {
    let accepted = FUNCTIONS.iter().flat_map(|function| {
        let kinds = kinds().into_iter().filter(|kind| (function.accepts)(kind));
        kinds.map(|kind| Case::new(function.name, kind))
    });
    accepted.map(required).chain(variants()).collect()
}

fn required(case: Case) -> Case {
    let keep = || Case::new("keep", text());
    match case.function.name {
        "constant" => {
            let value = literal(&case.kind);
            case.with("value", value)
        }
        "round" => {
            let date =
                matches!(case.kind, Kind::Text { .. } | Kind::Date | Kind::Timestamp | Kind::Time);
            case.with("to", if date { "hour" } else { "5" })
        }
        "json" => {
            let hash = Case::new("hash", text());
            case.with("paths", vec![("$.*", hash.clone()), ("$[0]", keep()), ("$.*[*].*", hash)])
        }
        "array" => case.with("element", Case::new("hash", text())),
        // The usual cost is meant to take its time.
        "password_hash" => case.with("cost", 4),
        _ => case,
    }
}

fn literal(kind: &Kind) -> &'static str {
    match kind {
        Kind::Bool => "true",
        Kind::Int(_) | Kind::Float | Kind::Decimal(_) | Kind::Json => "12",
        Kind::Enum(_) => "paid",
        Kind::Bytes => "\\xff00",
        Kind::Date => "2000-02-29",
        Kind::Timestamp => "2000-02-29 12:00:00",
        Kind::Time => "12:00:00",
        Kind::Uuid => "00000000-0000-4000-8000-000000000000",
        Kind::Inet => "10.0.0.0/8",
        Kind::Mac(6) => "02:00:00:00:00:01",
        Kind::Mac(_) => "02:00:00:00:00:00:00:01",
        _ => "twelve",
    }
}

/// Functions with the parameters that change what they do.
fn variants() -> Vec<Case> {
    let new = |name: &str| Case::new(name, text());
    let mut cases = vec![
        new("email").with("short", true),
        new("email").with("ignore_case", true),
        new("email").ignore_case(),
        new("username").with("short", true),
        new("phone").with("unique", true),
        new("postal_code").with("keep_shape", true),
        new("country").with("code", "alpha2"),
        new("hash").with("length", 8),
        new("hash").with("length", 16),
        new("hash").with("length", 63),
        new("ip").with("version", 4),
        new("ip").with("version", 6),
        Case::new("ip", Kind::Inet).with("version", 6),
        new("partial").with("keep_first", 3).with("keep_last", 1000).with("with", "é"),
        new("redact").with("with", "—"),
        new("constant").with("value", ""),
        Case::new("date_shift", Kind::Date).with("max_days", 36_500),
        Case::new("noise", Kind::Int(16)).with("amount", 1e6),
        Case::new("noise", Kind::Float).with("amount", 0.001),
        Case::new("noise", Kind::Decimal(Some((9, 2)))).with("percent", 100.0),
        Case::new("round", Kind::Int(16)).with("to", "1000"),
        Case::new("round", Kind::Float).with("to", "0.25"),
        Case::new("round", Kind::Decimal(None)).with("to", "0.005"),
        Case::new("round", Kind::Decimal(Some((9, 2)))).with("to", "1000000"),
        Case::new("round", Kind::Date).with("to", "year"),
        Case::new("round", Kind::Timestamp).with("to", "week"),
        new("round").with("to", "quarter"),
    ];
    for country in ["AT", "CH", "DE", "ES", "FR", "GB", "IT", "NL", "PT"] {
        cases.push(new("iban").with("country", country));
    }
    for function in FUNCTIONS.iter().filter(|function| function.localized) {
        for locale in LOCALES {
            let case = new(function.name).locale(locale.name);
            if function.parameters.iter().any(|parameter| parameter.name == "max_length") {
                // Some locales have no street or company that short; a rejection is right there.
                let short = case.clone().with("max_length", 14);
                cases.extend(short.prepare().is_ok().then_some(short));
            }
            cases.push(case);
        }
    }
    cases.into_iter().map(required).collect()
}

/// Values that a column of that kind may hold.
fn values(kind: &Kind) -> BoxedStrategy<Value<'static>> {
    let texts = prop_oneof![
        4 => any::<String>(),
        2 => "[A-Za-z]{0,12}",
        2 => "[12][0-9]{3}-[01][0-9]-[0-3][0-9]([ T][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?Z?)?",
        1 => "[{}\\[\\]\",:\\\\a0 ]{0,20}",
        1 => "(10\\.1\\.2\\.[0-9]{1,2}|2001:db8::[0-9a-f]{1,4})(/[0-9]{1,3})?",
        1 => (any::<char>(), 0..20_000_usize).prop_map(|(c, n)| c.to_string().repeat(n)),
    ];
    match kind {
        Kind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Kind::Int(_) => {
            let (least, most) = integer_range(kind);
            prop_oneof![least..=most, (-200..200_i64), Just(least), Just(most)]
                .prop_map(Value::Int)
                .boxed()
        }
        Kind::Float => any::<f64>().prop_map(Value::Float).boxed(),
        Kind::Decimal(None) => "(-?[0-9]{1,40}(\\.[0-9]{1,30})?|NaN|-?Infinity)"
            .prop_map(|d| Value::Decimal(d.into()))
            .boxed(),
        Kind::Decimal(_) => {
            "-?[0-9]{1,7}\\.[0-9]{2}".prop_map(|d| Value::Decimal(d.into())).boxed()
        }
        Kind::Enum(labels) => {
            let labels = labels.clone();
            proptest::sample::select(labels).prop_map(|label| Value::Text(label.into())).boxed()
        }
        Kind::Json => documents().prop_map(|d| Value::Json(d.to_string().into())).boxed(),
        Kind::Bytes => any::<Vec<u8>>().prop_map(|b| Value::Bytes(b.into())).boxed(),
        Kind::Date => any::<i32>().prop_map(Value::Date).boxed(),
        Kind::Timestamp => any::<i64>().prop_map(Value::Timestamp).boxed(),
        Kind::Time => (0..=86_400_000_000_i64).prop_map(Value::Time).boxed(),
        Kind::Uuid => any::<[u8; 16]>().prop_map(Value::Uuid).boxed(),
        Kind::Inet => prop_oneof![
            (any::<std::net::Ipv4Addr>(), 0..=32_u8).prop_map(|(ip, n)| Value::Inet(ip.into(), n)),
            (any::<std::net::Ipv6Addr>(), 0..=128_u8).prop_map(|(ip, n)| Value::Inet(ip.into(), n)),
        ]
        .boxed(),
        Kind::Mac(6) => any::<[u8; 6]>().prop_map(Value::Mac).boxed(),
        Kind::Mac(_) => any::<[u8; 8]>().prop_map(Value::Mac8).boxed(),
        Kind::Array(inner) => {
            let element = prop_oneof![4 => values(inner), 1 => Just(Value::Null)];
            proptest::collection::vec(element, 0..4).prop_map(Value::Array).boxed()
        }
        Kind::Text { .. } | Kind::Xml | Kind::Other(_) => {
            texts.prop_map(|text| Value::Text(text.into())).boxed()
        }
    }
}

/// Any JSON document.
pub(super) fn documents() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::{Value, json};
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|flag| json!(flag)),
        any::<i64>().prop_map(|number| json!(number)),
        // Eighths, which every library reads and writes alike.
        any::<i32>().prop_map(|number| json!(f64::from(number) / 8.0)),
        any::<String>().prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof!["[ab]", any::<String>()];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
            proptest::collection::vec((key, inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Runs a test on values of a kind.
fn for_values(kind: &Kind, count: u32, test: impl Fn(Value<'static>)) {
    let config = Config { cases: count, failure_persistence: None, ..Config::default() };
    let strategy = values(kind).prop_map(Shown);
    let run = TestRunner::new(config).run(&strategy, |value| {
        test(value.0);
        Ok(())
    });
    run.unwrap_or_else(|failure| panic!("{failure}"));
}

/// A value that shows itself, which values otherwise do not.
#[derive(Clone)]
struct Shown(Value<'static>);

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", crate::engine::render(&self.0))
    }
}

impl Prepared {
    fn masked(&self, value: &Value<'_>) -> Result<Value<'static>, MaskError> {
        self.mask
            .apply(&Cell { value, seed: None, draw: None }, &mut String::new())
            .map(Value::into_owned)
    }
}

/// Whether a column of that kind takes the value.
fn takes(kind: &Kind, value: &Value<'_>) -> bool {
    match (kind, value) {
        (Kind::Bool, Value::Bool(_))
        | (Kind::Float, Value::Float(_))
        | (Kind::Text { .. } | Kind::Xml | Kind::Other(_), Value::Text(_))
        | (Kind::Bytes, Value::Bytes(_))
        | (Kind::Date, Value::Date(_))
        | (Kind::Timestamp, Value::Timestamp(_))
        | (Kind::Uuid, Value::Uuid(_))
        | (Kind::Mac(6), Value::Mac(_))
        | (Kind::Mac(8), Value::Mac8(_)) => true,
        (Kind::Int(_), Value::Int(number)) => {
            let (least, most) = integer_range(kind);
            (least..=most).contains(number)
        }
        (Kind::Decimal(None), Value::Decimal(_)) => true,
        (Kind::Decimal(Some((precision, scale))), Value::Decimal(text)) => {
            let (whole, fraction) =
                text.trim_start_matches('-').split_once('.').unwrap_or((text, ""));
            let whole = whole.trim_start_matches('0').len();
            whole <= (precision - scale) as usize && fraction.len() <= *scale as usize
        }
        (Kind::Enum(labels), Value::Text(text)) => labels.iter().any(|label| label == text),
        (Kind::Json, Value::Json(text)) => serde_json::from_str::<serde_json::Value>(text).is_ok(),
        (Kind::Time, Value::Time(time)) => (0..=86_400_000_000).contains(time),
        (Kind::Inet, Value::Inet(ip, prefix)) => *prefix <= if ip.is_ipv4() { 32 } else { 128 },
        (Kind::Array(inner), Value::Array(items)) => {
            items.iter().all(|item| item.is_null() || takes(inner, item))
        }
        _ => false,
    }
}

#[test]
fn documents_itself_completely() {
    let mut names = HashSet::new();
    for function in FUNCTIONS {
        let name = function.name;
        assert!(names.insert(name), "{name} is there twice");
        for (what, words) in [
            ("summary", function.summary),
            ("fits", function.fits),
            ("uniqueness", function.uniqueness),
            ("normalisation", function.normalisation),
            ("longest", function.longest),
            ("space", function.space),
        ] {
            assert!(!words.is_empty() && !words.ends_with('.'), "{name}: {what}");
        }
        let mut parameters: HashSet<_> = ["function", "seed", "domain", "locale"].into();
        for parameter in function.parameters {
            assert!(parameters.insert(parameter.name), "{name}: {}", parameter.name);
            assert!(!parameter.summary.is_empty(), "{name}: {}", parameter.name);
        }
        assert!(kinds().iter().any(function.accepts), "{name} fits nothing");
    }
}

#[test]
fn masks_every_value_of_what_it_accepts_the_same_way_each_time() {
    for case in cases() {
        let (one, other) = (case.prepared(), case.prepared());
        let name = case.function.name;
        let reads_text = ["date_shift", "round", "json"].contains(&name);
        for_values(&case.kind, 40, |value| {
            let fake = match one.masked(&value) {
                Ok(fake) => fake,
                Err(error) => {
                    let is_text = matches!(value, Value::Text(_));
                    assert!(is_text && reads_text, "{name} on {:?}: {error}", case.kind);
                    return;
                }
            };
            // By their text, since NaN is not NaN.
            let again = Shown(other.masked(&value).unwrap());
            let shown = Shown(fake.clone());
            assert_eq!(format!("{again:?}"), format!("{shown:?}"), "{name} is not deterministic");
            if fake.is_null() {
                assert!(one.may_return_null, "{name} returned NULL");
            } else {
                assert!(takes(&case.kind, &fake), "{name} on {:?}", case.kind);
            }
            if let Some(constant) = &one.constant {
                assert!(fake == *constant, "{name} is not constant");
            }
            if let (Value::Text(fake), Value::Text(value)) = (&fake, &value) {
                let bound = one.longest.unwrap_or(value.chars().count());
                assert!(fake.chars().count() <= bound, "{name} is longer than it says");
            }
        });
    }
}

#[test]
fn depends_on_the_key_and_the_domain() {
    let keyed = cases().into_iter().filter(|case| case.function.keyed && values_vary(&case.kind));
    for case in keyed {
        let mut elsewhere = case.clone();
        elsewhere.rule.domain = Some(super::fixture::at("another".into()));
        let prepared = [case.prepared(), case.clone().key("2").prepared(), elsewhere.prepared()];
        let mut differ = [0, 0];
        for value in distinct(&case.kind) {
            let [fake, other_key, other_domain] = prepared.each_ref().map(|one| one.masked(&value));
            differ[0] += u32::from(fake != other_key);
            differ[1] += u32::from(fake != other_domain);
        }
        assert!(differ.iter().all(|count| *count > 20), "{} {differ:?}", case.function.name);
    }
}

fn values_vary(kind: &Kind) -> bool {
    !matches!(kind, Kind::Bool | Kind::Enum(_))
}

/// Values that are all distinct, and different in more than case where `texts` are.
fn distinct(kind: &Kind) -> Vec<Value<'static>> {
    let words = || (0..700).map(|n| format!("Ärger {n}"));
    match kind {
        Kind::Int(_) => (1..700).map(Value::Int).collect(),
        Kind::Float => (1..700).map(|n| Value::Float(f64::from(n) * 1e3)).collect(),
        Kind::Decimal(_) => {
            (1000..1700).map(|n| Value::Decimal(format!("{n}.50").into())).collect()
        }
        Kind::Bytes => words().map(|word| Value::Bytes(word.into_bytes().into())).collect(),
        Kind::Date => (0..700).map(Value::Date).collect(),
        Kind::Timestamp => (0..700).map(|n| Value::Timestamp(n * 1_000_003)).collect(),
        Kind::Time => (0..700).map(|n| Value::Time(n * 1_000_003)).collect(),
        Kind::Uuid => (0..700_u128).map(|n| Value::Uuid(n.to_be_bytes())).collect(),
        Kind::Inet => {
            (0..700_u32).map(|n| Value::Inet(std::net::Ipv4Addr::from_bits(n).into(), 32)).collect()
        }
        Kind::Mac(6) => (0..200).map(|n| Value::Mac([0, 0, 0, 0, 1, n])).collect(),
        Kind::Mac(_) => (0..200).map(|n| Value::Mac8([0, 0, 0, 0, 0, 0, 1, n])).collect(),
        Kind::Json => {
            words().map(|word| Value::Json(format!("{{\"a\":\"{word}\"}}").into())).collect()
        }
        Kind::Array(inner) => {
            distinct(inner).into_iter().map(|value| Value::Array(vec![value])).collect()
        }
        _ => {
            let dates = (0..700).map(|n| format!("{}-01-01", 1300 + n));
            let cases = words().flat_map(|word| [word.to_lowercase(), word]);
            let odd = ["", " ", "a", "A", "a ", "\0", "ß", "ẞ", "é", "e\u{301}"].map(str::to_owned);
            dates.chain(cases).chain(odd).map(|text| Value::Text(text.into())).collect()
        }
    }
}

#[test]
fn is_injective_where_it_promises_to_be() {
    let mut unique = HashSet::new();
    for case in cases() {
        let prepared = case.prepared();
        if !prepared.unique || prepared.constant.is_some() || !values_vary(&case.kind) {
            continue;
        }
        unique.insert(case.function.name);
        let mut origins: HashMap<String, String> = HashMap::new();
        for value in distinct(&case.kind) {
            let fake = format!("{:?}", Shown(prepared.masked(&value).unwrap()));
            let origin = format!("{:?}", Shown(value));
            if let Some(first) = origins.insert(fake, origin.clone()) {
                let same = case.ignores_case() && first.to_lowercase() == origin.to_lowercase();
                assert!(same, "{}: {first} and {origin}", case.function.name);
            }
        }
    }
    let promised =
        ["array", "email", "hash", "iban", "ip", "keep", "phone", "url", "username", "uuid"];
    assert_eq!(unique, promised.into());
}
